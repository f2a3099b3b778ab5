"""What a scan came to, as a folder: the same files that a deployment leaves in its bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from orgscan import plan
from orgscan.line import Line
from orgscan.model import Severity, Standing
from orgscan.reconcile import Record, Status, worst_first
from orgscan.report import TREND, Listed, publish
from orgscan.results import FINDINGS, RESOLVED, ROLLUP, Results, Shelved
from orgscan.rollup import Rollup
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
            self._write(Results(Shelved(unfinished)), _before(shelf, self.plan.scan))
            unfinished.rename(folder)
        except BaseException:
            rmtree(unfinished, ignore_errors=True)
            raise
        return Results(Shelved(folder))

    def _write(self, results: Results, trend: Sequence[Mapping[str, Any]]) -> None:
        plan.put(results.folder, self.plan, self.targets)
        listed, rollup = Listed(), Rollup(self.plan.moment)
        summary = self._summary(listed)
        results.put_lines(FINDINGS, rollup.watch(listed.only(self._standing())))
        results.put_lines(RESOLVED, rollup.resolving(map(Line.of, worst_first(self._closed(listed)))))
        results.put_json(ROLLUP, rollup.to_json())
        summary.unowned, summary.top_fixes = rollup.unowned, tuple(rollup.top_fixes())
        publish(results, summary, trend, self.catalog)

    def _summary(self, listed: Listed) -> ScanSummary:
        return summarise(
            self.plan,
            listed.watch(self._receipts()),
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
        """Open and suppressed, worst first."""
        for severity in reversed(Severity):
            yield from worst_first(self.store.open_findings(severity))
        yield from worst_first(self.store.suppressed_findings())

    def _closed(self, listed: Listed) -> Iterator[Record]:
        for target in listed.closing:
            for record in self.store.findings(target):
                if record.status is Status.RESOLVED and record.changed_in == self.plan.scan:
                    yield record


def _before(shelf: Path, scan: str) -> list[Mapping[str, Any]]:
    """Summaries of older scans in the same place, newest first."""
    older = sorted((each for each in shelf.glob("*/summary.json") if each.parent.name < scan), reverse=True)
    return [json.loads(each.read_text(encoding="utf-8")) for each in older[:TREND]]
