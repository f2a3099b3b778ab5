"""What the EFS collector sees."""

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Gap, Target
from orgscan.services.efs.collect import efs_file_systems
from orgscan.services.efs.facts import FileSystem
from orgscan.session import Clients
from tests.answers import answer, refuse


def test_file_systems(aws: boto3.Session, clients: Clients, target: Target) -> None:
    efs = aws.client("efs")
    plain, safe = (
        efs.create_file_system(
            CreationToken=str(encrypted), Encrypted=encrypted, Tags=[{"Key": "Owner", "Value": "ann"}]
        )
        for encrypted in (False, True)
    )
    assert list(efs_file_systems.read(clients, target)) == [
        FileSystem(arn=plain["FileSystemArn"], tags={"Owner": "ann"}, encrypted=False),
        FileSystem(arn=safe["FileSystemArn"], tags={"Owner": "ann"}, encrypted=True),
    ]


def test_two_pages_and_an_odd_one(clients: Clients, target: Target) -> None:
    arns = [target.arn("elasticfilesystem", f"file-system/fs-{number}") for number in range(3)]
    systems = [{"FileSystemArn": arn, "Encrypted": True, "Tags": []} for arn in arns]
    del systems[1]["Encrypted"]
    answer(
        clients,
        target,
        "efs:DescribeFileSystems",
        {"FileSystems": systems[:2], "NextMarker": "more"},
        {"FileSystems": systems[2:]},
    )
    lost: list[Gap] = []
    seen = list(efs_file_systems.read(clients, target, spoil=lost.append))
    assert [each.arn for each in seen] == [arns[0], arns[2]]
    assert len(lost) == 1


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "efs:DescribeFileSystems")
    with pytest.raises(ClientError, match="efs:DescribeFileSystems"):
        list(efs_file_systems.read(clients, target))
