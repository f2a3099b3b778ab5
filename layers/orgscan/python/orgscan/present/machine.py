"""What queues and functions read: one JSON object, always small enough for SNS.

`docs/operating.md` tells the members. SCHEMA grows where a member changes its meaning or goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orgscan.digest import Told
from orgscan.links import Links
from orgscan.present.text import clean
from orgscan.summary import Cause, ScanSummary

SCHEMA = "orgscan.scan/1"
SIZE = 240_000
"""Bytes. SNS takes 256 KB, attributes included."""
CHANGES = 140_000
"""Of them, for changes."""
GAPS = 25
LONGEST_ARN, LONGEST = 2_048, 300
"""Characters of a resource and of any other text from outside."""


def machine(summary: ScanSummary, links: Links, attributes: Mapping[str, str]) -> str:
    """ASCII. `attributes`: of the message; they are members, too."""
    plan, gaps = summary.plan, summary.gaps()
    listed = [*_fitting(summary)]
    rest = {cause: count for cause, count in summary.changes.items() if count}
    for cause, _ in listed:
        del rest[cause]
    told = {
        "schema": SCHEMA,
        "scan": plan.scan,
        **attributes,
        "started": plan.started,
        "finished": summary.finished,
        "coverage": {
            "percent": summary.coverage,
            "checks": summary.units,
            "evaluated": summary.evaluated,
            "newly_unseen": summary.newly_blind,
        },
        "accounts": len(summary.accounts),
        "targets": {"planned": summary.targets, "reached": summary.reached},
        "open": dict(summary.by_severity()),
        "suppressed": sum(summary.suppressed.values()),
        "monthly_usd": round(summary.monthly_usd, 2),
        "changes": [change for _, change in listed],
        "more_changes": {"causes": len(rest), "findings": sum(rest.values())},
        "gaps": [
            {"reason": reason, "detail": detail[:LONGEST], "checks": blind.units}
            for (reason, detail), blind in gaps[:GAPS]
        ],
        "more_gaps": sum(blind.units for _, blind in gaps[GAPS:]),
        "account_changes": len(summary.moves),
        "suppressions_ending": len(summary.endings),
        "results": links.results,
        "console": links.console or None,
    }
    return json.dumps(told)


def _fitting(summary: ScanSummary) -> Iterator[tuple[Cause, dict[str, Any]]]:
    """The worst changes, as many as there is room for."""
    room = CHANGES
    causes = sorted(
        (cause for cause, count in summary.changes.items() if count),
        key=lambda cause: (-cause[1].rank, cause[0], -summary.changes[cause], cause[2]),
    )
    for cause in causes:
        change = _change(summary, cause)
        room -= len(json.dumps(change)) + 2
        if room < 0:
            return
        yield cause, change


def _change(summary: ScanSummary, cause: Cause) -> dict[str, Any]:
    change, severity, check = cause
    count, told = summary.changes[cause], summary.told.get(cause, [])
    examples = [_example(each) for each in told[:count]]
    return {
        "change": change,
        "severity": severity,
        "check": clean(check)[:LONGEST],
        "findings": count,
        "examples": examples,
        "more": count - len(examples),
    }


def _example(told: Told) -> dict[str, Any]:
    notable, target = told.notable, told.target
    return {
        "account": target.account,
        "account_name": target.account_name[:LONGEST],
        "region": target.region,
        "resource": notable.resource[:LONGEST_ARN],
        "problems": [problem[:LONGEST] for problem in notable.problems],
        "monthly_usd": notable.monthly_usd,
        "because": notable.because or None,
    }
