"""What an AWS error means for coverage; the only list of error codes."""

from collections.abc import Callable
from functools import wraps
from re import search
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
SCP = "service control policy"
UNREACHABLE = (NoConnectionError, HTTPClientError, NoCredentialsError, ResponseParserError)
NO_ANSWER = (ClientError, BotoCoreError, ResponseParserError)
"""What a call may raise: AWS refused, was not reached, or its answer broke off."""
LONGEST = 300
"""Characters of AWS's words that are kept: an answer that cannot be parsed is quoted whole in its error."""


class OutOfTime(Exception):
    """The invocation ends before this could be read."""


def gap(scope: str, error: Exception) -> Gap:
    """The gap an error leaves; names the missing IAM action where AWS named it."""
    match error:
        case ClientError():
            return _refusal(scope, error)
        case OutOfTime():
            return Gap(scope, Blindness.DEADLINE, "the invocation's time ran out")
        case _ if isinstance(error, UNREACHABLE):
            return Gap(scope, Blindness.UNREACHABLE, _brief(f"{type(error).__name__}: {error}"))
    return Gap(scope, Blindness.FAULT, _brief(f"{type(error).__name__}: {error}"))


def _refusal(scope: str, error: ClientError) -> Gap:
    code, message = code_of(error), error.response["Error"].get("Message") or ""  # null in some answers
    reason = MEANING.get(code, Blindness.FAULT)
    if reason is not Blindness.DENIED:
        return Gap(scope, reason, _brief(f"{error.operation_name}: {code}: {message}"))
    reason = Blindness.DENIED_BY_SCP if SCP in message else reason
    action = search(r"not authorized to perform: ([\w-]+:\w+)", message)
    return Gap(scope, reason, action[1] if action else _brief(f"{error.operation_name}: {message or code}"))


def _brief(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def code_of(error: ClientError) -> str:
    return error.response["Error"].get("Code") or ""


def fact(*, absent: str | tuple[str, ...]) -> Callable[[Callable[P, T]], Callable[P, T | Gap | None]]:
    """Read one fact about a resource: its value, None when AWS says there is none, or a gap."""
    codes = (absent,) if isinstance(absent, str) else absent

    def declare(read: Callable[P, T]) -> Callable[P, T | Gap | None]:
        @wraps(read)
        def careful(*args: P.args, **kwargs: P.kwargs) -> T | Gap | None:
            try:
                return read(*args, **kwargs)
            except NO_ANSWER as error:
                known = isinstance(error, ClientError) and code_of(error) in codes
                return None if known else gap(read.__name__, error)

        return careful

    return declare
