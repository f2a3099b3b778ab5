"""docs/permissions: what the role in member accounts may do, and which checks need it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cli.describe import permissions, policy, service
from cli.markdown import number, page, several, table
from orgscan.catalog import Catalog


def pages(everything: Catalog) -> dict[str, str]:
    needed = permissions(everything)
    homes = {check.id: service(check) for check in everything.checks}
    return {
        "permissions.json": json.dumps(policy(needed), indent=1) + "\n",
        "permissions.md": page(_page(needed, homes)),
    }


def _page(needed: Mapping[str, Sequence[str]], homes: Mapping[str, str]) -> Iterator[str]:
    services: dict[str, list[str]] = defaultdict(list)
    for action in needed:
        services[action.partition(":")[0]].append(action)
    yield from ("# Permissions", "")
    total = f"{number(len(needed), 'action')} of {number(len(services), 'service')}"
    yield f"The role in member accounts may do these {total}, on any resource, and nothing else:"
    yield "[permissions.json](permissions.json) is the policy. It follows from the API calls that collectors"
    yield "declare. `.venv/bin/python -m cli policy` prints it; with `--config orgscan.yaml`, without"
    yield "what only checks need that are off there."
    for name, actions in services.items():
        yield from ("", f"## {name}", "")
        yield from table(
            ("Action", "Needed by"), ((f"`{each}`", _who(needed[each], homes)) for each in actions)
        )


def _who(checks: Sequence[str], homes: Mapping[str, str]) -> str:
    if not checks:
        return "planning: which regions an account has enabled"
    return several([f"[{id_}](checks/{homes[id_]}.md#{id_})" for id_ in checks], "checks")
