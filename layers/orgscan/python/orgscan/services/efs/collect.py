"""How we learn about EFS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.efs.facts import FileSystem

if TYPE_CHECKING:
    from mypy_boto3_efs import EFSClient
    from mypy_boto3_efs.type_defs import FileSystemDescriptionTypeDef


@collector(FileSystem, calls=("efs:DescribeFileSystems",))
def efs_file_systems(aws: Reader) -> Iterator[FileSystem]:
    efs: EFSClient = aws.client("efs")
    for page in aws.pages(efs.get_paginator("describe_file_systems")):
        yield from aws.shaped(partial(_file_system, aws), page["FileSystems"])


def _file_system(aws: Reader, system: FileSystemDescriptionTypeDef) -> FileSystem:
    return FileSystem(
        arn=system["FileSystemArn"], tags=aws.tags(system["Tags"]), encrypted=system["Encrypted"]
    )
