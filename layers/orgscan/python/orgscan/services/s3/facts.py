"""What we know about S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orgscan.model import DataStore, Gap, Resource

RESTRICTING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
    }
)
"""Condition keys that take 'everyone' back to somebody."""
RESTRICTING_OPERATORS = frozenset(
    {"arnequals", "arnlike", "ipaddress", "stringequals", "stringequalsignorecase", "stringlike"}
)
WORLD = frozenset({"*", "0.0.0.0/0", "::/0"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(DataStore):
    aws_types = ("AWS::S3::Bucket",)

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


def opened_to_everyone(policy: Mapping[str, Any]) -> tuple[str, ...]:
    """The actions a bucket policy allows any principal without a condition that narrows it."""
    statements = _listed(policy.get("Statement", []))
    actions = (action for statement in statements if _open(statement) for action in _actions(statement))
    return tuple(dict.fromkeys(actions))


def _open(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    named = principal if isinstance(principal, str) else _listed(principal.get("AWS", []))
    anyone = "NotPrincipal" in statement or "*" in named
    return statement["Effect"] == "Allow" and anyone and not _restricted(statement.get("Condition", {}))


def _actions(statement: Mapping[str, Any]) -> Iterator[str]:
    if "NotAction" in statement:
        yield "s3:*"
    yield from _listed(statement.get("Action", []))


def _restricted(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether some key must have a concrete value. ForAllValues and IfExists also hold when it is absent."""
    return any(
        key.lower() in RESTRICTING_KEYS and not WORLD.intersection(_listed(values))
        for operator, keys in condition.items()
        if operator.lower().removeprefix("foranyvalue:") in RESTRICTING_OPERATORS
        for key, values in keys.items()
    )


def _listed(value: Any) -> list[Any]:
    """IAM's JSON writes a list of one without the list."""
    return value if isinstance(value, list) else [value]
