"""How we learn about instances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.ec2.collect.paging import GONE, PAGE
from orgscan.services.ec2.facts import Instance, Metadata

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef, ReservationTypeDef

STOPPED = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
"""In a StateTransitionReason: 'User initiated (2026-01-01 10:00:00 GMT)'."""


@collector(Instance, calls=("ec2:DescribeInstances",))
def ec2_instances(aws: Reader) -> Iterator[Instance]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_instances"), PaginationConfig=PAGE):
        for instances in aws.shaped(_reserved, page["Reservations"]):
            yield from aws.shaped(partial(_instance, aws), instances)


def _reserved(reservation: ReservationTypeDef) -> list[InstanceTypeDef]:
    return reservation["Instances"]


def _instance(aws: Reader, instance: InstanceTypeDef) -> Instance | None:
    if instance["State"]["Name"] in GONE:
        return None
    disks = [mapping["Ebs"] for mapping in instance.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    return Instance(
        arn=aws.target.arn("ec2", f"instance/{instance['InstanceId']}"),
        tags=aws.tags(instance.get("Tags")),
        id=instance["InstanceId"],
        type=instance["InstanceType"],
        state=instance["State"]["Name"],
        launched=instance["LaunchTime"],
        attached=max((disk["AttachTime"] for disk in disks if "AttachTime" in disk), default=None),
        stopped=_stopped(instance.get("StateTransitionReason", "")),
        metadata=_metadata(instance),
        platform=instance.get("PlatformDetails"),
        spot=instance.get("InstanceLifecycle") == "spot",
        dedicated=instance.get("Placement", {}).get("Tenancy", "default") != "default",
    )


def _stopped(reason: str) -> datetime | None:
    said = STOPPED.search(reason)
    return datetime.fromisoformat(said[1]).replace(tzinfo=UTC) if said else None


def _metadata(instance: InstanceTypeDef) -> Metadata | None:
    options = instance.get("MetadataOptions")
    if not options:
        return None
    return Metadata(
        enabled=options.get("HttpEndpoint") != "disabled",
        tokens_required=options.get("HttpTokens") == "required",
    )
