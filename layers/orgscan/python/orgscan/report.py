"""After the last target: fill what left no receipt, add up, write results and messages to S3."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from io import TextIOWrapper
from math import inf
from tempfile import TemporaryFile
from threading import Lock
from typing import TYPE_CHECKING, Any

from orgscan import compliance, cost
from orgscan.catalog import Catalog
from orgscan.cost import Scale
from orgscan.coverage import Coverage, Look
from orgscan.errors import OutOfTime
from orgscan.membership import Move
from orgscan.messages import Message
from orgscan.meter import Spent
from orgscan.model import Severity, Standing, Target
from orgscan.plan import Plan, PlanStore
from orgscan.present.mail import mail
from orgscan.receipt import NO_RECEIPT, Receipt
from orgscan.reconcile import Change, Record
from orgscan.settings import Configuration, Route
from orgscan.store import FindingStore
from orgscan.summary import Ending, ScanSummary, summaries
from orgscan.suppress import EXPIRING_DAYS, Suppressions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 16
LAST_S = 200.0
"""Seconds that must be left of an invocation to record one more target that nobody told of.

So many that an invocation which is going to be repeated does not look as if it nearly ran out of time.
"""
ADDING_UP_S = 600.0
"""Those that must be left to begin adding up, which happens in one invocation."""
GAPS = 100
"""Kinds of gaps in a summary, the largest. Errors that quote a request id are each a kind of their own."""
MOVES = 100
"""Accounts that joined, left or changed state in a summary."""


@dataclass(frozen=True, slots=True)
class Results:
    """One scan's folder in the bucket."""

    s3: S3Client
    bucket: str
    scan: str

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/scans/{self.scan}/"

    def put_summary(self, summary: ScanSummary) -> None:
        self._put("summary.json", json.dumps(describe(summary), indent=1).encode())

    def put_compliance(self, summary: ScanSummary) -> None:
        """Control by control: too much for the trend line, which has the totals."""
        self._put("compliance.json", json.dumps(compliance.details(summary.compliance)).encode())

    def put_tagged(self, summary: ScanSummary) -> None:
        """Account by account and owner by owner."""
        self._put("tags.json", json.dumps(summary.tagged.details()).encode())

    def put_findings(self, records: Iterable[Record]) -> int:
        """Every open or suppressed finding as gzip JSON Lines, streamed. Returns their number."""
        count = 0
        with TemporaryFile() as file:
            with gzip.open(file, "wb") as packed, TextIOWrapper(packed, encoding="utf-8") as text:
                for count, record in enumerate(records, start=1):  # noqa: B007 (it is the answer)
                    text.write(json.dumps(line(record)) + "\n")
            file.seek(0)
            # In one piece: several at once would be several in memory.
            self.s3.put_object(Bucket=self.bucket, Key=self._key("findings.jsonl.gz"), Body=file)
        return count

    def put_messages(self, messages: Iterable[Message]) -> None:
        self._put("messages.json", json.dumps([asdict(message) for message in messages]).encode())

    def messages(self) -> Iterator[Message]:
        told = json.load(self.s3.get_object(Bucket=self.bucket, Key=self._key("messages.json"))["Body"])
        return (Message(**each) for each in told)

    def _put(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self._key(name), Body=body, ContentType="application/json")

    def _key(self, name: str) -> str:
        return f"scans/{self.scan}/{name}"


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

    def report(
        self,
        scan: str,
        *,
        finished: datetime,
        spent: Callable[[], Spent] = Spent,
        seconds_left: Callable[[], float] = lambda: inf,
    ) -> tuple[ScanSummary, int]:
        """Returns the summary of everything and the number of messages to send. `spent`: by this, so far.

        Raises OutOfTime when a repetition should go on from here.
        """
        plan = self.plans.get(scan)
        self._account_for_missing(plan, seconds_left)
        if seconds_left() < ADDING_UP_S:
            raise OutOfTime
        routes = self.configuration.routes if plan.notify else ()
        summary, *of_routes = summaries(
            plan,
            self._receipts(plan),
            [None, *routes],
            finished=finished.isoformat(timespec="seconds"),
            endings=list(self._endings(plan)),
            moves=list(self._moves(plan)),
            checks=self.catalog,
        )
        if plan.schedule and summary.units:
            summary.coverage_before = self.store.coverage_before(scan, plan.schedule, summary.coverage)
        results = Results(self.s3, self.bucket, scan)
        findings = results.put_findings(self._open())
        summary.usage = cost.usage(self._scale(summary, findings), summary.spent + spent())
        results.put_summary(summary)
        results.put_compliance(summary)
        results.put_tagged(summary)
        for each in of_routes:
            each.usage = summary.usage
        messages = [*_messages(routes, of_routes, results.address)]
        results.put_messages(messages)
        self.store.put_scan(scan, describe(summary))
        return summary, len(messages)

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
        reach = plan.reach(self.catalog.ids(without=self.configuration.off))
        rules = Suppressions(self.configuration.suppressions, plan.moment)
        while target:
            if seconds_left() < LAST_S:
                raise OutOfTime
            due = self.catalog.only(plan.checks).planned(once=target.once)
            checks = due if target.standing is Standing.DUE else ()
            blind = Look((), Coverage.blind(target, checks, NO_RECEIPT, reach))
            store.record(plan.scan, plan.started, blind, rules=rules, was=self.catalog.renamed())
            target = missing.next()

    def _receipts(self, plan: Plan) -> Iterator[Receipt]:
        """All; what nobody scans any more is planned until nothing of it is left, and then forgotten."""
        for left in self.store.receipts(plan.scan):
            if left.target.standing is not Standing.DUE and not left.open and not left.suppressed:
                self.store.forget(left.target, plan.scan)
            yield left

    def _open(self) -> Iterator[Record]:
        for severity in reversed(Severity):
            yield from self.store.open_findings(severity)
        yield from self.store.suppressed_findings()

    def _endings(self, plan: Plan) -> Iterator[Ending]:
        """Each is news twice, when it comes near and when it has come, and told for as long as it stands."""
        for rule in self.configuration.suppressions:
            days = rule.days(plan.moment)
            if days <= EXPIRING_DAYS:
                stage = "expired" if rule.expired(plan.moment) else "expiring"
                what = f"{rule.key}#{rule.expires}#{stage}"
                yield Ending(rule, days, fresh=plan.notify and self.store.first_to_tell(what, plan.scan))

    def _scale(self, summary: ScanSummary, findings: int) -> Scale:
        plan, routes = summary.plan, len(self.configuration.routes) if summary.plan.notify else 0
        return Scale(
            accounts=plan.accounts,
            targets=plan.planned + plan.absent,
            findings=findings,
            kept=summary.kept,
            changes=summary.changes.total(),
            unseen=summary.units - summary.evaluated,
            messages=routes if summary.news else 0,
            inventories=plan.planned if self.configuration.inventory else 0,
        )

    def _moves(self, plan: Plan) -> Iterator[Move]:
        """Those that no other scan told of meanwhile; a scan that tells nobody leaves them for the next."""
        for move in plan.moves:
            if not plan.notify or self.store.first_to_move(move, plan.scan):
                yield move


class _Shared:
    """Targets that threads take one by one, so that none is in memory before its turn."""

    def __init__(self, targets: Iterator[Target]) -> None:
        self._targets = targets
        self._lock = Lock()

    def next(self) -> Target | None:
        with self._lock:
            return next(self._targets, None)


def _messages(routes: Iterable[Route], summaries: Iterable[ScanSummary], address: str) -> Iterator[Message]:
    """One per route that something happened for. Silence is a promise: no news, no message."""
    for route, summary in zip(routes, summaries, strict=True):
        if summary.news:
            text = mail(summary, address)
            yield Message(route.name, text.subject, text.body)


def line(record: Record) -> dict[str, Any]:
    """A finding as people export it."""
    finding, saving = record.finding, record.finding.saving
    return {
        "check": finding.check,
        "severity": finding.severity,
        "category": finding.category,
        "account": finding.target.account,
        "account_name": finding.target.account_name,
        "region": finding.target.region,
        "resource": finding.resource,
        "key": finding.key,
        "problems": list(finding.problems),
        "first_seen": record.first_seen,
        "status": record.status,
        "suppressed_by": record.suppressed_by or None,
        "unconfirmed_since": record.unconfirmed_since or None,
        "tags": finding.tags,
        "monthly_usd": saving.monthly_usd if saving else None,
        "basis": saving.basis if saving else None,
        "confidence": saving.confidence if saving else None,
    }


def describe(summary: ScanSummary) -> Mapping[str, Any]:
    """The summary as plain data: what the trend line and machines read."""
    plan = summary.plan
    return {
        "scan": plan.scan,
        "schedule": plan.schedule,
        "started": plan.started,
        "finished": summary.finished,
        "complete": summary.complete,
        "coverage": summary.coverage,
        "coverage_before": summary.coverage_before,
        "accounts": plan.accounts,
        "skipped": [f"{account.id} {account.state}" for account in plan.skipped],
        "account_changes": [
            {"account": move.account, "name": move.name, "change": move.word}
            for move in summary.moves[:MOVES]
        ],
        "more_account_changes": max(0, len(summary.moves) - MOVES),
        "targets": {"planned": plan.planned, "reached": summary.reached},
        "checks": {"planned": summary.units, "evaluated": summary.evaluated},
        "gaps": [
            {"reason": reason, "detail": detail, "checks": blind.units, "targets": len(blind.targets)}
            for (reason, detail), blind in summary.gaps()[:GAPS]
        ],
        "more_gaps": max(0, len(summary.unseen) - GAPS),
        "open": _nested(summary.open),
        "changes": {change: told for change in Change if (told := summary.by_severity(change))},
        "newly_blind": summary.newly_blind,
        "unconfirmed": summary.unconfirmed,
        "unconfirmed_since": summary.unconfirmed_since or None,
        "suppressed": _nested(summary.suppressed),
        "suppressions": [
            {
                "key": ending.rule.key,
                "what": ending.rule.what,
                "owner": ending.rule.owner,
                "expires": ending.rule.expires.isoformat(),
                "findings": summary.suppressed_by[ending.rule.key],
            }
            for ending in summary.endings[:GAPS]
        ],
        "compliance": compliance.totals(summary.compliance),
        "tags": summary.tagged.totals(),
        "monthly_usd": summary.monthly_usd,
        "unpriced": summary.unpriced,
        "resources": dict(sorted(summary.resources.items())),
        "cost": summary.usage and {**asdict(summary.usage), "usd": round(summary.usage.usd, 4)},
    }


def _nested(counts: Mapping[Any, int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(counts.items()):
        nested.setdefault(outer, {})[inner] = count
    return nested
