"""The role with which links to reports are signed."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag import acknowledge, logical_id, wildcard
from orgscan.results import SCANS

REPORTS = f"{SCANS}*/report.html"


class ReportReader(Construct):
    """It may read reports and nothing else, and only as long as its session lasts: as a link it signed.

    What a function's own credentials sign ends when those do, which nobody can foretell.
    """

    def __init__(
        self, scope: Construct, id: str, *, lent_to: iam.IRole, bucket: s3.IBucket, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ArnPrincipal(lent_to.role_arn),
            description="Signs links to orgscan's reports, for whoever has the link",
            max_session_duration=Duration.hours(1),
        )
        reports = bucket.arn_for_objects(REPORTS)
        for action, resource in (("s3:GetObject", reports), ("kms:Decrypt", key.key_arn)):
            self.role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
        acknowledge(
            self.role,
            "The reports of scans, which do not exist yet",
            wildcard(f"<{logical_id(bucket)}.Arn>/{REPORTS}"),
        )
