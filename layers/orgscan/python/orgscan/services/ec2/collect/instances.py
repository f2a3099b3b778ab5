"""How we learn about instances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from orgscan.collector import Reader, collector
from orgscan.model import Gap
from orgscan.secrets import Secret
from orgscan.services.ec2.collect.paging import GONE, SMALL_PAGE
from orgscan.services.ec2.collect.user_data import user_data_of
from orgscan.services.ec2.facts import Instance, LaunchTemplateVersion, Metadata

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        InstanceTypeDef,
        LaunchTemplateVersionTypeDef,
        PaginatorConfigTypeDef,
        ReservationTypeDef,
    )

Source: TypeAlias = tuple[str, ...]
UserData: TypeAlias = tuple[Secret, ...] | Gap | None

LAUNCHED_BY = ("aws:autoscaling:groupName", "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version")
"""Tags by which EC2 says what it launched an instance from."""
TEMPLATES_PAGE: PaginatorConfigTypeDef = {"PageSize": 200}
"""The most that launch templates allow."""
STOPPED = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
"""In a StateTransitionReason: 'User initiated (2026-01-01 10:00:00 GMT)'."""


@collector(Instance, calls=("ec2:DescribeInstances", "ec2:DescribeInstanceAttribute"))
def ec2_instances(aws: Reader) -> Iterator[Instance]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_instances"), PaginationConfig=SMALL_PAGE):
        instances = list(chain.from_iterable(aws.shaped(_reserved, page["Reservations"])))
        user_data = _user_data(aws, ec2, instances)
        yield from aws.shaped(partial(_instance, aws, user_data), instances)


def _user_data(
    aws: Reader, ec2: EC2Client, instances: Iterable[InstanceTypeDef]
) -> Mapping[Source, UserData]:
    """Only instances have it, so it is a call for each; for those of one source, for one of them."""
    sources = {_source(each): each["InstanceId"] for each in instances if _is_there(each)}

    def read(source: Source) -> tuple[Source, UserData]:
        return source, user_data_of(ec2, sources[source], aws.salt)

    return dict(aws.each(read, sources))


def _is_there(instance: InstanceTypeDef) -> bool:
    """What is not whole is told when the instance is made of it."""
    return "InstanceId" in instance and instance.get("State", {}).get("Name") not in GONE


def _source(instance: InstanceTypeDef) -> Source:
    """Where it has its user data from: a group's version of a launch template, or itself."""
    tags = {tag.get("Key"): tag.get("Value", "") for tag in instance.get("Tags", [])}
    if all(name in tags for name in LAUNCHED_BY):
        return tuple(tags[name] for name in LAUNCHED_BY)
    return (instance["InstanceId"],)


def _reserved(reservation: ReservationTypeDef) -> list[InstanceTypeDef]:
    return reservation["Instances"]


def _instance(
    aws: Reader, user_data: Mapping[Source, UserData], instance: InstanceTypeDef
) -> Instance | None:
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
        image=instance["ImageId"],
        attached=max((disk["AttachTime"] for disk in disks if "AttachTime" in disk), default=None),
        root_volume=_root_volume(instance),
        user_data=user_data[_source(instance)],
        stopped=_stopped(instance.get("StateTransitionReason", "")),
        metadata=_metadata(instance),
        platform=instance.get("PlatformDetails"),
        spot=instance.get("InstanceLifecycle") == "spot",
        dedicated=instance.get("Placement", {}).get("Tenancy", "default") != "default",
    )


def _root_volume(instance: InstanceTypeDef) -> str | None:
    for mapping in instance.get("BlockDeviceMappings", []):
        if mapping.get("DeviceName") == instance.get("RootDeviceName"):
            return mapping.get("Ebs", {}).get("VolumeId")
    return None


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


@collector(LaunchTemplateVersion, calls=("ec2:DescribeLaunchTemplateVersions",))
def ec2_launch_template_versions(aws: Reader) -> Iterator[LaunchTemplateVersion]:
    """Of all launch templates, which this call tells of the latest and the default version only."""
    ec2: EC2Client = aws.client("ec2")
    listing = ec2.get_paginator("describe_launch_template_versions")
    for page in aws.pages(listing, Versions=["$Latest", "$Default"], PaginationConfig=TEMPLATES_PAGE):
        yield from aws.shaped(partial(_template_version, aws), page["LaunchTemplateVersions"])


def _template_version(aws: Reader, version: LaunchTemplateVersionTypeDef) -> LaunchTemplateVersion:
    name, data = f"{version['LaunchTemplateId']}:{version['VersionNumber']}", version["LaunchTemplateData"]
    of_interfaces = (group for each in data.get("NetworkInterfaces", []) for group in each.get("Groups", []))
    groups = (*data.get("SecurityGroupIds", []), *data.get("SecurityGroups", []), *of_interfaces)
    return LaunchTemplateVersion(
        # Versions have no ARN of their own.
        arn=aws.target.arn("ec2", f"launch-template/{name}"),
        name=name,
        image=data.get("ImageId"),
        security_groups=tuple(dict.fromkeys(groups)),
    )
