"""A scan while it runs, live or line by line, and when it has ended: its worst, and JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

from cli.start.show import PAUSE, headline
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.present.text import clean, cut, number, totals
from orgscan.reconcile import Status

if TYPE_CHECKING:
    from rich.console import Console

    from cli.scan import run

WORST = 6
"""Findings that are told at the end; the folder has them all."""
PLANNING = "planning"
WIDTH, NARROWEST = 100, 40
"""Columns."""
STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a scan came to, and what that means."""

    scan: str
    folder: str
    summary: Mapping[str, Any]
    interrupted: bool
    open: Sequence[Line]
    """Of the checks that were asked for, in what it looked at; worst first."""
    added: Sequence[Line] | None
    """Of them, what is new or worse than the baseline; None without one."""
    failing: int | None
    """Of them, as bad as --fail-on or worse; None without it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "scan": self.scan,
            "folder": self.folder,
            "interrupted": self.interrupted,
            "open": _by_severity(self.open),
            "added": None if self.added is None else _by_severity(self.added),
            "failing": self.failing,
            "summary": self.summary,
        }


@contextmanager
def watching(console: Console, clock: Callable[[], datetime], *, quiet: bool) -> Iterator[run.Tell]:
    """A live line; on no terminal one for each step, tenth of the targets and minute; or nothing."""
    began = clock()
    if quiet:
        yield lambda _: None
    elif not console.is_terminal:
        _print(console, PLANNING)
        yield _Lines(console, lambda: clock() - began).tell
    else:
        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=len(PLANNING))),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[rest]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        )
        with Progress(*columns, console=console, auto_refresh=False) as bar:
            task = bar.add_task(PLANNING, total=None, rest="")

            def tell(seen: run.Progress) -> None:
                rest = ", ".join(_parts(seen, clock() - began))
                bar.update(
                    task,
                    description=_step(seen),
                    completed=seen.done,
                    total=seen.total,
                    rest=rest,
                    refresh=True,
                )

            yield tell


class _Lines:
    def __init__(self, console: Console, running: Callable[[], timedelta]) -> None:
        self._console = console
        self._running = running
        self._told: tuple[str, int] | None = None
        self._next = timedelta(0)

    def tell(self, seen: run.Progress) -> None:
        running = self._running()
        place = (_step(seen), seen.done * 10 // seen.total)
        if place == self._told and running < self._next:
            return
        self._told, self._next = place, running + PAUSE
        _print(self._console, f"{_step(seen)}: {', '.join(_parts(seen, running))}")


def _step(seen: run.Progress) -> str:
    return "stopping" if seen.stopping else "scanning"


def _parts(seen: run.Progress, running: timedelta) -> Iterator[str]:
    yield f"{seen.done:,} of {number(seen.total, 'target')}"
    yield str(timedelta(seconds=int(running.total_seconds())))
    if seen.unseen:
        yield f"{number(seen.unseen, 'check')} not seen"
    if found := totals({each: seen.found[each] for each in reversed(Severity)}):
        yield found


def show(console: Console, end: End) -> None:
    """The worst findings, what all came to, where it is."""
    width = max(NARROWEST, min(WIDTH, console.width))
    told, what = (end.open, "worst") if end.added is None else (end.added, "new or worse")
    if told:
        console.print(Text(f"{what}:"))
    for each in told[:WORST]:
        for line in _finding(each, width):
            console.print(line, soft_wrap=True)
    if len(told) > WORST:
        _print(console, f"  and {len(told) - WORST:,} more")
    # What the scan looked at, whatever else is known of its accounts.
    counted: dict[str, dict[str, int]] = {}
    for each in end.open:
        by = counted.setdefault(each.severity, {})
        by[each.category] = by.get(each.category, 0) + 1
    headline(console, {**end.summary, "open": counted}, end.folder)


def _finding(line: Line, width: int) -> Iterator[Text]:
    where = " ".join(filter(None, (line.account_name or line.account, line.region)))
    head = Text("  ")
    head.append(f"{line.severity:<13}", STYLES.get(line.severity, ""))
    head.append(cut(f"{line.check}  {where}", width - 15))
    yield head
    yield Text(cut(line.resource, width, " " * 15))
    for problem in line.problems[:1]:
        yield Text(cut(problem, width, " " * 15))


def is_open(line: Line) -> bool:
    return line.status is Status.OPEN


def _by_severity(lines: Sequence[Line]) -> dict[str, int]:
    counted = Counter(each.severity for each in lines)
    return {str(each): counted[each] for each in reversed(Severity) if counted[each]}


def _print(console: Console, line: str) -> None:
    """No markup, and one line: names are somebody else's."""
    indent = line[: len(line) - len(line.lstrip())]
    console.print(Text(indent + clean(line)), soft_wrap=True)
