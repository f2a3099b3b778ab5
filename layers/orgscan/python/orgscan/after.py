"""After the last target: what the end of a scan asks of the place where findings live, whichever that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orgscan.catalog import Catalog
from orgscan.coverage import Coverage, Look
from orgscan.line import Line
from orgscan.membership import Move
from orgscan.model import Gap, Severity, Standing, Target
from orgscan.plan import Plan
from orgscan.port import Store
from orgscan.receipt import Receipt
from orgscan.reconcile import Change, Record
from orgscan.routing import Routing
from orgscan.settings import Configuration
from orgscan.summary import Ending
from orgscan.suppress import EXPIRING_DAYS, Suppression, Suppressions


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """Of targets of which nothing was seen: each becomes a gap, and nothing of it clean."""

    plan: Plan
    catalog: Catalog
    configuration: Configuration

    def record(self, store: Store, target: Target, lost: Gap) -> Receipt:
        plan, decided = self.plan, self.configuration
        reach = plan.reach(self.catalog.ids(without=decided.off))
        due = self.catalog.only(plan.checks).planned(once=target.once)
        checks = due if target.standing is Standing.DUE else ()
        return store.record(
            plan.scan,
            plan.started,
            Look((), Coverage.blind(target, checks, lost, reach)),
            rules=Suppressions(decided.suppressions, plan.moment),
            routing=Routing(decided.routes, decided.owner_tags),
            was=self.catalog.renamed(),
        )


def receipts(store: Store, plan: Plan) -> Iterator[Receipt]:
    """All; what nobody scans any more is planned until nothing of it is left, and then forgotten."""
    for left in store.receipts(plan.scan):
        if left.target.standing is not Standing.DUE and not left.open and not left.suppressed:
            store.forget(left.target, plan.scan)
        yield left


def endings(store: Store, plan: Plan, rules: Iterable[Suppression]) -> Iterator[Ending]:
    """Each is news twice, when it comes near and when it has come, and told for as long as it stands."""
    for rule in rules:
        days = rule.days(plan.moment)
        if days <= EXPIRING_DAYS:
            stage = "expired" if rule.expired(plan.moment) else "expiring"
            what = f"{rule.key}#{rule.expires}#{stage}"
            yield Ending(rule, days, fresh=plan.notify and store.first_to_tell(what, plan.scan))


def moves(store: Store, plan: Plan) -> Iterator[Move]:
    """Those that no other scan told of meanwhile; a scan that tells nobody leaves them for the next."""
    for move in plan.moves:
        if not plan.notify or store.first_to_move(move, plan.scan):
            yield move


def standing(store: Store) -> Iterator[Record]:
    """Everything open, the worst severity first, and then everything suppressed; of all targets."""
    for severity in reversed(Severity):
        yield from store.open_findings(severity)
    yield from store.suppressed_findings()


@dataclass
class Listed:
    """Which findings a scan lists, as its receipts tell."""

    expected: int = 0
    """How many are open or suppressed."""
    targets: set[tuple[str, str]] = field(default_factory=set)
    closing: list[Target] = field(default_factory=list)
    """Where something was closed."""
    accounts: dict[str, Target] = field(default_factory=dict)
    """Any target of each, for its units."""

    def watch(self, receipts: Iterable[Receipt]) -> Iterator[Receipt]:
        """The same receipts, noted as they pass."""
        for each in receipts:
            self.expected += sum(each.open.values()) + sum(each.suppressed.values())
            self.targets.add((each.target.account, each.target.region))
            self.accounts[each.target.account] = each.target
            if each.closed:
                self.closing.append(each.target)
            yield each

    def only(self, records: Iterable[Record]) -> Iterator[Line]:
        """Those of what was scanned."""
        for record in records:
            target = record.finding.target
            if (target.account, target.region) in self.targets:
                yield Line.of(record)

    def resolved(self, store: Store, scan: str) -> Iterator[Record]:
        """What the scan closed; asks only where a receipt says that there is some."""
        for target in self.closing:
            for record in store.findings(target):
                if record.changed_in == scan and record.change is Change.RESOLVED:
                    yield record
