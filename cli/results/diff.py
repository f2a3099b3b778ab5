"""`orgscan diff`: what changed between two scans, and what cannot be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.results import listing
from cli.results import options as o
from cli.results.compare import UNCOMPARED, Difference, Kind, Later, Places, Side, by_kind, compare
from cli.results.source import NEWEST, NoScan, Scan, Source, Untold, choose, source
from cli.results.status import reason
from cli.results.wanted import severities
from orgscan.line import Line
from orgscan.present.text import clean, cut, number, resource_name, totals

FEW = 20
"""Of each kind that a terminal shows unless told; pipes get all."""
DIFFERENT = 1
"""Exit code where it is asked for."""
SAID = {
    Kind.NOT_THEN: "the earlier scan says nothing of them",
    Kind.NOT_NOW: "the later scan says nothing of them, so they are not resolved",
}


def diff(  # noqa: PLR0913 (each is an option)
    earlier: Annotated[
        str,
        typer.Argument(
            metavar="A", help="A scan, as --scan names it elsewhere.", autocompletion=o.complete_scans
        ),
    ] = "previous",
    later: Annotated[
        str, typer.Argument(metavar="B", help="Another one.", autocompletion=o.complete_scans)
    ] = NEWEST,
    *,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="NUMBER", help=f"At most so many of each kind; 0: all. A terminal shows {FEW}."
        ),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="1 if anything differs.")] = False,
    as_json: o.AsJson = False,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """What changed between two scans: new, worse, better, resolved and why, no longer seen; and coverage.

    The one that started first is the earlier one, whichever is named first. A finding counts as resolved
    only if a scan says that it closed it, or the later scan looked there and does not list it. What only
    one of them looked at is listed apart, and is no difference.

    Exit code 0: told. 1: with --exit-code, something differs. 2: an option is wrong, or a scan is not there.
    """
    with o.refusing():
        place = source(results, stack, config)
        then, now = sorted((choose(place, earlier), choose(place, later)), key=lambda each: each.id)
        if then.id == now.id:
            raise NoScan(f"{then.id} is both: name two scans")
        told = _differences(place, then, now)
        heading = [*_heading(then, now)]
    if as_json:
        typer.echo(json.dumps(_as_json(then, now, told), indent=1))
    else:
        _show(heading, told, FEW if limit is None and o.on_terminal() else limit or None)
    if exit_code and any(each.kind not in UNCOMPARED for each in told):
        raise typer.Exit(DIFFERENT)


def _differences(place: Source, then: Scan, now: Scan) -> list[Difference]:
    between = [each for each in place.ids() if then.id < each <= now.id]
    return compare(_side(then), _side(now), _later(place, between, now.id))


def _side(scan: Scan) -> Side:
    return Side(scan.started, {line.id: line for line in scan.findings()}, _places(scan))


def _places(scan: Scan) -> Places | None:
    try:
        targets, plan = scan.json("targets.json"), scan.json("plan.json")
    except Untold:
        return None
    return Places(frozenset((each["account"], each["region"]) for each in targets), frozenset(plan["checks"]))


def _later(place: Source, ids: Sequence[str], now: str) -> Iterator[Later]:
    for each in ids:
        scan = Scan(place.folder(each), each)
        yield Later(_told(scan.resolved()), () if each == now else _told(scan.findings()))


def _told(lines: Iterator[Line]) -> Iterator[Line]:
    """Nothing of a scan that has not ended, or left no such file."""
    try:
        yield from lines
    except Untold:
        return


def _heading(then: Scan, now: Scan) -> Iterator[str]:
    yield f"{then.id} -> {now.id}"
    yield f"coverage  {_coverage(then.summary)} -> {_coverage(now.summary)}"
    yield from _unlike(then, now)
    for more, gap in _blinder(then.summary, now.summary):
        yield f"newly not seen  {number(more, 'check')}: {reason(gap)}"


def _coverage(summary: Mapping[str, Any]) -> str:
    return f"{summary['coverage']}% of {number(summary['checks']['planned'], 'check')}"


def _unlike(then: Scan, now: Scan) -> Iterator[str]:
    """Whether they looked at different targets, as far as they tell."""
    a, b = _places(then), _places(now)
    if a and b and a != b:
        only = (f"{number(len(x.targets - y.targets), 'target')}" for x, y in ((a, b), (b, a)))
        yield "They did not look at the same: {} only then, {} only now.".format(*only)
        return
    planned = [each.summary.get("targets", {}).get("planned") for each in (then, now)]
    if planned[0] != planned[1]:
        yield f"They did not look at the same: {planned[0]:,} targets then, {planned[1]:,} now."


def _blinder(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """By how many checks, and why."""
    before = {(each["reason"], each["detail"]): each["checks"] for each in then["gaps"]}
    for gap in now["gaps"]:
        more = gap["checks"] - before.get((gap["reason"], gap["detail"]), 0)
        if more > 0:
            yield more, gap


def _show(heading: Iterable[str], told: Sequence[Difference], limit: int | None) -> None:
    console, terminal = o.terminal(), o.on_terminal()
    for line in heading:
        typer.echo(cut(line, console.width) if terminal else clean(line))
    kinds = by_kind(told)
    for kind, those in kinds.items():
        counts = totals(severities(each.line for each in those))
        typer.echo()
        listing.say(console, Text(f"{kind.upper()}: {counts}", "bold" if terminal else ""))
        if kind in SAID:
            typer.echo(f"  {SAID[kind]}")
        for each in those[:limit]:
            for line in _block(each, console.width) if terminal else [_line(each)]:
                typer.echo(line)
        if limit and len(those) > limit:
            typer.echo(f"  and {len(those) - limit:,} more; --limit 0 shows all")
    if not kinds:
        typer.echo("\nnothing differs")


def _block(each: Difference, width: int) -> Iterator[str]:
    """For people: which and where, what became of it below."""
    margin = " " * (listing.INDENT + 2)
    what = listing.what(each.line, width - len(margin))
    yield f"  {listing.word(each.line.severity):<{listing.INDENT}}{what}"
    about = ", ".join((each.line.id[: listing.ID], *_about(each), resource_name(each.line.resource)))
    yield cut(about, width, margin)


def _about(each: Difference) -> Iterator[str]:
    if each.was and each.was.severity is not each.line.severity:
        yield f"was {each.was.severity}"
    if each.line.resolved_because:
        yield each.line.resolved_because.replace("-", " ")
    elif each.kind is Kind.RESOLVED:
        yield "nobody tells why"


def _line(each: Difference) -> str:
    """For pipes: on one line, whatever its length."""
    line = each.line
    cells = (line.severity, line.id[: listing.ID], line.account, line.region, line.check, line.resource)
    return "  " + "  ".join(map(clean, (*cells, *_about(each))))


def _as_json(then: Scan, now: Scan, told: Sequence[Difference]) -> dict[str, Any]:
    def side(scan: Scan) -> dict[str, Any]:
        return {"scan": scan.id, "coverage": scan.summary["coverage"], "checks": scan.summary["checks"]}

    return {
        "then": side(then),
        "now": side(now),
        "newly_not_seen": [{**gap, "checks": more} for more, gap in _blinder(then.summary, now.summary)],
        "differences": [
            {"kind": each.kind, "was": each.was.severity if each.was else None, **each.line.to_json()}
            for each in told
        ],
    }
