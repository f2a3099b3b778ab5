"""What one scan of one target came to. Targets planned minus receipts found = targets not reached."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from orgscan.coverage import Coverage
from orgscan.model import Blindness, Category, Finding, Severity, Target
from orgscan.reconcile import Change, Reconciled, Record, worst_first

NOTABLE_PER_CATEGORY = 10
"""Changes told in detail per target and category; the others are counted. Keeps a receipt small."""


@dataclass(frozen=True, slots=True)
class Notable:
    """A change worth a line in a message."""

    change: Change
    check: str
    severity: Severity
    category: Category
    resource: str
    problems: tuple[str, ...]
    monthly_usd: float | None
    because: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Checks that share one reason for not being evaluated."""

    reason: Blindness
    detail: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    scan: str
    target: Target
    planned: int
    """Checks."""
    unseen: tuple[Unseen, ...]
    newly_blind: tuple[str, ...]
    """Checks that the scan before could evaluate here and this one could not."""
    resources: Mapping[str, int]
    open: Mapping[tuple[Severity, Category], int]
    changed: Mapping[tuple[Change, Severity, Category, str], int]
    """By check too, so that a message can say how many more of a cause there are."""
    notable: tuple[Notable, ...]
    monthly_usd: float
    """What the open cost findings would save; a resource counts once, with its largest saving."""
    unpriced: int
    unconfirmed: int

    @property
    def evaluated(self) -> int:
        return self.planned - sum(len(unseen.checks) for unseen in self.unseen)

    @property
    def changes(self) -> Mapping[tuple[Change, Severity, Category], int]:
        totals: Counter[tuple[Change, Severity, Category]] = Counter()
        for (change, severity, category, _), count in self.changed.items():
            totals[change, severity, category] += count
        return totals


def receipt(scan: str, coverage: Coverage, after: Reconciled, blind_before: Iterable[str]) -> Receipt:
    findings = [record.finding for record in after.open]
    priced, unpriced = _money(findings)
    return Receipt(
        scan=scan,
        target=coverage.target,
        planned=len(coverage.planned),
        unseen=_unseen(coverage),
        newly_blind=tuple(sorted(coverage.gaps.keys() - set(blind_before))),
        resources=coverage.resources,
        open=Counter((finding.severity, finding.category) for finding in findings),
        changed=Counter(
            (record.change, record.finding.severity, record.finding.category, record.finding.check)
            for record in after.changed
        ),
        notable=_notable(after.changed),
        monthly_usd=priced,
        unpriced=unpriced,
        unconfirmed=after.unconfirmed,
    )


def _unseen(coverage: Coverage) -> tuple[Unseen, ...]:
    checks: dict[tuple[Blindness, str], list[str]] = defaultdict(list)
    for check, gap in sorted(coverage.gaps.items()):
        checks[gap.reason, gap.detail].append(check)
    return tuple(Unseen(reason, detail, tuple(ids)) for (reason, detail), ids in checks.items())


def _money(findings: Iterable[Finding]) -> tuple[float, int]:
    largest: dict[str, float] = {}
    unpriced = 0
    for finding in findings:
        if finding.category is not Category.COST:
            continue
        if finding.saving is None:
            unpriced += 1
        else:
            saving = finding.saving.monthly_usd
            largest[finding.resource] = max(saving, largest.get(finding.resource, 0.0))
    return round(sum(largest.values()), 2), unpriced


def _notable(changed: Iterable[Record]) -> tuple[Notable, ...]:
    def family(record: Record) -> tuple[str, str]:
        return (record.change, record.finding.category)

    chosen: list[Notable] = []
    for _, records in groupby(sorted(changed, key=family), key=family):
        chosen += [_told(record) for record in list(worst_first(records))[:NOTABLE_PER_CATEGORY]]
    return tuple(chosen)


def _told(record: Record) -> Notable:
    finding = record.finding
    return Notable(
        change=record.change,
        check=finding.check,
        severity=finding.severity,
        category=finding.category,
        resource=finding.resource,
        problems=finding.problems,
        monthly_usd=finding.saving.monthly_usd if finding.saving else None,
        because=record.resolved_because or "",
    )
