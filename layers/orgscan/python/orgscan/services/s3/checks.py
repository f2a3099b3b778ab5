"""What we expect of S3."""

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
from orgscan.policy import Policy
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    LifecycleRule,
    Uploads,
    opened_to_everyone,
)

BUCKET_PERMISSIONS = "trusted-advisor:Pfx0RwqBli"
BLOCK_EACH = ("CIS AWS 3.0 2.1.4", "CIS AWS 5.0 2.1.4", "CIS AWS 6.0 3.1.4", "CIS AWS 7.0 3.1.4")
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


def _size(storage: str) -> Metric:
    return Metric("AWS/S3", "BucketSizeBytes", "Average", DAY, (("StorageType", storage),))


@check(
    AccountPublicAccessBlock,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Turn on all four settings for the account, after reviewing which buckets are public on purpose.",
    maps=(*BLOCK_EACH, "FSBP S3.1"),
    equivalent=("prowler:s3_account_level_public_access_blocks",),
)
def s3_account_public_access_block_off(account: AccountPublicAccessBlock) -> Problems:
    """The account's S3 public access block is missing or has a setting off.

    With all four settings on, no bucket of the account can become public by mistake.
    """
    on = known(account.on)
    off = ", ".join(block for block in Block if block not in (on or ()))
    if on is None:
        yield f"no public access block is set for the account: {off} are off"
    elif off:
        yield f"off: {off}"


@check(
    Bucket,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Turn on all four settings for the bucket.",
    also=(AccountPublicAccessBlock,),
    maps=(*BLOCK_EACH, "FSBP S3.8"),
    equivalent=("prowler:s3_bucket_level_public_access_block",),
)
def s3_bucket_public_access_block_off(
    bucket: Bucket, view: View, *, accept_account_level: bool = False
) -> Problems:
    """The bucket's own public access block is missing or has a setting off.

    The account's block can be turned off for all buckets at once; the bucket's own still holds then. With
    `accept_account_level`, an account's block that is all on is enough.
    """
    on = known(bucket.blocked)
    off = ", ".join(block for block in Block if block not in (on or ()))
    if not off or (accept_account_level and all(_stopped(bucket, view, block) for block in Block)):
        return
    yield "the bucket has no public access block" if on is None else f"off: {off}"


@check(
    Bucket,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Name the principals the policy is meant for, or turn on RestrictPublicBuckets.",
    also=(AccountPublicAccessBlock,),
    maps=("FSBP S3.2", "FSBP S3.3"),
    equivalent=(
        "prowler:s3_bucket_public_access",
        "prowler:s3_bucket_policy_public_write_access",
        BUCKET_PERMISSIONS,
    ),
)
def s3_bucket_policy_public(bucket: Bucket, view: View) -> Problems:
    """The bucket policy makes the bucket public and no public access block stops it.

    A public bucket leaks quietly: nobody logs in and nothing breaks. AWS itself decides what is public.
    """
    if known(bucket.policy_is_public) and not _stopped(bucket, view, Block.POLICIES):
        policy = bucket.policy
        opened = ", ".join(opened_to_everyone(policy)) if isinstance(policy, Policy) else ""
        yield f"the policy allows everyone {opened}" if opened else "AWS rates the policy as public"


@check(
    Bucket,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Remove the grant and disable ACLs (object ownership BucketOwnerEnforced).",
    also=(AccountPublicAccessBlock,),
    maps=("FSBP S3.2", "FSBP S3.3"),
    equivalent=(
        "prowler:s3_bucket_public_access",
        "prowler:s3_bucket_public_list_acl",
        "prowler:s3_bucket_public_write_acl",
        BUCKET_PERMISSIONS,
    ),
)
def s3_bucket_acl_public(bucket: Bucket, view: View) -> Problems:
    """The bucket's ACL opens it to everyone or to every AWS user, and ACLs are in force.

    READ lets strangers list the bucket; the other permissions let them write to it or learn who may.
    """
    grants = known(bucket.public_grants)
    if not grants or known(bucket.ownership) == "BucketOwnerEnforced":
        return
    if _stopped(bucket, view, Block.ACLS):
        return
    for grant in grants:
        severity = Severity.HIGH if grant.permission == "READ" else Severity.CRITICAL
        yield Problem(f"the ACL grants {grant.permission} to {grant.to}", severity=severity)


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.RELIABILITY,
    fix="Enable versioning, together with a lifecycle rule that expires noncurrent versions.",
    also=(TagRecord,),
    maps=("FSBP S3.14",),
    equivalent=("prowler:s3_bucket_object_versioning", "trusted-advisor:R365s2Qddf"),
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
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Add a statement to the policy that denies everyone s3:* when aws:SecureTransport is false.",
    maps=("CIS AWS 3.0 2.1.1", "CIS AWS 5.0 2.1.1", "CIS AWS 6.0 3.1.1", "CIS AWS 7.0 3.1.1", "FSBP S3.5"),
    equivalent=("prowler:s3_bucket_secure_transport_policy",),
)
def s3_bucket_insecure_transport_allowed(bucket: Bucket, *, strict: bool = True) -> Problems:
    """The bucket's policy does not deny plain HTTP.

    S3 answers unencrypted requests unless a Deny for everyone, on the bucket and its objects, refuses them:
    by aws:SecureTransport, or by s3:TlsVersion below 1.2. Not `strict`: reading and writing objects is
    enough.
    """
    policy = known(bucket.policy)
    if policy is None:
        yield "the bucket has no policy, so nothing denies plain HTTP"
    elif not policy.denies_insecure_transport(bucket.arn, strict=strict):
        yield "the policy does not deny everyone plain HTTP to the bucket and its objects"


@check(
    Bucket,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Enable the bucket key, and copy hot objects onto themselves, which gives it to them.",
    measures=(Metric("AWS/S3", "AllRequests", "Sum", DAY, WHOLE_BUCKET),),
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


def _stopped(bucket: Bucket, view: View, block: Block) -> bool:
    """Whether the bucket's block or the account's has this on; Unread when that cannot be told."""
    if not isinstance(bucket.blocked, Gap) and block in (bucket.blocked or ()):
        return True
    if any(block in (known(account.on) or ()) for account in view.every(AccountPublicAccessBlock)):
        return True
    known(bucket.blocked)
    return False


def _matches(bucket: Bucket, view: View, pattern: str) -> bool:
    if "=" not in pattern:
        return fnmatchcase(bucket.name, pattern)
    return any(fnmatchcase(f"{key}={value}", pattern) for key, value in view.tags(bucket).items())
