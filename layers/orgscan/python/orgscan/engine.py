"""Collect and judge one target. Everything that goes unseen becomes a gap.

The two `except Exception` of the library are here: one collector or one check that raises costs its own
outcome and nothing else.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from orgscan import metrics
from orgscan.catalog import AnyCheck, AnyCollector, Catalog
from orgscan.check import Problem
from orgscan.coverage import Coverage, Look
from orgscan.errors import NO_ANSWER, OutOfTime, gap
from orgscan.metrics import Query
from orgscan.model import (
    Blindness,
    Finding,
    Gap,
    Resource,
    Series,
    Taggable,
    TagRecord,
    Target,
    Unread,
    known,
)
from orgscan.session import Clients, declared

O = TypeVar("O", bound=Resource)  # noqa: E741

RESERVE_S = 60.0
"""What judging and storing need at the end of an invocation."""
COLLECTORS_AT_ONCE = 8
CALLS_AT_ONCE = 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a collector saw, and why that may not be all."""

    resources: tuple[Resource, ...]
    gap: Gap | None


class Wanted(Exception):
    """A check asked for metrics that have not been fetched yet."""

    def __init__(self, queries: tuple[Query, ...]) -> None:
        super().__init__()
        self.queries = queries


@dataclass
class Sight:
    """What one target's collectors saw, as checks may look at it."""

    target: Target
    now: datetime
    listings: Mapping[type[Resource], Listing]
    answers: Mapping[Query, Series | Gap] = field(default_factory=dict)
    _indexes: dict[tuple[type[Resource], str], Mapping[Any, list[Any]]] = field(default_factory=dict)

    def index(self, kind: type[Resource], attribute: str) -> Mapping[Any, list[Any]]:
        """Attribute's value -> resources; built once, so that relating n resources costs n, not n squared."""
        found = self._indexes.get((kind, attribute))
        if found is None:
            found = defaultdict(list)
            for resource in self.listings[kind].resources:
                value = getattr(resource, attribute)
                for key in value if isinstance(value, (tuple, frozenset)) else (value,):
                    found[key].append(resource)
            self._indexes[kind, attribute] = found
        return found


@dataclass(frozen=True, slots=True)
class CheckView:
    """`check.View` over a Sight, limited to what the check declared."""

    check: AnyCheck
    sight: Sight

    @property
    def target(self) -> Target:
        return self.sight.target

    @property
    def now(self) -> datetime:
        return self.sight.now

    def every(self, kind: type[O]) -> Sequence[O]:
        self._complete(kind)
        return self.sight.listings[kind].resources  # type: ignore[return-value]

    def related(self, kind: type[O], attribute: str, value: str) -> Sequence[O]:
        self._complete(kind)
        return self.sight.index(kind, attribute).get(value, ())

    def tags(self, resource: Taggable) -> Mapping[str, str]:
        """From the listing, or from the tagging API, which leaves out what was never tagged."""
        if resource.tags is not None:
            return resource.tags
        records = self.related(TagRecord, "arn", resource.arn)
        return records[0].tags if records else {}

    def measure(self, resource: Resource, *, days: int) -> Sequence[Series]:
        dimensions = tuple(sorted(resource.dimensions.items()))
        queries = tuple(Query(metric, dimensions, days) for metric in self.check.measures)
        if not self.sight.answers.keys() >= set(queries):
            raise Wanted(queries)
        return [known(self.sight.answers[query]) for query in queries]

    def _complete(self, kind: type[Resource]) -> None:
        if kind not in self.check.also:
            raise LookupError(f"{self.check.id} looks at {kind.__name__} without naming it in `also`")
        lost = self.sight.listings[kind].gap
        if lost:
            raise Unread(lost)


def look(
    target: Target,
    enter: Callable[[], Clients],
    catalog: Catalog,
    *,
    now: datetime,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    seconds_left: Callable[[], float] = lambda: float("inf"),
) -> Look:
    """Become the target, see what can be seen, judge it. Never raises for what AWS answers.

    `parameters`: check id -> threshold -> value, where they differ from the defaults.
    """
    due = catalog.planned(once=target.once)
    if target.region_off:
        off = Gap("region", Blindness.REGION_OFF, f"{target.region} is not enabled in this account")
        return Look((), Coverage.blind(target, due, off))
    try:
        clients = enter()
    except NO_ANSWER as error:
        return Look((), Coverage.blind(target, due, gap("sts:AssumeRole", error)))
    collectors = catalog.needed(once=target.once)
    listings = collect(clients, target, collectors, seconds_left)
    # What an account has once is read here too, where a check looks at it; it says nothing of the region.
    own = [listings[each.resource] for each in collectors if each.once == target.once]
    if own and all(_forbidden(listing) for listing in own):
        first = min(listing.gap.detail for listing in own if listing.gap)
        closed = Gap("region", Blindness.DENIED_BY_SCP, f"every call in {target.region}, such as {first}")
        return Look((), Coverage.blind(target, due, closed))
    judged = {check: catalog.judged(check, once=target.once) for check in due}
    return judge(Sight(target, now, listings), judged, clients, parameters or {})


def _forbidden(listing: Listing) -> bool:
    return bool(listing.gap and listing.gap.reason is Blindness.DENIED_BY_SCP and not listing.resources)


def collect(
    clients: Clients,
    target: Target,
    collectors: Iterable[AnyCollector],
    seconds_left: Callable[[], float] = lambda: float("inf"),
) -> dict[type[Resource], Listing]:
    """All collectors side by side. What one saw before it failed still counts as seen."""
    with ThreadPoolExecutor(COLLECTORS_AT_ONCE) as readers, ThreadPoolExecutor(CALLS_AT_ONCE) as pool:

        def read(collector: AnyCollector) -> Listing:
            resources: list[Resource] = []
            try:
                for resource in collector.read(clients, target, pool):
                    resources.append(resource)
                    if seconds_left() < RESERVE_S:
                        return Listing(tuple(resources), gap(collector.name, OutOfTime()))
            except Exception as error:
                lost = gap(collector.name, error)
                logger.warning("collector stopped: %s", lost.detail, exc_info=lost.reason is Blindness.FAULT)
                return Listing(tuple(resources), lost)
            return Listing(tuple(resources), None)

        def due(collector: AnyCollector) -> Listing:
            if seconds_left() < RESERVE_S:
                return Listing((), gap(collector.name, OutOfTime()))
            return read(collector)

        collectors = tuple(collectors)
        return dict(zip((c.resource for c in collectors), readers.map(due, collectors), strict=True))


@dataclass
class Verdicts:
    """What judging has come to so far."""

    findings: list[Finding] = field(default_factory=list)
    unread: dict[str, dict[str, Gap]] = field(default_factory=lambda: defaultdict(dict))
    """Check -> resource -> why it could not be judged."""


def judge(
    sight: Sight,
    checks: Mapping[AnyCheck, Sequence[type[Resource]]],
    clients: Clients,
    parameters: Mapping[str, Mapping[str, Any]],
) -> Look:
    """Every check on every resource of its kinds; those that ask for metrics again, with the answers.

    `checks`: each with the kinds it judges here.
    """
    verdicts = Verdicts()
    seen = {
        check.id: {resource.arn: resource for kind in kinds for resource in sight.listings[kind].resources}
        for check, kinds in checks.items()
    }
    todo = [(check, resource) for check in checks for resource in seen[check.id].values()]
    while todo:
        waiting: list[tuple[AnyCheck, Resource]] = []
        queries: list[Query] = []
        for check, resource in todo:
            wanted = _judge_one(check, resource, sight, parameters.get(check.id, {}), verdicts)
            if wanted:
                waiting.append((check, resource))
                queries += wanted
        if queries:
            with declared(metrics.CALLS):
                cloudwatch = clients.get("cloudwatch", sight.target.api_region)
                sight.answers = {**sight.answers, **metrics.fetch(cloudwatch, queries, sight.now)}
        todo = waiting
    return Look(tuple(verdicts.findings), _coverage(sight, checks, seen, verdicts.unread))


def _judge_one(
    check: AnyCheck,
    resource: Resource,
    sight: Sight,
    parameters: Mapping[str, Any],
    verdicts: Verdicts,
) -> tuple[Query, ...]:
    """Judge each resource alone, so that one odd resource cannot hide the others.

    Returns the metrics it must have before it can be judged.
    """
    problems: list[str | Problem] = []
    try:
        for problem in check.judge(resource, CheckView(check, sight), parameters):
            problems.append(problem)  # noqa: PERF402 (keeps what was found before something unread)
    except Wanted as wanted:
        return wanted.queries
    except Unread as unread:
        verdicts.unread[check.id][resource.arn] = unread.gap
    except Exception as error:
        logger.exception("check failed", extra={"check": check.id, "resource": resource.arn})
        verdicts.unread[check.id][resource.arn] = gap(check.id, error)
    verdicts.findings += _findings(check, sight.target, resource, problems)
    return ()


def _findings(
    check: AnyCheck, target: Target, resource: Resource, problems: Iterable[str | Problem]
) -> Iterable[Finding]:
    parts: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        full = Problem(problem) if isinstance(problem, str) else problem
        parts[full.key].append(full)
    for key, of_part in parts.items():
        yield Finding(
            check=check.id,
            severity=max((p.severity or check.severity for p in of_part), key=lambda severity: severity.rank),
            category=check.category,
            target=target,
            resource=resource.arn,
            problems=tuple(p.text for p in of_part),
            key=key,
            saving=next((p.saving for p in of_part if p.saving), None),
        )


def _coverage(
    sight: Sight,
    checks: Mapping[AnyCheck, Sequence[type[Resource]]],
    seen: Mapping[str, Mapping[str, Resource]],
    unread: Mapping[str, Mapping[str, Gap]],
) -> Coverage:
    gaps: dict[str, Gap] = {}
    unlisted: set[str] = set()
    for check, kinds in checks.items():
        missing = next((lost for kind in kinds if (lost := sight.listings[kind].gap)), None)
        if missing:
            gaps[check.id] = missing
            unlisted.add(check.id)
        elif unread.get(check.id):
            gaps[check.id] = _of_resources(unread[check.id], len(seen[check.id]))
    counts = {kind.__name__: len(listing.resources) for kind, listing in sight.listings.items()}
    return Coverage(
        target=sight.target,
        planned=frozenset(check.id for check in checks),
        gaps=gaps,
        resources=counts,
        seen={check: frozenset(resources) for check, resources in seen.items()},
        unread={check: frozenset(resources) for check, resources in unread.items()},
        listed=frozenset(check.id for check in checks) - unlisted,
    )


def _of_resources(unread: Mapping[str, Gap], seen: int) -> Gap:
    """One gap for the check: the reason most of its resources share."""
    reasons = [gap.reason for gap in unread.values()]
    reason = max(dict.fromkeys(reasons), key=reasons.count)
    first = next(gap for gap in unread.values() if gap.reason is reason)
    return Gap(first.scope, reason, f"{len(unread)} of {seen} resources: {first.detail}")
