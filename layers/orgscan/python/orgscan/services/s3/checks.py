"""What we expect of S3."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Gap, Severity, TagRecord, known
from orgscan.services.s3.facts import AccountPublicAccessBlock, Block, Bucket

BUCKET_PERMISSIONS = "trusted-advisor:Pfx0RwqBli"


@check(
    AccountPublicAccessBlock,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Turn on all four settings for the account, after reviewing which buckets are public on purpose.",
    maps=("CIS AWS 3.0 2.1.4", "CIS AWS 5.0 2.1.4", "CIS AWS 6.0 3.1.4", "CIS AWS 7.0 3.1.4", "FSBP S3.1"),
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
        opened = "" if isinstance(bucket.opened, Gap) else ", ".join(bucket.opened or ())
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
