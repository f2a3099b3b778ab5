"""What AWS Backup saved, and what it should have."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local.faults.data import BACKUP, database
from local.faults.databases import old_database
from local.place import Place, scenario, tag_list

JOB, UNPROTECTED = "backup-job-failed", "backup-resource-unprotected"
PROTECTED = "backup:ListProtectedResources"
JOBS, COPIES = "backup:ListBackupJobs", "backup:ListCopyJobs"
ABSENT: Mapping[str, Any] = {
    PROTECTED: {"Results": []},
    JOBS: {"BackupJobs": []},
    COPIES: {"CopyJobs": []},
}


def protect(place: Place, arn: str, *, days: float = 1) -> None:
    """AWS Backup has a recovery point of that age."""
    _add(place, PROTECTED, "Results", {"ResourceArn": arn, "LastBackupTime": _ago(days)})


def job(place: Place, arn: str, state: str, *, days: float, message: str = "") -> None:
    made = {
        "BackupJobId": place.name("job"),
        "BackupVaultName": "acme",
        "ResourceArn": arn,
        "State": state,
        "CreationDate": _ago(days),
        "StatusMessage": message,
    }
    _add(place, JOBS, "BackupJobs", made)


def copy_job(place: Place, arn: str, vault: str, state: str, *, days: float) -> None:
    made = {
        "CopyJobId": place.name("copy"),
        "DestinationBackupVaultArn": vault,
        "ResourceArn": arn,
        "State": state,
        "CreationDate": _ago(days),
    }
    _add(place, COPIES, "CopyJobs", made)


def _add(place: Place, call: str, member: str, item: Mapping[str, Any]) -> None:
    """To what is answered there already."""
    region = place.client("backup").meta.region_name
    answer: Any = place.book.beyond.result(place.account.id, region, call, {})
    place.answers(call, {member: [*answer[member], item]})


def _ago(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


@scenario(copies=2)
def backup_that_fails(place: Place) -> None:
    """It worked until yesterday."""
    _, arn = database(place, "orders")
    job(place, arn, "COMPLETED", days=2)
    job(place, arn, "FAILED", days=1, message="Access denied to the KMS key")
    place.fails(JOB, resource=arn, mend=lambda: job(place, arn, "COMPLETED", days=0.1))


@scenario()
def copy_that_fails(place: Place) -> None:
    _, arn = database(place, "accounts")
    vault = f"arn:aws:backup:eu-central-1:{place.account.id}:backup-vault:remote"
    job(place, arn, "COMPLETED", days=1)
    copy_job(place, arn, vault, "FAILED", days=1)
    place.fails(JOB, resource=arn, key=vault)


@scenario()
def backup_that_worked_again(place: Place) -> None:
    _, arn = database(place, "stock")
    job(place, arn, "FAILED", days=1.5, message="Throttled")
    job(place, arn, "COMPLETED", days=0.5)
    job(place, arn, "RUNNING", days=0.1)
    place.looks_like(JOB, resource=arn)


@scenario(copies=2)
def database_whose_backups_ended(place: Place) -> None:
    """AWS Backup had it until somebody took it out of the plan."""
    arn = _without_backups(place, "ledger")
    protect(place, arn, days=30)
    place.fails(UNPROTECTED, resource=arn)


@scenario()
def database_that_only_aws_backup_saves(place: Place) -> None:
    arn = _without_backups(place, "vouchers")
    protect(place, arn)
    place.looks_like(UNPROTECTED, resource=arn)


def _without_backups(place: Place, what: str) -> str:
    """A database of production, of which RDS keeps none."""
    tags = tag_list(place.tags(what, Environment="prod"))
    arn = old_database(place, what, connections=30, iops=200, BackupRetentionPeriod=0, Tags=tags)
    place.fails(BACKUP, resource=arn)
    return arn
