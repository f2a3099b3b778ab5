"""Buckets, and the account's block that stands before all of them."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from local.place import Place, scenario, tag_list

BLOCK = "s3-account-public-access-block-off"
POLICY, ACL = "s3-bucket-policy-public", "s3-bucket-acl-public"
VERSIONING = "s3-bucket-versioning-disabled"
OWN_BLOCK = "s3-bucket-public-access-block-off"
ALL_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
TIDY = {
    "ID": "tidy",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 60},
}
"""A lifecycle rule after which nobody pays for what nobody wants."""


def bucket(  # noqa: PLR0913 (what may be wrong with a bucket)
    place: Place,
    what: str,
    *,
    versioned: bool = True,
    acls: bool = False,
    blocked: bool = True,
    secure: bool = True,
    rules: Sequence[Mapping[str, Any]] = (TIDY,),
    tags: dict[str, str] | None = None,
) -> tuple[str, str]:
    """A bucket's name and ARN, in order unless the options differ.

    `acls`: whether access lists are in force; `blocked`: whether it has a public access block of its own;
    `secure`: whether it denies plain HTTP; `rules`: of its lifecycle.
    """
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
    if blocked:
        block(place, name)
    if secure:
        set_policy(place, name)
    if rules:
        set_lifecycle(place, name, *rules)
    return name, f"arn:aws:s3:::{name}"


def put_in_order(place: Place, name: str) -> None:
    """What any bucket should have."""
    enable_versioning(place, name)
    block(place, name)
    set_policy(place, name)
    set_lifecycle(place, name, TIDY)
    _use_bucket_key(place, name)


def _use_bucket_key(place: Place, name: str) -> None:
    """What a template says of it, moto forgets."""
    s3 = place.client("s3")
    try:
        found = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    except s3.exceptions.ClientError:  # it has none of its own
        return
    rules = [{**rule, "BucketKeyEnabled": True} for rule in found]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def enable_versioning(place: Place, name: str) -> None:
    place.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def block(place: Place, name: str) -> None:
    place.client("s3").put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)


def set_lifecycle(place: Place, name: str, *rules: Mapping[str, Any]) -> None:
    place.client("s3").put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [*rules]}
    )


def set_policy(place: Place, name: str, *statements: Mapping[str, Any], **denied: Any) -> None:
    """One that denies plain HTTP, but for what `denied` says otherwise, and the statements."""
    arn = f"arn:aws:s3:::{name}"
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **denied,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny, *statements]})
    place.client("s3").put_bucket_policy(Bucket=name, Policy=policy)


def let_everyone_read(place: Place, name: str, condition: dict[str, Any] | None = None) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        **({"Condition": condition} if condition else {}),
    }
    set_policy(place, name, statement)


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
    name, arn = bucket(place, "website", blocked=False)
    let_everyone_read(place, name)
    remove = partial(place.client("s3").delete_bucket, Bucket=name)
    place.fails(POLICY, resource=arn, mend=partial(set_policy, place, name), remove=remove)
    place.fails(OWN_BLOCK, resource=arn, remove=remove)


@scenario(exposed=True)
def bucket_listed_by_everyone(place: Place) -> None:
    name, arn = bucket(place, "downloads", acls=True, blocked=False)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    place.fails(OWN_BLOCK, resource=arn)
    place.fails(ACL, resource=arn, mend=lambda: s3.put_bucket_acl(Bucket=name, ACL="private"))


@scenario(exposed=True)
def bucket_written_by_everyone(place: Place) -> None:
    name, arn = bucket(place, "uploads", acls=True, blocked=False)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read-write")
    place.fails(ACL, OWN_BLOCK, resource=arn, remove=lambda: s3.delete_bucket(Bucket=name))


@scenario(exposed=True)
def bucket_whose_access_lists_are_off(place: Place) -> None:
    """A public list from the days before BucketOwnerEnforced, which ignores it."""
    name, arn = bucket(place, "archive", acls=True, blocked=False)
    s3 = place.client("s3")
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    place.looks_like(ACL, resource=arn)
    place.fails(OWN_BLOCK, resource=arn)


@scenario(exposed=True)
def bucket_with_a_block_of_its_own(place: Place) -> None:
    name, arn = bucket(place, "drafts")
    let_everyone_read(place, name)
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=True)
def bucket_open_to_the_organization(place: Place) -> None:
    name, arn = bucket(place, "artifacts", blocked=False)
    let_everyone_read(place, name, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    place.fails(OWN_BLOCK, resource=arn)
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=False)
def policy_behind_the_block_of_the_account(place: Place) -> None:
    name, arn = bucket(place, "old-website", blocked=False)
    let_everyone_read(place, name)
    place.fails(OWN_BLOCK, resource=arn)
    place.looks_like(POLICY, resource=arn)


@scenario(exposed=False)
def list_behind_the_block_of_the_account(place: Place) -> None:
    name, arn = bucket(place, "old-downloads", acls=True, blocked=False)
    place.client("s3").put_bucket_acl(Bucket=name, ACL="public-read")
    place.fails(OWN_BLOCK, resource=arn)
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
