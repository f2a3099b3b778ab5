"""How we learn about an account as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import AccountSighting, Blindness, Gap, RegionSighting
from orgscan.services.account.facts import UnscannedRegion

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_s3 import S3Client

COSTLY = frozenset(
    {
        "dynamodb:table",
        "ec2:elastic-ip",
        "ec2:instance",
        "ec2:natgateway",
        "ec2:snapshot",
        "ec2:transit-gateway",
        "ec2:volume",
        "ec2:vpc-endpoint",
        "ec2:vpn-connection",
        "eks:cluster",
        "es:domain",
        "lambda:function",
    }
)
"""'service:type' of what costs money or runs code, where not all of a service does."""
SERVICES = frozenset(
    {
        "airflow",
        "dms",
        "elasticache",
        "elasticfilesystem",
        "elasticloadbalancing",
        "elasticmapreduce",
        "fsx",
        "kafka",
        "kinesis",
        "rds",
        "redshift",
        "sagemaker",
        "workspaces",
    }
)
"""Those of which everything does."""


@collector(AccountSighting, calls=(), once=True)
def account_sightings(_: Reader) -> Iterator[AccountSighting]:
    """The scan makes it; AWS is asked nothing."""
    yield from ()


@collector(RegionSighting, calls=())
def region_sightings(_: Reader) -> Iterator[RegionSighting]:
    """The same."""
    yield from ()


@collector(
    UnscannedRegion,
    calls=("ec2:DescribeNetworkInterfaces", "resourcegroupstaggingapi:GetResources", "s3:ListBuckets"),
    once=True,
)
def unscanned_regions(aws: Reader) -> Iterator[UnscannedRegion]:
    if aws.target.unscanned is None:
        unknown = "which regions it has enabled: ec2:DescribeRegions did not answer during planning"
        aws.spoil(Gap("unscanned-regions", Blindness.NO_DATA, unknown))
        return
    buckets = buckets_by_region(aws.client("s3")) if aws.target.unscanned else None
    yield from aws.each(partial(_region, aws, buckets), aws.target.unscanned)


@fact(absent=())
def buckets_by_region(s3: S3Client) -> Counter[str]:
    pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000})
    return Counter(bucket["BucketRegion"] for page in pages for bucket in page["Buckets"])


def _region(aws: Reader, buckets: Counter[str] | Gap | None, region: str) -> UnscannedRegion:
    return UnscannedRegion(
        arn=f"arn:{aws.target.partition}:account:{region}:{aws.target.account}:region/{region}",
        region=region,
        interfaces=interfaces_in(aws.client("ec2", region)),
        tagged=tagged_in(aws.client("resourcegroupstaggingapi", region)),
        buckets=buckets[region] if isinstance(buckets, Counter) else buckets,
    )


@fact(absent=())
def interfaces_in(ec2: EC2Client) -> int:
    return len(ec2.describe_network_interfaces(MaxResults=1000)["NetworkInterfaces"])


@fact(absent=())
def tagged_in(tagging: ResourceGroupsTaggingAPIClient) -> tuple[str, ...]:
    listed = tagging.get_resources(ResourcesPerPage=100)["ResourceTagMappingList"]
    return tuple(sorted(filter(_costs, {_kind(each["ResourceARN"]) for each in listed})))


def _kind(arn: str) -> str:
    """'ec2:instance'."""
    _, _, service, _, _, rest = arn.split(":", 5)
    return f"{service}:{rest.replace('/', ':').partition(':')[0]}"


def _costs(kind: str) -> bool:
    return kind in COSTLY or kind.partition(":")[0] in SERVICES
