"""Which regions of an account to look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from orgscan.errors import NO_ANSWER
from orgscan.model import GLOBAL
from orgscan.session import declared

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ec2 import EC2Client

    from orgscan.session import Clients

CALLS = ("ec2:DescribeRegions",)
"""What planning asks a member account."""
ENABLED = "enabled"
"""The pattern for every region that an account has enabled."""


@dataclass(frozen=True, slots=True)
class Known:
    """The partition's regions as one account sees them: name -> enabled."""

    enabled: Mapping[str, bool]

    def names(self) -> frozenset[str]:
        return frozenset(self.enabled)


def known(ec2: EC2Client, *, by_default: bool = False) -> Known:
    """All regions. `by_default`: count as enabled only those that need no opting in."""
    regions = ec2.describe_regions(AllRegions=True)["Regions"]
    on = {"opt-in-not-required"} if by_default else {"opt-in-not-required", "opted-in"}
    return Known(
        {each["RegionName"]: each.get("OptInStatus", "opt-in-not-required") in on for each in regions}
    )


def of_account(enter: Callable[[], Clients]) -> Known | None:
    """The account's own answer; None when it gives none, which its targets will then report themselves."""
    try:
        clients = enter()
        with declared(CALLS):
            return known(clients.get("ec2"))
    except NO_ANSWER:
        return None


def planned(patterns: Iterable[str], account: Known) -> dict[str, bool]:
    """Region -> enabled.

    A glob or 'enabled' means enabled regions. A region named outright is planned even when it is off, so that
    it is reported rather than left out.
    """
    patterns = tuple(patterns)
    return {
        region: on
        for region, on in sorted(account.enabled.items())
        if region in patterns or (on and matches(region, patterns))
    }


def matches(region: str, patterns: Collection[str]) -> bool:
    return any(pattern == ENABLED or fnmatchcase(region, pattern) for pattern in patterns)


def is_name(pattern: str) -> bool:
    """Whether it names one region, so that it can be unknown."""
    return pattern != ENABLED and not set(pattern) & set("*?[")


def refusal(pattern: str, scope: Iterable[str], names: Iterable[str]) -> str | None:
    """What a request's region must be, or None when it is. `names`: all regions that there are."""
    names = tuple(names)
    inside = planned(scope, Known(dict.fromkeys(names, True)))
    if pattern == GLOBAL or any(matches(region, [pattern]) for region in inside):
        return None
    if any(matches(region, [pattern]) for region in names):
        return "within the configured scope"
    return "a region of this partition, a glob such as 'eu-*', or 'global'"
