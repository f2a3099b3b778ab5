"""A finding as people and machines get it: what findings.jsonl.gz, the report and all exports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from orgscan.coverage import Resolution
from orgscan.model import Category, Confidence, Money, OwnedBy, Owner, Severity
from orgscan.reconcile import Change, Event, Record, Status, place

ID_DIGITS = 20
"""Hexadecimal, 80 bits: among a million findings, two share an id once in two million million times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    id: str
    """Of the defect, the same in every scan: from partition, account, region, check, resource and key."""
    check: str
    severity: Severity
    category: Category
    partition: str
    account: str
    account_name: str
    region: str
    resource: str
    key: str
    problems: tuple[str, ...]
    """The evidence: what is wrong, a sentence each."""
    status: Status
    first_seen: str
    """When the scan that first found it started, ISO 8601 UTC."""
    opened: str
    """The same, after it was last resolved."""
    change: Change
    changed_in: str
    """The last scan that changed it, and how."""
    history: tuple[Event, ...]
    owner: Owner
    tags: Mapping[str, str] | None
    saving: Money | None
    resolved_because: Resolution | None
    suppressed_by: str
    unconfirmed_since: str

    @classmethod
    def of(cls, record: Record) -> Self:
        finding, target = record.finding, record.finding.target
        return cls(
            id=fingerprint(target.partition, target.account, target.region, place(finding)),
            check=finding.check,
            severity=finding.severity,
            category=finding.category,
            partition=target.partition,
            account=target.account,
            account_name=target.account_name,
            region=target.region,
            resource=finding.resource,
            key=finding.key,
            problems=finding.problems,
            status=record.status,
            first_seen=record.first_seen,
            opened=record.opened,
            change=record.change,
            changed_in=record.changed_in,
            history=record.history,
            owner=finding.owner,
            tags=finding.tags,
            saving=finding.saving,
            resolved_because=record.resolved_because,
            suppressed_by=record.suppressed_by,
            unconfirmed_since=record.unconfirmed_since,
        )

    def to_json(self) -> dict[str, Any]:
        """As one line of findings.jsonl.gz; `docs/operating.md` tells the members."""
        return {
            "id": self.id,
            "check": self.check,
            "severity": self.severity,
            "category": self.category,
            "partition": self.partition,
            "account": self.account,
            "account_name": self.account_name,
            "region": self.region,
            "resource": self.resource,
            "key": self.key,
            "problems": list(self.problems),
            "status": self.status,
            "first_seen": self.first_seen,
            "opened": self.opened,
            "change": self.change,
            "changed_in": self.changed_in,
            "history": [{"when": event.when, "change": event.change} for event in self.history],
            "owner": self.owner.name or None,
            "owned_by": self.owner.by,
            "tags": self.tags,
            "monthly_usd": self.saving.monthly_usd if self.saving else None,
            "basis": self.saving.basis if self.saving else None,
            "confidence": self.saving.confidence if self.saving else None,
            "resolved_because": self.resolved_because,
            "suppressed_by": self.suppressed_by or None,
            "unconfirmed_since": self.unconfirmed_since or None,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Raises KeyError or ValueError for what is no finding."""
        usd, because = told["monthly_usd"], told["resolved_because"]
        return cls(
            id=told["id"],
            check=told["check"],
            severity=Severity(told["severity"]),
            category=Category(told["category"]),
            partition=told["partition"],
            account=told["account"],
            account_name=told["account_name"],
            region=told["region"],
            resource=told["resource"],
            key=told["key"],
            problems=tuple(told["problems"]),
            status=Status(told["status"]),
            first_seen=told["first_seen"],
            opened=told["opened"],
            change=Change(told["change"]),
            changed_in=told["changed_in"],
            history=tuple(Event(each["when"], Change(each["change"])) for each in told["history"]),
            owner=Owner(told["owner"] or "", OwnedBy(told["owned_by"])),
            tags=told["tags"],
            saving=None if usd is None else Money(usd, told["basis"], Confidence(told["confidence"])),
            resolved_because=Resolution(because) if because else None,
            suppressed_by=told["suppressed_by"] or "",
            unconfirmed_since=told["unconfirmed_since"] or "",
        )


def fingerprint(partition: str, account: str, region: str, where: str) -> str:
    """`where`: the place of the finding in its target."""
    return sha256(f"{partition}|{account}|{region}|{where}".encode()).hexdigest()[:ID_DIGITS]
