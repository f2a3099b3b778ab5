"""Looks at a recorded account of which one answer is not what it was: cheap enough for tens of thousands.

The clients are botocore's, but what they were once answered they remember: no request is written or read
again. A collector that yields what it always yields ends the matter; only otherwise is there a look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from threading import RLock
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from orgscan import metrics
from orgscan.catalog import AnyCheck, AnyCollector, Catalog
from orgscan.collector import Reader
from orgscan.coverage import Look
from orgscan.engine import look
from orgscan.model import Finding, Gap, Resource, Target
from orgscan.spool import Spool
from tests.laws import EVERYTHING, Lasting
from tests.mutants import Mutant, mutants
from tests.served import METRICS, ONCE, TARGETS, Asked, Recording, Served, _stat

Key: TypeAlias = tuple[str, str, str, str]
"""Service, region, operation, parameters."""
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
        if self.mutant and self.mutant.asked is asked:
            return self._mutated(client, operation, asked)
        if isinstance(answer, ClientError):
            raise answer
        return answer

    def _first(self, ask: Any, operation: str, parameters: dict[str, Any]) -> tuple[Asked, Any]:
        try:
            answer = ask(operation, parameters)
        except ClientError as refused:
            answer = refused
        return self._served.calls[-1], answer

    def _mutated(self, client: Any, operation: str, asked: Asked) -> Any:
        """What botocore would hand out, had it parsed this."""
        assert self.mutant
        healthy = self._served.answer(asked)
        assert healthy
        parsed = deepcopy(self.mutant.of(healthy.parsed))
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

    def __str__(self) -> str:
        return f"{self.mutant}: {self.what}"


@dataclass(frozen=True)
class Concerned(Catalog):
    """Of all checks, those that judge or look at some kinds; what they judge besides is left out."""

    kinds: frozenset[type[Resource]] = frozenset()

    def judged(self, check: AnyCheck, *, once: bool) -> tuple[type[Resource], ...]:
        judged = super().judged(check, once=once)
        if not self.kinds.isdisjoint(check.also):
            return judged
        return tuple(each for each in judged if each in self.kinds)


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
    known: dict[tuple[Target, str], list[str]] = field(default_factory=dict)
    """What a look came to, of each that differed from all before."""

    @cached_property
    def clients(self) -> Remembering:
        return Remembering(Served(self.recording))

    @cached_property
    def yielded(self) -> Mapping[tuple[Target, str], Yielded]:
        return {(target, each.name): self.collected(target, each) for target, each in self._collecting()}

    @cached_property
    def askers(self) -> Mapping[int, list[tuple[Target, AnyCollector]]]:
        """id of a request -> who makes it."""
        found: dict[int, list[tuple[Target, AnyCollector]]] = {}
        self.requests: dict[int, Asked] = {}
        assert self.yielded
        for target, each in self._collecting():
            self.clients.asked.clear()
            self.collected(target, each)
            for asked in self.clients.asked:
                self.requests[id(asked)] = asked
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

    def _look(self, target: Target, of: Catalog) -> Look:
        with_spool = Spool()
        seen = look(target, lambda: self.clients, of, now=self.recording.now, spool=with_spool)
        assert seen
        kept = replace(seen, findings=tuple(seen.findings))
        self.spool = with_spool
        return kept

    def mutants(self) -> Iterator[Mutant]:
        assert self.askers
        for asked in self.requests.values():
            answer = self.clients._served.answer(asked)
            if answer and answer.status < 300:
                yield from mutants(asked, answer.parsed)

    def losses(self, mutant: Mutant) -> Iterator[Loss]:
        self.clients.mutant = mutant
        try:
            changed: dict[Target, list[tuple[AnyCollector, Yielded]]] = {}
            for target, each in self.askers[id(mutant.asked)]:
                came = self.collected(target, each)
                if came != self.yielded[target, each.name]:
                    changed.setdefault(target, []).append((each, came))
            for target, those in changed.items():
                before = [(each.name, *self._difference(target, each, came)) for each, came in those]
                key = (target, repr(before))
                if key not in self.known:
                    self.known[key] = list(self._judged(target, [each for each, _ in those]))
                yield from (Loss(mutant, what) for what in self.known[key])
        finally:
            self.clients.mutant = None

    def _difference(self, target: Target, collector: AnyCollector, came: Yielded) -> tuple[object, ...]:
        """What makes two looks the same look: which resources are others, missing, or were said to be odd."""
        seen, spoilt = came
        before = {each.arn: each for each in self.yielded[target, collector.name][0]}
        others = [each for each in seen if before.get(each.arn) != each]
        return others, sorted(before.keys() - {each.arn for each in seen}), bool(spoilt)

    def _judged(self, target: Target, collectors: list[AnyCollector]) -> Iterator[str]:
        of = Concerned(
            EVERYTHING.checks,
            tuple(each if each in collectors else self._remembered(each) for each in EVERYTHING.collectors),
            frozenset(each.resource for each in collectors),
        )
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
        yield from (f"RAISED {each}" for each in self.failed.told)
        now = {_place(each) for each in faulty.findings}
        for each in healthy.findings:
            ours = any(each.resource in self.arns[target, kind] for kind in judged.get(each.check, ()))
            if ours and _place(each) not in now and coverage.closes(each):
                yield f"LOST {each.check} ({coverage.closes(each)})"

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
