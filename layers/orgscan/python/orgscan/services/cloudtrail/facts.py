"""What we know about CloudTrail."""

from dataclasses import dataclass

from orgscan.model import Gap, Resource

ALL_EVENTS = frozenset({"read", "write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    arn: str
    name: str
    multi_region: bool
    logging: bool | Gap | None
    management_events: frozenset[str] | Gap | None
    """Which of 'read' and 'write' it records without restriction. None for an organization's trail that
    another account owns: only there may its event selectors be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTrails(Resource):
    """The trails that an account can see: its own and its organization's."""

    aws_types = ()

    trails: tuple[Trail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailBucket(Resource):
    """Where a trail delivers, of those that the region shows; `arn` is the trail's."""

    aws_types = ()

    trail: str
    bucket: str
