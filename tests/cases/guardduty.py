"""What the GuardDuty check accepts and rejects."""

from orgscan.check import Problem
from orgscan.model import Blindness, Gap
from orgscan.services.guardduty.checks import guardduty_disabled
from orgscan.services.guardduty.facts import Detector, ThreatDetection
from tests.cases.case import Case, cannot_tell, fails, passes


def region(**detectors: str | Gap | None) -> ThreatDetection:
    return ThreatDetection(
        arn="arn:aws:guardduty:eu-west-1:123456789012:detector",
        detectors=tuple(Detector(id=id_, status=status) for id_, status in detectors.items()),
    )


CASES: list[Case] = [
    passes(guardduty_disabled, region(d1="ENABLED")),
    fails(guardduty_disabled, region(), Problem("there is no detector")),
    fails(guardduty_disabled, region(d1="DISABLED"), "detector d1 is disabled"),
    fails(guardduty_disabled, region(d1="UNHEARD-OF"), "detector d1 is unheard-of"),
    passes(guardduty_disabled, region(d1="DISABLED", d2="ENABLED")),
    cannot_tell(
        guardduty_disabled,
        region(d1=Gap("detector_status", Blindness.DENIED, "guardduty:GetDetector")),
        "guardduty:GetDetector",
    ),
]
