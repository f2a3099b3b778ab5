"""How we learn about AWS Config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.services.config.facts import Recorder, Recording, Status

if TYPE_CHECKING:
    from mypy_boto3_config import ConfigServiceClient
    from mypy_boto3_config.type_defs import ConfigurationRecorderOutputTypeDef


@collector(
    Recording,
    calls=(
        "config:DescribeConfigurationRecorders",
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeDeliveryChannels",
    ),
)
def config_recordings(aws: Reader) -> Iterator[Recording]:
    config: ConfigServiceClient = aws.client("config")
    listed = config.describe_configuration_recorders()["ConfigurationRecorders"]
    own = [each for each in listed if not each.get("servicePrincipal")]
    recorders = tuple(aws.shaped(_recorder, own))
    # One that makes no sense may be the one that records all, so nothing can be said of the region.
    if len(recorders) == len(own):
        yield Recording(
            arn=aws.target.arn("config", "configuration-recorder"),
            recorders=recorders,
            statuses=recorder_statuses(config) if recorders else None,
            delivered=delivery_channel_exists(config) if recorders else None,
        )


def _recorder(recorder: ConfigurationRecorderOutputTypeDef) -> Recorder:
    group = recorder["recordingGroup"]
    return Recorder(
        name=recorder["name"],
        everything=group.get("allSupported", False),
        global_types=group.get("includeGlobalResourceTypes", False),
        included=frozenset(group.get("resourceTypes", [])),
        excluded=frozenset(group.get("exclusionByResourceTypes", {}).get("resourceTypes", [])),
    )


@fact(absent=())
def recorder_statuses(config: ConfigServiceClient) -> dict[str, Status]:
    listed = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    return {
        each["name"]: Status(
            recording=each["recording"],
            last=each.get("lastStatus", "").upper(),
            error=each.get("lastErrorCode", ""),
        )
        for each in listed
    }


@fact(absent=())
def delivery_channel_exists(config: ConfigServiceClient) -> bool:
    return bool(config.describe_delivery_channels()["DeliveryChannels"])
