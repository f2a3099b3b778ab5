"""Markdown with GitHub's tables, for a wiki or a pull request: the worst findings, and how many more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orgscan.line import Line
from orgscan.model import Blindness, Severity
from orgscan.present.exported import Checks, Summary, about, age, evidence, folded, moment, short
from orgscan.present.text import REASONS, number, totals, usd
from orgscan.reconcile import Status

WORST = 50
"""Findings in the table."""
GAPS = 5
EVIDENCE = 200
"""Characters of it in a cell."""
HEAD = ("Severity", "What", "Account", "Region", "Resource", "Evidence", "Owner", "Days", "USD a month")
RIGHT = ("Days", "USD a month")


def export(summary: Summary, lines: Iterable[Line], checks: Checks, worst: int = WORST) -> Iterator[str]:
    """`lines` come worst first; of those behind the first `worst` only numbers are kept."""
    rows: list[str] = []
    counts = {status: Counter[Severity]() for status in Status}
    dollars, count = 0.0, 0
    for count, line in enumerate(lines, start=1):
        counts[line.status][line.severity] += 1
        if line.saving and line.status is Status.OPEN:
            dollars += line.saving.monthly_usd
        if count <= worst:
            rows.append(_row(_cells(summary, line, checks)))
    yield from _head(summary)
    yield from _totals(counts, dollars)
    if rows:
        yield from ("\n", *_heading(), *rows)
    if count > worst:
        yield f"\nand {number(count - worst, 'more finding')}\n"


def table(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    """All of them, and nothing around it."""
    yield from _heading()
    yield from (_row(_cells(summary, line, checks)) for line in lines)


def _heading() -> Iterator[str]:
    yield _row(HEAD)
    yield _row("---:" if name in RIGHT else "---" for name in HEAD)


def _head(summary: Summary) -> Iterator[str]:
    done = summary["checks"]
    verdict = "COMPLETE" if summary["complete"] else "INCOMPLETE"
    scan = f"scan of {moment(summary['started']):%Y-%m-%d %H:%M} UTC"
    yield f"## orgscan: {verdict}, {summary['coverage']}% of {number(done['planned'], 'check')} evaluated\n"
    yield f"\n{number(summary['accounts'], 'account')}, {scan}, {code(summary['scan'])}\n"
    gaps = summary["gaps"]
    if not summary["complete"]:
        missing = done["planned"] - done["evaluated"]
        yield f"\n**Not seen: {number(missing, 'check')}**, none of them counted as clean\n\n"
        yield from (_gap(gap) for gap in gaps[:GAPS])
        rest = len(gaps) - len(gaps[:GAPS]) + summary["more_gaps"]
        if rest:
            yield f"- and for {number(rest, 'other reason')}\n"


def _gap(gap: Mapping[str, Any]) -> str:
    reason = REASONS[Blindness(gap["reason"])]
    return f"- {gap['checks']:,}: {reason}, {code(short(gap['detail'], EVIDENCE))}\n"


def _totals(counts: Mapping[Status, Counter[Severity]], dollars: float) -> Iterator[str]:
    for status, found in counts.items():
        if found or status is Status.OPEN:
            worst_first = {severity: found[severity] for severity in reversed(Severity)}
            price = f", {usd(dollars)} a month" if dollars and status is Status.OPEN else ""
            yield f"\n**{status.capitalize()}: {totals(worst_first) or 'nothing'}**{price}\n"


def _cells(summary: Summary, line: Line, checks: Checks) -> Iterator[str]:
    severity = f"**{line.severity}**" if line.severity.rank >= Severity.HIGH.rank else f"{line.severity}"
    yield severity if line.status is Status.OPEN else f"{severity}, {line.status}"
    yield escaped(about(line, checks).title) if line.check in checks else code(line.check)
    yield code(line.account_name or line.account)
    yield line.region
    yield code(line.resource)
    yield code(short(evidence(line), EVIDENCE))
    yield code(line.owner.name)
    yield str(age(line, summary))
    yield f"{line.saving.monthly_usd:,.2f}" if line.saving else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def code(text: str) -> str:
    """Names of others: within backticks nothing is a link, markup, HTML or somebody who is mentioned."""
    told = folded(text).replace("`", "'")
    # Behind a backslash, readers do not agree whether a bar ends the cell.
    return f"`{told.replace(chr(92) + '|', chr(92) + ' |').replace('|', chr(92) + '|')}`" if told else ""


def escaped(text: str) -> str:
    """Our own words, as they are."""
    told = folded(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{each}" if each in r"\`*_[]|~" else each for each in told)
