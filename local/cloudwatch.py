"""CloudWatch for the embedded AWS: moto's, which looks at all there is for every period of every series."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import CloudWatchBackend, Statistics


def install(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CloudWatchBackend, "get_metric_data", _get_metric_data)


def _get_metric_data(
    backend: Any,
    queries: Sequence[dict[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    """As moto answers, of series alone: nobody here reckons with them."""
    start, end = start_time.replace(microsecond=0), end_time.replace(microsecond=0)
    series: dict[Any, list[Any]] = defaultdict(list)
    for datum in backend.get_all_metrics():
        if start <= datum.timestamp < end:
            series[_series(datum.namespace, datum.name, _named(datum.dimensions))].append(datum)
    return [_result(query, series, start, newest_first=scan_by == "TimestampDescending") for query in queries]


def _result(
    query: dict[str, Any], series: dict[Any, list[Any]], start: datetime, *, newest_first: bool
) -> dict[str, Any]:
    stat = query["MetricStat"]
    metric, period = stat["Metric"], timedelta(seconds=int(stat["Period"]))
    wanted = [(each["Name"], each["Value"]) for each in metric.get("Dimensions", [])]
    periods: dict[int, list[Any]] = defaultdict(list)
    for datum in series.get(_series(metric["Namespace"], metric["MetricName"], wanted), ()):
        periods[(datum.timestamp - start) // period].append(datum)
    points = []
    for number in sorted(periods, reverse=newest_first):
        statistics = Statistics([stat["Stat"]], start + number * period)
        statistics.metric_data = periods[number]
        points.append((statistics.timestamp, statistics.get_statistics_for_type(stat["Stat"])))
    return {
        "id": query["Id"],
        "label": query.get("Label") or f"{metric['MetricName']} {stat['Stat']}",
        "values": [value for _, value in points],
        "timestamps": [moment for moment, _ in points],
        "status_code": "Complete",
    }


def _series(namespace: str, name: str, dimensions: Sequence[tuple[str, str]]) -> Any:
    return namespace, name, tuple(sorted(dimensions))


def _named(dimensions: Sequence[Any]) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in dimensions]
