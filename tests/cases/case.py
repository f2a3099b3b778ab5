"""The two words in which a check's behaviour is stated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orgscan.check import Check, Problem
from orgscan.metrics import Query
from orgscan.model import Confidence, Gap, Money, Resource, Series, Target, Unread
from orgscan.sight import CheckView, Sight, Wanted
from tests.scans import spooled

ACCOUNT = "123456789012"
HERE = Target(ACCOUNT, "eu-west-1")
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""When every case happens."""


def usd(monthly: float, confidence: Confidence = Confidence.HIGH, *, everywhere: bool = False) -> Money:
    """As priced `HERE`; `everywhere`: what costs the same in every region."""
    basis = "us-east-1 list price of 2026-01"
    return Money(monthly, basis if everywhere else f"{basis} x 1.11 for eu-west-1", confidence)


@dataclass(frozen=True)
class Case:
    check: Check[Any]
    resource: Resource
    problems: tuple[str | Problem, ...]
    beside: Sequence[Resource] = ()
    """The other resources of the target."""
    lost: Mapping[type[Resource], Gap] = field(default_factory=dict)
    """Listings that could not be read."""
    measured: Sequence[Series | Gap] = ()
    """What CloudWatch answers to all of the check's `measures`, in their order, resource by resource."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    unread: str | None = None
    """Expect a gap whose detail contains this, instead of (or after) the problems."""
    accounts: frozenset[str] = frozenset()
    """The organization's."""
    asked: tuple[str, ...] | None = None
    """Names of the metrics that are asked for, and billed, until it can be judged."""

    def __str__(self) -> str:
        outcome = "cannot-tell" if self.unread is not None else "fails" if self.problems else "passes"
        return f"{self.check.id}-{outcome}"

    def judge(self, here: Target = HERE) -> tuple[tuple[Problem, ...], str | None]:
        """The problems found, and the detail of the gap that ended the judgement, if one did."""
        sight = Sight(here, NOW, spooled(self.check.also, self.beside, self.lost), self.accounts)
        found, gap = self._judged(sight)
        if self.asked is not None:
            assert [query.metric.name for query in sight.answers] == list(self.asked)
        return found, gap

    def _judged(self, sight: Sight) -> tuple[tuple[Problem, ...], str | None]:
        found: list[Problem] = []
        for _ in range(1 + len(self.check.measures)):
            found.clear()
            try:
                judged = self.check.judge(self.resource, CheckView(self.check, sight), self.parameters)
                found.extend(each if isinstance(each, Problem) else Problem(each) for each in judged)
            except Unread as unread:
                return tuple(found), unread.gap.detail
            except Wanted as wanted:
                sight.answers = self._answers(wanted.queries)
            else:
                return tuple(found), None
        raise AssertionError("it asks for ever more")

    def _answers(self, queries: Sequence[Query]) -> dict[Query, Series | Gap]:
        metrics = self.check.measures
        whose = list(dict.fromkeys(query.dimensions for query in queries))
        assert len(self.measured) == len(whose) * len(metrics), "each metric of each resource, and no other"
        return {
            query: self.measured[whose.index(query.dimensions) * len(metrics) + metrics.index(query.metric)]
            for query in queries
        }


def passes(check: Check[Any], resource: Resource, **world: Any) -> Case:
    return Case(check, resource, (), **world)


def fails(check: Check[Any], resource: Resource, *problems: str | Problem, **world: Any) -> Case:
    """A string is compared with the problem's text alone; a Problem with everything."""
    assert problems, "a failing case says what is wrong"
    return Case(check, resource, problems, **world)


def cannot_tell(check: Check[Any], resource: Resource, because: str, **world: Any) -> Case:
    return Case(check, resource, (), unread=because, **world)
