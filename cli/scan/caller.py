"""Who asks: credentials that are found, hold and belong to a region; or one line that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)

from cli.doctor import ask
from orgscan import session
from orgscan.errors import MEANING, NO_ANSWER, code_of, expired, gap
from orgscan.model import Blindness

if TYPE_CHECKING:
    from orgscan.session import Clients

REFUSED = frozenset({"SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"})
"""What AWS says to keys that are none, beside what `errors.MEANING` may take for a region that is off."""


class CannotScan(Exception):
    """Nothing was scanned. The message, one line, says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    home: Clients
    account: str
    region: str


def caller(profile: str | None) -> Caller:
    """Of a profile, or of the environment. Raises CannotScan."""
    try:
        home = session.here(profile=profile)
        _ = home.credentials
        told = ask.caller(home)
    except NO_ANSWER as error:
        raise CannotScan(refusal(error, profile)) from error
    return Caller(home=home, account=told.account, region=told.region)


def refusal(error: Exception, profile: str | None) -> str:
    """Why the credentials are of no use, and what to do."""
    sign_in = "sign in (aws sso login" + (f" --profile {profile})" if profile else ")")
    detail = gap("caller", error).detail
    if isinstance(error, ClientError):
        return _said(error, detail, sign_in)
    words: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
        (
            (ProfileNotFound,),
            f"there is no profile {profile or '$AWS_PROFILE'}: see aws configure list-profiles",
        ),
        ((NoRegionError,), "no region is set: set AWS_DEFAULT_REGION, or `region` in the profile"),
        (
            (NoCredentialsError,),
            f"there are no credentials: {sign_in}, name a --profile, or set AWS_ACCESS_KEY_ID",
        ),
        ((SSOError, TokenRetrievalError), f"the sign-in has expired, or there was none: {sign_in}"),
        (
            (PartialCredentialsError, UnknownCredentialError, ConfigParseError),
            f"the credentials are incomplete ({detail}): mend the profile or the environment",
        ),
        ((CredentialRetrievalError,), f"the credentials cannot be fetched ({detail}): {sign_in}"),
    )
    nothing = f"AWS cannot be asked ({detail}): look at the network, the proxy and the region's name"
    return next((told for kinds, told in words if isinstance(error, kinds)), nothing)


def _said(error: ClientError, detail: str, sign_in: str) -> str:
    code = code_of(error)
    meaning = MEANING.get(code)
    if expired(code, str(error)):
        return f"the credentials have expired: {sign_in}, or get new ones"
    if code in REFUSED or meaning is Blindness.REGION_OFF:
        return f"AWS does not know the credentials ({detail}): {sign_in}, or get new ones"
    if meaning is Blindness.THROTTLED:
        return f"AWS asks to wait ({detail}): try again in a minute"
    return f"the credentials are not allowed to ask ({detail}): use those of a role that reads"
