"""What we expect of instances and clusters alike, and of clusters."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Money, Severity, Unread, known
from orgscan.services.rds.facts import OPEN_SOURCE, Database, DBCluster, DBInstance, Support

AGREED, FORCED = "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"
"""EngineLifecycleSupport: what follows the end of standard support."""
DEARER_AFTER = timedelta(days=2 * 365)
"""In its third year Extended Support costs twice as much."""


@check(
    Database,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Raise the backup retention period.",
    maps=("FSBP RDS.11",),
    equivalent=("prowler:rds_instance_backup_enabled", "trusted-advisor:opQPADkZvH"),
    cli=(
        (
            "db: aws rds modify-db-instance --db-instance-identifier {name} --backup-retention-period 7 "
            "--region {region}"
        ),
        (
            "cluster: aws rds modify-db-cluster --db-cluster-identifier {name} --backup-retention-period 7 "
            "--region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(self, "Database", db_instance_class="<class>", backup_retention_period=7)
    """,
)
def rds_instance_backup_disabled_or_short(database: Database, *, min_days: int = 7) -> Problems:
    """Automated backups are off or kept for fewer days than required.

    What is lost or corrupted can be brought back only as far as backups reach. Instances in a cluster are
    judged there; a continuous backup by AWS Backup counts as well.
    """
    if database.cluster or database.backed_up_continuously:
        return
    days = database.retention_days
    if days == 0 and database.replica:
        yield Problem("automated backups of this read replica are off", severity=Severity.INFORMATIONAL)
    elif days == 0:
        yield Problem("automated backups are off", severity=Severity.HIGH)
    elif days < min_days:
        yield f"automated backups are kept for {days} of the required {min_days} days"


@check(
    Database,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Upgrade to a major version that is supported.",
    also=(DBInstance,),
    equivalent=("prowler:rds_instance_deprecated_engine_version", "prowler:rds_instance_extended_support"),
    cli=(
        (
            "aws rds describe-db-engine-versions --engine '<engine>' --engine-version '<its-version>' "
            "--query 'DBEngineVersions[].ValidUpgradeTarget[].EngineVersion' --region {region}"
        ),
        (
            "db: aws rds create-db-snapshot --db-instance-identifier {name} --db-snapshot-identifier "
            "{name}-before-upgrade --region {region}"
        ),
        (
            "db: aws rds modify-db-instance --db-instance-identifier {name} --engine-version '<version>' "
            "--allow-major-version-upgrade --no-apply-immediately --region {region}"
        ),
        (
            "cluster: aws rds create-db-cluster-snapshot --db-cluster-identifier {name} "
            "--db-cluster-snapshot-identifier {name}-before-upgrade --region {region}"
        ),
        (
            "cluster: aws rds modify-db-cluster --db-cluster-identifier {name} --engine-version "
            "'<version>' --allow-major-version-upgrade --no-apply-immediately --region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(
            self,
            "Database",
            db_instance_class="<class>",
            engine="<engine>",
            engine_version="<version>",
            allow_major_version_upgrade=True,
        )
    """,
)
def rds_engine_end_of_life_or_extended_support(
    database: Database, view: View, *, warn_days: int = 180
) -> Problems:
    """A database's engine version is past, or near, the end of its standard support.

    Then it gets no more patches, is upgraded when RDS wants, or is billed for Extended Support by vCPU and
    hour, twice as much in the third year. The dates are what RDS tells on the day of the scan. Instances in
    clusters are judged there; DocumentDB and Neptune not at all.
    """
    if not database.of_rds or (isinstance(database, DBInstance) and database.cluster):
        return
    support = known(database.support)
    what = f"{database.engine} {database.version}"
    if not support or not _told(support, database.engine):
        detail = f"RDS does not say how long it supports {what}"
        raise Unread(Gap("rds-engine-end-of-life-or-extended-support", Blindness.NO_DATA, detail))
    if support.status == "deprecated":
        yield f"RDS lists {what} as deprecated"
    end = support.standard_until
    if end and end <= view.now:
        yield from _past(database, support, f"standard support of {what} ended on {end:%Y-%m-%d}", view)
    elif end and end <= view.now + timedelta(days=warn_days):
        yield f"standard support of {what} ends on {end:%Y-%m-%d}"


def _told(support: Support, engine: str) -> bool:
    """Commercial engines have no dates: there, what RDS offers is supported."""
    if support.standard_until or support.status == "deprecated":
        return True
    return support.status == "available" and engine not in OPEN_SOURCE


def _past(database: Database, support: Support, ended: str, view: View) -> Iterator[str | Problem]:
    if support.extended_until and support.extended_until <= view.now:
        yield f"{ended}, and Extended Support on {support.extended_until:%Y-%m-%d}"
    elif database.lifecycle == AGREED:
        text = f"{ended}; Extended Support is billed"
        try:
            saving = _extended(database, support.extended_from, view)
        except Unread:
            yield text
            raise
        yield Problem(text, saving=saving)
    elif database.lifecycle == FORCED:
        yield f"{ended}; RDS upgrades it by itself"
    else:
        yield ended


def _extended(database: Database, since: datetime | None, view: View) -> Money | None:
    """A month of Extended Support, of all the hosts; None when the class of one is not known."""
    hosts = (
        [database] if isinstance(database, DBInstance) else view.related(DBInstance, "cluster", database.name)
    )
    vcpus = [(each.vcpus or 0) * (2 if each.multi_az and not each.cluster else 1) for each in hosts]
    if not vcpus or not all(vcpus):
        return None
    dearer = since is not None and since + DEARER_AFTER <= view.now
    key = "rds.extended_support_vcpu_hour_year3" if dearer else "rds.extended_support_vcpu_hour"
    return prices.hourly(view.target, key, sum(vcpus))


@check(
    DBCluster,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Restore a snapshot into an encrypted cluster.",
    maps=("CIS AWS 3.0 2.3.1", "CIS AWS 5.0 2.2.1", "CIS AWS 6.0 3.2.1", "CIS AWS 7.0 3.2.1", "FSBP RDS.27"),
    equivalent=("prowler:rds_cluster_storage_encrypted",),
    cli=(
        (
            "aws rds create-db-cluster-snapshot --db-cluster-identifier {name} "
            "--db-cluster-snapshot-identifier {name}-unencrypted --region {region}"
        ),
        (
            "aws rds wait db-cluster-snapshot-available --db-cluster-snapshot-identifier "
            "{name}-unencrypted --region {region}"
        ),
        (
            "aws rds restore-db-cluster-from-snapshot --snapshot-identifier {name}-unencrypted "
            "--db-cluster-identifier {name}-encrypted --engine '<engine>' --kms-key-id alias/aws/rds "
            "--db-subnet-group-name '<subnet-group>' --vpc-security-group-ids '<security-group>' --region "
            "{region}"
        ),
        (
            "aws rds create-db-instance --db-cluster-identifier {name}-encrypted --db-instance-identifier "
            "'<instance>' --db-instance-class '<class>' --engine '<engine>' --region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBCluster(self, "Cluster", engine="<engine>", storage_encrypted=True)
    """,
)
def rds_cluster_unencrypted(cluster: DBCluster) -> Problems:
    """The storage of an Aurora or Multi-AZ DB cluster is not encrypted.

    Nor are its backups, snapshots and replicas, and it cannot be turned on later. Clusters of DocumentDB and
    Neptune are not judged here.
    """
    if cluster.of_rds and not cluster.encrypted:
        yield f"the storage of this {cluster.engine} cluster is not encrypted"


@check(
    DBCluster,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Add a reader in another Availability Zone.",
    also=(DBInstance,),
    maps=("CIS AWS 5.0 2.2.4", "CIS AWS 6.0 3.2.4", "CIS AWS 7.0 3.2.4", "FSBP RDS.15"),
    equivalent=(
        "prowler:rds_cluster_multi_az",
        "trusted-advisor:Amazon RDS DB clusters have one DB instance",
        "trusted-advisor:Amazon RDS DB clusters with all instances in the same Availability Zone",
    ),
    cli=(
        (
            "aws rds describe-db-clusters --db-cluster-identifier {name} --query "
            "'DBClusters[].[Engine,AvailabilityZones,DBClusterMembers]' --region {region}"
        ),
        (
            "aws rds create-db-instance --db-cluster-identifier {name} --db-instance-identifier "
            "'<instance>' --db-instance-class '<class>' --engine '<engine>' --availability-zone "
            "'<another-zone>' --region {region}"
        ),
    ),
    cdk="""
        rds.CfnDBInstance(
            self,
            "Reader",
            db_cluster_identifier="<cluster>",
            db_instance_class="<class>",
            engine="<engine>",
            availability_zone="<another-zone>",
        )
    """,
)
def rds_cluster_single_instance_or_az(cluster: DBCluster, view: View) -> Problems:
    """A cluster has no reader in another Availability Zone than its writer.

    Its storage survives the loss of a zone, but nobody is left to serve it until a new instance is made. Not
    judged: the first Aurora Serverless, which has no instances, and clusters without any, as those that only
    hold a global database's copy. A Multi-AZ DB cluster that RDS calls so is fine.
    """
    if not cluster.of_rds or cluster.mode == "serverless" or not cluster.members:
        return
    if cluster.multi_az and not cluster.aurora:
        return
    if len(cluster.members) == 1:
        yield f"{cluster.members[0]} is its only instance"
        return
    zones = {each.name: each.zone for each in view.related(DBInstance, "cluster", cluster.name) if each.zone}
    if len(set(zones.values())) > 1:
        return
    unseen = [name for name in cluster.members if name not in zones]
    if unseen:
        detail = f"the zone of {', '.join(unseen)} is not known"
        raise Unread(Gap("rds-cluster-single-instance-or-az", Blindness.NO_DATA, detail))
    yield f"all of its {len(cluster.members)} instances are in {next(iter(zones.values()))}"
