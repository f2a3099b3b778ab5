"""Which few causes to close first: a cause is a check, and what it removes are its open findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern

from orgscan.line import Line
from orgscan.model import Confidence, Severity
from orgscan.reconcile import Status

WORST_FIRST = tuple(reversed(Severity))


@dataclass(slots=True)
class Cause:
    """Open findings of one check."""

    findings: Counter[Severity] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)
    savings: dict[Confidence, float] = field(default_factory=lambda: defaultdict(float))
    """USD a month."""
    unpriced: int = 0
    """Findings about money without an amount."""

    @property
    def weight(self) -> tuple[int, ...]:
        """Findings by severity, the worst first."""
        return tuple(self.findings[severity] for severity in WORST_FIRST)

    @property
    def monthly_usd(self) -> float:
        return round(sum(self.savings.values()), 2)


@dataclass(slots=True)
class Sums:
    """Of all open findings, taken while somebody else reads them."""

    causes: dict[str, Cause] = field(default_factory=dict)
    regions: dict[str, Counter[Severity]] = field(default_factory=dict)

    def passing(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            if line.status is Status.OPEN:
                self._add(line)
            yield line

    def _add(self, line: Line) -> None:
        cause = self.causes.setdefault(line.check, Cause())
        cause.findings[line.severity] += 1
        cause.accounts.add(intern(line.account))
        self.regions.setdefault(line.region, Counter())[line.severity] += 1
        if line.saving:
            cause.savings[line.saving.confidence] += line.saving.monthly_usd
        elif line.category is line.category.COST:
            cause.unpriced += 1


def top_fixes(causes: Mapping[str, Cause], most: int) -> Sequence[str]:
    """The checks that remove most of the worst severity, then most of the next, and so on."""
    return sorted(causes, key=lambda check: (*(-count for count in causes[check].weight), check))[:most]


def removed(causes: Mapping[str, Cause], closed: Iterable[str]) -> Mapping[Severity, tuple[int, int]]:
    """Severity -> how many open findings closing these causes removes, of how many; worst first."""
    total: Counter[Severity] = sum((cause.findings for cause in causes.values()), Counter())
    gone: Counter[Severity] = sum((causes[check].findings for check in closed), Counter())
    return {severity: (gone[severity], total[severity]) for severity in WORST_FIRST if total[severity]}
