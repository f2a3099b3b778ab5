"""How we learn about AWS Backup."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.backup.facts import EndedJobs, Job, ProtectedResource

if TYPE_CHECKING:
    from mypy_boto3_backup import BackupClient
    from mypy_boto3_backup.type_defs import BackupJobTypeDef, CopyJobTypeDef, ProtectedResourceTypeDef

LOOKED_BACK = timedelta(days=14)
"""At jobs. AWS Backup itself remembers them for 30 days."""
UNDER_WAY = ("CREATED", "PENDING", "RUNNING", "ABORTING")
ENDED = ("COMPLETED", "FAILED", "EXPIRED", "ABORTED", "PARTIAL")


@collector(ProtectedResource, calls=("backup:ListProtectedResources",))
def backup_protected_resources(aws: Reader) -> Iterator[ProtectedResource]:
    backup: BackupClient = aws.client("backup")
    for page in aws.pages(backup.get_paginator("list_protected_resources")):
        yield from aws.shaped(_protected, page["Results"])


def _protected(resource: ProtectedResourceTypeDef) -> ProtectedResource:
    return ProtectedResource(arn=resource["ResourceArn"], last_backup=resource.get("LastBackupTime"))


@collector(EndedJobs, calls=("backup:ListBackupJobs", "backup:ListCopyJobs"))
def backup_ended_jobs(aws: Reader) -> Iterator[EndedJobs]:
    """No page says which job of a resource is its newest, so all are read before the first is yielded.

    One that makes no sense may be the newest of any resource: then nothing is said of them all.
    """
    backup: BackupClient = aws.client("backup")
    since = aws.now - LOOKED_BACK
    saved: dict[str, Job] = {}
    for page in backup.get_paginator("list_backup_jobs").paginate(ByCreatedAfter=since):
        read = list(aws.shaped(_backup_job, page["BackupJobs"]))
        if len(read) < len(page["BackupJobs"]):
            return
        for arn, job in read:
            if job:
                saved[arn] = _newer(saved.get(arn), job)
    copied: dict[str, dict[str, Job]] = defaultdict(dict)
    for copies in backup.get_paginator("list_copy_jobs").paginate(ByCreatedAfter=since):
        made = list(aws.shaped(_copy_job, copies["CopyJobs"]))
        if len(made) < len(copies["CopyJobs"]):
            return
        for arn, vault, job in made:
            if job:
                copied[arn][vault] = _newer(copied[arn].get(vault), job)
    for arn in sorted({*saved, *copied}):
        copies_of = copied.get(arn, {})
        yield EndedJobs(
            arn=arn, backup=saved.get(arn), copies=tuple(copies_of[vault] for vault in sorted(copies_of))
        )


def _newer(one: Job | None, other: Job) -> Job:
    return other if one is None or one.created < other.created else one


def _backup_job(job: BackupJobTypeDef) -> tuple[str, Job | None]:
    """Of which resource; None: it is under way."""
    if not _has_ended(job["State"]):
        return "", None
    return job["ResourceArn"], Job(
        state=job["State"],
        created=job["CreationDate"],
        vault=job["BackupVaultName"],
        message=job.get("StatusMessage", ""),
    )


def _copy_job(job: CopyJobTypeDef) -> tuple[str, str, Job | None]:
    """By the vault's ARN: accounts and regions have vaults of one name."""
    if not _has_ended(job["State"]):
        return "", "", None
    vault = job["DestinationBackupVaultArn"]
    return (
        job["ResourceArn"],
        vault,
        Job(
            state=job["State"],
            created=job["CreationDate"],
            vault=vault,
            message=job.get("StatusMessage", ""),
        ),
    )


def _has_ended(state: str) -> bool:
    """Raises ValueError for a state that nobody knew: it may be a failure."""
    if state not in (*UNDER_WAY, *ENDED):
        raise ValueError
    return state in ENDED
