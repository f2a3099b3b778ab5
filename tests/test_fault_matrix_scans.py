"""Scans that go wrong: nobody enters, every call fails, some requests do, answers lack what they had."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, TypeAlias, TypeVar

import pytest
from botocore.config import Config

from local.beyond import Written, write
from orgscan import iam, metrics
from orgscan.catalog import AnyCollector
from orgscan.errors import SCP
from orgscan.model import Blindness, Gap, Target
from orgscan.session import CONFIG, Clients, assume
from orgscan.suppress import Suppressions
from tests.laws import (
    CALLS,
    EVERYTHING,
    LAST,
    LATER,
    TAG_CALLS,
    Lasting,
    World,
    assert_accounted,
    assert_isolated,
    assert_lawful,
    assert_nothing_happened,
    calls_of,
    lives,
    new_gaps,
    of_check,
    served_world,
    steps,
    targets_of,
    untagged,
)
from tests.served import (
    ACCOUNT,
    FAULTS,
    HERE,
    REGION,
    TARGETS,
    USER,
    Answer,
    Asked,
    Fault,
    Served,
    paging,
    refusing,
)

ANY_FAULT = pytest.mark.parametrize("fault", FAULTS.values(), ids=str)
ENTERING = "sts:AssumeRole"
ROLE, EXTERNAL_ID, SESSION = "orgscan-member", "an-external-id", "orgscan"
ONE_IN = 10
GARBAGE = frozenset({Blindness.FAULT, Blindness.NO_DATA})

ALONE = {
    ("elasticache:DescribeCacheClusters", "ReplicationGroupId"),
    ("rds:DescribeDBInstances", "DBClusterIdentifier"),
}
"""Without it the node stands alone, and is judged as such, while its group lacks data of a node."""

Path: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")


def some(of: Iterable[T], each: int) -> Sequence[T]:
    """One of so many; the fuzz test asks the same of all answers. ORGSCAN_MATRIX=all: all."""
    return [*of] if os.environ.get("ORGSCAN_MATRIX") == "all" else [*of][::each]


@pytest.fixture(scope="module")
def whole() -> Iterator[World]:
    with served_world() as world:
        yield world


@pytest.fixture
def world(whole: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with whole.healed():
        yield whole


@pytest.fixture(scope="module")
def gate(whole: World) -> Served:
    """It knows the role and who may assume it."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    asked = Asked(ENTERING, REGION, {"RoleArn": role, "RoleSessionName": SESSION, "ExternalId": EXTERNAL_ID})
    keys = dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), "testing")
    granted = {"Credentials": {**keys, "Expiration": whole.recording.now + timedelta(hours=1)}}
    return Served(replace(whole.recording, answers={asked: Answer(200, granted)}))


@pytest.fixture(scope="module")
def home(gate: Served) -> Clients:
    return gate.clients(guarded=False)


def entered(home: Clients) -> Clients:
    return assume(home, ACCOUNT, role=ROLE, external_id=EXTERNAL_ID, session_name=SESSION)


def test_the_role_can_be_assumed(gate: Served, home: Clients) -> None:
    gate.heal()
    assert entered(home).partition == "aws"


@ANY_FAULT
def test_an_account_that_cannot_be_entered_is_a_gap_of_every_check(
    fault: Fault, world: World, gate: Served, home: Clients
) -> None:
    for target in TARGETS:
        with gate.failing(ENTERING, fault):
            faulty = world.look(target, enter=lambda: entered(home))
        assert gate.unrecorded == []
        assert_accounted(world.healthy[target], faulty, fault.reasons)
        assert_nothing_happened(world, faulty)
        assert faulty.coverage.gaps.keys() == faulty.coverage.planned
        (gap,) = set(faulty.coverage.gaps.values())
        if gap.reason in (Blindness.DENIED, Blindness.DENIED_BY_SCP):
            assert iam.action(ENTERING) in gap.detail


@ANY_FAULT
def test_when_every_call_fails_nothing_is_believed_and_the_next_scan_heals_all(
    fault: Fault, world: World
) -> None:
    for target in TARGETS:
        for call in CALLS:
            world.served.fail(call, fault)
        healthy, faulty = world.healthy[target], world.look(target)
        assert_accounted(healthy, faulty, fault.reasons)
        assert faulty.coverage.gaps.keys() == faulty.coverage.planned
        known = assert_nothing_happened(world, faulty)
        assert {each.unconfirmed_since for each in known} == {LATER}
        world.served.heal()
        after = world.look(target)
        assert after.findings == healthy.findings
        assert after.coverage.gaps == healthy.coverage.gaps
        third = steps(known, after, "3", LAST, Suppressions((), world.recording.now))
        healed = [step.after for step in third]
        assert lives(healed) == lives(known)
        assert {each.unconfirmed_since for each in healed} == {""}


def test_a_region_that_a_policy_closes_is_one_gap(world: World) -> None:
    for call in CALLS:
        world.served.fail(call, FAULTS["SCP"])
    seen = world.look(HERE)
    assert seen.coverage.gaps.keys() == seen.coverage.planned
    (gap,) = set(seen.coverage.gaps.values())
    assert gap.reason is Blindness.DENIED_BY_SCP
    assert gap.detail == f"every call in {REGION}, such as ec2:GetEbsEncryptionByDefault (p-12345678)"
    assert [asked.call for asked in world.served.calls] == [
        "ec2:GetEbsEncryptionByDefault",
        "logs:DescribeLogGroups",
        "kms:ListKeys",
    ]


NOT_ALLOWED = Fault(
    "not allowed", FAULTS["SCP"].reasons, refusing(f"{USER} because no {SCP} allows the {{action}} action")
)


@pytest.mark.parametrize(
    ("fault", "spared"),
    [(FAULTS["SCP"], "ec2"), (FAULTS["SCP"], "logs"), (FAULTS["SCP"], "kms"), (NOT_ALLOWED, "sqs")],
    ids=str,
)
def test_where_a_policy_spares_a_service_what_it_spares_is_looked_at(
    fault: Fault, spared: str, world: World
) -> None:
    """As policies that close regions do, and policies that close services; and lists of what is allowed."""
    denied = {call for call in CALLS if not call.startswith(f"{spared}:")}
    for call in denied:
        world.served.fail(call, fault)
    seen = world.look(HERE)
    assert_lawful(world, seen, denied, fault.reasons)
    asked = {each.call for each in world.served.calls}
    assert len({call.partition(":")[0] for call in asked}) > 20
    due = {check for check, calls in calls_of(HERE).items() if calls.isdisjoint(denied)}
    assert due
    assert due <= seen.coverage.evaluated | world.healthy[HERE].coverage.gaps.keys()


def test_a_burst_of_throttling_passes(world: World) -> None:
    retrying = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 3}))
    patient = Lasting(world.served.session(), guarded=True, config=retrying)
    for target in TARGETS:
        for call in CALLS:
            world.served.fail(call, FAULTS["Throttling"], times=2)
        seen, healthy = world.look(target, enter=lambda: patient), world.healthy[target]
        assert seen.findings == healthy.findings
        assert seen.coverage.gaps == healthy.coverage.gaps


@pytest.mark.parametrize("seed", range(5))
def test_requests_that_fail_here_and_there_cost_only_what_depends_on_them(seed: int, world: World) -> None:
    failed: set[str] = set()

    def befall(call: str, healthy: Written) -> Written:
        # By what is asked, not by when: requests are made side by side.
        dice = Random(f"{seed} {call} {healthy.body!r}")  # noqa: S311 (nothing is secret here)
        if dice.randrange(ONE_IN):
            return healthy
        failed.add(call)
        return dice.choice(list(FAULTS.values())).befall(call, healthy)

    reasons = frozenset[Blindness]().union(*(each.reasons for each in FAULTS.values()))
    for target in TARGETS:
        failed.clear()
        for call in CALLS:
            world.served.fail(call, Fault("here and there", reasons, befall))
        assert_lawful(world, world.look(target), failed, reasons)


@pytest.mark.parametrize("call", some(CALLS, 8))
def test_an_answer_that_lacks_something_costs_what_depends_on_it_and_nothing_else(
    call: str, world: World
) -> None:
    """Where a collector reads absence as a value, checks may say something else; then there is no gap."""
    lacking = 0
    for target in targets_of(call):
        world.look(target, world.asking(call))
        asked = next(each for each in world.served.calls if each.call == call and answered(world, each))
        answer = world.served.answer(asked)
        assert answer
        for path in some(members(call, answer.parsed), 3):
            world.served.fail(call, without(path, asked, answer))
            if reads_the_same(call, target, world):
                continue
            lacking += 1
            faulty = world.look(target, world.asking(call))
            healthy = world.well(faulty)
            assert_accounted(healthy, faulty, GARBAGE)
            if new_gaps(healthy, faulty) and (call, path[-1]) not in ALONE:
                assert_nothing_happened(world, faulty)
                assert_isolated(healthy, faulty, {call})
        world.served.heal()
    assert lacking


@pytest.mark.parametrize("collector", some(EVERYTHING.collectors, 8), ids=lambda each: each.name)
def test_one_item_that_lacks_something_costs_itself_and_what_comes_behind_it_is_judged(
    collector: AnyCollector, world: World
) -> None:
    """A credential report is a listing of its own, and has a test of its own."""
    lacking, listed = set[str](), 0
    for target in TARGETS:
        resources = world.recording.resources.get((target, collector.name), ())
        for call in collector.calls if collector in EVERYTHING.needed(once=target.once) else ():
            for fault in some(lacking_items(call, collector, target, world), 3):
                listed += len(resources) > 1
                world.served.fail(call, fault)
                lost: list[Gap] = []
                try:
                    seen = list(world.read(collector, target, spoil=lost.append))
                except KeyError:
                    assert len(resources) == 1, "one of many has ended the listing"
                    continue
                missing = {each.arn for each in resources} - {each.arn for each in seen}
                if not missing:
                    continue
                (odd,) = missing
                assert seen == [each for each in resources if each.arn != odd]
                (said,) = lost
                assert (said.scope, said.reason) == (collector.name, Blindness.FAULT)
                assert re.fullmatch(r"[A-Z]\w+ at [\w/]+\.py:\d+", said.detail)
                if odd not in lacking:
                    assert_others_are_judged(world, target, collector, call, odd)
                lacking.add(odd)
            world.served.heal()
    assert lacking or not listed


def assert_others_are_judged(
    world: World, target: Target, collector: AnyCollector, call: str, odd: str
) -> None:
    """As ever. Checks that look at the kind, besides what they judge, cannot tell."""
    faulty = world.look(target, world.asking(call))
    healthy = world.well(faulty)
    assert_lawful(world, faulty, {call}, {Blindness.FAULT})
    same = untagged if call in TAG_CALLS else list
    for check in EVERYTHING.only(faulty.coverage.planned).planned(once=target.once):
        if collector.resource in check.also:
            continue
        others = [each for each in of_check(healthy, check.id) if each.resource != odd]
        assert same(each for each in of_check(faulty, check.id) if each.resource != odd) == same(others)


def lacking_items(call: str, collector: AnyCollector, target: Target, world: World) -> list[Fault]:
    """An answer, once for each member that the first item of one of its lists can lack."""
    list(world.read(collector, target))
    asked = [each for each in world.served.calls if each.call == call and answered(world, each)]
    answers = [answer for each in asked if (answer := world.served.answer(each))]
    for each, answer in zip(asked, answers, strict=True):
        if answers.count(answer) == 1:
            return [without(path, each, answer) for path in of_first_items(answer.parsed)]
    return []


def of_first_items(parsed: Any) -> Iterator[Path]:
    for name, value in parsed.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from ((name, 0, member) for member in value[0])
            yield from ((name, 0, *path) for path in of_first_items(value[0]))


def answered(world: World, asked: Asked) -> bool:
    answer = world.served.answer(asked)
    return answer is not None and answer.status < 300


def members(call: str, parsed: Any) -> Iterator[Path]:
    """Of the answer, and of the fullest item of each list in it; but not how it goes on."""
    pages = paging(call)
    going_on = " ".join((*pages.tokens, pages.more or "")) if pages else ""
    for name, value in parsed.items():
        if name not in going_on:
            yield (name,)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            fullest = max(range(len(value)), key=lambda number: len(value[number]))
            yield from ((name, fullest, *path) for path in members(call, value[fullest]))


def without(path: Path, asked: Asked, answer: Answer) -> Fault:
    """Of all answers to the call only this one lacks it."""
    *way, last = path
    lacking: Any = deepcopy(dict(answer.parsed))
    place = lacking
    for step in way:
        place = place[step]
    del place[last]
    whole, torn = write(asked.call, answer.parsed), write(asked.call, lacking)
    return Fault(f"without {last}", GARBAGE, lambda _, healthy: torn if healthy == whole else healthy)


def reads_the_same(call: str, target: Target, world: World) -> bool:
    """Most of what AWS answers nobody reads."""
    if call in metrics.CALLS:
        return False
    for each in EVERYTHING.needed(once=target.once):
        if call in each.calls:
            try:
                seen = tuple(world.read(each, target))
            except Exception:  # noqa: BLE001 (whatever it is)
                return False
            if seen != world.recording.resources[target, each.name]:
                return False
    return True
