"""What we know about IAM."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orgscan.model import Gap, Resource
from orgscan.policy import Policy

ADMINISTRATOR = "AdministratorAccess"
SERVICE_LINKED = "/aws-service-role/"
RESERVED = "/aws-reserved/"
"""Where IAM Identity Center keeps its roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootUser(Resource):
    aws_types = ()

    mfa: bool
    password: bool
    """False when root's credentials were deleted, so that nobody can sign in as root, and in GovCloud."""
    keys: int


@dataclass(frozen=True, slots=True)
class AccessKey:
    number: int
    """1 or 2: the credential report gives no key ids."""
    active: bool
    rotated: datetime | None
    """When it was made or last replaced; None when the report does not say."""
    used: datetime | None = None
    """None: never, as far as IAM knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials(Resource):
    """A row of the credential report, which IAM renews at most every four hours."""

    aws_types = ()

    keys: tuple[AccessKey, ...]
    password_used: datetime | None
    """None: never, as far as IAM knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCredentials(Credentials):
    """The root user's row: of what else it says the account's summary knows better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Credentials):
    password: bool
    mfa: bool
    created: datetime
    password_changed: datetime | None
    """None when the report does not say."""


@dataclass(frozen=True, slots=True)
class InlinePolicy:
    name: str
    document: Policy | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization(Resource):
    """An entry of IAM's one listing of who may do what: a principal or a managed policy."""

    aws_types = ("AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy")

    name: str
    policies: tuple[str, ...] = ()
    """ARNs of the managed policies that are attached to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal(Authorization):
    """Who can be given permissions."""

    kind: Literal["user", "group", "role"]
    path: str
    created: datetime
    groups: tuple[str, ...] = ()
    """A user's groups, by name."""
    inline: tuple[InlinePolicy, ...] = ()
    boundary: str | None = None
    """ARN of the managed policy that bounds its permissions."""
    trust: Policy | Gap | None = None
    """Who can become it; None for what is no role."""
    used: datetime | None = None
    """When a role was last assumed; None: not within 400 days, or it is none."""
    profiles: tuple[str, ...] = ()
    """Names of the instance profiles that a role is in."""

    @property
    def service_linked(self) -> bool:
        """AWS made the role for one of its services, and nobody else can change or assume it."""
        return self.kind == "role" and self.path.startswith(SERVICE_LINKED)

    @property
    def aws_type(self) -> str:
        return f"AWS::IAM::{self.kind.title()}"

    def attached(self, wanted: Iterable[str]) -> Iterator[str]:
        """Which of these it has: ARNs, or names of AWS managed policies ('job-function/Billing')."""
        for policy in wanted:
            if any(is_named(arn, policy) for arn in self.policies):
                yield policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy(Authorization):
    """A policy of the account's own, or one of AWS's that is in use."""

    document: Policy | Gap
    """The default version's."""
    attachments: int
    """How many principals it is attached to."""
    bounds: int
    """How many principals it is the permissions boundary of."""

    @property
    def aws_type(self) -> str:
        return "AWS::IAM::ManagedPolicy"

    @property
    def own(self) -> bool:
        return is_own(self.arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy(Resource):
    aws_types = ()

    min_length: int | Gap | None
    """None when the account has no policy of its own."""


def is_own(policy: str) -> bool:
    """Whether a policy's ARN is the account's, not AWS's."""
    return ":iam::aws:policy/" not in policy


def is_named(arn: str, policy: str) -> bool:
    """Whether a policy's ARN is this one, or the policy is AWS's of this name."""
    return arn == policy or arn.endswith(f":iam::aws:policy/{policy}")
