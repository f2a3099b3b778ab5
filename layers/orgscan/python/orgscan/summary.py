"""Receipts of a scan -> what it came to, for one reader or for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orgscan import catalog
from orgscan.catalog import Catalog
from orgscan.compliance import Assessment, Result
from orgscan.cost import Usage
from orgscan.digest import Digest, Told, examples
from orgscan.membership import Move
from orgscan.meter import NOTHING, Spent
from orgscan.model import Blindness, Category, Severity, Standing, Target
from orgscan.organization import Account
from orgscan.plan import Plan
from orgscan.receipt import Part, Receipt
from orgscan.reconcile import Change
from orgscan.routing import about, concerns, within
from orgscan.settings import Route
from orgscan.suppress import Suppression
from orgscan.tagged import Shares

QUIET = (Change.EASED, Change.SUPPRESSED)
"""What is counted, and no reason for a message."""
Cause: TypeAlias = tuple[Change, Severity, str]
"""What happened, how bad it is, which check says so."""


@dataclass
class Blind:
    """Units, (account, region, check), that share a reason for not being evaluated."""

    units: int = 0
    targets: set[Target] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Ending:
    """A suppression that ends soon or has ended."""

    rule: Suppression
    days: int
    """To its last day; negative once it has expired."""
    fresh: bool
    """Nobody was told before."""


@dataclass
class ScanSummary:
    plan: Plan
    finished: str
    """ISO 8601 UTC."""
    skipped: tuple[Account, ...] = ()
    """In scope, but not active."""
    moves: tuple[Move, ...] = ()
    """Accounts that joined, left or changed state, and nobody was told before."""
    accounts: set[str] = field(default_factory=set)
    targets: int = 0
    reached: int = 0
    """Targets of which at least one check was evaluated."""
    units: int = 0
    """Planned (account, region, check)."""
    evaluated: int = 0
    unseen: dict[tuple[Blindness, str], Blind] = field(default_factory=lambda: defaultdict(Blind))
    newly_blind: int = 0
    coverage_before: float | None = None
    """Percent, of the scan before of the same schedule; None where there is none to compare with."""
    open: Counter[tuple[Severity, Category]] = field(default_factory=Counter)
    changes: Counter[Cause] = field(default_factory=Counter)
    told: dict[Cause, list[Told]] = field(default_factory=lambda: defaultdict(list))
    monthly_usd: float = 0.0
    unpriced: int = 0
    unconfirmed: int = 0
    unconfirmed_since: str = ""
    """Of the open finding that waits longest; empty when all are confirmed."""
    suppressed: Counter[tuple[Severity, Category]] = field(default_factory=Counter)
    suppressed_by: Counter[str] = field(default_factory=Counter)
    """Key of a suppression -> how many findings it covers."""
    endings: tuple[Ending, ...] = ()
    resources: Counter[str] = field(default_factory=Counter)
    tagged: Shares = field(default_factory=Shares)
    spent: Spent = NOTHING
    """By planning and by the workers."""
    kept: int = 0
    """Findings in the table, of all targets, those that are resolved too."""
    usage: Usage | None = None
    """Of the whole scan, also for a route; None until it is reported."""
    compliance: tuple[Result, ...] = ()
    """Of each framework; empty for a route, which may not concern all of it."""
    digest: Digest | None = None
    """What is open, cause by cause; None: only what changed is told."""
    unowned: int = 0
    """Open findings for which nobody answers; of everything."""
    top_fixes: tuple[Mapping[str, Any], ...] = ()
    """`Rollup.top_fixes`; of everything."""

    @property
    def complete(self) -> bool:
        return 0 < self.evaluated == self.units

    @property
    def coverage(self) -> float:
        """Percent, rounded down, so that 100 means all."""
        return self.evaluated * 1000 // self.units / 10 if self.units else 0.0

    @property
    def lost(self) -> float:
        """Points of coverage since the scan before; negative where it sees more."""
        return 0.0 if self.coverage_before is None else self.coverage_before - self.coverage

    @property
    def news(self) -> bool:
        """Whether anything happened that somebody should hear of."""
        loud = any(change not in QUIET for change, _, _ in +self.changes)
        fresh = any(ending.fresh for ending in self.endings)
        return bool(self.newly_blind or loud or fresh or self.moves)

    @property
    def telling(self) -> bool:
        """Whether there is something to send."""
        return self.news or self.digest is not None

    def gaps(self) -> Sequence[tuple[tuple[Blindness, str], Blind]]:
        """Why something was not seen, the largest first."""
        return sorted(self.unseen.items(), key=lambda each: (-each[1].units, each[0]))

    def count(self, change: Change) -> int:
        return sum(self.by_severity(change).values())

    def by_severity(self, change: Change | None = None) -> Mapping[Severity, int]:
        """Open findings, or those a scan changed that way; worst first."""
        totals: Counter[Severity] = Counter()
        if change:
            for (kind, severity, _), number in self.changes.items():
                totals[severity] += number if kind is change else 0
        else:
            for (severity, _), number in self.open.items():
                totals[severity] += number
        return {severity: totals[severity] for severity in reversed(Severity) if totals[severity]}


def summarise(
    plan: Plan,
    receipts: Iterable[Receipt],
    *,
    finished: str,
    route: Route | None = None,
    endings: Iterable[Ending] = (),
    moves: Iterable[Move] = (),
    checks: Catalog | None = None,
) -> ScanSummary:
    """Of everything, or of what a route is about."""
    (only,) = summaries(
        plan, receipts, [route], finished=finished, endings=endings, moves=moves, checks=checks
    )
    return only


def summaries(
    plan: Plan,
    receipts: Iterable[Receipt],
    routes: Iterable[Route | None],
    *,
    finished: str,
    endings: Iterable[Ending] = (),
    moves: Iterable[Move] = (),
    checks: Catalog | None = None,
) -> list[ScanSummary]:
    """One for each route; None: of everything. Reads each receipt once for all of them, keeps none.

    `receipts` come by account. `checks`: all that exist; what is deployed if left out.
    """
    everything, endings, moves = checks or catalog.everything(), tuple(endings), tuple(moves)
    sums = [_Sum.of(plan, finished, route, endings, moves, everything) for route in routes]
    spent, kept = plan.spent, 0
    for receipt in receipts:
        spent += receipt.spent
        kept += receipt.kept
        for each in sums:
            each.add(receipt)
    return [each.total(spent, kept) for each in sums]


@dataclass(frozen=True, slots=True)
class _Sum:
    """A summary on the way."""

    summary: ScanSummary
    named: str | None
    """The route; None: it is of everything."""
    route: Route
    asked: Mapping[bool, Collection[str]] | None
    assessment: Assessment | None

    @classmethod
    def of(
        cls,
        plan: Plan,
        finished: str,
        route: Route | None,
        endings: Iterable[Ending],
        moves: Iterable[Move],
        everything: Catalog,
    ) -> _Sum:
        assessment = Assessment(plan.checks, everything) if route is None else None
        named = route.name if route else None
        route = route or Route(name="everything")
        # Who is not scanned has no units and no owner that a scan could know.
        summary = ScanSummary(plan, finished, tuple(each for each in plan.skipped if about(route, each.id)))
        summary.moves = tuple(each for each in moves if about(route, each.account))
        summary.endings = tuple(each for each in endings if _concerned(route, each.rule, everything))
        return cls(summary, named, route, _checks(plan, route, everything), assessment)

    def add(self, receipt: Receipt) -> None:
        if self.assessment:
            self.assessment.add(receipt)
        if self.named is None or concerns(self.route, receipt.target):
            asked = self.asked[receipt.target.once] if self.asked else None
            _add_coverage(self.summary, receipt, asked)
        if self.named is None or within(self.route, receipt.target):
            self.summary.suppressed_by.update(receipt.suppressed_by)
        _add_findings(self.summary, receipt.target, receipt.part(self.named))

    def total(self, spent: Spent, kept: int) -> ScanSummary:
        """With what the whole scan spent and keeps, whomever it is for."""
        self.summary.spent, self.summary.kept = spent, kept
        self.summary.monthly_usd = round(self.summary.monthly_usd, 2)
        self.summary.compliance = self.assessment.results() if self.assessment else ()
        return self.summary


def _concerned(route: Route, rule: Suppression, everything: Catalog) -> bool:
    """A suppression that names no check or account concerns everyone."""
    families = {check.id: check.category for check in everything.checks}
    category = families.get(rule.check)
    return (not rule.account or about(route, rule.account)) and (
        not category or category in (route.categories or Category)
    )


def _checks(plan: Plan, route: Route, everything: Catalog) -> Mapping[bool, Collection[str]] | None:
    """The planned checks of global (True) and regional targets whose coverage concerns a route; None: all.

    A check may find worse than it declares, so there is none that a minimum severity can do without.
    """
    if not route.categories:
        return None
    due = everything.only(plan.checks)
    return {
        once: {check.id for check in due.planned(once=once) if check.category in route.categories}
        for once in (True, False)
    }


def _add_coverage(summary: ScanSummary, receipt: Receipt, checks: Collection[str] | None) -> None:
    def concerning(ids: Collection[str]) -> int:
        return len(ids) if checks is None else sum(each in checks for each in ids)

    planned = receipt.planned if checks is None else len(checks)
    if not planned or receipt.target.standing is not Standing.DUE:
        return
    evaluated = planned
    for unseen in receipt.unseen:
        if units := concerning(unseen.checks):
            blind = summary.unseen[unseen.reason, unseen.detail]
            blind.units += units
            blind.targets.add(receipt.target)
            evaluated -= units
    summary.accounts.add(receipt.target.account)
    summary.targets += 1
    summary.reached += evaluated > 0
    summary.units += planned
    summary.evaluated += evaluated
    summary.newly_blind += concerning(receipt.newly_blind)
    summary.resources.update(receipt.resources)
    summary.tagged.add(receipt.target.account, receipt.tagged)


def _add_findings(summary: ScanSummary, target: Target, part: Part) -> None:
    summary.monthly_usd += part.monthly_usd
    summary.unpriced += part.unpriced
    summary.unconfirmed += part.unconfirmed
    since = filter(None, (summary.unconfirmed_since, part.unconfirmed_since))
    summary.unconfirmed_since = min(since, default="")
    summary.suppressed.update(part.suppressed)
    summary.open.update(part.open)
    for (change, severity, _, check), number in part.changed.items():
        summary.changes[change, severity, check] += number
    for notable in part.notable:
        cause = (notable.change, notable.severity, notable.check)
        summary.told[cause] = examples([*summary.told[cause], Told(target, notable)])
