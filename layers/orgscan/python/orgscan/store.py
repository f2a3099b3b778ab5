"""Where findings live between scans: one table, keys per account and region, writes proportional to change.

pk TARGET#<account>#<region>   sk FINDING#<check>#<resource>#<key>   a finding
                               sk STATE                              who writes here, what was not seen
pk SCAN#<scan>[#<shard>]       sk TARGET#<account>#<region>          a receipt
pk SCAN#<scan>                 sk MESSAGE#<route>                    a message was sent
pk SCANS                       sk <scan>                             a finished scan
pk SCHEDULES                   sk <schedule>                         its newest scan, and what that covered
pk ACCOUNTS                    sk <account>                          where it was scanned, its state as told,
                                                                     its owner as read
pk TOLD                        sk <what>                             people were told once
pk SCHEMA                      sk SCHEMA                             the newest shape of items in here
index `open` of `listed`       <severity>#<shard>                    open findings
                               suppressed#<shard>                    suppressed ones
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import groupby
from math import inf
from typing import Any, cast
from uuid import uuid4
from zlib import crc32

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from orgscan import items, schema
from orgscan.account_rows import AccountRows, mark_of
from orgscan.coverage import Coverage, Look
from orgscan.errors import OutOfTime, code_of
from orgscan.meter import Spent
from orgscan.model import Blindness, Gap, Severity, Target
from orgscan.receipt import Receipt, Tally
from orgscan.reconcile import Record, Status, Step, place, reconcile
from orgscan.routing import Routing
from orgscan.suppress import Suppressions

SHARDS = 10
"""Of the index per severity, so that no partition of it is hot: 1,000 writes a second each."""
RECEIPT_SHARDS = 4
"""Of a scan: a partition takes the receipts of 160 targets a second, and STS lets 600 be entered.

Earlier versions wrote all of them to the first.
"""
PER_TRANSACTION = 99
"""DynamoDB allows 100 actions; one is the condition that no newer scan has claimed the target."""
LAST_S = 15.0
"""Seconds that must be left of an invocation to write on."""
CONFLICT_WAITS_S = (0.1, 0.4, 1.6)
"""botocore retries throttled transactions, but not those that met another one."""
FIRST_CLAIM = (
    "SET #scan = :scan, attempt = :attempt,"
    " blind_before = if_not_exists(blind, :none), blind = if_not_exists(blind, :none)"
)
"""A scan's: it keeps what the one before it was blind to, which may be ending at this very moment."""
NEXT_CLAIM = "SET attempt = :attempt"
"""A further attempt's: what was blind before its scan is still the same."""
KEPT_DAYS = 400
"""How long receipts and resolved findings are kept, by the table's TTL; a year and its comparison."""


class Superseded(Exception):
    """A scan that started later has claimed the target; what this one saw is older."""


class TakenOver(Exception):
    """Another attempt of the same scan has claimed the target, and will leave the receipt."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt's right to write of a target. It ends when another attempt or a later scan takes it."""

    scan: str
    started: str
    target: Target
    attempt: str
    blind_before: Sequence[str]
    """Checks that were blind before this scan."""


class FindingStore(AccountRows):
    def adopt(self) -> None:
        """Mark the table as written by this version of orgscan. Raises NewerTable when a newer one has."""
        key = {"pk": "SCHEMA", "sk": "SCHEMA"}
        known = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        found = int(cast("Decimal", known["schema"])) if known else 0
        if found > schema.current():
            raise schema.NewerTable(found)
        if found < schema.current():
            unchanged = Attr("schema").eq(found) if known else Attr("pk").not_exists()
            self._put_if({**key, "schema": schema.current()}, unchanged)

    def record(  # noqa: PLR0913 (what was seen, what people decided, the means of one invocation)
        self,
        scan: str,
        started: str,
        look: Look,
        *,
        rules: Suppressions | None = None,
        routing: Routing | None = None,
        was: Mapping[str, str] | None = None,
        seconds_left: Callable[[], float] = lambda: inf,
        spent: Callable[[], Spent] = Spent,
    ) -> Receipt:
        """Make the table say what this scan of this target saw, and leave a receipt. Safe to repeat.

        `routing`: whom it reaches. `was`: earlier id of a check -> its id. `spent`: asked when the receipt is
        written. When a scan that started later has claimed the target, its word stands and the receipt says
        so. Raises OutOfTime between two writes: what is left is for a repetition; TakenOver when one is
        already under way.
        """
        routing = routing or Routing()
        try:
            claim = self._claim(scan, started, look.coverage.target)
            rules = rules or Suppressions((), _moment(started))
            steps = self._steps(claim, look, rules, routing, was or {})
            tally = Tally(scan, look.coverage.target, routing)
            return self._record(claim, look, steps, tally, seconds_left, spent)
        except Superseded as newer:
            lost = Gap("target", Blindness.FAULT, str(newer))
            planned = look.coverage.planned
            unseen = Coverage(target=look.coverage.target, planned=planned, gaps=dict.fromkeys(planned, lost))
            left = Tally(scan, unseen.target, routing).receipt(unseen, planned, spent())
            # A retry that comes after the newer scan finds what the first attempt left, and lets it stand.
            self._put_if(_receipt_item(left, started), Attr("pk").not_exists())
            return left

    def _steps(
        self, claim: Claim, look: Look, rules: Suppressions, routing: Routing, was: Mapping[str, str]
    ) -> Iterator[Step]:
        return reconcile(
            self.findings(claim.target),
            look,
            scan=claim.scan,
            started=claim.started,
            rules=rules,
            renamed=self._renamed(claim.target, was),
            owner=lambda finding: routing.owner(finding, look.coverage.target),
        )

    def _record(
        self,
        claim: Claim,
        look: Look,
        steps: Iterable[Step],
        tally: Tally,
        seconds_left: Callable[[], float],
        spent: Callable[[], Spent],
    ) -> Receipt:
        puts: list[dict[str, Any]] = []
        for step in steps:
            tally.add(step, due=look.coverage.due(step.after.finding))
            if step.after != step.before:
                puts.append({"Put": self._item(_finding_item(step.after, claim.started))})
            if len(puts) == PER_TRANSACTION:
                if seconds_left() < LAST_S:
                    raise OutOfTime
                self._transact(claim, puts)
                puts = []
        left = tally.receipt(look.coverage, claim.blind_before, spent())
        # Checks outside this scan's scope stay as they were.
        still = set(claim.blind_before) - look.coverage.planned
        blind = sorted(still | look.coverage.gaps.keys())
        # With the last findings: one request less to wait for, and most targets have few.
        puts.append({"Put": self._item(_receipt_item(left, claim.started))})
        self._transact(claim, puts, blind)
        return left

    def _renamed(self, target: Target, was: Mapping[str, str]) -> Mapping[str, Record]:
        """Place under the new id -> what is known under the earlier one."""
        found: dict[str, Record] = {}
        for earlier, id_ in was.items():
            for record in self._records(target, f"{earlier}#"):
                found[place(replace(record.finding, check=id_))] = record
        return found

    def findings(self, target: Target) -> Iterator[Record]:
        """All of a target, open, suppressed and resolved, by place."""
        return self._records(target, "")

    def _records(self, target: Target, places: str) -> Iterator[Record]:
        where = Key("pk").eq(_pk(target)) & Key("sk").begins_with(f"FINDING#{places}")
        return map(items.to_record, self._query(where, ConsistentRead=True))

    def open_findings(self, severity: Severity) -> Iterator[Record]:
        """Of the whole organization. The index lags behind the table by a moment."""
        return self._indexed(severity)

    def suppressed_findings(self) -> Iterator[Record]:
        """Likewise."""
        return self._indexed(Status.SUPPRESSED)

    def _indexed(self, what: str) -> Iterator[Record]:
        for shard in range(SHARDS):
            rows = self._query(Key("listed").eq(f"{what}#{shard}"), IndexName="open")
            yield from map(items.to_record, rows)

    def receipts(self, scan: str) -> Iterator[Receipt]:
        """By account and region."""
        shards = (self._shard(scan, shard) for shard in range(RECEIPT_SHARDS))
        for _, same in groupby(merge(*shards, key=_sk), key=_sk):
            # Two, when an upgrade came between two attempts at the target: the last is this version's.
            *_, row = same
            yield items.to_receipt(row)

    def without_receipt(self, scan: str, targets: Iterable[Target]) -> Iterator[Target]:
        """Those of them that nobody told anything of. Keeps a key per receipt, and no target."""
        told = {
            _sk(row)
            for shard in range(RECEIPT_SHARDS)
            for row in self._shard(scan, shard, ProjectionExpression="sk")
        }
        return (target for target in targets if _pk(target) not in told)

    def _shard(self, scan: str, shard: int, **how: Any) -> Iterator[Mapping[str, Any]]:
        where = Key("pk").eq(_shard(scan, shard)) & Key("sk").begins_with("TARGET#")
        return self._query(where, ConsistentRead=True, **how)

    def put_scan(self, scan: str, facts: Mapping[str, Any]) -> None:
        """A finished scan; this partition is the trend line."""
        self._table.put_item(Item={"pk": "SCANS", "sk": scan, **items.plain(facts)})

    def coverage_before(self, scan: str, schedule: str, coverage: float) -> float | None:
        """What the schedule's scan before came to, in percent; for the next one, this is the scan before.

        None: there is none, or one that started later has ended already. Repeated, it says the same.
        """
        key = {"pk": "SCHEDULES", "sk": schedule}
        while True:
            known = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
            if known and cast("str", known["scan"]) >= scan:
                before = known["coverage_before"] if known["scan"] == scan else None
                return items.number(before)
            before = known["coverage"] if known else None
            mine = {"scan": scan, "coverage": coverage, "coverage_before": items.number(before)}
            unchanged = Attr("scan").eq(known["scan"]) if known else Attr("pk").not_exists()
            if self._put_if({**key, **items.plain(mine)}, unchanged):
                return items.number(before)

    def finished(self, most: int) -> Sequence[str]:
        """The newest scans that finished, newest first."""
        page = self._table.query(
            KeyConditionExpression=Key("pk").eq("SCANS"), ScanIndexForward=False, Limit=most
        )
        return [str(row["sk"]) for row in page["Items"]]

    def trend(self, most: int, *, before: str) -> list[dict[str, Any]]:
        """Totals of the newest scans that are older than this one, newest first."""
        page = self._table.query(
            KeyConditionExpression=Key("pk").eq("SCANS") & Key("sk").lt(before),
            ScanIndexForward=False,
            Limit=most,
            ProjectionExpression=", ".join(f"#{name}" for name in items.TREND),
            ExpressionAttributeNames={f"#{name}": name for name in items.TREND},
        )
        return [items.told(row) for row in page["Items"]]

    def first_to_send(self, scan: str, route: str) -> bool:
        """Whether nobody has sent this message yet; says so once."""
        marker = {"pk": f"SCAN#{scan}", "sk": f"MESSAGE#{route}"}
        return self._put_if(marker, Attr("pk").not_exists())

    def was_sent(self, scan: str, route: str) -> bool:
        marker = {"pk": f"SCAN#{scan}", "sk": f"MESSAGE#{route}"}
        return "Item" in self._table.get_item(Key=marker, ConsistentRead=True)

    def unsent(self, scan: str, route: str) -> None:
        """The message was refused, so another attempt may send it."""
        self._table.delete_item(Key={"pk": f"SCAN#{scan}", "sk": f"MESSAGE#{route}"})

    def forget(self, target: Target, scan: str) -> None:
        """Nothing is left of a target that this scan planned as absent, and no later one has it back."""
        mark = mark_of(target.region, scan)
        if all(record.status is Status.RESOLVED for record in self.findings(target)):
            self._update_if(
                target.account,
                Attr("absent").contains(mark),
                "DELETE regions :regions, absent :marks",
                {":regions": {target.region}, ":marks": {mark}},
            )

    def first_to_tell(self, what: str, scan: str) -> bool:
        """Whether no other scan has told people of this; the one that did may tell it again."""
        return self._put_if({"pk": "TOLD", "sk": what, "scan": scan}, Attr("pk").not_exists()) or (
            self.told(what) == scan
        )

    def told(self, what: str) -> str:
        """The scan that told people of this; empty: none did."""
        row = self._table.get_item(Key={"pk": "TOLD", "sk": what}, ConsistentRead=True).get("Item")
        return str(row["scan"]) if row else ""

    def _claim(self, scan: str, started: str, target: Target) -> Claim:
        """Make this attempt of this scan the newest word on the target. Raises Superseded."""
        attempt = uuid4().hex
        mine = {":scan": scan, ":attempt": attempt}
        # Most often nobody was here for this scan; else an attempt before this one was, or a newer scan.
        state = self._take(target, "NOT #scan >= :scan", FIRST_CLAIM, {**mine, ":none": []})
        state = state or self._take(target, "#scan = :scan", NEXT_CLAIM, mine)
        if state is None:
            raise Superseded(f"superseded by scan {self._newest(target)}")
        return Claim(scan, started, target, attempt, items.strings(state["blind_before"]))

    def _take(
        self, target: Target, condition: str, changes: str, values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Who writes here, from now on; None: the condition does not hold."""
        try:
            answer = self._table.update_item(
                Key={"pk": _pk(target), "sk": "STATE"},
                ConditionExpression=condition,
                UpdateExpression=changes,
                ExpressionAttributeNames={"#scan": "scan"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return None
            raise
        return cast("Mapping[str, Any]", answer["Attributes"])

    def _newest(self, target: Target) -> str:
        where = Key("pk").eq(_pk(target)) & Key("sk").begins_with("STATE")
        return str(next(self._query(where, ConsistentRead=True))["scan"])

    def _transact(self, claim: Claim, puts: Sequence[Any], blind: Sequence[str] | None = None) -> None:
        """All of them, or, when the claim is lost, none."""
        state: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": {"pk": _pk(claim.target), "sk": "STATE"},
            "ConditionExpression": "#scan = :scan AND #attempt = :attempt",
            "ExpressionAttributeNames": {"#scan": "scan", "#attempt": "attempt"},
            "ExpressionAttributeValues": {":scan": claim.scan, ":attempt": claim.attempt},
        }
        if blind is None:
            first: Any = {"ConditionCheck": state}
        else:
            state["ExpressionAttributeValues"][":blind"] = list(blind)
            first = {"Update": {**state, "UpdateExpression": "SET blind = :blind"}}
        for wait in (*CONFLICT_WAITS_S, None):
            try:
                self._table.meta.client.transact_write_items(TransactItems=[first, *puts])
            except ClientError as error:
                cancelled = code_of(error) == "TransactionCanceledException"
                if cancelled and "ConditionalCheckFailed" in str(error):
                    raise self._lost(claim) from error
                if not (cancelled and "TransactionConflict" in str(error)) or wait is None:
                    raise
                time.sleep(wait)  # another worker of the same target writes this very moment
            else:
                return

    def _lost(self, claim: Claim) -> Exception:
        newest = self._newest(claim.target)
        if newest == claim.scan:
            return TakenOver(f"another attempt of {claim.scan} works on {_pk(claim.target)}")
        return Superseded(f"superseded by scan {newest}")

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table.name, "Item": item}


def shard_of(scan: str, account: str) -> str:
    """The partition that has an account's receipts of a scan."""
    return _shard(scan, crc32(account.encode()) % RECEIPT_SHARDS)


def _shard(scan: str, shard: int) -> str:
    return f"SCAN#{scan}#{shard}" if shard else f"SCAN#{scan}"


def _sk(row: Mapping[str, Any]) -> str:
    return str(row["sk"])


def _pk(target: Target) -> str:
    return f"TARGET#{target.account}#{target.region}"


def _receipt_item(left: Receipt, started: str) -> dict[str, Any]:
    key = {"pk": shard_of(left.scan, left.target.account), "sk": _pk(left.target)}
    return items.from_receipt(left) | key | _expiry(started)


def _finding_item(record: Record, started: str) -> dict[str, Any]:
    finding = record.finding
    item = items.from_record(record) | {"pk": _pk(finding.target), "sk": f"FINDING#{place(finding)}"}
    if record.status is Status.RESOLVED:
        return item | _expiry(started)
    # The index is sparse: only what is not resolved carries its keys.
    where = f"{finding.target.account}#{finding.target.region}#{place(finding)}"
    part = finding.severity if record.status is Status.OPEN else record.status
    return item | {"listed": f"{part}#{crc32(where.encode()) % SHARDS}", "listed_sk": where}


def _expiry(started: str) -> dict[str, int]:
    """The attribute that the table's TTL reads: seconds since 1970."""
    return {"expires": int((_moment(started) + timedelta(days=KEPT_DAYS)).timestamp())}


def _moment(started: str) -> datetime:
    return datetime.fromisoformat(started)
