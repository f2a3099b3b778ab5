"""What we know about IAM."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orgscan.model import Gap, Resource

ADMINISTRATOR = "AdministratorAccess"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootUser(Resource):
    aws_types = ()

    mfa: bool
    password: bool
    """False when root's credentials were deleted, so that nobody can sign in as root."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    number: int
    """1 or 2: the credential report gives no key ids."""
    active: bool
    rotated: datetime | None
    """When it was made or last replaced; None when the report does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Resource):
    """A row of the credential report, which IAM renews at most every four hours."""

    aws_types = ()

    password: bool
    mfa: bool
    keys: tuple[AccessKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal(Resource):
    """Who can be given permissions."""

    aws_types = ("AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role")

    kind: Literal["user", "group", "role"]
    name: str
    path: str
    policies: tuple[str, ...]
    """ARNs of the attached managed policies."""
    groups: tuple[str, ...] = ()
    """A user's groups, by name."""

    @property
    def aws_type(self) -> str:
        return f"AWS::IAM::{self.kind.title()}"

    def attached(self, wanted: Iterable[str]) -> Iterator[str]:
        """Which of these it has: ARNs, or names of AWS managed policies ('job-function/Billing')."""
        for policy in wanted:
            suffix = f":iam::aws:policy/{policy}"
            if any(arn == policy or arn.endswith(suffix) for arn in self.policies):
                yield policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy(Resource):
    aws_types = ()

    min_length: int | Gap | None
    """None when the account has no policy of its own."""
