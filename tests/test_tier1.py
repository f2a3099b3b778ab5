"""The checks of the first tier are there, as they were specified, or deviate for a reason."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from orgscan import catalog

SPECIFIED = Path(__file__).parent / "data" / "tier1.csv"
DEVIATIONS: Mapping[tuple[str, str], tuple[str, str]] = {}
"""(id, 'severity' or 'category') -> what it is here, and why it is not what was specified."""


def specified() -> list[dict[str, str]]:
    lines = SPECIFIED.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


ROWS = pytest.mark.parametrize("row", specified(), ids=lambda row: row["id"])


def test_the_list_is_whole() -> None:
    ids = [row["id"] for row in specified()]
    assert len(ids) == len(set(ids)) == 130
    assert {id_ for id_, _ in DEVIATIONS} <= {*ids}


@ROWS
def test_it_exists(row: dict[str, str]) -> None:
    assert row["id"] in {check.id for check in catalog.checks()}


@ROWS
@pytest.mark.parametrize("field", ["severity", "category"])
def test_it_is_what_was_specified_or_says_why_not(row: dict[str, str], field: str) -> None:
    found = [check for check in catalog.checks() if check.id == row["id"]]
    for check in found:
        here, why = DEVIATIONS.get((check.id, field), (row[field], ""))
        assert getattr(check, field) == here
        assert bool(why) == (here != row[field]), "a deviation deviates, and has a reason"
