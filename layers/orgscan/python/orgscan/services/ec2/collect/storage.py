"""How we learn about volumes and snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.ec2.collect.paging import PAGE
from orgscan.services.ec2.facts import Snapshot, Volume

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import SnapshotTypeDef, VolumeTypeDef


@collector(Volume, calls=("ec2:DescribeVolumes",))
def ebs_volumes(aws: Reader) -> Iterator[Volume]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_volumes"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_volume, aws), page["Volumes"])


def _volume(aws: Reader, volume: VolumeTypeDef) -> Volume:
    attachments = volume.get("Attachments", [])
    return Volume(
        arn=aws.target.arn("ec2", f"volume/{volume['VolumeId']}"),
        tags=aws.tags(volume.get("Tags")),
        id=volume["VolumeId"],
        type=volume["VolumeType"],
        size_gib=volume["Size"],
        state=volume["State"],
        created=volume["CreateTime"],
        encrypted=volume["Encrypted"],
        iops=volume.get("Iops"),
        mibps=volume.get("Throughput"),
        instances=tuple(each["InstanceId"] for each in attachments if each.get("InstanceId")),
    )


@collector(Snapshot, calls=("ec2:DescribeSnapshots",))
def ebs_snapshots(aws: Reader) -> Iterator[Snapshot]:
    """The account's own; without that limit, EC2 lists every public snapshot there is."""
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_snapshots"), OwnerIds=["self"], PaginationConfig=PAGE):
        yield from aws.shaped(partial(_snapshot, aws), page["Snapshots"])


def _snapshot(aws: Reader, snapshot: SnapshotTypeDef) -> Snapshot:
    return Snapshot(
        # Snapshots are the one kind whose ARN names no account.
        arn=f"arn:{aws.target.partition}:ec2:{aws.target.region}::snapshot/{snapshot['SnapshotId']}",
        volume=snapshot["VolumeId"],
        started=snapshot["StartTime"],
        completed=snapshot["State"] == "completed",
    )
