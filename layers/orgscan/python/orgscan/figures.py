"""A finished scan as numbers to be watched. Their names stand here, for the alarms and the dashboard too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from orgscan.model import Blindness, Severity
from orgscan.receipt import NO_RECEIPT

if TYPE_CHECKING:
    from orgscan.summary import ScanSummary

SCHEDULE, BY_HAND = "schedule", "by hand"
"""The dimension, and its value where no schedule asked: no schedule can have a space in its name."""
COMPLETED, COVERAGE, SECONDS = "ScansCompleted", "Coverage", "ScanSeconds"
PLANNED, REACHED = "TargetsPlanned", "TargetsReached"
OPEN = {severity: f"Open{severity.title()}" for severity in Severity}
UNSEEN = {reason: f"Unseen{reason.title().replace('-', '')}" for reason in Blindness}
"""Checks times targets."""
DROP, MISSING = "CoverageDrop", "TargetsWithoutReceipt"
COUNT, PERCENT, DURATION = "Count", "Percent", "Seconds"


class Figure(NamedTuple):
    name: str
    unit: str
    """CloudWatch's word."""
    value: float


def figures(summary: ScanSummary) -> Iterator[Figure]:
    """What belongs to one schedule."""
    unseen: Counter[Blindness] = Counter()
    for (reason, _), blind in summary.unseen.items():
        unseen[reason] += blind.units
    opened = summary.by_severity()
    yield Figure(COMPLETED, COUNT, 1)
    yield Figure(COVERAGE, PERCENT, summary.coverage)
    yield Figure(SECONDS, DURATION, _seconds(summary))
    yield Figure(PLANNED, COUNT, summary.plan.planned)
    yield Figure(REACHED, COUNT, summary.reached)
    for severity, name in OPEN.items():
        yield Figure(name, COUNT, opened.get(severity, 0))
    for reason, name in UNSEEN.items():
        yield Figure(name, COUNT, unseen[reason])


def alarming(summary: ScanSummary) -> Iterator[Figure]:
    """What is wrong whichever schedule it was, so that one alarm hears of all; 0 on a good day."""
    yield Figure(DROP, COUNT, round(max(0.0, summary.lost), 1))
    yield Figure(MISSING, COUNT, missing(summary))


def missing(summary: ScanSummary) -> int:
    """Planned targets whose worker told nothing, and whatever else makes plan and outcomes differ."""
    silent = summary.unseen.get((NO_RECEIPT.reason, NO_RECEIPT.detail))
    return (len(silent.targets) if silent else 0) + abs(summary.plan.planned - summary.targets)


def _seconds(summary: ScanSummary) -> float:
    finished = datetime.fromisoformat(summary.finished)
    return (finished - summary.plan.moment).total_seconds()
