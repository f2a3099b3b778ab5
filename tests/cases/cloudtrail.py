"""What the CloudTrail checks accept and reject."""

from dataclasses import replace

from orgscan.model import Blindness, Gap
from orgscan.services.cloudtrail.checks import cloudtrail_multi_region_trail_missing
from orgscan.services.cloudtrail.facts import ALL_EVENTS, AccountTrails, Trail
from tests.cases.case import Case, cannot_tell, fails, passes

MAIN = Trail(
    arn="arn:aws:cloudtrail:eu-west-1:123456789012:trail/main",
    name="main",
    multi_region=True,
    logging=True,
    management_events=ALL_EVENTS,
)
ORGANIZATION = replace(
    MAIN, arn="arn:aws:cloudtrail:us-east-1:999999999999:trail/main", management_events=None
)
LOCAL = replace(MAIN, name="local", multi_region=False)
STOPPED = replace(MAIN, logging=False)
WRITES = replace(MAIN, name="writes", management_events=frozenset({"write"}))
UNSEEN = replace(MAIN, logging=Gap("trail_logging", Blindness.DENIED, "cloudtrail:GetTrailStatus"))


def account(*trails: Trail) -> AccountTrails:
    return AccountTrails(arn="arn:aws:cloudtrail::123456789012:account", trails=trails)


CASES: list[Case] = [
    passes(cloudtrail_multi_region_trail_missing, account(MAIN)),
    passes(cloudtrail_multi_region_trail_missing, account(LOCAL, STOPPED, MAIN)),
    fails(cloudtrail_multi_region_trail_missing, account(), "there is no trail"),
    fails(cloudtrail_multi_region_trail_missing, account(LOCAL), "no trail covers all regions: local"),
    fails(cloudtrail_multi_region_trail_missing, account(LOCAL, STOPPED), "trail main is not logging"),
    fails(
        cloudtrail_multi_region_trail_missing,
        account(WRITES),
        "trail writes does not record all read management events",
    ),
    fails(
        cloudtrail_multi_region_trail_missing,
        account(replace(STOPPED, management_events=frozenset()), WRITES),
        "trail main is not logging and does not record all read and write management events",
        "trail writes does not record all read management events",
    ),
    passes(cloudtrail_multi_region_trail_missing, account(ORGANIZATION)),
    # Own and organization's trail may share a name.
    passes(cloudtrail_multi_region_trail_missing, account(ORGANIZATION, STOPPED)),
    fails(
        cloudtrail_multi_region_trail_missing,
        account(replace(ORGANIZATION, logging=False)),
        "trail main is not logging",
    ),
    passes(cloudtrail_multi_region_trail_missing, account(), parameters={"org_trail_covers": True}),
    passes(cloudtrail_multi_region_trail_missing, account(UNSEEN, MAIN)),
    # What was seen of it is enough.
    fails(
        cloudtrail_multi_region_trail_missing,
        account(replace(UNSEEN, management_events=frozenset({"read"}))),
        "trail main does not record all write management events",
    ),
    cannot_tell(cloudtrail_multi_region_trail_missing, account(STOPPED, UNSEEN), "cloudtrail:GetTrailStatus"),
    cannot_tell(
        cloudtrail_multi_region_trail_missing,
        account(replace(MAIN, management_events=Gap("-", Blindness.THROTTLED, "GetEventSelectors"))),
        "GetEventSelectors",
    ),
]
