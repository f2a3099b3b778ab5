"""What is seen of an account as a whole: of the regions that nobody scans."""

from dataclasses import replace

import boto3
import pytest

from local import s3 as local_s3
from orgscan.model import Blindness, Gap, Target
from orgscan.services.account.collect import account_sightings, region_sightings, unscanned_regions
from orgscan.services.account.facts import UnscannedRegion
from orgscan.session import Clients
from tests.answers import answer, refuse

PARIS = "eu-west-3"


@pytest.fixture
def beside(everywhere: Target) -> Target:
    return replace(everywhere, unscanned=(PARIS,))


@pytest.fixture
def there(beside: Target) -> Target:
    """The region itself, for answers that moto cannot give."""
    return Target(beside.account, PARIS)


def region(target: Target, **facts: object) -> UnscannedRegion:
    arn = f"arn:aws:account:{PARIS}:{target.account}:region/{PARIS}"
    empty = {"interfaces": 0, "tagged": (), "buckets": 0}
    return UnscannedRegion(arn=arn, region=PARIS, **{**empty, **facts})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def buckets_say_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    local_s3.install(monkeypatch)


def test_a_default_vpc_alone_is_nothing(clients: Clients, beside: Target) -> None:
    assert list(unscanned_regions.read(clients, beside)) == [region(beside)]


def test_what_runs_and_what_is_stored(aws: boto3.Session, clients: Clients, beside: Target) -> None:
    ec2 = aws.client("ec2", region_name=PARIS)
    ec2.run_instances(ImageId="ami-12345678", MinCount=2, MaxCount=2)
    group = ec2.create_security_group(GroupName="left-over", Description="left over")["GroupId"]
    volume = ec2.create_volume(AvailabilityZone=f"{PARIS}a", Size=1)["VolumeId"]
    ec2.create_tags(Resources=[group, volume], Tags=[{"Key": "Owner", "Value": "ann"}])
    s3 = aws.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="home")
    s3.create_bucket(Bucket="away", CreateBucketConfiguration={"LocationConstraint": PARIS})
    assert list(unscanned_regions.read(clients, beside)) == [
        region(beside, interfaces=2, tagged=("ec2:volume",), buckets=1)
    ]


def test_kinds_of_tagged_resources_are_told_by_their_arns(
    clients: Clients, beside: Target, there: Target
) -> None:
    arns = [
        "arn:aws:rds:eu-west-3:123456789012:db:main",
        "arn:aws:rds:eu-west-3:123456789012:cluster:main",
        "arn:aws:elasticloadbalancing:eu-west-3:123456789012:loadbalancer/app/web/1",
        "arn:aws:lambda:eu-west-3:123456789012:function:f",
        "arn:aws:cloudformation:eu-west-3:123456789012:stack/landing-zone/1",
        "arn:aws:sns:eu-west-3:123456789012:topic",
        "arn:aws:s3:::bucket",
    ]
    listed = [{"ResourceARN": arn, "Tags": []} for arn in arns]
    answer(clients, there, "resourcegroupstaggingapi:GetResources", {"ResourceTagMappingList": listed})
    (seen,) = unscanned_regions.read(clients, beside)
    assert seen.tagged == (
        "elasticloadbalancing:loadbalancer",
        "lambda:function",
        "rds:cluster",
        "rds:db",
    )


@pytest.mark.parametrize(
    ("call", "fact"),
    [("ec2:DescribeNetworkInterfaces", "interfaces"), ("resourcegroupstaggingapi:GetResources", "tagged")],
)
def test_what_is_denied_costs_itself(
    clients: Clients, beside: Target, there: Target, call: str, fact: str
) -> None:
    refuse(clients, there, call)
    (seen,) = unscanned_regions.read(clients, beside)
    lost = getattr(seen, fact)
    assert isinstance(lost, Gap)
    assert lost.reason is Blindness.DENIED
    assert replace(seen, **{fact: getattr(region(beside), fact)}) == region(beside)


def test_buckets_that_cannot_be_listed_are_unknown_everywhere(clients: Clients, beside: Target) -> None:
    refuse(clients, beside, "s3:ListBuckets")
    (seen,) = unscanned_regions.read(clients, beside)
    assert isinstance(seen.buckets, Gap)


def test_nothing_is_asked_where_every_region_is_scanned(clients: Clients, everywhere: Target) -> None:
    refuse(clients, everywhere, "s3:ListBuckets")
    assert list(unscanned_regions.read(clients, everywhere)) == []


def test_where_the_account_does_not_say_which_regions_are_on_the_listing_is_no_empty_one(
    clients: Clients, everywhere: Target
) -> None:
    lost: list[Gap] = []
    unsaid = replace(everywhere, unscanned=None)
    assert list(unscanned_regions.read(clients, unsaid, spoil=lost.append)) == []
    (gap,) = lost
    assert gap.reason is Blindness.NO_DATA
    assert "ec2:DescribeRegions" in gap.detail


def test_what_the_scan_came_to_is_asked_of_nobody(clients: Clients, target: Target) -> None:
    assert list(account_sightings.read(clients, target)) == []
    assert list(region_sightings.read(clients, target)) == []
