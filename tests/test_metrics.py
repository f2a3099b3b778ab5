"""Metrics in as few calls as the API allows, and nothing lost on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.meter import Meter
from orgscan.metrics import CALLS, QUERIES_PER_CALL, Query, fetch, window
from orgscan.model import Blindness, Gap, Metric, Series
from orgscan.session import Clients, declared

NOW = datetime(2026, 1, 15, 12, 34, 56, tzinfo=UTC)
HOURLY = Metric("AWS/EC2", "CPUUtilization", "Average", 3600)
DAILY = Metric("AWS/EC2", "NetworkIn", "Sum", 86400)


def queries(count: int, metric: Metric = HOURLY, days: int = 7) -> list[Query]:
    return [Query(metric, (("InstanceId", f"i-{number}"),), days) for number in range(count)]


@pytest.fixture
def cloudwatch(clients: Clients) -> Iterator[Any]:
    with declared(["cloudwatch:GetMetricData"]):
        yield clients.get("cloudwatch")


class Answers:
    """Answers each call by its number; keeps what was asked."""

    def __init__(self, cloudwatch: Any, answer: Any) -> None:
        self.asked: list[Any] = []
        self._answer = answer
        cloudwatch.meta.events.register("provide-client-params.cloudwatch.GetMetricData", self._ask)
        cloudwatch.meta.events.register("before-call.cloudwatch.GetMetricData", self._reply)

    def _ask(self, params: Any, **_: object) -> None:
        self.asked.append(params)

    def _reply(self, **_: object) -> Any:
        return type("Response", (), {"status_code": 200}), self._answer(len(self.asked), self.asked[-1])


def each_its_number(_: int, asked: Any) -> Any:
    names = [query["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for query in asked["MetricDataQueries"]]
    return {
        "MetricDataResults": [
            {"Id": query["Id"], "Values": [float(name[2:])], "StatusCode": "Complete"}
            for query, name in zip(asked["MetricDataQueries"], names, strict=True)
        ]
    }


def test_queries_are_merged_into_as_few_calls_as_the_api_allows(cloudwatch: Any) -> None:
    answers = Answers(cloudwatch, each_its_number)
    wanted = queries(2 * QUERIES_PER_CALL + 1)
    found = fetch(cloudwatch, [*wanted, *wanted], NOW)  # what two checks want is asked once
    assert [len(asked["MetricDataQueries"]) for asked in answers.asked] == [500, 500, 1]
    assert found == {query: Series((float(number),), 168) for number, query in enumerate(wanted)}


def test_windows_end_with_the_last_full_period() -> None:
    assert window(queries(1)[0], NOW) == (
        datetime(2026, 1, 8, 12, tzinfo=UTC),
        datetime(2026, 1, 15, 12, tzinfo=UTC),
    )
    assert window(queries(1, DAILY, 14)[0], NOW) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 15, tzinfo=UTC),
    )


def test_periods_of_different_length_are_asked_apart(cloudwatch: Any) -> None:
    answers = Answers(cloudwatch, each_its_number)
    found = fetch(cloudwatch, [*queries(1), *queries(1, DAILY)], NOW)
    assert [series.expected for series in found.values() if isinstance(series, Series)] == [168, 7]
    assert len(answers.asked) == 2


def test_a_series_that_is_partial_goes_on_under_the_next_token(cloudwatch: Any) -> None:
    def in_two_pages(call: int, _: Any) -> Any:
        if call == 1:
            first = {"Id": "q0", "Values": [1.0, 2.0], "StatusCode": "PartialData"}
            return {"MetricDataResults": [first], "NextToken": "more"}
        return {"MetricDataResults": [{"Id": "q0", "Values": [3.0], "StatusCode": "Complete"}]}

    Answers(cloudwatch, in_two_pages)
    (query,) = queries(1)
    assert fetch(cloudwatch, [query], NOW) == {query: Series((1.0, 2.0, 3.0), 168)}


def test_no_datapoints_are_not_zero(cloudwatch: Any) -> None:
    Answers(
        cloudwatch, lambda *_: {"MetricDataResults": [{"Id": "q0", "Values": [], "StatusCode": "Complete"}]}
    )
    (series,) = fetch(cloudwatch, queries(1), NOW).values()
    assert series == Series((), 168)
    assert isinstance(series, Series)
    assert series.share == 0


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("Forbidden", Blindness.DENIED),
        ("InternalError", Blindness.FAULT),
        ("Postponed", Blindness.FAULT),
    ],
)
def test_what_cloudwatch_does_not_tell_is_a_gap(cloudwatch: Any, status: str, reason: Blindness) -> None:
    def half(*_: Any) -> Any:
        told = {"Id": "q0", "Values": [1.0], "StatusCode": "Complete"}
        return {"MetricDataResults": [told, {"Id": "q1", "Values": [], "StatusCode": status}]}

    Answers(cloudwatch, half)
    told, lost = fetch(cloudwatch, queries(2), NOW).values()
    assert told == Series((1.0,), 168)
    assert isinstance(lost, Gap)
    assert lost.reason is reason


def test_a_refused_call_costs_its_own_queries(cloudwatch: Any) -> None:
    def once(call: int, asked: Any) -> Any:
        if call == 1:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "GetMetricData")
        return each_its_number(call, asked)

    Answers(cloudwatch, once)
    found = list(fetch(cloudwatch, queries(QUERIES_PER_CALL + 1), NOW).values())
    assert {each.reason for each in found[:-1] if isinstance(each, Gap)} == {Blindness.THROTTLED}
    assert isinstance(found[-1], Series)


@pytest.mark.parametrize("odd", [[], [{"Id": "q7", "Values": [1.0], "StatusCode": "Complete"}]])
def test_a_metric_of_which_nothing_is_said_is_a_gap(cloudwatch: Any, odd: list[Any]) -> None:
    """Not a series without datapoints, which is what an idle resource has."""
    Answers(cloudwatch, lambda *_: {"MetricDataResults": odd})
    (lost,) = fetch(cloudwatch, queries(1), NOW).values()
    assert isinstance(lost, Gap)
    assert lost.reason is Blindness.FAULT


def test_each_metric_that_is_asked_for_is_counted(aws: boto3.Session) -> None:
    """CloudWatch bills them, not the calls."""
    meter = Meter()
    cloudwatch = Clients(aws, guarded=True, meter=meter).get("cloudwatch")
    with declared(CALLS):
        fetch(cloudwatch, queries(QUERIES_PER_CALL + 3), NOW)
    assert (meter.metrics, meter.calls.total()) == (QUERIES_PER_CALL + 3, 2)
