"""The AWS Security Finding Format, as `BatchImportFindings` of Security Hub takes it, within its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orgscan.coverage import Resolution
from orgscan.line import Line
from orgscan.model import HOME_REGION, Category
from orgscan.present.exported import (
    PRODUCT,
    About,
    Checks,
    Summary,
    about,
    array,
    compact,
    evidence,
    kind,
    place,
    short,
    zulu,
)
from orgscan.reconcile import Status

LONGEST = 240 * 1024
"""Bytes of a finding; Security Hub refuses longer ones."""
TITLE, DESCRIPTION, ID, REMEDY, REQUIREMENT, FIELD = 256, 1024, 512, 512, 64, 1024
REQUIREMENTS, TAGS, TAG = 32, 50, (128, 256)
CHECKS_OF = "Software and Configuration Checks"
TYPES = {
    Category.SECURITY: f"{CHECKS_OF}/AWS Security Best Practices",
    Category.COST: f"{CHECKS_OF}/Cost Optimization",
    Category.RELIABILITY: f"{CHECKS_OF}/Reliability",
    Category.OPERATIONS: f"{CHECKS_OF}/Operations",
    Category.TAGGING: f"{CHECKS_OF}/Tagging",
    Category.INVENTORY: f"{CHECKS_OF}/Inventory",
}
STANDARDS = f"{CHECKS_OF}/Industry and Regulatory Standards"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
"""Those that a resource may be in; the others ASFF does not know, and refuses."""
RESOURCES = {
    "acm:certificate": "AwsCertificateManagerCertificate",
    "autoscaling:autoScalingGroup": "AwsAutoScalingAutoScalingGroup",
    "backup:backup-plan": "AwsBackupBackupPlan",
    "backup:backup-vault": "AwsBackupBackupVault",
    "cloudtrail:trail": "AwsCloudTrailTrail",
    "cloudwatch:alarm": "AwsCloudWatchAlarm",
    "dynamodb:table": "AwsDynamoDbTable",
    "ec2:elastic-ip": "AwsEc2Eip",
    "ec2:instance": "AwsEc2Instance",
    "ec2:launch-template": "AwsEc2LaunchTemplate",
    "ec2:network-acl": "AwsEc2NetworkAcl",
    "ec2:network-interface": "AwsEc2NetworkInterface",
    "ec2:route-table": "AwsEc2RouteTable",
    "ec2:security-group": "AwsEc2SecurityGroup",
    "ec2:subnet": "AwsEc2Subnet",
    "ec2:volume": "AwsEc2Volume",
    "ec2:vpc": "AwsEc2Vpc",
    "ecr:repository": "AwsEcrRepository",
    "ecs:cluster": "AwsEcsCluster",
    "ecs:service": "AwsEcsService",
    "ecs:task-definition": "AwsEcsTaskDefinition",
    "eks:cluster": "AwsEksCluster",
    "elasticloadbalancing:loadbalancer": "AwsElbv2LoadBalancer",
    "guardduty:detector": "AwsGuardDutyDetector",
    "iam:group": "AwsIamGroup",
    "iam:policy": "AwsIamPolicy",
    "iam:role": "AwsIamRole",
    "iam:user": "AwsIamUser",
    "kms:key": "AwsKmsKey",
    "lambda:function": "AwsLambdaFunction",
    "rds:cluster": "AwsRdsDbCluster",
    "rds:cluster-snapshot": "AwsRdsDbClusterSnapshot",
    "rds:db": "AwsRdsDbInstance",
    "rds:snapshot": "AwsRdsDbSnapshot",
    "s3": "AwsS3Bucket",
    "secretsmanager:secret": "AwsSecretsManagerSecret",
    "sns": "AwsSnsTopic",
    "sqs": "AwsSqsQueue",
}
"""What an ARN begins with -> what ASFF calls it; all else is 'Other'."""


@dataclass(frozen=True, slots=True)
class Product:
    """Security Hub's default product of an account: for findings of one's own making, under one's own name.

    It takes findings from this account only, so all findings are the account's; what they are of is told by
    their resource.
    """

    partition: str
    account: str
    region: str

    @property
    def arn(self) -> str:
        where = f"arn:{self.partition}:securityhub:{self.region}:{self.account}"
        return f"{where}:product/{self.account}/default"


def export(
    summary: Summary, lines: Iterable[Line], checks: Checks, product: Product | None = None
) -> Iterator[str]:
    """As one JSON array. Without a product each finding is for Security Hub in its own account and region."""
    yield from array(finding(summary, line, checks, product) for line in lines)
    yield "\n"


def finding(summary: Summary, line: Line, checks: Checks, product: Product | None = None) -> dict[str, Any]:
    told = about(line, checks)
    product = product or Product(line.partition, line.account, place(line) or HOME_REGION[line.partition])
    severity = {"Label": line.severity.upper(), "Original": line.severity}
    types = [TYPES[line.category], *([STANDARDS] if told.maps else [])]
    seen = line.status is not Status.RESOLVED and not line.unconfirmed_since
    made = {
        "SchemaVersion": "2018-10-08",
        "Id": identity(line),
        "ProductArn": product.arn,
        "CompanyName": PRODUCT,
        "ProductName": PRODUCT,
        "GeneratorId": short(f"{PRODUCT}/{line.check}", ID),
        "AwsAccountId": product.account,
        "Types": types,
        "CreatedAt": zulu(line.first_seen),
        "UpdatedAt": zulu(summary["finished"]),
        "FirstObservedAt": zulu(line.first_seen),
        **({"LastObservedAt": zulu(summary["started"])} if seen else {}),
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": types},
        "Title": short(told.title, TITLE),
        "Description": short(evidence(line), DESCRIPTION) or short(told.title, DESCRIPTION),
        **_remediation(told),
        "ProductFields": _fields(line),
        "Resources": [_resource(line)],
        **_compliance(line, told),
        "Workflow": {"Status": "SUPPRESSED" if line.status is Status.SUPPRESSED else "NEW"},
        "RecordState": "ARCHIVED" if line.status is Status.RESOLVED else "ACTIVE",
    }
    return _light(made)


def identity(line: Line) -> str:
    """Of the finding in Security Hub, the same in every scan and for every product."""
    return f"arn:{line.partition}:{PRODUCT}:{place(line)}:{line.account}:finding/{line.id}"


def _light(made: dict[str, Any]) -> dict[str, Any]:
    """Without tags, should they make it too long: 50 of them in distant scripts can."""
    if len(compact(made)) >= LONGEST:
        made["Resources"][0].pop("Tags", None)
    return made


def _remediation(told: About) -> dict[str, Any]:
    if not told.fix:
        return {}
    url = {"Url": told.refs[0]} if told.refs else {}
    return {"Remediation": {"Recommendation": {"Text": short(told.fix, REMEDY), **url}}}


def _fields(line: Line) -> Mapping[str, str]:
    """Texts only, and none of them empty."""
    saving = line.saving
    told = {
        "Check": line.check,
        "Category": line.category,
        "Account": line.account,
        "AccountName": line.account_name,
        "Region": line.region,
        "Key": line.key,
        "Status": line.status,
        "Owner": line.owner.name,
        "OwnedBy": line.owner.by,
        "OpenedAt": line.opened,
        "MonthlyUsd": f"{saving.monthly_usd:.2f}" if saving else "",
        "Basis": saving.basis if saving else "",
        "Confidence": saving.confidence if saving else "",
        "SuppressedBy": line.suppressed_by,
        "ResolvedBecause": line.resolved_because or "",
        "UnconfirmedSince": line.unconfirmed_since,
    }
    cut = {name: short(value, FIELD) for name, value in told.items()}
    return {f"{PRODUCT}/{name}": value for name, value in cut.items() if value}


def _resource(line: Line) -> dict[str, Any]:
    region = place(line)
    return {
        "Type": RESOURCES.get(kind(line.resource), "Other"),
        "Id": short(line.resource, ID) or line.id,
        **({"Partition": line.partition} if line.partition in PARTITIONS else {}),
        **({"Region": region} if region else {}),
        **_tags(line),
    }


def _tags(line: Line) -> dict[str, Any]:
    keys, values = TAG
    tags = {short(key, keys): short(value, values) for key, value in (line.tags or {}).items()}
    kept = [(key, value) for key, value in tags.items() if key and value][:TAGS]
    return {"Tags": dict(kept)} if kept else {}


def _compliance(line: Line, told: About) -> dict[str, Any]:
    if not told.maps:
        return {}
    status = "FAILED"
    if line.status is Status.RESOLVED:
        status = "PASSED" if line.resolved_because is Resolution.FIXED else "NOT_AVAILABLE"
    requirements = [short(each, REQUIREMENT) for each in told.maps[:REQUIREMENTS]]
    return {"Compliance": {"Status": status, "RelatedRequirements": requirements}}
