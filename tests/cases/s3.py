"""What the S3 checks accept and reject."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity, TagRecord
from orgscan.policy import Policy, parse
from orgscan.services.s3.checks.access import (
    s3_account_public_access_block_off,
    s3_bucket_acl_public,
    s3_bucket_insecure_transport_allowed,
    s3_bucket_policy_public,
    s3_bucket_public_access_block_off,
)
from orgscan.services.s3.checks.storage import s3_bucket_versioning_disabled
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    Encryption,
    Grant,
)
from tests.cases.case import Case, cannot_tell, fails, passes

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

CASES = [
    *ACCOUNT_CASES,
    *POLICY_CASES,
    *ACL_CASES,
    *VERSIONING_CASES,
    *OWN_BLOCK_CASES,
    *TRANSPORT_CASES,
]
