"""What we expect of snapshots that somebody made."""

from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Confidence, Money, Severity, Target, known
from orgscan.services.rds.facts import ELSEWHERE, DBCluster, DBInstance, DBSnapshot, Snapshot


@check(
    Snapshot,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Remove the group all from those who may restore it.",
    maps=("FSBP RDS.1",),
    equivalent=("prowler:rds_snapshots_public_access", "trusted-advisor:Amazon RDS Public Snapshots"),
    cli=(
        (
            "snapshot: aws rds modify-db-snapshot-attribute --db-snapshot-identifier {name} "
            "--attribute-name restore --values-to-remove all --region {region}"
        ),
        (
            "cluster-snapshot: aws rds modify-db-cluster-snapshot-attribute "
            "--db-cluster-snapshot-identifier {name} --attribute-name restore --values-to-remove all "
            "--region {region}"
        ),
    ),
)
def rds_snapshot_public(snapshot: Snapshot) -> Problems:
    """A database or cluster snapshot is public.

    Anybody with an AWS account can restore it and read everything in the database. Encrypted snapshots cannot
    be made public, and neither can those that RDS makes itself.
    """
    if known(snapshot.public):
        yield f"everybody may restore this {snapshot.engine} snapshot of {snapshot.source}"


@check(
    Snapshot,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete it, or export it to S3.",
    also=(DBInstance, DBCluster),
    cli=(
        (
            "aws rds start-export-task --export-task-identifier export-{name} --source-arn {arn} "
            "--s3-bucket-name '<bucket>' --iam-role-arn '<role>' --kms-key-id '<kms-key>' --region {region}"
        ),
        "aws rds describe-export-tasks --source-arn {arn} --region {region}",
        "snapshot: aws rds delete-db-snapshot --db-snapshot-identifier {name} --region {region}",
        (
            "cluster-snapshot: aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier {name} "
            "--region {region}"
        ),
    ),
)
def rds_snapshot_manual_old(
    snapshot: Snapshot,
    view: View,
    *,
    max_days: int = 90,
    retention_tag: str = "RetentionDays",
    min_gib: int = 100,
) -> Problems:
    """A manual snapshot is older than its retention.

    No retention period ever deletes it. How long it is to be kept says its retention tag, otherwise the
    limit. Medium when it is large and its database no longer exists, so that nothing else is a reason to keep
    it. The saving is the most that it can be: backups as large as a region's databases are free.
    """
    wanted = view.tags(snapshot).get(retention_tag, "")
    days = int(wanted) if wanted.isascii() and wanted.isdigit() else max_days
    if not snapshot.created or snapshot.created >= view.now - timedelta(days=days):
        return
    age = (view.now - snapshot.created).days
    text = f"made {age} days ago, to be kept for {days}"
    # Certain in any case: only its weight depends on the database.
    yield Problem(text, saving=_backup_storage(snapshot, view.target))
    kind = DBInstance if isinstance(snapshot, DBSnapshot) else DBCluster
    if snapshot.size_gib > min_gib and not view.related(kind, "name", snapshot.source):
        yield Problem(f"{snapshot.size_gib} GiB, and {snapshot.source} no longer exists", Severity.MEDIUM)


def _backup_storage(snapshot: Snapshot, target: Target) -> Money | None:
    """Engines that share a cluster's storage have a price of their own, and say no true size."""
    if snapshot.engine.startswith("aurora") or snapshot.engine in ELSEWHERE:
        return None
    return prices.doubted(prices.monthly(target, "rds.backup_gb", snapshot.size_gib), Confidence.LOW)
