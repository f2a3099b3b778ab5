"""`orgscan status`: what the newest scan came to, whether one runs, when the next one is due."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from cli.checks import folded, width
from cli.lint import load
from cli.results import options as o
from cli.results.source import NEWEST as LATEST
from cli.results.source import Bucket, NoScan, Scan, Source, choose, source
from cli.start import follow
from cli.start.execution import Execution
from infra import CannotSynthesize
from infra.schedule import following
from orgscan.model import Blindness, Severity
from orgscan.present.text import REASONS, about, clean, number, totals, usd

GAPS = 5
"""That are told; summary.json has them all."""
INCOMPLETE = 1
"""Exit code where the newest scan did not see everything."""
MARGIN = " " * 11


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand, at one moment."""

    newest: Scan
    address: str
    running: Sequence[Execution] | str = ()
    """Why nobody knows, if it is text."""
    lost: Sequence[str] = ()
    """Newer scans that do not run and left no summary."""
    due: Sequence[tuple[str, str]] = ()
    """Schedule, and when."""

    def as_json(self) -> dict[str, Any]:
        known = not isinstance(self.running, str)
        return {
            "address": self.newest.folder.address,
            "summary": self.newest.summary,
            "running": [each.scan for each in self.running if isinstance(each, Execution)] if known else None,
            "without_results": [*self.lost],
            "next": dict(self.due),
        }


def status(
    *,
    as_json: o.AsJson = False,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """What the newest scan came to: coverage, gaps, changes, what is open, cost. And what runs, and is due.

    Exit code 0: it is complete. 1: it is incomplete. 2: an option is wrong, or there is no scan.
    """
    with o.refusing():
        place = source(results, stack, config)
        told = _standing(place, choose(place, LATEST), config)
        summary = told.newest.summary
    if as_json:
        typer.echo(json.dumps(told.as_json(), indent=1))
    else:
        for name, value in lines(told):
            for line in folded(clean(value), width(), MARGIN, first=f"{name:<11}"):
                typer.echo(line)
    if not summary["complete"]:
        raise typer.Exit(INCOMPLETE)


def _standing(place: Source, newest: Scan, config: Path) -> Standing:
    address = newest.folder.address
    if not isinstance(place, Bucket):
        return Standing(newest, address)
    newer = [*takewhile(lambda scan: scan != newest.id, place.ids())]
    due = _due(config)
    try:
        running = place.running()
    except NoScan as refused:
        return Standing(newest, address, str(refused), due=due)
    runs = {each.scan for each in running}
    return Standing(newest, address, running, [scan for scan in newer if scan not in runs], due)


def _due(config: Path) -> Sequence[tuple[str, str]]:
    """As the configuration says; nothing where it says nothing that can be read."""
    try:
        schedules = load(config, follow.CLOCK.now()).schedules
    except CannotSynthesize:
        return ()
    return [(each.name, _when(each.expression, each.timezone)) for each in schedules]


def _when(expression: str, timezone: str) -> str:
    """Only a calendar, or Scheduler itself, knows of some."""
    moment = following(expression, follow.CLOCK.now().astimezone(ZoneInfo(timezone)))
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else expression


def lines(told: Standing) -> Iterator[tuple[str, str]]:
    summary = told.newest.summary
    asked = f"schedule {summary['schedule']}" if summary.get("schedule") else "on demand"
    yield "scan", f"{told.newest.id}, {asked}"
    yield "started", f"{told.newest.started:%Y-%m-%d %H:%M} UTC{_took(summary)}"
    verdict = "COMPLETE" if summary["complete"] else "INCOMPLETE"
    checks = number(summary["checks"]["planned"], "check")
    where = f" in {number(summary['accounts'], 'account')}" if "accounts" in summary else ""
    yield "verdict", f"{verdict}: {summary['coverage']}% of {checks} evaluated{where}"
    yield from _named("not seen", unseen(summary))
    changes = {change: sum(counts.values()) for change, counts in summary["changes"].items()}
    yield "changes", totals(changes) or "nothing new"
    yield "open", totals(by_severity(summary)) or "nothing of what could be seen"
    if accepted := sum(sum(each.values()) for each in summary.get("suppressed", {}).values()):
        yield "suppressed", f"{accepted:,}"
    if summary.get("monthly_usd") or summary.get("unpriced"):
        unpriced = f", {summary['unpriced']:,} unpriced" if summary.get("unpriced") else ""
        yield "waste", f"about {usd(summary.get('monthly_usd', 0.0))} a month{unpriced}"
    if cost := summary.get("cost"):
        yield "cost", f"{number(cost['calls'], 'API call')}, {about(cost['usd'])}"
    yield "results", told.newest.folder.address
    yield from _now(told)


def _now(told: Standing) -> Iterator[tuple[str, str]]:
    """Of a deployment."""
    if isinstance(told.running, str):
        yield "running", f"not known: {told.running}"
    else:
        yield from _named("running", (_runs(each) for each in told.running))
    yield from _named("no result", (f"{each}: it failed, or was stopped" for each in told.lost))
    yield from _named("next", (f"{name}: {when}" for name, when in told.due))


def _runs(execution: Execution) -> str:
    since = number(max(0, int((follow.CLOCK.now() - execution.started).total_seconds()) // 60), "minute")
    return f"{execution.scan}, for {since}: orgscan start --follow {execution.arn}"


def _named(name: str, values: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The name once, however many values."""
    for place, value in enumerate(values):
        yield ("" if place else name), value


def _took(summary: Mapping[str, Any]) -> str:
    if "finished" not in summary:
        return ""
    took = datetime.fromisoformat(summary["finished"]) - datetime.fromisoformat(summary["started"])
    return f", took {number(max(1, round(took.total_seconds() / 60)), 'minute')}"


def unseen(summary: Mapping[str, Any]) -> Iterator[str]:
    """Why, the largest first."""
    for each in summary["gaps"][:GAPS]:
        yield f"{number(each['checks'], 'check')}: {reason(each)}"
    if (more := len(summary["gaps"][GAPS:]) + summary["more_gaps"]) > 0:
        yield f"for {number(more, 'more reason')}"


def reason(gap: Mapping[str, Any]) -> str:
    """'access denied: sts:AssumeRole'; a reason that only a later version knows is its own word."""
    known = gap["reason"] in [*Blindness]
    return f"{REASONS[Blindness(gap['reason'])] if known else gap['reason']}: {gap['detail']}"


def by_severity(summary: Mapping[str, Any]) -> dict[str, int]:
    """Open, worst first."""
    return {each.value: sum(summary["open"].get(each, {}).values()) for each in reversed(Severity)}
