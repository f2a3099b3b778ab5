"""What we expect of GuardDuty."""

from orgscan.check import Problems, check
from orgscan.model import Category, Severity, known
from orgscan.services.guardduty.facts import ThreatDetection


@check(
    ThreatDetection,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Enable GuardDuty for the whole organization from its delegated administrator.",
    maps=("FSBP GuardDuty.1",),
    equivalent=("prowler:guardduty_is_enabled",),
    cli=(
        "aws guardduty list-detectors --region {region}",
        "aws guardduty create-detector --enable --region {region}",
        "aws guardduty update-detector --detector-id '<one-that-is-suspended>' --enable --region {region}",
        (
            "aws guardduty update-organization-configuration --detector-id "
            "'<of-the-delegated-administrator>' --auto-enable-organization-members ALL --region {region}"
        ),
    ),
    cdk="""
        guardduty.CfnDetector(self, "Detector", enable=True)
    """,
)
def guardduty_disabled(region: ThreatDetection) -> Problems:
    """GuardDuty is not enabled in a region.

    Stolen credentials and miners show up there first, best in regions that nobody uses. A detector that is
    suspended detects nothing.
    """
    if not region.detectors:
        yield "there is no detector"
        return
    statuses = {each.id: known(each.status) for each in region.detectors}
    if "ENABLED" not in statuses.values():
        yield from (f"detector {id_} is {str(status).lower()}" for id_, status in statuses.items())
