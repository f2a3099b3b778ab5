"""Collect and judge one target. Everything that goes unseen becomes a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgscan.catalog import AnyCheck, Catalog
from orgscan.coverage import Coverage, Look, Reach
from orgscan.errors import NO_ANSWER, gap
from orgscan.gather import RESERVE_S, Gathering
from orgscan.judge import Judge
from orgscan.model import Blindness, Finding, Gap, Resource, Target
from orgscan.session import Clients
from orgscan.sight import Sight
from orgscan.spool import Spool

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
    salt: str = "",
) -> Look | None:
    """Become the target, see what can be seen, judge it. Never raises for what AWS answers.

    `parameters`: check id -> threshold -> value, where they differ from the defaults. None: the time is over
    and the spool holds what was seen; only with `resume`, which says that another invocation can go on.
    """
    spool = spool or Spool()
    if target.region_off:
        off = Gap("region", Blindness.REGION_OFF, f"{target.region} is not enabled in this account")
        for each in catalog.needed(once=target.once):
            spool.end(each.resource, off)
        return Look((), Coverage.blind(target, catalog.planned(once=target.once), off, reach))
    looking = _Looking(target, catalog, spool, now, parameters or {}, seconds_left)
    if not spool.judged:
        try:
            clients: Clients | Gap = enter()
        except NO_ANSWER as error:
            clients = gap("sts:AssumeRole", error)
        if not looking.whole(clients, salt=salt, resume=resume):
            return None
    return looking.result(reach)


@dataclass(frozen=True, slots=True)
class _Looking:
    target: Target
    catalog: Catalog
    spool: Spool
    now: datetime
    parameters: Mapping[str, Mapping[str, Any]]
    seconds_left: Callable[[], float]

    def whole(self, clients: Clients | Gap, *, salt: str, resume: bool) -> bool:
        """Whether all is collected and judged; otherwise another invocation must go on."""
        collectors = self.catalog.needed(once=self.target.once)
        abandoned = False
        if isinstance(clients, Gap):
            for each in collectors:
                if not self.spool.ended(each.resource):
                    self.spool.end(each.resource, clients)
        else:
            before = self.spool.size()
            gathering = Gathering(self.spool, clients, self.target, self.seconds_left, salt, resume)
            if not gathering.run(collectors):
                clients.close()  # threads that still wait for an answer shall not ask again
                return False
            abandoned = gathering.abandoned
            needed = RESERVE_S + JUDGING_S_PER_1000 * self.spool.size() / 1000
            if resume and self.spool.size() > before and self.seconds_left() < needed:
                return False
        judge = Judge(Sight(self.target, self.now, self.spool), clients, self.parameters, self.seconds_left)
        judge.run(self._judged())
        if abandoned and not isinstance(clients, Gap):
            clients.close()
        return True

    def result(self, reach: Reach | None) -> Look:
        closed = self._closed()
        if closed:
            due = self.catalog.planned(once=self.target.once)
            return Look((), Coverage.blind(self.target, due, closed, reach))
        return Look(_Findings(self.spool), self._coverage(reach or Reach()))

    def _judged(self) -> Mapping[AnyCheck, Sequence[type[Resource]]]:
        once = self.target.once
        return {check: self.catalog.judged(check, once=once) for check in self.catalog.planned(once=once)}

    def _closed(self) -> Gap | None:
        """One gap for a target that nothing of could be seen, instead of one for every call."""
        # What an account has once is read here too, where a check looks at it; it says nothing of the region.
        own = [c.resource for c in self.catalog.needed(once=self.target.once) if c.once == self.target.once]
        gaps = [lost for kind in own if (lost := self.spool.gap(kind)) and not self.spool.count(kind)]
        if not own or len(gaps) < len(own) or {lost.reason for lost in gaps} != {Blindness.DENIED_BY_SCP}:
            return None
        first = min(lost.detail for lost in gaps)
        return Gap("region", Blindness.DENIED_BY_SCP, f"every call in {self.target.region}, such as {first}")

    def _coverage(self, reach: Reach) -> Coverage:
        checks = self._judged()
        gaps: dict[str, Gap] = {}
        unlisted: set[str] = set()
        for check, kinds in checks.items():
            missing = next((lost for kind in kinds if (lost := self.spool.gap(kind))), None)
            if missing:
                gaps[check.id] = missing
                unlisted.add(check.id)
            elif unread := self.spool.unread(check.id):
                count, most = unread
                of = f"{count} of {sum(map(self.spool.count, kinds))} resources"
                gaps[check.id] = Gap(most.scope, most.reason, f"{of}: {most.detail}")
        kinds = [each.resource for each in self.catalog.needed(once=self.target.once)]
        return Coverage(
            target=self.target,
            planned=frozenset(check.id for check in checks),
            gaps=gaps,
            resources={kind.__name__: self.spool.count(kind) for kind in kinds},
            seen={check.id: _Seen(self.spool, kinds) for check, kinds in checks.items()},
            unread={check.id: _Unread(self.spool, check.id) for check in checks},
            listed=frozenset(check.id for check in checks) - unlisted,
            reach=reach,
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
