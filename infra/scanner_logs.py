"""Where the scanner's log lines go."""

from typing import get_args

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.fields import RetentionDays

# CDK has words for what CloudWatch counts in days, in the same order.
RETENTION = dict(zip(get_args(RetentionDays), logs.RetentionDays, strict=False))


class ScannerLogs(logs.LogGroup):
    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, days: int) -> None:
        super().__init__(
            scope, id, encryption_key=key, retention=RETENTION[days], removal_policy=RemovalPolicy.DESTROY
        )
