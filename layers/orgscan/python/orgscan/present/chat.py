"""What a chat channel reads: a custom notification of Amazon Q Developer, for Slack and Microsoft Teams.

Each of them has a markdown of its own; what is written here means the same in both. Whatever comes out of
accounts stands in code spans, without the characters that call somebody, lead somewhere or end the span.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from re import sub
from typing import Any

from orgscan.links import Links
from orgscan.membership import by_word
from orgscan.present.text import REASONS, clean, cut, number, resource_name, totals, under, usd
from orgscan.reconcile import Change
from orgscan.summary import QUIET, Cause, ScanSummary

SIZE = 4_000
"""Characters of the whole notification: what a channel shows without folding most of it away."""
DESCRIPTION = 2_600
TITLE = 150
GAPS, ENDINGS, RELATED = 3, 3, 5
KEPT = 200
"""Characters kept free for each kind of change that follows, so that the first cannot bury it."""
HARMLESS = str.maketrans({"`": "'", "<": "(", ">": ")", "&": "+", "@": "(at)", "\\": "/"})


def chat(summary: ScanSummary, subject: str, links: Links, attributes: Mapping[str, str]) -> str:
    """`subject`: of the mail; `attributes`: of the message."""
    for room in range(DESCRIPTION, 0, -200):
        told = json.dumps(_notification(summary, subject, links, attributes, room))
        if len(told) <= SIZE:
            break
    return told


def code(text: str, most: int = 80) -> str:
    """A name from outside, as it cannot do anything but be read."""
    plain = clean(text).translate(HARMLESS).replace("://", ": //")
    return f"`{cut(plain, most) or '?'}`"


def _notification(
    summary: ScanSummary, subject: str, links: Links, attributes: Mapping[str, str], room: int
) -> dict[str, Any]:
    plan = summary.plan
    title = sub(r"[^A-Za-z0-9 ,.:%()-]", "", subject.removeprefix("[orgscan] "))
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{plan.scan}-{attributes['route']}",
        "content": {
            "textType": "client-markdown",
            "title": f"orgscan: {cut(title, TITLE)}",
            "description": _description(summary, room),
            "nextSteps": [*_next(links)],
            "keywords": ["orgscan", *(attributes[name] for name in ("kind", "severity", "verdict"))],
        },
        "metadata": {
            "threadId": plan.scan,
            "summary": f"{_verdict(summary)} in {number(len(summary.accounts), 'account')}",
            "eventType": attributes["kind"],
            "relatedResources": _related(summary),
            "additionalContext": {"scan": plan.scan, **attributes},
        },
    }


def _description(summary: ScanSummary, room: int) -> str:
    above = [[f"*{_verdict(summary)}*", *_scale(summary)], [*_unseen(summary)], [*_moves(summary)]]
    below = [[_open(summary)], [*_endings(summary)]]
    headings = {
        change: f"*{change.upper()}: {totals(summary.by_severity(change))}*"
        for change in Change
        if change not in QUIET and summary.count(change)
    }
    room -= len(under([*above, *below])) + sum(len(each) + 2 for each in headings.values())
    changes = []
    for following, (change, heading) in zip(reversed(range(len(headings))), headings.items(), strict=True):
        causes = [*_causes(summary, change, room - following * KEPT)]
        room -= sum(len(each) + 1 for each in causes)
        changes.append([heading, *causes])
    return under([*above, *changes, *below]).rstrip()


def _verdict(summary: ScanSummary) -> str:
    verdict = "COMPLETE" if summary.complete else "INCOMPLETE"
    return f"{verdict}: {summary.coverage}% of {summary.units:,} checks evaluated"


def _scale(summary: ScanSummary) -> Iterator[str]:
    asked = f"schedule {code(summary.plan.schedule, 40)}" if summary.plan.schedule else "on demand"
    scale = f"{number(len(summary.accounts), 'account')}, {number(summary.targets, 'target')}"
    yield f"{scale} (account and region), {asked}"


def _unseen(summary: ScanSummary) -> Iterator[str]:
    missing = summary.units - summary.evaluated
    if not missing:
        return
    newly = f" ({summary.newly_blind:,} newly)" if summary.newly_blind else ""
    yield f"*NOT SEEN: {number(missing, 'check')}{newly}*, none counted as clean"
    gaps = summary.gaps()
    for (reason, detail), blind in gaps[:GAPS]:
        yield f"- {blind.units:,} {REASONS[reason]}: {code(detail)}"
    if rest := sum(blind.units for _, blind in gaps[GAPS:]):
        yield f"- {rest:,} for {number(len(gaps) - GAPS, 'other reason')}"


def _moves(summary: ScanSummary) -> Iterator[str]:
    """The counts; the mail has the names."""
    if moved := by_word(summary.moves):
        known = {code(word, 30): len(moves) for word, moves in [*moved.items()][:6]}
        more = f" and {len(moved) - 6:,} more kinds" if len(moved) > 6 else ""  # noqa: PLR2004 (as above)
        yield f"*ACCOUNTS*: {totals(known)}{more}"


def _causes(summary: ScanSummary, change: Change, room: int) -> Iterator[str]:
    """Findings of one cause on one line, the worst first; how many are left where there is no room."""
    causes = _ranked(summary, change)
    left = summary.count(change)
    for place, cause in enumerate(causes):
        line = _cause(summary, cause)
        after = left - summary.changes[cause]
        more = f"- and {number(left, 'more finding')}"
        room -= len(line) + 1
        if room < (len(more) + 1 if after else 0):
            yield more if place else f"- {number(left, 'finding')}"
            return
        yield line
        left = after


def _cause(summary: ScanSummary, cause: Cause) -> str:
    _, severity, check = cause
    count = summary.changes[cause]
    times = f" ({count:,})" if count > 1 else ""
    line = f"- {severity.upper()} {code(check, 60)}{times}"
    for told in summary.told.get(cause, [])[:1]:
        account = told.target.account_name or told.target.account
        what = f"{cut(account, 30)} {told.target.region} {resource_name(told.notable.resource)}"
        price = f", {usd(told.notable.monthly_usd)} a month" if told.notable.monthly_usd else ""
        more = f" and {count - 1:,} more" if count > 1 else ""
        line += f": {code(what, 90)}{price}{more}"
    return line


def _ranked(summary: ScanSummary, change: Change) -> Sequence[Cause]:
    return sorted(
        (cause for cause, count in summary.changes.items() if cause[0] is change and count),
        key=lambda cause: (-cause[1].rank, -summary.changes[cause], cause[2]),
    )


def _open(summary: ScanSummary) -> str:
    if not summary.by_severity():
        return "*OPEN*: nothing" if summary.complete else "*OPEN*: nothing of what could be seen"
    waste = f", waste about {usd(summary.monthly_usd)} a month" if summary.monthly_usd else ""
    return f"*OPEN*: {totals(summary.by_severity())}{waste}"


def _endings(summary: ScanSummary) -> Iterator[str]:
    endings = sorted(summary.endings, key=lambda each: (not each.fresh, -each.days, each.rule.what))
    if endings:
        yield f"*SUPPRESSIONS that end: {len(endings):,}*"
    for each in endings[:ENDINGS]:
        yield f"- {'ended' if each.days < 0 else 'until'} {each.rule.expires}: {code(each.rule.what)}"
    if len(endings) > ENDINGS:
        yield f"- and {len(endings) - ENDINGS:,} more"


def _next(links: Links) -> Iterator[str]:
    """Never the link that needs no credentials: a channel keeps what it is told, and grows."""
    if links.console:
        yield f"Open the report: {links.console}"
    yield f"Full results: `{links.results}`"


def _related(summary: ScanSummary) -> list[str]:
    """The resources of the worst that changed."""
    worst = sorted(summary.told, key=lambda cause: (cause[0] is Change.RESOLVED, -cause[1].rank, cause[2]))
    told = (each.notable.resource for cause in worst if cause[0] not in QUIET for each in summary.told[cause])
    arns = dict.fromkeys(code(arn, 150).strip("`") for arn in told)
    return [*arns][:RELATED]
