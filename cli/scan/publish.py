"""What a scan came to, as a folder: the same files that a deployment leaves in its bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from orgscan import after, plans
from orgscan.after import Listed
from orgscan.line import Line
from orgscan.reconcile import Record, Status, badness, worst_first
from orgscan.report import TREND, Listing, publish
from orgscan.results import FINDINGS, RESOLVED, Results, Shelved
from orgscan.summary import ScanSummary, summarise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from cli.scan.store import DiskStore
    from orgscan.catalog import Catalog
    from orgscan.model import Target
    from orgscan.plan import Plan
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
        plans.put(results.folder, self.plan, self.targets)
        listed, listing = Listed(), Listing(self.plan.moment)
        summary = self._summary(listed)
        lines = listed.only(sorted(after.standing(self.store), key=_order))
        results.put_lines(FINDINGS, listing.watch(lines))
        closed = worst_first(listed.resolved(self.store, self.plan.scan))
        results.put_lines(RESOLVED, listing.resolving(map(Line.of, closed)))
        publish(results, summary, listing, trend, self.catalog)

    def _summary(self, listed: Listed) -> ScanSummary:
        return summarise(
            self.plan,
            listed.watch(after.receipts(self.store, self.plan)),
            finished=self.at.isoformat(timespec="seconds"),
            endings=[*after.endings(self.store, self.plan, self.configuration.suppressions)],
            moves=[*after.moves(self.store, self.plan)],
            checks=self.catalog,
        )


def _order(record: Record) -> tuple[object, ...]:
    """What is accepted comes last; before that, the worst first."""
    return (record.status is Status.SUPPRESSED, *badness(record))


def _before(shelf: Path, scan: str) -> list[Mapping[str, Any]]:
    """Summaries of older scans in the same place, newest first."""
    older = sorted((each for each in shelf.glob("*/summary.json") if each.parent.name < scan), reverse=True)
    return [json.loads(each.read_text(encoding="utf-8")) for each in older[:TREND]]
