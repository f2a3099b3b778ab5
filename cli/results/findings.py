"""`orgscan findings`: its options, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

import typer

from cli.checks import folded
from cli.export import STDOUT, write
from cli.export import checks as known_checks
from cli.results import listing
from cli.results import options as o
from cli.results.source import NEWEST, Scan, open_scan
from cli.results.wanted import ORDERS, By, Group, Moment, Order, Wanted, grouped
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.present import csv, markdown
from orgscan.present.exported import Summary
from orgscan.present.text import number
from orgscan.reconcile import Status

FEW, FEW_OF_GROUP = 50, 5
"""Findings that a terminal shows unless told; pipes get all."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


@dataclass(frozen=True, slots=True)
class Found:
    """What is wanted of one scan's findings."""

    summary: Summary
    moment: Moment
    looked: int
    """At how many findings."""
    lines: Sequence[Line]
    """In order."""
    coverage: str
    """What the scan saw, for people."""


def findings(  # noqa: PLR0913 (each is an option)
    *,
    severities: o.Severities = None,
    minimum: Annotated[
        Severity, typer.Option("--min-severity", metavar="NAME", help="Nothing below it.")
    ] = Severity.INFORMATIONAL,
    categories: o.Categories = None,
    checks: o.Checks = None,
    accounts: Annotated[list[str] | None, o.repeated("--account", "ID|NAME", "Only in this account")] = None,
    regions: Annotated[
        list[str] | None, o.repeated("--region", "NAME", "Only in this region: eu-west-1, 'eu-*', global")
    ] = None,
    owners: Annotated[list[str] | None, o.repeated("--owner", "NAME", "Only what it owns")] = None,
    unowned: Annotated[bool, typer.Option("--unowned", help="Only what nobody owns.")] = False,
    statuses: Annotated[
        list[Status] | None,
        o.repeated("--status", "NAME", "open (if left out), suppressed, or resolved by this scan"),
    ] = None,
    opened: Annotated[bool, typer.Option("--new", help="Only what this scan found new or again.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what this scan changed.")] = False,
    older_than: Annotated[
        int | None,
        typer.Option(
            parser=o.days, metavar="DAYS", help="Only what was open longer, when it was scanned: 30d."
        ),
    ] = None,
    tags: Annotated[
        list[Any] | None,
        o.repeated("--tag", "KEY=VALUE", "Only on what carries it, or KEY alone", parser=o.tag_or_key),
    ] = None,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Only with this in a name, a problem, an owner or a tag.")
    ] = "",
    sort: Annotated[Order, typer.Option(metavar="NAME", help=f"By {', '.join(Order)}.")] = Order.SEVERITY,
    group: Annotated[
        By | None, typer.Option(metavar="NAME", help=f"By {', '.join(By)}; worst first.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help=f"At most so many, or of each group; 0: all. On a terminal {FEW}, of groups {FEW_OF_GROUP}.",
        ),
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", metavar="NAME", help=f"{', '.join(Format)}.")
    ] = Format.TABLE,
    scan: o.WhichScan = NEWEST,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """The findings of a scan, worst first. What is named must all hold; a name given twice takes both.

    On a terminal in blocks, in a pipe a line each, and then how many there are and what the scan saw: a
    scan that saw little finds little. Ages count to the scan.

    Exit code 0: told, however many there are. 2: an option is wrong, or there is no such scan.
    """
    wanted = Wanted(
        statuses=statuses or (Status.OPEN,),
        severities=severities or (),
        minimum=minimum,
        categories=categories or (),
        checks=checks or (),
        accounts=accounts or (),
        regions=regions or (),
        owners=owners or (),
        unowned=unowned,
        opened=opened,
        changed=changed,
        older_than=older_than,
        tags=tags or (),
        search=search,
    )
    with o.refusing():
        found = find(open_scan(results=results, stack=stack, config=config, scan=scan), wanted, sort)
    groups = grouped(found.lines, group) if group else None
    if format_ is Format.TABLE:
        _table(found, groups, limit)
        return
    write(_machine(format_, found, groups, limit or None), STDOUT)


def find(scan: Scan, wanted: Wanted, order: Order) -> Found:
    """Raises NoScan."""
    summary = scan.summary
    verdict = "COMPLETE" if summary["complete"] else "INCOMPLETE"
    planned = number(summary["checks"]["planned"], "check")
    moment = Moment(scan.id, scan.started)
    told: list[Iterable[Line]] = []
    if {*wanted.statuses} & {Status.OPEN, Status.SUPPRESSED}:
        told.append(scan.findings())
    if Status.RESOLVED in wanted.statuses:
        told.append(scan.resolved())
    looked = _Counted(chain.from_iterable(told))
    lines = sorted(wanted.of(looked, moment), key=ORDERS[order])
    coverage = f"{verdict}, {summary['coverage']}% of {planned} evaluated"
    return Found(summary, moment, looked.count, lines, coverage)


class _Counted:
    """Lines, none of which is kept."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[Line]:
        for each in self._lines:
            self.count += 1
            yield each


def _table(found: Found, groups: Sequence[Group] | None, limit: int | None) -> None:
    """On a terminal the last line says how many there are; in a pipe that would be one finding more."""
    terminal = o.on_terminal()
    if limit is None and terminal:
        limit = FEW_OF_GROUP if groups else FEW
    shown = 0
    console = o.terminal()
    for group in groups if groups is not None else [Group("", "", found.lines)]:
        some = group.lines[: limit or None]
        shown += len(some)
        if not terminal:
            if groups is not None:
                typer.echo(listing.group_line(group))
            for line in listing.lines(some, found.moment):
                typer.echo(line if groups is None else f"  {line}")
        elif groups is not None:
            listing.show_group(console, group, some, found.moment)
        else:
            listing.show(console, some, found.moment)
    if terminal and shown and groups is None:
        typer.echo()
    for told in _ending(found, shown, groups):
        for line in folded(told, console.width) if terminal else [told]:
            typer.echo(line, err=not terminal)


def _ending(found: Found, shown: int, groups: Sequence[Group] | None) -> Iterator[str]:
    matching = len(found.lines)
    among = f" in {number(len(groups), 'group')}" if groups else ""
    some = f"; {shown:,} shown, --limit 0 shows all" if shown < matching else ""
    yield f"{number(matching, 'finding')}{among}, of {found.looked:,} that the scan tells{some}"
    yield f"{found.moment.scan}: {found.coverage}"


def _machine(
    format_: Format, found: Found, groups: Sequence[Group] | None, limit: int | None
) -> Iterator[str]:
    """CSV has no groups: its rows come in their order."""
    some = [each.lines[:limit] for each in groups] if groups is not None else [found.lines[:limit]]
    if format_ is Format.JSON:
        told = [line.to_json() for lines in some for line in lines]
        yield json.dumps([*map(_group, groups, some)] if groups is not None else told, indent=1) + "\n"
    elif format_ is Format.CSV:
        yield from csv.export(found.summary, chain.from_iterable(some), known_checks())
    elif groups is None:
        yield from markdown.table(found.summary, found.lines[:limit], known_checks())
    else:
        for group, lines in zip(groups, some, strict=True):
            yield f"## {markdown.escaped(listing.group_line(group))}\n\n"
            yield from markdown.table(found.summary, lines, known_checks())
            yield "\n"


def _group(group: Group, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "group": group.key or None,
        "findings": len(group.lines),
        "by_severity": group.by_severity,
        "monthly_usd": group.monthly_usd,
        "lines": [line.to_json() for line in lines],
    }
