"""What the checks of an account, and of the scan itself, accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import AccountSighting, Blindness, Gap, RegionSighting, Severity
from orgscan.services.account.checks import (
    account_region_not_scanned,
    account_scan_permission_denied,
    account_unexpected_region_resources,
    organizations_member_scan_role_missing,
)
from orgscan.services.account.facts import UnscannedRegion
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes

ARN = f"arn:aws:account::{ACCOUNT}:account"
SEEN = AccountSighting(arn=ARN, asked=7)
REGION = RegionSighting(arn=f"arn:aws:account:eu-west-1:{ACCOUNT}:region/eu-west-1", asked=9)
OUTSIDE = Gap("sts:AssumeRole", Blindness.DENIED, "sts:AssumeRole")
OFF = Gap("region", Blindness.REGION_OFF, "me-south-1 is not enabled in this account")
CLOSED = Gap(
    "region", Blindness.DENIED_BY_SCP, "every call in eu-west-1, such as ec2:DescribeAddresses (p-1)"
)
DEAD = Gap("region", Blindness.UNREACHABLE, "every call in eu-west-1, such as EndpointConnectionError")
SLOW = Gap("sts:AssumeRole", Blindness.THROTTLED, "Rate exceeded")


def lost(reason: Blindness, detail: str, *checks: str) -> dict[str, Gap]:
    return dict.fromkeys(checks, Gap("some-collector", reason, detail))


DENIALS: list[Case] = [
    passes(account_scan_permission_denied, SEEN),
    passes(account_scan_permission_denied, REGION),
    # What is unseen for another reason is no matter of permissions.
    passes(
        account_scan_permission_denied,
        replace(SEEN, lost=lost(Blindness.THROTTLED, "Rate exceeded", "a") | lost(Blindness.FAULT, "x", "b")),
    ),
    fails(
        account_scan_permission_denied,
        replace(
            REGION,
            lost=lost(Blindness.DENIED, "rds:DescribeDBInstances", "rds-b", "rds-a")
            | lost(Blindness.DENIED, "ec2:DescribeVolumes (permissions boundary narrow)", "ebs-a"),
        ),
        "ec2:DescribeVolumes (permissions boundary narrow) is denied; it keeps ebs-a from being judged",
        "rds:DescribeDBInstances is denied; it keeps rds-a, rds-b from being judged",
    ),
    # A gap of some resources names the action behind their number.
    fails(
        account_scan_permission_denied,
        replace(SEEN, lost=lost(Blindness.DENIED, "3 of 24 resources: s3:GetBucketPolicy", "s3-a")),
        "s3:GetBucketPolicy is denied; it keeps s3-a from being judged",
    ),
    fails(
        account_scan_permission_denied,
        replace(SEEN, lost=lost(Blindness.DENIED_BY_SCP, "guardduty:ListDetectors (p-1)", "guardduty-a")),
        "guardduty:ListDetectors (p-1) by a service control policy is denied; "
        "it keeps guardduty-a from being judged",
    ),
    # AWS does not always name the action.
    fails(
        account_scan_permission_denied,
        replace(SEEN, lost=lost(Blindness.DENIED, "ListKeys: Forbidden", "kms-a")),
        "ListKeys: Forbidden is denied; it keeps kms-a from being judged",
    ),
    fails(
        account_scan_permission_denied,
        replace(SEEN, lost=lost(Blindness.DENIED, "iam:GetX", *(f"iam-{n:02}" for n in range(10)))),
        "iam:GetX is denied; it keeps iam-00, iam-01, iam-02, iam-03, iam-04, iam-05, iam-06, iam-07 "
        "and 2 more from being judged",
    ),
    cannot_tell(account_scan_permission_denied, replace(SEEN, blind=OUTSIDE), "sts:AssumeRole"),
    cannot_tell(account_scan_permission_denied, replace(REGION, blind=OFF), "not enabled"),
]

REGIONS: list[Case] = [
    passes(account_region_not_scanned, REGION),
    passes(
        account_region_not_scanned, replace(REGION, lost=lost(Blindness.DENIED, "ec2:DescribeVolumes", "a"))
    ),
    fails(account_region_not_scanned, replace(REGION, blind=OFF), f"region-off: {OFF.detail}"),
    fails(account_region_not_scanned, replace(REGION, blind=DEAD), f"unreachable: {DEAD.detail}"),
    fails(
        account_region_not_scanned,
        replace(REGION, blind=CLOSED),
        Problem(f"denied-by-scp: {CLOSED.detail}", severity=Severity.LOW),
    ),
    # That is the account's fault, and the account's finding.
    cannot_tell(account_region_not_scanned, replace(REGION, blind=OUTSIDE), "sts:AssumeRole"),
    cannot_tell(account_region_not_scanned, replace(REGION, asked=0), "nothing was asked"),
]

ENTRIES: list[Case] = [
    passes(organizations_member_scan_role_missing, SEEN),
    passes(organizations_member_scan_role_missing, replace(SEEN, blind=DEAD)),
    fails(organizations_member_scan_role_missing, replace(SEEN, blind=OUTSIDE), "denied: sts:AssumeRole"),
    fails(
        organizations_member_scan_role_missing,
        replace(SEEN, blind=replace(OUTSIDE, reason=Blindness.DENIED_BY_SCP, detail="sts:AssumeRole (p-1)")),
        "denied-by-scp: sts:AssumeRole (p-1)",
    ),
    fails(
        organizations_member_scan_role_missing,
        replace(SEEN, blind=replace(OUTSIDE, reason=Blindness.REGION_OFF, detail="RegionDisabledException")),
        "region-off: RegionDisabledException",
    ),
    passes(
        organizations_member_scan_role_missing,
        replace(SEEN, blind=OUTSIDE),
        parameters={"excluded_account_ids": [ACCOUNT]},
    ),
    fails(
        organizations_member_scan_role_missing,
        replace(SEEN, blind=OUTSIDE),
        "denied: sts:AssumeRole",
        parameters={"excluded_account_ids": [ACCOUNT[:-1]]},
    ),
    # Whether the role is there, a throttled attempt does not tell.
    cannot_tell(organizations_member_scan_role_missing, replace(SEEN, blind=SLOW), "Rate exceeded"),
]

EMPTY = UnscannedRegion(
    arn=f"arn:aws:account:eu-west-3:{ACCOUNT}:region/eu-west-3",
    region="eu-west-3",
    interfaces=0,
    tagged=(),
    buckets=0,
)
DENIED = Gap("tagged-in", Blindness.DENIED, "tag:GetResources")
UNSCANNED: list[Case] = [
    passes(account_unexpected_region_resources, EMPTY),
    fails(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=1),
        "eu-west-3: a network interface",
    ),
    fails(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=12, tagged=("ec2:instance", "rds:db")),
        "eu-west-3: 12 network interfaces, tagged ec2:instance, rds:db",
    ),
    fails(account_unexpected_region_resources, replace(EMPTY, buckets=1), "eu-west-3: a bucket"),
    fails(account_unexpected_region_resources, replace(EMPTY, buckets=3), "eu-west-3: 3 buckets"),
    cannot_tell(account_unexpected_region_resources, replace(EMPTY, buckets=DENIED), "tag:GetResources"),
    passes(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=3),
        parameters={"allowed_regions": ["us-east-1", "eu-*"]},
    ),
    fails(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=3),
        "eu-west-3: 3 network interfaces",
        parameters={"allowed_regions": ["eu-west"]},
    ),
    cannot_tell(account_unexpected_region_resources, replace(EMPTY, tagged=DENIED), "tag:GetResources"),
    # What is certain is told, whatever else is not.
    Case(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=2, tagged=DENIED),
        ("eu-west-3: 2 network interfaces",),
        unread="tag:GetResources",
    ),
    cannot_tell(
        account_unexpected_region_resources,
        replace(EMPTY, interfaces=Gap("interfaces-in", Blindness.DENIED_BY_SCP, "ec2:Describe")),
        "ec2:Describe",
    ),
]

CASES: list[Case] = [*DENIALS, *REGIONS, *ENTRIES, *UNSCANNED]
