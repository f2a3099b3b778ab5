"""What an AWS error means for coverage; the only list of error codes."""

import re
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from traceback import walk_tb
from typing import ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from orgscan.model import Blindness, Gap
from orgscan.secrets import hide

P = ParamSpec("P")
T = TypeVar("T")

MEANING = {
    "AccessDenied": Blindness.DENIED,
    "AccessDeniedException": Blindness.DENIED,
    "AuthorizationError": Blindness.DENIED,
    "AllAccessDisabled": Blindness.DENIED,
    "Forbidden": Blindness.DENIED,
    "UnauthorizedAccess": Blindness.DENIED,
    "UnauthorizedOperation": Blindness.DENIED,
    # Also what broken credentials look like. Planning has asked which regions are on, so a target that
    # was planned as enabled and answers like this is a gap either way, never knowledge.
    "AuthFailure": Blindness.REGION_OFF,
    "InvalidClientTokenId": Blindness.REGION_OFF,
    "InvalidToken": Blindness.REGION_OFF,
    "OptInRequired": Blindness.REGION_OFF,
    "RegionDisabledException": Blindness.REGION_OFF,
    "SubscriptionRequiredException": Blindness.REGION_OFF,
    "UnrecognizedClientException": Blindness.REGION_OFF,
    "BandwidthLimitExceeded": Blindness.THROTTLED,
    "EC2ThrottledException": Blindness.THROTTLED,
    "LimitExceeded": Blindness.THROTTLED,
    "LimitExceededException": Blindness.THROTTLED,
    "PriorRequestNotComplete": Blindness.THROTTLED,
    "ProvisionedThroughputExceededException": Blindness.THROTTLED,
    "RequestLimitExceeded": Blindness.THROTTLED,
    "RequestThrottled": Blindness.THROTTLED,
    "RequestThrottledException": Blindness.THROTTLED,
    "SlowDown": Blindness.THROTTLED,
    "Throttling": Blindness.THROTTLED,
    "ThrottlingException": Blindness.THROTTLED,
    "ThrottledException": Blindness.THROTTLED,
    "TooManyRequestsException": Blindness.THROTTLED,
}
SERVER_ERROR = 500
"""HTTP status from which the service, and not the question, is at fault: it did not answer."""
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
    }
)
"""The request, or what it was signed with, is too old; newer credentials and a new signature may help."""
AGED = re.compile(
    r"Signature expired|Signature not yet current|token included in the request is expired", re.IGNORECASE
)
"""The same in words, under codes that can mean other things (InvalidSignatureException)."""
PAGE_EXPIRED = frozenset(
    {
        "ExpiredIterator",
        "ExpiredNextTokenException",
        "ExpiredPaginationToken",
        "InvalidContinuationToken",
        "InvalidMarker",
        "InvalidMarkerException",
        "InvalidNextToken",
        "InvalidNextTokenException",
        "InvalidPaginationException",
        "InvalidPaginationToken",
        "InvalidPaginationTokenException",
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "InvalidToken",
        "PaginationTokenExpiredException",
        "ValidationError",
        "ValidationException",
    }
)
"""What services say to the token of a page that is too old for them."""
SCP = "service control policy"
ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
POLICY = re.compile(
    r"(explicit deny in (?:an?|the)|because no) ([\w -]+? (?:policy|boundary))\b"
    r"(?:(?:, with policy ARN)?:\s+arn:[^\s/]+/(?:[^\s/]+/)*([\w+=,.@-]*[\w+=@-]))?",
    re.IGNORECASE,
)
"""How AWS names what denied: the kind of policy and, within one organization, the end of its ARN."""
UNREACHABLE = (NoConnectionError, HTTPClientError, NoCredentialsError, ResponseParserError)
NO_ANSWER = (ClientError, BotoCoreError, ResponseParserError)
"""What a call may raise: AWS refused, was not reached, or its answer broke off."""
LONGEST = 300
"""Characters of AWS's words that are kept: an answer that cannot be parsed is quoted whole in its error."""
HERE = Path(__file__).parent


class Told(Exception):
    """Its message is ours and quotes no value: gaps may repeat it."""


class OutOfTime(Told):
    """The invocation ends before this could be read."""


STOP = (*NO_ANSWER, Told)
"""What ends a listing: AWS did not answer, time is over, our code is wrong. All else is an item's fault."""


def gap(scope: str, error: Exception) -> Gap:
    """The gap an error leaves; names the missing IAM action where AWS named it.

    Of what Python raises only type and place are told: its messages quote values, secret ones too.
    """
    match error:
        case ClientError():
            return _refusal(scope, error)
        case OutOfTime():
            return Gap(scope, Blindness.DEADLINE, "the invocation's time ran out")
        case _ if isinstance(error, UNREACHABLE):
            return Gap(scope, Blindness.UNREACHABLE, _words(error))
        case BotoCoreError() | Told():
            return Gap(scope, Blindness.FAULT, _words(error))
    return Gap(scope, Blindness.FAULT, _place(error))


def _refusal(scope: str, error: ClientError) -> Gap:
    code, message = code_of(error), error.response["Error"].get("Message") or ""  # null in some answers
    reason = _reason(error, code, message)
    if reason is not Blindness.DENIED:
        return Gap(scope, reason, _brief(f"{error.operation_name}: {code}: {message}"))
    by_scp = SCP in message.lower()
    action = ACTION.search(message)
    detail = (
        f"{action[1]}{_policy(message)}" if action else _brief(f"{error.operation_name}: {message or code}")
    )
    return Gap(scope, Blindness.DENIED_BY_SCP if by_scp else Blindness.DENIED, detail)


def _reason(error: ClientError, code: str, message: str) -> Blindness:
    if expired(code, message):
        return Blindness.FAULT
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return MEANING.get(code, Blindness.UNREACHABLE if status >= SERVER_ERROR else Blindness.FAULT)


def expired(code: str, message: str) -> bool:
    """Whether AWS refused for age: of the token, or of the signature."""
    return code in EXPIRED or bool(AGED.search(message))


def throttled(code: str) -> bool:
    """Whether AWS refused for too many requests."""
    return MEANING.get(code) is Blindness.THROTTLED


def page_expired(error: Exception) -> bool:
    """Whether the way to a next page has expired, or is none any more."""
    return isinstance(error, ClientError) and code_of(error) in PAGE_EXPIRED


def _policy(message: str) -> str:
    """Which policy denies, in parentheses; empty where the action says it all or AWS does not tell."""
    found = POLICY.search(message)
    if not found:
        return ""
    how, kind, name = found.groups()
    if kind.lower() == SCP:
        return f" ({name})" if name else ""
    if how.lower() == "because no" and kind.lower() == "identity-based policy":
        return ""
    return f" ({kind} {name})" if name else f" ({kind})"


def forbidden_by(error: Exception) -> str | None:
    """The service control policy that explicitly denies the call, '' where AWS does not name it; or None.

    A policy that merely does not allow it is another matter: that list may allow what is asked next.
    """
    if not isinstance(error, ClientError) or MEANING.get(code_of(error)) is not Blindness.DENIED:
        return None
    found = POLICY.search(error.response["Error"].get("Message") or "")
    explicit = found and found[1].lower().startswith("explicit deny") and found[2].lower() == SCP
    return (found[3] or "") if found and explicit else None


def _place(error: BaseException) -> str:
    """'ValueError at services/iam/collect.py:84': the innermost of our lines that it passed through."""
    ours = [(file, line) for file, line, _ in _frames(error) if file.is_relative_to(HERE)]
    name = type(error).__name__
    return f"{name} at {_short(ours[-1][0])}:{ours[-1][1]}" if ours else name


def trace(error: BaseException) -> str:
    """The way to where an error was raised, outermost call first, for logs: 'file:line function' in lines.

    A traceback would add the message and source lines, whose values nobody has looked through.
    """
    return "\n".join(f"{_short(file)}:{line} {function}" for file, line, function in _frames(error))


def _frames(error: BaseException) -> Iterator[tuple[Path, int, str]]:
    for frame, line in walk_tb(error.__traceback__):
        yield Path(frame.f_code.co_filename), line, frame.f_code.co_qualname


def _short(file: Path) -> str:
    return (file.relative_to(HERE) if file.is_relative_to(HERE) else file).as_posix()


def _words(error: Exception) -> str:
    return _brief(f"{type(error).__name__}: {error}")


def _brief(text: str) -> str:
    line = hide(text).partition("\n")[0]
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def code_of(error: ClientError) -> str:
    return error.response["Error"].get("Code") or ""


def fact(*, absent: str | tuple[str, ...]) -> Callable[[Callable[P, T]], Callable[P, T | Gap | None]]:
    """Read one fact about a resource: its value, None when AWS says there is none, or a gap.

    Whatever goes wrong costs this fact and nothing else.
    """
    codes = (absent,) if isinstance(absent, str) else absent

    def declare(read: Callable[P, T]) -> Callable[P, T | Gap | None]:
        @wraps(read)
        def careful(*args: P.args, **kwargs: P.kwargs) -> T | Gap | None:
            try:
                return read(*args, **kwargs)
            except Told:
                raise
            except Exception as error:  # noqa: BLE001 (whatever it is costs this fact and nothing else)
                known = isinstance(error, ClientError) and code_of(error) in codes
                return None if known else gap(read.__name__, error)

        return careful

    return declare
