"""Buckets, and the account's block that stands before all of them."""

import json
from functools import partial
from typing import Any

from local.place import Place, scenario, tag_list

BLOCK = "s3-account-public-access-block-off"
POLICY, ACL = "s3-bucket-policy-public", "s3-bucket-acl-public"
VERSIONING = "s3-bucket-versioning-disabled"
ALL_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def bucket(
    place: Place, what: str, *, versioned: bool = True, acls: bool = False, tags: dict[str, str] | None = None
) -> tuple[str, str]:
    """A bucket's name and ARN. `acls`: whether access lists are in force."""
    s3, name = place.client("s3"), place.name(f"acme-{what}-{place.account.id}")
    region = s3.meta.region_name
    where: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(
        Bucket=name,
        ObjectOwnership="ObjectWriter" if acls else "BucketOwnerEnforced",
        **({} if region == "us-east-1" else where),
    )
    tags = place.tags(name) if tags is None else tags
    if tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
    if versioned:
        enable_versioning(place, name)
    return name, f"arn:aws:s3:::{name}"


def enable_versioning(place: Place, name: str) -> None:
    place.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def let_everyone_read(place: Place, name: str, condition: dict[str, Any] | None = None) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        **({"Condition": condition} if condition else {}),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    place.client("s3").put_bucket_policy(Bucket=name, Policy=policy)


def block_account(place: Place) -> None:
    """What every account has, unless it is exposed."""
    settings = dict(ALL_ON)
    if place.exposed:
        settings |= {"IgnorePublicAcls": False, "RestrictPublicBuckets": False}
        place.fails(BLOCK, resource=f"arn:aws:s3::{place.account.id}:account")
        if place.book.number("exposed accounts") % 2:
            return  # never set at all, as in a new account
    place.client("s3control").put_public_access_block(
        AccountId=place.account.id, PublicAccessBlockConfiguration=settings
    )


def close_account(place: Place) -> None:
    """Turn the block on: nothing in the account is public from then on."""
    place.client("s3control").put_public_access_block(
        AccountId=place.account.id, PublicAccessBlockConfiguration=ALL_ON
    )


@scenario(copies=2, exposed=True)
def bucket_open_by_policy(place: Place) -> None:
    name, arn = bucket(place, "website")
    let_everyone_read(place, name)
    s3 = place.client("s3")
    place.fails(
        POLICY,
        resource=arn,
        mend=lambda: s3.delete_bucket_policy(Bucket=name),
        remove=lambda: s3.delete_bucket(Bucket=name),
    )


@scenario(exposed=True)
def bucket_listed_by_everyone(place: Place) -> None:
    name, arn = bucket(place, "downloads", acls=True)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    place.fails(ACL, resource=arn, mend=lambda: s3.put_bucket_acl(Bucket=name, ACL="private"))


@scenario(exposed=True)
def bucket_written_by_everyone(place: Place) -> None:
    name, arn = bucket(place, "uploads", acls=True)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read-write")
    place.fails(ACL, resource=arn, remove=lambda: s3.delete_bucket(Bucket=name))


@scenario(exposed=True)
def bucket_whose_access_lists_are_off(place: Place) -> None:
    """A public list from the days before BucketOwnerEnforced, which ignores it."""
    name, arn = bucket(place, "archive", acls=True)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    place.looks_like(ACL, resource=arn)


@scenario(exposed=True)
def bucket_with_a_block_of_its_own(place: Place) -> None:
    name, arn = bucket(place, "drafts")
    let_everyone_read(place, name)
    place.client("s3").put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=True)
def bucket_open_to_the_organization(place: Place) -> None:
    name, arn = bucket(place, "artifacts")
    let_everyone_read(place, name, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=False)
def policy_behind_the_block_of_the_account(place: Place) -> None:
    name, arn = bucket(place, "old-website")
    let_everyone_read(place, name)
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=False)
def list_behind_the_block_of_the_account(place: Place) -> None:
    name, arn = bucket(place, "old-downloads", acls=True)
    place.client("s3").put_bucket_acl(Bucket=name, ACL="public-read")
    place.looks_like(ACL, resource=arn)


@scenario(copies=3)
def bucket_without_versions(place: Place) -> None:
    name, arn = bucket(place, "reports", versioned=False)
    place.fails(
        VERSIONING,
        resource=arn,
        mend=partial(enable_versioning, place, name),
        remove=lambda: place.client("s3").delete_bucket(Bucket=name),
    )


@scenario()
def bucket_that_stopped_keeping_versions(place: Place) -> None:
    name, arn = bucket(place, "invoices")
    place.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    place.fails(VERSIONING, resource=arn)
