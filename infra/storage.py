"""What outlives a scan: the table of findings, the bucket of scans, and the key to both."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag import acknowledge
from orgscan.archive import FINDINGS, RECEIPTS
from orgscan.inventory import FOLDER
from orgscan.results import SCANS, WORK

ANSWERS = "athena/"
"""Under which Athena puts what it was asked."""

SCANS_DAYS = 400
"""How long what scans left is kept."""

REDRIVE_DAYS = 14
"""How long Step Functions lets an execution be redriven, which goes on with what was put away."""

OPEN = "open"
"""The index that holds open findings only."""

KEY_OF_LOGS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


class Storage(Construct):
    def __init__(self, scope: Construct, id: str, *, inventory_days: int, key: str | None) -> None:
        """`key`: ARN of one that there is; None: one is made."""
        super().__init__(scope, id)
        self.key: kms.IKey = kms.Key.from_key_arn(self, "Key", key) if key else self._key()
        self.table = self._table()
        self.bucket = self._bucket(inventory_days)

    def _key(self) -> kms.Key:
        stack = Stack.of(self)
        key = kms.Key(
            self,
            "Key",
            description="Everything that orgscan keeps",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        log_groups = stack.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        # Two services use the key in nobody's name: for log groups, and for alarms to an encrypted topic.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
                actions=[*KEY_OF_LOGS],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )
        return key

    def _table(self) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires",
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        table.add_global_secondary_index(
            index_name=OPEN,
            partition_key=dynamodb.Attribute(name="listed", type=text),
            sort_key=dynamodb.Attribute(name="listed_sk", type=text),
            projection_type=dynamodb.ProjectionType.ALL,
        )
        return table

    def _bucket(self, inventory_days: int) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                _kept(SCANS, SCANS_DAYS, deleted=30),
                _kept(FINDINGS, SCANS_DAYS),
                _kept(RECEIPTS, SCANS_DAYS),
                _kept(WORK, REDRIVE_DAYS),
                _kept(FOLDER, inventory_days),
                _kept(ANSWERS, 7),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "Access logs need a second bucket, which could not be encrypted with this key; "
            "who wants to know each reader turns on CloudTrail's data events for this one",
            "AwsSolutions-S1",
            "CKV_AWS_18",
        )
        return bucket


def _kept(folder: str, days: int, *, deleted: int = 1) -> s3.LifecycleRule:
    """`deleted`: days for which what was overwritten or has expired can be brought back."""
    return s3.LifecycleRule(
        prefix=folder,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(deleted),
    )
