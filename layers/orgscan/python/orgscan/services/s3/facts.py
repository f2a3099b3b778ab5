"""What we know about S3."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orgscan.model import Gap, Resource, Taggable
from orgscan.policy import Policy


class Block(StrEnum):
    """A setting of a public access block, by AWS's name."""

    NEW_ACLS = "BlockPublicAcls"
    ACLS = "IgnorePublicAcls"
    NEW_POLICIES = "BlockPublicPolicy"
    POLICIES = "RestrictPublicBuckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPublicAccessBlock(Resource):
    on: frozenset[Block] | Gap | None
    """None when nobody ever set it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an ACL gives to more than named accounts."""

    to: str
    """'everyone' or 'every AWS user'."""
    permission: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(Taggable):
    name: str
    policy_is_public: bool | Gap | None
    """None when the bucket has no policy."""
    opened: tuple[str, ...] | Gap | None
    """The actions a public policy allows everyone; read only when the policy is public."""
    public_grants: tuple[Grant, ...] | Gap | None
    ownership: str | Gap | None
    """None when ownership controls were never set, which leaves ACLs in force."""
    blocked: frozenset[Block] | Gap | None
    """Its own public access block; the account's applies as well."""
    versioning: str | Gap | None
    """'Enabled', 'Suspended', or None when it was never on."""


def opened_to_everyone(policy: Policy) -> tuple[str, ...]:
    """The actions a bucket policy allows any principal without a condition that narrows it."""
    actions = (action for opening in policy.openings() for action in opening.actions)
    return tuple(dict.fromkeys("s3:*" if action == "*" else action for action in actions))
