"""Any history of an organization and its scans, whatever dies and overlaps, ends as the oracle says."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgscan.model import GLOBAL
from tests.model.hub import Hub
from tests.model.watch import Scan, Trouble
from tests.model.world import ACCOUNTS, FAR, NEAR, AtOnce

SEQUENCES = int(os.environ.get("ORGSCAN_SEQUENCES", "500"))

HAPPENINGS = (
    *("account", "role", "far", "check", "scope", "expiring", "cleared", "gone", "gone"),
    *("fault", "fault", "fault", "healed", "healed", "rule", "rule", "rule"),
    *("thing", "thing", "thing", "thing", "things", "things", "things", "things"),
)
TROUBLES = ("dies", "dies", "dies for good", "never starts", "met by itself", "met by the other")
REQUESTS: tuple[Mapping[str, Any], ...] = (
    *({}, {}, {}, {}, {}, {"notify": False}),
    {"categories": ["security"]},
    {"categories": ["reliability", "cost"]},
    {"checks": ["box-open"]},
    {"checks": ["badge-old", "box-unlocked"]},
    {"checks": ["lock-rusty"], "regions": [FAR]},
    {"accounts": [ACCOUNTS[0]]},
    {"accounts": [ACCOUNTS[1]], "categories": ["security"]},
    {"regions": [NEAR]},
    {"regions": [GLOBAL, FAR]},
)


def imagined(by: Random, kept: int) -> Scan:
    """A scan by chance, of which as much happens as has a bit in `kept`: less is easier to understand."""
    happening = [
        (
            by.choice(HAPPENINGS),
            by.choice((0, 0, 1, 1, 2)),
            by.randrange(3),
            by.randrange(96),
            by.randrange(9),
        )
        for _ in range(8)
    ]
    trouble = [
        Trouble(by.randrange(6), by.choice(TROUBLES), by.randrange(6), by.choice(("before", "after")))
        for _ in range(2)
    ]
    hours, request, order, slow = (
        by.choice((0, 1, 24, 72)),
        by.choice(REQUESTS),
        by.randrange(9),
        by.getrandbits(6),
    )
    handlers = (by.randrange(16), by.randrange(16), by.randrange(16))
    turns = [by.random() < 0.5 for _ in range(12)]
    return Scan(
        changes=[each for at, each in enumerate(happening) if kept >> 8 + at & 1],
        hours=hours,
        request=request,
        order=order if kept >> 6 & 1 else 0,
        slow=slow if kept >> 5 & 1 else 0,
        troubles=[each for at, each in enumerate(trouble) if kept >> 3 + at & 1],
        handlers=handlers if kept >> 2 & 1 else (-1, -1, -1),
        meets=turns if kept >> 1 & 1 else None,
    )


def history(seed: int, kept: bytes) -> list[Scan]:
    """What is not kept leaves all the rest as it was.

    Two draws, and unlike each other: of several of a kind, Hypothesis likes to make copies.
    """
    bits = [int.from_bytes(kept[at : at + 2], "little") for at in range(0, len(kept), 2)]
    return [imagined(Random(f"{seed} {at}"), each) for at, each in enumerate(bits) if each & 1]  # noqa: S311


histories = st.builds(history, st.integers(0, 2**64), st.binary(min_size=12, max_size=12))


@pytest.fixture(autouse=True, scope="module")
def many() -> Iterator[None]:
    """Thousands of scans: files in memory, few findings to a transaction, nothing logged."""
    memory = Path("/dev/shm")  # noqa: S108 (only where there is such a thing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(memory) if memory.is_dir() else None)
        patch.setattr("orgscan.store.PER_TRANSACTION", 2)
        patch.setattr("orgscan.store.SHARDS", 2)
        for module in ("gather", "plan", "report"):
            patch.setattr(f"orgscan.{module}.ThreadPoolExecutor", AtOnce)
        patch.setattr("orgscan.judge.Aside.within", lambda *how: how[-1]())
        logging.disable(logging.CRITICAL)
        yield
        logging.disable(logging.NOTSET)


@settings(
    max_examples=SEQUENCES,
    derandomize=SEQUENCES <= 500,  # the same in every build; a soak looks where nobody looked yet
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # a history is dozens of scans
)
@given(histories)
def test_any_history_of_an_organization_ends_as_the_oracle_says(history: list[Scan]) -> None:
    Hub().live(history)


QUIET = Scan(
    changes=(), hours=24, request={}, order=0, slow=0, troubles=(), handlers=(-1, -1, -1), meets=None
)
LEAVES = replace(QUIET, changes=[("account", 1, 0, 3, 0)])
RETURNS = replace(QUIET, changes=[("account", 1, 0, 0, 0)])


@pytest.mark.parametrize("turns", [[False] * 12, [True] * 12], ids=["is over last", "is over first"])
def test_an_account_that_returns_during_the_scan_that_missed_it_is_not_forgotten(turns: list[bool]) -> None:
    """It leaves once more, and what was found there must still be closed."""
    Hub().live([QUIET, LEAVES, replace(RETURNS, meets=turns), LEAVES])
