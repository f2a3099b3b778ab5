"""How we learn about GuardDuty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.services.guardduty.facts import Detector, ThreatDetection

if TYPE_CHECKING:
    from mypy_boto3_guardduty import GuardDutyClient


@collector(ThreatDetection, calls=("guardduty:ListDetectors", "guardduty:GetDetector"))
def guardduty_threat_detections(aws: Reader) -> Iterator[ThreatDetection]:
    guardduty: GuardDutyClient = aws.client("guardduty")
    pages = guardduty.get_paginator("list_detectors").paginate()
    ids = [id_ for page in pages for id_ in page["DetectorIds"]]
    yield ThreatDetection(
        arn=aws.target.arn("guardduty", "detector"),
        detectors=tuple(Detector(id=id_, status=detector_status(guardduty, id_)) for id_ in ids),
    )


@fact(absent=())
def detector_status(guardduty: GuardDutyClient, detector: str) -> str:
    return guardduty.get_detector(DetectorId=detector)["Status"]
