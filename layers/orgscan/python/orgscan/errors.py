"""What an AWS error means for coverage; the only list of error codes."""

from collections.abc import Callable
from functools import wraps
from re import search
from typing import ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

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
UNREACHABLE = (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, NoCredentialsError)


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
            return Gap(scope, Blindness.UNREACHABLE, f"{type(error).__name__}: {error}")
    return Gap(scope, Blindness.FAULT, f"{type(error).__name__}: {error}")


def _refusal(scope: str, error: ClientError) -> Gap:
    code, message = code_of(error), error.response["Error"].get("Message", "")
    reason = MEANING.get(code, Blindness.FAULT)
    action = search(r"not authorized to perform: ([\w-]+:\w+)", message)
    if reason is Blindness.DENIED:
        reason = Blindness.DENIED_BY_SCP if SCP in message else reason
        return Gap(scope, reason, action[1] if action else f"{error.operation_name}: {message or code}")
    return Gap(scope, reason, f"{error.operation_name}: {code}: {message}")


def code_of(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def fact(*, absent: str | tuple[str, ...]) -> Callable[[Callable[P, T]], Callable[P, T | Gap | None]]:
    """Read one fact about a resource: its value, None when AWS says there is none, or a gap."""
    codes = (absent,) if isinstance(absent, str) else absent

    def declare(read: Callable[P, T]) -> Callable[P, T | Gap | None]:
        @wraps(read)
        def careful(*args: P.args, **kwargs: P.kwargs) -> T | Gap | None:
            try:
                return read(*args, **kwargs)
            except ClientError as error:
                return None if code_of(error) in codes else gap(read.__name__, error)
            except BotoCoreError as error:
                return gap(read.__name__, error)

        return careful

    return declare
