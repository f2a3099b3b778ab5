"""The tables over findings and receipts: what the views show, and that every question can be asked."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from infra.inventory_tables import IN_SQL
from infra.questions import COVERAGE_COLUMNS, SAVED
from orgscan.archive import FINDINGS, OF_FINDINGS, OF_RECEIPTS, RECEIPTS, finding_row, receipt_row
from orgscan.coverage import Resolution
from orgscan.line import Line
from orgscan.model import (
    NOBODY,
    Blindness,
    Category,
    Confidence,
    Finding,
    Money,
    OwnedBy,
    Owner,
    Severity,
    Target,
)
from orgscan.plan import Plan
from orgscan.receipt import Unseen
from orgscan.reconcile import Change, Record, Status
from tests.athena import columns, in_sqlite, insert, stand_in, tables, view
from tests.receipts import PROD, SANDBOX, plan, receipt
from tests.scans import finding
from tests.stacks import Template, named


def saved(hub: Template) -> dict[str, Mapping[str, Any]]:
    return {each["Name"]: each for each in hub.all("AWS::Athena::NamedQuery").values()}


# The template


def test_the_tables_have_the_columns_that_are_written(hub: Template) -> None:
    for name, (folder, told) in {
        "findings": (FINDINGS, OF_FINDINGS),
        "receipts": (RECEIPTS, OF_RECEIPTS),
    }.items():
        table = tables(hub)[name]
        assert columns(table) == told
        assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
        assert named(table["StorageDescriptor"]["Location"]) == f"s3://StorageBucket/{folder}"
        assert table["Parameters"]["projection.dt.range"] == "NOW-400DAYS,NOW"
        rules = hub.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
        assert [each["ExpirationInDays"] for each in rules if each.get("Prefix") == folder] == [400]


def test_views_say_what_they_select(hub: Template) -> None:
    for name, told in {"open_findings": OF_FINDINGS, "coverage": COVERAGE_COLUMNS}.items():
        table = tables(hub)[name]
        assert table["TableType"] == "VIRTUAL_VIEW"
        assert columns(table) == told
        assert view(table)["columns"] == [{"name": each, "type": IN_SQL[hive]} for each, hive in told.items()]


def test_saved_questions_belong_to_the_database_and_its_workgroup(hub: Template) -> None:
    assert saved(hub).keys() == SAVED.keys()
    for each in saved(hub).values():
        assert (each["Database"], each["WorkGroup"]) == ("orgscan", "orgscan")
    made = [each for each in hub.json["Resources"].values() if each["Type"] == "AWS::Athena::NamedQuery"]
    for each in made:
        assert sorted(name.rstrip("0123456789ABCDEF") for name in each["DependsOn"]) == [
            "InventoryDatabase",
            "InventoryWorkgroup",
        ]


# Athena's grammar and types, as sqlglot knows them


@pytest.fixture(scope="module")
def schema(hub: Template) -> dict[str, dict[str, dict[str, str]]]:
    """Of Hive's tables and of the views."""
    return {"orgscan": {name: {"dt": "varchar"} | _in_sql(table) for name, table in tables(hub).items()}}


def _in_sql(table: Mapping[str, Any]) -> dict[str, str]:
    known = {
        **IN_SQL,
        OF_RECEIPTS["unseen"]: "array(row(reason varchar, detail varchar, checks array(varchar)))",
    }
    return {name: known[hive] for name, hive in columns(table).items()}


def understood(question: str, schema: Any) -> exp.Query:
    """Raises ParseError or OptimizeError for what is no question about these tables."""
    tree = parse_one(question, dialect="athena")
    tree = annotate_types(qualify(tree, schema=schema, dialect="athena"), schema=schema, dialect="athena")
    assert isinstance(tree, exp.Query)
    return tree


def test_views_are_of_the_types_they_say(hub: Template, schema: Any) -> None:
    for name in ("inventory", "inventory_coverage", "open_findings", "coverage"):
        told = view(tables(hub)[name])
        tree = understood(told["originalSql"], schema)
        assert [each.alias_or_name for each in tree.selects] == [each["name"] for each in told["columns"]]
        for each, column in zip(tree.selects, told["columns"], strict=True):
            says = exp.DataType.build(column["type"], dialect="athena")
            assert each.type == says, (name, column, each.type)


def test_saved_questions_name_columns_that_there_are(hub: Template, schema: Any) -> None:
    for title, each in saved(hub).items():
        assert understood(each["QueryString"], schema).named_selects, title


def test_no_question_reads_all_that_is_kept(hub: Template) -> None:
    asked = {name: view(tables(hub)[name])["originalSql"] for name in ("open_findings", "inventory")}
    asked |= {title: each["QueryString"] for title, each in saved(hub).items()}
    for title, question in asked.items():
        for select in parse_one(question, dialect="athena").find_all(exp.Select):
            if {"findings", "receipts", "coverage", "records"} & {each.name for each in _of(select)}:
                where = select.args["where"]
                assert "dt" in {each.name for each in where.find_all(exp.Column)}, title


def _of(select: exp.Select) -> Iterator[exp.Table]:
    """Tables that it names itself."""
    sources = [select.args["from_"].this, *(each.this for each in select.args.get("joins", ()))]
    return (each for each in sources if isinstance(each, exp.Table))


# What they answer

SSH, WASTE = "ec2-security-group-open-ssh", "ebs-volume-unattached"
OURS = Owner("payments", OwnedBy.RESOURCE)
DENIED = Unseen(Blindness.DENIED, "ec2:DescribeVolumes", (WASTE, "x"))


@pytest.fixture
def athena(hub: Template) -> sqlite3.Connection:
    return stand_in(hub)


def on(day: int, **different: Any) -> Plan:
    return plan(scan=f"202601{day:02}T060000000Z-1", started=f"2026-01-{day:02}T06:00:00+00:00", **different)


def scanned(athena: sqlite3.Connection, made: Plan, target: Target, *lines: Line, **told: Any) -> None:
    """A scan that looked at a target, and what it lists there."""
    day = {"dt": made.started[:10]}
    insert(athena, "receipts", {**receipt_row(receipt(target, **told), made), **day})
    for line in lines:
        insert(athena, "findings", {**finding_row(line, made), **day})


def listed(
    found: Finding,
    made: Plan,
    *,
    since: Plan | None = None,
    status: Status = Status.OPEN,
    change: Change = Change.NEW,
    because: Resolution | None = None,
    owner: Owner = NOBODY,
) -> Line:
    """`since`: the scan that opened it, where that is another."""
    return Line.of(
        Record(
            finding=replace(found, owner=owner),
            status=status,
            first_seen=(since or made).started,
            changed_in=made.scan if status is Status.RESOLVED else (since or made).scan,
            change=change,
            resolved_because=because,
        )
    )


def asked(athena: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    return athena.execute(in_sqlite(question)).fetchall()


def answer(athena: sqlite3.Connection, hub: Template, title: str) -> list[tuple[Any, ...]]:
    return asked(athena, saved(hub)[title]["QueryString"])


def test_what_the_newest_scan_of_each_target_lists_is_open(athena: sqlite3.Connection) -> None:
    one, two = finding("sg-1", SSH, target=PROD), finding("sg-2", SSH, target=PROD)
    other = finding("sg-3", SSH, target=SANDBOX)
    scanned(athena, on(10), PROD, listed(one, on(10)))
    scanned(athena, on(10), SANDBOX, listed(other, on(10)))
    closed = listed(one, on(12), since=on(10), status=Status.RESOLVED, change=Change.RESOLVED)
    accepted = replace(listed(one, on(12)), resource="sg-4", status=Status.SUPPRESSED)
    scanned(athena, on(12), PROD, closed, accepted, listed(two, on(12)))
    assert asked(athena, "SELECT resource FROM open_findings ORDER BY 1") == [("sg-2",), ("sg-3",)]
    # A scan of it that finds nothing empties it, and one that it was not part of does not.
    scanned(athena, on(13), PROD)
    assert asked(athena, "SELECT resource, scan FROM open_findings") == [("sg-3", on(10).scan)]


def test_what_nobody_looked_at_for_long_is_not_told_of(athena: sqlite3.Connection) -> None:
    old = replace(on(1), scan="20251201T060000000Z-1", started="2025-12-01T06:00:00+00:00")
    scanned(athena, old, PROD, listed(finding("sg-1", SSH, target=PROD), old))
    assert asked(athena, "SELECT * FROM open_findings") == []


def test_coverage_is_rounded_down(athena: sqlite3.Connection, hub: Template) -> None:
    scanned(athena, on(10), PROD, planned=1000)
    scanned(athena, on(10), SANDBOX, planned=1000, unseen=[replace(DENIED, checks=("a",))])
    gone = replace(SANDBOX, account="333333333333")
    scanned(athena, on(10), replace(gone), planned=0)
    scanned(athena, on(11, schedule=""), PROD, planned=2, unseen=[DENIED])
    told = asked(
        athena, "SELECT dt, schedule, targets, reached, planned, evaluated, percent FROM coverage ORDER BY 1"
    )
    assert told == [
        ("2026-01-10", "nightly", 3, 2, 2000, 1999, 99.9),
        ("2026-01-11", None, 1, 0, 2, 0, 0.0),
    ]
    assert [each[-1] for each in answer(athena, hub, "Coverage over time")] == [on(11).scan, on(10).scan]


def test_the_worst_comes_first_and_the_oldest_of_it(athena: sqlite3.Connection, hub: Template) -> None:
    def of(name: str, severity: Severity, day: int) -> Line:
        return listed(finding(name, SSH, severity=severity, target=PROD), on(16), since=on(day), owner=OURS)

    lines = [of("new", Severity.HIGH, 16), of("old", Severity.HIGH, 10), of("red", Severity.CRITICAL, 16)]
    scanned(athena, on(16), PROD, *lines, of("low", Severity.LOW, 1))
    told = answer(athena, hub, "The worst that is open")
    assert [(each[4], each[5], each[6]) for each in told] == [
        ("red", "payments", 2),
        ("old", "payments", 8),
        ("new", "payments", 2),
    ]


def test_who_owns_nothing_is_counted_by_account(athena: sqlite3.Connection, hub: Template) -> None:
    mine = listed(finding("a", SSH, target=PROD), on(16), owner=OURS)
    nobodys = [listed(finding(name, SSH, target=PROD), on(16)) for name in ("b", "c")]
    scanned(athena, on(16), PROD, mine, *nobodys)
    assert answer(athena, hub, "Nobody answers") == [(PROD.account, PROD.account_name, 2, 0, 2)]


def test_what_is_new_counts_in_the_week_that_met_it(athena: sqlite3.Connection, hub: Template) -> None:
    one = finding("a", SSH, target=PROD)
    scanned(athena, on(8), PROD, listed(one, on(8)))  # a Thursday
    back = listed(finding("b", SSH, target=PROD), on(13), change=Change.REOPENED)
    scanned(athena, on(13), PROD, listed(one, on(13), since=on(8)), back)
    assert answer(athena, hub, "New per week") == [("2026-01-12", "high", 0, 1), ("2026-01-05", "high", 1, 0)]


def test_the_time_to_resolve_is_that_of_what_was_resolved(athena: sqlite3.Connection, hub: Template) -> None:
    def closed(name: str, since: int, because: Resolution) -> Line:
        found = finding(name, SSH, target=PROD)
        how: dict[str, Any] = {"status": Status.RESOLVED, "change": Change.RESOLVED, "because": because}
        return listed(found, on(16), since=on(since), **how)

    fixed = [closed("a", 6, Resolution.FIXED), closed("b", 13, Resolution.RESOURCE_DELETED)]
    still = listed(finding("d", SSH, target=PROD), on(16), since=on(1))
    scanned(athena, on(16), PROD, *fixed, closed("c", 1, Resolution.CHECK_RETIRED), still)
    assert answer(athena, hub, "Time to resolve") == [("2026-01", "high", 2, 6.5)]


def test_a_resource_saves_once(athena: sqlite3.Connection, hub: Template) -> None:
    def wasted(name: str, check: str, usd: float) -> Line:
        saving = Money(usd, "a price", Confidence.HIGH)
        found = finding(name, check, category=Category.COST, saving=saving, target=PROD)
        return listed(found, on(16), owner=OURS if name == "a" else NOBODY)

    scanned(athena, on(16), PROD, wasted("a", WASTE, 40), wasted("a", "x", 30), wasted("b", WASTE, 5))
    assert answer(athena, hub, "Savings by owner") == [("payments", 1, 40.0), (None, 1, 5.0)]


def test_what_the_newest_scan_did_not_see_is_told_with_its_reason(
    athena: sqlite3.Connection, hub: Template
) -> None:
    scanned(athena, on(15), SANDBOX, unseen=[DENIED])
    scanned(athena, on(15), PROD, unseen=[DENIED])
    scanned(athena, on(16), PROD)
    (told,) = answer(athena, hub, "Not seen and why")
    assert told[:6] == (*_place(SANDBOX), "denied", "ec2:DescribeVolumes", 2)


def _place(target: Target) -> Iterator[str]:
    yield from (target.account, target.account_name, target.region)
