"""What the AWS Backup checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import TagRecord
from orgscan.services.backup.checks import backup_job_failed, backup_resource_unprotected
from orgscan.services.backup.facts import EndedJobs, Job, ProtectedResource
from orgscan.services.ec2.facts import Snapshot
from tests.cases.case import NOW, Case, cannot_tell, fails, passes
from tests.cases.ec2 import DENIED, DISK, ago
from tests.cases.rds import DATABASE
from tests.cases.snapshots import SNAPSHOT

ARN = "arn:aws:rds:eu-west-1:123456789012:db:orders"
REMOTE = "arn:aws:backup:eu-central-1:123456789012:backup-vault:remote"
OTHER = "arn:aws:backup:eu-central-1:123456789012:backup-vault:other"
FAILED = Job(state="FAILED", created=ago(1), vault="main", message="no grant on the key")


def backups(job: Job) -> EndedJobs:
    return EndedJobs(arn=ARN, backup=job)


def copies(*jobs: Job) -> EndedJobs:
    return EndedJobs(arn=ARN, copies=jobs)


COPY = replace(FAILED, vault=REMOTE, message="")
TOLD = "the backup to main of 2026-01-14 is failed: no grant on the key"
JOB_CASES: list[Case] = [
    fails(backup_job_failed, backups(FAILED), Problem(TOLD)),
    passes(backup_job_failed, backups(replace(FAILED, state="COMPLETED"))),
    *(
        fails(backup_job_failed, backups(replace(FAILED, state=state)), TOLD.replace("failed", state.lower()))
        for state in ("EXPIRED", "ABORTED", "PARTIAL")
    ),
    passes(
        backup_job_failed, backups(replace(FAILED, state="ABORTED")), parameters={"include_aborted": False}
    ),
    fails(backup_job_failed, backups(FAILED), TOLD, parameters={"include_aborted": False}),
    fails(backup_job_failed, backups(replace(FAILED, created=ago(7))), TOLD.replace("01-14", "01-08")),
    passes(backup_job_failed, backups(replace(FAILED, created=ago(7) - timedelta(seconds=1)))),
    passes(backup_job_failed, backups(replace(FAILED, created=ago(3))), parameters={"window_days": 2}),
    fails(
        backup_job_failed,
        copies(replace(COPY, vault=OTHER, state="COMPLETED"), COPY),
        Problem(f"the copy to {REMOTE} of 2026-01-14 is failed", key=REMOTE),
    ),
]

DISK_OF_PRODUCTION = replace(DISK, tags={"Environment": "prod"})
BARE = replace(DATABASE, arn=ARN, tags={"Environment": "Production"}, retention_days=0)
NONE = "there is no backup"


def protected(days: float | None, arn: str = ARN) -> ProtectedResource:
    return ProtectedResource(arn=arn, last_backup=None if days is None else ago(days))


def snapshot(days: float, *, completed: bool = True) -> Snapshot:
    arn = f"arn:aws:ec2:eu-west-1::snapshot/snap-{days}"
    return replace(SNAPSHOT, arn=arn, volume=DISK.id, started=ago(days), completed=completed)


PROTECTION_CASES: list[Case] = [
    fails(backup_resource_unprotected, BARE, NONE),
    passes(backup_resource_unprotected, replace(BARE, retention_days=1)),
    passes(backup_resource_unprotected, replace(BARE, cluster="orders")),
    passes(backup_resource_unprotected, replace(BARE, replica=True)),
    passes(backup_resource_unprotected, BARE, beside=[protected(30), protected(7)]),
    fails(backup_resource_unprotected, BARE, "the newest backup is of 2026-01-07", beside=[protected(8)]),
    passes(backup_resource_unprotected, BARE, beside=[protected(8)], parameters={"max_age_days": 8}),
    fails(backup_resource_unprotected, BARE, NONE, beside=[protected(None)]),
    fails(backup_resource_unprotected, BARE, NONE, beside=[protected(1, f"{ARN}-2")]),
    passes(backup_resource_unprotected, replace(BARE, tags={"Environment": "dev"})),
    passes(backup_resource_unprotected, replace(BARE, tags={})),
    fails(backup_resource_unprotected, replace(BARE, tags={}), NONE, parameters={"scope_tag": {}}),
    passes(backup_resource_unprotected, replace(BARE, tags={"Environment": "prod", "backup": "None"})),
    passes(backup_resource_unprotected, BARE, parameters={"types": ["AWS::EC2::Volume"]}),
    fails(backup_resource_unprotected, DISK_OF_PRODUCTION, NONE),
    passes(backup_resource_unprotected, DISK_OF_PRODUCTION, beside=[snapshot(7)]),
    fails(
        backup_resource_unprotected,
        DISK_OF_PRODUCTION,
        "the newest backup is of 2025-12-16",
        beside=[snapshot(30), snapshot(60), snapshot(1, completed=False)],
    ),
    passes(backup_resource_unprotected, DISK_OF_PRODUCTION, beside=[snapshot(30), protected(1, DISK.arn)]),
    passes(backup_resource_unprotected, replace(DISK_OF_PRODUCTION, state="available", attachments=())),
    passes(backup_resource_unprotected, replace(DISK_OF_PRODUCTION, created=NOW - timedelta(days=6))),
    cannot_tell(backup_resource_unprotected, BARE, "DescribeSomething", lost={ProtectedResource: DENIED}),
    cannot_tell(
        backup_resource_unprotected, replace(BARE, tags=None), "DescribeSomething", lost={TagRecord: DENIED}
    ),
    # What was seen is enough.
    passes(
        backup_resource_unprotected,
        DISK_OF_PRODUCTION,
        beside=[snapshot(1)],
        lost={ProtectedResource: DENIED},
    ),
]

CASES = [*JOB_CASES, *PROTECTION_CASES]
