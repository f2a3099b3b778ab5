"""What the CloudTrail collector sees."""

from collections.abc import Set as AbstractSet
from typing import Any

import boto3
import pytest

from orgscan.model import Blindness, Gap, Target
from orgscan.services.cloudtrail.collect import cloudtrail_account_trails
from orgscan.services.cloudtrail.facts import ALL_EVENTS, AccountTrails, Trail
from orgscan.session import Clients
from tests.answers import answer, refuse

MAIN = Trail(
    arn="arn:aws:cloudtrail:eu-west-1:123456789012:trail/main",
    name="main",
    multi_region=True,
    logging=True,
    management_events=ALL_EVENTS,
)
CATEGORY = {"Field": "eventCategory", "Equals": ["Management"]}


def plant(aws: boto3.Session, **selectors: Any) -> None:
    cloudtrail = aws.client("cloudtrail")
    aws.client("s3", region_name="us-east-1").create_bucket(Bucket="trail-archive")
    cloudtrail.create_trail(Name="main", S3BucketName="trail-archive", IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="main")
    cloudtrail.put_event_selectors(TrailName="main", **selectors)


def trails(clients: Clients, everywhere: Target) -> tuple[Trail, ...]:
    (account,) = cloudtrail_account_trails.read(clients, everywhere)
    return account.trails


def test_an_account_without_trails(clients: Clients, everywhere: Target) -> None:
    arn = "arn:aws:cloudtrail::123456789012:account"
    assert list(cloudtrail_account_trails.read(clients, everywhere)) == [AccountTrails(arn=arn, trails=())]


def test_a_shadow_is_asked_about_in_its_home_region(
    aws: boto3.Session, clients: Clients, everywhere: Target
) -> None:
    plant(aws, EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}])
    assert everywhere.api_region == "us-east-1"
    assert trails(clients, everywhere) == (MAIN,)


def test_a_trail_that_is_listed_twice_is_one_trail(clients: Clients, everywhere: Target) -> None:
    listed = {"Name": "main", "TrailARN": MAIN.arn, "HomeRegion": "us-east-1", "IsMultiRegionTrail": True}
    answer(clients, everywhere, "cloudtrail:DescribeTrails", {"trailList": [listed, listed]})
    answer(clients, everywhere, "cloudtrail:GetTrailStatus", {"IsLogging": True})
    answer(
        clients,
        everywhere,
        "cloudtrail:GetEventSelectors",
        {"AdvancedEventSelectors": [{"FieldSelectors": [CATEGORY]}]},
    )
    assert trails(clients, everywhere) == (MAIN,)


@pytest.mark.parametrize(
    ("selectors", "recorded"),
    [
        ([], frozenset()),
        ([{}], {"read", "write"}),
        ([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}], {"write"}),
        ([{"ReadWriteType": "All", "IncludeManagementEvents": False}], frozenset()),
        ([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}], {"read", "write"}),
        (
            [{"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}],
            {"read", "write"},
        ),
    ],
)
def test_basic_selectors(
    aws: boto3.Session, clients: Clients, everywhere: Target, selectors: list[Any], recorded: AbstractSet[str]
) -> None:
    plant(aws, EventSelectors=selectors)
    (trail,) = trails(clients, everywhere)
    assert trail.management_events == frozenset(recorded)


@pytest.mark.parametrize(
    ("selectors", "recorded"),
    [
        ([[CATEGORY]], {"read", "write"}),
        ([[{"Field": "eventCategory", "Equals": ["Data"]}]], frozenset()),
        ([[{"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]], frozenset()),
        ([[CATEGORY, {"Field": "readOnly", "Equals": ["false"]}]], {"write"}),
        ([[CATEGORY, {"Field": "readOnly", "NotEquals": ["false"]}]], {"read"}),
        ([[CATEGORY, {"Field": "readOnly", "Equals": ["true"], "NotEquals": ["true"]}]], frozenset()),
        (
            [
                [CATEGORY, {"Field": "readOnly", "Equals": ["false"]}],
                [CATEGORY, {"Field": "readOnly", "Equals": ["true"]}],
            ],
            {"read", "write"},
        ),
        ([[CATEGORY, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]], {"read", "write"}),
        ([[CATEGORY, {"Field": "eventSource", "Equals": ["iam.amazonaws.com"]}]], frozenset()),
        ([[CATEGORY, {"Field": "eventName", "StartsWith": ["Delete"]}]], frozenset()),
    ],
)
def test_advanced_selectors(
    aws: boto3.Session, clients: Clients, everywhere: Target, selectors: list[Any], recorded: AbstractSet[str]
) -> None:
    plant(aws, AdvancedEventSelectors=[{"FieldSelectors": fields} for fields in selectors])
    (trail,) = trails(clients, everywhere)
    assert trail.management_events == frozenset(recorded)


def test_the_selectors_of_another_accounts_organization_trail_are_not_asked_for(
    clients: Clients, everywhere: Target
) -> None:
    arn = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organization"
    listed = {
        "Name": "organization",
        "TrailARN": arn,
        "HomeRegion": "us-east-1",
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": True,
    }
    answer(clients, everywhere, "cloudtrail:DescribeTrails", {"trailList": [listed]})
    answer(clients, everywhere, "cloudtrail:GetTrailStatus", {"IsLogging": True})
    refuse(clients, everywhere, "cloudtrail:GetEventSelectors", "TrailNotFoundException")
    assert trails(clients, everywhere) == (
        Trail(arn=arn, name="organization", multi_region=True, logging=True, management_events=None),
    )


@pytest.mark.parametrize("member", ["TrailARN", "Name", "HomeRegion"])
def test_a_trail_that_makes_no_sense_keeps_the_account_from_vouching(
    clients: Clients, everywhere: Target, member: str
) -> None:
    """It may be the one that records all, so the account without it would be another account."""
    whole = {"Name": "main", "TrailARN": MAIN.arn, "HomeRegion": "us-east-1", "IsMultiRegionTrail": False}
    odd = {**whole, "TrailARN": f"{MAIN.arn}-odd", "IsMultiRegionTrail": True}
    del odd[member]
    answer(clients, everywhere, "cloudtrail:DescribeTrails", {"trailList": [odd, whole]})
    answer(clients, everywhere, "cloudtrail:GetTrailStatus", {"IsLogging": True})
    answer(clients, everywhere, "cloudtrail:GetEventSelectors", {"EventSelectors": [{}]})
    lost: list[Gap] = []
    assert list(cloudtrail_account_trails.read(clients, everywhere, spoil=lost.append)) == []
    assert [(each.scope, each.reason) for each in lost] == [("cloudtrail-account-trails", Blindness.FAULT)]


def test_denied_facts_are_gaps(aws: boto3.Session, clients: Clients, target: Target) -> None:
    plant(aws, EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}])
    for call in ("cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"):
        refuse(clients, target, call)
    (trail,) = trails(clients, target)
    assert trail.logging == Gap("trail_logging", Blindness.DENIED, "cloudtrail:GetTrailStatus")
    assert trail.management_events == Gap(
        "trail_management_events", Blindness.DENIED, "cloudtrail:GetEventSelectors"
    )
