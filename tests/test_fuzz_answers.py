"""AWS adds words, omits lists and answers null: whatever it does, nothing raises and nothing looks clean.

Every answer of a recorded account is changed in one place at a time; what the scan then says less than
before must be open, not closed.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import pytest

from tests.fuzz import Fuzz, Loss
from tests.mutants import KINDS, Mutant
from tests.served import record
from tests.tolerated import LACKING, OPTIONAL, REVIEWED

ALL = os.environ.get("ORGSCAN_FUZZ") == "all"
EVERY = 24
"""Of kinds of mutants, which one of so many is tried in every build; and of each call each kind of change."""


@pytest.fixture(scope="module")
def fuzz() -> Iterator[Fuzz]:
    fuzz = Fuzz(record())
    with fuzz.watched():
        yield fuzz


def sample(mutants: Iterable[Mutant]) -> list[Mutant]:
    """One of each place and kind, in a number's order that never changes, and of those a part."""
    first: dict[tuple[str, str, str], Mutant] = {}
    for mutant in mutants:
        first.setdefault((mutant.asked.call, mutant.where, mutant.kind), mutant)
    of_calls: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in sorted(first.values(), key=lambda each: each.order):
        of_calls[mutant.asked.call, mutant.kind].append(mutant)
    return list(chain.from_iterable(each[::EVERY] for each in of_calls.values()))


def test_no_answer_that_is_odd_raises_or_closes_what_was_found(fuzz: Fuzz) -> None:
    mutants = list(fuzz.mutants())
    tried = mutants if ALL else sample(mutants)
    assert {each.kind for each in tried} == set(KINDS)
    assert {each.asked.call for each in tried} == {each.asked.call for each in mutants}
    losses: dict[str, int] = defaultdict(int)
    for mutant in tried:
        for loss in fuzz.losses(mutant):
            if not tolerated(loss):
                losses[str(loss)] += 1
    print(f"{len(tried)} of {len(mutants)} mutants, {len(fuzz.known)} looks")  # noqa: T201 (a soak's own words)
    assert dict(losses) == {}


def tolerated(loss: Loss) -> bool:
    """Whether the answer itself says that all is well."""
    mutant = loss.mutant
    if not loss.closes:
        return False
    place = f"{mutant.asked.call} {mutant.where}"
    if mutant.kind == "empty":
        return True  # a list without items, or a name without letters, says that there is none
    known = REVIEWED if mutant.kind == "unknown" else {**OPTIONAL, **REVIEWED}
    return mutant.kind in (*LACKING, "unknown") and place in known


@pytest.mark.parametrize("table", [OPTIONAL, REVIEWED], ids=["optional", "reviewed"])
def test_what_is_tolerated_is_a_place_in_some_answer(table: Mapping[str, str], fuzz: Fuzz) -> None:
    places = {f"{each.asked.call} {each.where}" for each in fuzz.mutants()}
    assert set(table) - places == set()
    assert all(table.values())
