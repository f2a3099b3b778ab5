"""Turns: as fast as allowed and not faster, in order, and none for whoever cannot wait for it."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.errors import OutOfTime
from orgscan.pace import RATES, UNKNOWN, Pace, rate

REGION = "eu-west-1"
CALL = "ec2:DescribeVolumes"
TINY = 1e-6
"""Seconds that adding up floats may be off."""

CALLS = st.sampled_from(
    ["ce:GetAnomalies", "ec2:DescribeSnapshots", "iam:ListRoles", CALL, "s3:GetBucketAcl"]
)
POLITE = st.sampled_from([0.5, 1.0, 1.7, 2.0, 40.0])
ARRIVALS = st.lists(st.floats(0, 20), min_size=1, max_size=50).map(sorted)
"""Seconds at which up to 50 threads come and ask."""


class Town:
    """A clock that is set by hand, and callers who sleep side by side without taking any time."""

    def __init__(self, polite: float = 1.0) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.pace = Pace(polite, clock=lambda: self.now, sleep=self.slept.append)

    def start(self, at: float = 0.0, call: str = CALL, *, region: str = REGION, **most: float) -> float:
        """When a caller that comes at this moment may make its call."""
        self.now = at
        self.slept.clear()
        self.pace.wait(region, call, **most)
        return at + sum(self.slept)

    def starts(self, arrivals: Iterable[float], call: str = CALL) -> list[float]:
        return [self.start(at, call) for at in arrivals]


def needed(arrivals: Sequence[float], speed: float) -> list[float]:
    """When a bucket that is full at first, and fills at this speed, lets each caller go at the earliest."""
    most = max(1.0, speed)
    tokens, last, starts = most, 0.0, list[float]()
    for arrival in arrivals:
        at = max(arrival, last)
        tokens = min(most, tokens + (at - last) * speed)
        missing = max(0.0, 1 - tokens)
        last = at + missing / speed
        tokens += missing - 1
        starts.append(last)
    return starts


@settings(deadline=None)  # a busy machine is no fault
@given(ARRIVALS, CALLS, POLITE)
def test_no_window_sees_more_calls_than_its_length_allows(
    arrivals: list[float], call: str, polite: float
) -> None:
    speed = rate(call) / polite
    starts = sorted(Town(polite).starts(arrivals, call))
    for first, start in enumerate(starts):
        for last in range(first, len(starts)):
            length = starts[last] - start
            assert last - first + 1 <= speed * (length + TINY) + max(1.0, speed)


@settings(deadline=None)  # a busy machine is no fault
@given(ARRIVALS, CALLS, POLITE)
def test_nobody_waits_longer_than_needed_and_who_comes_first_goes_first(
    arrivals: list[float], call: str, polite: float
) -> None:
    starts = Town(polite).starts(arrivals, call)
    assert starts == pytest.approx(needed(arrivals, rate(call) / polite), abs=TINY)
    assert all(later >= earlier - TINY for earlier, later in pairwise(starts))
    assert all(start >= arrival for start, arrival in zip(starts, arrivals, strict=True))


def test_one_seconds_worth_goes_at_once_and_the_rest_at_the_rate() -> None:
    assert Town().starts([0.0] * 13) == pytest.approx([0.0] * 10 + [0.1, 0.2, 0.3])


def test_twice_as_polite_is_half_as_fast() -> None:
    assert Town(2).starts([0.0] * 8) == pytest.approx([0.0] * 5 + [0.2, 0.4, 0.6])


def test_less_than_one_call_a_second_still_lets_one_go() -> None:
    assert Town(4).starts([0.0] * 3, "ce:GetAnomalies") == pytest.approx([0.0, 4.0, 8.0])


def test_regions_and_operations_do_not_wait_for_each_other() -> None:
    town = Town()
    assert max(town.starts([0.0] * 20)) > 0
    assert town.start(region="us-east-1") == 0
    assert town.start(call="ec2:DescribeInstances") == 0
    assert town.start() > 0


def test_a_turn_that_comes_too_late_is_refused_at_once_and_not_taken() -> None:
    town = Town()
    town.starts([0.0] * 14)
    for _ in range(3):
        with pytest.raises(OutOfTime):
            town.start(most=0.4)
        assert town.slept == []
    assert town.start(most=0.6) == pytest.approx(0.5)


def test_whoever_has_no_time_left_gets_no_turn_even_now() -> None:
    town = Town()
    with pytest.raises(OutOfTime):
        town.start(most=-1.0)
    assert town.start(most=0.0) == 0


def test_threads_that_ask_together_get_turns_of_their_own_and_sleep_together() -> None:
    """They would never meet in their sleep if one kept the others from asking."""
    asleep = Barrier(40, timeout=10)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        asleep.wait()

    pace = Pace(clock=lambda: 0.0, sleep=sleep)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: pace.wait(REGION, CALL), range(50)))
    assert sorted(slept) == pytest.approx([(number + 1) / 10 for number in range(40)])


@pytest.mark.parametrize(
    ("call", "per_second"),
    [
        ("ec2:DescribeVolumes", 10),
        ("ec2:DescribeSnapshots", 3),
        ("s3:GetBucketPolicy", 20),
        ("iam:ListRoles", 5),
        ("iam:GenerateCredentialReport", 2),
        ("ce:GetCostAndUsage", 1),
        ("polly:ListLexicons", UNKNOWN),
    ],
)
def test_an_operation_has_its_own_rate_or_else_its_services(call: str, per_second: float) -> None:
    assert rate(call) == per_second


def test_everything_in_the_table_exists_and_stands_there_once() -> None:
    names = [name for names in RATES.values() for name in names]
    assert len(names) == len(set(names)) > 80
    core = botocore.session.get_session()
    assert {name.partition(":")[0] for name in names} <= set(core.get_available_services())
    for name in names:
        service, _, operation = name.partition(":")
        if operation:
            model: Any = core.get_service_model(service)
            assert service == model.service_name
            assert operation in model.operation_names
