"""What we know about S3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orgscan.model import DataStore, Gap, Resource
from orgscan.policy import Policy


class Block(StrEnum):
    """A setting of a public access block, by AWS's name."""

    NEW_ACLS = "BlockPublicAcls"
    ACLS = "IgnorePublicAcls"
    NEW_POLICIES = "BlockPublicPolicy"
    POLICIES = "RestrictPublicBuckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPublicAccessBlock(Resource):
    aws_types = ()

    on: frozenset[Block] | Gap | None
    """None when nobody ever set it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an ACL gives to more than named accounts."""

    to: str
    """'everyone' or 'every AWS user'."""
    permission: str


@dataclass(frozen=True, slots=True)
class Encryption:
    """How new objects are encrypted that do not say how."""

    algorithm: str
    """'AES256', 'aws:kms', 'aws:kms:dsse'."""
    bucket_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRule:
    enabled: bool
    whole: bool
    """It holds for the whole bucket: no prefix, no tag, no size."""
    aborts_after: int | None = None
    """Days after which an upload in parts that was never completed is thrown away."""
    expires_noncurrent: bool = False
    moves_noncurrent: bool = False
    """To a cheaper storage class."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """In parts, begun and never completed."""

    count: int
    more: bool
    """There are more than were counted."""
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(DataStore):
    aws_types = ("AWS::S3::Bucket",)

    name: str
    policy: Policy | Gap | None
    policy_is_public: bool | Gap | None
    """None when the bucket has no policy."""
    public_grants: tuple[Grant, ...] | Gap | None
    ownership: str | Gap | None
    """None when ownership controls were never set, which leaves ACLs in force."""
    blocked: frozenset[Block] | Gap | None
    """Its own public access block; the account's applies as well."""
    versioning: str | Gap | None
    """'Enabled', 'Suspended', or None when it was never on."""
    encryption: tuple[Encryption, ...] | Gap | None
    lifecycle: tuple[LifecycleRule, ...] | Gap | None
    """None when the bucket has no lifecycle configuration."""
    uploads: Uploads | Gap | None
    """Counted only where no rule ever aborts them all."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"BucketName": self.name}


def opened_to_everyone(policy: Policy) -> tuple[str, ...]:
    """The actions a bucket policy allows any principal without a condition that narrows it."""
    actions = (action for opening in policy.openings() for action in opening.actions)
    return tuple(dict.fromkeys("s3:*" if action == "*" else action for action in actions))
