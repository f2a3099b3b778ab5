"""All that is known of one finding, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from cli.checks import folded, section
from cli.results.listing import age
from cli.results.source import NoScan, Scan, Untold
from cli.results.wanted import Moment
from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.present.text import clean, listed, number, usd
from orgscan.reconcile import Status
from orgscan.remedy import commands

FEWEST = 6
"""Digits of an id that are asked for."""


def by_id(scan: Scan, given: str) -> Line:
    """Open, suppressed, or resolved by the scan. Raises NoScan."""
    if len(given) < FEWEST:
        raise NoScan(f"{given!r}: must be at least {FEWEST} digits of a finding's id")
    found = [each for each in scan.findings() if each.id.startswith(given)]
    if not found:
        with suppress(Untold):  # earlier versions kept no list of what they closed
            found = [each for each in scan.resolved() if each.id.startswith(given)]
    if len(found) > 1:
        ids = listed((each.id for each in found), 3)
        raise NoScan(f"{given!r} begins the ids of {number(len(found), 'finding')}: {ids}: say more of it")
    if not found:
        raise NoScan(
            f"{given!r} is no finding of {scan.id}, neither open nor resolved by it: "
            "`orgscan findings` has their ids, --scan names another scan"
        )
    return found[0]


def page(line: Line, check: AnyCheck | None, moment: Moment, width: int) -> Iterator[str]:
    """In lines of at most so many characters where there are spaces to break at; names cannot break out."""
    yield f"{clean(line.check)}  ({line.severity}, {line.category})"
    yield ""
    yield from folded(check.title if check else "This version of orgscan has no such check any more.", width)
    yield ""
    for name, value in _facts(line, moment):
        yield from _fact(name, value, width)
    yield from section("Evidence", map(clean, line.problems), width)
    if check:
        for part in check.why.split("\n\n"):
            yield from ("", *folded(" ".join(part.split()), width))
        yield from ("", *folded(f"Fix: {check.fix}", width))
        yield from _commands(check, line)
        if check.cdk:
            yield from ("", "The same with CDK", *(f"  {each}" for each in check.cdk.splitlines()))
        yield from section("References", check.refs, width)
    yield from section("History", _history(line), width)


def _fact(name: str, value: str, width: int) -> Iterable[str]:
    return folded(clean(value), width, " " * 11, first=f"{name:<11}")


def _facts(line: Line, moment: Moment) -> Iterator[tuple[str, str]]:
    """What it is and where; names of accounts, tags and owners are somebody else's."""
    yield "id", line.id
    yield "account", f"{line.account_name} ({line.account})" if line.account_name else line.account
    yield "region", line.region
    yield "resource", line.resource
    if line.key:
        yield "part", line.key
    yield "status", _status(line, moment)
    if line.unconfirmed_since:
        yield "unseen", f"nobody could confirm it since {_day(line.unconfirmed_since)}"
    yield "owner", f"{line.owner.name} ({line.owner.by})" if line.owner.name else "nobody"
    if line.saving:
        told = f"{usd(line.saving.monthly_usd)} a month, {line.saving.confidence} confidence"
        yield "waste", f"{told}: {line.saving.basis}"
    if line.tags is not None:
        yield "tags", ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items())) or "none"


def _status(line: Line, moment: Moment) -> str:
    days = age(moment.days(line))
    if line.status is Status.RESOLVED:
        because = f": {line.resolved_because}".replace("-", " ") if line.resolved_because else ""
        return f"resolved by this scan{because}; it was open since {_day(line.opened)}, {days}"
    since = f"since {_day(line.opened)}" + (f", {days}" if moment.days(line) else "")
    first = f"; first seen {_day(line.first_seen)}" if line.first_seen != line.opened else ""
    by = f" by entry {line.suppressed_by} of orgscan.yaml" if line.suppressed_by else ""
    return f"{line.status}{by}, {since}{first}"


def _day(when: str) -> str:
    return f"{datetime.fromisoformat(when):%Y-%m-%d}"


def _commands(check: AnyCheck, line: Line) -> Iterator[str]:
    """Whole, for they are pasted; what a terminal would obey cannot be, so such a command is not shown."""
    told = commands(check, line)
    if told:
        yield from ("", "With the AWS CLI")
    for each in told:
        printable = each.isascii() and each.isprintable()
        yield f"  {each}" if printable else "  (holds characters that are not safe to print; --json has it)"


def _history(line: Line) -> Iterator[str]:
    for event in line.history:
        yield f"{datetime.fromisoformat(event.when):%Y-%m-%d %H:%M} UTC  {event.change}"
