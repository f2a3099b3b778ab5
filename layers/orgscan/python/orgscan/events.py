"""A scan and what it changed -> EventBridge: for tickets and automation, at least once.

An event that arrives twice has the same `id` and `scan`. Whoever sends is repeated until all are taken;
a scan whose events were all taken is marked, and sends none again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from random import uniform
from time import sleep
from typing import TYPE_CHECKING

from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.notify import MessageRefused
from orgscan.reconcile import Change, Status
from orgscan.results import Results
from orgscan.settings import Events
from orgscan.store import FindingStore

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MOST = 10_000
"""Events of findings per scan. What is beyond them is counted in the event of the scan."""
ENTRIES, BYTES = 10, 256_000
"""That one call of PutEvents takes: EventBridge's limit is 256 KB."""
ONE = 240_000
"""Bytes of an event's detail."""
FEW = 20
"""Problems of a finding that would otherwise be larger."""
ATTEMPTS = 6
"""For what EventBridge did not take of a call, waiting longer each time."""
SCAN = "orgscan scan finished"
FINDING = "orgscan finding {}"
WORDS = {
    Change.NEW: "opened",
    Change.REOPENED: "reopened",
    Change.WORSENED: "worsened",
    Change.RESOLVED: "resolved",
}
MARK = "#events"
"""Marks a scan whose events were all taken, among its messages; no route is called so."""
OF_SCAN = (
    "scan",
    "schedule",
    "started",
    "finished",
    "complete",
    "coverage",
    "coverage_before",
    "accounts",
    "targets",
    "checks",
    "open",
    "changes",
    "newly_blind",
    "unconfirmed",
    "suppressed",
    "monthly_usd",
    "unpriced",
)
"""Members of a scan's summary that its event has: all that have an end."""

Entry = tuple[str, str]
"""Detail type, detail as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends the events of a scan."""

    wanted: Events
    source: str
    client: EventBridgeClient
    store: FindingStore
    checks: Mapping[str, AnyCheck]
    """By id: what an event says of a finding's check."""
    wait: Callable[[float], None] = field(default=sleep)

    def send(self, scan: str, results: Results) -> int:
        """How many were taken. Raises MessageRefused where EventBridge did not take all: repeat it."""
        if not self.wanted.any or self.store.was_sent(scan, MARK):
            return 0
        sent = 0
        for batch in batches(self._entries(scan, results)):
            self._put(batch)
            sent += len(batch)
        self.store.first_to_send(scan, MARK)
        return sent

    def _entries(self, scan: str, results: Results) -> Iterator[Entry]:
        changed = _changed(scan, results) if self.wanted.findings else iter(())
        for line in islice(changed, MOST):
            yield FINDING.format(WORDS[line.change]), self._of(line, scan)
        # The last one, so that whoever waits for it may ask for the findings then.
        more = sum(1 for _ in changed)
        if self.wanted.scans:
            summary = results.summary
            told = {name: summary.get(name) for name in OF_SCAN}
            yield SCAN, json.dumps({**told, "more_findings": more})

    def _of(self, line: Line, scan: str) -> str:
        check = self.checks.get(line.check)
        about = {"title": check.title if check else None, "fix": check.fix if check else None}
        for most, tags in ((len(line.problems), line.tags), (FEW, line.tags), (FEW, None), (0, None)):
            problems = line.problems[:most]
            more = len(line.problems) - len(problems)
            cut = {"problems": problems, "more_problems": more, "tags": tags}
            text = json.dumps({**line.to_json(), **cut, **about, "scan": scan})
            if len(text) <= ONE:
                break
        return text

    def _put(self, batch: list[Entry]) -> None:
        """At first all of them, then those that were not taken."""
        left = [self._entry(each) for each in batch]
        for attempt in range(ATTEMPTS):
            if attempt:
                self.wait(uniform(0, 2**attempt / 2))  # noqa: S311 (spreads attempts, hides nothing)
            answers = self.client.put_events(Entries=left)["Entries"]
            refused = [answer for answer in answers if "EventId" not in answer]
            left = [entry for entry, answer in zip(left, answers, strict=True) if "EventId" not in answer]
            if not left:
                return
        codes = ", ".join(sorted({answer.get("ErrorCode", "unknown") for answer in refused}))
        raise MessageRefused(f"EventBridge did not take {len(left)} events: {codes}")

    def _entry(self, entry: Entry) -> PutEventsRequestEntryTypeDef:
        kind, detail = entry
        return {
            "Source": self.source,
            "DetailType": kind,
            "Detail": detail,
            "EventBusName": self.wanted.bus,
        }


def batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """As many as one call takes."""
    batch: list[Entry] = []
    size = 0
    for kind, detail in entries:
        cost = len(kind) + len(detail) + 100  # ASCII; the source, and room for how EventBridge counts
        if batch and (len(batch) == ENTRIES or size + cost > BYTES):
            yield batch
            batch, size = [], 0
        batch.append((kind, detail))
        size += cost
    if batch:
        yield batch


def _changed(scan: str, results: Results) -> Iterator[Line]:
    """What the scan opened or made worse, and then what it closed."""
    for line in results.findings():
        if line.changed_in == scan and line.status is Status.OPEN and line.change in WORDS:
            yield line
    yield from results.resolved()
