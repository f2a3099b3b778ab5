"""The report: one HTML file that asks nobody for anything, for a browser at a desk or on a phone.

Python writes data into a page that is always the same (page/). The page's script makes text of it, never
markup, and the page allows no other script, no other style and no request. What the scan came to stands in
the page itself, for whom no script runs.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from heapq import nsmallest
from html import escape
from pathlib import Path
from re import sub
from typing import Any

from orgscan import remedy
from orgscan.catalog import AnyCheck
from orgscan.fixes import WORST_FIRST, Sums, removed, top_fixes
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.present.columns import packed, shown
from orgscan.present.gaps import ADVICE
from orgscan.present.text import REASONS, number, totals
from orgscan.reconcile import Change, Status

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("dom.js", "data.js", "charts.js", "overview.js", "table.js", "detail.js", "start.js")
"""In this order they are one script."""
MOST = 20_000
"""Findings in one page: about 5 MB. The worst are kept, and what is accepted goes first."""
MOST_RESOLVED = 500
FIXES = 5
RANKED = 10
"""Accounts and owners that are told by name."""
SCANS = 60
"""Of the trend, this one too."""
SCRIPTLESS = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
"""What could end the block of data, or begin another one."""


class Worst:
    """Of findings that pass, those that a page shows, and how many there were."""

    def __init__(self, most: int) -> None:
        self.passed = 0
        self._most = most
        self._kept: list[Line] = []

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, noted as they pass."""
        for line in lines:
            self.passed += 1
            self._kept.append(line)
            if len(self._kept) >= 2 * self._most:
                self._kept = self.lines
            yield line

    @property
    def lines(self) -> list[Line]:
        """The worst first."""
        return sorted(self._kept, key=_badness)[: self._most]


def page(  # noqa: PLR0913 (the files of one scan)
    summary: Mapping[str, Any],
    *,
    compliance: Sequence[Mapping[str, Any]],
    tags: Mapping[str, Any],
    rollup: Mapping[str, Any],
    trend: Sequence[Mapping[str, Any]],
    sums: Sums,
    findings: Worst,
    resolved: Worst,
    checks: Iterable[AnyCheck],
) -> bytes:
    """`trend`: summaries of the scans before, newest first. The same input gives the same bytes.

    `sums`, `findings`: what has passed of findings.jsonl.gz; `resolved`: of resolved.jsonl.gz.
    """
    known = {check.id: check for check in checks}
    worst, mended = findings.lines, resolved.lines

    def commands(line: Line) -> Sequence[str]:
        return remedy.commands(known[line.check], line) if line.check in known else ()

    named = {line.check for line in (*worst, *mended)} | {*sums.causes}
    data = {
        "summary": summary,
        "compliance": [_framework(each) for each in compliance],
        "tags": {
            **tags,
            "accounts": tags.get("accounts", [])[:RANKED],
            "owners": tags.get("owners", [])[:RANKED],
        },
        "rollup": _ranked(rollup),
        "trend": [*_trend(summary, trend)],
        "reasons": {reason: [REASONS[reason], *ADVICE[reason]] for reason in ADVICE},
        "fixes": _fixes(sums),
        "savings": [*_savings(sums)],
        "regions": sums.regions,
        "checks": {id_: _check(known[id_]) for id_ in sorted(named & known.keys())},
    }
    tables = {
        "findings": packed(worst, commands),
        "more": findings.passed - len(worst),
        "resolved": packed(mended, lambda _: ()),
        "more_resolved": resolved.passed - len(mended),
    }
    return _filled(_told(summary, rollup), {**_visible(data), **tables})


def _badness(line: Line) -> tuple[bool, int, float, str, str]:
    saving = line.saving.monthly_usd if line.saving else 0.0
    return (line.status is Status.SUPPRESSED, -line.severity.rank, -saving, line.check, line.id)


def _framework(told: Mapping[str, Any]) -> dict[str, Any]:
    """Control by control only what is not passed, in short."""
    controls = [
        [
            each["control"],
            each["verdict"],
            each["failed"]["findings"],
            each["failed"]["accounts"],
            each["checks"],
        ]
        for each in told["list"]
        if each["verdict"] not in ("passed", "no-check")
    ]
    return {**told, "list": controls}


def _ranked(rollup: Mapping[str, Any]) -> dict[str, Any]:
    """The accounts and owners of the worst findings, and how many others there are."""
    accounts, owners = rollup.get("accounts", {}), rollup.get("owners", {})
    worst = nsmallest(RANKED, accounts, key=lambda each: (*_weight(accounts[each]["open"]), each))
    answering = nsmallest(RANKED, owners, key=lambda each: (*_weight(owners[each]), each))
    return {
        "accounts": [[each, accounts[each]["name"], accounts[each]["open"]] for each in worst],
        "more_accounts": len(accounts) - len(worst),
        "owners": [[each, owners[each]] for each in answering],
        "more_owners": len(owners) - len(answering),
        "ages": rollup.get("ages", {}),
    }


def _weight(counts: Mapping[str, int]) -> Iterator[int]:
    return (-counts.get(severity, 0) for severity in WORST_FIRST)


def _trend(summary: Mapping[str, Any], before: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Oldest first, this scan last. Those of other schedules are left out: they look at something else."""
    same = [
        each for each in before if each["schedule"] == summary["schedule"] and each["scan"] != summary["scan"]
    ]
    for each in reversed([summary, *same[: SCANS - 1]]):
        yield {
            "scan": each["scan"],
            "started": each["started"],
            "coverage": each["coverage"],
            "open": by_severity(each["open"]),
            "monthly_usd": each.get("monthly_usd", 0),
        }


def by_severity(counts: Mapping[str, Mapping[str, int]]) -> dict[Severity, int]:
    """Of {severity: {category: findings}}: the sums, worst first, none of them 0."""
    sums = {severity: sum(counts.get(severity, {}).values()) for severity in WORST_FIRST}
    return {severity: count for severity, count in sums.items() if count}


def _fixes(sums: Sums) -> dict[str, Any]:
    chosen = top_fixes(sums.causes, FIXES)
    causes = {check: sums.causes[check] for check in chosen}
    return {
        "removed": removed(sums.causes, chosen),
        "causes": [
            [check, cause.findings, len(cause.accounts), cause.monthly_usd] for check, cause in causes.items()
        ],
    }


def _savings(sums: Sums) -> Iterator[list[Any]]:
    """Check, USD a month by confidence, findings, those without an amount; the largest first."""
    money = {check: cause for check, cause in sums.causes.items() if cause.savings or cause.unpriced}
    for check, cause in sorted(money.items(), key=lambda each: (-each[1].monthly_usd, each[0])):
        amounts = {confidence: round(usd, 2) for confidence, usd in cause.savings.items()}
        yield [check, amounts, cause.findings.total(), cause.unpriced]


def _check(check: AnyCheck) -> dict[str, Any]:
    return {
        "title": check.title,
        "why": check.why,
        "fix": check.fix,
        "severity": check.severity,
        "category": check.category,
        "maps": check.maps,
        "refs": [each for each in check.refs if each.startswith("https://")],
        "cdk": check.cdk,
    }


def _visible(value: Any) -> Any:
    """The same data without a character that nobody could see."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {_visible(key): _visible(each) for key, each in value.items()}
    return [_visible(each) for each in value] if isinstance(value, list | tuple) else value


def _told(summary: Mapping[str, Any], rollup: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the page itself: placeholder -> text."""
    opened, checks, targets = by_severity(summary["open"]), summary["checks"], summary["targets"]
    started, finished = (datetime.fromisoformat(summary[each]) for each in ("started", "finished"))
    unseen, nobody = checks["planned"] - checks["evaluated"], rollup.get("owners", {}).get("", {})
    counts = {str(severity): f"{opened.get(severity, 0):,}" for severity in Severity}
    asked = f"schedule {summary['schedule']}" if summary["schedule"] else "on demand"
    told = {
        "verdict": "COMPLETE" if summary["complete"] else "INCOMPLETE",
        "coverage": f"{summary['coverage']}%",
        "checks": number(checks["planned"], "check"),
        "unseen": f"{number(unseen, 'check')} not seen, none of them counted as clean" if unseen else "",
        "scale": f"{number(summary['accounts'], 'account')}, {number(targets['planned'], 'target')}",
        "when": f"{started:%Y-%m-%d %H:%M} UTC",
        "took": f"{-(-(finished - started).total_seconds() // 60):.0f} min",
        "asked": asked,
        "scan": summary["scan"],
        "changes": _changes(summary),
        "open": f"{sum(opened.values()):,}",
        "usd": f"{summary['monthly_usd']:,.0f}",
        "unowned": f"{sum(nobody.values()):,}",
        "suppressed": f"{sum(by_severity(summary['suppressed']).values()):,}",
        "unconfirmed": f"{summary['unconfirmed']:,}",
    }
    return {name: escape(shown(text)) for name, text in (counts | told).items()}


def _changes(summary: Mapping[str, Any]) -> str:
    """'new: 2 critical, 5 high; resolved: 3 low'."""
    changes = summary["changes"]
    said = [
        f"{change}: {totals(changes[change])}" for change in Change if sum(changes.get(change, {}).values())
    ]
    blind = summary["newly_blind"]
    return "; ".join([*said, *([f"newly unseen: {number(blind, 'check')}"] if blind else [])]) or "nothing"


@dataclass(frozen=True, slots=True)
class Parts:
    """Of every page."""

    template: str
    style: str
    script: str

    @property
    def policy(self) -> str:
        """Nothing but this script and this style, no request, and no markup made of text."""
        return (
            f"default-src 'none'; script-src {_hash(self.script)}; style-src {_hash(self.style)}; "
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )


@cache
def parts() -> Parts:
    read = {
        name: (PAGE / name).read_text(encoding="utf-8") for name in ("report.html", "report.css", *SCRIPTS)
    }
    script = "\n".join(["'use strict';", "{", *(read[name] for name in SCRIPTS), "}"])
    return Parts(read["report.html"], read["report.css"], script)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _filled(told: Mapping[str, str], data: Any) -> bytes:
    """In one pass: nothing that is filled in can be a placeholder itself."""
    own = parts()
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, sort_keys=True).translate(SCRIPTLESS)
    blocks = {"policy": own.policy, "style": own.style, "script": own.script, "data": text}
    return sub(r"\{\{([a-z]+)\}\}", lambda found: {**told, **blocks}[found[1]], own.template).encode()
