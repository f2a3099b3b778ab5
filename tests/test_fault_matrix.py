"""Every call fails in every way: what goes unseen is a gap, and nothing else changes.

The cells come from the catalogue: a collector is in the matrix on the day it is declared.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest

from orgscan import iam, metrics
from orgscan.coverage import Look
from orgscan.model import Blindness
from orgscan.reconcile import Status
from orgscan.suppress import Suppression
from tests.laws import (
    CALLS,
    EVERYTHING,
    TAG_CALLS,
    World,
    assert_lawful,
    assert_nothing_happened,
    new_gaps,
    of_check,
    served_world,
    targets_of,
)
from tests.served import FAULTS, HERE, Fault, paging

BROKEN_JSON = pytest.mark.xfail(
    strict=True, reason="an answer without fields is read as one that says nothing"
)
READ_AS_NOTHING = (*metrics.CALLS, "cloudtrail:GetEventSelectors")
UNREAD_TAGS = pytest.mark.xfail(strict=True, reason="a rule by tag does not cover what has lost its tags")
REFUSED = (Blindness.DENIED, Blindness.DENIED_BY_SCP)
CELLS = [
    pytest.param(
        call,
        fault,
        page,
        id=f"{call}-{fault}-page-{page}",
        marks=[BROKEN_JSON] if call in READ_AS_NOTHING and fault.name == "truncated" else [],
    )
    for call in CALLS
    for fault in FAULTS.values()
    for page in (1, 2)
    if page == 1 or paging(call)
]


@pytest.fixture(scope="module")
def whole() -> Iterator[World]:
    with served_world() as world:
        yield world


@pytest.fixture
def world(whole: World) -> Iterator[World]:
    with whole.healed():
        yield whole


@pytest.mark.parametrize(("call", "fault", "page"), CELLS)
def test_a_call_that_fails_costs_what_depends_on_it_and_nothing_else(
    call: str, fault: Fault, page: Literal[1, 2], world: World
) -> None:
    targets = targets_of(call)
    assert targets
    for target in targets:
        with world.served.failing(call, fault, page=page):
            faulty = world.look(target, world.asking(call))
            assert call in {asked.call for asked in world.served.calls}
        healthy = world.healthy[target]
        assert_lawful(world, faulty, {call}, fault.reasons)
        lost = new_gaps(healthy, faulty)
        # It shows; if not in coverage, then in what a check can be certain without: a fact, or evidence.
        unread = [*lost.values(), *world.unread_facts(target, call)]
        assert unread or (call in metrics.CALLS and faulty.findings != healthy.findings)
        assert {gap.reason for gap in unread} <= fault.reasons
        for gap in unread:
            assert (iam.action(call) in gap.detail) or gap.reason not in REFUSED
            assert ("p-12345678" in gap.detail) == (gap.reason is Blindness.DENIED_BY_SCP)
        if page == 2:
            assert_first_page_is_judged(healthy, faulty, call)


def assert_first_page_is_judged(healthy: Look, faulty: Look, call: str) -> None:
    """All there is comes on it. Checks that look at what is listed, besides what they judge, cannot tell."""
    for check in EVERYTHING.planned(once=faulty.coverage.target.once):
        also = [each for each in EVERYTHING.collectors if each.resource in check.also]
        if check.id not in faulty.coverage.listed and not any(call in each.calls for each in also):
            assert of_check(faulty, check.id) == of_check(healthy, check.id)


@UNREAD_TAGS
@pytest.mark.parametrize("call", sorted(TAG_CALLS))
@pytest.mark.parametrize("fault", FAULTS.values(), ids=str)
def test_what_is_accepted_by_tag_stays_accepted_when_tags_cannot_be_read(
    fault: Fault, call: str, world: World
) -> None:
    owner = "platform@acme.example"
    expires = (world.recording.now + timedelta(days=30)).date()
    rule = Suppression(reason="known", owner=owner, expires=expires, tag=("Owner", owner))
    with world.served.failing(call, fault):
        known = assert_nothing_happened(world, world.look(HERE, world.asking(call)), [rule])
    assert {each.status for each in known} == {Status.OPEN, Status.SUPPRESSED}
