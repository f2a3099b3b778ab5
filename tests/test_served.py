"""The served AWS answers as the recorded one did, and fails as AWS fails."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local.beyond import Beyond
from orgscan import catalog, iam, metrics
from orgscan.catalog import AnyCollector
from orgscan.errors import NO_ANSWER, gap
from orgscan.metrics import Query
from orgscan.model import Blindness, Metric, Sighting, known
from orgscan.session import CONFIG, Clients, UndeclaredCall
from tests.served import (
    FAULTS,
    METRICS,
    REGION,
    TARGETS,
    Answer,
    Asked,
    Fault,
    Parsed,
    Recorder,
    Recording,
    Served,
    paging,
    record,
)

CALLS = sorted(catalog.calls())
COLLECTORS = pytest.mark.parametrize("collector", catalog.collectors(), ids=lambda each: each.name)
IN_WORDS = [each for each in FAULTS.values() if each.name not in ("reset", "timeout", "truncated")]
LISTINGS = [call for call in CALLS if paging(call)]


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record()


@pytest.fixture(scope="module")
def shared(recording: Recording) -> Served:
    return Served(recording)


@pytest.fixture
def served(shared: Served) -> Iterator[Served]:
    shared.heal()
    yield shared
    shared.heal()


@pytest.fixture(scope="module")
def member(shared: Served) -> Clients:
    """Guarded, as a member account's are."""
    return shared.clients()


@pytest.fixture(scope="module")
def anyone(shared: Served) -> Clients:
    """They may ask what they like."""
    return shared.clients(guarded=False)


def ask(clients: Clients, asked: Asked) -> Parsed:
    service, _, operation = asked.call.partition(":")
    method = getattr(clients.get(service, asked.region), xform_name(operation))
    answer: dict[str, Any] = method(**asked.parameters)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def one(recording: Recording, call: str) -> Asked:
    """A request that AWS answered, best with something in it."""
    answered = [
        (asked, answer)
        for asked, answer in recording.answers.items()
        if asked.call == call and answer.status < 300
    ]
    full = [asked for asked, answer in answered if not paging(call) or items(call, [answer.parsed])]
    return next((asked for asked in full if asked.region == REGION), (full or [answered[0][0]])[0])


def test_every_declared_call_was_answered(recording: Recording) -> None:
    assert sorted({asked.call for asked, answer in recording.answers.items() if answer.status < 300}) == CALLS


@COLLECTORS
def test_every_collector_sees_something_and_makes_all_its_calls(
    collector: AnyCollector, recording: Recording, served: Served, member: Clients
) -> None:
    (own,) = (target for target in TARGETS if target.once == collector.once)
    if not collector.calls:
        return  # the scan itself makes what it yields
    assert recording.resources[own, collector.name]
    tuple(collector.read(member, own, now=recording.now))
    assert {each.call for each in served.calls} == collector.calls


def test_the_recorded_world_has_a_fault_for_every_check(recording: Recording) -> None:
    # Not what a scan says of itself, what only a configuration makes a fault, or what an account has once.
    others = {"tag-map-migrated-missing-or-invalid"}
    ours = {each.id for each in catalog.checks() if not issubclass(each.resource, Sighting)}
    assert {each.check for each in recording.planted} == ours - others


def told(answers: Mapping[Asked, Answer]) -> dict[Asked, Any]:
    """Of errors, code and message: where else a protocol repeats them is its business."""
    return {
        asked: answer.parsed if answer.status < 300 else (answer.status, answer.parsed["Error"]["Code"])
        for asked, answer in answers.items()
    }


def test_what_is_served_parses_to_what_was_recorded(recording: Recording) -> None:
    served = Served(recording)
    session = served.session()
    again, clients = Recorder(session, Beyond()), Clients(session, guarded=False)
    for asked in recording.answers:
        with suppress(ClientError):
            ask(clients, asked)
    assert told(again.answers) == told(recording.answers)
    assert served.calls == list(recording.answers)


def test_collectors_see_in_it_what_they_saw(recording: Recording, member: Clients) -> None:
    named = {each.name: each for each in catalog.collectors()}
    for (target, name), seen in recording.resources.items():
        assert tuple(named[name].read(member, target, now=recording.now)) == seen


def test_its_clients_are_guarded(served: Served, member: Clients) -> None:
    with pytest.raises(UndeclaredCall):
        member.get("ec2").describe_volumes()
    assert served.calls == []


def test_a_body_that_is_a_stream_is_read_twice(recording: Recording, aws: boto3.Session) -> None:
    """Once by the recorder, once by the caller."""
    s3 = aws.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="films")
    s3.put_object(Bucket="films", Key="film", Body=b"\x00\xff")
    recorder = Recorder(aws, Beyond())
    film = {"Bucket": "films", "Key": "film"}
    assert aws.client("s3", region_name=REGION).get_object(**film)["Body"].read() == b"\x00\xff"
    served = Served(replace(recording, answers=recorder.answers))
    assert served.session().client("s3").get_object(**film)["Body"].read() == b"\x00\xff"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", IN_WORDS, ids=str)
def test_a_refusal_is_one_in_the_services_own_words(
    fault: Fault, call: str, recording: Recording, served: Served, anyone: Clients
) -> None:
    served.fail(call, fault)
    with pytest.raises(ClientError) as caught:
        ask(anyone, one(recording, call))
    told = gap("scope", caught.value)
    assert told.reason in fault.reasons
    if told.reason in (Blindness.DENIED, Blindness.DENIED_BY_SCP):
        assert told.detail.partition(" ")[0] == iam.action(call)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("name", "error"), [("reset", ConnectionClosedError), ("timeout", ReadTimeoutError)])
def test_a_lost_connection_is_an_error_of_botocore(
    name: str, error: type[Exception], call: str, recording: Recording, served: Served, anyone: Clients
) -> None:
    served.fail(call, FAULTS[name])
    with pytest.raises(error) as caught:
        ask(anyone, one(recording, call))
    assert gap("scope", caught.value).reason in FAULTS[name].reasons


@pytest.mark.parametrize("call", CALLS)
def test_a_truncated_body_is_no_answer_or_half_of_one(
    call: str, recording: Recording, served: Served, anyone: Clients
) -> None:
    """Broken JSON does not raise."""
    asked = one(recording, call)
    whole = ask(anyone, asked)
    served.fail(call, FAULTS["truncated"])
    try:
        part = ask(anyone, asked)
    except NO_ANSWER as error:
        assert gap("scope", error).reason in FAULTS["truncated"].reasons  # noqa: PT017
    else:
        assert part != whole


@pytest.mark.parametrize(
    ("call", "fault", "code", "status"),
    [
        ("ec2:DescribeVolumes", "AccessDenied", "UnauthorizedOperation", 403),
        ("ec2:DescribeVolumes", "Throttling", "RequestLimitExceeded", 503),
        ("ec2:DescribeVolumes", "ExpiredToken", "RequestExpired", 400),
        ("s3:ListBuckets", "AccessDenied", "AccessDenied", 403),
        ("s3:ListBuckets", "Throttling", "SlowDown", 503),
        ("iam:GetAccountSummary", "Throttling", "Throttling", 400),
        ("lambda:ListFunctions", "Throttling", "TooManyRequestsException", 429),
        ("cloudtrail:DescribeTrails", "AccessDenied", "AccessDeniedException", 400),
        ("cloudtrail:DescribeTrails", "ExpiredToken", "ExpiredTokenException", 400),
        # It spoke query before it spoke JSON, and its codes have stayed.
        (METRICS, "AccessDenied", "AccessDenied", 403),
    ],
)
def test_the_code_is_that_of_the_protocol(
    call: str, fault: str, code: str, status: int, recording: Recording, served: Served, anyone: Clients
) -> None:
    served.fail(call, FAULTS[fault])
    with pytest.raises(ClientError) as caught:
        ask(anyone, one(recording, call))
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_denial_is_worded_as_aws_words_it(recording: Recording, served: Served, anyone: Clients) -> None:
    served.fail("s3:ListBuckets", FAULTS["SCP"])
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListAllMyBuckets with an explicit"):
        ask(anyone, one(recording, "s3:ListBuckets"))


@pytest.mark.parametrize("call", LISTINGS)
@pytest.mark.parametrize("name", ["AccessDenied", "reset"])
def test_the_second_page_fails_after_the_first_was_read(
    call: str, name: str, recording: Recording, served: Served, anyone: Clients
) -> None:
    asked = one(recording, call)
    (first, *_) = pages_of(anyone, asked)
    served.fail(call, FAULTS[name], page=2)
    pages = iter(pages_of(anyone, asked))
    assert items(call, [next(pages)]) == items(call, [first])
    with pytest.raises((ClientError, ConnectionClosedError)) as caught:
        next(pages)
    assert gap("scope", caught.value).reason in FAULTS[name].reasons


@pytest.mark.parametrize("call", LISTINGS)
def test_a_second_page_that_does_not_fail_adds_nothing(
    call: str, recording: Recording, served: Served, anyone: Clients
) -> None:
    asked = one(recording, call)
    whole = list(pages_of(anyone, asked))
    served.fail(call, FAULTS["503"], page=2, times=0)
    again = list(pages_of(anyone, asked))
    assert items(call, again) == items(call, whole)
    assert len(again) > 1


def pages_of(clients: Clients, asked: Asked) -> Iterable[Parsed]:
    service, _, operation = asked.call.partition(":")
    paginator = clients.get(service, asked.region).get_paginator(xform_name(operation))
    pages: Iterable[Parsed] = paginator.paginate(**asked.parameters)
    return pages


def items(call: str, pages: Iterable[Parsed]) -> list[Any]:
    found = paging(call)
    assert found
    return [item for page in pages for key in found.items for item in page.get(key, ())]


def test_a_call_without_pages_has_no_second_one(served: Served) -> None:
    assert not served.pages("ec2:DescribeAddresses")
    with pytest.raises(AssertionError, match="ec2:DescribeAddresses has one page"):
        served.fail("ec2:DescribeAddresses", FAULTS["500"], page=2)


def test_only_the_call_that_fails_fails_and_only_while_it_does(
    recording: Recording, served: Served, anyone: Clients
) -> None:
    volumes, instances = (one(recording, f"ec2:Describe{each}") for each in ("Volumes", "Instances"))
    whole = ask(anyone, volumes)
    with served.failing(volumes.call, FAULTS["500"]):
        ask(anyone, instances)
        with pytest.raises(ClientError):
            ask(anyone, volumes)
        assert served.calls == [instances, volumes]
    assert served.calls == []
    assert ask(anyone, volumes) == whole


def test_a_failure_passes_and_every_attempt_is_a_call(recording: Recording, served: Served) -> None:
    twice = CONFIG.merge(Config(retries={"total_max_attempts": 2}))
    asked = one(recording, "lambda:ListFunctions")
    served.fail(asked.call, FAULTS["503"], times=1)
    assert ask(served.clients(guarded=False, config=twice), asked)["Functions"]
    assert served.calls == [asked, asked]


@pytest.mark.parametrize(
    ("call", "region", "parameters"),
    [
        ("ec2:DescribeVpcs", REGION, {}),
        ("ec2:DescribeAddresses", "us-east-1", {}),
        ("s3:GetBucketAcl", REGION, {"Bucket": "nobodys"}),
    ],
)
def test_what_nobody_recorded_is_no_empty_answer(
    call: str, region: str, parameters: Parsed, recording: Recording
) -> None:
    served = Served(recording)
    asked = Asked(call, region, parameters)
    with pytest.raises(AssertionError, match=f"nobody recorded {call} in {region}"):
        ask(served.clients(guarded=False), asked)
    assert served.unrecorded == [asked]


def idle(recording: Recording, *, days: int) -> Query:
    """What was measured hour by hour: the CPU of an instance."""
    measured = next(
        query
        for asked, answer in recording.answers.items()
        if asked.call == METRICS
        for query, result in zip(
            asked.parameters["MetricDataQueries"], answer.parsed["MetricDataResults"], strict=True
        )
        if result["Values"] and query["MetricStat"]["Period"] == 3600
    )["MetricStat"]
    metric = measured["Metric"]
    (dimension,) = metric["Dimensions"]
    return Query(
        Metric(metric["Namespace"], metric["MetricName"], measured["Stat"], measured["Period"]),
        ((dimension["Name"], dimension["Value"]),),
        days,
    )


def test_any_part_of_what_was_measured_can_be_asked_for(recording: Recording, anyone: Clients) -> None:
    queries = [idle(recording, days=days) for days in (7, 1)]
    answers = metrics.fetch(anyone.get("cloudwatch"), queries, recording.now)
    found = [known(answers[query]) for query in queries]
    assert [each.expected for each in found] == [7 * 24, 24]
    assert [round(each.share, 1) for each in found] == [1, 1]


def test_more_than_was_measured_cannot_be_asked_for(
    recording: Recording, served: Served, anyone: Clients
) -> None:
    """Metrics take whatever is raised for a gap; what was asked in vain is on record."""
    for query in (
        idle(recording, days=90),
        replace(idle(recording, days=7), dimensions=(("InstanceId", "i-0"),)),
    ):
        metrics.fetch(anyone.get("cloudwatch"), [query], recording.now)
    metrics.fetch(anyone.get("cloudwatch"), [idle(recording, days=7)], recording.now + timedelta(days=1))
    assert [asked.call for asked in served.unrecorded] == ["cloudwatch:GetMetricData"] * 3
    served.unrecorded.clear()


def test_it_serves_many_threads_at_once(recording: Recording, served: Served, anyone: Clients) -> None:
    """Each gets the answer to its own question, and the failure of one is not that of another."""
    served.fail("ec2:DescribeVolumes", FAULTS["500"])

    def tell(asked: Asked) -> Parsed | str:
        try:
            return ask(anyone, asked)
        except ClientError as error:
            return error.response["Error"]["Code"]

    questions = list(recording.answers) * 2
    in_turn = [tell(asked) for asked in questions]
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(tell, questions)) == in_turn
    assert "InternalError" in in_turn
    assert len(served.calls) == 2 * len(questions)
