"""What the CloudTrail checks accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Gap
from orgscan.services.cloudtrail.checks import cloudtrail_bucket_public, cloudtrail_multi_region_trail_missing
from orgscan.services.cloudtrail.facts import ALL_EVENTS, AccountTrails, Trail, TrailBucket
from orgscan.services.s3.facts import Block
from tests.cases.case import Case, cannot_tell, fails, passes
from tests.cases.s3 import ACCOUNT, BUCKET, LISTED, OPEN_ACCOUNT, PUBLIC, unread

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


TRAIL_CASES: list[Case] = [
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

DELIVERS = TrailBucket(arn=MAIN.arn, trail="main", bucket=BUCKET.name)
LOCALLY = TrailBucket(arn=f"{MAIN.arn}-local", trail="local", bucket=BUCKET.name)
ELSEWHERE = TrailBucket(arn=ORGANIZATION.arn, trail="main", bucket="archive")
OPENED = "it has the logs of trail main, and the policy allows everyone s3:GetObject"
GRANTED = "it has the logs of trail main, and the ACL grants READ to everyone"
BUCKET_CASES: list[Case] = [
    fails(cloudtrail_bucket_public, PUBLIC, Problem(OPENED), beside=[DELIVERS, OPEN_ACCOUNT]),
    # Whoever can list the logs of everything is as bad as whoever can read them.
    fails(cloudtrail_bucket_public, LISTED, Problem(GRANTED), beside=[DELIVERS, OPEN_ACCOUNT]),
    fails(
        cloudtrail_bucket_public,
        replace(PUBLIC, public_grants=LISTED.public_grants, ownership=None),
        OPENED.replace("trail main", "trail main, local"),
        GRANTED.replace("trail main", "trail main, local"),
        beside=[DELIVERS, LOCALLY, OPEN_ACCOUNT],
    ),
    passes(cloudtrail_bucket_public, BUCKET, beside=[DELIVERS, OPEN_ACCOUNT]),
    passes(cloudtrail_bucket_public, PUBLIC, beside=[DELIVERS, ACCOUNT]),
    passes(
        cloudtrail_bucket_public,
        replace(PUBLIC, blocked=frozenset(Block)),
        beside=[DELIVERS, OPEN_ACCOUNT],
    ),
    # It is public, but no trail's: another check says so.
    passes(cloudtrail_bucket_public, PUBLIC, beside=[ELSEWHERE, OPEN_ACCOUNT]),
    passes(cloudtrail_bucket_public, PUBLIC, beside=[OPEN_ACCOUNT]),
    cannot_tell(
        cloudtrail_bucket_public,
        replace(BUCKET, policy_is_public=unread("GetBucketPolicyStatus")),
        "GetBucketPolicyStatus",
        beside=[DELIVERS, OPEN_ACCOUNT],
    ),
    # What was seen of it is enough.
    Case(
        cloudtrail_bucket_public,
        replace(LISTED, policy_is_public=unread("GetBucketPolicyStatus")),
        (GRANTED,),
        beside=[DELIVERS, OPEN_ACCOUNT],
        unread="GetBucketPolicyStatus",
    ),
    passes(
        cloudtrail_bucket_public,
        replace(BUCKET, policy_is_public=unread("GetBucketPolicyStatus")),
        beside=[ELSEWHERE, OPEN_ACCOUNT],
    ),
    cannot_tell(
        cloudtrail_bucket_public,
        PUBLIC,
        "DescribeTrails",
        lost={TrailBucket: Gap("-", Blindness.DENIED, "cloudtrail:DescribeTrails")},
    ),
]

CASES = [*TRAIL_CASES, *BUCKET_CASES]
