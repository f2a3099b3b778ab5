"""One scan's findings by account, check, owner and age: what trends and the top fixes are made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgscan.fixes import Sums, top_fixes
from orgscan.line import Line
from orgscan.model import Category, Severity
from orgscan.reconcile import Status

AGES = (7, 30, 90, 365)
"""Days; the upper bounds of the age buckets, beyond the last of which is `older`."""
OWNERS = 1_000
"""Whose names are kept, those of the most findings: a tag may say something else on every resource."""
TOP_FIXES = 10

Counts = Counter[Severity]


@dataclass
class Rollup:
    """Of the open findings that it was shown, and of those that the scan closed. Memory grows with causes."""

    now: datetime
    accounts: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counter))
    names: dict[str, str] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    owners: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counter))
    ages: dict[Severity, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    mended: dict[Severity, list[float]] = field(default_factory=lambda: defaultdict(list))
    savings: dict[tuple[str, str], float] = field(default_factory=dict)
    """(account, resource) -> USD a month; a resource counts once, with its largest saving."""

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, counted as they pass."""
        for line in self.sums.passing(lines):
            if line.status is Status.OPEN:
                self._add(line)
            yield line

    def _add(self, line: Line) -> None:
        self.names[line.account] = line.account_name
        self.accounts[line.account][line.severity] += 1
        self.owners[line.owner.name][line.severity] += 1
        self.ages[line.severity][_bucket(_days(line.opened, self.now))] += 1
        if line.category is Category.COST and line.saving:
            usd, resource = line.saving.monthly_usd, (line.account, line.resource)
            self.savings[resource] = max(usd, self.savings.get(resource, 0.0))

    def resolving(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, all of them closed by this scan, and how long each had been open."""
        for line in lines:
            self.mended[line.severity].append(_days(line.opened, self.now))
            yield line

    @property
    def unowned(self) -> int:
        """Open findings for which nobody answers."""
        return self.owners[""].total() if "" in self.owners else 0

    def top_fixes(self) -> list[dict[str, Any]]:
        """The causes whose mending takes away the worst, the worst first."""
        causes = self.sums.causes
        return [
            {
                "check": check,
                "severity": max(causes[check].findings, key=lambda severity: severity.rank),
                "findings": causes[check].findings.total(),
                "critical": causes[check].findings[Severity.CRITICAL],
                "high": causes[check].findings[Severity.HIGH],
                "monthly_usd": causes[check].monthly_usd,
                "accounts": len(causes[check].accounts),
            }
            for check in top_fixes(causes, TOP_FIXES)
        ]

    def to_json(self) -> dict[str, Any]:
        """As rollup.json."""
        spent: defaultdict[str, float] = defaultdict(float)
        for (account, _), usd in self.savings.items():
            spent[account] += usd
        most = sorted(self.owners, key=lambda name: (-self.owners[name].total(), name))[:OWNERS]
        return {
            "accounts": {
                account: {
                    "name": self.names[account],
                    "open": _told(counts),
                    "monthly_usd": round(spent[account], 2),
                }
                for account, counts in sorted(self.accounts.items())
            },
            "checks": {check: _told(cause.findings) for check, cause in sorted(self.sums.causes.items())},
            "owners": {name: _told(self.owners[name]) for name in most},
            "more_owners": len(self.owners) - len(most),
            "ages": {severity: dict(counts) for severity, counts in sorted(self.ages.items())},
            "resolved": {
                severity: {"findings": len(days), "days": round(sum(days), 2)}
                for severity, days in sorted(self.mended.items())
            },
        }


def _told(counts: Counts) -> Mapping[str, int]:
    return {severity: counts[severity] for severity in reversed(Severity) if counts[severity]}


def _days(since: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(since)).total_seconds() / 86_400)


def _bucket(days: float) -> str:
    return next((str(bound) for bound in AGES if days <= bound), "older")
