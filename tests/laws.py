"""The laws of a scan that goes wrong: all is accounted for, nothing is believed unseen, no more is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any

from orgscan import catalog, metrics
from orgscan.catalog import AnyCollector, Catalog
from orgscan.collector import Reader
from orgscan.coverage import Look
from orgscan.engine import look
from orgscan.model import Blindness, Finding, Gap, Resource, Sighting, TagRecord, Target
from orgscan.reconcile import Record, Step, place, reconcile
from orgscan.session import Clients
from orgscan.spool import Spool
from orgscan.suppress import Suppressions
from tests.served import ONCE, TARGETS, Recording, Served, record

STARTED, LATER, LAST = (f"2026-01-{day}T12:00:00+00:00" for day in (15, 16, 17))
"""Of three scans."""
EVERYTHING = Catalog(
    tuple(each for each in catalog.checks() if not issubclass(each.resource, Sighting)),
    tuple(each for each in catalog.collectors() if not issubclass(each.resource, Sighting)),
)
"""Without what a scan comes to, which is another thing for each fault."""
CALLS = sorted(frozenset(metrics.CALLS).union(*(each.calls for each in EVERYTHING.collectors)))
"""Planning makes one more, which no scan does."""
TAG_CALLS = frozenset[str]().union(
    *(each.calls for each in EVERYTHING.collectors if issubclass(each.resource, TagRecord))
)


class Lasting(Clients):
    """A scan closes its clients at its end; these serve the next one too."""

    def close(self) -> None:
        """Not at all."""


@dataclass(frozen=True, slots=True)
class World:
    """The served account, and what a scan of it comes to while all is well."""

    served: Served
    clients: Clients
    healthy: dict[Target, Look] = field(default_factory=dict)
    spools: list[Spool] = field(default_factory=list)

    @property
    def recording(self) -> Recording:
        return self.served.recording

    def look(
        self, target: Target, of: Catalog = EVERYTHING, enter: Callable[[], Clients] | None = None
    ) -> Look:
        self.spools.append(Spool())
        seen = look(target, enter or self._enter, of, now=self.recording.now, spool=self.spools[-1])
        assert seen
        # An assertion in a client's thread is one more error of AWS to the engine.
        assert self.served.unrecorded == []
        return replace(seen, findings=tuple(seen.findings))

    def read(self, collector: AnyCollector, target: Target, **how: Any) -> Iterator[Resource]:
        """What a collector sees, at the time of the recording."""
        return collector.read(self.clients, target, now=self.recording.now, **how)

    def _enter(self) -> Clients:
        return self.clients

    def asking(self, call: str) -> Catalog:
        """The checks that it concerns. Collectors that do not make the call see what they always saw."""
        concerned = {
            check
            for target in TARGETS
            for check, calls in calls_of(target).items()
            if call in calls or call in TAG_CALLS  # any finding may carry tags
        }
        return replace(
            EVERYTHING.only(concerned),
            collectors=tuple(
                each if call in each.calls else remembered(each, self.recording)
                for each in EVERYTHING.collectors
            ),
        )

    def well(self, faulty: Look) -> Look:
        """What the same look comes to while all is well: of the checks that it asked for."""
        healthy, ids = self.healthy[faulty.coverage.target], faulty.coverage.planned
        coverage = replace(
            healthy.coverage,
            planned=healthy.coverage.planned & ids,
            gaps={check: gap for check, gap in healthy.coverage.gaps.items() if check in ids},
            listed=healthy.coverage.listed & ids,
        )
        return Look(tuple(each for each in healthy.findings if each.check in ids), coverage)

    def unread_facts(self, target: Target, call: str) -> list[Gap]:
        """What the last look left open in resources that the call helps to see."""
        return [
            gap
            for each in EVERYTHING.needed(once=target.once)
            if call in each.calls
            for resource in self.spools[-1].every(each.resource)
            for gap in gaps_in(resource)
        ]

    @contextmanager
    def healed(self) -> Iterator[World]:
        """As it was; afterwards the looks that were taken are closed."""
        self.served.heal()
        before = len(self.spools)
        yield self
        self.served.heal()
        for spool in self.spools[before:]:
            spool.close()
        del self.spools[before:]


def remembered(collector: AnyCollector, recording: Recording) -> AnyCollector:
    def collect(aws: Reader) -> Iterator[Resource]:
        return iter(recording.resources[aws.target, collector.name])

    collect.__name__ = collector.collect.__name__
    return replace(collector, calls=frozenset(), collect=collect)


def gaps_in(fact: object) -> Iterator[Gap]:
    if isinstance(fact, Gap):
        yield fact
    elif is_dataclass(fact):
        for each in fields(fact):
            yield from gaps_in(getattr(fact, each.name))
    elif isinstance(fact, (tuple, frozenset)):
        for part in fact:
            yield from gaps_in(part)


@contextmanager
def served_world() -> Iterator[World]:
    served = Served(record())
    world = World(served, Lasting(served.session(), guarded=True, config=ONCE))
    with world.healed():
        world.healthy.update((target, world.look(target)) for target in TARGETS)
        yield world


@cache
def calls_of(target: Target) -> Mapping[str, frozenset[str]]:
    """Check -> the calls on which it can depend what is said of such a target."""
    return {
        check.id: frozenset(metrics.CALLS if check.measures else ()).union(
            *(each.calls for each in Catalog((check,), EVERYTHING.collectors).needed(once=target.once))
        )
        for check in EVERYTHING.planned(once=target.once)
    }


def targets_of(call: str) -> list[Target]:
    """Where the call is made."""
    return [target for target in TARGETS if any(call in calls for calls in calls_of(target).values())]


def of_check(seen: Look, check: str) -> list[Finding]:
    return [finding for finding in seen.findings if finding.check == check]


def new_gaps(healthy: Look, faulty: Look) -> dict[str, Gap]:
    before = healthy.coverage.gaps
    return {check: gap for check, gap in faulty.coverage.gaps.items() if before.get(check) != gap}


def steps(before: Iterable[Record], seen: Look, scan: str, started: str, rules: Suppressions) -> list[Step]:
    return list(reconcile(before, seen, scan=scan, started=started, rules=rules))


def lives(known: Iterable[Record]) -> list[tuple[str, ...]]:
    """All of them but evidence."""
    return [
        (place(each.finding), each.finding.severity, each.status, each.change, each.changed_in)
        for each in known
    ]


def assert_accounted(healthy: Look, faulty: Look, reasons: AbstractSet[Blindness]) -> None:
    """Every check has one outcome, and what is lost is lost for one of these reasons."""
    coverage = faulty.coverage
    assert coverage.planned == healthy.coverage.planned
    assert coverage.evaluated | coverage.gaps.keys() == coverage.planned
    assert not coverage.evaluated & coverage.gaps.keys()
    assert healthy.coverage.gaps.keys() <= coverage.gaps.keys()
    lost = new_gaps(healthy, faulty)
    assert {check: gap for check, gap in lost.items() if gap.reason not in reasons} == {}


def assert_nothing_happened(world: World, faulty: Look) -> list[Record]:
    """The world is as it was: nothing is new, gone, worse or better, and what was not seen says so.

    What is then known of the target.
    """
    nothing_accepted = Suppressions((), world.recording.now)
    healthy = world.well(faulty)
    before = [step.after for step in steps([], healthy, "1", STARTED, nothing_accepted)]
    second = steps(before, faulty, "2", LATER, nothing_accepted)
    after = [step.after for step in second]
    assert lives(after) == lives(before)
    missed = [step.after for step in second if not step.found]
    assert {each.finding.check for each in missed} <= faulty.coverage.gaps.keys()
    assert {each.unconfirmed_since for each in missed} <= {LATER}
    assert {step.after.unconfirmed_since for step in second if step.found} <= {""}
    return after


def assert_isolated(healthy: Look, faulty: Look, failed: AbstractSet[str]) -> None:
    """What does not need these calls says what it always says; what got by without them finds the same."""
    lost = new_gaps(healthy, faulty)
    same = untagged if failed & TAG_CALLS else list
    for check, calls in calls_of(faulty.coverage.target).items():
        if check not in faulty.coverage.planned:
            continue
        before, after = of_check(healthy, check), of_check(faulty, check)
        if calls.isdisjoint(failed):
            assert check not in lost
            assert same(after) == same(before)
        elif check not in lost:
            assert _bare(after) == _bare(before)


def untagged(findings: Iterable[Finding]) -> list[Finding]:
    return [replace(finding, tags=None) for finding in findings]


def _bare(findings: Iterable[Finding]) -> list[Finding]:
    """Without evidence."""
    return [replace(finding, problems=(), saving=None) for finding in untagged(findings)]


def assert_lawful(
    world: World, faulty: Look, failed: AbstractSet[str], reasons: AbstractSet[Blindness]
) -> None:
    healthy = world.well(faulty)
    assert_accounted(healthy, faulty, reasons)
    assert_nothing_happened(world, faulty)
    assert_isolated(healthy, faulty, failed)
