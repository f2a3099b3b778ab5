"""The tables and views of the hub's template in SQLite: it stands in for Athena, with functions it lacks."""

import base64
import json
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.stacks import Template

NOW = datetime.fromisoformat("2026-01-18T12:00:00+00:00")


def tables(hub: Template) -> dict[str, Mapping[str, Any]]:
    return {each["TableInput"]["Name"]: each["TableInput"] for each in hub.all("AWS::Glue::Table").values()}


def columns(table: Mapping[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}


def view(table: Mapping[str, Any]) -> dict[str, Any]:
    packed = re.fullmatch(r"/\* Presto View: (\S+) \*/", table["ViewOriginalText"])
    assert packed
    return dict(json.loads(base64.b64decode(packed[1])))


def stand_in(hub: Template) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS orgscan")
    database.create_function("from_iso8601_timestamp", 1, lambda text: text)
    database.create_function("date_diff", 3, _date_diff)
    database.create_function("date_trunc", 2, _date_trunc)
    database.create_function("cardinality", 1, lambda text: len(json.loads(text)))
    database.create_aggregate("count_if", 1, _CountIf)
    for name, table in sorted(tables(hub).items(), key=lambda each: each[1]["TableType"]):
        if table["TableType"] == "EXTERNAL_TABLE":
            names = ", ".join(f'"{each}"' for each in ("dt", *columns(table)))
            database.execute(f"CREATE TABLE orgscan.{name} ({names})")
        else:
            database.execute(f"CREATE VIEW orgscan.{name} AS {in_sqlite(view(table)['originalSql'])}")
    return database


def insert(database: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    names, holes = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    values = [json.dumps(each) if isinstance(each, list | tuple | Mapping) else each for each in row.values()]
    database.execute(f"INSERT INTO orgscan.{table} ({names}) VALUES ({holes})", values)  # noqa: S608


def in_sqlite(question: str) -> str:
    """What SQLite has no grammar for, in its own words; the words around are SQL's."""
    day = re.sub(
        r"(?:date_format|cast)\(current_date - interval '(\d+)' day(?:, '%Y-%m-%d'| AS varchar)\)",
        lambda told: f"'{NOW - timedelta(days=int(told[1])):%Y-%m-%d}'",
        question,
    ).replace("current_timestamp", f"'{NOW.isoformat()}'")
    mapped = re.sub(r"(\w+)\['(\w+)'\]", r"json_extract(\1, '$.\2')", day)
    scalar = mapped.replace("json_extract_scalar", "json_extract")
    unnested = re.sub(r"UNNEST\((\w+)\) AS (\w+) \([\w, ]+\)", r"json_each(\1) AS \2", scalar)
    return re.sub(r"\blost\.(\w+)", r"json_extract(lost.value, '$.\1')", unnested)


def _date_diff(unit: str, since: str, until: str) -> int:
    passed = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    return passed // {"day": timedelta(days=1), "hour": timedelta(hours=1)}[unit]


def _date_trunc(unit: str, moment: str) -> str:
    assert unit == "week"
    day = datetime.fromisoformat(moment).date()
    return (day - timedelta(days=day.weekday())).isoformat()


class _CountIf:
    def __init__(self) -> None:
        self.count = 0

    def step(self, told: object) -> None:
        self.count += bool(told)

    def finalize(self) -> int:
        return self.count
