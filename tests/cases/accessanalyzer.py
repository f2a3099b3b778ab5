"""What the checks of IAM Access Analyzer accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.accessanalyzer.checks import (
    accessanalyzer_active_finding,
    accessanalyzer_external_analyzer_missing,
)
from orgscan.services.accessanalyzer.facts import AccessAnalysis, Analyzer, ExternalAccess, Region
from tests.cases.case import Case, cannot_tell, fails, passes

HERE = "arn:aws:access-analyzer:eu-west-1:123456789012"
REGION = Region(arn=f"{HERE}:account")
ANALYZER = Analyzer(arn=f"{HERE}:analyzer/all", name="all", kind="ACCOUNT", status="ACTIVE", findings=())
UNUSED = replace(ANALYZER, name="unused", kind="ACCOUNT_UNUSED_ACCESS", findings=None)
NONE = "no analyzer for external access is active"
DENIED = Gap("accessanalyzer-analyses", Blindness.DENIED, "access-analyzer:ListAnalyzers")

MISSING_CASES: list[Case] = [
    passes(accessanalyzer_external_analyzer_missing, REGION, beside=[REGION, ANALYZER]),
    passes(accessanalyzer_external_analyzer_missing, REGION, beside=[replace(ANALYZER, kind="ORGANIZATION")]),
    fails(accessanalyzer_external_analyzer_missing, REGION, Problem(NONE), beside=[REGION]),
    fails(accessanalyzer_external_analyzer_missing, REGION, NONE, beside=[REGION, UNUSED]),
    fails(
        accessanalyzer_external_analyzer_missing,
        REGION,
        NONE,
        beside=[replace(ANALYZER, kind="ORGANIZATION_INTERNAL_ACCESS")],
    ),
    fails(
        accessanalyzer_external_analyzer_missing,
        REGION,
        f"{NONE}: all is disabled, new is creating",
        beside=[
            replace(ANALYZER, status="DISABLED"),
            replace(ANALYZER, arn="a", name="new", status="CREATING"),
        ],
    ),
    # What an analyzer found is another question.
    passes(accessanalyzer_external_analyzer_missing, REGION, beside=[replace(ANALYZER, findings=DENIED)]),
    passes(accessanalyzer_external_analyzer_missing, UNUSED, beside=[REGION, UNUSED]),
    passes(
        accessanalyzer_external_analyzer_missing,
        REGION,
        parameters={"org_analyzer_regions": ["us-east-1", "eu-*"]},
        lost={AccessAnalysis: DENIED},
    ),
    fails(
        accessanalyzer_external_analyzer_missing,
        REGION,
        NONE,
        parameters={"org_analyzer_regions": ["us-east-1"]},
    ),
    cannot_tell(
        accessanalyzer_external_analyzer_missing, REGION, "ListAnalyzers", lost={AccessAnalysis: DENIED}
    ),
]

BUCKET = "arn:aws:s3:::shared"
SHARED = ExternalAccess("f1", BUCKET, "AWS::S3::Bucket", public=False, principals=("AWS 998877665544",))
OPEN = ExternalAccess("f2", "arn:aws:sqs:x", "AWS::SQS::Queue", public=True, principals=("AWS *",))
BROKEN = replace(SHARED, id="f3", error="ACCESS_DENIED")
FINDING_CASES: list[Case] = [
    passes(accessanalyzer_active_finding, ANALYZER),
    passes(accessanalyzer_active_finding, REGION),
    passes(accessanalyzer_active_finding, UNUSED),
    fails(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=(SHARED, OPEN)),
        Problem(f"{BUCKET} can be reached by AWS 998877665544", key="f1"),
        Problem("arn:aws:sqs:x can be reached by everybody", Severity.CRITICAL, key="f2"),
    ),
    fails(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=(replace(SHARED, principals=()),)),
        f"{BUCKET} can be reached by somebody outside",
    ),
    fails(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=(SHARED, OPEN)),
        f"{BUCKET} can be reached by AWS 998877665544",
        parameters={"resource_types": ["AWS::S3::Bucket"]},
    ),
    passes(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=(SHARED, BROKEN)),
        parameters={"resource_types": ["AWS::KMS::Key"]},
    ),
    Case(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=(BROKEN, OPEN)),
        ("arn:aws:sqs:x can be reached by everybody",),
        unread=f"{BUCKET} could not be analyzed: ACCESS_DENIED",
    ),
    cannot_tell(
        accessanalyzer_active_finding,
        replace(ANALYZER, findings=Gap("external_access", Blindness.DENIED, "access-analyzer:ListFindings")),
        "ListFindings",
    ),
]

CASES = [*MISSING_CASES, *FINDING_CASES]
