"""After the last target: fill what left no receipt, add up, write results and messages to S3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any

from orgscan import after, compliance, cost, messages
from orgscan.after import Listed, Untold
from orgscan.archive import Archive
from orgscan.catalog import Catalog
from orgscan.cost import Scale
from orgscan.describe import describe
from orgscan.digest import Digest
from orgscan.errors import OutOfTime
from orgscan.line import Line
from orgscan.links import Links, console
from orgscan.messages import Message, of_route
from orgscan.meter import Spent
from orgscan.model import Target
from orgscan.plan import Plan
from orgscan.plans import PlanStore
from orgscan.present import html
from orgscan.present.mail import mail
from orgscan.receipt import NO_RECEIPT
from orgscan.results import COMPLIANCE, FINDINGS, REPORT, RESOLVED, ROLLUP, SUMMARY, TAGS, Bucketed, Results
from orgscan.rollup import Rollup
from orgscan.routing import Routing
from orgscan.settings import Configuration, Route
from orgscan.store import FindingStore
from orgscan.summary import ScanSummary, summaries

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 16
LAST_S = 200.0
"""Seconds that must be left of an invocation to record one more target that nobody told of.

So many that an invocation which is going to be repeated does not look as if it nearly ran out of time.
"""
ADDING_UP_S = 600.0
"""Those that must be left to begin adding up, which happens in one invocation."""
SETTLING_S = (1.0, 4.0)
"""Seconds to wait for the index when it lists another number of findings than the receipts tell."""
TREND = 60
"""Scans before, whose totals the report draws as far as they are of the same schedule."""


@dataclass(frozen=True, slots=True)
class Reporter:
    store: FindingStore
    plans: PlanStore
    s3: S3Client
    bucket: str
    catalog: Catalog
    configuration: Configuration
    another_store: Callable[[], FindingStore]
    """For a thread of its own: boto3's tables build one condition at a time."""
    wait: Callable[[float], object] = time.sleep
    """Takes seconds."""
    sign: Callable[[str], tuple[str, datetime] | None] = lambda _: None
    """Key of an object -> a link that opens it, and when that ends; None: nobody is lent any."""

    def leave(self, scan: str) -> tuple[str, int]:
        """For the second round: the key of a list of the targets that left no receipt, and their number."""
        plan = self.plans.get(scan)
        return self.plans.put_left(plan, self.store.without_receipt(scan, self.plans.targets(plan)))

    def report(
        self,
        scan: str,
        *,
        finished: datetime,
        whole: bool = False,
        spent: Callable[[], Spent] = Spent,
        seconds_left: Callable[[], float] = lambda: inf,
    ) -> tuple[ScanSummary, int]:
        """Returns the summary of everything and how much there is to send. `spent`: by this, so far.

        `whole`: `leave` has just found a receipt of every target.

        Raises OutOfTime when a repetition should go on from here.
        """
        plan = self.plans.get(scan)
        if not whole:
            self._account_for_missing(plan, seconds_left)
        if seconds_left() < ADDING_UP_S:
            raise OutOfTime
        with closing(Archive(self.s3, self.bucket, plan, self.configuration.inventory)) as archive:
            return self._add_up(plan, archive, finished, spent)

    def _add_up(
        self, plan: Plan, archive: Archive, finished: datetime, spent: Callable[[], Spent]
    ) -> tuple[ScanSummary, int]:
        routes = self.configuration.routes if plan.notify else ()
        listed, scan = Listed(), plan.scan
        summary, *of_routes = summaries(
            plan,
            archive.watch(listed.watch(after.receipts(self.store, plan))),
            [None, *routes],
            finished=finished.isoformat(timespec="seconds"),
            endings=list(after.endings(self.store, plan, self.configuration.suppressions)),
            moves=list(after.moves(self.store, plan)),
            checks=self.catalog,
        )
        if plan.schedule and summary.units:
            summary.coverage_before = self.store.coverage_before(scan, plan.schedule, summary.coverage)
        folder = Bucketed(self.s3, self.bucket, scan)
        results = Results(folder)
        listing, findings = self._list(results, plan, listed, archive, of_routes)
        archive.put()
        summary.usage = cost.usage(self._scale(summary, findings), summary.spent + spent())
        publish(results, summary, listing, self.store.trend(TREND, before=scan), self.catalog)
        sent = [*self._messages(routes, of_routes, summary, self._links(plan, folder))]
        messages.put(results, sent)
        self.store.put_scan(scan, describe(summary))
        events = plan.notify and self.configuration.events.any
        return summary, len(sent) + events

    def _list(
        self,
        results: Results,
        plan: Plan,
        listed: Listed,
        archive: Archive,
        of_routes: Iterable[ScanSummary],
    ) -> tuple[Listing, int]:
        """Every finding of what was scanned, and what became of others; with the number of the former."""
        for wait in (*SETTLING_S, None):
            listing, digests = Listing(plan.moment), Digests(plan, self.configuration.routes, listed)
            archive.begin()
            lines = archive.noting(digests.watch(listed.only(after.standing(self.store))))
            count = results.put_lines(FINDINGS, listing.watch(lines))
            # The index lags behind the table by a moment; a scan beside this one makes it differ too.
            if count == listed.expected or wait is None:
                break
            self.wait(wait)
        closed = archive.noting(map(Line.of, listed.resolved(self.store, plan.scan)))
        results.put_lines(RESOLVED, listing.resolving(closed))
        for each, digest in zip(of_routes, digests.of_routes, strict=False):
            each.digest = digest
        return listing, count

    def _account_for_missing(self, plan: Plan, seconds_left: Callable[[], float]) -> None:
        """A worker that died, hung or was never started left no receipt, and that is how it is noticed."""
        missing = _Shared(self.store.without_receipt(plan.scan, self.plans.targets(plan)))
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda _: self._account_for(plan, missing, seconds_left), range(THREADS)):
                pass

    def _account_for(self, plan: Plan, missing: _Shared, seconds_left: Callable[[], float]) -> None:
        target = missing.next()
        if target is None:
            return
        store = self.another_store()
        untold = Untold(plan=plan, catalog=self.catalog, configuration=self.configuration)
        while target:
            if seconds_left() < LAST_S:
                raise OutOfTime
            untold.record(store, target, NO_RECEIPT)
            target = missing.next()

    def _scale(self, summary: ScanSummary, findings: int) -> Scale:
        plan, routes = summary.plan, len(self.configuration.routes) if summary.plan.notify else 0
        return Scale(
            accounts=plan.accounts,
            targets=plan.planned + plan.absent,
            findings=findings,
            kept=summary.kept,
            changes=summary.changes.total(),
            unseen=summary.units - summary.evaluated,
            messages=routes if summary.news or plan.digest else 0,
            events=plan.notify and self.configuration.events.any,
            inventories=plan.planned if self.configuration.inventory else 0,
        )

    def _messages(
        self,
        routes: Sequence[Route],
        of_routes: Sequence[ScanSummary],
        whole: ScanSummary,
        links: Links,
    ) -> Iterator[Message]:
        """Of each route that something happened for. Silence is a promise: no news, no message."""
        for route, summary in zip(routes, of_routes, strict=True):
            summary.usage = whole.usage
            if summary.units == whole.units:
                summary.coverage_before = whole.coverage_before
            if summary.telling:
                yield from of_route(route, summary, mail(summary, links), links)

    def _links(self, plan: Plan, folder: Bucketed) -> Links:
        key, region = folder.key(REPORT), self.s3.meta.region_name
        signed = self.sign(key)
        return Links(
            results=folder.address,
            console=console(plan.partition, region, self.bucket, key),
            report=signed[0] if signed else "",
            expires=signed[1] if signed else None,
        )


class _Shared:
    """Targets that threads take one by one, so that none is in memory before its turn."""

    def __init__(self, targets: Iterator[Target]) -> None:
        self._targets = targets
        self._lock = Lock()

    def next(self) -> Target | None:
        with self._lock:
            return next(self._targets, None)


class Digests:
    """Of each route, where the scan is to tell all that is open."""

    def __init__(self, plan: Plan, routes: Sequence[Route], listed: Listed) -> None:
        self.of_routes = [Digest() for _ in routes] if plan.digest and plan.notify else []
        self._by_name = {route.name: each for route, each in zip(routes, self.of_routes, strict=False)}
        self._routing, self._listed = Routing(routes), listed

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, noted as they pass."""
        for line in lines:
            if self._by_name:
                for name in self._routing.of(line, self._listed.accounts[line.account]):
                    self._by_name[name].add(line)
            yield line


class Listing:
    """What files besides are made of, noted of findings while they are written down."""

    def __init__(self, now: datetime) -> None:
        self.rollup = Rollup(now)
        self.findings, self.resolved = html.Worst(html.MOST), html.Worst(html.MOST_RESOLVED)

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines: everything that is open or suppressed."""
        return self.findings.watch(self.rollup.watch(lines))

    def resolving(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, all of them closed by this scan."""
        return self.resolved.watch(self.rollup.resolving(lines))


def publish(
    results: Results,
    summary: ScanSummary,
    listing: Listing,
    trend: Sequence[Mapping[str, Any]],
    catalog: Catalog,
) -> None:
    """All files that are made of a summary and of the findings, which are there already.

    `listing`: what was noted of those; `trend`: summaries of scans before, the newest first.
    """
    rollup = listing.rollup
    summary.unowned, summary.top_fixes = rollup.unowned, tuple(rollup.top_fixes())
    # Control by control, account by account: too much for the trend line, which has the totals.
    told, tags, counts = describe(summary), summary.tagged.details(), rollup.to_json()
    controls = compliance.details(summary.compliance)
    results.put_json(SUMMARY, told, indent=1)
    results.put_json(COMPLIANCE, controls)
    results.put_json(TAGS, tags)
    results.put_json(ROLLUP, counts)
    report = html.page(
        told,
        compliance=controls,
        tags=tags,
        rollup=counts,
        trend=trend,
        sums=rollup.sums,
        findings=listing.findings,
        resolved=listing.resolved,
        checks=catalog.checks,
    )
    results.folder.put(REPORT, report)
