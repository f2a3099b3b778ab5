"""Findings and receipts as DynamoDB items, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from sys import intern
from typing import Any

from orgscan.coverage import Resolution
from orgscan.meter import GB_SECONDS, Spent
from orgscan.model import (
    NOBODY,
    Blindness,
    Category,
    Confidence,
    Finding,
    Money,
    OwnedBy,
    Owner,
    Severity,
    Standing,
    Target,
)
from orgscan.receipt import Notable, Part, Receipt, Unseen
from orgscan.reconcile import Change, Event, Record, Status
from orgscan.schema import marked, upgraded
from orgscan.tagged import Share, owner

TREND = (
    "scan",
    "schedule",
    "started",
    "finished",
    "complete",
    "coverage",
    "accounts",
    "targets",
    "checks",
    "open",
    "changes",
    "suppressed",
    "unowned",
    "monthly_usd",
    "unpriced",
)
"""Members of a summary that a trend shows."""


def from_record(record: Record) -> dict[str, Any]:
    finding, saving = record.finding, record.finding.saving
    item: dict[str, Any] = {
        **_from_target(finding.target),
        "check": finding.check,
        "resource": finding.resource,
        "key": finding.key,
        "severity": finding.severity,
        "category": finding.category,
        "problems": list(finding.problems),
        "status": record.status,
        "first_seen": record.first_seen,
        "changed_in": record.changed_in,
        "change": record.change,
    }
    if record.history:
        item["history"] = [[event.when, event.change] for event in record.history]
    item |= {"owner": finding.owner.name, "owned_by": finding.owner.by}
    if finding.tags is not None:
        item["tags"] = finding.tags
    for name in ("resolved_because", "suppressed_by", "unconfirmed_since"):
        if value := getattr(record, name):
            item[name] = value
    if saving:
        item |= {"monthly_usd": saving.monthly_usd, "basis": saving.basis, "confidence": saving.confidence}
    return marked(_plain_mapping(item))


def to_record(item: Mapping[str, Any]) -> Record:
    """Of whatever version wrote it. Raises NewerTable, as `to_receipt` does."""
    item, saving = upgraded(item), None
    if "monthly_usd" in item:
        saving = Money(float(item["monthly_usd"]), item["basis"], Confidence(item["confidence"]))
    finding = Finding(
        check=item["check"],
        severity=Severity(item["severity"]),
        category=Category(item["category"]),
        target=_to_target(item),
        resource=item["resource"],
        problems=tuple(item["problems"]),
        key=item["key"],
        saving=saving,
        tags=item.get("tags"),
        owner=_owner_of(item),
    )
    because = item.get("resolved_because")
    return Record(
        finding=finding,
        status=Status(item["status"]),
        first_seen=item["first_seen"],
        changed_in=item["changed_in"],
        change=Change(item["change"]),
        resolved_because=Resolution(because) if because else None,
        suppressed_by=item.get("suppressed_by", ""),
        unconfirmed_since=item.get("unconfirmed_since", ""),
        history=tuple(Event(when, Change(change)) for when, change in item.get("history", ())),
    )


def from_receipt(receipt: Receipt) -> dict[str, Any]:
    item = _plain_mapping(
        {
            **_from_target(receipt.target),
            **_from_part(receipt),
            "scan": receipt.scan,
            "planned": receipt.planned,
            "evaluated": receipt.evaluated,
            "unseen": [[u.reason, u.detail, list(u.checks)] for u in receipt.unseen],
            "newly_blind": list(receipt.newly_blind),
            "resources": dict(receipt.resources),
            "tagged": [[name, each.judged, each.compliant] for name, each in receipt.tagged.items()],
            "found": dict(receipt.found),
            "suppressed_by": dict(receipt.suppressed_by),
            "spent": asdict(receipt.spent),
            "kept": receipt.kept,
            "closed": receipt.closed,
        }
    )
    if receipt.parts:
        item["parts"] = {route: _plain_mapping(_from_part(part)) for route, part in receipt.parts.items()}
    if receipt.target.ous:
        item["ous"] = list(receipt.target.ous)
    if receipt.target.owner.name:
        item |= {"owner": receipt.target.owner.name, "owned_by": receipt.target.owner.by.value}
    return marked(item)


def to_receipt(item: Mapping[str, Any]) -> Receipt:
    item = upgraded(item)
    return Receipt(
        **_to_part(item),
        scan=item["scan"],
        target=replace(_to_target(item), ous=tuple(item.get("ous", ())), owner=_to_owner(item)),
        planned=int(item["planned"]),
        unseen=tuple(
            Unseen(Blindness(reason), detail, tuple(checks)) for reason, detail, checks in item["unseen"]
        ),
        newly_blind=tuple(item["newly_blind"]),
        resources={kind: int(count) for kind, count in item["resources"].items()},
        tagged={
            name: Share(int(judged), int(compliant)) for name, judged, compliant in item.get("tagged", [])
        },
        found={
            check: (int(opened), int(accepted)) for check, (opened, accepted) in item.get("found", {}).items()
        },
        suppressed_by={key: int(count) for key, count in item.get("suppressed_by", {}).items()},
        parts={route: Part(**_to_part(part)) for route, part in item.get("parts", {}).items()},
        spent=_to_spent(item.get("spent", {})),
        kept=int(item.get("kept", 0)),
        closed=int(item.get("closed", 0)),
    )


def _from_part(part: Part) -> dict[str, Any]:
    return {
        "open": {"|".join(kind): count for kind, count in part.open.items()},
        "suppressed": {"|".join(kind): count for kind, count in part.suppressed.items()},
        "changed": {"|".join(kind): count for kind, count in part.changed.items()},
        "notable": [_from_notable(notable) for notable in part.notable],
        "monthly_usd": part.monthly_usd,
        "unpriced": part.unpriced,
        "unconfirmed": part.unconfirmed,
        "unconfirmed_since": part.unconfirmed_since,
    }


def _to_part(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Part."""
    return {
        "open": {_open_kind(kind): int(count) for kind, count in item["open"].items()},
        "suppressed": {_open_kind(kind): int(count) for kind, count in item.get("suppressed", {}).items()},
        "changed": {_change_kind(kind): int(count) for kind, count in item["changed"].items()},
        "notable": tuple(_to_notable(notable) for notable in item["notable"]),
        "monthly_usd": float(item["monthly_usd"]),
        "unpriced": int(item["unpriced"]),
        "unconfirmed": int(item["unconfirmed"]),
        "unconfirmed_since": item.get("unconfirmed_since", ""),
    }


def plain(value: Any) -> Any:
    """As DynamoDB takes it: no floats, no enums, no tuples."""
    match value:
        case float():
            return Decimal(str(value))
        case str():
            return str(value)
        case Mapping():
            return _plain_mapping(value)
        case list() | tuple() | frozenset():
            return [plain(each) for each in value]
    return value


def told(value: Any) -> Any:
    """What `plain` was given, as JSON has it."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {str(name): told(each) for name, each in value.items()}
        case list():
            return [told(each) for each in value]
    return value


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def strings(value: Any) -> list[str]:
    return [str(each) for each in value]


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): plain(each) for name, each in value.items()}


def _from_target(target: Target) -> dict[str, str]:
    return {
        "account": target.account,
        "region": target.region,
        "partition": target.partition,
        "account_name": target.account_name,
        **({} if target.standing is Standing.DUE else {"standing": target.standing.value}),
    }


def _to_target(item: Mapping[str, Any]) -> Target:
    standing = Standing(item.get("standing", Standing.DUE))
    # A report keeps many targets of the same accounts and regions.
    account, region, partition, account_name = map(
        intern, (item["account"], item["region"], item["partition"], item["account_name"])
    )
    return Target(account, region, partition, account_name, standing=standing)


def _owner_of(item: Mapping[str, Any]) -> Owner:
    """Of a finding. Earlier versions wrote none: read as this one finds it, an upgrade writes nothing."""
    if "owned_by" in item:
        return _to_owner(item)
    name = owner(item.get("tags") or {})
    return Owner(name, OwnedBy.RESOURCE) if name else NOBODY


def _to_owner(item: Mapping[str, Any]) -> Owner:
    return Owner(item["owner"], OwnedBy(item["owned_by"])) if "owned_by" in item else NOBODY


def _from_notable(notable: Notable) -> dict[str, Any]:
    return {name: getattr(notable, name) for name in Notable.__slots__}


def _to_notable(item: Mapping[str, Any]) -> Notable:
    usd = item["monthly_usd"]
    return Notable(
        change=Change(item["change"]),
        check=item["check"],
        severity=Severity(item["severity"]),
        category=Category(item["category"]),
        resource=item["resource"],
        problems=tuple(item["problems"]),
        monthly_usd=None if usd is None else float(usd),
        because=item["because"],
        owner=item.get("owner", ""),
        opened=item.get("opened", ""),
    )


def _to_spent(told: Mapping[str, Any]) -> Spent:
    numbers: dict[str, Any] = {name: int(value) for name, value in told.items()}
    if told:
        numbers[GB_SECONDS] = float(told[GB_SECONDS])
    return Spent(**numbers)


def _open_kind(text: str) -> tuple[Severity, Category]:
    severity, category = text.split("|")
    return Severity(severity), Category(category)


def _change_kind(text: str) -> tuple[Change, Severity, Category, str]:
    change, severity, category, check = text.split("|")
    return Change(change), Severity(severity), Category(category), check
