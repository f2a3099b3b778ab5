"""All collectors of a target side by side, into its spool. What goes unseen becomes a gap of its kind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from threading import Lock
from typing import Any

from orgscan.catalog import AnyCollector
from orgscan.collector import Bookmark
from orgscan.errors import NO_ANSWER, OutOfTime, forbidden_by, gap, page_expired, trace
from orgscan.model import Blindness, Gap, Resource, Target
from orgscan.pools import pools
from orgscan.scouts import WAIT_S, closed, one_policy, scouts
from orgscan.session import Clients
from orgscan.spool import CHUNK, Spool

RESERVE_S = 60.0
"""What is kept for judging and storing at the end of an invocation."""
COLLECTORS_AT_ONCE = 16
CALLS_AT_ONCE = 16

logger = logging.getLogger(__name__)


@dataclass
class Gathering:
    """One invocation's share of it."""

    spool: Spool
    clients: Clients
    target: Target
    now: datetime
    seconds_left: Callable[[], float]
    salt: str
    resume: bool
    """Another invocation can go on."""
    short: bool = False
    """And that one is longer, so nothing is given up in this one."""
    abandoned: bool = False
    """Some thread still waits for an answer."""
    _over: bool = False
    _lock: Lock = field(default_factory=Lock)

    def run(self, collectors: Iterable[AnyCollector]) -> bool:
        """Whether every kind is now seen or has a gap; otherwise another invocation goes on."""
        collectors = list(collectors)
        whole = self.seconds_left() - RESERVE_S
        self.clients.limit(lambda: self.seconds_left() - RESERVE_S)
        with pools(COLLECTORS_AT_ONCE, CALLS_AT_ONCE) as (readers, pool):
            # Those first that have most to ask one after the other: with them it ends.
            longest = sorted(collectors, key=lambda each: len(each.calls), reverse=True)
            readings = [Reading(self, each, pool) for each in longest if not self.spool.ended(each.resource)]
            # Where another invocation has been before, it is known that one may look.
            fresh = scouts(collectors, self.target) if len(readings) == len(collectors) else ()
            ahead = [each for scout in fresh for each in readings if each.collector is scout]
            tasks = self._start(readings, ahead, readers)
            # A call may hang for longer than there is time: then nobody waits for it.
            left = self.seconds_left() - RESERVE_S
            ended = wait(tasks, timeout=None if left == inf else max(0.0, left))
            with self._lock:
                self._over = True
            self.abandoned = any(task.running() for task in ended.not_done)
        unfinished = [each for each in readings if not self.spool.ended(each.kind)]
        for each in unfinished:
            if not self.resume or (not self.short and each.stuck(whole)):
                self.spool.end(each.kind, gap(each.collector.name, OutOfTime()))
        return all(self.spool.ended(each.kind) for each in unfinished)

    def _start(
        self, readings: Iterable[Reading], ahead: Iterable[Reading], readers: ThreadPoolExecutor
    ) -> list[Future[None]]:
        """Those ahead alone, one after the other as long as a policy denies them; then all, or nobody."""
        gone: list[Reading] = []
        tasks: list[Future[None]] = []
        for scout in ahead:
            gone.append(scout)
            tasks.append(readers.submit(scout.run))
            wait(tasks, timeout=min(WAIT_S, max(0.0, self.seconds_left() - RESERVE_S)))
            if scout.denied_by is None:
                break
        others = [each for each in readings if each not in gone]
        if one_policy([each.denied_by for each in gone]):
            self._close(gone, others)
            return tasks
        return [*tasks, *(readers.submit(each.run) for each in others)]

    def _close(self, gone: Sequence[Reading], others: Iterable[Reading]) -> None:
        named = next((each for each in gone if each.denied_by), gone[0])
        logger.warning("the region is closed: %s", named.denied)
        with self.writing() as spool:
            for each in others:
                spool.end(each.kind, closed(self.target, Blindness.DENIED_BY_SCP, named.denied))

    @contextmanager
    def writing(self) -> Iterator[Spool]:
        """Only as long as somebody waits: a thread that outlives its time changes nothing any more."""
        with self._lock:
            if self._over:
                raise OutOfTime
            yield self.spool

    @property
    def late(self) -> bool:
        return self.seconds_left() < RESERVE_S


@dataclass(eq=False)
class Reading:
    """One collector at work. What it saw before it failed still counts as seen."""

    gathering: Gathering
    collector: AnyCollector
    pool: ThreadPoolExecutor
    batch: list[Resource] = field(default_factory=list)
    began: float | None = None
    """The seconds that were left."""
    moved: bool = False
    """It finished a page."""
    lost: set[Gap] = field(default_factory=set)
    """What is said of items that make no sense; once, however many they are."""
    denied_by: str | None = None
    """The service control policy, if AWS names it, that denied the very first call."""
    denied: str = ""
    """What it denied."""

    @property
    def kind(self) -> type[Resource]:
        return self.collector.resource

    def run(self) -> None:
        if self.gathering.late:
            return
        self.began = self.gathering.seconds_left()
        try:
            try:
                self._list()
            except OutOfTime:
                self._keep()
            except Exception as error:  # noqa: BLE001 (whatever it is costs this kind and nothing else)
                self._log(error)
                self._deny(error)
                self._end(error)
            else:
                self._end(None)
        except OutOfTime:
            logger.warning("collector abandoned", extra={"collector": self.collector.name})

    def stuck(self, whole: float) -> bool:
        """It had half an invocation and did not finish a page: another one would not help."""
        spent = 0.0 if self.began is None else self.began - self.gathering.seconds_left()
        return not self.moved and self.began is not None and spent >= whole / 2

    def _list(self) -> None:
        start = self.gathering.spool.bookmark(self.kind)
        how: dict[str, Any] = {
            "now": self.gathering.now,
            "salt": self.gathering.salt,
            "start": start,
            "turn": self._turn,
            "spoil": self._spoil,
        }
        reading = self.collector.read(self.gathering.clients, self.gathering.target, self.pool, **how)
        try:
            with closing(reading) as resources:
                for resource in resources:
                    self._add(resource)
        except NO_ANSWER as error:
            # Ways to a next page expire. What was seen on the pages before is seen again, and still once.
            if not start.token or self.moved or not page_expired(error):
                raise
            self._turn(Bookmark(start.listing))
            self._list()

    def _add(self, resource: Resource) -> None:
        self.batch.append(resource)
        if len(self.batch) >= CHUNK:
            self._keep()
        if self.gathering.late:
            raise OutOfTime

    def _turn(self, bookmark: Bookmark) -> None:
        self._keep(bookmark)
        self.moved = True
        if self.gathering.late:
            raise OutOfTime

    def _spoil(self, lost: Gap) -> None:
        if lost in self.lost:
            return
        self.lost.add(lost)
        logger.warning("unreadable: %s", lost.detail, extra={"collector": self.collector.name})
        with self.gathering.writing() as spool:
            spool.spoil(self.kind, lost)

    def _keep(self, bookmark: Bookmark | None = None) -> None:
        with self.gathering.writing() as spool:
            spool.keep(self.kind, self.batch, bookmark)
        self.batch.clear()

    def _end(self, error: Exception | None) -> None:
        self._keep()
        with self.gathering.writing() as spool:
            spool.end(self.kind, gap(self.collector.name, error) if error else None)

    def _deny(self, error: Exception) -> None:
        if not self.moved and not self.batch:
            self.denied, self.denied_by = gap(self.collector.name, error).detail, forbidden_by(error)

    def _log(self, error: Exception) -> None:
        lost = gap(self.collector.name, error)
        # Not the exception itself: its words may quote what nobody may see.
        how = {"trace": trace(error)} if lost.reason is Blindness.FAULT else {}
        logger.warning("collector stopped: %s", lost.detail, extra={"collector": self.collector.name, **how})
