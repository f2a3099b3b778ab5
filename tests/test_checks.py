"""Every check, against every case."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from orgscan import catalog
from orgscan.check import Check, Problem
from tests import cases
from tests.cases.case import Case

ALL: list[Case] = [
    case
    for module in iter_modules(cases.__path__, "tests.cases.")
    for case in getattr(import_module(module.name), "CASES", [])
]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_check(case: Case) -> None:
    found, gap = case.judge()
    assert [
        problem if isinstance(expected, Problem) else problem.text
        for problem, expected in zip(found, case.problems, strict=True)
    ] == list(case.problems)
    if case.unread is None:
        assert gap is None
    else:
        assert gap is not None
        assert case.unread in gap


@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_every_check_is_shown_passing_and_failing(check: Check[Any]) -> None:
    outcomes = {bool(case.problems) for case in ALL if case.check is check and case.unread is None}
    assert outcomes == {True, False}
