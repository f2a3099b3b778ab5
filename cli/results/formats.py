"""Findings as CSV and Markdown. Names in accounts are hostile: no spreadsheet or renderer may obey them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO

from orgscan.line import Line
from orgscan.present.text import clean

COLUMNS = (
    "id",
    "severity",
    "category",
    "check",
    "account",
    "account_name",
    "region",
    "resource",
    "key",
    "problems",
    "status",
    "first_seen",
    "opened",
    "owner",
    "monthly_usd",
    "suppressed_by",
    "unconfirmed_since",
)
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With what a formula begins for a spreadsheet, also in full width."""
ACTIVE = re.compile(r"([\\`*_<>\[\]#|~&])")
"""What Markdown could read as more than text."""
SHOWN = ("severity", "check", "account", "region", "resource", "problems", "owner", "id")


def csv_lines(lines: Iterable[Line]) -> Iterator[str]:
    """A heading and a row each, as RFC 4180 has it, without ends of lines."""
    yield ",".join(COLUMNS)
    for line in lines:
        told = {**line.to_json(), "problems": "; ".join(line.problems)}
        out = StringIO()
        csv.writer(out, lineterminator="").writerow([_inert(told[name]) for name in COLUMNS])
        yield out.getvalue()


def _inert(value: object) -> str:
    """Text that no spreadsheet takes for a formula and no terminal obeys, on one line."""
    words = " ".join("" if value is None else str(value).split())
    text = "".join(each if each.isprintable() else "?" for each in words)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, float) else text


def markdown_lines(lines: Iterable[Line]) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(SHOWN)} |"
    yield "|" + " --- |" * len(SHOWN)
    for line in lines:
        told = {
            **line.to_json(),
            "problems": "; ".join(line.problems),
            "account": line.account_name or line.account,
        }
        yield "| " + " | ".join(plain(told[name]) for name in SHOWN) + " |"


def plain(value: object) -> str:
    return ACTIVE.sub(r"\\\1", clean("" if value is None else str(value)))
