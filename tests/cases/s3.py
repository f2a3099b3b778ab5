"""What the S3 checks accept and reject."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity, TagRecord
from orgscan.policy import Policy, parse
from orgscan.services.s3.checks import (
    GIB,
    STORAGE,
    s3_account_public_access_block_off,
    s3_bucket_acl_public,
    s3_bucket_incomplete_multipart_not_aborted,
    s3_bucket_insecure_transport_allowed,
    s3_bucket_key_disabled,
    s3_bucket_lifecycle_missing,
    s3_bucket_noncurrent_versions_not_expired,
    s3_bucket_policy_public,
    s3_bucket_public_access_block_off,
    s3_bucket_versioning_disabled,
)
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    Encryption,
    Grant,
    LifecycleRule,
    Uploads,
)
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

ACCOUNT = AccountPublicAccessBlock(arn="arn:aws:s3::123456789012:account", on=frozenset(Block))
OPEN_ACCOUNT = replace(ACCOUNT, on=None)
DENIED = Gap("account_blocks", Blindness.DENIED, "s3:GetAccountPublicAccessBlock")
BUCKET = Bucket(
    arn="arn:aws:s3:::reports",
    name="reports",
    policy=None,
    policy_is_public=None,
    public_grants=(),
    ownership="BucketOwnerEnforced",
    blocked=frozenset(Block),
    versioning="Enabled",
    encryption=(Encryption("AES256", bucket_key=False),),
    lifecycle=None,
    uploads=None,
)
LISTED = replace(BUCKET, public_grants=(Grant("everyone", "READ"),), ownership=None, blocked=None)
UNVERSIONED = replace(BUCKET, versioning=None)


def unread(fact: str) -> Gap:
    return Gap(fact, Blindness.DENIED, f"s3:{fact}")


def policy(*statements: Mapping[str, Any]) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": f"{BUCKET.arn}/*"}


def deny_http(**other: object) -> dict[str, Any]:
    """The statement that is asked for, but for `other` members."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET.arn, f"{BUCKET.arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **other,
    }


PUBLIC = replace(BUCKET, policy_is_public=True, policy=policy(allow("s3:GetObject")), blocked=None)


ACCOUNT_CASES: list[Case] = [
    passes(s3_account_public_access_block_off, ACCOUNT),
    fails(
        s3_account_public_access_block_off,
        replace(ACCOUNT, on=frozenset({Block.NEW_ACLS, Block.ACLS, Block.POLICIES})),
        "off: BlockPublicPolicy",
    ),
    fails(
        s3_account_public_access_block_off,
        replace(ACCOUNT, on=frozenset()),
        "off: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
    ),
    fails(
        s3_account_public_access_block_off,
        OPEN_ACCOUNT,
        "no public access block is set for the account: BlockPublicAcls, IgnorePublicAcls, "
        "BlockPublicPolicy, RestrictPublicBuckets are off",
    ),
    cannot_tell(
        s3_account_public_access_block_off, replace(ACCOUNT, on=DENIED), "s3:GetAccountPublicAccessBlock"
    ),
]

POLICY_CASES: list[Case] = [
    passes(s3_bucket_policy_public, BUCKET),
    passes(s3_bucket_policy_public, replace(PUBLIC, policy_is_public=False), beside=[OPEN_ACCOUNT]),
    fails(s3_bucket_policy_public, PUBLIC, "the policy allows everyone s3:GetObject", beside=[OPEN_ACCOUNT]),
    fails(
        s3_bucket_policy_public,
        replace(PUBLIC, policy=policy(allow("s3:GetObject", "s3:PutObject"))),
        "the policy allows everyone s3:GetObject, s3:PutObject",
        beside=[OPEN_ACCOUNT],
    ),
    fails(
        s3_bucket_policy_public,
        replace(PUBLIC, policy=policy(deny_http())),
        "AWS rates the policy as public",
        beside=[OPEN_ACCOUNT],
    ),
    # The verdict does not need the policy's text, only the evidence does.
    fails(
        s3_bucket_policy_public,
        replace(PUBLIC, policy=unread("GetBucketPolicy")),
        "AWS rates the policy as public",
        beside=[OPEN_ACCOUNT],
    ),
    # One of the four settings undoes an existing policy; BlockPublicPolicy only refuses new ones.
    passes(
        s3_bucket_policy_public,
        replace(PUBLIC, blocked=frozenset({Block.POLICIES})),
        lost={AccountPublicAccessBlock: DENIED},
    ),
    fails(
        s3_bucket_policy_public,
        replace(PUBLIC, blocked=frozenset({Block.NEW_POLICIES})),
        "the policy allows everyone s3:GetObject",
        beside=[replace(ACCOUNT, on=frozenset({Block.NEW_POLICIES, Block.ACLS}))],
    ),
    passes(s3_bucket_policy_public, PUBLIC, beside=[ACCOUNT]),
    passes(
        s3_bucket_policy_public,
        replace(PUBLIC, blocked=unread("GetBucketPublicAccessBlock")),
        beside=[ACCOUNT],
    ),
    cannot_tell(
        s3_bucket_policy_public,
        replace(PUBLIC, blocked=unread("GetBucketPublicAccessBlock")),
        "s3:GetBucketPublicAccessBlock",
        beside=[OPEN_ACCOUNT],
    ),
    cannot_tell(
        s3_bucket_policy_public,
        PUBLIC,
        "s3:GetAccountPublicAccessBlock",
        beside=[replace(ACCOUNT, on=DENIED)],
    ),
    cannot_tell(
        s3_bucket_policy_public,
        replace(PUBLIC, policy_is_public=unread("GetBucketPolicyStatus")),
        "s3:GetBucketPolicyStatus",
        beside=[OPEN_ACCOUNT],
    ),
]

ACL_CASES: list[Case] = [
    passes(s3_bucket_acl_public, BUCKET),
    fails(
        s3_bucket_acl_public,
        LISTED,
        Problem("the ACL grants READ to everyone", severity=Severity.HIGH),
        beside=[OPEN_ACCOUNT],
    ),
    fails(
        s3_bucket_acl_public,
        replace(
            LISTED,
            public_grants=(Grant("every AWS user", "READ"), Grant("every AWS user", "FULL_CONTROL")),
            ownership="ObjectWriter",
        ),
        Problem("the ACL grants READ to every AWS user", severity=Severity.HIGH),
        Problem("the ACL grants FULL_CONTROL to every AWS user", severity=Severity.CRITICAL),
        beside=[OPEN_ACCOUNT],
    ),
    fails(
        s3_bucket_acl_public,
        replace(LISTED, public_grants=(Grant("everyone", "READ_ACP"),), ownership="BucketOwnerPreferred"),
        Problem("the ACL grants READ_ACP to everyone", severity=Severity.CRITICAL),
        beside=[replace(ACCOUNT, on=frozenset({Block.NEW_ACLS, Block.POLICIES}))],
    ),
    passes(s3_bucket_acl_public, replace(LISTED, ownership="BucketOwnerEnforced"), beside=[OPEN_ACCOUNT]),
    passes(s3_bucket_acl_public, replace(LISTED, blocked=frozenset({Block.ACLS})), beside=[OPEN_ACCOUNT]),
    passes(s3_bucket_acl_public, LISTED, beside=[ACCOUNT]),
    cannot_tell(
        s3_bucket_acl_public, replace(BUCKET, public_grants=unread("GetBucketAcl")), "s3:GetBucketAcl"
    ),
    cannot_tell(
        s3_bucket_acl_public,
        replace(LISTED, ownership=unread("GetBucketOwnershipControls")),
        "s3:GetBucketOwnershipControls",
    ),
    cannot_tell(
        s3_bucket_acl_public,
        LISTED,
        "s3:GetAccountPublicAccessBlock",
        lost={AccountPublicAccessBlock: DENIED},
    ),
]

VERSIONING_CASES: list[Case] = [
    passes(s3_bucket_versioning_disabled, BUCKET),
    fails(s3_bucket_versioning_disabled, UNVERSIONED, "versioning was never enabled"),
    fails(
        s3_bucket_versioning_disabled,
        replace(BUCKET, versioning="Suspended"),
        "versioning is suspended",
        parameters={"exempt_patterns": ["*-logs", "Lifetime=temporary"]},
    ),
    passes(
        s3_bucket_versioning_disabled,
        replace(UNVERSIONED, name="access-logs"),
        parameters={"exempt_patterns": ["*-logs"]},
        lost={TagRecord: unread("tag:GetResources")},
    ),
    passes(
        s3_bucket_versioning_disabled,
        UNVERSIONED,
        parameters={"exempt_patterns": ["Lifetime=temp*"]},
        beside=[TagRecord(arn=UNVERSIONED.arn, tags={"Lifetime": "temporary"})],
    ),
    cannot_tell(
        s3_bucket_versioning_disabled,
        UNVERSIONED,
        "tag:GetResources",
        parameters={"exempt_patterns": ["Lifetime=temp*"]},
        lost={TagRecord: unread("tag:GetResources")},
    ),
    cannot_tell(
        s3_bucket_versioning_disabled,
        replace(BUCKET, versioning=unread("GetBucketVersioning")),
        "s3:GetBucketVersioning",
    ),
]

OWN_BLOCK_CASES: list[Case] = [
    passes(s3_bucket_public_access_block_off, BUCKET),
    fails(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=None),
        "the bucket has no public access block",
        beside=[ACCOUNT],
    ),
    fails(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=frozenset(Block) - {Block.POLICIES}),
        "off: RestrictPublicBuckets",
    ),
    fails(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=frozenset()),
        "off: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
    ),
    passes(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=None),
        beside=[ACCOUNT],
        parameters={"accept_account_level": True},
    ),
    fails(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=frozenset()),
        "off: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
        beside=[replace(ACCOUNT, on=frozenset(Block) - {Block.NEW_ACLS})],
        parameters={"accept_account_level": True},
    ),
    cannot_tell(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=None),
        "s3:GetAccountPublicAccessBlock",
        beside=[replace(ACCOUNT, on=DENIED)],
        parameters={"accept_account_level": True},
    ),
    cannot_tell(
        s3_bucket_public_access_block_off,
        replace(BUCKET, blocked=unread("GetBucketPublicAccessBlock")),
        "s3:GetBucketPublicAccessBlock",
    ),
]


def http(*statements: Mapping[str, Any]) -> Bucket:
    return replace(BUCKET, policy=policy(*statements))


ALLOWED = "the policy does not deny everyone plain HTTP to the bucket and its objects"
BOTH = [BUCKET.arn, f"{BUCKET.arn}/*"]
TRANSPORT_CASES: list[Case] = [
    passes(s3_bucket_insecure_transport_allowed, http(deny_http())),
    passes(s3_bucket_insecure_transport_allowed, http(allow("s3:GetObject"), deny_http(Action="*"))),
    passes(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Resource=BUCKET.arn), deny_http(Resource=f"{BUCKET.arn}/*")),
    ),
    passes(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})),
    ),
    fails(
        s3_bucket_insecure_transport_allowed, BUCKET, "the bucket has no policy, so nothing denies plain HTTP"
    ),
    fails(s3_bucket_insecure_transport_allowed, http(allow("s3:GetObject")), ALLOWED),
    # Half of it is not denied, or not to everyone, or something else is denied.
    fails(s3_bucket_insecure_transport_allowed, http(deny_http(Resource=f"{BUCKET.arn}/*")), ALLOWED),
    fails(s3_bucket_insecure_transport_allowed, http(deny_http(Resource=BUCKET.arn)), ALLOWED),
    fails(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Principal={"AWS": "arn:aws:iam::123456789012:root"})),
        ALLOWED,
    ),
    fails(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Condition={"Bool": {"aws:SecureTransport": "true"}})),
        ALLOWED,
    ),
    fails(s3_bucket_insecure_transport_allowed, http(deny_http(Effect="Allow")), ALLOWED),
    fails(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Action=["s3:GetObject", "s3:PutObject"])),
        ALLOWED,
    ),
    passes(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Action=["s3:GetObject", "s3:PutObject"], Resource=[*BOTH])),
        parameters={"strict": False},
    ),
    fails(
        s3_bucket_insecure_transport_allowed,
        http(deny_http(Action="s3:GetObject")),
        ALLOWED,
        parameters={"strict": False},
    ),
    cannot_tell(
        s3_bucket_insecure_transport_allowed,
        replace(BUCKET, policy=unread("GetBucketPolicy")),
        "s3:GetBucketPolicy",
    ),
]

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
    # It is wrong whether or not there are any; how bad it is cannot be told.
    Case(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, uploads=unread("ListBucketMultipartUploads")),
        (NEVER,),
        unread="s3:ListBucketMultipartUploads",
    ),
    cannot_tell(
        s3_bucket_incomplete_multipart_not_aborted,
        replace(BUCKET, lifecycle=unread("GetLifecycleConfiguration")),
        "s3:GetLifecycleConfiguration",
    ),
]

CASES = [
    *ACCOUNT_CASES,
    *POLICY_CASES,
    *ACL_CASES,
    *VERSIONING_CASES,
    *OWN_BLOCK_CASES,
    *TRANSPORT_CASES,
    *KEY_CASES,
    *LIFECYCLE_CASES,
    *NONCURRENT_CASES,
    *MULTIPART_CASES,
]
