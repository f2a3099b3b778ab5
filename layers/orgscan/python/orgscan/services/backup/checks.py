"""What we expect of AWS Backup."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, DataStore, Severity, TagRecord, known
from orgscan.services.backup.facts import EndedJobs, Job, ProtectedResource
from orgscan.services.ec2.facts import Snapshot, Volume

PRODUCTION = {"Environment": ["prod", "production"]}
WAIVED = {"backup": ["none"]}
TYPES = [
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::EFS::FileSystem",
    "AWS::FSx::FileSystem",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
]


@check(
    EndedJobs,
    severity=Severity.HIGH,
    category=Category.RELIABILITY,
    fix="Read the message; the usual causes are permissions of the backup role and grants on KMS keys.",
    cli=(
        (
            "aws backup list-backup-jobs --by-resource-arn {arn} --query "
            "'BackupJobs[].[CreationDate,State,StatusMessage,BackupVaultName,IamRoleArn]' --region {region}"
        ),
        (
            "aws backup list-copy-jobs --by-resource-arn {arn} --query "
            "'CopyJobs[].[CreationDate,State,StatusMessage,DestinationBackupVaultArn,IamRoleArn]' --region "
            "{region}"
        ),
        (
            "aws backup start-backup-job --resource-arn {arn} --backup-vault-name '<vault>' --iam-role-arn "
            "'<role>' --region {region}"
        ),
    ),
)
def backup_job_failed(
    jobs: EndedJobs, view: View, *, window_days: int = 7, include_aborted: bool = True
) -> Problems:
    """A resource's newest backup or copy job failed, expired or was aborted.

    There is a plan, and still nothing to restore. A later success settles it; a job that is under way does
    not. Copies are judged for each vault that they go to. Jobs of the last `window_days` count, 14 at most.
    `include_aborted` off: what was aborted was stopped on purpose.
    """
    since = view.now - timedelta(days=window_days)
    for job, what, key in _jobs(jobs):
        stopped = job.state == "ABORTED" and not include_aborted
        if not job.completed and not stopped and job.created >= since:
            yield Problem(_told(job, f"the {what} to {job.vault}"), key=key)


def _jobs(jobs: EndedJobs) -> Iterator[tuple[Job, str, str]]:
    """Each with what it is, and the key of its finding."""
    if jobs.backup:
        yield jobs.backup, "backup", ""
    for job in jobs.copies:
        yield job, "copy", job.vault


def _told(job: Job, what: str) -> str:
    said = f": {job.message}" if job.message else ""
    return f"{what} of {job.created:%Y-%m-%d} is {job.state.lower()}{said}"


@check(
    DataStore,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Assign the resource to a backup plan.",
    also=(ProtectedResource, Snapshot, TagRecord),
    cli=(
        (
            "aws backup list-backup-plans --query 'BackupPlansList[].[BackupPlanId,BackupPlanName]' "
            "--region {region}"
        ),
        (
            "aws backup create-backup-selection --backup-plan-id '<plan>' --backup-selection "
            "SelectionName=unprotected,Resources={arn},IamRoleArn=arn:{partition}:iam::{account}:role/"
            "service-role/AWSBackupDefaultServiceRole --region {region}"
        ),
    ),
    cdk="""
        backup.CfnBackupSelection(
            self,
            "Selection",
            backup_plan_id="<plan>",
            backup_selection=backup.CfnBackupSelection.BackupSelectionResourceTypeProperty(
                selection_name="<name>", iam_role_arn="<role>", resources=["<resource>"]
            ),
        )
    """,
)
def backup_resource_unprotected(
    store: DataStore,
    view: View,
    *,
    max_age_days: int = 7,
    types: Sequence[str] = TYPES,
    scope_tag: Mapping[str, Sequence[str]] = PRODUCTION,
    exempt_tag: Mapping[str, Sequence[str]] = WAIVED,
) -> Problems:
    """A resource that holds data has no recent backup, neither of AWS Backup nor of its own service.

    What is lost then is lost. Automated backups of a database, point-in-time recovery of a table and
    snapshots of a volume, whoever took them, count as much as a recovery point. Volumes that are not in use
    and what is younger than `max_age_days` are not judged. `types` may also name AWS::EC2::Instance and
    AWS::S3::Bucket.
    `scope_tag` and `exempt_tag` map tag keys to values, in any case; no values means any.
    """
    if store.aws_type not in types or (isinstance(store, Volume) and store.state != "in-use"):
        return
    oldest = view.now - timedelta(days=max_age_days)
    created = getattr(store, "created", None)
    tags = view.tags(store)
    in_scope = (not scope_tag or _tagged(tags, scope_tag)) and not _tagged(tags, exempt_tag)
    if not in_scope or store.own_backup is True or (isinstance(created, datetime) and created > oldest):
        return
    newest: datetime | None = None
    for taken in _backups(store, view):
        if taken >= oldest:
            return
        newest = max(newest or taken, taken)
    known(store.own_backup)
    yield f"the newest backup is of {newest:%Y-%m-%d}" if newest else "there is no backup"


def _backups(store: DataStore, view: View) -> Iterator[datetime]:
    if isinstance(store, Volume):
        yield from (each.started for each in view.related(Snapshot, "volume", store.id) if each.completed)
    for protected in view.related(ProtectedResource, "arn", store.arn):
        if protected.last_backup:
            yield protected.last_backup


def _tagged(tags: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(
        key in tags and (not values or tags[key].casefold() in {value.casefold() for value in values})
        for key, values in wanted.items()
    )
