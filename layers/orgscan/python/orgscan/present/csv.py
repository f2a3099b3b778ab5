"""Comma-separated values, RFC 4180 in UTF-8: for spreadsheets, which must not take a name for a formula."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from orgscan.line import Line
from orgscan.present.exported import Checks, Summary, about, age, evidence, fit

COLUMNS = (
    "id",
    "severity",
    "category",
    "check",
    "title",
    "status",
    "partition",
    "account",
    "account_name",
    "region",
    "resource",
    "key",
    "problems",
    "fix",
    "owner",
    "owned_by",
    "first_seen",
    "opened",
    "age_days",
    "change",
    "monthly_usd",
    "basis",
    "confidence",
    "unconfirmed_since",
    "suppressed_by",
    "resolved_because",
    "tags",
)
"""New ones come at the end; none is ever renamed, moved or taken away."""
FORMULA = re.compile(
    r"""(\A|[;\t\r\n])(?=[\s\ufeff\u200b"']*[=+\-@\uff0b\uff0d\uff1d\uff20])|\A(?=[\t\r\n])"""
)
"""Where a spreadsheet could take what follows for a formula: at the beginning of a cell, and behind what
spreadsheets of other languages take for the end of one."""


def export(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow(_row(summary, line, checks))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _row(summary: Summary, line: Line, checks: Checks) -> list[str]:
    told = about(line, checks)
    more = {
        "title": told.title,
        "fix": told.fix,
        "problems": evidence(line),
        "age_days": age(line, summary),
        "tags": None if line.tags is None else json.dumps(line.tags, ensure_ascii=False),
    }
    values = {**line.to_json(), **more}
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else str(value)


def harmless(text: str) -> str:
    """With an apostrophe, which spreadsheets hide, before whatever could begin a formula."""
    return FORMULA.sub(r"\g<0>'", fit(text))
