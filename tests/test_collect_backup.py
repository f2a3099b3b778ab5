"""What the AWS Backup collectors see."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orgscan import catalog
from orgscan.model import DataStore, Gap, Target
from orgscan.services.backup.checks import TYPES
from orgscan.services.backup.collect import backup_ended_jobs, backup_protected_resources
from orgscan.services.backup.facts import EndedJobs, Job, ProtectedResource
from orgscan.session import Clients
from tests.answers import answer, refuse

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
VAULT = "arn:aws:backup:eu-central-1:123456789012:backup-vault"


def job(state: str, *, hours: float, of: str = "arn:one", **more: Any) -> dict[str, Any]:
    made = NOW - timedelta(hours=hours)
    return {"ResourceArn": of, "State": state, "CreationDate": made, "BackupVaultName": "main", **more}


def copy(state: str, *, hours: float, to: str) -> dict[str, Any]:
    return job(state, hours=hours, DestinationBackupVaultArn=f"{VAULT}:{to}")


NONE: dict[str, dict[str, Any]] = {
    "backup:ListBackupJobs": {"BackupJobs": []},
    "backup:ListCopyJobs": {"CopyJobs": []},
}
"""moto lacks both calls."""


def nothing(clients: Clients, target: Target, call: str) -> None:
    answer(clients, target, call, NONE[call])


def test_a_type_that_is_to_be_backed_up_says_so_itself() -> None:
    """Or the check would never be shown its resources."""
    kinds = [each.resource for each in catalog.collectors()]
    stores = [kind for kind in kinds if {*TYPES, "AWS::EC2::Instance", "AWS::S3::Bucket"} & {*kind.aws_types}]
    assert stores
    assert [kind for kind in stores if not issubclass(kind, DataStore)] == []


def test_protected_resources(clients: Clients, target: Target) -> None:
    answer(
        clients,
        target,
        "backup:ListProtectedResources",
        {"Results": [{"ResourceArn": "arn:one", "LastBackupTime": NOW}, {}], "NextToken": "more"},
        {"Results": [{"ResourceArn": "arn:two"}]},
    )
    lost: list[Gap] = []
    assert list(backup_protected_resources.read(clients, target, spoil=lost.append)) == [
        ProtectedResource(arn="arn:one", last_backup=NOW),
        ProtectedResource(arn="arn:two", last_backup=None),
    ]
    assert len(lost) == 1


def test_the_newest_job_that_has_ended_counts_on_whatever_page(clients: Clients, target: Target) -> None:
    failed = job("FAILED", hours=2, StatusMessage="no grant")
    answer(
        clients,
        target,
        "backup:ListBackupJobs",
        {
            "BackupJobs": [job("RUNNING", hours=1), failed, job("COMPLETED", hours=3, of="arn:two")],
            "NextToken": "more",
        },
        {"BackupJobs": [job("COMPLETED", hours=5), job("EXPIRED", hours=2.5, of="arn:two")]},
    )
    nothing(clients, target, "backup:ListCopyJobs")
    assert list(backup_ended_jobs.read(clients, target, now=NOW)) == [
        EndedJobs(
            arn="arn:one",
            backup=Job(state="FAILED", created=NOW - timedelta(hours=2), vault="main", message="no grant"),
        ),
        EndedJobs(
            arn="arn:two",
            backup=Job(state="EXPIRED", created=NOW - timedelta(hours=2.5), vault="main"),
        ),
    ]


@pytest.mark.parametrize("odd", [job("HALTED", hours=1), {"State": "FAILED"}])
def test_a_job_that_makes_no_sense_may_be_the_newest_of_any_resource(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    """A state that nobody knew may be a failure, which an older success must not hide."""
    answer(clients, target, "backup:ListBackupJobs", {"BackupJobs": [odd, job("COMPLETED", hours=2)]})
    nothing(clients, target, "backup:ListCopyJobs")
    lost: list[Gap] = []
    assert list(backup_ended_jobs.read(clients, target, now=NOW, spoil=lost.append)) == []
    assert len(lost) == 1


def test_copies_count_for_each_vault(clients: Clients, target: Target) -> None:
    answer(
        clients,
        target,
        "backup:ListCopyJobs",
        {
            "CopyJobs": [
                copy("FAILED", hours=1, to="remote"),
                copy("COMPLETED", hours=2, to="remote"),
                copy("COMPLETED", hours=1, to="near"),
                copy("CREATED", hours=0, to="near"),
            ]
        },
    )
    nothing(clients, target, "backup:ListBackupJobs")
    made = NOW - timedelta(hours=1)
    near = Job(state="COMPLETED", created=made, vault=f"{VAULT}:near")
    remote = Job(state="FAILED", created=made, vault=f"{VAULT}:remote")
    assert list(backup_ended_jobs.read(clients, target, now=NOW)) == [
        EndedJobs(arn="arn:one", copies=(near, remote))
    ]


@pytest.mark.parametrize(
    ("call", "collector"),
    [
        ("backup:ListBackupJobs", backup_ended_jobs),
        ("backup:ListCopyJobs", backup_ended_jobs),
        ("backup:ListProtectedResources", backup_protected_resources),
    ],
)
def test_a_denied_listing_raises(clients: Clients, target: Target, call: str, collector: Any) -> None:
    refuse(clients, target, call)
    for other in NONE.keys() - {call}:
        nothing(clients, target, other)
    with pytest.raises(Exception, match="AccessDenied"):
        list(collector.read(clients, target, now=NOW))
