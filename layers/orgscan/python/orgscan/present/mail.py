"""The mail: plain text, at most 60 lines of 72 columns, for someone at 7 a.m.

Coverage and verdict first, then what could not be seen, then what changed, worst first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from orgscan.membership import by_word
from orgscan.model import Category, Severity, Target
from orgscan.present.text import (
    REASONS,
    about,
    clean,
    cut,
    listed,
    name,
    number,
    paragraph,
    resource_name,
    totals,
    under,
    usd,
)
from orgscan.reconcile import Change
from orgscan.summary import EXAMPLES, Cause, Ending, ScanSummary, Told

WIDTH = 72
LINES = 60
SUBJECT = 99
"""SNS refuses 100 characters and anything but ASCII."""
GAPS = 6
ENDINGS = 3
MOVES = 4
TOLD = (Change.NEW, Change.REOPENED, Change.WORSENED, Change.RESOLVED)
KEPT = 5
"""Lines kept free for each kind of change that follows, so that the first cannot bury it."""


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    body: str


def mail(summary: ScanSummary, results: str) -> Mail:
    """`results`: where the full results lie."""
    # Very large numbers make lines longer and so more; then the smallest gaps are only counted.
    for gaps in range(GAPS, 0, -1):
        body = _body(summary, results, gaps)
        if len(body.splitlines()) <= LINES:
            break
    return Mail(_subject(summary), body)


def _body(summary: ScanSummary, results: str, gaps: int) -> str:
    above = [_head(summary), _unseen(summary, gaps)]
    below = [_open(summary), [*_suppressions(summary)], _skipped(summary), _results(results), _cost(summary)]
    headings = _headings(summary)
    room = LINES - _lines([*above, *below])
    moves = _moves(summary, room - _lines(headings.values()) - len(headings) * KEPT)
    changes = _changes(summary, headings, room - _lines([moves]))
    return under([*above, moves, *changes, *below])


def _lines(sections: Iterable[Sequence[str]]) -> int:
    """With the blank ones between."""
    return sum(len(section) + 1 for section in sections if section)


def _subject(summary: ScanSummary) -> str:
    parts = [
        f"{count:,} {change} {severity}"
        for change in (Change.NEW, Change.REOPENED, Change.WORSENED)
        for severity, count in summary.by_severity(change).items()
        if severity.rank >= Severity.HIGH.rank
    ]
    parts = parts or [f"{summary.count(each):,} {each}" for each in TOLD if summary.count(each)]
    if not parts and summary.newly_blind:
        parts = [f"{number(summary.newly_blind, 'check')} newly unseen"]
    if not parts and summary.moves:
        parts = [f"accounts: {totals(_moved(summary))}"]
    if not parts and (ending := sum(each.fresh for each in summary.endings)):
        parts = [f"{number(ending, 'suppression')} ending"]
    verdict = "" if summary.complete else "INCOMPLETE: "
    what = ", ".join(parts) or "nothing new"
    return cut(f"[orgscan] {verdict}{what} ({number(len(summary.accounts), 'account')})", SUBJECT)


def _head(summary: ScanSummary) -> list[str]:
    verdict = "COMPLETE" if summary.complete else "INCOMPLETE"
    started = datetime.fromisoformat(summary.plan.started)
    asked = f"schedule {cut(summary.plan.schedule, 40)}" if summary.plan.schedule else "on demand"
    scale = f"{number(len(summary.accounts), 'account')}, {number(summary.targets, 'target')}"
    return [
        f"{verdict}: {summary.coverage}% of {summary.units:,} checks evaluated",
        *paragraph(
            f"{scale} (account and region), scan of {started:%Y-%m-%d %H:%M} UTC, {asked}.",
            WIDTH,
        ),
    ]


def _unseen(summary: ScanSummary, most: int) -> list[str]:
    if summary.complete:
        return []
    missing = number(summary.units - summary.evaluated, "check")
    newly = f" ({summary.newly_blind:,} newly)" if summary.newly_blind else ""
    lines = [f"NOT SEEN: {missing}{newly}, none of them counted as clean"]
    gaps = summary.gaps()
    for (reason, detail), blind in gaps[:most]:
        lines.append(cut(f"{REASONS[reason]}: {detail}", WIDTH, f"{blind.units:>8,}  "))
        lines.append(cut(_where(blind.targets, WIDTH - 10), WIDTH, " " * 10))
    rest = sum(blind.units for _, blind in gaps[most:])
    if rest:
        lines.append(f"{rest:>8,}  for {number(len(gaps) - most, 'other reason')}")
    return lines


def _moves(summary: ScanSummary, room: int) -> list[str]:
    """All counts, then as many lines of names as there is room: no name can forge a count."""
    if not summary.moves:
        return []
    lines = [cut(f"ACCOUNTS: {totals(_moved(summary))}", WIDTH)]
    for word, moves in [*by_word(summary.moves).items()][: max(0, min(MOVES, room - 2))]:
        names = [cut(move.name or move.account, 30) for move in moves]
        what = f"  {clean(word)}: "
        texts = (listed(names, most) for most in (6, 5, 4, 3, 2))
        fits = (text for text in texts if len(what + text) <= WIDTH)
        lines.append(cut(next(fits, listed(names, 1)), WIDTH, what))
    return lines


def _moved(summary: ScanSummary) -> Mapping[str, int]:
    return {word: len(moves) for word, moves in by_word(summary.moves).items()}


def _where(targets: Iterable[Target], width: int) -> str:
    """The accounts, as many as fit: 'payments-prod eu-west-1, sandbox (5 targets) and 3 more'."""
    accounts: dict[str, list[Target]] = defaultdict(list)
    for target in sorted(targets, key=lambda each: (name(each), each)):
        accounts[target.account].append(target)
    parts = [
        f"{name(of[0])} {of[0].region}" if len(of) == 1 else f"{name(of[0])} ({len(of):,} targets)"
        for of in accounts.values()
    ]
    return next(text for most in (3, 2, 1) if len(text := listed(parts, most)) <= width or most == 1)


def _headings(summary: ScanSummary) -> Mapping[Change, list[str]]:
    return {
        change: paragraph(f"{change.upper()}: {totals(summary.by_severity(change))}", WIDTH)
        for change in TOLD
        if summary.count(change)
    }


def _changes(summary: ScanSummary, headings: Mapping[Change, list[str]], room: int) -> Iterator[list[str]]:
    room -= _lines(headings.values())
    for following, (change, heading) in zip(reversed(range(len(headings))), headings.items(), strict=True):
        causes = _causes(summary, change, room - following * KEPT)
        room -= len(causes)
        yield [*heading, *causes]


def _causes(summary: ScanSummary, change: Change, room: int) -> list[str]:
    """Findings of one cause under one heading, so that 400 of them cannot bury the 401st."""
    causes = sorted(
        (cause for cause in summary.changes if cause[0] is change),
        key=lambda cause: (-cause[1].rank, -summary.changes[cause], cause[2]),
    )
    for examples in range(EXAMPLES, 0, -1):
        told = [_cause(summary, cause, examples) for cause in causes]
        if sum(map(len, told)) <= room:
            return [*chain(*told)]
    lines: list[str] = []
    left = summary.count(change)
    for cause, block in zip(causes, told, strict=True):
        if len(lines) + len(block) >= room:  # the last line says how many are left
            break
        lines += block
        left -= summary.changes[cause]
    return [*lines, f"  and {number(left, 'more finding')}"]


def _cause(summary: ScanSummary, cause: Cause, examples: int) -> list[str]:
    _, severity, check = cause
    count = summary.changes[cause]
    told = summary.told.get(cause, [])[:examples]
    times = f" ({count:,})" if count > 1 else ""
    lines = [f"  {severity.upper():<9} {cut(check, WIDTH - 16 - len(times))}{times}"]
    for each in told:
        lines += _example(each)
    if told and count > len(told):
        lines.append(f"    and {count - len(told):,} more")
    return lines


def _example(told: Told) -> Iterator[str]:
    notable = told.notable
    what = resource_name(notable.resource)
    if notable.because:
        what += f" ({notable.because.replace('-', ' ')})"
    room = WIDTH - len(f"     {told.target.region}  {what}")
    account = name(told.target, max(12, room))  # a cut name can be guessed, a cut resource cannot
    yield cut(what, WIDTH, f"    {account} {told.target.region}  ")
    if not notable.because:
        price = f"{usd(notable.monthly_usd)} a month: " if notable.monthly_usd else ""
        yield cut(price + "; ".join(notable.problems), WIDTH, "      ")


def _open(summary: ScanSummary) -> list[str]:
    if not summary.by_severity() and not summary.suppressed:
        return ["OPEN: nothing" if summary.complete else "OPEN: nothing of what could be seen"]
    families = {
        category: sum(count for (_, kind), count in summary.open.items() if kind is category)
        for category in Category
    }
    lines = [
        *paragraph(f"OPEN: {totals(summary.by_severity())}", WIDTH),
        *paragraph(totals(families), WIDTH, "  "),
    ]
    if summary.monthly_usd or summary.unpriced:
        unpriced = f" ({summary.unpriced:,} unpriced)" if summary.unpriced else ""
        waste = f"waste: about {usd(summary.monthly_usd)} a month at list price{unpriced}"
        lines += paragraph(waste, WIDTH, "  ")
    if summary.unconfirmed:
        since = f", the oldest since {summary.unconfirmed_since[:10]}" if summary.unconfirmed_since else ""
        lines += paragraph(f"{summary.unconfirmed:,} of them could not be confirmed{since}", WIDTH, "  ")
    if accepted := sum(summary.suppressed.values()):
        lines.append(f"  and {accepted:,} suppressed")
    return lines


def _suppressions(summary: ScanSummary) -> Iterator[str]:
    """Those that end: whoever accepted something has a week to mend it, or to say again why not."""
    endings = sorted(summary.endings, key=lambda each: (not each.fresh, -each.days, each.rule.what))
    if endings:
        yield "SUPPRESSIONS that end:"
    for ending in endings[:ENDINGS]:
        yield cut(ending.rule.what, WIDTH, "  ")
        count = summary.suppressed_by[ending.rule.key]
        covers = f", {number(count, 'finding')}" if count else ""
        yield cut(f"{_when(ending)}{covers}, owner {clean(ending.rule.owner)}", WIDTH, "    ")
    if len(endings) > ENDINGS:
        yield f"  and {len(endings) - ENDINGS:,} more"


def _when(ending: Ending) -> str:
    if ending.days < 0:
        return f"ended {ending.rule.expires}"
    return f"until {ending.rule.expires} ({number(ending.days, 'day')})"


def _skipped(summary: ScanSummary) -> list[str]:
    skipped = [f"{cut(each.name or each.id, 30)} ({clean(each.state)})" for each in summary.skipped]
    return paragraph(f"Not active, so not scanned: {listed(skipped, 5)}", WIDTH) if skipped else []


def _cost(summary: ScanSummary) -> list[str]:
    """Of the whole scan, in the mail of a route too."""
    used = summary.usage
    if not used:
        return []
    throttled = f" ({used.throttled:,} throttled)" if used.throttled else ""
    calls = f"{number(used.calls, 'API call')}{throttled}"
    return paragraph(
        f"Cost of this scan: {calls}, {used.gb_seconds:,.0f} GB-seconds, {about(used.usd)}", WIDTH
    )


def _results(address: str) -> list[str]:
    """On one line if it fits, otherwise folder by folder: cut, it would lead nowhere."""
    lines = ["Full results:", "  "]
    for folder in address.removesuffix("/").split("/"):
        if len(lines[-1]) + len(folder) >= WIDTH:
            lines.append("  ")
        lines[-1] += f"{folder}/"
    return lines
