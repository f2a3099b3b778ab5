"""The mail: plain text, at most 60 lines of 72 columns, for someone at 7 a.m.

Coverage and verdict first, then what changed, worst first, then what there is, and where to read on. A digest
tells everything that is open instead of what changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from orgscan.digest import EXAMPLES, Digest, Told
from orgscan.links import Links
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
from orgscan.summary import Ending, ScanSummary

WIDTH = 72
"""Of every line but a link, which would lead nowhere in pieces."""
LINES = 60
SUBJECT = 99
"""SNS refuses 100 characters and anything but ASCII."""
GAPS = 6
ENDINGS = 3
MOVES = 4
FIRST = 5
"""Causes whose share of the worst findings a digest tells."""
OWNER = 24
"""Characters of an owner's name."""
BAR = 20
"""Characters of the longest bar."""
TOLD = (Change.NEW, Change.REOPENED, Change.WORSENED, Change.RESOLVED)
KEPT = 5
"""Lines kept free for each kind of change that follows, so that the first cannot bury it."""


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Block:
    """Findings of one cause under one heading, so that 400 of them cannot bury the 401st."""

    severity: Severity
    check: str
    count: int
    told: Sequence[Told]


def mail(summary: ScanSummary, links: Links) -> Mail:
    # Very large numbers make lines longer and so more; then the smallest gaps are only counted.
    for gaps in range(GAPS, 0, -1):
        body = _body(summary, links, gaps)
        if len(body.splitlines()) <= LINES:
            break
    return Mail(_subject(summary), body)


def _body(summary: ScanSummary, links: Links, gaps: int) -> str:
    unseen = _unseen(summary, gaps)
    # What cannot be seen any more is a change; what could not be seen before either is not.
    news, known = ([unseen], []) if summary.newly_blind else ([], [unseen])
    above = [_head(summary), *news]
    below = [
        [*_suppressions(summary)],
        _open(summary),
        *known,
        _skipped(summary),
        [*_links(links)],
        _cost(summary),
    ]
    headings = _headings(summary)
    room = LINES - _lines([*above, *below])
    moves = _moves(summary, room - _lines(headings.values()) - len(headings) * KEPT)
    changes = _changes(summary, headings, room - _lines([moves]))
    return under([*above, *changes, moves, *below])


def _lines(sections: Iterable[Sequence[str]]) -> int:
    """With the blank ones between."""
    return sum(len(section) + 1 for section in sections if section)


def _subject(summary: ScanSummary) -> str:
    verdict = "" if summary.complete else "INCOMPLETE: "
    what = _standing(summary) if summary.digest else _news(summary) or "nothing new"
    of_all = number(len(summary.accounts), "account")
    return cut(f"[orgscan] {verdict}{what} in {of_all}", SUBJECT)


def _standing(summary: ScanSummary) -> str:
    """Of a digest, which has the changes too."""
    parts = filter(None, (_news(summary), f"{totals(summary.by_severity()) or 'nothing'} open"))
    return f"digest: {'; '.join(parts)}"


def _news(summary: ScanSummary) -> str:
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
        parts = [f"account changes ({totals(_moved(summary))})"]
    if not parts and (ending := sum(each.fresh for each in summary.endings)):
        parts = [f"{number(ending, 'suppression')} ending"]
    return ", ".join(parts)


def _head(summary: ScanSummary) -> list[str]:
    verdict = "COMPLETE" if summary.complete else "INCOMPLETE"
    started = datetime.fromisoformat(summary.plan.started)
    asked = f"schedule {cut(summary.plan.schedule, 40)}" if summary.plan.schedule else "on demand"
    scale = f"{number(len(summary.accounts), 'account')}, {number(summary.targets, 'target')}"
    before = summary.coverage_before
    was = "" if before in (None, summary.coverage) else f", {before}% the scan before"
    return [
        f"{verdict}: {summary.coverage}% of {summary.units:,} checks evaluated{was}",
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


def _headings(summary: ScanSummary) -> Mapping[Change | None, list[str]]:
    """None: of a digest, which tells what is open."""
    headings: dict[Change | None, list[str]] = {
        change: paragraph(f"{change.upper()}: {totals(summary.by_severity(change))}", WIDTH)
        for change in TOLD
        if summary.count(change)
    }
    if summary.digest and summary.digest.causes:
        headings[None] = paragraph(_worst(summary.digest), WIDTH)
    return headings


def _worst(digest: Digest) -> str:
    """What mending a few causes would take away."""
    causes = sorted(digest.causes, key=lambda cause: (-cause[0].rank, -digest.causes[cause], cause[1]))
    severity = causes[0][0]
    alike = [digest.causes[cause] for cause in causes if cause[0] is severity]
    first = min(len(alike), FIRST)
    share = sum(alike[:first]) * 100 // sum(alike)
    which = f"the first {first:,} of {number(len(causes), 'cause')}" if first > 1 else "the first cause"
    return f"WORST: mending {which} takes away {share}% of what is {severity}."


def _changes(
    summary: ScanSummary, headings: Mapping[Change | None, list[str]], room: int
) -> Iterator[list[str]]:
    room -= _lines(headings.values())
    for following, (change, heading) in zip(reversed(range(len(headings))), headings.items(), strict=True):
        causes = _causes([*_blocks(summary, change)], summary.plan.moment, room - following * KEPT)
        room -= len(causes)
        yield [*heading, *causes]


def _blocks(summary: ScanSummary, change: Change | None) -> Iterator[Block]:
    if change is None and summary.digest:
        for (severity, check), count in summary.digest.causes.items():
            yield Block(severity, check, count, summary.digest.told[severity, check])
    for cause, count in summary.changes.items():
        if cause[0] is change:
            yield Block(cause[1], cause[2], count, summary.told.get(cause, []))


def _causes(blocks: Sequence[Block], now: datetime, room: int) -> list[str]:
    blocks = sorted(blocks, key=lambda block: (-block.severity.rank, -block.count, block.check))
    for examples in range(EXAMPLES, 0, -1):
        told = [_cause(block, now, examples) for block in blocks]
        if sum(map(len, told)) <= room:
            return [*chain(*told)]
    lines: list[str] = []
    left = sum(block.count for block in blocks)
    for block, text in zip(blocks, told, strict=True):
        if len(lines) + len(text) >= room:  # the last line says how many are left
            break
        lines += text
        left -= block.count
    return [*lines, f"  and {number(left, 'more finding')}"]


def _cause(block: Block, now: datetime, examples: int) -> list[str]:
    told = block.told[:examples]
    times = f" ({block.count:,})" if block.count > 1 else ""
    lines = [f"  {block.severity.upper():<9} {cut(block.check, WIDTH - 16 - len(times))}{times}"]
    for each in told:
        lines += _example(each, now)
    if told and block.count > len(told):
        lines.append(f"    and {block.count - len(told):,} more")
    return lines


def _example(told: Told, now: datetime) -> Iterator[str]:
    """Where, and under it what is wrong, who answers for it, how old it is and what it costs."""
    notable = told.notable
    what = resource_name(notable.resource)
    owner = f"owner {cut(notable.owner, OWNER)}" if notable.owner else "no owner"
    age = _age(notable.opened, now)
    if notable.because:
        after = f" after {age}" if age else ""
        what += f" ({notable.because.replace('-', ' ')}{after})"
    room = WIDTH - len(f"     {told.target.region}  {what}")
    account = name(told.target, max(12, room))  # a cut name can be guessed, a cut resource cannot
    yield cut(what, WIDTH, f"    {account} {told.target.region}  ")
    if not notable.because:
        price = f"{usd(notable.monthly_usd)} a month" if notable.monthly_usd else ""
        known = f" ({', '.join(filter(None, (owner, age, price)))})"
        yield cut("; ".join(notable.problems), WIDTH - len(known), "      ") + known


def _age(opened: str, now: datetime) -> str:
    """Empty below a day, and where it is not known."""
    days = (now - datetime.fromisoformat(opened)).days if opened else 0
    return number(days, "day") if days > 0 else ""


def _open(summary: ScanSummary) -> list[str]:
    if not summary.by_severity() and not summary.suppressed:
        return ["OPEN: nothing" if summary.complete else "OPEN: nothing of what could be seen"]
    families = {
        category: sum(count for (_, kind), count in summary.open.items() if kind is category)
        for category in Category
    }
    total = sum(summary.by_severity().values())
    lines = [
        f"OPEN: {number(total, 'finding')}",
        *_bars(summary),
        *paragraph(totals(families), WIDTH, "  "),
    ]
    if summary.monthly_usd or summary.unpriced:
        unpriced = f" ({summary.unpriced:,} unpriced)" if summary.unpriced else ""
        saving = f"to save: about {usd(summary.monthly_usd)} a month at list price{unpriced}"
        lines += paragraph(saving, WIDTH, "  ")
    if summary.unconfirmed:
        since = f", the oldest since {summary.unconfirmed_since[:10]}" if summary.unconfirmed_since else ""
        lines += paragraph(f"{summary.unconfirmed:,} of them could not be confirmed{since}", WIDTH, "  ")
    if accepted := sum(summary.suppressed.values()):
        lines.append(f"  and {accepted:,} suppressed")
    return lines


def _bars(summary: ScanSummary) -> Iterator[str]:
    """How many there are, drawn, and what came and went since the scan before."""
    now = summary.by_severity()
    came, went = Counter[Severity](), Counter(summary.by_severity(Change.RESOLVED))
    for change in (Change.NEW, Change.REOPENED):
        came.update(summary.by_severity(change))
    most = max(now.values(), default=0)
    width = len(f"{most:,}")
    for severity in reversed(Severity):
        count = now.get(severity, 0)
        if count or came[severity] or went[severity]:
            bar = "#" * (-(-count * BAR // most) if most else 0)
            moves = (("+", came[severity]), ("-", went[severity]))
            moved = " ".join(f"{sign}{number:,}" for sign, number in moves if number)
            yield f"  {severity:<13} {count:>{width},}  {bar:<{BAR}}  {moved}".rstrip()


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
    """What was no part of the scan, and what it had to do without."""
    return [*_inactive(summary), *_unread(summary)]


def _unread(summary: ScanSummary) -> Iterator[str]:
    for each in summary.plan.owners_unread[:1]:
        yield cut(f"Owners not read of {number(each.accounts, 'account')}: {each.why}", WIDTH)


def _inactive(summary: ScanSummary) -> list[str]:
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


def _links(links: Links) -> Iterator[str]:
    """A folder on one line if it fits, otherwise piece by piece: cut, it would lead nowhere."""
    if links.console:
        yield from ("Report, in the console:", f"  {links.console}")
    if links.report and links.expires:
        until = links.expires.astimezone(UTC)
        yield from (f"Report, without signing in, until {until:%Y-%m-%d %H:%M} UTC:", f"  {links.report}")
    yield "Full results:"
    line = "  "
    for folder in links.results.removesuffix("/").split("/"):
        if len(line) + len(folder) >= WIDTH:
            yield line
            line = "  "
        line += f"{folder}/"
    yield line
