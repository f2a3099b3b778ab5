"""Looks at a recorded account of which one answer is not what it was: cheap enough for tens of thousands.

The clients are botocore's, but what they were once answered they remember: no request is written or read
again. A collector that yields what it always yields ends the matter; only otherwise is there a look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from threading import RLock
from typing import Any, Self, TypeAlias

import pytest
from botocore.exceptions import ClientError

from orgscan.catalog import AnyCheck, AnyCollector, Catalog
from orgscan.collector import Reader
from orgscan.coverage import Look
from orgscan.engine import look
from orgscan.judge import Judge
from orgscan.model import Finding, Gap, Resource, Target
from orgscan.secrets import hide_named
from orgscan.spool import Spool
from tests.laws import EVERYTHING, Lasting
from tests.mutants import Mutant, mutants
from tests.served import HERE, METRICS, ONCE, TARGETS, Asked, Parsed, Recording, Served, stat

Key: TypeAlias = tuple[str, str, str, str]
"""Service, region, operation, parameters."""
Judged: TypeAlias = Mapping[AnyCheck, tuple[type[Resource], ...]]
"""Checks, each with the kinds it judges."""
LOST = "closed"
CHECKS = {check.id: check for check in EVERYTHING.checks}
Yielded: TypeAlias = tuple[tuple[Resource, ...], tuple[object, ...]]
"""Resources, and what was said of others: gaps, and what a listing was ended by."""


class Remembering(Lasting):
    """Clients that ask once; `mutant` is what the one call that it is of is answered."""

    def __init__(self, served: Served) -> None:
        super().__init__(served.session(), guarded=True, config=ONCE)
        self.mutant: Mutant | None = None
        self.asked: list[Asked] = []
        """What was asked since somebody emptied it."""
        self._served = served
        self._answers: dict[Key, tuple[Asked, Any]] = {}
        self._patched: set[tuple[str, str | None]] = set()
        self._reading = RLock()

    def get(self, service: str, region: str | None = None) -> Any:
        client = super().get(service, region)
        with self._reading:
            if (service, region) not in self._patched and "_make_api_call" not in vars(client):
                client._make_api_call = partial(self._call, client, client._make_api_call)
            self._patched.add((service, region))
        return client

    def _call(self, client: Any, ask: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        key = (service, client.meta.region_name, operation, repr(parameters))
        with self._reading:
            if key not in self._answers:
                self._answers[key] = self._first(ask, operation, parameters)
            asked, answer = self._answers[key]
            self.asked.append(asked)
        if self.mutant and self.mutant.asked is asked and asked.call != METRICS:
            return self._mutated(client, operation, asked)
        if self.mutant and self.mutant.asked.call == asked.call == METRICS:
            return self._measured(self.mutant, parameters["MetricDataQueries"], answer)
        if isinstance(answer, ClientError):
            raise answer
        return answer

    def _first(self, ask: Any, operation: str, parameters: dict[str, Any]) -> tuple[Asked, Any]:
        try:
            answer = ask(operation, parameters)
        except ClientError as refused:
            answer = refused
        return self._served.calls[-1], answer

    def _measured(self, mutant: Mutant, queries: Sequence[Parsed], answer: Any) -> Any:
        """Which series share a request depends on who asks: the changed one is found by what it is of."""
        of = mutant.path[1:2]
        if not of:
            return mutant.of(answer)
        changed = stat(mutant.asked.parameters["MetricDataQueries"][of[0]])
        for number, query in enumerate(queries):
            if stat(query) == changed:
                path = ("MetricDataResults", number, *mutant.path[2:])
                return replace(mutant, path=path).of(answer)
        return answer

    def _mutated(self, client: Any, operation: str, asked: Asked) -> Any:
        """What botocore would hand out, had it parsed this."""
        assert self.mutant
        healthy = self._served.answer(asked)
        assert healthy
        parsed = self.mutant.of(healthy.parsed)
        # Botocore unpacks policies within what it has parsed.
        parsed = deepcopy(parsed) if asked.call.startswith("iam:") else {**parsed}
        parsed["ResponseMetadata"] = {"HTTPStatusCode": 200}
        client.meta.events.emit(
            f"after-call.{client.meta.service_model.service_id.hyphenize()}.{operation}",
            http_response=None,
            parsed=parsed,
            model=client.meta.service_model.operation_model(operation),
            context={},
        )
        return parsed


@dataclass(frozen=True, slots=True)
class Loss:
    """What one mutant did that it must not."""

    mutant: Mutant
    what: str

    @property
    def closes(self) -> bool:
        """A finding would be closed; otherwise something broke."""
        return self.what.startswith(LOST)

    def __str__(self) -> str:
        return f"{self.mutant}: {self.what}"


@dataclass(frozen=True)
class Concerned(Catalog):
    """Of all checks, those that judge or look at some kinds; what they judge besides is left out."""

    kinds: Judged = field(default_factory=dict)
    """What is judged, by each of `checks`."""

    def judged(self, check: AnyCheck, *, once: bool) -> tuple[type[Resource], ...]:  # noqa: ARG002
        return self.kinds[check]


@cache
def concerned(kinds: frozenset[type[Resource]], *, once: bool) -> Judged:
    found = {}
    for check in EVERYTHING.planned(once=once):
        judged = EVERYTHING.judged(check, once=once)
        found[check] = judged if kinds & {*check.also} else tuple(each for each in judged if each in kinds)
    return {check: judged for check, judged in found.items() if judged}


def measuring(mutant: Mutant) -> Judged:
    """The checks that look at the series; at any, where the change is not of a single one."""
    of = mutant.path[1:2]
    metrics = [mutant.asked.parameters["MetricDataQueries"][each]["MetricStat"]["Metric"] for each in of]
    names = {(each["Namespace"], each["MetricName"]) for each in metrics}
    return {
        check: EVERYTHING.judged(check, once=False)
        for check in EVERYTHING.planned(once=False)
        if check.measures and (not of or names & {(each.namespace, each.name) for each in check.measures})
    }


class Failed(logging.Handler):
    """Collects what the judge says of checks that raised."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("check failed"):
            self.told.append(f"{record.__dict__['check']}: {record.getMessage()}")


@dataclass
class Fuzz:
    recording: Recording
    failed: Failed = field(default_factory=Failed)
    _memories: dict[str, AnyCollector] = field(default_factory=dict)
    known: dict[tuple[Target, str], list[str]] = field(default_factory=dict)
    """What a look came to, of each that differed from all before."""
    _changed: tuple[frozenset[type[Resource]], frozenset[str]] | None = None
    """Kinds and ARNs of what is not what it was. None: all is judged."""

    @contextmanager
    def watched(self) -> Iterator[Self]:
        """While checks are judged in this thread, and it is heard which of them raise."""
        judging = logging.getLogger("orgscan.judge")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orgscan.judge.Aside.within", lambda *how: how[-1]())
            # A report that is said not to be ready is not by waiting.
            patch.setattr("orgscan.services.iam.collect.WAITS_S", (0.0, 0.0, 0.0))
            judge = Judge._judge

            def judge_what_differs(self_: Judge, check: AnyCheck, resources: Sequence[Resource]) -> None:
                judge(self_, check, [each for each in resources if self.differs(check, each.arn)])

            patch.setattr(Judge, "_judge", judge_what_differs)
            patch.setattr("orgscan.collector.hide_named", cache(hide_named))
            judging.addHandler(self.failed)
            yield self
            judging.removeHandler(self.failed)

    def differs(self, check: AnyCheck, arn: str) -> bool:
        """Whether what the check says of the resource can have changed; else nobody judges it again."""
        if self._changed is None:
            return True
        kinds, arns = self._changed
        return arn in arns or not kinds.isdisjoint(check.also)

    @cached_property
    def clients(self) -> Remembering:
        return Remembering(self.served)

    @cached_property
    def served(self) -> Served:
        return Served(self.recording)

    @cached_property
    def yielded(self) -> Mapping[tuple[Target, str], Yielded]:
        return {(target, each.name): self.collected(target, each) for target, each in self._collecting()}

    @cached_property
    def askers(self) -> Mapping[int, list[tuple[Target, AnyCollector]]]:
        """Number of a request -> who makes it."""
        found: dict[int, list[tuple[Target, AnyCollector]]] = {}
        assert self.yielded
        for target, each in self._collecting():
            self.clients.asked.clear()
            self.collected(target, each)
            for asked in self.clients.asked:
                who = found.setdefault(id(asked), [])
                if (target, each) not in who:
                    who.append((target, each))
        return found

    def _collecting(self) -> Iterator[tuple[Target, AnyCollector]]:
        for target in TARGETS:
            yield from ((target, each) for each in EVERYTHING.needed(once=target.once))

    def collected(self, target: Target, collector: AnyCollector) -> Yielded:
        spoilt: list[object] = []
        seen: list[Resource] = []
        try:
            seen.extend(collector.read(self.clients, target, now=self.recording.now, spoil=spoilt.append))
        except Exception as error:  # noqa: BLE001 (as the engine does)
            spoilt.append(repr(error))
        return tuple(seen), tuple(spoilt)

    @cached_property
    def healthy(self) -> Mapping[Target, Look]:
        return {target: self._look(target, EVERYTHING) for target in TARGETS}

    @cached_property
    def requests(self) -> Sequence[Asked]:
        """Of collectors, and what is measured for checks."""
        self.clients.asked.clear()
        for target in TARGETS:
            self._look(target, EVERYTHING)
        return list({id(each): each for each in self.clients.asked}.values())

    def _look(self, target: Target, of: Catalog) -> Look:
        with_spool = Spool()
        seen = look(target, lambda: self.clients, of, now=self.recording.now, spool=with_spool)
        assert seen
        kept = replace(seen, findings=tuple(seen.findings))
        self.spool = with_spool
        return kept

    def mutants(self) -> Iterator[Mutant]:
        for asked in self.requests:
            answer = self.served.answer(asked)
            if answer and answer.status < 300:
                yield from mutants(asked, answer.parsed)

    def losses(self, mutant: Mutant) -> Iterator[Loss]:
        """Whose look is one that was already taken has its losses."""
        self.clients.mutant = mutant
        try:
            if mutant.asked.call == METRICS:
                yield from (Loss(mutant, what) for what in self._judged(HERE, measuring(mutant), []))
                return
            changed: dict[Target, list[tuple[AnyCollector, Yielded]]] = {}
            for target, each in self.askers[id(mutant.asked)]:
                came = self.collected(target, each)
                if came != self.yielded[target, each.name]:
                    changed.setdefault(target, []).append((each, came))
            for target, those in changed.items():
                before = [(each.name, *self._difference(target, each, came)) for each, came in those]
                key = (target, repr(before))
                if key not in self.known:
                    kinds = frozenset(each.resource for each, _ in those)
                    self._changed = kinds, frozenset[str]().union(*(arns for _, arns, *_ in before))
                    judged = concerned(kinds, once=target.once)
                    self.known[key] = list(self._judged(target, judged, [each for each, _ in those]))
                yield from (Loss(mutant, what) for what in self.known[key])
        finally:
            self.clients.mutant = self._changed = None

    def _difference(
        self, target: Target, collector: AnyCollector, came: Yielded
    ) -> tuple[list[str], list[Resource], bool]:
        """What makes two looks one: what is other or missing, how it is, and whether something was odd."""
        seen, spoilt = came
        before = {each.arn: each for each in self.yielded[target, collector.name][0]}
        others = [each for each in seen if before.get(each.arn) != each]
        missing = before.keys() - {each.arn for each in seen}
        return sorted({*missing, *(each.arn for each in others)}), others, bool(spoilt)

    def _judged(self, target: Target, judged: Judged, collectors: list[AnyCollector]) -> Iterator[str]:
        asking = tuple(
            each if each in collectors else self._remembered(each) for each in EVERYTHING.collectors
        )
        of = Concerned(tuple(judged), asking, {check: tuple(kinds) for check, kinds in judged.items()})
        self.failed.told.clear()
        faulty = self._look(target, of)
        try:
            yield from self._broken(self.healthy[target], faulty, of)
        finally:
            self.spool.close()

    def _broken(self, healthy: Look, faulty: Look, of: Concerned) -> Iterator[str]:
        target, coverage = faulty.coverage.target, faulty.coverage
        judged = {check.id: of.judged(check, once=target.once) for check in of.planned(once=target.once)}
        if coverage.planned != judged.keys() or coverage.evaluated | coverage.gaps.keys() != judged.keys():
            yield "a check without an outcome"
        yield from (f"raised {each}" for each in self.failed.told)
        now = {_place(each) for each in faulty.findings}
        for each in healthy.findings:
            kinds = judged.get(each.check, ())
            ours = any(each.resource in self.arns[target, kind] for kind in kinds) and self.differs(
                CHECKS[each.check], each.resource
            )
            if ours and _place(each) not in now and coverage.closes(each):
                yield f"{LOST} {each.check} ({coverage.closes(each)})"

    @cached_property
    def arns(self) -> Mapping[tuple[Target, type[Resource]], frozenset[str]]:
        """Of what was collected while all was well; and of what the scan itself makes, nothing."""
        return {
            (target, each.resource): frozenset(
                resource.arn for resource in self.yielded[target, each.name][0]
            )
            for target, each in self._collecting()
        }

    def _remembered(self, collector: AnyCollector) -> AnyCollector:
        if collector.name not in self._memories:
            self._memories[collector.name] = self._remembering(collector)
        return self._memories[collector.name]

    def _remembering(self, collector: AnyCollector) -> AnyCollector:
        def collect(aws: Reader) -> Iterator[Resource]:
            seen, spoilt = self.yielded[aws.target, collector.name]
            for gap in spoilt:
                assert isinstance(gap, Gap)
                aws.spoil(gap)
            return iter(seen)

        collect.__name__ = collector.collect.__name__
        return replace(collector, calls=frozenset(), collect=collect)


def _place(finding: Finding) -> tuple[str, str, str]:
    return finding.check, finding.resource, finding.key
