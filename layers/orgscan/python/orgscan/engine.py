"""Collect and judge one target. Everything that goes unseen becomes a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orgscan.catalog import AnyCollector, Catalog
from orgscan.coverage import Coverage, Look, Reach
from orgscan.errors import NO_ANSWER, gap
from orgscan.gather import RESERVE_S, Gathering
from orgscan.judge import Judge, Judged
from orgscan.model import Blindness, Finding, Gap, Resource, Sighting, Target
from orgscan.scouts import REGION, closed
from orgscan.session import Clients
from orgscan.sight import Sight
from orgscan.spool import Spool

ENTRY = "sts:AssumeRole"
"""The scope of the gap of an account that could not be entered."""
CLOSED = frozenset({Blindness.DENIED_BY_SCP, Blindness.REGION_OFF, Blindness.UNREACHABLE})
"""What can be said of a region as a whole."""
JUDGING_S_PER_1000 = 1.0
"""What judging a thousand resources may take on a small function."""


def look(  # noqa: PLR0913 (a target, a way in, what to ask, and the means of one invocation)
    target: Target,
    enter: Callable[[], Clients],
    catalog: Catalog,
    *,
    now: datetime,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    reach: Reach | None = None,
    spool: Spool | None = None,
    seconds_left: Callable[[], float] = lambda: float("inf"),
    resume: bool = False,
    short: bool = False,
    salt: str = "",
    accounts: frozenset[str] = frozenset(),
) -> Look | None:
    """Become the target, see what can be seen, judge it. Never raises for what AWS answers.

    `parameters`: check id -> threshold -> value, where they differ from the defaults. `accounts`: the
    organization's. None: the time is over
    and the spool holds what was seen; only with `resume`, which says that another invocation can go on.
    `short`: that one will be longer.
    """
    spool = spool or Spool()
    looking = _Looking(target, catalog, spool, now, parameters or {}, seconds_left, accounts)
    how = {"resume": resume, "short": short}
    if not spool.judged and not looking.whole(_enter(target, enter), salt=salt, **how):
        return None
    return looking.result(reach)


def _enter(target: Target, enter: Callable[[], Clients]) -> Clients | Gap:
    if target.region_off:
        return Gap(REGION, Blindness.REGION_OFF, f"{target.region} is not enabled in this account")
    try:
        return enter()
    except NO_ANSWER as error:
        return gap(ENTRY, error)


@dataclass(frozen=True, slots=True)
class _Looking:
    target: Target
    catalog: Catalog
    spool: Spool
    now: datetime
    parameters: Mapping[str, Mapping[str, Any]]
    seconds_left: Callable[[], float]
    accounts: frozenset[str]

    def whole(self, clients: Clients | Gap, *, salt: str, resume: bool, short: bool) -> bool:
        """Whether all is collected and judged; otherwise another invocation must go on."""
        collectors = self._collectors()
        abandoned = False
        if isinstance(clients, Gap):
            for each in collectors:
                if not self.spool.ended(each.resource):
                    self.spool.end(each.resource, clients)
        else:
            before = self.spool.size()
            gathering = Gathering(
                self.spool, clients, self.target, self.now, self.seconds_left, salt, resume, short
            )
            if not gathering.run(collectors):
                clients.close()  # threads that still wait for an answer shall not ask again
                return False
            abandoned = gathering.abandoned
            needed = RESERVE_S + JUDGING_S_PER_1000 * self.spool.size() / 1000
            if resume and self.spool.size() > before and self.seconds_left() < needed:
                return False
        sight = Sight(self.target, self.now, self.spool, self.accounts)
        judge = Judge(sight, clients, self.parameters, self.seconds_left)
        judge.run(self._judged(itself=False), lambda: self._itself(clients))
        if abandoned and not isinstance(clients, Gap):
            clients.close()
        return True

    def result(self, reach: Reach | None) -> Look:
        coverage, blind = self._coverage(reach or Reach()), self._blind()
        if blind:
            others = {check.id for check in self._judged(itself=False)}
            coverage = replace(coverage, gaps=dict.fromkeys({*coverage.gaps, *others}, blind))
        return Look(_Findings(self.spool), coverage)

    def _collectors(self) -> list[AnyCollector]:
        """Without what no collector can tell: what the scan came to."""
        needed = self.catalog.needed(once=self.target.once)
        return [each for each in needed if not issubclass(each.resource, Sighting)]

    def _judged(self, *, itself: bool | None = None) -> Judged:
        """The planned checks; only, or without, those of what the scan itself came to."""
        once = self.target.once
        judged = {check: self.catalog.judged(check, once=once) for check in self.catalog.planned(once=once)}
        if itself is None:
            return judged
        return {
            check: kinds for check, kinds in judged.items() if issubclass(check.resource, Sighting) is itself
        }

    def _itself(self, clients: Clients | Gap) -> Judged:
        """Put what was seen and what was not into the spool, as one more resource."""
        checks, asked = self._judged(itself=True), len(self._own())
        blind = clients if isinstance(clients, Gap) and not asked else self._blind()
        lost = {} if blind or not checks else self._coverage(Reach()).gaps
        where = "account" if self.target.once else f"region/{self.target.region}"
        for kind in {kind for kinds in checks.values() for kind in kinds if issubclass(kind, Sighting)}:
            seen = kind(arn=self.target.arn("account", where), blind=blind, asked=asked, lost=lost)
            self.spool.keep(kind, [seen], None)
            self.spool.end(kind, None)
        return checks

    def _blind(self) -> Gap | None:
        """One gap for a target that nothing of could be seen, instead of one for every call."""
        own = self._own()
        gaps = [lost for kind in own if (lost := self.spool.gap(kind)) and not self.spool.count(kind)]
        reasons = {lost.reason for lost in gaps}
        if not own or len(gaps) < len(own) or len(reasons) > 1:
            return None
        if of_all := [lost for lost in gaps if lost.scope in (ENTRY, REGION)]:
            return of_all[0]
        reason, first = reasons.pop(), min(lost.detail for lost in gaps)
        return closed(self.target, reason, first) if reason in CLOSED else None

    def _own(self) -> list[type[Resource]]:
        """Not what an account has once, which is read here too where a check looks at it."""
        return [each.resource for each in self._collectors() if each.once == self.target.once]

    def _coverage(self, reach: Reach) -> Coverage:
        checks = self._judged()
        gaps: dict[str, Gap] = {}
        unlisted: set[str] = set()
        known = {kind: self.spool.gap(kind) for kind in {kind for kinds in checks.values() for kind in kinds}}
        unjudged = self.spool.unjudged()
        for check, kinds in checks.items():
            missing = next((lost for kind in kinds if (lost := known[kind])), None)
            if missing:
                gaps[check.id] = missing
                unlisted.add(check.id)
            elif check.id in unjudged and (unread := self.spool.unread(check.id)):
                count, most = unread
                of = f"{count} of {sum(map(self.spool.count, kinds))} resources"
                gaps[check.id] = Gap(most.scope, most.reason, f"{of}: {most.detail}")
        kinds = [each.resource for each in self._collectors()]
        return Coverage(
            target=self.target,
            planned=frozenset(check.id for check in checks),
            gaps=gaps,
            resources={kind.__name__: self.spool.count(kind) for kind in kinds},
            seen={check.id: _Seen(self.spool, kinds) for check, kinds in checks.items()},
            unread={check.id: _Unread(self.spool, check.id) for check in checks},
            listed=frozenset(check.id for check in checks) - unlisted,
            reach=reach,
            tagged=self.spool.shares(),
        )


@dataclass(frozen=True, slots=True)
class _Findings:
    spool: Spool

    def __iter__(self) -> Iterator[Finding]:
        return self.spool.findings()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The resources that a check was shown."""

    spool: Spool
    kinds: Sequence[type[Resource]]

    def __contains__(self, arn: object) -> bool:
        return any(self.spool.has(kind, str(arn)) for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class _Unread:
    spool: Spool
    check: str

    def __contains__(self, arn: object) -> bool:
        return self.spool.is_unread(self.check, str(arn))
