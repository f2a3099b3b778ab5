"""SARIF 2.1.0, the format of static analysis: for viewers and dashboards that know it.

There are no files: what a result is of is a logical location, the ARN. Viewers that insist on a file and a
line (GitHub code scanning) show nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.model import Blindness, Category, Severity
from orgscan.present.exported import (
    PRODUCT,
    Checks,
    Summary,
    about,
    age,
    compact,
    evidence,
    fit,
    folded,
    zulu,
)
from orgscan.present.text import REASONS, number, resource_name
from orgscan.reconcile import Status

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFORMATIONAL: "note",
}
SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFORMATIONAL: "0.0",
}
"""`security-severity`, by which GitHub and others sort what concerns security: each in its range of CVSS."""


def export(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    """One run. `checks` become its rules, whether they found anything or not."""
    rules = {id_: place for place, id_ in enumerate(sorted({check.id for check in checks.values()}))}
    by_id = {check.id: check for check in checks.values()}
    run = {
        "tool": {"driver": {"name": PRODUCT, "rules": [_rule(by_id[id_]) for id_ in rules]}},
        "automationDetails": {
            "id": f"{PRODUCT}/{folded(summary['schedule'] or 'on-demand')}/{summary['scan']}"
        },
        "invocations": [_invocation(summary)],
        "columnKind": "unicodeCodePoints",
    }
    head = compact({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    yield head.removesuffix("}]}") + ',"results":['
    between = "\n"
    for line in lines:
        yield between + compact(_result(summary, line, checks, rules))
        between = ",\n"
    yield "\n]}]}\n"


def _rule(check: AnyCheck) -> dict[str, Any]:
    security = {"security-severity": SCORES[check.severity]} if check.category is Category.SECURITY else {}
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        **({"fullDescription": {"text": folded(check.why)}} if check.why else {}),
        "help": {"text": check.fix},
        **({"helpUri": check.refs[0]} if check.refs else {}),
        "defaultConfiguration": {"level": LEVELS[check.severity]},
        "properties": {"tags": [check.category, *check.maps], "severity": check.severity, **security},
    }


def _invocation(summary: Summary) -> dict[str, Any]:
    """What the scan could not see is told here: nobody may take it for clean."""
    notes = [_gap(gap) for gap in summary["gaps"]]
    if summary["more_gaps"]:
        notes.append(
            _note(f"{number(summary['more_gaps'], 'more gap')}, which the scan counted and did not keep")
        )
    return {
        "executionSuccessful": summary["complete"],
        "startTimeUtc": zulu(summary["started"]),
        "endTimeUtc": zulu(summary["finished"]),
        "toolExecutionNotifications": notes,
        "properties": {"coverage": summary["coverage"], "checks": dict(summary["checks"])},
    }


def _gap(gap: Mapping[str, Any]) -> dict[str, Any]:
    lost = f"{number(gap['checks'], 'check')} in {number(gap['targets'], 'target')} not evaluated"
    return _note(f"{lost}: {REASONS[Blindness(gap['reason'])]}: {gap['detail']}")


def _note(text: str) -> dict[str, Any]:
    return {"level": "error", "message": {"text": _plain(text)}}


def _plain(text: str) -> str:
    """Of what is in brackets, viewers make links."""
    return re.sub(r"([\\\[\]])", r"\\\1", folded(text))


def _result(summary: Summary, line: Line, checks: Checks, rules: Mapping[str, int]) -> dict[str, Any]:
    told, check = about(line, checks), checks.get(line.check)
    gone = line.status is Status.RESOLVED
    where = {
        "fullyQualifiedName": fit(line.resource),
        "name": resource_name(line.resource),
        "kind": "resource",
    }
    return {
        "ruleId": check.id if check else fit(line.check),
        **({"ruleIndex": rules[check.id]} if check else {}),
        "kind": "pass" if gone else "fail",
        "level": "none" if gone else LEVELS[line.severity],
        "message": {"text": _plain(f"{told.title} {evidence(line)}")},
        "locations": [{"logicalLocations": [where]}],
        "partialFingerprints": {f"{PRODUCT}/v1": line.id},
        "suppressions": [*_suppressions(line)],
        "properties": _properties(summary, line),
    }


def _suppressions(line: Line) -> Iterator[dict[str, str]]:
    if line.status is Status.SUPPRESSED:
        # Accepted, as long as nothing else is said of its review.
        yield {"kind": "external", "justification": fit(line.suppressed_by)}


def _properties(summary: Summary, line: Line) -> dict[str, Any]:
    return {
        "severity": line.severity,
        "category": line.category,
        "partition": line.partition,
        "account": line.account,
        "accountName": fit(line.account_name),
        "region": line.region,
        "key": fit(line.key),
        "owner": fit(line.owner.name) or None,
        "ownedBy": line.owner.by,
        "firstSeen": line.first_seen,
        "ageDays": age(line, summary),
        "monthlyUsd": line.saving.monthly_usd if line.saving else None,
        "unconfirmedSince": line.unconfirmed_since or None,
        "resolvedBecause": line.resolved_because,
    }
