"""How we learn about volumes, snapshots, images and how a region treats them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.services.ec2.collect.paging import PAGE
from orgscan.services.ec2.facts import (
    Attachment,
    EbsEncryption,
    Image,
    ImageDisk,
    PublicSnapshot,
    Snapshot,
    SnapshotSharing,
    Volume,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        ImageTypeDef,
        LaunchPermissionTypeDef,
        SnapshotTypeDef,
        VolumeTypeDef,
    )

VOLUME_STATES = words("creating", "available", "in-use", "deleting", "deleted", "error")
VOLUME_TYPES = words("standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")
ATTACHMENT_STATES = words("attaching", "attached", "detaching", "detached", "busy")
SNAPSHOT_STATES = words("pending", "completed", "error", "recoverable", "recovering")
SNAPSHOT_TIERS = words("standard", "archive")
SHARING = words("block-all-sharing", "block-new-sharing", "unblocked")
GONE_IMAGE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


@collector(Volume, calls=("ec2:DescribeVolumes",))
def ebs_volumes(aws: Reader) -> Iterator[Volume]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_volumes"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_volume, aws), page["Volumes"])


def _volume(aws: Reader, volume: VolumeTypeDef) -> Volume:
    return Volume(
        arn=aws.target.arn("ec2", f"volume/{volume['VolumeId']}"),
        tags=aws.tags(volume.get("Tags")),
        id=volume["VolumeId"],
        type=VOLUME_TYPES[volume["VolumeType"]],
        size_gib=volume["Size"],
        state=VOLUME_STATES[volume["State"]],
        created=volume["CreateTime"],
        encrypted=volume["Encrypted"],
        iops=volume.get("Iops"),
        mibps=volume.get("Throughput"),
        attachments=tuple(
            Attachment(instance=each["InstanceId"], state=ATTACHMENT_STATES[each["State"]])
            for each in volume["Attachments"]
            if each.get("InstanceId")  # tasks of ECS have volumes too
        ),
    )


@collector(Snapshot, calls=("ec2:DescribeSnapshots",))
def ebs_snapshots(aws: Reader) -> Iterator[Snapshot]:
    """The account's own; without that limit, EC2 lists every public snapshot there is."""
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_snapshots"), OwnerIds=["self"], PaginationConfig=PAGE):
        yield from aws.shaped(partial(_snapshot, aws), page["Snapshots"])


def _snapshot(aws: Reader, snapshot: SnapshotTypeDef) -> Snapshot:
    return Snapshot(
        arn=_arn(aws, "snapshot", snapshot["SnapshotId"]),
        tags=aws.tags(snapshot.get("Tags")),
        id=snapshot["SnapshotId"],
        volume=snapshot["VolumeId"],
        started=snapshot["StartTime"],
        completed=SNAPSHOT_STATES[snapshot["State"]] == "completed",
        size_gib=snapshot["VolumeSize"],
        stored_bytes=snapshot.get("FullSnapshotSizeInBytes"),
        archived=SNAPSHOT_TIERS[snapshot.get("StorageTier", "standard")] == "archive",
        description=snapshot.get("Description", ""),
    )


def _arn(aws: Reader, kind: str, name: str) -> str:
    """Snapshots and images are the kinds whose ARNs name no account."""
    return f"arn:{aws.target.partition}:ec2:{aws.target.region}::{kind}/{name}"


@collector(PublicSnapshot, calls=("ec2:DescribeSnapshots",))
def ebs_public_snapshots(aws: Reader) -> Iterator[PublicSnapshot]:
    """Of the account's own: one listing, where the attributes would be a call for each snapshot."""
    ec2: EC2Client = aws.client("ec2")
    listing = ec2.get_paginator("describe_snapshots")
    public = {"OwnerIds": ["self"], "RestorableByUserIds": ["all"]}
    for page in aws.pages(listing, **public, PaginationConfig=PAGE):
        yield from aws.shaped(partial(_public_snapshot, aws), page["Snapshots"])


def _public_snapshot(aws: Reader, snapshot: SnapshotTypeDef) -> PublicSnapshot:
    return PublicSnapshot(arn=_arn(aws, "snapshot", snapshot["SnapshotId"]))


@collector(SnapshotSharing, calls=("ec2:GetSnapshotBlockPublicAccessState",))
def ebs_snapshot_sharing(aws: Reader) -> Iterator[SnapshotSharing]:
    ec2: EC2Client = aws.client("ec2")
    state = SHARING[ec2.get_snapshot_block_public_access_state()["State"]]
    yield SnapshotSharing(arn=aws.target.arn("ec2", "snapshot-block-public-access"), state=state)


@collector(EbsEncryption, calls=("ec2:GetEbsEncryptionByDefault",))
def ebs_encryption(aws: Reader) -> Iterator[EbsEncryption]:
    ec2: EC2Client = aws.client("ec2")
    by_default = ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    yield EbsEncryption(arn=aws.target.arn("ec2", "ebs-encryption-by-default"), by_default=by_default)


@collector(Image, calls=("ec2:DescribeImages", "ec2:DescribeImageAttribute"))
def ec2_images(aws: Reader) -> Iterator[Image]:
    """The account's own, also those that are deprecated or disabled: their snapshots cost the same."""
    ec2: EC2Client = aws.client("ec2")
    everything = {"Owners": ["self"], "IncludeDeprecated": True, "IncludeDisabled": True}
    for page in aws.pages(ec2.get_paginator("describe_images"), **everything, PaginationConfig=PAGE):
        yield from aws.each(partial(_image, aws, ec2), page["Images"])


def _image(aws: Reader, ec2: EC2Client, image: ImageTypeDef) -> Image:
    launched = image.get("LastLaunchedTime")
    disks = [each["Ebs"] for each in image.get("BlockDeviceMappings", []) if "Ebs" in each]
    return Image(
        arn=_arn(aws, "image", image["ImageId"]),
        tags=aws.tags(image.get("Tags")),
        id=image["ImageId"],
        name=image.get("Name", ""),
        public=image["Public"],
        created=_moment(image["CreationDate"]),
        launched=_moment(launched) if launched else None,
        disks=tuple(
            ImageDisk(snapshot=disk["SnapshotId"], size_gib=disk["VolumeSize"])
            for disk in disks
            if "SnapshotId" in disk  # an empty disk has none
        ),
        shared_with=image_shared_with(ec2, image["ImageId"]),
    )


def _moment(text: str) -> datetime:
    """EC2 writes the times of images as texts: '2026-01-01T10:00:00.000Z'."""
    return datetime.fromisoformat(text).astimezone(UTC)


@fact(absent=GONE_IMAGE)
def image_shared_with(ec2: EC2Client, image: str) -> tuple[str, ...]:
    """Without everyone: that stands in the image itself."""
    answer = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")
    return tuple(filter(None, map(_grantee, answer["LaunchPermissions"])))


def _grantee(permission: LaunchPermissionTypeDef) -> str | None:
    return (
        permission.get("UserId")
        or permission.get("OrganizationArn")
        or permission.get("OrganizationalUnitArn")
    )
