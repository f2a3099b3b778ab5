"""Where findings live between scans: one table, keys per account and region, writes proportional to change.

pk TARGET#<account>#<region>   sk FINDING#<check>#<resource>#<key>   a finding
                               sk STATE                              the target's newest scan, what it missed
pk SCAN#<scan>                 sk TARGET#<account>#<region>          a receipt
                               sk MESSAGE#<route>                    a message was sent
pk SCANS                       sk <scan>                             a finished scan
index `open`                   <severity>#<shard>                    open findings only
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from orgscan import items
from orgscan.coverage import Coverage, Look
from orgscan.errors import code_of
from orgscan.model import Blindness, Gap, Severity, Target
from orgscan.receipt import Receipt, receipt
from orgscan.reconcile import Reconciled, Record, Status, by_identity, reconcile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SHARDS = 10
"""Of the index per severity, so that no partition of it is hot: 1,000 writes a second each."""
PER_TRANSACTION = 99
"""DynamoDB allows 100 actions; one is the condition that no newer scan has claimed the target."""


CONFLICT_WAITS_S = (0.1, 0.4, 1.6)
"""botocore retries throttled transactions, but not those that met another one."""
KEPT_DAYS = 400
"""How long receipts and resolved findings are kept, by the table's TTL; a year and its comparison."""


class Superseded(Exception):
    """A scan that started later has claimed the target; what this one saw is older."""


class FindingStore:
    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, scan: str, started: str, look: Look) -> Receipt:
        """Make the table say what this scan of this target saw, and leave a receipt. Safe to repeat.

        When a scan that started later has claimed the target, its word stands and the receipt says so.
        """
        try:
            return self._record(scan, started, look)
        except Superseded as newer:
            lost = Gap("target", Blindness.FAULT, str(newer))
            planned = look.coverage.planned
            unseen = Coverage(target=look.coverage.target, planned=planned, gaps=dict.fromkeys(planned, lost))
            left = receipt(scan, unseen, Reconciled((), (), (), 0), planned)
            # A retry that comes after the newer scan finds what the first attempt left, and lets it stand.
            self._put_if(_receipt_item(left, started), Attr("pk").not_exists())
            return left

    def _record(self, scan: str, started: str, look: Look) -> Receipt:
        target = look.coverage.target
        blind_before = self._claim(scan, target)
        after = reconcile(by_identity(self.findings(target)), look, scan=scan, started=started)
        self._write(scan, started, target, after.writes)
        left = receipt(scan, look.coverage, after, blind_before)
        still = (
            set(blind_before) - look.coverage.planned
        )  # checks outside this scan's scope stay as they were
        blind = sorted(still | look.coverage.gaps.keys())
        self._transact(scan, target, [{"Put": self._item(_receipt_item(left, started))}], blind)
        return left

    def findings(self, target: Target) -> Iterator[Record]:
        """All of a target, open and resolved."""
        rows = self._query(Key("pk").eq(_pk(target)) & Key("sk").begins_with("FINDING#"), ConsistentRead=True)
        return map(items.to_record, rows)

    def open_findings(self, severity: Severity) -> Iterator[Record]:
        """Of the whole organization. The index lags behind the table by a moment."""
        for shard in range(SHARDS):
            rows = self._query(Key("open").eq(f"{severity}#{shard}"), IndexName="open")
            yield from map(items.to_record, rows)

    def receipts(self, scan: str) -> Iterator[Receipt]:
        rows = self._query(
            Key("pk").eq(f"SCAN#{scan}") & Key("sk").begins_with("TARGET#"), ConsistentRead=True
        )
        return map(items.to_receipt, rows)

    def put_scan(self, scan: str, facts: Mapping[str, Any]) -> None:
        """A finished scan; this partition is the trend line."""
        self._table.put_item(Item={"pk": "SCANS", "sk": scan, **items.plain(facts)})

    def first_to_send(self, scan: str, route: str) -> bool:
        """Whether nobody has sent this message yet; says so once."""
        marker = {"pk": f"SCAN#{scan}", "sk": f"MESSAGE#{route}"}
        return self._put_if(marker, Attr("pk").not_exists())

    def unsent(self, scan: str, route: str) -> None:
        """The message was refused, so another attempt may send it."""
        self._table.delete_item(Key={"pk": f"SCAN#{scan}", "sk": f"MESSAGE#{route}"})

    def _claim(self, scan: str, target: Target) -> Sequence[str]:
        """Make this the newest scan of the target. Returns the checks that were blind before it."""
        while True:
            key = {"pk": _pk(target), "sk": "STATE"}
            state = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
            if state is None:
                fresh = {**key, "scan": scan, "blind": [], "blind_before": []}
                if self._put_if(fresh, Attr("pk").not_exists()):
                    return []
            elif (newest := cast("str", state["scan"])) > scan:
                raise Superseded(f"superseded by scan {newest}")
            elif newest == scan:
                return _strings(state["blind_before"])
            else:
                newer = {**state, "scan": scan, "blind_before": state["blind"]}
                # The scan before may just be ending, and write what it was blind to.
                if self._put_if(newer, Attr("scan").eq(newest) & Attr("blind").eq(state["blind"])):
                    return _strings(state["blind"])

    def _write(self, scan: str, started: str, target: Target, records: Sequence[Record]) -> None:
        for start in range(0, len(records), PER_TRANSACTION):
            puts = [
                {"Put": self._item(_finding_item(record, started))}
                for record in records[start : start + PER_TRANSACTION]
            ]
            self._transact(scan, target, puts)

    def _transact(
        self, scan: str, target: Target, puts: Sequence[Any], blind: Sequence[str] | None = None
    ) -> None:
        """All of them, or, when a newer scan has claimed the target, none."""
        state: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": {"pk": _pk(target), "sk": "STATE"},
            "ConditionExpression": "#scan = :scan",
            "ExpressionAttributeNames": {"#scan": "scan"},
            "ExpressionAttributeValues": {":scan": scan},
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
                    raise Superseded("superseded by a scan that started later") from error
                if not (cancelled and "TransactionConflict" in str(error)) or wait is None:
                    raise
                time.sleep(wait)  # another worker of the same target writes this very moment
            else:
                return

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table.name, "Item": item}

    def _put_if(self, item: dict[str, Any], condition: ConditionBase) -> bool:
        try:
            self._table.put_item(Item=item, ConditionExpression=condition)
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _query(self, condition: ConditionBase, **how: Any) -> Iterator[Mapping[str, Any]]:
        while True:
            page = self._table.query(KeyConditionExpression=condition, **how)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            how["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _strings(value: Any) -> list[str]:
    return [str(each) for each in value]


def _pk(target: Target) -> str:
    return f"TARGET#{target.account}#{target.region}"


def _receipt_item(left: Receipt, started: str) -> dict[str, Any]:
    key = {"pk": f"SCAN#{left.scan}", "sk": _pk(left.target)}
    return items.from_receipt(left) | key | _expiry(started)


def _finding_item(record: Record, started: str) -> dict[str, Any]:
    finding = record.finding
    name = f"{finding.check}#{finding.resource}#{finding.key}"
    item = items.from_record(record) | {"pk": _pk(finding.target), "sk": f"FINDING#{name}"}
    if record.status is not Status.OPEN:
        return item | _expiry(started)
    # The index is sparse: only open findings carry its keys.
    where = f"{finding.target.account}#{finding.target.region}#{name}"
    return item | {"open": f"{finding.severity}#{crc32(where.encode()) % SHARDS}", "open_sk": where}


def _expiry(started: str) -> dict[str, int]:
    """The attribute that the table's TTL reads: seconds since 1970."""
    return {"expires": int((datetime.fromisoformat(started) + timedelta(days=KEPT_DAYS)).timestamp())}
