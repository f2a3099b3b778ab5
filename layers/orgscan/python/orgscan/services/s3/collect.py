"""How we learn about S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.policy import Policy, read
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    Encryption,
    Grant,
    LifecycleRule,
    Uploads,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import BucketTypeDef, GranteeTypeDef, LifecycleRuleOutputTypeDef
    from mypy_boto3_s3control import S3ControlClient

GROUPS = {"AllUsers": "everyone", "AuthenticatedUsers": "every AWS user", "LogDelivery": ""}
"""The end of a grantee's URI, and who that is: '' is AWS itself."""
OF_GROUPS = {"Group": True, "CanonicalUser": False, "AmazonCustomerByEmail": False}
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
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketAcl",
        "s3:GetBucketOwnershipControls",
        "s3:GetPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetBucketEncryption",
        "s3:GetBucketLifecycleConfiguration",
        "s3:ListMultipartUploads",
    ),
)
def s3_buckets(aws: Reader) -> Iterator[Bucket]:
    s3: S3Client = aws.client("s3")
    # Without a page size, ListBuckets refuses accounts with more than 10,000 buckets.
    listing = s3.get_paginator("list_buckets")
    for page in aws.pages(listing, BucketRegion=aws.target.api_region, PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_bucket, aws, s3), page["Buckets"])


def _bucket(aws: Reader, s3: S3Client, bucket: BucketTypeDef) -> Bucket | None:
    name, target = bucket["Name"], aws.target
    if bucket.get("BucketRegion", target.api_region) != target.api_region:
        return None
    facts: dict[str, Callable[[S3Client, str], Any]] = {
        "lifecycle": bucket_lifecycle,
        "policy": bucket_policy,
        "policy_is_public": bucket_policy_is_public,
        "public_grants": bucket_public_grants,
        "ownership": bucket_ownership,
        "blocked": bucket_blocks,
        "versioning": bucket_versioning,
        "encryption": bucket_encryption,
    }
    read = dict(zip(facts, aws.quarters([partial(each, s3, name) for each in facts.values()]), strict=True))
    return Bucket(
        arn=f"arn:{target.partition}:s3:::{name}",
        name=name,
        uploads=bucket_uploads(s3, name) if _keeps_uploads(read["lifecycle"]) else None,
        **read,
    )


def _keeps_uploads(lifecycle: tuple[LifecycleRule, ...] | Gap | None) -> bool:
    """Whether uploads that were never completed may stay for ever."""
    if isinstance(lifecycle, Gap):
        return False
    return not any(rule.enabled and rule.whole and rule.aborts_after for rule in lifecycle or ())


@fact(absent="NoSuchBucketPolicy")
def bucket_policy(s3: S3Client, bucket: str) -> Policy | Gap:
    return read("bucket_policy", s3.get_bucket_policy(Bucket=bucket)["Policy"])


@fact(absent="NoSuchBucketPolicy")
def bucket_policy_is_public(s3: S3Client, bucket: str) -> bool:
    return s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]


@fact(absent=())
def bucket_public_grants(s3: S3Client, bucket: str) -> tuple[Grant, ...]:
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    found = ((_group(grant["Grantee"]), grant["Permission"]) for grant in grants)
    return tuple(Grant(group, permission) for group, permission in found if group)


def _group(grantee: GranteeTypeDef) -> str:
    """'': nobody but an account, or AWS."""
    return GROUPS[grantee["URI"].rpartition("/")[2]] if OF_GROUPS[grantee["Type"]] else ""


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


@fact(absent="ServerSideEncryptionConfigurationNotFoundError")
def bucket_encryption(s3: S3Client, bucket: str) -> tuple[Encryption, ...]:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return tuple(
        Encryption(
            rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], rule.get("BucketKeyEnabled", False)
        )
        for rule in rules
        if "ApplyServerSideEncryptionByDefault" in rule
    )


@fact(absent="NoSuchLifecycleConfiguration")
def bucket_lifecycle(s3: S3Client, bucket: str) -> tuple[LifecycleRule, ...]:
    return tuple(map(_rule, s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]))


def _rule(rule: LifecycleRuleOutputTypeDef) -> LifecycleRule:
    """An empty prefix, in a filter or, as it once was written, beside it, is no limit."""
    return LifecycleRule(
        enabled=rule["Status"] == "Enabled",
        whole=not rule.get("Prefix") and not any(rule.get("Filter", {}).values()),
        aborts_after=rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        expires_noncurrent="NoncurrentVersionExpiration" in rule,
        moves_noncurrent=bool(rule.get("NoncurrentVersionTransitions")),
    )


@fact(absent=())
def bucket_uploads(s3: S3Client, bucket: str) -> Uploads:
    """Of one page, which holds a thousand: to tell that there are some, and since when."""
    page = s3.list_multipart_uploads(Bucket=bucket)
    began = [upload["Initiated"] for upload in page.get("Uploads", [])]
    return Uploads(len(began), page["IsTruncated"], min(began, default=None))
