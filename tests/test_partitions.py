"""Every check in every partition of AWS: what is found there differs in ARNs and in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest

from orgscan import catalog
from orgscan.check import Check, Problem
from orgscan.model import HOME_REGION, Money
from tests.cases.case import HERE, Case
from tests.test_checks import ALL

OTHERS = sorted(HOME_REGION.keys() - {HERE.partition})
BY_PRICE = {"ebs-volume-gp2"}
"""Whose advice depends on prices. They are known in one partition only: tests/test_prices.py."""


def moved(value: Any, partition: str) -> Any:
    """The same in another partition: every ARN in it, however deep, is one of there."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace(f"arn:{HERE.partition}:", f"arn:{partition}:")
    if is_dataclass(value) and not isinstance(value, type | Check | Money):
        held = {each.name: moved(getattr(value, each.name), partition) for each in fields(value) if each.init}
        return type(value)(**held)
    if isinstance(value, Mapping):
        return {moved(key, partition): moved(held, partition) for key, held in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(each, partition) for each in value))
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(moved(each, partition) for each in value)
    return value


def words(check: Check[Any], problem: str | Problem) -> str:
    text = problem if isinstance(problem, str) else problem.text
    return text.partition(",")[0] if check.id in BY_PRICE else text


@pytest.mark.parametrize("partition", OTHERS)
@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_a_check_judges_alike_in_every_partition(check: Check[Any], partition: str) -> None:
    cases = [case for case in ALL if case.check is check]
    assert any("arn:" in repr(case) for case in cases)
    for case in cases:
        there: Case = moved(case, partition)
        found, gap = there.judge(replace(HERE, partition=partition))
        assert [words(check, each) for each in found] == [words(check, each) for each in there.problems]
        for each, expected in zip(found, there.problems, strict=True):
            if isinstance(expected, Problem):
                assert (each.severity, each.key) == (expected.severity, expected.key)
        assert (gap is None) == (there.unread is None)
