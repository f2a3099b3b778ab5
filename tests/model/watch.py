"""One scan as it is asked for, the troubles of its workers, and a watch that brings them about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orgscan.model import Target
from orgscan.plan import Plan
from tests.model.oracle import Asked
from tests.model.world import WRITE_S, World
from tests.twins import refusal


class Killed(BaseException):
    """As a process is killed: no handler of the library's sees it."""


@dataclass(frozen=True)
class Trouble:
    """What happens to the worker of one target."""

    target: int
    kind: str
    write: int
    when: str


@dataclass(frozen=True)
class Scan:
    """One scan, and what changes before it."""

    changes: Sequence[tuple[str, int, int, int, int]]
    hours: int
    request: Mapping[str, Any]
    order: int
    slow: int
    """A bit for each target."""
    troubles: Sequence[Trouble]
    handlers: tuple[int, int, int]
    """The writes at which plan, report and notify die."""
    meets: Sequence[bool] | None
    """It begins while the one before goes on: whose turn it is."""


@dataclass
class Run:
    """A scan that was planned."""

    how: Scan
    plan: Plan
    targets: list[Target]
    asked: Asked


@dataclass
class Watch:
    """Sees every write; lets the time go by, and something happen at one of them."""

    world: World
    at: int
    when: str
    then: Callable[[], None]
    writes: int = 0
    armed: bool = True

    def before(self, _name: str, _call: Any) -> None:
        self._happen("before")
        self.writes += 1

    def after(self, name: str, _call: Any) -> None:
        self.world.clock.spent += WRITE_S if self.world.slow and name != "PutObject" else 0.0
        self._happen("after")

    def _happen(self, when: str) -> None:
        number = self.writes if when == "before" else self.writes - 1
        if self.armed and when == self.when and number == self.at:
            self.armed = False
            self.then()


def die() -> None:
    raise Killed


def refuse(_name: str, _call: Any) -> None:
    raise refusal("Throttled", "", "Publish")


def turns(runs: Sequence[Run]) -> Iterator[tuple[Run, Target | None]]:
    """Each run's targets and then its report (None), mixed as the later one says."""
    left = [[*run.targets, None] for run in runs]
    choices = list(runs[-1].how.meets or ()) if runs else []
    while any(left):
        first = not left[-1] or (len(left) > 1 and left[0] and (choices.pop() if choices else True))
        number = 0 if first else len(left) - 1
        yield runs[number], left[number].pop(0)
