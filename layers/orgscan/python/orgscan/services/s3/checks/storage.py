"""What we expect of what buckets keep, and at what price."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import (
    Blindness,
    Category,
    Confidence,
    Gap,
    Metric,
    Money,
    Series,
    Severity,
    TagRecord,
    Unread,
    known,
)
from orgscan.services.s3.facts import (
    Bucket,
    LifecycleRule,
    Uploads,
)

GIB = 2**30
DAY = 86400
MEASURED_DAYS = 3
"""S3 measures sizes once a day, and tells a day or two later."""
STORAGE = (
    "StandardStorage",
    "ReducedRedundancyStorage",
    "StandardIAStorage",
    "OneZoneIAStorage",
    "IntelligentTieringFAStorage",
    "IntelligentTieringIAStorage",
    "IntelligentTieringAIAStorage",
    "IntelligentTieringAAStorage",
    "IntelligentTieringDAAStorage",
    "GlacierInstantRetrievalStorage",
    "GlacierStorage",
    "DeepArchiveStorage",
)
"""CloudWatch's names of storage classes, Standard first; what they cost in overhead has names of its own."""
KMS = "aws:kms"
NO_BUCKET_KEY = ("AES256", "aws:kms:dsse", "aws:fsx")
"""Algorithms for which there is none to turn on."""
WHOLE_BUCKET = (("FilterId", "EntireBucket"),)
"""Request metrics have a filter, which the console names so where it filters nothing."""
REQUESTS_DAYS = 30
SAVED = 0.99
"""The share of requests that a bucket key spares KMS, as AWS says."""
NEW_RULES = (
    "aws s3api get-bucket-lifecycle-configuration --bucket {name} --region {region}",
    (
        "aws s3api put-bucket-lifecycle-configuration --bucket {name} --lifecycle-configuration "
        "'file://<all-its-rules-with-the-new-one>' --region {region}"
    ),
)
"""Commands that put a document in the place of another, whose good parts it must keep."""


def _size(storage: str) -> Metric:
    return Metric("AWS/S3", "BucketSizeBytes", "Average", DAY, (("StorageType", storage),))


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.RELIABILITY,
    fix="Enable versioning, together with a lifecycle rule that expires noncurrent versions.",
    also=(TagRecord,),
    maps=("FSBP S3.14",),
    equivalent=("prowler:s3_bucket_object_versioning", "trusted-advisor:R365s2Qddf"),
    cli=(
        (
            "aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled "
            "--region {region}"
        ),
        *NEW_RULES,
    ),
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        )
    """,
)
def s3_bucket_versioning_disabled(
    bucket: Bucket, view: View, *, exempt_patterns: Sequence[str] = []
) -> Problems:
    """Versioning of the bucket is off or suspended.

    What is overwritten or deleted by mistake cannot be brought back. `exempt_patterns` are globs over the
    bucket's name ('*-logs') or, with an equals sign, over its tags ('Lifetime=temporary').
    """
    state = known(bucket.versioning)
    if state != "Enabled" and not any(_matches(bucket, view, pattern) for pattern in exempt_patterns):
        yield "versioning is suspended" if state == "Suspended" else "versioning was never enabled"


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Enable the bucket key, and copy hot objects onto themselves, which gives it to them.",
    measures=(Metric("AWS/S3", "AllRequests", "Sum", DAY, WHOLE_BUCKET),),
    cli=(
        "aws s3api get-bucket-encryption --bucket {name} --region {region}",
        (
            "aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration "
            '\'{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", '
            '"KMSMasterKeyID": "<the-same-key>"}, "BucketKeyEnabled": true}]}\' --region {region}'
        ),
        (
            "aws s3api copy-object --bucket {name} --key '<hot-object>' --copy-source "
            "'<bucket>/<hot-object>' --server-side-encryption aws:kms --ssekms-key-id '<the-same-key>' "
            "--bucket-key-enabled --region {region}"
        ),
    ),
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        bucket_key_enabled=True,
                        server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="aws:kms", kms_master_key_id="<key>"
                        ),
                    )
                ]
            ),
        )
    """,
)
def s3_bucket_key_disabled(bucket: Bucket, view: View) -> Problems:
    """The bucket encrypts with KMS, but without an S3 bucket key, so that KMS bills every request.

    What it saves is told where the bucket has request metrics. Dual-layer encryption knows no bucket keys.
    """
    encryption = known(bucket.encryption) or ()
    if any(each.algorithm == KMS and not each.bucket_key for each in encryption):
        yield Problem(
            "new objects are encrypted by KMS (aws:kms) without a bucket key", saving=_spared(bucket, view)
        )
    for each in encryption:
        if each.algorithm not in (KMS, *NO_BUCKET_KEY):
            unknown = f"{bucket.name}: unknown algorithm {each.algorithm}"
            raise Unread(Gap("s3-bucket-key-disabled", Blindness.FAULT, unknown))


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Add rules that fit the data: move what is rarely read to cheaper storage, expire what nobody needs.",
    measures=tuple(map(_size, STORAGE)),
    maps=("FSBP S3.13",),
    equivalent=("prowler:s3_bucket_lifecycle_enabled", "trusted-advisor:c18d2gz100"),
    cli=NEW_RULES,
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    s3.CfnBucket.RuleProperty(
                        status="Enabled",
                        transitions=[
                            s3.CfnBucket.TransitionProperty(
                                storage_class="STANDARD_IA", transition_in_days=30
                            )
                        ],
                    )
                ]
            ),
        )
    """,
)
def s3_bucket_lifecycle_missing(bucket: Bucket, view: View, *, min_gib: int = 10) -> Problems:
    """The bucket has data but no enabled lifecycle rule.

    It grows for ever, at the price of the storage class that things were written to. Up to `min_gib` does not
    matter; without a size in CloudWatch (a bucket of two days, an empty one) it is informational.
    """
    rules = known(bucket.lifecycle)
    if any(rule.enabled for rule in rules or ()):
        return
    missing = "no lifecycle rule" if rules is None else "no enabled lifecycle rule"
    sizes = view.measure(bucket, days=MEASURED_DAYS)
    if not any(series.values for series in sizes):
        yield Problem(f"{missing}; the bucket's size is not known", severity=Severity.INFORMATIONAL)
        return
    gib = sum(map(_gib, sizes))
    if gib > min_gib:
        yield Problem(f"{missing} for {gib:,.1f} GiB", saving=_moved(view, _gib(sizes[0])))


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Add a rule that expires noncurrent versions after some days, and keeps the newest few.",
    measures=(_size(STORAGE[0]),),
    maps=("FSBP S3.10",),
    equivalent=("trusted-advisor:c18d2gz171",),
    cli=NEW_RULES,
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    s3.CfnBucket.RuleProperty(
                        status="Enabled",
                        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                            noncurrent_days=90, newer_noncurrent_versions=3
                        ),
                    )
                ]
            ),
        )
    """,
)
def s3_bucket_noncurrent_versions_not_expired(
    bucket: Bucket, view: View, *, accept_prefix_rules: bool = True, noncurrent_share: float = 0.2
) -> Problems:
    """The bucket keeps old versions and never expires them.

    What is overwritten or deleted stays and is billed, also where versioning was suspended. A rule that only
    moves old versions to cheaper storage makes it informational. `accept_prefix_rules`: a rule for a part of
    the bucket is enough. The saving takes `noncurrent_share` of what is in Standard for old versions.
    """
    if known(bucket.versioning) is None:
        return
    rules = [
        rule for rule in known(bucket.lifecycle) or () if rule.enabled and (rule.whole or accept_prefix_rules)
    ]
    if any(rule.expires_noncurrent for rule in rules):
        return
    if any(rule.moves_noncurrent for rule in rules):
        text = "noncurrent versions are moved to cheaper storage, and never expire"
        yield Problem(text, severity=Severity.INFORMATIONAL)
        return
    yield Problem("no rule expires noncurrent versions", saving=_old(bucket, view, noncurrent_share))


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Add a rule for the whole bucket that aborts incomplete multipart uploads after 7 days.",
    equivalent=("trusted-advisor:c1cj39rr6v",),
    cli=(
        "aws s3api list-multipart-uploads --bucket {name} --region {region}",
        *NEW_RULES,
    ),
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    s3.CfnBucket.RuleProperty(
                        status="Enabled",
                        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                            days_after_initiation=7
                        ),
                    )
                ]
            ),
        )
    """,
)
def s3_bucket_incomplete_multipart_not_aborted(bucket: Bucket, view: View, *, max_days: int = 7) -> Problems:
    """No enabled lifecycle rule of the whole bucket aborts incomplete multipart uploads in time.

    The parts of an upload that broke off are billed and stand in no listing of objects. Medium where there
    are some that began more than `max_days` ago.
    """
    rules = [rule for rule in known(bucket.lifecycle) or () if rule.enabled and rule.aborts_after is not None]
    days = min((rule.aborts_after or 0 for rule in rules if rule.whole), default=None)
    if days is not None and days <= max_days:
        return
    uploads = known(bucket.uploads)
    old = uploads and uploads.oldest and uploads.oldest < view.now - timedelta(days=max_days)
    yield Problem(
        _unaborted(rules, days) + _counted(uploads), severity=Severity.MEDIUM if old else Severity.LOW
    )


def _unaborted(rules: Sequence[LifecycleRule], days: int | None) -> str:
    if days is not None:
        return f"incomplete multipart uploads are aborted after {days} days"
    if rules:
        return "only in a part of the bucket incomplete multipart uploads are aborted"
    return "no rule aborts incomplete multipart uploads"


def _counted(uploads: Uploads | None) -> str:
    if uploads is None or uploads.oldest is None:
        return ""
    count = f"more than {uploads.count:,}" if uploads.more else f"{uploads.count:,}"
    return f"; there are {count}, the oldest of {uploads.oldest:%Y-%m-%d}"


def _spared(bucket: Bucket, view: View) -> Money | None:
    """A month of what KMS bills for requests; None where they are not measured."""
    (requests,) = _measured(bucket, view, REQUESTS_DAYS)
    if not requests or not requests.values:
        return None
    tens_of_thousands = sum(requests.values) * SAVED / 10_000
    return prices.doubted(
        prices.monthly(view.target, "kms.per_10k_requests", tens_of_thousands), Confidence.LOW
    )


def _moved(view: View, gib: float) -> Money | None:
    """If all of it went to Standard-IA: more than that is not to be had there."""
    now, then = (prices.monthly(view.target, key, gib) for key in ("s3.standard", "s3.standard_ia"))
    if not now or not then or not gib:
        return None
    difference = round(now.monthly_usd - then.monthly_usd, 2)
    return replace(now, monthly_usd=difference, confidence=Confidence.LOW)


def _old(bucket: Bucket, view: View, share: float) -> Money | None:
    (size,) = _measured(bucket, view, MEASURED_DAYS)
    if not size or not size.values:
        return None
    return prices.doubted(prices.monthly(view.target, "s3.standard", _gib(size) * share), Confidence.LOW)


def _measured(bucket: Bucket, view: View, days: int) -> Sequence[Series | None]:
    """For what is wrong whatever is measured, and only worth more or less: None where nobody can say."""
    try:
        return view.measure(bucket, days=days)
    except Unread:
        return (None,)


def _gib(size: Series) -> float:
    return max(size.values, default=0.0) / GIB


def _matches(bucket: Bucket, view: View, pattern: str) -> bool:
    if "=" not in pattern:
        return fnmatchcase(bucket.name, pattern)
    return any(fnmatchcase(f"{key}={value}", pattern) for key, value in view.tags(bucket).items())
