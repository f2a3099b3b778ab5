"""The tables over the inventory: they name what is written, and the views show what is newest."""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra import ROOT
from infra.inventory_tables import IN_SQL, newest
from orgscan.inventory import COLUMNS, FOLDER, OF_BOTH, OF_LISTINGS, OF_RESOURCES, Inventory
from orgscan.model import Blindness, Gap, Resource
from tests.athena import columns, in_sqlite, insert, stand_in, tables, view
from tests.scans import HERE, STARTED, spooled
from tests.stacks import Template, named

# One worker of xdist synthesizes, once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Resource):
    aws_types = ("AWS::Invented::Thing",)


LOST = Gap("things", Blindness.DENIED, "x:ListThings")


def test_the_table_has_the_columns_that_are_written(hub: Template) -> None:
    table = tables(hub)["records"]
    record = next(iter(Inventory(None, "", "s", STARTED).records(HERE, [Thing], spooled([Thing]))))  # type: ignore[arg-type]
    assert columns(table) == COLUMNS
    assert list(columns(table)) == list(record)
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert set(COLUMNS.values()) <= set(IN_SQL)
    # Hive's names are lower case, and a column that is a partition too is refused.
    assert all(name == name.lower() != "dt" for name in COLUMNS)


def test_a_day_is_there_as_soon_as_something_lies_in_its_folder(hub: Template) -> None:
    table = tables(hub)["records"]
    where = table["StorageDescriptor"]
    assert named(where["Location"]) == f"s3://StorageBucket/{FOLDER}"
    assert Inventory(None, "", "s", STARTED).key(HERE).startswith(f"{FOLDER}dt=2026-01-15/")  # type: ignore[arg-type]
    told = {
        name.removeprefix("projection."): value
        for name, value in table["Parameters"].items()
        if name.startswith("projection.")
    }
    assert told == {
        "enabled": "true",
        "dt.type": "date",
        "dt.format": "yyyy-MM-dd",
        "dt.range": "NOW-90DAYS,NOW",
        "dt.interval": "1",
        "dt.interval.unit": "DAYS",
    }
    (kept,) = [
        each["ExpirationInDays"]
        for each in hub.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
        if each.get("Prefix") == FOLDER
    ]
    assert kept == 90
    assert where["SerdeInfo"] == {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"}


def test_views_are_of_the_database_and_name_their_columns(hub: Template) -> None:
    database = hub.one("AWS::Glue::Database")["DatabaseInput"]["Name"]
    assert database == "orgscan"
    assert {named(each["DatabaseName"]) for each in hub.all("AWS::Glue::Table").values()} == {
        "InventoryDatabase"
    }
    for name, of in {"inventory": OF_RESOURCES, "inventory_coverage": OF_LISTINGS}.items():
        table = tables(hub)[name]
        told = view(table)
        assert (table["TableType"], table["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
        assert columns(table) == {each: COLUMNS[each] for each in (*of, *OF_BOTH)}
        assert {each["name"]: each["type"] for each in told["columns"]} == {
            each: IN_SQL[COLUMNS[each]] for each in (*of, *OF_BOTH)
        }
        assert (told["catalog"], told["schema"]) == ("awsdatacatalog", database)
        listed, _, _ = told["originalSql"].removeprefix("SELECT ").partition(" FROM ")
        assert listed.split(", ") == [*of, *OF_BOTH]


def test_nothing_that_is_written_is_in_no_view() -> None:
    assert {*OF_RESOURCES, *OF_LISTINGS, *OF_BOTH, "record"} == set(COLUMNS)


def test_a_question_cannot_cost_much_and_its_answer_stays_with_us(hub: Template) -> None:
    told = hub.one("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert told["EnforceWorkGroupConfiguration"]
    assert told["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    answer = told["ResultConfiguration"]
    assert named(answer["OutputLocation"]) == "s3://StorageBucket/athena/"
    assert answer["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert named(answer["EncryptionConfiguration"]["KmsKey"]) == "StorageKey.Arn"


# What the views show: SQLite stands in for Athena, in all but the arithmetic of days


@pytest.fixture
def athena(hub: Template) -> sqlite3.Connection:
    return stand_in(hub)


def scanned(athena: sqlite3.Connection, day: int, *arns: str, lost: Gap | None = None, **where: Any) -> None:
    """A scan that saw these, in a place."""
    started = f"2026-01-{day:02}T12:00:00+00:00"
    inventory = Inventory(None, "", f"202601{day:02}T120000000Z-1", started)  # type: ignore[arg-type]
    things = spooled([Thing], [Thing(arn=arn) for arn in arns], {Thing: lost} if lost else None)
    for record in inventory.records(replace(HERE, **where), [Thing], things):
        insert(athena, "records", {**record, "dt": started[:10]})


def asked(athena: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    return sorted(athena.execute(question).fetchall(), key=str)


def test_the_newest_look_at_each_place_counts(athena: sqlite3.Connection) -> None:
    scanned(athena, 12, "a1", "a2")
    scanned(athena, 13, "a2", "a3")
    scanned(athena, 12, "b1", region="us-east-1")
    scanned(athena, 9, "c1", account="999999999999")  # too long ago
    seen = asked(athena, "SELECT arn, seen_at FROM inventory")
    assert seen == [
        ("a2", "2026-01-13T12:00:00+00:00"),
        ("a3", "2026-01-13T12:00:00+00:00"),
        ("b1", "2026-01-12T12:00:00+00:00"),
    ]


def test_what_is_gone_is_gone_and_what_was_not_seen_says_so(athena: sqlite3.Connection) -> None:
    scanned(athena, 12, "a1")
    scanned(athena, 13)
    scanned(athena, 12, "b1", region="us-east-1")
    scanned(athena, 13, lost=LOST, region="us-east-1")
    assert asked(athena, "SELECT arn FROM inventory") == []
    assert asked(athena, "SELECT region, complete, reason, detail, resources FROM inventory_coverage") == [
        ("eu-west-1", 1, None, None, 0),
        ("us-east-1", 0, "denied", "x:ListThings", 0),
    ]


def test_the_questions_in_the_documents_can_be_asked(athena: sqlite3.Connection) -> None:
    scanned(athena, 12, "a1", "a2")
    scanned(athena, 12, lost=LOST, region="us-east-1")
    questions = list(_questions((ROOT / "README.md").read_text(), (ROOT / "docs/operating.md").read_text()))
    assert len(questions) >= 4
    for question in questions:
        athena.execute(in_sqlite(question))
    assert asked(athena, questions[0].replace("AWS::EC2::Instance", "AWS::Invented::Thing")) != []


def _questions(*texts: str) -> Iterable[str]:
    for text in texts:
        for block in re.findall(r"```sql\n(.*?)```", text, re.DOTALL):
            yield from filter(str.strip, block.split(";"))


def test_names_with_a_hyphen_make_a_schema_without() -> None:
    assert '"our_scan".records' in newest("our_scan", "resource", OF_RESOURCES)
