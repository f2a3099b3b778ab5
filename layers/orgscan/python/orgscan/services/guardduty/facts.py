"""What we know about GuardDuty."""

from dataclasses import dataclass

from orgscan.model import Gap, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    id: str
    status: str | Gap | None
    """'ENABLED' or 'DISABLED'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatDetection(Resource):
    """GuardDuty in a region, whoever enabled it: the account, or the organization's administrator."""

    aws_types = ()

    detectors: tuple[Detector, ...]
