"""A check as people and machines read it: plain data, nothing that the catalogue does not say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from orgscan import catalog, iam, metrics, regions, remedy
from orgscan.catalog import AnyCheck, Catalog

NAMES = Path(__file__).parent / "trusted_advisor.json"
"""Trusted Advisor's id of a check -> its name there."""
SCOPES = {True: "once per account", False: "in each region"}
"""Of an account: its global target, its regional ones."""
ADVISOR = "trusted-advisor"


def describe(check: AnyCheck, everything: Catalog | None = None) -> dict[str, Any]:
    """`everything`: what else is declared; what orgscan has if left out."""
    everything = everything or catalog.everything()
    reads = calls(check, everything)
    return {
        "id": check.id,
        "service": service(check),
        "severity": check.severity.value,
        "category": check.category.value,
        "title": check.title,
        "why": "\n\n".join(" ".join(part.split()) for part in check.why.split("\n\n")),
        "fix": check.fix,
        "cli": [{"type": each.type, "command": each.command} for each in remedy.shown(check)],
        "cdk": check.cdk,
        "judges": kinds(check, everything),
        "looks_at": sorted(kind.__name__ for kind in check.also),
        "scope": [name for once, name in SCOPES.items() if everything.judged(check, once=once)],
        # As JSON has it, and orgscan.yaml.
        "parameters": json.loads(json.dumps(dict(check.parameters))),
        "frameworks": list(check.maps),
        "equivalent": list(check.equivalent),
        "metrics": [f"{each.namespace} {each.name} {each.statistic}" for each in check.measures],
        "reads": reads,
        "permissions": sorted(map(iam.action, reads)),
        "references": list(check.refs),
        "was": list(check.was),
    }


def service(check: AnyCheck) -> str:
    """The folder below `services` that declares it; `lambda_` ends so because lambda is a keyword."""
    return str(check.problems.__module__).split(".services.")[1].split(".")[0].rstrip("_")


def kinds(check: AnyCheck, everything: Catalog) -> list[str]:
    """The resources it judges: of its own kind, and of those derived from it."""
    return sorted({kind.__name__ for once in SCOPES for kind in everything.judged(check, once=once)})


def calls(check: AnyCheck, everything: Catalog) -> list[str]:
    """The API calls without which it cannot judge."""
    alone = Catalog((check,), everything.collectors)
    needed = {call for once in SCOPES for collector in alone.needed(once=once) for call in collector.calls}
    return sorted(needed.union(metrics.CALLS if check.measures else ()))


def elsewhere(equivalent: str) -> tuple[str, str, str]:
    """'trusted-advisor:Pfx0RwqBli' -> the tool, the id there, the name there: '' where the id is the name."""
    tool, _, id_ = equivalent.partition(":")
    return tool, id_, _names().get(id_, "") if tool == ADVISOR else ""


@cache
def _names() -> Mapping[str, str]:
    names: Mapping[str, str] = json.loads(NAMES.read_text(encoding="utf-8"))
    return names


def permissions(everything: Catalog | None = None) -> Mapping[str, list[str]]:
    """IAM action -> the checks that need it. What is read to plan a scan is needed by all, and names none."""
    everything = everything or catalog.everything()
    needed: dict[str, list[str]] = defaultdict(list)
    needed.update({iam.action(call): [] for call in regions.CALLS})
    for check in everything.checks:
        for action in sorted(set(map(iam.action, calls(check, everything)))):
            needed[action].append(check.id)
    return dict(sorted(needed.items()))


def policy(actions: Iterable[str]) -> dict[str, Any]:
    """An IAM policy document; it names no partition, account or resource."""
    statement = {
        "Sid": "ReadWhatCollectorsDeclare",
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
