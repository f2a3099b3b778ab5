"""A scan's summary as plain data: what summary.json, the trend line and machines read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orgscan import compliance
from orgscan.reconcile import Change
from orgscan.summary import ScanSummary

GAPS = 100
"""Kinds of gaps in a summary, the largest. Errors that quote a request id are each a kind of their own."""
MOVES = 100
"""Accounts that joined, left or changed state in a summary."""


def describe(summary: ScanSummary) -> Mapping[str, Any]:
    plan = summary.plan
    return {
        "scan": plan.scan,
        "schedule": plan.schedule,
        "partition": plan.partition,
        "started": plan.started,
        "finished": summary.finished,
        "complete": summary.complete,
        "coverage": summary.coverage,
        "coverage_before": summary.coverage_before,
        "accounts": plan.accounts,
        "skipped": [f"{account.id} {account.state}" for account in plan.skipped],
        "account_changes": [
            {"account": move.account, "name": move.name, "change": move.word}
            for move in summary.moves[:MOVES]
        ],
        "more_account_changes": max(0, len(summary.moves) - MOVES),
        "targets": {"planned": plan.planned, "reached": summary.reached},
        "checks": {"planned": summary.units, "evaluated": summary.evaluated},
        "gaps": [
            {"reason": reason, "detail": detail, "checks": blind.units, "targets": len(blind.targets)}
            for (reason, detail), blind in summary.gaps()[:GAPS]
        ],
        "more_gaps": max(0, len(summary.unseen) - GAPS),
        "open": _nested(summary.open),
        "changes": {change: told for change in Change if (told := summary.by_severity(change))},
        "newly_blind": summary.newly_blind,
        "unconfirmed": summary.unconfirmed,
        "unconfirmed_since": summary.unconfirmed_since or None,
        "suppressed": _nested(summary.suppressed),
        "suppressions": [
            {
                "key": ending.rule.key,
                "what": ending.rule.what,
                "owner": ending.rule.owner,
                "expires": ending.rule.expires.isoformat(),
                "findings": summary.suppressed_by[ending.rule.key],
            }
            for ending in summary.endings[:GAPS]
        ],
        "compliance": compliance.totals(summary.compliance),
        "tags": summary.tagged.totals(),
        "monthly_usd": summary.monthly_usd,
        "unowned": summary.unowned,
        "owners_unread": [asdict(each) for each in plan.owners_unread],
        "top_fixes": list(summary.top_fixes),
        "unpriced": summary.unpriced,
        "resources": dict(sorted(summary.resources.items())),
        "cost": summary.usage and {**asdict(summary.usage), "usd": round(summary.usage.usd, 4)},
    }


def _nested(counts: Mapping[Any, int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(counts.items()):
        nested.setdefault(outer, {})[inner] = count
    return nested
