"""One scan's findings by account, check, owner and age: what trends and the top fixes are made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
class Cause:
    """A check, and what mending all that it finds would take away."""

    open: Counts = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)
    savings: dict[str, float] = field(default_factory=dict)
    """Resource -> USD a month."""

    @property
    def monthly_usd(self) -> float:
        return round(sum(self.savings.values()), 2)


@dataclass
class Rollup:
    """Of the open findings that it was shown, and of those that the scan closed. Memory grows with causes."""

    now: datetime
    accounts: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counter))
    names: dict[str, str] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=lambda: defaultdict(Cause))
    owners: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counter))
    ages: dict[Severity, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    mended: dict[Severity, list[float]] = field(default_factory=lambda: defaultdict(list))
    savings: dict[tuple[str, str], float] = field(default_factory=dict)
    """(account, resource) -> USD a month; a resource counts once, with its largest saving."""

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, counted as they pass."""
        for line in lines:
            if line.status is Status.OPEN:
                self._add(line)
            yield line

    def _add(self, line: Line) -> None:
        self.names[line.account] = line.account_name
        self.accounts[line.account][line.severity] += 1
        self.owners[line.owner.name][line.severity] += 1
        self.ages[line.severity][_bucket(_days(line.opened, self.now))] += 1
        cause = self.causes[line.check]
        cause.open[line.severity] += 1
        cause.accounts.add(line.account)
        if line.category is Category.COST and line.saving:
            usd, resource = line.saving.monthly_usd, (line.account, line.resource)
            cause.savings[line.resource] = max(usd, cause.savings.get(line.resource, 0.0))
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
        ranked = sorted(self.causes.items(), key=lambda each: (_badness(each[1]), each[0]))
        return [
            {
                "check": check,
                "severity": max(cause.open, key=lambda severity: severity.rank),
                "findings": cause.open.total(),
                "critical": cause.open[Severity.CRITICAL],
                "high": cause.open[Severity.HIGH],
                "monthly_usd": cause.monthly_usd,
                "accounts": len(cause.accounts),
            }
            for check, cause in ranked[:TOP_FIXES]
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
            "checks": {check: _told(cause.open) for check, cause in sorted(self.causes.items())},
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


def _badness(cause: Cause) -> tuple[float, ...]:
    return (*(-cause.open[severity] for severity in reversed(Severity)), -cause.monthly_usd)


def _days(since: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(since)).total_seconds() / 86_400)


def _bucket(days: float) -> str:
    return next((str(bound) for bound in AGES if days <= bound), "older")
