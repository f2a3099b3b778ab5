"""The report, for people in 80 columns and for machines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from cli.doctor.problem import Problem, Severity

if TYPE_CHECKING:
    from rich.console import Console

    from cli.doctor.examine import Report

WIDTH, NARROWEST = 80, 30
"""Columns."""
LABEL = 9
LONGEST_NAME = 40
ACCOUNTS = 8
"""Told by name per problem; JSON has them all."""
STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "yellow",
    Severity.UNSEEN: "magenta",
    Severity.NOTE: "dim",
}
NOUNS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.UNSEEN: "not seen",
    Severity.NOTE: "note",
}


def as_json(report: Report) -> dict[str, Any]:
    return {
        "account": report.caller.account,
        "region": report.caller.region,
        "principal": report.caller.arn,
        "stack": report.stack,
        "stack_status": report.status or None,
        "accounts": report.accounts,
        "well": report.well,
        "problems": [each.as_json() for each in report.problems],
        "looked": report.ways,
    }


def show(console: Console, report: Report) -> None:
    width = max(NARROWEST, min(WIDTH, console.width))
    for line in lines(report, width):
        console.print(line, soft_wrap=True)


def lines(report: Report, width: int = WIDTH) -> Iterator[Text]:
    caller = report.caller
    yield from _filled("", f"{caller.account} in {caller.region}, as {caller.name}", width)
    status = f"{report.stack} is {report.status}" if report.status else f"{report.stack} is not deployed here"
    yield from _filled("", f"{status}; {_number(report.accounts, 'account')} in scope", width)
    for alike in _grouped(report.problems):
        yield Text()
        yield from _problem(alike, width)
    if report.ways:
        yield Text()
    for way in report.ways:
        yield from _filled("looked", way, width)
    yield Text()
    yield Text(_total(report.problems))


def _grouped(problems: Iterable[Problem]) -> list[list[Problem]]:
    """What is the same in many accounts is told once."""
    alike: dict[tuple[str, ...], list[Problem]] = defaultdict(list)
    for each in problems:
        scope = "account" if each.account else "deployment"
        alike[scope, each.severity, each.kind, each.problem, each.fix, each.source].append(each)
    return [*alike.values()]


def _problem(alike: Sequence[Problem], width: int) -> Iterator[Text]:
    first = alike[0]
    source = f" ({first.source})" if first.source else ""
    yield from _filled(first.severity, first.problem + source, width, STYLES[first.severity])
    if first.account:
        names = [_account(each) for each in alike[:ACCOUNTS]]
        more = len(alike) - ACCOUNTS
        yield from _filled("in", ", ".join(names) + (f" and {more:,} more" if more > 0 else ""), width)
    yield from _filled("fix", first.fix, width)


def _account(problem: Problem) -> str:
    """Names are somebody else's: they are told after the number, cut, and quoted nowhere else."""
    name = _printable(problem.account_name)
    name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
    return f"{problem.account} {name}".rstrip()


def _filled(label: str, text: str, width: int, style: str = "") -> Iterator[Text]:
    indent = LABEL if label else 0
    told = wrap(_printable(text), width - indent, break_on_hyphens=False) or [""]
    for place, line in enumerate(told):
        head = label if not place else ""
        yield Text.assemble((head.ljust(indent), style), line)


def _printable(text: str) -> str:
    """Nothing that a terminal would obey, and no markup: console.print gets Text."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _total(problems: Iterable[Problem]) -> str:
    numbers = Counter(each.severity for each in problems)
    counted = [
        f"{numbers[each]:,} {noun}" if each is Severity.UNSEEN else _number(numbers[each], noun)
        for each, noun in NOUNS.items()
        if numbers[each]
    ]
    return ", ".join(counted) or "all is well"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
