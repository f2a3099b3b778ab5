"""What is open, cause by cause, with the worst examples: what a digest tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from orgscan.line import Line
from orgscan.model import Severity, Target
from orgscan.receipt import Notable
from orgscan.reconcile import Status

EXAMPLES = 3
"""Findings told in detail per cause; the others are counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and where it is."""

    target: Target
    notable: Notable


@dataclass
class Digest:
    """Of what reaches one route."""

    causes: Counter[tuple[Severity, str]] = field(default_factory=Counter)
    """(severity, check) -> open findings."""
    told: dict[tuple[Severity, str], list[Told]] = field(default_factory=lambda: defaultdict(list))

    def add(self, line: Line) -> None:
        if line.status is not Status.OPEN:
            return
        cause = (line.severity, line.check)
        self.causes[cause] += 1
        self.told[cause] = examples([*self.told[cause], Told(target_of(line), notable_of(line))])


def target_of(line: Line) -> Target:
    return Target(line.account, line.region, line.partition, line.account_name)


def notable_of(line: Line) -> Notable:
    return Notable(
        change=line.change,
        check=line.check,
        severity=line.severity,
        category=line.category,
        resource=line.resource,
        problems=line.problems,
        monthly_usd=line.saving.monthly_usd if line.saving else None,
        because=line.resolved_because or "",
        owner=line.owner.name,
        opened=line.opened,
    )


def examples(told: Iterable[Told]) -> list[Told]:
    """Where it costs most; where that is nothing, from as many accounts as possible."""
    ranked = sorted(
        told, key=lambda each: (-(each.notable.monthly_usd or 0), each.target, each.notable.resource)
    )
    first = {each.target.account: each for each in reversed(ranked)}
    ranked.sort(key=lambda each: not (each.notable.monthly_usd or each is first[each.target.account]))
    return ranked[:EXAMPLES]
