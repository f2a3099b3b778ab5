"""How we learn about S3."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap, Target
from orgscan.policy import read
from orgscan.services.s3.facts import AccountPublicAccessBlock, Block, Bucket, Grant, opened_to_everyone

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import BucketTypeDef, GranteeTypeDef
    from mypy_boto3_s3control import S3ControlClient

GROUPS = {"AllUsers": "everyone", "AuthenticatedUsers": "every AWS user"}
"""The end of a grantee's URI. The third group, LogDelivery, belongs to AWS."""
UNSET = "NoSuchPublicAccessBlockConfiguration"


@collector(AccountPublicAccessBlock, calls=("s3control:GetPublicAccessBlock",), once=True)
def s3_account_public_access_blocks(aws: Reader) -> Iterator[AccountPublicAccessBlock]:
    account = aws.target.account
    on = account_blocks(aws.client("s3control"), account)
    yield AccountPublicAccessBlock(arn=f"arn:{aws.target.partition}:s3::{account}:account", on=on)


@fact(absent=UNSET)
def account_blocks(s3control: S3ControlClient, account: str) -> frozenset[Block]:
    settings = s3control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    return frozenset(block for block in Block if settings.get(block.value))


@collector(
    Bucket,
    calls=(
        "s3:ListBuckets",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketPolicy",
        "s3:GetBucketAcl",
        "s3:GetBucketOwnershipControls",
        "s3:GetPublicAccessBlock",
        "s3:GetBucketVersioning",
    ),
)
def s3_buckets(aws: Reader) -> Iterator[Bucket]:
    s3: S3Client = aws.client("s3")
    # Without a page size, ListBuckets refuses accounts with more than 10,000 buckets.
    listing = s3.get_paginator("list_buckets")
    for page in aws.pages(listing, BucketRegion=aws.target.api_region, PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_bucket, s3, aws.target), page["Buckets"])


def _bucket(s3: S3Client, target: Target, bucket: BucketTypeDef) -> Bucket | None:
    name = bucket["Name"]
    if bucket.get("BucketRegion", target.api_region) != target.api_region:
        return None
    policy_is_public = bucket_policy_is_public(s3, name)
    return Bucket(
        arn=f"arn:{target.partition}:s3:::{name}",
        name=name,
        policy_is_public=policy_is_public,
        opened=bucket_policy_opened(s3, name) if policy_is_public is True else None,
        public_grants=bucket_public_grants(s3, name),
        ownership=bucket_ownership(s3, name),
        blocked=bucket_blocks(s3, name),
        versioning=bucket_versioning(s3, name),
    )


@fact(absent="NoSuchBucketPolicy")
def bucket_policy_is_public(s3: S3Client, bucket: str) -> bool:
    return s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]


@fact(absent="NoSuchBucketPolicy")
def bucket_policy_opened(s3: S3Client, bucket: str) -> tuple[str, ...] | Gap:
    policy = read("bucket_policy_opened", s3.get_bucket_policy(Bucket=bucket)["Policy"])
    return policy if isinstance(policy, Gap) else opened_to_everyone(policy)


@fact(absent=())
def bucket_public_grants(s3: S3Client, bucket: str) -> tuple[Grant, ...]:
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    found = ((_group(grant["Grantee"]), grant["Permission"]) for grant in grants)
    return tuple(
        Grant(GROUPS[group], permission)
        for uri, permission in found
        if (group := uri.rpartition("/global/")[2]) in GROUPS
    )


def _group(grantee: GranteeTypeDef) -> str:
    return grantee["URI"] if grantee["Type"] == "Group" else ""


@fact(absent="OwnershipControlsNotFoundError")
def bucket_ownership(s3: S3Client, bucket: str) -> str:
    (rule,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    return rule["ObjectOwnership"]


@fact(absent=UNSET)
def bucket_blocks(s3: S3Client, bucket: str) -> frozenset[Block]:
    settings = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    return frozenset(block for block in Block if settings.get(block.value))


@fact(absent=())
def bucket_versioning(s3: S3Client, bucket: str) -> str | None:
    return s3.get_bucket_versioning(Bucket=bucket).get("Status")
