"""What the S3 collectors see."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import parse
from orgscan.services.s3.collect import s3_account_public_access_blocks, s3_buckets
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    Encryption,
    Grant,
    LifecycleRule,
    Uploads,
    opened_to_everyone,
)
from orgscan.session import Clients
from tests.answers import answer, refuse

HERE = {"LocationConstraint": "eu-west-1"}
NEW = Bucket(
    arn="arn:aws:s3:::reports",
    name="reports",
    policy=None,
    policy_is_public=None,
    public_grants=(),
    ownership=None,
    blocked=None,
    versioning=None,
    encryption=None,
    lifecycle=None,
    uploads=Uploads(0, more=False, oldest=None),
)
"""AWS would answer that it is encrypted with AES256; here it says that nothing was ever set."""
READ_BY_ALL = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
    ],
}


def test_a_bucket_on_which_nothing_was_ever_set(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    assert list(s3_buckets.read(clients, target)) == [NEW]


def test_all_facts_of_a_bucket(aws: boto3.Session, clients: Clients, target: Target) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    s3.put_bucket_policy(Bucket="reports", Policy=json.dumps(READ_BY_ALL))
    s3.put_bucket_acl(Bucket="reports", ACL="public-read")
    s3.put_bucket_ownership_controls(
        Bucket="reports", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_public_access_block(
        Bucket="reports", PublicAccessBlockConfiguration={"BlockPublicPolicy": True, "IgnorePublicAcls": True}
    )
    s3.put_bucket_versioning(Bucket="reports", VersioningConfiguration={"Status": "Suspended"})
    by_kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="reports", ServerSideEncryptionConfiguration={"Rules": [by_kms]})
    abort = {"Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}
    s3.put_bucket_lifecycle_configuration(
        Bucket="reports", LifecycleConfiguration={"Rules": [{"ID": "all", "Status": "Enabled", **abort}]}
    )
    (bucket,) = s3_buckets.read(clients, target)
    assert bucket == Bucket(
        arn="arn:aws:s3:::reports",
        name="reports",
        policy=parse(READ_BY_ALL),
        policy_is_public=True,
        public_grants=(Grant("everyone", "READ"),),
        ownership="ObjectWriter",
        blocked=frozenset({Block.ACLS, Block.NEW_POLICIES}),
        versioning="Suspended",
        encryption=(Encryption("aws:kms", bucket_key=True),),
        lifecycle=(LifecycleRule(enabled=True, whole=True, aborts_after=3),),
        uploads=None,
    )
    assert bucket.dimensions == {"BucketName": "reports"}


DAYS = {"NoncurrentDays": 30}
MOVED = [{**DAYS, "StorageClass": "GLACIER"}]
ABORTED = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}


def test_how_far_lifecycle_rules_reach(aws: boto3.Session, clients: Clients, target: Target) -> None:
    whole, part = LifecycleRule(enabled=True, whole=True), LifecycleRule(enabled=True, whole=False)
    rules: list[tuple[dict[str, Any], LifecycleRule]] = [
        ({"Filter": {"Prefix": ""}}, whole),
        ({"Prefix": ""}, whole),
        ({"Prefix": "logs/"}, part),
        ({"Filter": {"Prefix": "logs/"}, **ABORTED}, replace(part, aborts_after=1)),
        ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}}, part),
        ({"Filter": {"ObjectSizeGreaterThan": 500}}, part),
        ({"Filter": {"And": {"Prefix": "a", "Tags": []}}}, part),
        ({"Filter": {}, "Status": "Disabled", **ABORTED}, replace(whole, enabled=False, aborts_after=1)),
        ({"Filter": {}, "NoncurrentVersionExpiration": DAYS}, replace(whole, expires_noncurrent=True)),
        (
            {"Filter": {}, "NoncurrentVersionTransitions": MOVED, "Expiration": {"Days": 9}},
            replace(whole, moves_noncurrent=True),
        ),
    ]
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    answered = {"Rules": [{"Status": "Enabled", **rule} for rule, _ in rules]}
    answer(clients, target, "s3:GetBucketLifecycleConfiguration", answered)
    (bucket,) = s3_buckets.read(clients, target)
    assert bucket.lifecycle == tuple(rule for _, rule in rules)
    # None of them keeps uploads of the whole bucket from staying for ever.
    assert bucket.uploads == NEW.uploads


def test_uploads_that_were_never_completed(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    late, early = datetime(2026, 1, 2, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)
    uploads = [{"Initiated": late}, {"Initiated": early}]
    answer(clients, target, "s3:ListMultipartUploads", {"Uploads": uploads, "IsTruncated": True})
    (bucket,) = s3_buckets.read(clients, target)
    assert bucket.uploads == Uploads(2, more=True, oldest=early)


def test_uploads_are_not_counted_where_the_lifecycle_could_not_be_read(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    refuse(clients, target, "s3:GetBucketLifecycleConfiguration")
    refuse(clients, target, "s3:ListMultipartUploads")
    (bucket,) = s3_buckets.read(clients, target)
    assert isinstance(bucket.lifecycle, Gap)
    assert bucket.uploads is None


def test_an_encryption_that_only_blocks_customer_keys_is_none(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    answer(
        clients,
        target,
        "s3:GetBucketEncryption",
        {"ServerSideEncryptionConfiguration": {"Rules": [{"BucketKeyEnabled": False}]}},
    )
    (bucket,) = s3_buckets.read(clients, target)
    assert bucket.encryption == ()


def test_only_the_buckets_of_the_region(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("s3").create_bucket(Bucket="here", CreateBucketConfiguration=HERE)
    aws.client("s3", region_name="us-east-1").create_bucket(Bucket="there")
    assert [bucket.name for bucket in s3_buckets.read(clients, target)] == ["here"]
    virginia = Target(target.account, "us-east-1")
    assert [bucket.name for bucket in s3_buckets.read(clients, virginia)] == ["there"]


def test_buckets_of_several_pages_and_strays_of_other_regions(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    for name in ("one", "two"):
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    first = {"Name": "one", "BucketRegion": "eu-west-1"}
    stray = {"Name": "three", "BucketRegion": "eu-west-2"}
    answer(
        clients,
        target,
        "s3:ListBuckets",
        {"Buckets": [first, stray], "ContinuationToken": "more"},
        {"Buckets": [{"Name": "two"}]},
    )
    assert [bucket.name for bucket in s3_buckets.read(clients, target)] == ["one", "two"]


def test_grants_to_accounts_and_to_log_delivery_are_not_public(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    groups = "http://acs.amazonaws.com/groups"
    answer(
        clients,
        target,
        "s3:GetBucketAcl",
        {
            "Grants": [
                {"Grantee": {"Type": "CanonicalUser", "ID": "75aa"}, "Permission": "FULL_CONTROL"},
                {"Grantee": {"Type": "Group", "URI": f"{groups}/s3/LogDelivery"}, "Permission": "WRITE"},
                {
                    "Grantee": {"Type": "Group", "URI": f"{groups}/global/AuthenticatedUsers"},
                    "Permission": "WRITE",
                },
            ]
        },
    )
    (bucket,) = s3_buckets.read(clients, target)
    assert bucket.public_grants == (Grant("every AWS user", "WRITE"),)


@pytest.mark.parametrize(
    "acl",
    [
        {},
        {"Grants": [{"Permission": "READ"}]},
        {"Grants": [{"Grantee": {"Type": "Group"}, "Permission": "READ"}]},
        {"Grants": [{"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}]},
        {
            "Grants": [
                {"Grantee": {"Type": "Group", "URI": "http://acs/global/Everybody"}, "Permission": "READ"}
            ]
        },
        {
            "Grants": [
                {"Grantee": {"Type": "Crowd", "URI": "http://acs/global/AllUsers"}, "Permission": "READ"}
            ]
        },
    ],
)
def test_an_acl_that_makes_no_sense_costs_that_fact_alone(
    aws: boto3.Session, clients: Clients, target: Target, acl: dict[str, Any]
) -> None:
    for name in ("one", "two"):
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    answer(clients, target, "s3:GetBucketAcl", acl, {"Grants": []})
    lost: list[Gap] = []
    one, two = sorted(
        s3_buckets.read(clients, target, spoil=lost.append),
        key=lambda each: isinstance(each.public_grants, Gap),
        reverse=True,
    )
    assert isinstance(one.public_grants, Gap)
    assert (one.public_grants.scope, one.public_grants.reason) == ("bucket_public_grants", Blindness.FAULT)
    assert (one.versioning, two.public_grants, lost) == (None, (), [])


def test_a_policy_that_makes_no_sense_costs_that_fact_alone(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    for name in ("one", "two"):
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    everyone = '{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}'
    answer(
        clients,
        target,
        "s3:GetBucketPolicy",
        {"Policy": f'{{"Statement": [{everyone}, "all of it"]}}'},
        {"Policy": f'{{"Statement": {everyone}}}'},
    )
    buckets = list(s3_buckets.read(clients, target))
    told = "Malformed: a statement is no object"
    lost = Gap("bucket_policy", Blindness.FAULT, told)
    assert {bucket.policy for bucket in buckets} == {lost, parse({"Statement": json.loads(everyone)})}
    assert {bucket.versioning for bucket in buckets} == {None}


def test_a_denied_fact_is_a_gap_and_the_others_are_seen(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    aws.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration=HERE)
    facts = {
        "GetBucketVersioning": "versioning",
        "GetBucketPolicy": "policy",
        "GetBucketEncryption": "encryption",
        "ListMultipartUploads": "uploads",
    }
    for call in facts:
        refuse(clients, target, f"s3:{call}")
    (bucket,) = s3_buckets.read(clients, target)
    for call, name in facts.items():
        assert getattr(bucket, name) == Gap(f"bucket_{name}", Blindness.DENIED, f"s3:{call}")
    # AWS was asked nevertheless, and says that there is no policy that could be public.
    assert bucket.policy_is_public is None
    assert bucket.lifecycle is None


def test_a_bucket_that_is_gone_by_the_time_it_is_looked_at_has_gaps(clients: Clients, target: Target) -> None:
    answer(clients, target, "s3:ListBuckets", {"Buckets": [{"Name": "gone"}]})
    (bucket,) = s3_buckets.read(clients, target)
    facts = ("policy", "blocked", "versioning", "encryption", "lifecycle")
    assert all(isinstance(getattr(bucket, name), Gap) for name in facts)


def test_the_accounts_public_access_block(aws: boto3.Session, clients: Clients, everywhere: Target) -> None:
    account = everywhere.account
    arn = f"arn:aws:s3::{account}:account"
    read = s3_account_public_access_blocks.read
    assert list(read(clients, everywhere)) == [AccountPublicAccessBlock(arn=arn, on=None)]
    aws.client("s3control").put_public_access_block(
        AccountId=account, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True}
    )
    on = frozenset({Block.POLICIES})
    assert list(read(clients, everywhere)) == [AccountPublicAccessBlock(arn=arn, on=on)]
    # Bucket checks look at it from every region, and it is the same thing there.
    assert list(read(clients, Target(account, "eu-west-1"))) == [AccountPublicAccessBlock(arn=arn, on=on)]


def test_what_a_policy_opens_to_everyone() -> None:
    def opened(**statement: object) -> tuple[str, ...]:
        return opened_to_everyone(
            parse({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", **statement}})
        )

    anyone = ("s3:GetObject",)
    assert opened() == anyone
    assert opened(Principal={"AWS": "*"}) == anyone
    assert opened(Principal={"AWS": ["arn:aws:iam::123456789012:root", "*"]}) == anyone
    assert opened(Principal={"AWS": "arn:aws:iam::123456789012:root"}) == ()
    assert opened(Principal={"Service": "logging.s3.amazonaws.com"}) == ()
    assert opened(Effect="Deny") == ()
    assert opened(Action=["s3:GetObject", "s3:PutObject"]) == ("s3:GetObject", "s3:PutObject")
    assert opened_to_everyone(
        parse({"Statement": [{"Effect": "Allow", "NotPrincipal": {}, "NotAction": "s3:Put*"}]})
    ) == ("s3:*",)


def test_which_conditions_narrow_a_policy() -> None:
    def opened(operator: str, key: str, value: object) -> bool:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Condition": {operator: {key: value}},
        }
        return bool(opened_to_everyone(parse({"Statement": [statement]})))

    assert not opened("StringEquals", "aws:PrincipalOrgID", "o-1")
    assert not opened("StringEquals", "AWS:SourceVpce", ["vpce-1", "vpce-2"])
    assert not opened("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-1/*")
    assert not opened("IpAddress", "aws:SourceIp", "203.0.113.0/24")
    assert opened("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/0"])
    assert opened("StringLike", "aws:PrincipalArn", "*")
    assert opened("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1")
    assert opened("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1")
    assert opened("StringNotEquals", "aws:PrincipalOrgID", "o-1")
    assert opened("Bool", "aws:SecureTransport", "true")
