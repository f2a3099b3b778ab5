"""What we expect of DynamoDB."""

from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Confidence, Metric, Money, Severity, Target, known
from orgscan.services.backup.facts import ProtectedResource
from orgscan.services.dynamodb.facts import Table

DAY = 86400
GIB = 2**30
READS = Metric("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", DAY)
WRITES = Metric("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", DAY)


@check(
    Table,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Export it to S3 once its owner confirms, then delete it.",
    measures=(READS, WRITES),
    cli=(
        (
            "aws dynamodb update-continuous-backups --table-name {arn} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true --region {region}"
        ),
        (
            "aws dynamodb export-table-to-point-in-time --table-arn {arn} --s3-bucket '<bucket>' --region "
            "{region}"
        ),
        "aws dynamodb list-exports --table-arn {arn} --region {region}",
        "aws dynamodb delete-table --table-name {arn} --region {region}",
    ),
)
def dynamodb_table_idle(table: Table, view: View, *, window_days: int = 14) -> Problems:
    """Nobody read or wrote a table, or one of its indexes, during the whole window.

    DynamoDB publishes no datapoint where nothing is consumed, so an idle table has none. Medium where
    capacity is provisioned and paid for, low on demand, where only storage is. Informational for a global
    table: its replicas in other regions, which may be in use, cannot be seen from here.
    """
    if table.status != "ACTIVE" or table.created > view.now - timedelta(days=window_days):
        return
    for metric in (READS, WRITES):
        measured = view.measure_all([table, *table.indexes], metric, days=window_days)
        if any(sum(series.values) > 0 for (series,) in measured):
            return
    idle = f"no reads and no writes in {window_days} days, {_paid_for(table)}"
    saving = _monthly(table, view.target)
    if table.replicas:
        text = f"{idle}; its replicas in {', '.join(table.replicas)} were not looked at"
        doubted = prices.doubted(saving, Confidence.LOW)
        yield Problem(text, severity=Severity.INFORMATIONAL, saving=doubted)
    else:
        severity = Severity.LOW if table.on_demand else Severity.MEDIUM
        yield Problem(idle, severity=severity, saving=saving)


def _paid_for(table: Table) -> str:
    stored = f"{_gib(table):.1f} GiB stored"
    if table.on_demand:
        return stored
    reads, writes = _units(table)
    return f"{reads} read and {writes} write units provisioned, {stored}"


def _units(table: Table) -> tuple[int, int]:
    reads = table.read_units + sum(index.read_units for index in table.indexes)
    return reads, table.write_units + sum(index.write_units for index in table.indexes)


def _gib(table: Table) -> float:
    return (table.size_bytes + sum(index.size_bytes for index in table.indexes)) / GIB


def _monthly(table: Table, target: Target) -> Money | None:
    """The table of prices has no capacity of the class for infrequent access."""
    storage = prices.monthly(
        target, "ddb.storage_ia_gb" if table.infrequent else "ddb.storage_gb", _gib(table)
    )
    if table.on_demand:
        return storage
    if table.infrequent:
        return None
    reads, writes = _units(table)
    capacity = [
        prices.hourly(target, "ddb.rcu_hour", reads),
        prices.hourly(target, "ddb.wcu_hour", writes),
    ]
    return prices.total([*capacity, storage])


@check(
    Table,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Turn on point-in-time recovery.",
    also=(ProtectedResource,),
    maps=("FSBP DynamoDB.2",),
    equivalent=(
        "prowler:dynamodb_tables_pitr_enabled",
        "trusted-advisor:Amazon DynamoDB Point-in-time Recovery",
    ),
    cli=(
        (
            "aws dynamodb update-continuous-backups --table-name {arn} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true --region {region}"
        ),
    ),
    cdk="""
        dynamodb.CfnTable(
            self,
            "Table",
            key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="<key>", key_type="HASH")],
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            ),
        )
    """,
)
def dynamodb_table_pitr_disabled(
    table: Table, view: View, *, accept_backup: bool = True, max_age_days: int = 7
) -> Problems:
    """Point-in-time recovery of a table is off.

    Then what a mistake deletes or overwrites is lost, but for backups. A recovery point of AWS Backup that is
    recent enough is accepted unless it is configured not to be.
    """
    status = known(table.point_in_time)
    if status in (None, "ENABLED"):
        return
    backups = view.related(ProtectedResource, "arn", table.arn) if accept_backup else []
    last = max((each.last_backup for each in backups if each.last_backup), default=None)
    if not last:
        yield "point-in-time recovery is off"
    elif last < view.now - timedelta(days=max_age_days):
        yield f"point-in-time recovery is off, and the last backup is of {last:%Y-%m-%d}"
