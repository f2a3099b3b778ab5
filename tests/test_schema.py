"""Upgrading: what an earlier orgscan left in the table is found again; nothing is lost or made up."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer

from orgscan import schema
from orgscan.coverage import Look, Resolution
from orgscan.membership import Remembered
from orgscan.model import Blindness, Category, Confidence, Money, Severity
from orgscan.organization import CannotPlan
from orgscan.receipt import Receipt, Unseen
from orgscan.reconcile import Change, Status
from orgscan.schema import Item, NewerTable
from orgscan.session import Clients
from orgscan.store import FindingStore, shard_of
from orgscan.suppress import Suppression, Suppressions
from orgscan.tagged import Share
from tests.planning import STATIC, plan, planner
from tests.scans import HERE, STARTED, finding, saw
from tests.twins import TableTwin

LEFT = Path(__file__).parent / "data/table-1.json"
"""A table of the first shape, written by the code of then. It stays as it is; a new shape gets its own."""
LATER = "2026-01-17T12:00:00+00:00"
RULE = Suppression(resource="arn:accepted", reason="known", owner="me", expires=date(2026, 12, 31))
SAVING = Money(12.5, "on-demand price", Confidence.HIGH)


def rules(moment: str) -> Suppressions:
    return Suppressions([RULE], datetime.fromisoformat(moment))


def same_again() -> Look:
    return saw(
        finding("arn:r1", category=Category.COST, saving=SAVING, tags={"owner": "shop"}),
        finding("arn:accepted"),
        finding("arn:rule", key="tcp/22", severity=Severity.CRITICAL),
    )


@pytest.fixture
def left(table: Any) -> FindingStore:
    """The table as the first version left it: three findings stand, one is resolved."""
    read = TypeDeserializer().deserialize
    with table.batch_writer() as batch:
        for row in json.loads(LEFT.read_text()):
            batch.put_item(Item={name: read(value) for name, value in row.items()})
    return FindingStore(table)


def test_what_was_left_is_read_whole(left: FindingStore) -> None:
    known = {record.finding.resource: record for record in left.findings(HERE)}
    assert {name: (record.status, record.change) for name, record in known.items()} == {
        "arn:accepted": (Status.SUPPRESSED, Change.SUPPRESSED),
        "arn:gone": (Status.RESOLVED, Change.RESOLVED),
        "arn:r1": (Status.OPEN, Change.NEW),
        "arn:rule": (Status.OPEN, Change.NEW),
    }
    assert known["arn:gone"].resolved_because is Resolution.RESOURCE_DELETED
    assert (known["arn:r1"].finding.saving, known["arn:r1"].first_seen) == (SAVING, STARTED)
    assert [each.finding.key for each in left.open_findings(Severity.CRITICAL)] == ["tcp/22"]
    first, second = sorted(
        (receipt for scan in ("1", "2") for receipt in left.receipts(scan)), key=lambda each: each.scan
    )
    assert first.changes == {
        (Change.NEW, Severity.HIGH, Category.SECURITY): 1,
        (Change.NEW, Severity.HIGH, Category.COST): 1,
        (Change.NEW, Severity.CRITICAL, Category.SECURITY): 1,
    }
    assert (second.suppressed_by, second.monthly_usd) == ({RULE.key: 1}, 12.5)
    assert second.unseen == (Unseen(Blindness.DENIED, "x:ListThings", ("thing-odd",)),)
    assert second.tagged == {"shop": Share(3, 2)}
    assert list(left.remembered()) == [
        Remembered(HERE.account, "acme-prod", frozenset({"eu-west-1"}), frozenset())
    ]
    assert left.finished(9) == ["2", "1"]
    assert left.coverage_before("3", "daily", 90.0) == 50.0


def test_a_target_that_two_versions_told_of_has_one_receipt(table: Any) -> None:
    """An upgrade came between two attempts: the receipt of the first is where all of them used to be."""
    store = FindingStore(table)
    target = replace(HERE, account="222222222222")
    place = shard_of("1", target.account)
    assert place != "SCAN#1"
    store.record("1", STARTED, saw(finding("arn:r1"), target=target))
    (row,) = (row for row in table.scan()["Items"] if row["pk"] == place)
    table.put_item(Item={**row, "pk": "SCAN#1", "planned": 7})
    (left,) = store.receipts("1")
    assert left.planned == row["planned"] != 7
    assert list(store.without_receipt("1", [target, HERE])) == [HERE]


def test_the_next_scan_goes_on_where_the_earlier_version_stopped(left: FindingStore) -> None:
    receipt = left.record("3", LATER, same_again(), rules=rules(LATER))
    assert receipt.changes == {}
    fixed = left.record("4", LATER, saw(clean=["arn:r1", "arn:accepted", "arn:rule"]), rules=rules(LATER))
    assert fixed.changes == {
        (Change.RESOLVED, Severity.HIGH, Category.COST): 1,
        (Change.RESOLVED, Severity.CRITICAL, Category.SECURITY): 1,
    }


Shapes = Callable[..., None]


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> Shapes:
    """From now on the code has these upgrades."""
    return lambda *upgrades: monkeypatch.setattr(schema, "UPGRADES", upgrades)


def shouted(item: Item) -> Item:
    """An upgrade that would be seen: it changes what the problem says, in findings."""
    return {**item, "problems": [text.upper() for text in item["problems"]]} if "problems" in item else item


def wondered(item: Item) -> Item:
    return {**item, "problems": [f"{text}?" for text in item["problems"]]} if "problems" in item else item


def said(store: FindingStore) -> dict[str, str]:
    return {record.finding.resource: record.finding.problems[0] for record in store.findings(HERE)}


def test_older_items_are_upgraded_step_by_step_as_they_are_read(left: FindingStore, shapes: Shapes) -> None:
    shapes(shouted, wondered)
    assert set(said(left).values()) == {"IT IS WRONG?"}


def test_what_is_written_says_its_shape_and_is_not_upgraded_again(
    left: FindingStore, table: Any, shapes: Shapes
) -> None:
    shapes(shouted)
    left.record("3", LATER, saw(finding("arn:new"), finding("arn:rule", key="tcp/22")), rules=rules(LATER))
    shapes(shouted, wondered)
    assert said(left)["arn:new"] == "it is wrong?"
    marks = {row["sk"]: row.get("schema") for row in table.scan()["Items"]}
    assert marks["FINDING#thing-wrong#arn:new#"] == 2
    assert marks["FINDING#thing-wrong#arn:gone#"] is None


def test_an_upgrade_alone_changes_nothing_and_writes_no_finding(
    left: FindingStore, table: Any, shapes: Shapes
) -> None:
    shapes(lambda item: item)
    before = {row["sk"]: row for row in table.scan()["Items"] if row["sk"].startswith("FINDING#")}
    assert left.record("3", LATER, same_again(), rules=rules(LATER)).changes == {}
    assert {row["sk"]: row for row in table.scan()["Items"] if row["sk"].startswith("FINDING#")} == before


def test_what_a_newer_version_wrote_is_not_guessed_at(left: FindingStore, shapes: Shapes) -> None:
    shapes(shouted)
    receipt: Receipt = left.record("3", LATER, saw(finding("arn:new")), rules=rules(LATER))
    assert receipt.found == {"thing-wrong": (1, 0)}
    shapes()
    with pytest.raises(NewerTable):
        said(left)
    with pytest.raises(NewerTable):
        list(left.receipts("3"))


def test_the_table_says_which_version_wrote_to_it_last(shapes: Shapes) -> None:
    table: Any = TableTwin()
    store = FindingStore(table)
    store.adopt()
    shapes(shouted)
    store.adopt()
    writes = table.writes
    store.adopt()
    assert table.writes == writes
    shapes()
    with pytest.raises(NewerTable, match=r"^the table has schema 2, and this orgscan knows 1: .+ again$"):
        store.adopt()


def test_an_older_orgscan_plans_nothing_on_a_newer_table(aws: boto3.Session, shapes: Shapes) -> None:
    table: Any = TableTwin()
    shapes(shouted)
    FindingStore(table).adopt()
    shapes()
    writes = table.writes
    with pytest.raises(CannotPlan, match="the table has schema 2"):
        plan(planner(Clients(aws, guarded=False), STATIC, table=table))
    assert table.writes == writes
