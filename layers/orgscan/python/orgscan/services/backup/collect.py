"""How we learn about AWS Backup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.backup.facts import ProtectedResource

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient
    from mypy_boto3_backup.type_defs import ProtectedResourceTypeDef


@collector(ProtectedResource, calls=("backup:ListProtectedResources",))
def backup_protected_resources(aws: Reader) -> Iterator[ProtectedResource]:
    backup: BackupClient = aws.client("backup")
    for page in aws.pages(backup.get_paginator("list_protected_resources")):
        yield from aws.shaped(_protected, page["Results"])


def _protected(resource: ProtectedResourceTypeDef) -> ProtectedResource:
    return ProtectedResource(arn=resource["ResourceArn"], last_backup=resource.get("LastBackupTime"))
