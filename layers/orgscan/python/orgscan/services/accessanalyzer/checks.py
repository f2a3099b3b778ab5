"""What we expect of IAM Access Analyzer."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.services.accessanalyzer.facts import AccessAnalysis, Analyzer, ExternalAccess, Region


@check(
    AccessAnalysis,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Create an analyzer for external access in the region, of the account or of the organization.",
    also=(AccessAnalysis,),
    maps=("CIS AWS 3.0 1.20", "CIS AWS 5.0 1.19", "CIS AWS 6.0 2.19", "CIS AWS 7.0 2.18"),
    equivalent=("prowler:accessanalyzer_enabled",),
    cli=(
        (
            "aws accessanalyzer create-analyzer --analyzer-name external-access --type ACCOUNT --region "
            "{region}"
        ),
    ),
    cdk="""
        accessanalyzer.CfnAnalyzer(self, "Analyzer", type="ACCOUNT")
    """,
)
def accessanalyzer_external_analyzer_missing(
    region: AccessAnalysis, view: View, *, org_analyzer_regions: Sequence[str] = []
) -> Problems:
    """The region has no active analyzer for access from outside.

    Then nobody is told when a bucket, a role or a key is opened to others. Analyzers of unused or inner
    access do not count. An organization's analyzer of another account cannot be seen from here:
    `org_analyzer_regions` (names or globs) are those that it covers.
    """
    if not isinstance(region, Region) or any(
        fnmatchcase(view.target.region, each) for each in org_analyzer_regions
    ):
        return
    external = [each for each in view.every(AccessAnalysis) if isinstance(each, Analyzer) and each.external]
    if not any(each.active for each in external):
        states = ", ".join(f"{each.name} is {each.status.lower()}" for each in external)
        yield f"no analyzer for external access is active{f': {states}' if states else ''}"


@check(
    AccessAnalysis,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Take the access away, or archive the finding with a reason.",
    equivalent=("prowler:accessanalyzer_enabled_without_findings", "trusted-advisor:07602fcad6"),
    cli=(
        "aws accessanalyzer get-finding --analyzer-arn {arn} --id {key} --region {region}",
        (
            "aws accessanalyzer update-findings --analyzer-arn {arn} --ids {key} --status "
            "'<archived-if-the-access-is-meant>' --region {region}"
        ),
    ),
    cdk="""
        accessanalyzer.CfnAnalyzer(
            self,
            "Analyzer",
            type="ACCOUNT",
            archive_rules=[
                accessanalyzer.CfnAnalyzer.ArchiveRuleProperty(
                    rule_name="<reason>",
                    filter=[
                        accessanalyzer.CfnAnalyzer.FilterProperty(property="resource", eq=["<resource-arn>"])
                    ],
                )
            ],
        )
    """,
)
def accessanalyzer_active_finding(
    analyzer: AccessAnalysis, *, resource_types: Sequence[str] = []
) -> Problems:
    """An external access finding is active and unreviewed.

    AWS has proven that somebody outside can reach the resource, and nobody has said that this is meant.
    Critical where everybody can. One finding for each of the analyzer's; archived and resolved ones are gone.
    `resource_types` ('AWS::S3::Bucket') limits it to those; empty means all.
    """
    if not isinstance(analyzer, Analyzer):
        return
    findings = known(analyzer.findings) or ()
    asked = [each for each in findings if not resource_types or each.kind in resource_types]
    for each in asked:
        if not each.error:
            yield Problem(_said(each), Severity.CRITICAL if each.public else None, key=each.id)
    failed = [each for each in asked if each.error]
    if failed:
        detail = f"{failed[0].resource} could not be analyzed: {failed[0].error}"
        raise Unread(Gap("accessanalyzer-active-finding", Blindness.NO_DATA, detail))


def _said(finding: ExternalAccess) -> str:
    who = "everybody" if finding.public else ", ".join(finding.principals) or "somebody outside"
    return f"{finding.resource} can be reached by {who}"
