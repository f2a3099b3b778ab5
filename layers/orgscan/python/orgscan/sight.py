"""What checks may see of one target: what its collectors kept, and what CloudWatch measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from orgscan.check import Check
from orgscan.errors import Told
from orgscan.metrics import Query
from orgscan.model import Gap, Metric, Resource, Series, Taggable, TagRecord, Target, Unread, known
from orgscan.spool import Spool

O = TypeVar("O", bound=Resource)  # noqa: E741


class Wanted(Exception):
    """A check asked for metrics that have not been fetched yet."""

    def __init__(self, queries: tuple[Query, ...]) -> None:
        super().__init__()
        self.queries = queries


class Undeclared(Told, LookupError):
    """A check looks at a kind that its `also` does not name, or at a metric that is not in its `measures`."""


@dataclass
class Sight:
    target: Target
    now: datetime
    spool: Spool
    accounts: frozenset[str] = frozenset()
    answers: Mapping[Query, Series | Gap] = field(default_factory=dict)

    def tags(self, resource: Resource) -> Mapping[str, str] | None:
        """None when the resource has none by nature, or they were not read."""
        if not isinstance(resource, Taggable):
            return None
        if resource.tags is None and self.spool.gap(TagRecord):
            return None
        return self.read_tags(resource)

    def read_tags(self, resource: Taggable) -> Mapping[str, str]:
        """From the listing, or from the tagging API, which leaves out what was never tagged."""
        if resource.tags is not None:
            return resource.tags
        records: Sequence[TagRecord] = self.spool.related(TagRecord, "arn", resource.arn)
        return records[0].tags if records else {}


@dataclass(frozen=True, slots=True)
class CheckView:
    """`check.View` over a Sight, limited to what the check declared."""

    check: Check[Any]
    sight: Sight
    _asked: dict[Query, None] = field(default_factory=dict)
    """All metrics that this judgement has asked for: the next attempt needs the earlier ones, too."""

    @property
    def target(self) -> Target:
        return self.sight.target

    @property
    def now(self) -> datetime:
        return self.sight.now

    @property
    def accounts(self) -> frozenset[str]:
        return self.sight.accounts

    def every(self, kind: type[O]) -> Iterable[O]:
        self._complete(kind)
        return self.sight.spool.every(kind)

    def related(self, kind: type[O], attribute: str, value: str) -> Sequence[O]:
        self._complete(kind)
        return self.sight.spool.related(kind, attribute, value)

    def tags(self, resource: Taggable) -> Mapping[str, str]:
        if resource.tags is None:
            self._complete(TagRecord)
        return self.sight.read_tags(resource)

    def measure(self, resource: Resource, *metrics: Metric, days: int) -> Sequence[Series]:
        (series,) = self.measure_all([resource], *metrics, days=days)
        return series

    def measure_all(
        self, resources: Sequence[Resource], *metrics: Metric, days: int
    ) -> Sequence[Sequence[Series]]:
        unknown = [each.name for each in metrics if each not in self.check.measures]
        if unknown:
            raise Undeclared(f"{self.check.id} measures {unknown[0]} without naming it in `measures`")
        wanted = metrics or self.check.measures
        queries = [
            [Query(metric, tuple(sorted(resource.dimensions.items())), days) for metric in wanted]
            for resource in resources
        ]
        self._asked.update(dict.fromkeys(query for each in queries for query in each))
        if not self.sight.answers.keys() >= self._asked.keys():
            raise Wanted(tuple(self._asked))
        return [[known(self.sight.answers[query]) for query in each] for each in queries]

    def _complete(self, kind: type[Resource]) -> None:
        if kind not in self.check.also:
            raise Undeclared(f"{self.check.id} looks at {kind.__name__} without naming it in `also`")
        lost = self.sight.spool.gap(kind)
        if lost:
            raise Unread(lost)
