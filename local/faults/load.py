"""What CloudWatch measured: datapoints for the past weeks, up to now."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from local.place import Place

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIB = 1024 * 1024
DATAPOINTS_PER_CALL = 60
"""botocore compresses requests above 10 KiB, and moto cannot read them."""

Load: TypeAlias = Callable[[datetime], float]


def steady(value: float) -> Load:
    return lambda _: value


def busy_nights(value: float) -> Load:
    """One hour a night: the average of the day stays low."""
    return lambda moment: value if moment.hour == 2 else 0.5  # noqa: PLR2004


def measure(place: Place, instance: str, *, cpu: Load, network_mib_a_day: float) -> None:
    """An instance's last eight days."""
    dimensions = {"InstanceId": instance}
    traffic = steady(network_mib_a_day * MIB / 2)
    data = [
        *_series("CPUUtilization", dimensions, cpu, period=HOUR, days=8),
        *_series("NetworkIn", dimensions, traffic, period=DAY, days=8),
        *_series("NetworkOut", dimensions, traffic, period=DAY, days=8),
    ]
    _put(place, "AWS/EC2", data)


def measure_gateway(place: Place, gateway: str, *, mib_a_day: float) -> None:
    """A NAT gateway's last fifteen days."""
    dimensions = {"NatGatewayId": gateway}
    traffic = steady(mib_a_day * MIB / 2)
    data = [
        *_series("BytesOutToDestination", dimensions, traffic, period=DAY, days=15),
        *_series("BytesInFromSource", dimensions, traffic, period=DAY, days=15),
    ]
    _put(place, "AWS/NATGateway", data)


def receive(place: Place, log_group: str, *, days_ago: int) -> None:
    """Some bytes of events, on one day."""
    moment = datetime.now(UTC) - days_ago * DAY
    named = [{"Name": "LogGroupName", "Value": log_group}]
    datum = {"MetricName": "IncomingBytes", "Dimensions": named, "Timestamp": moment, "Value": 4096}
    _put(place, "AWS/Logs", [datum])


def _series(
    metric: str, dimensions: dict[str, str], load: Load, *, period: timedelta, days: int
) -> Iterator[dict[str, Any]]:
    """One datapoint per period, the running one included: a scan some minutes later still finds all."""
    seconds = period.total_seconds()
    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() // seconds * seconds, UTC)
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    for number in range(int(timedelta(days=days) / period) + 1):
        moment = now - number * period
        yield {"MetricName": metric, "Dimensions": named, "Timestamp": moment, "Value": load(moment)}


def _put(place: Place, namespace: str, data: list[dict[str, Any]]) -> None:
    for start in range(0, len(data), DATAPOINTS_PER_CALL):
        place.client("cloudwatch").put_metric_data(
            Namespace=namespace, MetricData=data[start : start + DATAPOINTS_PER_CALL]
        )
