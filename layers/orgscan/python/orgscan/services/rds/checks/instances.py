"""What we expect of database instances."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from orgscan import prices
from orgscan.check import Problem, Problems, View, check, enough
from orgscan.model import Blindness, Category, Gap, Metric, Money, Severity, Target, Unread
from orgscan.network import Rule, openings
from orgscan.services.ec2.checks.network import entries
from orgscan.services.ec2.facts import PrefixList, SecurityGroup
from orgscan.services.rds.facts import DBCluster, DBInstance

DAY = 86400
CONNECTIONS = Metric("AWS/RDS", "DatabaseConnections", "Maximum", DAY)
READS = Metric("AWS/RDS", "ReadIOPS", "Average", DAY)
WRITES = Metric("AWS/RDS", "WriteIOPS", "Average", DAY)

NOT_PRODUCTION: Mapping[str, Sequence[str]] = {"Environment": ["dev", "test", "sandbox", "stg"]}


@check(
    DBInstance,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Make the instance not publicly accessible, and move it to private subnets.",
    also=(SecurityGroup, PrefixList),
    maps=("CIS AWS 3.0 2.3.3", "CIS AWS 5.0 2.2.3", "CIS AWS 6.0 3.2.3", "CIS AWS 7.0 3.2.3", "FSBP RDS.2"),
    equivalent=("prowler:rds_instance_no_public_access",),
    cli=(
        (
            "aws rds modify-db-instance --db-instance-identifier {name} --no-publicly-accessible "
            "--apply-immediately --region {region}"
        ),
        (
            "aws rds describe-db-instances --db-instance-identifier {name} --query "
            "'DBInstances[].[VpcSecurityGroups,DBSubnetGroup.Subnets[].SubnetIdentifier]' --region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(self, "Database", db_instance_class="<class>", publicly_accessible=False)
    """,
)
def rds_instance_public(instance: DBInstance, view: View) -> Problems:
    """The database instance is publicly accessible.

    Databases on the internet are found and attacked within hours. Critical when one of its security groups
    opens the port to the world, else high: one rule away from it. Routes are not looked at.
    """
    if not instance.public:
        return
    yield Problem("the instance has a public address", severity=Severity.HIGH)
    if instance.port is None:
        return
    open_now, unread = False, None
    for group_id in instance.security_groups:
        try:
            for opening in openings(_ingress(view, group_id), instance.port, partial(entries, view)):
                open_now = True
                yield Problem(f"{group_id} opens port {instance.port} to {opening}", Severity.CRITICAL)
        except Unread as lost:
            unread = lost  # another group may open it all the same
    if unread:
        raise unread
    if not open_now:
        yield Problem("not reachable now: no security group opens its port to the world", Severity.HIGH)


def _ingress(view: View, group_id: str) -> tuple[Rule, ...]:
    seen = view.related(SecurityGroup, "id", group_id)
    if not seen:
        detail = f"{group_id} is attached to a database, but cannot be seen from this account"
        raise Unread(Gap("ec2-security-groups", Blindness.NO_DATA, detail))
    return seen[0].ingress


@check(
    DBInstance,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Copy a snapshot with encryption and restore the instance from it.",
    maps=("CIS AWS 3.0 2.3.1", "CIS AWS 5.0 2.2.1", "CIS AWS 6.0 3.2.1", "CIS AWS 7.0 3.2.1", "FSBP RDS.3"),
    equivalent=("prowler:rds_instance_storage_encrypted",),
    cli=(
        (
            "aws rds create-db-snapshot --db-instance-identifier {name} --db-snapshot-identifier "
            "{name}-unencrypted --region {region}"
        ),
        "aws rds wait db-snapshot-available --db-snapshot-identifier {name}-unencrypted --region {region}",
        (
            "aws rds copy-db-snapshot --source-db-snapshot-identifier {name}-unencrypted "
            "--target-db-snapshot-identifier {name}-encrypted --kms-key-id alias/aws/rds --region {region}"
        ),
        "aws rds wait db-snapshot-available --db-snapshot-identifier {name}-encrypted --region {region}",
        (
            "aws rds restore-db-instance-from-db-snapshot --db-snapshot-identifier {name}-encrypted "
            "--db-instance-identifier {name}-encrypted --db-subnet-group-name '<subnet-group>' "
            "--vpc-security-group-ids '<security-group>' --region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(self, "Database", db_instance_class="<class>", storage_encrypted=True)
    """,
)
def rds_instance_unencrypted(instance: DBInstance) -> Problems:
    """The storage of a database instance is not encrypted.

    Its snapshots and replicas are not encrypted either. Aurora encrypts per cluster and is not judged here.
    """
    if not instance.encrypted and not instance.aurora:
        yield f"the storage of this {instance.engine} instance is not encrypted"


@check(
    DBInstance,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Turn on Multi-AZ.",
    maps=("CIS AWS 5.0 2.2.4", "CIS AWS 6.0 3.2.4", "CIS AWS 7.0 3.2.4", "FSBP RDS.5"),
    equivalent=("prowler:rds_instance_multi_az", "trusted-advisor:f2iK5R6Dep"),
    cli=(
        (
            "aws rds modify-db-instance --db-instance-identifier {name} --multi-az --no-apply-immediately "
            "--region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(self, "Database", db_instance_class="<class>", multi_az=True)
    """,
)
def rds_instance_single_az(
    instance: DBInstance, view: View, *, non_prod_tag: Mapping[str, Sequence[str]] = NOT_PRODUCTION
) -> Problems:
    """A database instance of its own has no standby in another Availability Zone.

    When its zone fails the database is down until somebody restores it elsewhere, without the last minutes.
    Instances in clusters are judged there, read replicas not at all; informational where a tag says that it
    is not production.
    """
    if instance.cluster or instance.replica or instance.multi_az:
        return
    if instance.multi_az is None:
        detail = "RDS does not say whether the instance has a standby"
        raise Unread(Gap("rds-instance-single-az", Blindness.NO_DATA, detail))
    where = f"its only zone is {instance.zone}" if instance.zone else "it has a single zone"
    tags = view.tags(instance)
    spared = next(
        (f"{key}={tags[key]}" for key, values in non_prod_tag.items() if tags.get(key) in values), None
    )
    if spared:
        yield Problem(f"{where}; tagged {spared}", severity=Severity.INFORMATIONAL)
    else:
        yield where


@check(
    DBInstance,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Take a final snapshot and delete it, or stop it.",
    also=(DBInstance, DBCluster),
    measures=(CONNECTIONS, READS, WRITES),
    equivalent=("trusted-advisor:Ti39halfu8",),
    cli=(
        "aws rds stop-db-instance --db-instance-identifier {name} --region {region}",
        (
            "aws rds delete-db-instance --db-instance-identifier "
            "'<the-instance-once-nobody-has-missed-it>' --final-db-snapshot-identifier final-{name} "
            "--region {region}"
        ),
    ),
)
def rds_instance_idle(
    instance: DBInstance,
    view: View,
    *,
    window_days: int = 7,
    max_iops: float = 20,
    min_datapoint_share: float = 0.8,
) -> Problems:
    """Nobody connected to a database instance during the whole window.

    It costs the same as a busy one. Idle means no connection on any day, and little reading and writing. The
    writer of a cluster is not idle while one of its readers is in use. Informational for Aurora Serverless
    that may pause. Stopped instances, and those of DocumentDB and Neptune, are another question.
    """
    since = view.now - timedelta(days=window_days)
    if (
        not instance.of_rds
        or instance.status != "available"
        or not instance.created
        or instance.created > since
    ):
        return
    cluster = _cluster(view, instance.cluster) if instance.cluster else None
    readers: list[DBInstance] = []
    if cluster and cluster.writer == instance.name:
        members = view.related(DBInstance, "cluster", cluster.name)
        readers = [each for each in members if each.name != instance.name and each.status != "stopped"]
    if any(not reader.created or reader.created > since for reader in readers):
        return
    connections = [
        series for (series,) in view.measure_all([instance, *readers], CONNECTIONS, days=window_days)
    ]
    if any(max(series.values, default=0) >= 1 for series in connections):
        return
    sufficient = partial(enough, "rds-instance-idle", days=window_days, share=min_datapoint_share)
    sufficient(connections[:1])
    reads, writes = view.measure(instance, READS, WRITES, days=window_days)
    sufficient([reads, writes])
    iops = reads.average + writes.average
    if iops >= max_iops:
        return
    sufficient(connections)
    idle = f"no connection in {window_days} days, {iops:.1f} reads and writes per second on average"
    if cluster and cluster.least_acus == 0 and instance.instance_class == "db.serverless":
        yield Problem(f"{idle}; Serverless may pause it", severity=Severity.INFORMATIONAL)
    else:
        yield Problem(idle, saving=_hourly_for_a_month(instance, view.target))


def _cluster(view: View, name: str) -> DBCluster:
    seen = view.related(DBCluster, "name", name)
    if not seen:
        raise Unread(Gap("rds-instance-idle", Blindness.NO_DATA, f"cluster {name} was not listed"))
    return seen[0]


def _hourly_for_a_month(instance: DBInstance, target: Target) -> Money | None:
    """Without storage, which stays until it is deleted. Aurora with I/O-Optimized storage is dearer."""
    if instance.aurora and instance.storage != "aurora":
        return None
    return prices.database(target, instance.instance_class, instance.engine, multi_az=bool(instance.multi_az))
