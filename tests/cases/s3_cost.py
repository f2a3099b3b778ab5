"""What the S3 checks of storage and requests that are paid for in vain accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Confidence, Series, Severity
from orgscan.services.s3.checks.storage import (
    GIB,
    STORAGE,
    s3_bucket_incomplete_multipart_not_aborted,
    s3_bucket_key_disabled,
    s3_bucket_lifecycle_missing,
    s3_bucket_noncurrent_versions_not_expired,
)
from orgscan.services.s3.facts import Encryption, LifecycleRule, Uploads
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd
from tests.cases.s3 import BUCKET, unread

KEYLESS = replace(BUCKET, encryption=(Encryption("aws:kms", bucket_key=False),))
NO_REQUESTS = Series((), 30)
NO_KEY = "new objects are encrypted by KMS (aws:kms) without a bucket key"
KEY_CASES: list[Case] = [
    passes(s3_bucket_key_disabled, BUCKET),
    passes(s3_bucket_key_disabled, replace(BUCKET, encryption=None)),
    passes(s3_bucket_key_disabled, replace(BUCKET, encryption=(Encryption("aws:kms", bucket_key=True),))),
    passes(
        s3_bucket_key_disabled,
        replace(BUCKET, encryption=(Encryption("aws:kms:dsse", bucket_key=False),)),
    ),
    fails(s3_bucket_key_disabled, KEYLESS, Problem(NO_KEY), measured=[NO_REQUESTS]),
    # 100 million requests a month at 0.03 USD per 10,000; of them 99% are spared.
    fails(
        s3_bucket_key_disabled,
        KEYLESS,
        Problem(NO_KEY, saving=usd(297.0, Confidence.LOW, everywhere=True)),
        measured=[Series((40e6, 60e6), 30)],
    ),
    # What it is worth does not matter to whether it is wrong.
    fails(s3_bucket_key_disabled, KEYLESS, Problem(NO_KEY), measured=[unread("GetMetricData")]),
    cannot_tell(
        s3_bucket_key_disabled,
        replace(BUCKET, encryption=(Encryption("aws:kms:next", bucket_key=False),)),
        "unknown algorithm aws:kms:next",
    ),
    cannot_tell(
        s3_bucket_key_disabled,
        replace(BUCKET, encryption=unread("GetEncryptionConfiguration")),
        "s3:GetEncryptionConfiguration",
    ),
]


def stored(standard: float | None, archived: float | None = None) -> list[Series]:
    """What CloudWatch says of GiB in Standard and in the last of the storage classes."""
    sizes = [Series((), 3) for _ in STORAGE]
    for at, gib in ((0, standard), (-1, archived)):
        if gib is not None:
            sizes[at] = Series((gib * GIB, gib * GIB / 2), 3)
    return sizes


RULE = LifecycleRule(enabled=True, whole=True)
OFF = replace(RULE, enabled=False)
PART = replace(RULE, whole=False)
LIFECYCLE_CASES: list[Case] = [
    passes(s3_bucket_lifecycle_missing, replace(BUCKET, lifecycle=(OFF, PART))),
    passes(s3_bucket_lifecycle_missing, BUCKET, measured=stored(10)),
    # (0.023 - 0.0125) USD x 1.11 for each of 1,000 GiB.
    fails(
        s3_bucket_lifecycle_missing,
        BUCKET,
        Problem("no lifecycle rule for 1,000.0 GiB", saving=usd(11.65, Confidence.LOW)),
        measured=stored(1000),
    ),
    fails(
        s3_bucket_lifecycle_missing,
        replace(BUCKET, lifecycle=(OFF,)),
        Problem("no enabled lifecycle rule for 10.5 GiB", saving=usd(0.06, Confidence.LOW)),
        measured=stored(5, 5.5),
    ),
    fails(
        s3_bucket_lifecycle_missing,
        BUCKET,
        Problem("no lifecycle rule for 11.0 GiB"),
        measured=stored(None, 11),
    ),
    passes(s3_bucket_lifecycle_missing, BUCKET, measured=stored(1000), parameters={"min_gib": 1000}),
    fails(
        s3_bucket_lifecycle_missing,
        BUCKET,
        Problem("no lifecycle rule; the bucket's size is not known", severity=Severity.INFORMATIONAL),
        measured=stored(None),
    ),
    cannot_tell(
        s3_bucket_lifecycle_missing,
        BUCKET,
        "s3:GetMetricData",
        measured=[unread("GetMetricData") for _ in STORAGE],
    ),
    cannot_tell(
        s3_bucket_lifecycle_missing,
        replace(BUCKET, lifecycle=unread("GetLifecycleConfiguration")),
        "s3:GetLifecycleConfiguration",
    ),
]

EXPIRING = replace(RULE, expires_noncurrent=True)
KEPT = "no rule expires noncurrent versions"
NONCURRENT_CASES: list[Case] = [
    passes(s3_bucket_noncurrent_versions_not_expired, replace(BUCKET, lifecycle=(RULE, EXPIRING))),
    passes(s3_bucket_noncurrent_versions_not_expired, replace(BUCKET, versioning=None)),
    fails(s3_bucket_noncurrent_versions_not_expired, BUCKET, Problem(KEPT), measured=[Series((), 3)]),
    # 20% of 1,000 GiB at 0.023 USD x 1.11.
    fails(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, versioning="Suspended", lifecycle=(RULE,)),
        Problem(KEPT, saving=usd(5.11, Confidence.LOW)),
        measured=[Series((1000.0 * GIB,), 3)],
    ),
    fails(
        s3_bucket_noncurrent_versions_not_expired,
        BUCKET,
        Problem(KEPT),
        measured=[unread("GetMetricData")],
    ),
    fails(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, lifecycle=(replace(EXPIRING, enabled=False),)),
        KEPT,
        measured=[Series((), 3)],
    ),
    passes(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, lifecycle=(replace(EXPIRING, whole=False),)),
    ),
    fails(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, lifecycle=(replace(EXPIRING, whole=False),)),
        KEPT,
        measured=[Series((), 3)],
        parameters={"accept_prefix_rules": False},
    ),
    fails(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, lifecycle=(replace(RULE, moves_noncurrent=True),)),
        Problem(
            "noncurrent versions are moved to cheaper storage, and never expire",
            severity=Severity.INFORMATIONAL,
        ),
    ),
    cannot_tell(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, versioning=unread("GetBucketVersioning")),
        "s3:GetBucketVersioning",
    ),
    cannot_tell(
        s3_bucket_noncurrent_versions_not_expired,
        replace(BUCKET, lifecycle=unread("GetLifecycleConfiguration")),
        "s3:GetLifecycleConfiguration",
    ),
]

ABORTING = replace(RULE, aborts_after=7)
NEVER = "no rule aborts incomplete multipart uploads"
WEEK_AGO = NOW - timedelta(days=7)
MULTIPART_CASES: list[Case] = [
    passes(s3_bucket_incomplete_multipart_not_aborted, replace(BUCKET, lifecycle=(RULE, ABORTING))),
    fails(s3_bucket_incomplete_multipart_not_aborted, BUCKET, Problem(NEVER, severity=Severity.LOW)),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=(RULE, replace(ABORTING, enabled=False))),
        NEVER,
    ),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=(replace(ABORTING, whole=False),)),
        "only in a part of the bucket incomplete multipart uploads are aborted",
    ),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=(replace(ABORTING, aborts_after=8), replace(ABORTING, aborts_after=30))),
        Problem("incomplete multipart uploads are aborted after 8 days", severity=Severity.LOW),
    ),
    passes(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=(replace(ABORTING, aborts_after=8),)),
        parameters={"max_days": 8},
    ),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, uploads=Uploads(0, more=False, oldest=None)),
        Problem(NEVER, severity=Severity.LOW),
    ),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, uploads=Uploads(2, more=False, oldest=WEEK_AGO)),
        Problem(f"{NEVER}; there are 2, the oldest of 2026-01-08", severity=Severity.LOW),
    ),
    fails(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, uploads=Uploads(1000, more=True, oldest=WEEK_AGO - timedelta(seconds=1))),
        Problem(f"{NEVER}; there are more than 1,000, the oldest of 2026-01-08", severity=Severity.MEDIUM),
    ),
    # It is wrong whether or not there are any, but how bad it is cannot be told.
    cannot_tell(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, uploads=unread("ListBucketMultipartUploads")),
        "s3:ListBucketMultipartUploads",
    ),
    cannot_tell(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=unread("GetLifecycleConfiguration")),
        "s3:GetLifecycleConfiguration",
    ),
]

CASES = [*KEY_CASES, *LIFECYCLE_CASES, *NONCURRENT_CASES, *MULTIPART_CASES]
