"""A finding's life: what a scan changes in what was known. Pure; the store reads before and writes after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from heapq import merge
from itertools import groupby
from typing import Any

from orgscan.coverage import Coverage, Look, Resolution
from orgscan.model import Finding, Owner
from orgscan.suppress import Suppressions

REMEMBERED = 12
"""Changes of a finding that its history keeps; the first one is known from `first_seen`."""
LONGEST_PLACE = 1_000
"""Bytes; DynamoDB allows 1,024 for a sort key, some of which its users need."""


class Status(StrEnum):
    OPEN = "open"
    SUPPRESSED = "suppressed"
    """Open, and somebody said in the configuration why that is accepted, and until when."""
    RESOLVED = "resolved"


class Change(StrEnum):
    """What a scan did to a finding."""

    NEW = "new"
    REOPENED = "reopened"
    WORSENED = "worsened"
    EASED = "eased"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a finding's history."""

    when: str
    """When the scan started that changed it, ISO 8601 UTC."""
    change: Change


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
    suppressed_by: str = ""
    """The key of the suppression that covers it, or, once resolved, covered it last."""
    unconfirmed_since: str = ""
    """When the first scan started that should have confirmed it and could not. Empty: it was confirmed."""
    history: tuple[Event, ...] = ()
    """The last changes, oldest first, this one too. Empty in what versions before it wrote."""

    def changed(self, change: Change, scan: str, started: str, **now: Any) -> Record:
        """As that scan changed it; `now`: the fields that differ."""
        history = (*self.history, Event(started, change))[-REMEMBERED:]
        return replace(self, change=change, changed_in=scan, history=history, **now)

    @property
    def opened(self) -> str:
        """When it was last found after it had not been there; ISO 8601 UTC."""
        fresh = [each.when for each in self.history if each.change in (Change.NEW, Change.REOPENED)]
        return fresh[-1] if fresh else self.first_seen


@dataclass(frozen=True, slots=True)
class Step:
    """One finding before a scan and after it."""

    before: Record | None
    after: Record
    found: bool
    """The scan saw it; otherwise it closed it, or could tell nothing of it."""


def place(finding: Finding) -> str:
    """A finding's identity within its target: check, resource, key. Its byte order is the order of lives."""
    name = f"{finding.check}#{finding.resource}#{finding.key}"
    if len(encoded := name.encode()) <= LONGEST_PLACE:
        return name
    return f"{encoded[:900].decode(errors='ignore')}#{sha256(encoded).hexdigest()}"


def reconcile(
    before: Iterable[Record],
    look: Look,
    *,
    scan: str,
    started: str,
    rules: Suppressions,
    renamed: Mapping[str, Record] | None = None,
    owner: Callable[[Finding], Owner] = lambda finding: finding.owner,
) -> Iterator[Step]:
    """Open what is new, close what the coverage vouches for, leave alone what was not looked at.

    `before` and the look's findings both come by place, and so do the steps, so that none of them need be in
    memory. `renamed`: place of a finding -> what was known of it under an earlier id of its check. `owner`:
    who answers for a finding that was seen.
    Doing it twice is doing it once: what this scan already wrote is recognised by `changed_in`.
    """
    heirs = {place(record.finding): key.partition("#")[0] for key, record in (renamed or {}).items()}
    life = _Life(look.coverage, scan, started, rules, renamed or {}, heirs)
    known = ((place(record.finding), 0, record) for record in before)
    found = ((place(finding), 1, finding) for finding in look.findings)
    for _, same in groupby(merge(known, found, key=lambda each: each[:2]), key=lambda each: each[0]):
        pair = [each for _, _, each in same]
        old = pair[0] if isinstance(pair[0], Record) else None
        new = pair[-1] if isinstance(pair[-1], Finding) else None
        if new:
            yield Step(old, life.found(old, replace(new, owner=owner(new))), found=True)
        elif old:
            yield Step(old, life.missed(old), found=False)


@dataclass(frozen=True, slots=True)
class _Life:
    coverage: Coverage
    scan: str
    started: str
    rules: Suppressions
    renamed: Mapping[str, Record]
    heirs: Mapping[str, str]
    """Place under an earlier id of a check -> its id now. What lives on there ends here without a word."""

    def found(self, old: Record | None, finding: Finding) -> Record:
        rule = self.rules.of(finding)
        old = old or self.renamed.get(place(finding))
        if old is None:
            fresh = Record(finding, Status.OPEN, self.started, self.scan, Change.NEW)
            if not rule:
                return fresh.changed(Change.NEW, self.scan, self.started)
            covered = {"status": Status.SUPPRESSED, "suppressed_by": rule.key}
            return fresh.changed(Change.SUPPRESSED, self.scan, self.started, **covered)
        if finding.resource in self.coverage.unread.get(finding.check, ()):
            # What makes it worse or better may be what was not looked at.
            finding = replace(finding, severity=old.finding.severity)
        now = replace(
            old,
            finding=finding,
            status=Status.SUPPRESSED if rule else Status.OPEN,
            suppressed_by=rule.key if rule else "",
            resolved_because=None,
            unconfirmed_since="",
        )
        change = self._change(old, now)
        # Evidence may be new (another date, another amount); that is worth storing and not worth a message.
        return now.changed(change, self.scan, self.started) if change else now

    def _change(self, old: Record, now: Record) -> Change | None:
        if now.status is not old.status:
            return Change.SUPPRESSED if now.status is Status.SUPPRESSED else Change.REOPENED
        step = now.finding.severity.rank - old.finding.severity.rank
        if not step or now.status is Status.SUPPRESSED:
            return None
        return Change.WORSENED if step > 0 else Change.EASED

    def missed(self, old: Record) -> Record:
        if old.status is Status.RESOLVED:
            return old
        heir = self.heirs.get(place(old.finding))
        because = self.coverage.closes(old.finding)
        if heir and not self.coverage.closes(replace(old.finding, check=heir)):
            because = None  # it has not moved yet: nobody could see whether it is still wrong
        if because:
            now = replace(old, status=Status.RESOLVED, resolved_because=because, unconfirmed_since="")
            if heir:
                return now
            return now.changed(Change.RESOLVED, self.scan, self.started)
        if not self.coverage.due(old.finding):
            return old
        now = replace(old, unconfirmed_since=old.unconfirmed_since or self.started)
        if now.status is Status.SUPPRESSED and not self.rules.in_force(now.suppressed_by):
            # Nobody accepts it any more, so it counts again, seen or not.
            return now.changed(Change.REOPENED, self.scan, self.started, status=Status.OPEN, suppressed_by="")
        return now


def worst_first(records: Iterable[Record]) -> Iterator[Record]:
    """By severity, then by money, then by a stable order."""
    yield from sorted(records, key=badness)


def badness(record: Record) -> tuple[int, float, str]:
    saving = record.finding.saving.monthly_usd if record.finding.saving else 0.0
    return (-record.finding.severity.rank, -saving, place(record.finding))
