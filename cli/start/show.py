"""A scan while it runs and when it has ended: a live line or plain ones, and JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from cli.start.execution import Execution, Targets
from orgscan.model import Gap, Severity
from orgscan.present.text import clean, number, totals

if TYPE_CHECKING:
    from rich.console import Console

    from cli.start.follow import Tell

PAUSE = timedelta(minutes=1)
"""Between lines where there is no terminal and nothing much happens."""
GAPS = 3
"""That the headline names; summary.json has them all."""
RUNBOOK = "docs/operating.md#when-a-scan-fails"


@contextmanager
def watching(console: Console) -> Iterator[Tell]:
    """A live line, or on no terminal a line for each step, each tenth of the targets, and each minute."""
    if not console.is_terminal:
        yield _Lines(console).tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[rest]}"))
    with Progress(*columns, console=console, auto_refresh=False) as bar:
        task = bar.add_task("planning", total=None, rest="")

        def tell(seen: Execution, running: timedelta) -> None:
            known = seen.targets if isinstance(seen.targets, Targets) else None
            bar.update(
                task,
                description=seen.step,
                completed=known.done if known else 0,
                total=known.total or None if known else None,
                rest=", ".join(_parts(seen, running)),
                refresh=True,
            )

        yield tell


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: tuple[str, int] | None = None
        self._next = timedelta(0)

    def tell(self, seen: Execution, running: timedelta) -> None:
        known = seen.targets if isinstance(seen.targets, Targets) else None
        place = (seen.step, known.done * 10 // known.total if known and known.total else 0)
        if place == self._told and running < self._next:
            return
        self._told, self._next = place, running + PAUSE
        _print(self._console, f"{seen.step}: {', '.join(_parts(seen, running))}")


def _parts(seen: Execution, running: timedelta) -> Iterator[str]:
    if isinstance(seen.targets, Targets):
        yield f"{seen.targets.done:,} of {number(seen.targets.total, seen.targets.what)}"
        # What is missing of a group has a second round.
        if seen.targets.failed and seen.targets.what != "group":
            yield f"{seen.targets.failed:,} failed"
    elif isinstance(seen.targets, Gap):
        yield f"targets not seen: {seen.targets.detail}"
    yield _clock(running)


def _clock(running: timedelta) -> str:
    """0:02:05; clocks of two machines may differ by more than a scan has been running."""
    return str(timedelta(seconds=max(0, int(running.total_seconds()))))


def headline(console: Console, summary: Mapping[str, Any], folder: str) -> None:
    for line in _headline(summary):
        _print(console, line)
    _print(console, folder)


def _headline(summary: Mapping[str, Any]) -> Iterator[str]:
    verdict = "COMPLETE" if summary["complete"] else "INCOMPLETE"
    checks = number(summary["checks"]["planned"], "check")
    where = number(summary["accounts"], "account")
    yield f"{verdict}: {summary['coverage']}% of {checks} evaluated in {where}"
    for each in summary["gaps"][:GAPS]:
        yield f"  not seen: {number(each['checks'], 'check')}: {each['reason']}: {each['detail']}"
    more = len(summary["gaps"]) - GAPS + summary["more_gaps"]
    if more > 0:
        yield f"  not seen: {number(more, 'more reason')}"
    changed = {change: sum(told.values()) for change, told in summary["changes"].items()}
    yield f"  findings: {totals(changed) or 'nothing new'}"
    opened = {each: sum(summary["open"].get(each, {}).values()) for each in reversed(Severity)}
    yield f"  open: {totals(opened) or 'none'}"


def failure(seen: Execution) -> str:
    """Why it ended without a summary, and what to do."""
    told = ": ".join(filter(None, (seen.error, seen.cause)))
    match seen.status:
        case "TIMED_OUT":
            why = "the scan timed out: raise limits.concurrency, or narrow each schedule"
        case "ABORTED":
            why = "the scan was stopped (CloudTrail tells by whom: StopExecution)"
        case _ if seen.error == "InvalidScanRequest":
            return f"the scan failed ({told}): ask for what orgscan.yaml, as it is deployed, allows"
        case _:
            why = f"the scan failed ({told}): see {RUNBOOK}"
    if not seen.redrivable:
        return f"{why}; then start another one"
    return f"{why}; then go on with it: aws stepfunctions redrive-execution --execution-arn {seen.arn}"


def as_json(seen: Execution, summary: Mapping[str, Any] | None = None) -> dict[str, Any]:
    known = seen.targets if isinstance(seen.targets, Targets) else None
    return {
        "execution": seen.arn,
        "scan": seen.scan,
        "status": seen.status,
        "started": seen.started.isoformat(timespec="seconds"),
        "stopped": seen.stopped.isoformat(timespec="seconds") if seen.stopped else None,
        "groups": _counts(known, "group"),
        "targets": _counts(known, "target"),
        "error": seen.error or None,
        "cause": seen.cause or None,
        "summary": summary,
    }


def _counts(known: Targets | None, what: str) -> Mapping[str, int] | None:
    if known is None or known.what != what:
        return None
    return {"done": known.done, "failed": known.failed, "total": known.total}


def _print(console: Console, line: str) -> None:
    """No markup, and one line: names are somebody else's."""
    indent = line[: len(line) - len(line.lstrip())]
    console.print(Text(indent + clean(line)), soft_wrap=True)
