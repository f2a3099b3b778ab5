"""Many scans, added up: from their summaries and rollups, as plain data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cli.results.status import by_severity
from orgscan.model import Severity
from orgscan.present.text import clean

NOBODY = "nobody"
BUCKETS = {"7": "7 days", "30": "30", "90": "90", "365": "365", "older": "older"}
"""Upper bounds of ages in rollup.json, in days -> headings."""


class By(StrEnum):
    ACCOUNT = "account"
    CHECK = "check"
    OWNER = "owner"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Point:
    """One scan."""

    summary: Mapping[str, Any]
    rollup: Mapping[str, Any] | None
    """None: an earlier version wrote none."""

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.summary["started"]).astimezone(UTC)

    @property
    def open(self) -> int:
        return sum(by_severity(self.summary).values())

    def changed(self, *changes: str) -> int:
        return sum(sum(self.summary["changes"].get(change, {}).values()) for change in changes)

    def as_json(self) -> dict[str, Any]:
        return {
            "scan": self.summary["scan"],
            "schedule": self.summary.get("schedule") or None,
            "started": self.summary["started"],
            "coverage": self.summary["coverage"],
            "targets": self.summary.get("targets", {}).get("planned"),
            "open": by_severity(self.summary),
            "new": self.changed("new", "reopened"),
            "resolved": self.changed("resolved"),
            "monthly_usd": self.summary.get("monthly_usd"),
        }


@dataclass(frozen=True, slots=True)
class Series:
    """Open findings of one account, check, owner or severity, scan by scan."""

    key: str
    label: str
    """For people."""
    counts: Sequence[int]
    """Oldest first."""

    @property
    def step(self) -> int:
        """From the first of the scans to the last."""
        return self.counts[-1] - self.counts[0]


def series(points: Sequence[Point], by: By) -> list[Series]:
    """`points` oldest first, with rollups unless it is by severity. The most of today first."""
    if by is By.SEVERITY:
        told = [by_severity(point.summary) for point in points]
        return [Series(each, each, [of[each] for of in told]) for each in map(str, reversed(Severity))]
    told = [_counts(point.rollup or {}, by) for point in points]
    names = _names(points)
    made = [
        Series(key, _label(by, key, names), [of.get(key, 0) for of in told])
        for key in dict.fromkeys(key for of in told for key in of)
    ]
    return sorted(made, key=lambda each: (-each.counts[-1], -max(each.counts), each.key))


def _counts(rollup: Mapping[str, Any], by: By) -> dict[str, int]:
    if by is By.ACCOUNT:
        return {key: sum(told["open"].values()) for key, told in rollup.get("accounts", {}).items()}
    return {key: sum(told.values()) for key, told in rollup.get(f"{by}s", {}).items()}


def _names(points: Iterable[Point]) -> dict[str, str]:
    """Of accounts, the newest."""
    accounts = [(point.rollup or {}).get("accounts", {}) for point in points]
    return {key: told["name"] for each in accounts for key, told in each.items()}


def _label(by: By, key: str, names: Mapping[str, str]) -> str:
    if by is By.ACCOUNT and names.get(key):
        return f"{clean(names[key])} ({clean(key)})"
    return clean(key) or NOBODY


def days_to_resolve(points: Iterable[Point]) -> dict[str, tuple[int, float]]:
    """Severity -> how many these scans closed, and after how many days on average; worst first."""
    closed = {each.value: [0, 0.0] for each in reversed(Severity)}
    for point in points:
        for severity, told in (point.rollup or {}).get("resolved", {}).items():
            closed[severity][0] += told["findings"]
            closed[severity][1] += told["days"]
    return {each: (int(number), days / number) for each, (number, days) in closed.items() if number}


def ages(point: Point) -> dict[str, dict[str, int]]:
    """Severity -> bucket -> open findings, worst first, of what the scan tells; those that there are."""
    told = (point.rollup or {}).get("ages", {})
    return {
        each.value: {bucket: told[each].get(bucket, 0) for bucket in BUCKETS}
        for each in reversed(Severity)
        if each in told and any(told[each].values())
    }


def bar(value: float, most: float, width: int) -> str:
    """Of text; something that is more than nothing never looks like nothing."""
    return "#" * max(value > 0, round(value * width / most)) if most and width > 0 else ""
