"""`orgscan history`: how it went over the last scans, as far as they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from cli.results import options as o
from cli.results.source import NoScan, Scan, Untold, newest, source
from cli.results.trend import BUCKETS, By, Point, Series, ages, bar, days_to_resolve, series
from orgscan.model import Severity
from orgscan.present.text import cut, number
from orgscan.results import ROLLUP

SCANS, ROWS = 14, 15
LONGEST = 1_000
"""Scans that are read at most."""
BAR = 40
"""Columns of a bar at most."""


def history(  # noqa: PLR0913 (each is an option)
    *,
    last: Annotated[
        int, typer.Option(min=1, max=LONGEST, metavar="NUMBER", help="Of so many scans, the newest.")
    ] = SCANS,
    by: Annotated[By | None, typer.Option(metavar="NAME", help=f"How each went: {', '.join(By)}.")] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only scans of this schedule; '': only those on demand."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="With --by, at most so many rows; 0: all.")
    ] = ROWS,
    as_json: o.AsJson = False,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """How it went over the last scans: coverage, what was open, new and resolved, waste.

    And how long findings stay open. A deployment keeps scans for 400 days, a folder what is in it.

    Exit code 0: told. 2: an option is wrong, or there is no scan.
    """
    with o.refusing():
        place = source(results, stack, config)
        told = (_point(scan) for scan in newest(place, place.ids()))
        wanted = (point for point in told if schedule in (None, point.summary.get("schedule") or ""))
        points = [*islice(wanted, last)][::-1]
        if not points:
            which = f" of schedule {schedule!r}" if schedule else ""
            raise NoScan(f"there is no scan{which} in {place.address} that ended: start one (orgscan start)")
    known = [point for point in points if point.rollup is not None]
    rows = series(points if by is By.SEVERITY else known, by) if by and (known or by is By.SEVERITY) else []
    if as_json:
        typer.echo(json.dumps(_as_json(points, by, rows), indent=1))
        return
    width = o.terminal().width
    for line in _lines(points, by, rows, limit, width):
        typer.echo(line)


def _point(scan: Scan) -> Point:
    try:
        return Point(scan.summary, scan.json(ROLLUP))
    except Untold:
        return Point(scan.summary, None)


def _lines(
    points: Sequence[Point], by: By | None, rows: Sequence[Series], limit: int, width: int
) -> Iterator[str]:
    yield from _by(rows, by, limit, width) if by else _scans(points, width)
    untold = sum(point.rollup is None for point in points)
    if untold and by is not By.SEVERITY:
        yield f"{number(untold, 'scan')} of an earlier version did not keep all of this."
    if by:
        return
    looked = {point.summary.get("targets", {}).get("planned") for point in points}
    if len(looked) > 1:
        yield "They did not look at the same number of targets: --schedule compares like with like."
    yield from _stay(points)


def _scans(points: Sequence[Point], width: int) -> Iterator[str]:
    most = max(point.open for point in points)
    sizes = (6, 5, 5, 5, 5)
    names = ("open", "crit.", "high", "new", "gone")
    cells = "".join(f" {name:>{size}}" for name, size in zip(names, sizes, strict=True))
    heading = f"{'started, UTC':<16} {'seen':>6}{cells} {'USD':>8}"
    yield heading
    for point in points:
        counts = point.summary["open"]
        worst = (sum(counts.get(each, {}).values()) for each in (Severity.CRITICAL, Severity.HIGH))
        told = (point.open, *worst, point.changed("new", "reopened"), point.changed("resolved"))
        cells = "".join(f" {value:>{size},}" for value, size in zip(told, sizes, strict=True))
        waste = f"{point.summary.get('monthly_usd') or 0:>8,.0f}"
        seen = f"{point.summary['coverage']:>5}%"
        line = f"{point.when:%Y-%m-%d %H:%M} {seen}{cells} {waste}"
        yield f"{line}  {bar(point.open, most, min(BAR, width - len(heading) - 2))}".rstrip()


def _by(rows: Sequence[Series], by: By, limit: int, width: int) -> Iterator[str]:
    some = rows[: limit or None]
    size = max([len(by), *(len(each.label) for each in some)])
    size = min(size, width - 35)
    most = max((count for each in some for count in each.counts), default=0)
    yield f"{by:<{size}} {'first':>7} {'most':>7} {'now':>7} {'step':>7}"
    for each in some:
        first, peak, now = each.counts[0], max(each.counts), each.counts[-1]
        line = f"{cut(each.label, size):<{size}} {first:>7,} {peak:>7,} {now:>7,} {_step(each.step):>7}"
        yield f"{line}  {bar(now, most, min(BAR, width - size - 34))}".rstrip()
    if len(rows) > len(some):
        yield f"and {len(rows) - len(some):,} more; --limit 0 shows all"


def _step(step: int) -> str:
    return f"{step:+,}" if step else "0"


def _stay(points: Sequence[Point]) -> Iterator[str]:
    """How long what was resolved had been open, and what is open has been."""
    if closed := days_to_resolve(points):
        yield ""
        yield f"{'resolved after':<16}{'days, average':>14}{'findings':>10}"
        for severity, (count, days) in closed.items():
            yield f"{severity:<16}{days:>14,.1f}{count:>10,}"
    if open_ := ages(points[-1]):
        yield ""
        yield f"{'open for at most':<16}" + "".join(f"{heading:>8}" for heading in BUCKETS.values())
        for severity, buckets in open_.items():
            yield f"{severity:<16}" + "".join(f"{count:>8,}" for count in buckets.values())


def _as_json(points: Sequence[Point], by: By | None, rows: Iterable[Series]) -> dict[str, object]:
    told: dict[str, object] = {
        "scans": [point.as_json() for point in points],
        "days_to_resolve": {
            severity: {"findings": count, "average": round(days, 2)}
            for severity, (count, days) in days_to_resolve(points).items()
        },
        "ages": ages(points[-1]),
    }
    if by:
        told[by] = [{"key": each.key, "label": each.label, "counts": [*each.counts]} for each in rows]
    return told
