"""What Report writes for Athena: rows of what their columns say, the same whenever it is repeated."""

import gzip
import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orgscan import catalog
from orgscan.archive import FINDINGS, OF_FINDINGS, OF_RECEIPTS, RECEIPTS, Archive, finding_row, receipt_row
from orgscan.line import Line
from orgscan.meter import Spent
from orgscan.model import Blindness, Category, OwnedBy, Owner, Severity
from orgscan.receipt import Receipt, Unseen
from orgscan.reconcile import Change, Event, Record, Status
from orgscan.report import Reporter
from orgscan.settings import Configuration
from orgscan.suppress import Suppression
from tests.receipts import PROD, SANDBOX, notable, plan, receipt
from tests.scans import finding, saw
from tests.test_report import BUCKET, FIRST, OPEN_SSH, SAVING, SECOND, UNATTACHED, Hub, Patient, hub, look

__all__ = ["hub"]

HOSTILE = 'x\n{"id":"forged"}\u2028\u202e"\\\x1b[31m\x00</script>'
FULL = Line.of(
    Record(
        finding=replace(
            finding("arn:vol-1", key="k", target=PROD, saving=SAVING, tags={"Owner": "a", "owner": HOSTILE}),
            owner=Owner("payments", OwnedBy.RESOURCE),
            problems=(HOSTILE, "two"),
        ),
        status=Status.RESOLVED,
        first_seen="2026-01-01T06:00:00+00:00",
        changed_in=FIRST.scan,
        change=Change.RESOLVED,
        history=(Event("2026-01-01T06:00:00+00:00", Change.NEW),),
    )
)
BLIND = Unseen(Blindness.DENIED, HOSTILE, ("a", "b"))
SEEN = receipt(
    PROD,
    notable(),
    notable(severity=Severity.LOW),
    notable("x", change=Change.RESOLVED),
    unseen=[BLIND, Unseen(Blindness.FAULT, "", ("c",))],
    newly_blind=("a",),
    resources={"AWS::EC2::Volume": 3, "AWS::EC2::Instance": 4},
    open={(Severity.HIGH, Category.COST): 2, (Severity.HIGH, Category.SECURITY): 3},
    suppressed={(Severity.LOW, Category.COST): 1},
    monthly_usd=12,
    unconfirmed_since="2026-01-01T06:00:00+00:00",
    spent=Spent(calls=9, gb_seconds=1.5),
    kept=7,
)


def is_of(hive: str, value: Any) -> bool:
    """Whether a member of JSON is what Hive calls so."""
    if inner := re.fullmatch(r"array<(.*)>", hive):
        return isinstance(value, list) and all(is_of(inner[1], each) for each in value)
    if inner := re.fullmatch(r"struct<(.*)>", hive):
        members = dict(each.split(":", 1) for each in re.split(r",(?=\w+:)", inner[1]))
        return members.keys() == value.keys() and all(is_of(members[name], value[name]) for name in members)
    kinds: dict[str, type] = {"string": str, "bigint": int, "double": float}
    if hive == "map<string,string>":
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return type(value) is kinds[hive]


@pytest.mark.parametrize(
    ("row", "columns", "empty"),
    [
        (finding_row(FULL, FIRST), OF_FINDINGS, {"resolved_because", "suppressed_by", "unconfirmed_since"}),
        (receipt_row(SEEN, FIRST), OF_RECEIPTS, set()),
    ],
    ids=["findings", "receipts"],
)
def test_every_column_is_written_as_what_hive_calls_it(
    row: dict[str, Any], columns: dict[str, str], empty: set[str]
) -> None:
    read = json.loads(json.dumps(row))
    assert list(read) == list(columns)
    assert {name for name in read if read[name] is None} == empty
    wrong = {name: read[name] for name in read if name not in empty and not is_of(columns[name], read[name])}
    assert wrong == {}
    # Hive's names are lower case, and a column that is a partition too is refused.
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and name != "dt" for name in columns)


def test_a_finding_says_all_that_its_line_says() -> None:
    told, row = FULL.to_json(), finding_row(FULL, replace(FIRST, schedule=""))
    assert json.loads(row["history"]) == told["history"] == [{"when": FULL.first_seen, "change": "new"}]
    assert {name: row[name] for name in told} == {**told, "history": row["history"]}
    assert (row["scan"], row["schedule"], row["seen_at"]) == (FIRST.scan, None, FIRST.started)


def test_a_receipt_is_added_up() -> None:
    row = receipt_row(SEEN, FIRST)
    assert (row["planned"], row["evaluated"], row["resources"]) == (25, 22, 7)
    assert (row["open_critical"], row["open_high"], row["suppressed"]) == (0, 5, 1)
    assert (row["changed_new"], row["changed_resolved"], row["changed_eased"]) == (2, 1, 0)
    assert (row["calls"], row["gb_seconds"], row["monthly_usd"], row["kept"]) == (9, 1.5, 12.0, 7)
    assert row["unseen"][0] == {"reason": "denied", "detail": HOSTILE, "checks": ("a", "b")}


# What is in the bucket


def written(hub: Hub, made: Any, folder: str) -> tuple[bytes, list[dict[str, Any]]]:
    key = f"{folder}dt={made.started[:10]}/{made.scan}.jsonl.gz"
    body = hub.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body, [json.loads(line) for line in gzip.decompress(body).splitlines()]


def test_rows_are_what_the_summary_counts(hub: Hub) -> None:
    until = datetime(2026, 2, 1, tzinfo=UTC).date()
    hub.suppressions = (Suppression(check=UNATTACHED.check, reason="x", owner="me", expires=until),)
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    _, rows = written(hub, FIRST, FINDINGS)
    assert {row["resource"]: row["status"] for row in rows} == {"arn:sg-1": "open", "arn:vol-1": "suppressed"}
    summary = hub.scan(SECOND, look(clean=["arn:sg-1"]), look(UNATTACHED, target=SANDBOX))
    _, rows = written(hub, SECOND, FINDINGS)
    resolved = sum(count for (change, *_), count in summary.changes.items() if change is Change.RESOLVED)
    assert len(rows) == summary.open.total() + summary.suppressed.total() + resolved == 2
    assert {row["resource"]: row["status"] for row in rows} == {
        "arn:sg-1": "resolved",
        "arn:vol-1": "suppressed",
    }
    _, receipts = written(hub, SECOND, RECEIPTS)
    assert {row["account"]: row["changed_resolved"] for row in receipts} == {
        PROD.account: 1,
        SANDBOX.account: 0,
    }
    assert sum(row["planned"] for row in receipts) == summary.units
    assert sum(row["evaluated"] for row in receipts) == summary.evaluated


def test_hostile_text_stays_on_its_line_and_repeating_writes_the_same_bytes(hub: Hub) -> None:
    bad = replace(
        finding("arn:1", "ec2-security-group-open-ssh", target=PROD, problem=HOSTILE, tags={"k": HOSTILE})
    )
    hub.scan(FIRST, look(bad), look(target=SANDBOX))
    before = {folder: written(hub, FIRST, folder) for folder in (FINDINGS, RECEIPTS)}
    for body, rows in before.values():
        text = gzip.decompress(body)
        assert text.isascii()
        assert text.count(b"\n") == len(rows)
        assert not any(sign < 0x20 for sign in text.replace(b"\n", b""))
    (row,) = before[FINDINGS][1]
    assert (row["problems"], row["tags"]) == ([HOSTILE], {"k": HOSTILE})
    hub.report(FIRST)
    assert {folder: written(hub, FIRST, folder) for folder in before} == before


def test_findings_are_there_before_the_receipts_that_make_them_count() -> None:
    kept: list[str] = []

    class Bucket:
        def put_object(self, *, Key: str, **_: Any) -> None:  # noqa: N803 (as boto3 has it)
            kept.append(Key)

    with closing(Archive(Bucket(), BUCKET, FIRST)) as archive:  # type: ignore[arg-type]
        passed: list[Receipt] = [*archive.watch([SEEN])]
        assert (passed, kept) == ([SEEN], [])
        assert [*archive.noting([FULL])] == [FULL]
        archive.put()
    assert kept == [f"{folder}dt=2026-01-15/{FIRST.scan}.jsonl.gz" for folder in (FINDINGS, RECEIPTS)]


def test_findings_that_pass_again_are_there_once() -> None:
    """The index may list less at first than there is, or more, and then all is listed anew."""
    kept: dict[str, bytes] = {}

    class Bucket:
        def put_object(self, *, Key: str, Body: Any, **_: Any) -> None:  # noqa: N803 (as boto3 has it)
            kept[Key] = Body if isinstance(Body, bytes) else Body.read()

    with closing(Archive(Bucket(), BUCKET, FIRST)) as archive:  # type: ignore[arg-type]
        assert [*archive.noting([FULL] * 3)] == [FULL] * 3
        archive.begin()
        assert [*archive.noting([FULL])] == [FULL]
        archive.put()
    body = kept[f"{FINDINGS}dt=2026-01-15/{FIRST.scan}.jsonl.gz"]
    assert [json.loads(each)["id"] for each in gzip.decompress(body).splitlines()] == [FULL.id]


def test_without_an_inventory_nothing_is_written(hub: Hub) -> None:
    made = plan(checks=("thing-wrong",))
    hub.plans.put(made, [PROD])
    hub.store.record(made.scan, made.started, saw(target=PROD))
    off = Configuration(inventory=False)
    reporter = Reporter(hub.store, hub.plans, hub.s3, BUCKET, catalog.everything(), off, Patient.another)
    reporter.report(made.scan, finished=datetime(2026, 1, 15, 6, 9, 41, tzinfo=UTC))
    keys = [each["Key"] for each in hub.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys
    assert all(key.startswith(("scans/", "work/")) for key in keys)
