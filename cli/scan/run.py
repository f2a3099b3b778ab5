"""Targets side by side, each with the worker of a deployment, until all are done or somebody interrupts."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from threading import Event
from typing import TYPE_CHECKING, TypeAlias

from orgscan.after import Untold
from orgscan.errors import OutOfTime, gap
from orgscan.meter import Meter, Spent
from orgscan.model import Blindness, Gap, Severity, Target
from orgscan.receipt import NO_RECEIPT
from orgscan.work import Worker

if TYPE_CHECKING:
    from cli.scan.store import DiskStore
    from orgscan.catalog import Catalog
    from orgscan.plan import Plan
    from orgscan.receipt import Receipt
    from orgscan.session import Clients
    from orgscan.settings import Configuration

INTERRUPTED = Gap("target", Blindness.DEADLINE, "the scan was interrupted before this was looked at")
LOOK_UP_S = 0.5
"""How often the main thread, which alone hears of signals, looks up from waiting."""


@dataclass(kw_only=True)
class Progress:
    """How far it is."""

    total: int
    """Targets."""
    done: int = 0
    found: Counter[Severity] = field(default_factory=Counter)
    """Open, in the targets that are done."""
    unseen: int = 0
    """Checks of them that were not evaluated."""
    stopping: bool = False

    def add(self, receipt: Receipt) -> None:
        self.done += 1
        self.unseen += receipt.planned - receipt.evaluated
        for (severity, _), count in receipt.open.items():
            self.found[severity] += count


Tell: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scan at work."""

    plan: Plan
    targets: Sequence[Target]
    catalog: Catalog
    configuration: Configuration
    store: DiskStore
    enter: Callable[[str, Meter], Clients]
    at_once: int
    """Targets."""
    stop: Event = field(default_factory=Event)

    def to_the_end(self, tell: Tell) -> bool:
        """Every target leaves a receipt; once `stop` is set, what is not done is a gap. Told on the way.

        Returns whether all were looked at.
        """
        progress, failed = Progress(total=len(self.targets)), dict[Target, Gap]()
        salt = self.store.salt()
        pool = ThreadPoolExecutor(self.at_once)
        try:
            tell(progress)
            tasks = {pool.submit(self._scan, each, salt): each for each in self.targets}
            for task in self._as_they_end([*tasks], lambda: self._still(progress, tell)):
                if error := task.exception():
                    failed[tasks[task]] = _lost(error)
                elif receipt := task.result():
                    progress.add(receipt)
                    tell(progress)
        finally:
            # Whoever is in a hurry does not wait for calls that are under way.
            pool.shutdown(wait=False, cancel_futures=True)
        missing = [*self.store.without_receipt(self.plan.scan, self.targets)]
        self._account_for(missing, failed)
        return {*missing} <= failed.keys()

    def _still(self, progress: Progress, tell: Tell) -> None:
        progress.stopping = self.stop.is_set()
        tell(progress)

    def _as_they_end(
        self, tasks: Sequence[Future[Receipt | None]], meanwhile: Callable[[], None]
    ) -> Iterator[Future[Receipt | None]]:
        waiting = {*tasks}
        while waiting:
            ended, waiting = wait(waiting, LOOK_UP_S, FIRST_COMPLETED)
            yield from ended
            meanwhile()

    def _scan(self, target: Target, salt: str) -> Receipt | None:
        """None: it was interrupted."""
        meter = Meter()
        worker = Worker(
            plan=self.plan,
            catalog=self.catalog,
            configuration=self.configuration,
            store=self.store,
            checkpoints=None,
            enter=lambda each: self.enter(each.account, meter),
            salt=salt,
            spent=lambda: spent(meter),
        )
        if self.stop.is_set():
            return None
        try:
            return worker.scan(target, 0, lambda: 0.0 if self.stop.is_set() else inf)
        except OutOfTime:
            return None

    def _account_for(self, missing: Sequence[Target], failed: Mapping[Target, Gap]) -> None:
        untold = Untold(plan=self.plan, catalog=self.catalog, configuration=self.configuration)
        for target in missing:
            untold.record(self.store, target, failed.get(target, INTERRUPTED))


def spent(meter: Meter) -> Spent:
    """Only what was asked of AWS: the machine is one's own."""
    asked = meter.spent(0.0, 0)
    return Spent(
        calls=asked.calls, throttled=asked.throttled, metrics=asked.metrics, cost_queries=asked.cost_queries
    )


@contextmanager
def interruptible(stop: Event) -> Iterator[None]:
    """The first Ctrl-C sets `stop`, a second one is as ever: KeyboardInterrupt."""

    def first(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lost(error: BaseException) -> Gap:
    """What a worker left that our code, or the disk, let down."""
    return gap("target", error) if isinstance(error, Exception) else NO_RECEIPT
