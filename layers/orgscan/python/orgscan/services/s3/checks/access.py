"""What we expect of who may reach buckets, and how."""

from orgscan.check import Problem, Problems, View, check
from orgscan.model import (
    Category,
    Gap,
    Severity,
    known,
)
from orgscan.policy import Policy
from orgscan.services.s3.facts import (
    AccountPublicAccessBlock,
    Block,
    Bucket,
    opened_to_everyone,
)

BUCKET_PERMISSIONS = "trusted-advisor:Pfx0RwqBli"
BLOCK_EACH = ("CIS AWS 3.0 2.1.4", "CIS AWS 5.0 2.1.4", "CIS AWS 6.0 3.1.4", "CIS AWS 7.0 3.1.4")
PUT_BLOCK = (
    "aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
    "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true "
    "--region {region}"
)
BLOCKED = """
    s3.CfnBucket(
        self,
        "Bucket",
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=True,
            restrict_public_buckets=True,
        ),
    )
"""
NEW_POLICY = (
    "aws s3api get-bucket-policy --bucket {name} --query Policy --output text --region {region}",
    "aws s3api put-bucket-policy --bucket {name} --policy 'file://<new-policy>' --region {region}",
)


@check(
    AccountPublicAccessBlock,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Turn on all four settings for the account, after reviewing which buckets are public on purpose.",
    maps=(*BLOCK_EACH, "FSBP S3.1"),
    equivalent=("prowler:s3_account_level_public_access_blocks",),
    cli=(
        "aws s3api list-buckets --query 'Buckets[].Name' --region {region}",
        "aws s3api get-bucket-policy-status --bucket '<bucket>' --region {region}",
        (
            "aws s3control put-public-access-block --account-id {account} "
            "--public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true "
            "--region {region}"
        ),
    ),
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
    cli=(
        "aws s3api get-bucket-policy-status --bucket {name} --region {region}",
        PUT_BLOCK,
    ),
    cdk=BLOCKED,
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
    cli=(*NEW_POLICY, PUT_BLOCK),
    cdk=BLOCKED,
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
    cli=(
        "aws s3api get-bucket-acl --bucket {name} --region {region}",
        "aws s3api put-bucket-acl --bucket {name} --acl private --region {region}",
        (
            'aws s3api put-bucket-ownership-controls --bucket {name} --ownership-controls \'{"Rules": '
            '[{"ObjectOwnership": "BucketOwnerEnforced"}]}\' --region {region}'
        ),
    ),
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
        )
    """,
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
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Add a statement to the policy that denies everyone s3:* when aws:SecureTransport is false.",
    maps=("CIS AWS 3.0 2.1.1", "CIS AWS 5.0 2.1.1", "CIS AWS 6.0 3.1.1", "CIS AWS 7.0 3.1.1", "FSBP S3.5"),
    equivalent=("prowler:s3_bucket_secure_transport_policy",),
    cli=NEW_POLICY,
    cdk="""
        s3.CfnBucketPolicy(
            self,
            "Policy",
            bucket="<bucket>",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": ["<arn-of-the-bucket>", "<arn-of-the-bucket>/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        )
    """,
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


def _stopped(bucket: Bucket, view: View, block: Block) -> bool:
    """Whether the bucket's block or the account's has this on; Unread when that cannot be told."""
    if not isinstance(bucket.blocked, Gap) and block in (bucket.blocked or ()):
        return True
    if any(block in (known(account.on) or ()) for account in view.every(AccountPublicAccessBlock)):
        return True
    known(bucket.blocked)
    return False
