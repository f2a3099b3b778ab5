"""How we learn about CloudTrail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.services.cloudtrail.facts import ALL_EVENTS, AccountTrails, Trail, TrailBucket

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_cloudtrail.type_defs import (
        AdvancedEventSelectorOutputTypeDef,
        AdvancedFieldSelectorOutputTypeDef,
        EventSelectorOutputTypeDef,
        TrailTypeDef,
    )

BASIC = {"All": ALL_EVENTS, "ReadOnly": frozenset({"read"}), "WriteOnly": frozenset({"write"})}
READ_ONLY = {"true": "read", "false": "write"}
INCLUDING = ("Equals", "StartsWith", "EndsWith")


@collector(
    AccountTrails,
    calls=("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"),
    once=True,
)
def cloudtrail_account_trails(aws: Reader) -> Iterator[AccountTrails]:
    # Every region shows multi-region trails as shadows of the one in their home region.
    cloudtrail: CloudTrailClient = aws.client("cloudtrail")
    listed = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    distinct = {trail.get("TrailARN"): trail for trail in listed}
    trails = tuple(aws.each(partial(_trail, aws), distinct.values()))
    # One that makes no sense may be the one that records all, so nothing can be said of the account.
    if len(trails) == len(distinct):
        yield AccountTrails(arn=aws.target.arn("cloudtrail", "account"), trails=trails)


def _trail(aws: Reader, trail: TrailTypeDef) -> Trail:
    """Status and selectors are answered in the trail's home region only."""
    arn, home = trail["TrailARN"], aws.client("cloudtrail", trail["HomeRegion"])
    own = f":{aws.target.account}:" in arn
    return Trail(
        arn=arn,
        name=trail["Name"],
        multi_region=trail.get("IsMultiRegionTrail", False),
        logging=trail_logging(home, arn),
        management_events=trail_management_events(home, arn) if own else None,
    )


@fact(absent=())
def trail_logging(cloudtrail: CloudTrailClient, arn: str) -> bool:
    return cloudtrail.get_trail_status(Name=arn)["IsLogging"]


@fact(absent=())
def trail_management_events(cloudtrail: CloudTrailClient, arn: str) -> frozenset[str]:
    selectors = cloudtrail.get_event_selectors(TrailName=arn)
    # A trail has the one kind or the other; with neither, the answer is not whole.
    advanced = selectors.get("AdvancedEventSelectors")
    basic = selectors["EventSelectors"] if advanced is None else selectors.get("EventSelectors", [])
    return frozenset[str]().union(*map(_basic, basic), *map(_advanced, advanced or ()))


def _basic(selector: EventSelectorOutputTypeDef) -> frozenset[str]:
    covered = BASIC[selector.get("ReadWriteType", "All")]
    return covered if selector.get("IncludeManagementEvents", True) else frozenset()


def _advanced(selector: AdvancedEventSelectorOutputTypeDef) -> frozenset[str]:
    """Leaving out single event sources is as usual here as with basic selectors; picking some is not all."""
    fields = {field["Field"]: field for field in selector["FieldSelectors"]}
    category = fields.pop("eventCategory", None)
    if category is None or category.get("Equals") != ["Management"]:
        return frozenset()
    read_only = fields.pop("readOnly", None)
    if any(_picks(field) for field in fields.values()):
        return frozenset()
    return _by_read_only(read_only) if read_only else ALL_EVENTS


def _by_read_only(field: AdvancedFieldSelectorOutputTypeDef) -> frozenset[str]:
    wanted = frozenset(READ_ONLY[value] for value in field.get("Equals", [])) or ALL_EVENTS
    return wanted - {READ_ONLY[value] for value in field.get("NotEquals", [])}


def _picks(field: Mapping[str, Any]) -> bool:
    return any(field.get(operator) for operator in INCLUDING)


@collector(TrailBucket, calls=("cloudtrail:DescribeTrails",))
def cloudtrail_trail_buckets(aws: Reader) -> Iterator[TrailBucket]:
    """An organization's trail shows in all its accounts, also in the one that owns the bucket."""
    cloudtrail: CloudTrailClient = aws.client("cloudtrail")
    yield from aws.shaped(_bucket, cloudtrail.describe_trails(includeShadowTrails=True)["trailList"])


def _bucket(trail: TrailTypeDef) -> TrailBucket:
    return TrailBucket(arn=trail["TrailARN"], trail=trail["Name"], bucket=trail["S3BucketName"])
