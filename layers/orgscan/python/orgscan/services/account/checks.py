"""What we expect of an account as a whole, and of the scan itself."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import (
    AccountSighting,
    Blindness,
    Category,
    Gap,
    RegionSighting,
    Severity,
    Sighting,
    Unread,
    known,
)
from orgscan.services.account.facts import UnscannedRegion

ENTRY = "sts:AssumeRole"
REFUSED = (Blindness.DENIED, Blindness.DENIED_BY_SCP)
ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z]\w+.*")
"""'ec2:DescribeVolumes', and what denies it, behind whatever a gap says first."""
NAMED = 8
"""Checks that are named for one action."""


@check(
    Sighting,
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    fix="Update the scanner's role to the one that this version deploys, or review what denies.",
    equivalent=(),
)
def account_scan_permission_denied(seen: Sighting) -> Problems:
    """The scanner was denied API actions that checks depend on.

    Those checks say nothing about this account: neither that something is wrong, nor that all is well. What a
    service control policy denies says so. An account that cannot be entered, and a region that is closed as a
    whole, are other findings.
    """
    if seen.blind:
        raise Unread(seen.blind)
    checks: dict[str, list[str]] = defaultdict(list)
    for name, gap in seen.lost.items():
        if gap.reason in REFUSED:
            checks[_action(gap)].append(name)
    for action, names in sorted(checks.items()):
        yield f"{action} is denied; it keeps {_listed(sorted(names))} from being judged"


def _action(gap: Gap) -> str:
    found = ACTION.search(gap.detail)
    action = found[0] if found else gap.detail
    return f"{action} by a service control policy" if gap.reason is Blindness.DENIED_BY_SCP else action


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:NAMED])} and {more} more"


@check(
    RegionSighting,
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    fix="Enable the region, let the scanner through, or take the region out of orgscan.yaml.",
    equivalent=(),
    cli=(
        "aws account get-region-opt-status --region-name {region} --region {region}",
        "aws account enable-region --region-name '<the-region-if-it-is-to-be-used>' --region {region}",
    ),
)
def account_region_not_scanned(seen: RegionSighting) -> Problems:
    """A region that was to be scanned could not be looked at.

    It is disabled, does not answer, or a service control policy denies every call. Then it is low: usually it
    is closed on purpose, but what was made there before stays. An account that cannot be entered is another
    finding.
    """
    if seen.blind is None:
        if not seen.asked:
            raise Unread(
                Gap("account-region-not-scanned", Blindness.NO_DATA, "nothing was asked of the region")
            )
        return
    if seen.blind.scope == ENTRY:
        raise Unread(seen.blind)
    by_policy = seen.blind.reason is Blindness.DENIED_BY_SCP
    text = f"{seen.blind.reason}: {seen.blind.detail}"
    yield Problem(text, severity=Severity.LOW if by_policy else None)


@check(
    AccountSighting,
    severity=Severity.HIGH,
    category=Category.OPERATIONS,
    fix="Deploy the scanner's role to the account, and compare its trust policy and ExternalId.",
    equivalent=(),
)
def organizations_member_scan_role_missing(
    seen: AccountSighting, view: View, *, excluded_account_ids: Sequence[str] = []
) -> Problems:
    """An active account of the organization cannot be entered by the scanner.

    Nothing is known about it. AWS does not tell a missing role from one that does not trust the scanner.
    """
    if seen.blind is None or seen.blind.scope != ENTRY or view.target.account in excluded_account_ids:
        return
    if seen.blind.reason not in (*REFUSED, Blindness.REGION_OFF):
        raise Unread(seen.blind)
    yield f"{seen.blind.reason}: {seen.blind.detail}"


@check(
    UnscannedRegion,
    severity=Severity.MEDIUM,
    category=Category.INVENTORY,
    fix="Remove what is there, or add the region to orgscan.yaml or to `allowed_regions`.",
    equivalent=(),
    cli=(
        "aws ec2 describe-network-interfaces --region {name}",
        "aws resourcegroupstaggingapi get-resources --region {name}",
        "aws s3api list-buckets --bucket-region {name} --region {name}",
    ),
)
def account_unexpected_region_resources(
    seen: UnscannedRegion, *, allowed_regions: Sequence[str] = []
) -> Problems:
    """Resources exist in a region that no scan looks at.

    Forgotten experiments and intruders' miners run where nobody looks. Each enabled region outside the
    configured scope is asked twice: for network interfaces, which whatever has an address has, and for tagged
    resources that cost money; buckets are listed once. A default VPC alone does not count. `allowed_regions`:
    names or globs.
    """
    if any(fnmatchcase(seen.region, pattern) for pattern in allowed_regions):
        return
    found = ", ".join(_found(seen))
    if found:
        yield f"{seen.region}: {found}"
    known(seen.interfaces)
    known(seen.tagged)
    known(seen.buckets)


def _found(seen: UnscannedRegion) -> Iterator[str]:
    if isinstance(seen.interfaces, int) and seen.interfaces:
        yield "a network interface" if seen.interfaces == 1 else f"{seen.interfaces} network interfaces"
    if isinstance(seen.tagged, tuple) and seen.tagged:
        yield f"tagged {', '.join(seen.tagged)}"
    if isinstance(seen.buckets, int) and seen.buckets:
        yield "a bucket" if seen.buckets == 1 else f"{seen.buckets} buckets"
