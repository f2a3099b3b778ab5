"""OCSF 1.5.0, one event per line: what the Open Cybersecurity Schema Framework calls findings.

A check that maps to a control of a framework makes a Compliance Finding (2003), every other one a Detection
Finding (2004), whatever its category.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orgscan.compliance import split
from orgscan.coverage import Resolution
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.present.exported import (
    PRODUCT,
    About,
    Checks,
    Summary,
    about,
    compact,
    evidence,
    fit,
    folded,
    kind,
    moment,
    place,
)
from orgscan.present.text import resource_name
from orgscan.reconcile import Status

VERSION = "1.5.0"
COMPLIANCE, DETECTION = (2003, "Compliance Finding"), (2004, "Detection Finding")
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
STATUS = {Status.OPEN: (1, "New"), Status.SUPPRESSED: (3, "Suppressed"), Status.RESOLVED: (4, "Resolved")}
FAIL, PASS, UNKNOWN = (3, "Fail"), (1, "Pass"), (0, "Unknown")
OTHER, RULE, AWS_ACCOUNT = 99, 1, 10


def export(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    for line in lines:
        yield compact(event(summary, line, checks)) + "\n"


def event(summary: Summary, line: Line, checks: Checks) -> dict[str, Any]:
    told = about(line, checks)
    class_uid, class_name = COMPLIANCE if told.maps else DETECTION
    activity, activity_name = _activity(summary, line)
    status, status_name = STATUS[line.status]
    made = {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class_uid * 100 + activity,
        "type_name": f"{class_name}: {activity_name}",
        "time": _ms(summary["finished"]),
        "severity_id": _severity(line.severity),
        "severity": line.severity.capitalize(),
        "status_id": status,
        "status": status_name,
        "message": folded(f"{told.title} {evidence(line)}"),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": PRODUCT, "vendor_name": PRODUCT},
            "uid": f"{summary['scan']}/{line.id}",
            "correlation_uid": summary["scan"],
            "event_code": fit(line.check),
        },
        "finding_info": _info(summary, line, told),
        "cloud": {"provider": "AWS", "account": _account(line), **_where(line)},
        "resources": [_resource(line)],
        "unmapped": _unmapped(line),
    }
    if told.maps:
        made["compliance"] = _compliance(line, told)
    if told.fix:
        made["remediation"] = {"desc": told.fix, **({"references": [*told.refs]} if told.refs else {})}
    return made


def _ms(told: str) -> int:
    """Since 1970, as OCSF counts time."""
    return round(moment(told).timestamp() * 1000)


def _severity(severity: Severity) -> int:
    return severity.rank + 1


def _activity(summary: Summary, line: Line) -> tuple[int, str]:
    if line.status is Status.RESOLVED:
        return CLOSE
    return CREATE if line.first_seen == summary["started"] else UPDATE


def _info(summary: Summary, line: Line, told: About) -> dict[str, Any]:
    info = {
        "uid": line.id,
        "title": told.title,
        "desc": folded(evidence(line)),
        "types": [line.category],
        "created_time": _ms(line.first_seen),
        "first_seen_time": _ms(line.first_seen),
        "analytic": {"uid": fit(line.check), "name": told.title, "type_id": RULE, "type": "Rule"},
    }
    if line.history:
        info["modified_time"] = _ms(line.history[-1].when)
    if line.status is not Status.RESOLVED and not line.unconfirmed_since:
        info["last_seen_time"] = _ms(summary["started"])
    return info


def _account(line: Line) -> dict[str, Any]:
    return {
        "uid": line.account,
        "name": folded(line.account_name) or line.account,
        "type_id": AWS_ACCOUNT,
        "type": "AWS Account",
    }


def _where(line: Line) -> dict[str, str]:
    region = place(line)
    return {"cloud_partition": line.partition, **({"region": region} if region else {})}


def _resource(line: Line) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "uid": fit(line.resource),
        "name": resource_name(line.resource),
        "type": fit(kind(line.resource)) or "Other",
        **_where(line),
    }
    if line.owner.name:
        name = folded(line.owner.name)
        # Whoever is named in a tag: a team, a mail address. OCSF knows users, with the account they are of.
        owner = {
            "name": name,
            "uid": name,
            "type_id": OTHER,
            "type": line.owner.by,
            "account": _account(line),
        }
        resource["owner"] = owner
    if line.tags:
        resource["tags"] = [{"name": fit(key), "value": fit(value)} for key, value in line.tags.items()]
    return resource


def _compliance(line: Line, told: About) -> dict[str, Any]:
    status, name = FAIL
    if line.status is Status.RESOLVED:
        status, name = PASS if line.resolved_because is Resolution.FIXED else UNKNOWN
    return {
        "control": fit(line.check),
        "standards": sorted({framework for framework, _ in map(split, told.maps)}),
        "requirements": [*told.maps],
        "status_id": status,
        "status": name,
    }


def _unmapped(line: Line) -> Mapping[str, Any]:
    """What OCSF has no word for."""
    saving = line.saving
    told = {
        "key": fit(line.key),
        "owned_by": line.owner.by,
        "monthly_usd": saving.monthly_usd if saving else None,
        "basis": fit(saving.basis) if saving else None,
        "confidence": saving.confidence if saving else None,
        "suppressed_by": fit(line.suppressed_by),
        "unconfirmed_since": line.unconfirmed_since,
        "resolved_because": line.resolved_because,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}
