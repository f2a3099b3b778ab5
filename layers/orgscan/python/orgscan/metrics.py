"""CloudWatch metrics: what checks ask for, answered in as few calls as the API allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orgscan.errors import gap
from orgscan.model import Blindness, Gap, Metric, Series

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricDataResultTypeDef

CALLS = ("cloudwatch:GetMetricData",)
READ = ("Complete", "PartialData")
QUERIES_PER_CALL = 500
"""The API's limit: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""


@dataclass(frozen=True, slots=True)
class Query:
    metric: Metric
    dimensions: tuple[tuple[str, str], ...]
    days: int


def window(query: Query, now: datetime) -> tuple[datetime, datetime]:
    """Start and end, aligned to the period; the last period that has not ended is left out."""
    period = query.metric.period
    end = datetime.fromtimestamp(now.timestamp() // period * period, UTC)
    return end - timedelta(days=query.days), end


def fetch(cloudwatch: CloudWatchClient, queries: Iterable[Query], now: datetime) -> dict[Query, Series | Gap]:
    """Every query answered: by its series, or by why there is none."""
    windows: dict[tuple[datetime, datetime], list[Query]] = defaultdict(list)
    for query in dict.fromkeys(queries):
        windows[window(query, now)].append(query)
    answers: dict[Query, Series | Gap] = {}
    for span, asked in windows.items():
        for start in range(0, len(asked), QUERIES_PER_CALL):
            answers |= _fetch_batch(cloudwatch, asked[start : start + QUERIES_PER_CALL], span)
    return answers


def _fetch_batch(
    cloudwatch: CloudWatchClient, queries: Sequence[Query], span: tuple[datetime, datetime]
) -> Mapping[Query, Series | Gap]:
    values: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, Gap] = {}
    try:
        for result in _results(cloudwatch, queries, span):
            values[result["Id"]] += map(float, result["Values"])
            if result["StatusCode"] not in READ:
                failed[result["Id"]] = _refused(result)
    except Exception as error:  # noqa: BLE001 (whatever it is costs these metrics and nothing else)
        lost = gap("cloudwatch:GetMetricData", error)
        return dict.fromkeys(queries, lost)
    expected = [query.days * 86400 // query.metric.period for query in queries]
    for number in range(len(queries)):
        if f"q{number}" not in values:
            failed[f"q{number}"] = Gap(
                "cloudwatch:GetMetricData", Blindness.FAULT, "a metric was not answered"
            )
    return {
        query: failed.get(f"q{number}") or Series(tuple(values[f"q{number}"]), expected[number])
        for number, query in enumerate(queries)
    }


def _results(
    cloudwatch: CloudWatchClient, queries: Sequence[Query], span: tuple[datetime, datetime]
) -> Iterator[MetricDataResultTypeDef]:
    """All pages: a series that says PartialData goes on under the next token."""
    paginator = cloudwatch.get_paginator("get_metric_data")
    asked: list[MetricDataQueryTypeDef] = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": query.metric.namespace,
                    "MetricName": query.metric.name,
                    "Dimensions": [
                        {"Name": name, "Value": value}
                        for name, value in (*query.dimensions, *query.metric.dimensions)
                    ],
                },
                "Period": query.metric.period,
                "Stat": query.metric.statistic,
            },
        }
        for number, query in enumerate(queries)
    ]
    for page in paginator.paginate(MetricDataQueries=asked, StartTime=span[0], EndTime=span[1]):
        yield from page["MetricDataResults"]


def _refused(result: MetricDataResultTypeDef) -> Gap:
    reason = Blindness.DENIED if result["StatusCode"] == "Forbidden" else Blindness.FAULT
    return Gap("cloudwatch:GetMetricData", reason, f"{result.get('Label', '')}: {result['StatusCode']}")
