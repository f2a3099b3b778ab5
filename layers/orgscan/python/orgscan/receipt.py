"""What one scan of one target came to. Targets planned minus receipts found = targets not reached."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from orgscan.coverage import Coverage
from orgscan.meter import NOTHING, Spent
from orgscan.model import Blindness, Category, Gap, Severity, Target
from orgscan.reconcile import Change, Record, Status, Step, badness
from orgscan.routing import Routing
from orgscan.tagged import Share, told

NOTABLE_PER_FAMILY = 10
"""Changes told in detail per target, kind of change and category; the others are counted."""
NOTABLE = 60
NOTABLE_LEAST = 6
"""For each route, however many there are."""
TOLD_PROBLEMS, LONGEST = 3, 200
"""Of a change told in detail, and characters of each. All this keeps a receipt well below 400 KB."""
NO_RECEIPT = Gap(
    "target", Blindness.FAULT, "the worker ended without a receipt: it crashed or ran out of time"
)


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
    owner: str = ""
    """Empty: nobody is named."""
    opened: str = ""
    """When the scan started that found it, ISO 8601 UTC. Empty in receipts of earlier versions."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Checks that share one reason for not being evaluated."""

    reason: Blindness
    detail: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a receipt tells of findings: of all of them, or of those that reach one route."""

    open: Mapping[tuple[Severity, Category], int] = field(default_factory=dict)
    suppressed: Mapping[tuple[Severity, Category], int] = field(default_factory=dict)
    changed: Mapping[tuple[Change, Severity, Category, str], int] = field(default_factory=dict)
    """By check too, so that a message can say how many more of a cause there are."""
    notable: tuple[Notable, ...] = ()
    monthly_usd: float = 0.0
    """What the open cost findings would save; a resource counts once, with its largest saving."""
    unpriced: int = 0
    unconfirmed: int = 0
    """Open findings that this scan should have confirmed or closed and could not."""
    unconfirmed_since: str = ""
    """When the first scan started that could not, of the one that waits longest; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Part):
    """Its own numbers are those of all findings."""

    scan: str
    target: Target
    planned: int
    """Checks."""
    unseen: tuple[Unseen, ...]
    newly_blind: tuple[str, ...]
    """Checks that the scan before could evaluate here and this one could not."""
    resources: Mapping[str, int]
    tagged: Mapping[str, Share]
    """Owner -> how many resources are tagged as they should be; '*': owners for whom there is no room."""
    found: Mapping[str, tuple[int, int]]
    """Check -> its findings, open and suppressed; without those that have none."""
    suppressed_by: Mapping[str, int]
    """Key of a suppression -> how many findings it covers."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Route -> what reaches it. A route that is missing is one that whoever left this did not know."""
    spent: Spent = NOTHING
    """By the attempt that left this, from the target's first part to this; of attempts that died, nothing."""
    kept: int = 0
    """Findings of the target in the table, those that are resolved too."""
    closed: int = 0
    """Those of them that this scan closed, also of what was accepted, which is no news."""

    @property
    def evaluated(self) -> int:
        return self.planned - sum(len(unseen.checks) for unseen in self.unseen)

    @property
    def attributed(self) -> bool:
        """Whether `found` tells of each finding; receipts of earlier versions do not have it."""
        counted = sum(self.open.values()) + sum(self.suppressed.values())
        return sum(map(sum, self.found.values())) == counted

    def part(self, route: str | None) -> Part:
        """None: of everything. Who cannot be told what is theirs is told all: too much is no silence."""
        return self if route is None else self.parts.get(route, self)

    @property
    def changes(self) -> Mapping[tuple[Change, Severity, Category], int]:
        totals: Counter[tuple[Change, Severity, Category]] = Counter()
        for (change, severity, category, _), count in self.changed.items():
            totals[change, severity, category] += count
        return totals


@dataclass
class _Sum:
    """Of all findings of a target, or of those that reach one route; keeps none of them but the worst."""

    most: int
    """Changes to tell in detail."""
    open: Counter[tuple[Severity, Category]] = field(default_factory=Counter)
    suppressed: Counter[tuple[Severity, Category]] = field(default_factory=Counter)
    changed: Counter[tuple[Change, Severity, Category, str]] = field(default_factory=Counter)
    savings: dict[str, float] = field(default_factory=dict)
    unpriced: int = 0
    unconfirmed: int = 0
    unconfirmed_since: str = ""
    _worst: dict[tuple[Change, Category], list[Record]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: Record, *, unconfirmed: bool, news: bool) -> None:
        finding = record.finding
        kind = (finding.severity, finding.category)
        if record.status is Status.SUPPRESSED:
            self.suppressed[kind] += 1
        if record.status is Status.OPEN:
            self.open[kind] += 1
            self._add_money(record)
            if unconfirmed:
                self.unconfirmed += 1
                self.unconfirmed_since = min(filter(None, (self.unconfirmed_since, record.unconfirmed_since)))
        if news:
            self.changed[record.change, *kind, finding.check] += 1
            family = self._worst[record.change, finding.category]
            family.append(record)
            if len(family) > 4 * NOTABLE_PER_FAMILY:
                family[:] = nsmallest(NOTABLE_PER_FAMILY, family, key=badness)

    def _add_money(self, record: Record) -> None:
        finding = record.finding
        if finding.category is not Category.COST:
            return
        if finding.saving is None:
            self.unpriced += 1
        else:
            saving = finding.saving.monthly_usd
            self.savings[finding.resource] = max(saving, self.savings.get(finding.resource, 0.0))

    def told(self) -> dict[str, Any]:
        """The fields of a Part."""
        return {
            "open": self.open,
            "suppressed": self.suppressed,
            "changed": self.changed,
            "notable": tuple(map(_told, self._notable())),
            "monthly_usd": round(sum(self.savings.values()), 2),
            "unpriced": self.unpriced,
            "unconfirmed": self.unconfirmed,
            "unconfirmed_since": self.unconfirmed_since,
        }

    def _notable(self) -> list[Record]:
        worst = [
            record
            for _, family in sorted(self._worst.items())
            for record in nsmallest(NOTABLE_PER_FAMILY, family, key=badness)
        ]
        return nsmallest(self.most, worst, key=badness) if len(worst) > self.most else worst


class Tally:
    """Adds up the steps of one target's scan."""

    def __init__(self, scan: str, target: Target, routing: Routing) -> None:
        self._scan, self._target, self._routing = scan, target, routing
        self._all = _Sum(NOTABLE)
        # All routes together tell about as much as one: an item of the table is small.
        most = max(NOTABLE_LEAST, NOTABLE // max(1, len(routing.names)))
        self._of = {name: _Sum(most) for name in routing.names}
        self._open_by, self._accepted_by = Counter[str](), Counter[str]()
        self._suppressed_by = Counter[str]()
        self._kept = self._closed = 0

    def add(self, step: Step, *, due: bool) -> None:
        """`due`: the scan should have confirmed or closed it."""
        record, finding = step.after, step.after.finding
        self._kept += 1
        self._closed += record.status is Status.RESOLVED and record.changed_in == self._scan
        if record.status is Status.SUPPRESSED:
            self._accepted_by[finding.check] += 1
            self._suppressed_by[record.suppressed_by] += 1
        if record.status is Status.OPEN:
            self._open_by[finding.check] += 1
        # Including what an interrupted earlier attempt of this scan already wrote. What was accepted while it
        # was open is no news when it is gone.
        accepted = record.status is Status.RESOLVED and record.suppressed_by
        news = record.changed_in == self._scan and not accepted
        unconfirmed = due and not step.found
        for each in (self._all, *(self._of[name] for name in self._routing.of(finding, self._target))):
            each.add(record, unconfirmed=unconfirmed, news=news)

    def receipt(self, coverage: Coverage, blind_before: Iterable[str], spent: Spent = NOTHING) -> Receipt:
        return Receipt(
            **self._all.told(),
            scan=self._scan,
            target=coverage.target,
            planned=len(coverage.planned),
            unseen=_unseen(coverage),
            newly_blind=tuple(sorted(coverage.gaps.keys() - set(blind_before))),
            resources=coverage.resources,
            tagged=told(coverage.tagged),
            found={
                check: (self._open_by[check], self._accepted_by[check])
                for check in sorted({*self._open_by, *self._accepted_by})
            },
            suppressed_by=self._suppressed_by,
            parts={name: Part(**each.told()) for name, each in self._of.items()},
            spent=spent,
            kept=self._kept,
            closed=self._closed,
        )


def _unseen(coverage: Coverage) -> tuple[Unseen, ...]:
    checks: dict[tuple[Blindness, str], list[str]] = defaultdict(list)
    for check, gap in sorted(coverage.gaps.items()):
        checks[gap.reason, gap.detail].append(check)
    return tuple(Unseen(reason, detail, tuple(ids)) for (reason, detail), ids in checks.items())


def _told(record: Record) -> Notable:
    finding = record.finding
    problems = [text if len(text) <= LONGEST else f"{text[:LONGEST]}..." for text in finding.problems]
    return Notable(
        change=record.change,
        check=finding.check,
        severity=finding.severity,
        category=finding.category,
        resource=finding.resource,
        problems=tuple(problems[:TOLD_PROBLEMS]),
        monthly_usd=finding.saving.monthly_usd if finding.saving else None,
        because=record.resolved_because or "",
        owner=finding.owner.name,
        opened=record.opened,
    )
