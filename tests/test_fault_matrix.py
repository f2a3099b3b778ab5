"""Every call fails in every way: what goes unseen is a gap, and nothing else changes.

The cells come from the catalogue: a collector is in the matrix on the day it is declared.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest

from orgscan import iam, metrics
from orgscan.coverage import Look
from orgscan.model import Blindness
from orgscan.reconcile import Change, Status, place
from orgscan.suppress import Suppression, Suppressions
from tests.laws import (
    CALLS,
    EVERYTHING,
    LAST,
    LATER,
    STARTED,
    TAG_CALLS,
    World,
    assert_lawful,
    lives,
    new_gaps,
    of_check,
    served_world,
    steps,
    targets_of,
)
from tests.served import FAULTS, HERE, Fault, paging

REFUSED = (Blindness.DENIED, Blindness.DENIED_BY_SCP)


def cells() -> Iterator[tuple[str, Fault, Literal[1, 2]]]:
    """Each call is refused, and fails in one more way, which take turns; ORGSCAN_MATRIX=all: in every way."""
    ways = [*FAULTS.values()]
    for number, call in enumerate(CALLS):
        turn = [ways[0], ways[number % len(ways)]]
        whole = os.environ.get("ORGSCAN_MATRIX") == "all"
        yield from ((call, fault, 1) for fault in (ways if whole else dict.fromkeys(turn)))
        if paging(call):
            yield from ((call, fault, 2) for fault in (ways if whole else [ways[(number + 7) % len(ways)]]))


CELLS = [pytest.param(*cell, id="{}-{}-page-{}".format(*cell)) for cell in cells()]


ONE_PAGE = {
    ("global", "ec2:DescribeNetworkInterfaces"),
    ("global", "resourcegroupstaggingapi:GetResources"),
    (HERE.region, "s3:ListMultipartUploads"),
}
"""Where the first page of a listing is enough: whether there is anything, and what is oldest."""
WHOLE = {
    "backup:ListBackupJobs",
    "backup:ListCopyJobs",
    "guardduty:ListDetectors",
    "organizations:ListPolicies",
    "organizations:ListTargetsForPolicy",
}
"""Listings that mean something only when all of them is read."""


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
        healthy = world.well(faulty)
        assert_lawful(world, faulty, {call}, fault.reasons)
        lost = new_gaps(healthy, faulty)
        if page == 2 and (target.region, call) in ONE_PAGE:
            assert list(map(place, faulty.findings)) == list(map(place, healthy.findings))
            continue
        # It shows; if not in coverage, then in what a check can be certain without: a fact, or evidence.
        unread = [*lost.values(), *world.unread_facts(target, call)]
        assert unread or (call in metrics.CALLS and faulty.findings != healthy.findings)
        assert {gap.reason for gap in unread} <= fault.reasons
        for gap in unread:
            assert (iam.action(call) in gap.detail) or gap.reason not in REFUSED
            assert ("p-12345678" in gap.detail) == (gap.reason is Blindness.DENIED_BY_SCP)
        if page == 2 and call not in WHOLE:
            assert_first_page_is_judged(healthy, faulty, call)


def assert_first_page_is_judged(healthy: Look, faulty: Look, call: str) -> None:
    """All there is comes on it. Checks that look at what is listed, besides what they judge, cannot tell."""
    for check in EVERYTHING.only(faulty.coverage.planned).planned(once=faulty.coverage.target.once):
        also = [each for each in EVERYTHING.collectors if each.resource in check.also]
        if check.id not in faulty.coverage.listed and not any(call in each.calls for each in also):
            assert of_check(faulty, check.id) == of_check(healthy, check.id)


@pytest.mark.parametrize("call", sorted(TAG_CALLS))
@pytest.mark.parametrize("fault", FAULTS.values(), ids=str)
def test_what_is_accepted_by_tag_is_open_again_while_its_tags_cannot_be_read(
    fault: Fault, call: str, world: World
) -> None:
    """Only that: what is not found is left alone, and what carries its tags itself stays accepted."""
    owner = "platform@acme.example"
    expires = (world.recording.now + timedelta(days=30)).date()
    rule = Suppression(reason="known", owner=owner, expires=expires, tag=("Owner", owner))
    rules = Suppressions([rule], world.recording.now)
    healthy = world.healthy[HERE]
    before = [step.after for step in steps([], healthy, "1", STARTED, rules)]
    with world.served.failing(call, fault):
        second = steps(before, world.look(HERE, world.asking(call)), "2", LATER, rules)
    lost = [each for each in second if each.found and each.after.finding.tags is None]
    accepted = [each for each in lost if each.before and each.before.status is Status.SUPPRESSED]
    assert accepted
    for step in accepted:
        after = step.after
        assert (after.status, after.change, after.changed_in) == (Status.OPEN, Change.REOPENED, "2")
        assert after.suppressed_by == ""
    others = [step for step in second if step not in accepted]
    assert lives(step.after for step in others) == lives(step.before for step in others if step.before)
    assert Status.SUPPRESSED in {step.after.status for step in others}
    third = steps([step.after for step in second], healthy, "3", LAST, rules)
    assert [step.after.status for step in third] == [each.status for each in before]
