"""JSON Lines: findings.jsonl.gz without the gzip, and with what each check says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orgscan.line import Line
from orgscan.present.exported import Checks, Summary, about, age, compact
from orgscan.remedy import commands


def export(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    for line in lines:
        told, check = about(line, checks), checks.get(line.check)
        more = {
            "scan": summary["scan"],
            "age_days": age(line, summary),
            "title": told.title,
            "why": told.why,
            "fix": told.fix,
            "commands": list(commands(check, line)) if check else [],
            "references": list(told.refs),
            "frameworks": list(told.maps),
        }
        yield compact({**line.to_json(), **more}) + "\n"
