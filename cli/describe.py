"""A check as people and machines read it: plain data, nothing that the catalogue does not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from orgscan import catalog, iam, metrics, regions
from orgscan.catalog import AnyCheck, Catalog

SIDES = (True, False)
"""Of an account: its global target, its regional ones."""


def describe(check: AnyCheck) -> dict[str, Any]:
    return {
        "id": check.id,
        "service": service(check),
        "severity": check.severity.value,
        "category": check.category.value,
        "title": check.title,
        "why": " ".join(check.why.split()),
        "fix": check.fix,
        "judges": kinds(check),
        "parameters": dict(check.parameters),
        "frameworks": list(check.maps),
        "equivalent": list(check.equivalent),
        "reads": calls(check),
        "references": list(check.refs),
    }


def service(check: AnyCheck) -> str:
    """The folder below `services` that declares it; `lambda_` ends so because lambda is a keyword."""
    return str(check.problems.__module__).split(".services.")[1].split(".")[0].rstrip("_")


def kinds(check: AnyCheck) -> list[str]:
    """The resources it judges: of its own kind, and of those derived from it."""
    everything = catalog.everything()
    return sorted({kind.__name__ for once in SIDES for kind in everything.judged(check, once=once)})


def calls(check: AnyCheck) -> list[str]:
    """The API calls without which it cannot judge."""
    alone = Catalog((check,), catalog.collectors())
    needed = {call for once in SIDES for collector in alone.needed(once=once) for call in collector.calls}
    return sorted(needed.union(metrics.CALLS if check.measures else ()))


def permissions() -> Mapping[str, list[str]]:
    """IAM action -> what needs it: collectors, the listing of regions, the metrics of idle checks."""
    needed: dict[str, set[str]] = defaultdict(set)
    declared = {collector.name: collector.calls for collector in catalog.collectors()}
    for name, made in {**declared, "regions": regions.CALLS, "metrics": metrics.CALLS}.items():
        for call in made:
            needed[iam.action(call)].add(name)
    return {action: sorted(names) for action, names in sorted(needed.items())}
