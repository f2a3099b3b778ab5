"""What the collectors see of images, snapshots that are public, and settings of a region."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from orgscan.model import Blindness, Gap, Target
from orgscan.services.ec2 import collect
from orgscan.services.ec2.facts import EbsEncryption, Image, ImageDisk, PublicSnapshot, SnapshotSharing
from orgscan.session import Clients
from tests.answers import answer, refuse

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
IMAGE: dict[str, Any] = {
    "ImageId": "ami-1",
    "Name": "web",
    "Public": False,
    "CreationDate": "2026-01-01T10:00:00.000Z",
}


@pytest.fixture
def ec2(aws: boto3.Session) -> Any:
    return aws.client("ec2")


def image(ec2: Any, name: str) -> str:
    (made,) = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"]
    tags = [{"ResourceType": "image", "Tags": [{"Key": "Owner", "Value": "ann"}]}]
    return str(ec2.create_image(InstanceId=made["InstanceId"], Name=name, TagSpecifications=tags)["ImageId"])


def listed(clients: Clients, target: Target, *images: Any) -> tuple[list[Image], list[Gap]]:
    answer(clients, target, "ec2:DescribeImages", {"Images": images})
    lost: list[Gap] = []
    return list(collect.ec2_images.read(clients, target, spoil=lost.append)), lost


def test_an_image(ec2: Any, clients: Clients, target: Target) -> None:
    asked: list[Any] = []
    clients.get("ec2").meta.events.register(
        "before-parameter-build.ec2.DescribeImages", lambda params, **_: asked.append(params)
    )
    made = image(ec2, "web")
    ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": "999999999999"}]})
    (described,) = ec2.describe_images(Owners=["self"])["Images"]
    (seen,) = collect.ec2_images.read(clients, target)
    assert seen == Image(
        arn=f"arn:aws:ec2:eu-west-1::image/{made}",
        tags={"Owner": "ann"},
        id=made,
        name="web",
        public=False,
        created=datetime.fromisoformat(described["CreationDate"]),
        disks=(ImageDisk(snapshot=described["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"], size_gib=15),),
        shared_with=("999999999999",),
    )
    (parameters,) = asked
    assert (parameters["Owners"], parameters["IncludeDeprecated"], parameters["IncludeDisabled"]) == (
        ["self"],
        True,
        True,
    )


def test_images_of_two_pages(clients: Clients, target: Target) -> None:
    answer(clients, target, "ec2:DescribeImageAttribute", {"LaunchPermissions": []})
    answer(
        clients,
        target,
        "ec2:DescribeImages",
        {"Images": [IMAGE], "NextToken": "2"},
        {"Images": [{**IMAGE, "ImageId": "ami-2"}]},
    )
    assert [each.id for each in collect.ec2_images.read(clients, target)] == ["ami-1", "ami-2"]


def test_what_ec2_says_of_some_images_only(clients: Clients, target: Target) -> None:
    disks = [
        {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8}},
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 50}},
    ]
    permissions = [
        {"Group": "all"},
        {"UserId": "999999999999"},
        {"OrganizationArn": "arn:o"},
        {"OrganizationalUnitArn": "arn:ou"},
    ]
    answer(clients, target, "ec2:DescribeImageAttribute", {"LaunchPermissions": permissions})
    described = {
        **IMAGE,
        "Public": True,
        "LastLaunchedTime": "2026-01-02T10:00:00Z",
        "BlockDeviceMappings": disks,
    }
    (seen,), lost = listed(clients, target, described)
    assert lost == []
    assert seen == Image(
        arn="arn:aws:ec2:eu-west-1::image/ami-1",
        tags={},
        id="ami-1",
        name="web",
        public=True,
        created=START,
        launched=START.replace(day=2),
        disks=(ImageDisk(snapshot="snap-1", size_gib=8),),
        shared_with=("999999999999", "arn:o", "arn:ou"),
    )
    assert seen.snapshots == ("snap-1",)


def test_an_odd_image_costs_itself(clients: Clients, target: Target) -> None:
    """One that does not say whether it is public among them."""
    answer(clients, target, "ec2:DescribeImageAttribute", {"LaunchPermissions": []})
    odd = [{key: IMAGE[key] for key in IMAGE if key != out} for out in ("ImageId", "Public", "CreationDate")]
    seen, lost = listed(clients, target, *odd, {**IMAGE, "CreationDate": "yesterday"}, IMAGE)
    assert [each.id for each in seen] == ["ami-1"]
    assert [(each.scope, each.reason) for each in lost] == [("ec2-images", Blindness.FAULT)] * 4


def test_launch_permissions_that_may_not_be_read_are_a_gap(clients: Clients, target: Target) -> None:
    refuse(clients, target, "ec2:DescribeImageAttribute", "UnauthorizedOperation")
    (seen,), _ = listed(clients, target, IMAGE)
    assert seen.shared_with == Gap("image_shared_with", Blindness.DENIED, "ec2:DescribeImageAttribute")


def test_an_image_that_is_deregistered_meanwhile(clients: Clients, target: Target) -> None:
    refuse(clients, target, "ec2:DescribeImageAttribute", "InvalidAMIID.Unavailable")
    (seen,), lost = listed(clients, target, IMAGE)
    assert (seen.shared_with, lost) == (None, [])


def test_public_snapshots_are_asked_for_in_one_listing(clients: Clients, target: Target) -> None:
    asked: list[Any] = []
    clients.get("ec2").meta.events.register(
        "before-parameter-build.ec2.DescribeSnapshots", lambda params, **_: asked.append(dict(params))
    )
    first = {"Snapshots": [{"SnapshotId": "snap-1"}, {}], "NextToken": "2"}
    answer(clients, target, "ec2:DescribeSnapshots", first, {"Snapshots": [{"SnapshotId": "snap-2"}]})
    lost: list[Gap] = []
    assert list(collect.ebs_public_snapshots.read(clients, target, spoil=lost.append)) == [
        PublicSnapshot(arn=f"arn:aws:ec2:eu-west-1::snapshot/{id_}") for id_ in ("snap-1", "snap-2")
    ]
    assert [(each.scope, each.reason) for each in lost] == [("ebs-public-snapshots", Blindness.FAULT)]
    assert [(each["OwnerIds"], each["RestorableByUserIds"]) for each in asked] == [(["self"], ["all"])] * 2


def test_a_snapshot_in_the_archive(clients: Clients, target: Target) -> None:
    described = {
        "SnapshotId": "snap-1",
        "VolumeId": "vol-ffffffff",
        "State": "completed",
        "StartTime": START,
        "VolumeSize": 8,
        "StorageTier": "archive",
        "FullSnapshotSizeInBytes": 4096,
    }
    odd = [{key: described[key] for key in described if key != out} for out in list(described)[:5]]
    answer(clients, target, "ec2:DescribeSnapshots", {"Snapshots": [*odd, described]})
    lost: list[Gap] = []
    (seen,) = collect.ebs_snapshots.read(clients, target, spoil=lost.append)
    assert (seen.archived, seen.stored_bytes, seen.description) == (True, 4096, "")
    assert len(lost) == len(odd)


def test_settings_of_the_region(ec2: Any, clients: Clients, target: Target) -> None:
    arn = target.arn("ec2", "ebs-encryption-by-default")
    assert list(collect.ebs_encryption.read(clients, target)) == [EbsEncryption(arn=arn, by_default=False)]
    ec2.enable_ebs_encryption_by_default()
    assert list(collect.ebs_encryption.read(clients, target)) == [EbsEncryption(arn=arn, by_default=True)]
    answer(clients, target, "ec2:GetSnapshotBlockPublicAccessState", {"State": "block-all-sharing"})
    assert list(collect.ebs_snapshot_sharing.read(clients, target)) == [
        SnapshotSharing(arn=target.arn("ec2", "snapshot-block-public-access"), state="block-all-sharing")
    ]


def test_the_latest_and_the_default_version_of_each_template(
    ec2: Any, clients: Clients, target: Target
) -> None:
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-1"})
    id_ = made["LaunchTemplate"]["LaunchTemplateId"]
    for data in ({"ImageId": "ami-2"}, {"InstanceType": "m5.large"}):
        ec2.create_launch_template_version(LaunchTemplateId=id_, LaunchTemplateData=data)
    ec2.create_launch_template(LaunchTemplateName="api", LaunchTemplateData={"ImageId": "ami-3"})
    versions = {each.name: each for each in collect.ec2_launch_template_versions.read(clients, target)}
    assert versions[f"{id_}:1"].arn == target.arn("ec2", f"launch-template/{id_}:1")
    assert {name.partition(":")[2]: each.image for name, each in versions.items() if id_ in name} == {
        "1": "ami-1",
        "3": None,
    }
    assert {each.image for each in versions.values()} == {"ami-1", None, "ami-3"}


def test_the_partition_is_the_targets(clients: Clients) -> None:
    china = Target("123456789012", "eu-west-1", "aws-cn")
    answer(clients, china, "ec2:DescribeImageAttribute", {"LaunchPermissions": []})
    (seen,), _ = listed(clients, china, IMAGE)
    assert seen.arn == "arn:aws-cn:ec2:eu-west-1::image/ami-1"
