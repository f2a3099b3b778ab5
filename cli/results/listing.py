"""Findings as a terminal or a pipe shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from cli.listing import STYLES
from cli.results.wanted import Group, Moment
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.present.text import clean, cut, number, resource_name, totals, usd
from orgscan.reconcile import Change, Status

if TYPE_CHECKING:
    from rich.console import Console

ID = 12
"""Digits of an id that are shown: 48 bits, enough among a million findings."""
INDENT = 10
"""Columns, below a severity."""
ROOMY = 100
"""Columns from which a finding's facts stand beside it, not below."""
SHORTEST = 10
"""Characters of an account's name, at least."""
MARKS = {Change.NEW: "new", Change.REOPENED: "reopened", Change.WORSENED: "worse", Change.EASED: "eased"}


def lines(findings: Iterable[Line], moment: Moment) -> Iterator[str]:
    """For pipes: each on one line, whatever its length."""
    for each in findings:
        severity = each.severity.ljust(len("informational"))
        place = (each.id[:ID], each.account, each.region, each.check, f"{moment.days(each)}d")
        # Each by itself: no name can make columns of its own.
        cells = map(clean, (*place, each.resource, "; ".join(each.problems)))
        yield "  ".join((severity, *cells))


def group_line(group: Group) -> str:
    """'acme-prod (123456789012): 12 findings: 2 critical, 10 high, 3.10 USD a month'."""
    waste = f", {usd(group.monthly_usd)} a month" if group.monthly_usd else ""
    found = f"{number(len(group.lines), 'finding')}: {totals(group.by_severity)}"
    return f"{clean(group.label)}: {found}{waste}"


def show(console: Console, findings: Sequence[Line], moment: Moment) -> None:
    """For people: what and where, the evidence below, in as many columns as a terminal has."""
    for each in findings:
        for line in _block(each, moment, console.width):
            say(console, line)


def show_group(console: Console, group: Group, findings: Sequence[Line], moment: Moment) -> None:
    say(console, Text(cut(group_line(group), console.width), "bold"))
    show(console, findings, moment)
    if more := len(group.lines) - len(findings):
        say(console, Text(f"{' ' * INDENT}and {more:,} more"))
    say(console, Text())


def say(console: Console, line: Text) -> None:
    """One line, cut where the terminal ends: it is never wrapped in the middle of a name."""
    console.print(line, no_wrap=True, overflow="ignore", crop=True)


def _block(line: Line, moment: Moment, width: int) -> Iterator[Text]:
    about = ", ".join(_facts(line, moment))
    # An owner's name may be as long as a tag's value.
    about = cut(about, (width - INDENT) if width < ROOMY else width // 2)
    room = width - INDENT - (len(about) + 2 if width >= ROOMY else 0)
    told = what(line, room)
    head = Text.assemble((f"{word(line.severity):<{INDENT}}", STYLES[line.severity]), (told, "bold"))
    if width >= ROOMY:
        head.append(about.rjust(width - INDENT - len(told)))
    yield head
    yield Text(cut(evidence(line), width, " " * INDENT))
    if width < ROOMY:
        yield Text(" " * INDENT + about, "dim")


def word(severity: Severity) -> str:
    """That fits into a narrow column."""
    return "info" if severity is Severity.INFORMATIONAL else severity.value


def what(line: Line, room: int) -> str:
    """The check and where; an account's name is shortened first: a cut name can be guessed."""
    name, place = clean(line.account_name) or line.account, clean(line.region)
    rest = len(f"{line.check}   {place}")
    told = f"{line.check}  {cut(name, max(SHORTEST, room - rest))} {place}"
    return told if len(told) <= room else f"{told[: room - 3]}..."


def evidence(line: Line) -> str:
    """'bucket/acme-logs: the policy allows everyone s3:GetObject'."""
    key = f" ({line.key})" if line.key else ""
    return f"{resource_name(line.resource)}{key}: {'; '.join(line.problems)}"


def _facts(line: Line, moment: Moment) -> Iterator[str]:
    yield line.id[:ID]
    mark = MARKS.get(line.change) if line.changed_in == moment.scan else None
    yield mark if mark in ("new", "reopened") else age(moment.days(line))
    if line.status is not Status.OPEN:
        yield line.status.value
    elif mark and mark not in ("new", "reopened"):
        yield mark
    if line.unconfirmed_since:
        yield "not confirmed"
    if line.saving:
        yield usd(line.saving.monthly_usd)
    if line.owner.name:
        yield cut(line.owner.name, 24)


def age(days: int) -> str:
    return number(days, "day") if days else "today"
