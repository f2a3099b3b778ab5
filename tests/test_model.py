"""Any history of an organization and its scans, whatever dies and overlaps, ends as the oracle says."""

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgscan.model import GLOBAL
from tests.model.hub import Hub, Scan, Trouble
from tests.model.world import ACCOUNTS, FAR, NEAR

SEQUENCES = int(os.environ.get("ORGSCAN_SEQUENCES", "500"))

few = st.integers(0, 8)
changes = st.tuples(
    st.sampled_from(
        ("thing",) * 6
        + (
            "gone",
            "gone",
            "fault",
            "fault",
            "healed",
            "expiring",
            "account",
            "role",
            "far",
            "check",
            "rule",
            "rule",
        )
        + ("scope",)
    ),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 95),
    few,
)
requests = st.sampled_from(
    (
        {},
        {},
        {},
        {},
        {"notify": False},
        {"categories": ["security"]},
        {"categories": ["cost"]},
        {"categories": ["reliability", "cost"]},
        {"checks": ["box-open"]},
        {"checks": ["badge-old", "box-unlocked"]},
        {"checks": ["lock-rusty"], "regions": [FAR]},
        {"accounts": [ACCOUNTS[0]]},
        {"accounts": [ACCOUNTS[1]], "categories": ["security"]},
        {"regions": [NEAR]},
        {"regions": [GLOBAL, FAR]},
    )
)
troubles = st.builds(
    Trouble,
    few,
    st.sampled_from(("dies", "dies for good", "never starts", "met by itself", "met by the other")),
    st.integers(0, 5),
    st.sampled_from(("before", "after")),
)
handlers = st.tuples(*(st.one_of(st.just(-1), st.integers(0, 15)) for _ in range(3)))
scans = st.builds(
    Scan,
    changes=st.lists(changes, max_size=4),
    hours=st.sampled_from((0, 1, 24, 72)),
    request=requests,
    order=few,
    slow=st.one_of(st.just(0), st.integers(0, 511)),
    troubles=st.lists(troubles, max_size=2),
    handlers=handlers,
    meets=st.one_of(st.none(), st.none(), st.lists(st.booleans(), max_size=12)),
)


@pytest.fixture(autouse=True, scope="module")
def many() -> Iterator[None]:
    """Thousands of scans: files in memory, few findings to a transaction, nothing logged."""
    memory = Path("/dev/shm")  # noqa: S108 (only where there is such a thing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(memory) if memory.is_dir() else None)
        patch.setattr("orgscan.store.PER_TRANSACTION", 2)
        patch.setattr("orgscan.report.TARGETS_AT_ONCE", 1)  # the twins are not made for threads
        patch.setattr("orgscan.plan.ACCOUNTS_AT_ONCE", 1)
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
@given(st.lists(scans, min_size=1, max_size=5))
def test_any_history_of_an_organization_ends_as_the_oracle_says(history: list[Scan]) -> None:
    Hub().live(history)
