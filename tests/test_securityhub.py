"""Into Security Hub: all that a scan found, once, kept up to date, and archived when it is truly resolved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgscan import securityhub, session
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.pace import Pace
from orgscan.present.asff import Product, identity
from orgscan.reconcile import Status
from orgscan.securityhub import LARGEST, CannotPush, Failed, Hub, Outcome, batches
from tests.doctors import HUB, Answer, Call, Refusal, World
from tests.lines import BUCKET, CHECKS, CLOSED, FOUND, LINES, ROLE, SOLVED, SSH, SUMMARIZED, VOLUME

IMPORT = "securityhub:BatchImportFindings"
PRODUCT = Product("aws", HUB, "eu-west-1")


class Town:
    """A clock that nobody waits for."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.pace = Pace(clock=lambda: self.slept, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.fixture
def hub(world: World) -> Hub:  # noqa: ARG001 (the client is made in it)
    return Hub(session.here(retries=False).get("securityhub"), PRODUCT, Town().pace)


def taking(*codes: Mapping[str, str]) -> Any:
    """Answers in turn: Id -> the code that it is refused with; then takes everything."""
    waiting = [*codes]

    def answer(call: Call) -> Answer:
        refused = waiting.pop(0) if waiting else {}
        ids = [each["Id"] for each in call.asked["Findings"]]
        failed = [
            {"Id": id_, "ErrorCode": refused[id_], "ErrorMessage": "for a reason"}
            for id_ in ids
            if id_ in refused
        ]
        return {
            "FailedCount": len(failed),
            "SuccessCount": len(ids) - len(failed),
            "FailedFindings": failed,
        }

    return answer


def sent(world: World) -> list[list[str]]:
    """Ids, call by call."""
    return [[each["Id"] for each in call.asked["Findings"]] for call in world.asked(IMPORT)]


def many(count: int) -> list[Line]:
    return [replace(SSH, id=f"{number:020x}") for number in range(count)]


# Against a simulated Security Hub


@pytest.fixture
def simulated(aws: boto3.Session) -> Hub:
    client: Any = aws.client("securityhub")
    client.enable_security_hub()
    return Hub(client, replace(PRODUCT, account="123456789012"), Town().pace)


def kept(hub: Hub) -> dict[str, Mapping[str, Any]]:
    pages = hub.client.get_paginator("get_findings").paginate()
    found: list[Any] = [each for page in pages for each in page["Findings"]]
    assert len(found) == len({each["Id"] for each in found}), "each is there once"
    return {each["Id"]: each for each in found}


def states(hub: Hub) -> dict[str, str]:
    return {id_: each["RecordState"] for id_, each in kept(hub).items()}


def test_a_second_scan_updates_and_archives_only_what_it_saw_resolved(simulated: Hub) -> None:
    assert simulated.push(SUMMARIZED, FOUND, CHECKS) == Outcome(imported=len(FOUND))
    worse = replace(VOLUME, severity=Severity.HIGH)
    closed = replace(SSH, status=Status.RESOLVED, resolved_because=CLOSED.resolved_because)
    later = {**SUMMARIZED, "finished": "2026-01-16T06:09:41+00:00"}
    # The bucket, the role and the website were not looked at: they are in neither file of the scan.
    assert simulated.push(later, [worse, closed], CHECKS) == Outcome(imported=1, archived=1)
    unseen = {identity(each): "ACTIVE" for each in FOUND}
    assert states(simulated) == {**unseen, identity(SSH): "ARCHIVED"}
    assert kept(simulated)[identity(VOLUME)]["Severity"]["Label"] == "HIGH"
    assert kept(simulated)[identity(VOLUME)]["UpdatedAt"] == "2026-01-16T06:09:41.000Z"
    assert kept(simulated)[identity(BUCKET)]["UpdatedAt"] == "2026-01-15T06:09:41.000Z"


def test_what_comes_back_is_active_again(simulated: Hub) -> None:
    simulated.push(SUMMARIZED, [CLOSED], CHECKS)
    assert states(simulated) == {identity(CLOSED): "ARCHIVED"}
    again = replace(CLOSED, status=Status.OPEN, resolved_because=None)
    assert simulated.push(SUMMARIZED, [again], CHECKS) == Outcome(imported=1)
    assert states(simulated) == {identity(CLOSED): "ACTIVE"}


# What is sent


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=6, unique_by=identity))
def test_everything_is_sent_once_and_counted_once(hub: Hub, world: World, lines: list[Line]) -> None:
    world.calls.clear()
    world.answer(IMPORT, taking())
    outcome = hub.push(SUMMARIZED, lines, CHECKS)
    assert [id_ for call in sent(world) for id_ in call] == [identity(each) for each in lines]
    resolved = sum(each.status is Status.RESOLVED for each in lines)
    assert outcome == Outcome(imported=len(lines) - resolved, archived=resolved)


def test_a_hundred_go_in_a_call(hub: Hub, world: World) -> None:
    world.answer(IMPORT, taking())
    assert hub.push(SUMMARIZED, many(250), CHECKS).imported == 250
    assert [len(call) for call in sent(world)] == [100, 100, 50]


def test_nothing_is_no_call(hub: Hub, world: World) -> None:
    assert hub.push(SUMMARIZED, [], CHECKS) == Outcome()
    assert sent(world) == []


def test_a_call_stays_below_its_size() -> None:
    large = [{"Id": str(number), "Title": "x" * 1_000_000} for number in range(12)]
    sizes = [[len(each["Title"]) for each in batch] for batch in batches(large)]
    assert all(sum(batch) < LARGEST for batch in sizes)
    assert sum(map(len, sizes)) == 12


def test_calls_take_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(securityhub, "MOST", 1)
    town = Town()
    world.answer(IMPORT, taking())
    hub = Hub(session.here(retries=False).get("securityhub"), PRODUCT, town.pace)
    hub.push(SUMMARIZED, many(25), CHECKS)
    assert town.slept == pytest.approx(1.5), "ten at once, then ten a second"


# What Security Hub does not take


def test_what_is_refused_is_told_with_its_reason(hub: Hub, world: World) -> None:
    world.answer(IMPORT, taking({identity(BUCKET): "InvalidInput"}))
    outcome = hub.push(SUMMARIZED, [*FOUND, *SOLVED], CHECKS)
    told = Failed(identity(BUCKET), "InvalidInput", "for a reason")
    assert outcome == Outcome(imported=len(FOUND) - 1, archived=len(SOLVED), failed=[told])
    assert len(sent(world)) == 1


@pytest.mark.parametrize("code", ["InternalError", "ThrottlingException", "LimitExceededException"])
def test_what_may_pass_is_sent_once_more(hub: Hub, world: World, code: str) -> None:
    world.answer(IMPORT, taking({identity(BUCKET): code, identity(CLOSED): code}))
    assert hub.push(SUMMARIZED, [BUCKET, SSH, CLOSED], CHECKS) == Outcome(imported=2, archived=1)
    assert sent(world)[1:] == [[identity(BUCKET), identity(CLOSED)]]


def test_once_more_and_no_more(hub: Hub, world: World) -> None:
    codes = {identity(BUCKET): "InternalError"}
    world.answer(IMPORT, taking(codes, codes, {}))
    outcome = hub.push(SUMMARIZED, [BUCKET, SSH], CHECKS)
    assert (outcome.imported, [each.code for each in outcome.failed]) == (1, ["InternalError"])
    assert len(sent(world)) == 2


def test_a_call_that_is_refused_costs_its_findings_and_no_others(hub: Hub, world: World) -> None:
    replies: Iterator[Any] = iter([Refusal("InvalidInputException", "a field is wrong", 400), taking()])

    def answer(call: Call) -> Any:
        reply = next(replies)
        return reply(call) if callable(reply) else reply

    world.answer(IMPORT, answer)
    outcome = hub.push(SUMMARIZED, many(150), CHECKS)
    assert (outcome.imported, len(outcome.failed)) == (50, 100)
    assert {each.code for each in outcome.failed} == {"InvalidInputException"}


REFUSALS: Sequence[tuple[Refusal, str]] = (
    (
        Refusal("InvalidAccessException", "Account is not subscribed", 401),
        "Security Hub is not enabled in eu-west-1",
    ),
    (
        Refusal("AccessDeniedException", f"User: x is not authorized to perform: {IMPORT} on resource: *"),
        "lets nobody in: access denied: securityhub:BatchImportFindings",
    ),
    (Refusal("ExpiredTokenException", "The token has expired"), "ExpiredTokenException"),
    (Refusal("UnrecognizedClientException", "The security token is invalid"), "region is off"),
)


@pytest.mark.parametrize(("refusal", "words"), REFUSALS, ids=[refusal.code for refusal, _ in REFUSALS])
def test_where_nobody_is_let_in_it_ends_and_says_what_was_taken(
    hub: Hub, world: World, refusal: Refusal, words: str
) -> None:
    replies: list[Any] = [taking(), refusal]
    world.answer(IMPORT, lambda call: replies.pop(0)(call) if len(replies) > 1 else replies[0])
    with pytest.raises(CannotPush) as told:
        hub.push(SUMMARIZED, many(250), CHECKS)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value.outcome.imported == 100
    assert len(sent(world)) == 2, "the third call would be told the same"


def test_a_role_that_was_not_confirmed_stays_active(hub: Hub, world: World) -> None:
    world.answer(IMPORT, taking())
    hub.push(SUMMARIZED, [ROLE], CHECKS)
    (call,) = world.asked(IMPORT)
    assert call.asked["Findings"][0]["RecordState"] == "ACTIVE"
