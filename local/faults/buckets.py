"""Buckets that anyone may read in the clear, or that cost more than they should."""

from functools import partial
from typing import Any

from local.faults.load import measure_daily
from local.faults.storage import OWN_BLOCK, TIDY, block, bucket, set_lifecycle, set_policy
from local.place import Act, Place, scenario

TRANSPORT, KEY = "s3-bucket-insecure-transport-allowed", "s3-bucket-key-disabled"
LIFECYCLE = "s3-bucket-lifecycle-missing"
NONCURRENT = "s3-bucket-noncurrent-versions-not-expired"
MULTIPART = "s3-bucket-incomplete-multipart-not-aborted"
GIB = 2**30
ABORTING = {key: TIDY[key] for key in ("ID", "Status", "Filter", "AbortIncompleteMultipartUpload")}
EXPIRING = {key: TIDY[key] for key in ("ID", "Status", "Filter", "NoncurrentVersionExpiration")}
OLD_LOGS: dict[str, Any] = {"ID": "logs", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 90}}


@scenario(copies=2)
def bucket_without_a_policy(place: Place) -> None:
    name, arn = bucket(place, "exchange", secure=False)
    place.fails(TRANSPORT, resource=arn, mend=partial(set_policy, place, name), remove=_removal(place, name))


@scenario()
def bucket_whose_objects_alone_are_secure(place: Place) -> None:
    name, arn = bucket(place, "exchange-objects", secure=False)
    set_policy(place, name, Resource=f"{arn}/*")
    place.fails(TRANSPORT, resource=arn)


@scenario()
def bucket_that_asks_for_recent_tls(place: Place) -> None:
    name, arn = bucket(place, "exchange-tls", secure=False)
    set_policy(place, name, Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})
    place.looks_like(TRANSPORT, OWN_BLOCK, resource=arn)


@scenario(copies=2)
def bucket_without_a_block_of_its_own(place: Place) -> None:
    name, arn = bucket(place, "inbox", blocked=False)
    place.fails(OWN_BLOCK, resource=arn, mend=partial(block, place, name), remove=_removal(place, name))


@scenario(copies=2)
def bucket_without_a_key(place: Place) -> None:
    name, arn = bucket(place, "events")
    _encrypt(place, name, "aws:kms", bucket_key=False)
    mend = partial(_encrypt, place, name, "aws:kms", bucket_key=True)
    place.fails(KEY, resource=arn, mend=mend, remove=_removal(place, name))


@scenario()
def bucket_encrypted_twice(place: Place) -> None:
    """Dual-layer encryption knows no bucket keys."""
    name, arn = bucket(place, "events-twice")
    _encrypt(place, name, "aws:kms:dsse", bucket_key=False)
    place.looks_like(KEY, resource=arn)


@scenario(copies=2)
def bucket_that_keeps_old_versions(place: Place) -> None:
    name, arn = bucket(place, "contracts", rules=[ABORTING])
    mend = partial(set_lifecycle, place, name, TIDY)
    place.fails(NONCURRENT, resource=arn, mend=mend, remove=_removal(place, name))


@scenario(copies=2)
def bucket_that_keeps_broken_uploads(place: Place) -> None:
    name, arn = bucket(place, "videos", rules=[EXPIRING])
    s3 = place.client("s3")
    s3.create_multipart_upload(Bucket=name, Key="holiday.mp4")
    mend = partial(set_lifecycle, place, name, TIDY)
    place.fails(MULTIPART, resource=arn, mend=mend, remove=_removal(place, name))


@scenario()
def bucket_tidy_in_its_own_way(place: Place) -> None:
    """Old versions expire in the part that has any; uploads are aborted just in time."""
    late = {**ABORTING, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    part = {**EXPIRING, "ID": "part", "Filter": {"Prefix": "drafts/"}}
    name, arn = bucket(place, "photos", rules=[late, part])
    _stores(place, name, 900)
    place.looks_like(LIFECYCLE, NONCURRENT, MULTIPART, resource=arn)


@scenario(copies=2)
def bucket_that_only_grows(place: Place) -> None:
    name, arn = bucket(place, "measurements", rules=[{**OLD_LOGS, "Status": "Disabled"}])
    _stores(place, name, 500)
    mend = partial(set_lifecycle, place, name, {**OLD_LOGS, "Status": "Enabled"})
    place.fails(LIFECYCLE, resource=arn, mend=mend)
    place.fails(NONCURRENT, MULTIPART, resource=arn)


@scenario()
def small_bucket_that_only_grows(place: Place) -> None:
    name, arn = bucket(place, "notes", rules=[])
    _stores(place, name, 2)
    place.looks_like(LIFECYCLE, resource=arn)
    place.fails(NONCURRENT, MULTIPART, resource=arn)


def _stores(place: Place, name: str, gib: int) -> None:
    dimensions = {"BucketName": name, "StorageType": "StandardStorage"}
    measure_daily(place, "AWS/S3", dimensions, BucketSizeBytes=gib * GIB)


def _encrypt(place: Place, name: str, algorithm: str, *, bucket_key: bool) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, "BucketKeyEnabled": bucket_key}
    place.client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def _removal(place: Place, name: str) -> Act:
    return partial(place.client("s3").delete_bucket, Bucket=name)
