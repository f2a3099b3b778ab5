"""What a scan came to, as a folder: the same files that a deployment leaves in its bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING

from orgscan import compliance
from orgscan.line import Line
from orgscan.model import Severity, Standing
from orgscan.reconcile import Record, Status, worst_first
from orgscan.report import describe
from orgscan.results import COMPLIANCE, FINDINGS, RESOLVED, SUMMARY, TAGS, Results, Shelved
from orgscan.summary import Ending, ScanSummary, summarise
from orgscan.suppress import EXPIRING_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from cli.scan.store import DiskStore
    from orgscan.catalog import Catalog
    from orgscan.membership import Move
    from orgscan.model import Target
    from orgscan.plan import Plan
    from orgscan.receipt import Receipt
    from orgscan.settings import Configuration

UNFINISHED = ".unfinished"
"""Ends the name of a folder that is being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A scan whose targets have all left a receipt."""

    plan: Plan
    targets: Sequence[Target]
    store: DiskStore
    catalog: Catalog
    configuration: Configuration
    at: datetime

    def publish(self, shelf: Path) -> Results:
        """Its folder there, whole or not at all. Raises OSError."""
        folder = shelf / self.plan.scan
        unfinished = folder.with_name(folder.name + UNFINISHED)
        try:
            self._write(Results(Shelved(unfinished)))
            unfinished.rename(folder)
        except BaseException:
            rmtree(unfinished, ignore_errors=True)
            raise
        return Results(Shelved(folder))

    def _write(self, results: Results) -> None:
        summary = self._summary()
        results.put_json(SUMMARY, describe(summary), indent=1)
        results.put_json(COMPLIANCE, compliance.details(summary.compliance))
        results.put_json(TAGS, summary.tagged.details())
        results.put_lines(FINDINGS, map(Line.of, self._standing()))
        results.put_lines(RESOLVED, map(Line.of, worst_first(self._closed())))

    def _summary(self) -> ScanSummary:
        return summarise(
            self.plan,
            self._receipts(),
            finished=self.at.isoformat(timespec="seconds"),
            endings=[*self._endings()],
            moves=[*self._moves()],
            checks=self.catalog,
        )

    def _receipts(self) -> Iterator[Receipt]:
        """All; what nobody scans any more is forgotten when nothing of it is left."""
        for left in self.store.receipts(self.plan.scan):
            if left.target.standing is not Standing.DUE and not left.open and not left.suppressed:
                self.store.forget(left.target, self.plan.scan)
            yield left

    def _endings(self) -> Iterator[Ending]:
        for rule in self.configuration.suppressions:
            days = rule.days(self.plan.moment)
            if days <= EXPIRING_DAYS:
                stage = "expired" if rule.expired(self.plan.moment) else "expiring"
                what = f"{rule.key}#{rule.expires}#{stage}"
                yield Ending(rule, days, fresh=self.store.first_to_tell(what, self.plan.scan))

    def _moves(self) -> Iterator[Move]:
        return (move for move in self.plan.moves if self.store.first_to_move(move, self.plan.scan))

    def _standing(self) -> Iterator[Record]:
        """Open and suppressed, of what the scan looked at; worst first."""
        for severity in reversed(Severity):
            yield from worst_first(filter(self._looked_at(), self.store.open_findings(severity)))
        yield from worst_first(filter(self._looked_at(), self.store.suppressed_findings()))

    def _closed(self) -> Iterator[Record]:
        scan = self.plan.scan
        for target in self.targets:
            for record in self.store.findings(target):
                if record.status is Status.RESOLVED and record.changed_in == scan:
                    yield record

    def _looked_at(self) -> _LookedAt:
        places = frozenset((each.account, each.region) for each in self.targets)
        return _LookedAt(places, frozenset(self.plan.checks))


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """Whether a scan spoke of a finding."""

    places: frozenset[tuple[str, str]]
    checks: frozenset[str]

    def __call__(self, record: Record) -> bool:
        finding = record.finding
        return finding.check in self.checks and (finding.target.account, finding.target.region) in self.places
