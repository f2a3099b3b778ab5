"""A finding's life: what a scan changes in what was known. Pure; the store reads before and writes after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from orgscan.coverage import Coverage, Look, Resolution
from orgscan.model import Finding


class Status(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Change(StrEnum):
    """What a scan did to a finding."""

    NEW = "new"
    REOPENED = "reopened"
    WORSENED = "worsened"
    EASED = "eased"
    RESOLVED = "resolved"


Key: TypeAlias = tuple[str, str, str]
"""Check, resource, key: a finding's identity within its target."""


@dataclass(frozen=True, slots=True)
class Record:
    """One finding as the table keeps it."""

    finding: Finding
    status: Status
    first_seen: str
    """When the scan that first found it started, ISO 8601 UTC."""
    changed_in: str
    """The last scan that changed it. When it was last confirmed is known from receipts, not from here."""
    change: Change
    """What that scan did."""
    resolved_because: Resolution | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The target after the scan."""

    writes: tuple[Record, ...]
    """What differs from before: all that must be written."""
    changed: tuple[Record, ...]
    """What this scan changed, including what an interrupted earlier attempt of it already wrote."""
    open: tuple[Record, ...]
    unconfirmed: int
    """Open findings that this scan could neither confirm nor close."""


def identity(finding: Finding) -> Key:
    return (finding.check, finding.resource, finding.key)


def reconcile(before: Mapping[Key, Record], look: Look, *, scan: str, started: str) -> Reconciled:
    """Open what is new, close what the coverage vouches for, leave alone what was not looked at.

    Doing it twice is doing it once: what this scan already wrote is recognised by `changed_in`.
    """
    found = {identity(finding): finding for finding in look.findings}
    after = {
        key: _seen(before.get(key), finding, look.coverage, scan, started) for key, finding in found.items()
    }
    unconfirmed = 0
    for key, record in before.items():
        if key in found:
            continue
        closed = _unseen(record, look, scan)
        after[key] = closed
        unconfirmed += closed is record and record.status is Status.OPEN
    return Reconciled(
        writes=tuple(record for key, record in after.items() if before.get(key) != record),
        changed=tuple(record for record in after.values() if record.changed_in == scan),
        open=tuple(record for record in after.values() if record.status is Status.OPEN),
        unconfirmed=unconfirmed,
    )


def _seen(old: Record | None, finding: Finding, coverage: Coverage, scan: str, started: str) -> Record:
    if old is None:
        return Record(finding, Status.OPEN, started, scan, Change.NEW)
    now = replace(old, finding=finding, status=Status.OPEN, resolved_because=None)
    if old.status is Status.RESOLVED:
        return replace(now, changed_in=scan, change=Change.REOPENED)
    step = finding.severity.rank - old.finding.severity.rank
    if step < 0 and finding.resource in coverage.unread.get(finding.check, ()):
        return old  # what made it worse was not looked at
    if step:
        return replace(now, changed_in=scan, change=Change.WORSENED if step > 0 else Change.EASED)
    # Evidence may be new (another date, another amount); that is worth storing and not worth a message.
    return now


def _unseen(record: Record, look: Look, scan: str) -> Record:
    because = look.coverage.closes(record.finding.check, record.finding.resource)
    if record.status is Status.RESOLVED or because is None:
        return record
    return replace(
        record, status=Status.RESOLVED, changed_in=scan, change=Change.RESOLVED, resolved_because=because
    )


def by_identity(records: Iterable[Record]) -> dict[Key, Record]:
    return {identity(record.finding): record for record in records}


def worst_first(records: Iterable[Record]) -> Iterator[Record]:
    """By severity, then by money, then by a stable order."""
    yield from sorted(
        records,
        key=lambda record: (
            -record.finding.severity.rank,
            -(record.finding.saving.monthly_usd if record.finding.saving else 0),
            identity(record.finding),
        ),
    )
