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
        *_series("BytesInFromDestination", dimensions, traffic, period=DAY, days=15),
    ]
    _put(place, "AWS/NATGateway", data)


def measure_volume(place: Place, volume: str, *, operations_a_day: float) -> None:
    """A volume's last eight days."""
    dimensions = {"VolumeId": volume}
    operations = steady(operations_a_day / 2)
    data = [
        *_series("VolumeReadOps", dimensions, operations, period=DAY, days=8),
        *_series("VolumeWriteOps", dimensions, operations, period=DAY, days=8),
    ]
    _put(place, "AWS/EBS", data)


def measure_endpoint(place: Place, endpoint: str, service: str, *, mib_a_day: float) -> None:
    """An interface endpoint of the default VPC; CloudWatch hears nothing of one without traffic."""
    dimensions = {
        "Endpoint Type": "Interface",
        "Service Name": service,
        "VPC Endpoint Id": endpoint,
        "VPC Id": place.vpc,
    }
    traffic = steady(mib_a_day * MIB)
    _put(
        place,
        "AWS/PrivateLinkEndpoints",
        [*_series("BytesProcessed", dimensions, traffic, period=DAY, days=15)],
    )


def measure_balancer(
    place: Place, arn: str, *, arrivals_a_day: float, mib_a_day: float, namespace: str = "AWS/ApplicationELB"
) -> None:
    """A load balancer's last eight days: requests, or new flows, and bytes."""
    dimensions = {"LoadBalancer": arn.partition(":loadbalancer/")[2]}
    arrivals = "RequestCount" if namespace == "AWS/ApplicationELB" else "NewFlowCount"
    data = [
        *_series(arrivals, dimensions, steady(arrivals_a_day), period=DAY, days=8),
        *_series("ProcessedBytes", dimensions, steady(mib_a_day * MIB), period=DAY, days=8),
    ]
    _put(place, namespace, data)


def measure_daily(place: Place, namespace: str, dimensions: dict[str, str], **metrics: float) -> None:
    """The same value on each of the last fifteen days."""
    series = [_series(name, dimensions, steady(each), period=DAY, days=15) for name, each in metrics.items()]
    _put(place, namespace, [point for points in series for point in points])


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
