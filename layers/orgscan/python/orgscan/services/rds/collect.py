"""How we learn about RDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.services.rds.facts import (
    ELSEWHERE,
    OPEN_SOURCE,
    DBCluster,
    DBClusterSnapshot,
    DBInstance,
    DBSnapshot,
    Support,
)

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import (
        DBClusterSnapshotTypeDef,
        DBClusterTypeDef,
        DBInstanceTypeDef,
        DBMajorEngineVersionTypeDef,
        DBSnapshotTypeDef,
        SupportedEngineLifecycleTypeDef,
    )

SUPPORT = ("rds:DescribeDBEngineVersions", "rds:DescribeDBMajorEngineVersions")
STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"

Majors: TypeAlias = "Callable[[str], tuple[DBMajorEngineVersionTypeDef, ...]]"
Ask: TypeAlias = Callable[[str, str], Support | Gap | None]


@collector(DBInstance, calls=("rds:DescribeDBInstances", *SUPPORT))
def rds_db_instances(aws: Reader) -> Iterator[DBInstance]:
    rds: RDSClient = aws.client("rds")
    support = cache(partial(db_engine_support, rds, cache(partial(_majors, rds))))
    for page in aws.pages(rds.get_paginator("describe_db_instances")):
        yield from aws.shaped(partial(_instance, aws, support), page["DBInstances"])


def _instance(aws: Reader, support: Ask, instance: DBInstanceTypeDef) -> DBInstance:
    engine, cluster = instance["Engine"], instance.get("DBClusterIdentifier")
    return DBInstance(
        arn=instance["DBInstanceArn"],
        tags=aws.tags(instance.get("TagList")),
        name=instance["DBInstanceIdentifier"],
        engine=engine,
        version=instance["EngineVersion"],
        lifecycle=instance.get("EngineLifecycleSupport"),
        support=None if cluster or engine in ELSEWHERE else support(engine, instance["EngineVersion"]),
        encrypted=instance["StorageEncrypted"],
        retention_days=instance["BackupRetentionPeriod"],
        replica=bool(
            instance.get("ReadReplicaSourceDBInstanceIdentifier")
            or instance.get("ReadReplicaSourceDBClusterIdentifier")
        ),
        backed_up_continuously=bool(instance.get("AwsBackupRecoveryPointArn")),
        cluster=cluster,
        status=instance["DBInstanceStatus"],
        created=instance.get("InstanceCreateTime"),
        instance_class=instance["DBInstanceClass"],
        storage=instance.get("StorageType"),
        zone=instance.get("AvailabilityZone"),
        multi_az=instance.get("MultiAZ"),
        public=instance["PubliclyAccessible"],
        port=instance.get("Endpoint", {}).get("Port"),
        security_groups=tuple(g["VpcSecurityGroupId"] for g in instance["VpcSecurityGroups"]),
    )


@collector(DBCluster, calls=("rds:DescribeDBClusters", *SUPPORT))
def rds_db_clusters(aws: Reader) -> Iterator[DBCluster]:
    rds: RDSClient = aws.client("rds")
    support = cache(partial(db_engine_support, rds, cache(partial(_majors, rds))))
    for page in aws.pages(rds.get_paginator("describe_db_clusters")):
        yield from aws.shaped(partial(_cluster, aws, support), page["DBClusters"])


def _cluster(aws: Reader, support: Ask, cluster: DBClusterTypeDef) -> DBCluster:
    engine, members = cluster["Engine"], cluster["DBClusterMembers"]
    return DBCluster(
        arn=cluster["DBClusterArn"],
        tags=aws.tags(cluster.get("TagList")),
        name=cluster["DBClusterIdentifier"],
        engine=engine,
        version=cluster["EngineVersion"],
        lifecycle=cluster.get("EngineLifecycleSupport"),
        support=None if engine in ELSEWHERE else support(engine, cluster["EngineVersion"]),
        encrypted=cluster["StorageEncrypted"],
        retention_days=cluster["BackupRetentionPeriod"],
        replica=bool(cluster.get("ReplicationSourceIdentifier")),
        backed_up_continuously=bool(cluster.get("AwsBackupRecoveryPointArn")),
        mode=cluster.get("EngineMode"),
        multi_az=cluster["MultiAZ"],
        members=tuple(member["DBInstanceIdentifier"] for member in members),
        writer=next((each["DBInstanceIdentifier"] for each in members if each["IsClusterWriter"]), None),
        least_acus=cluster.get("ServerlessV2ScalingConfiguration", {}).get("MinCapacity"),
    )


@fact(absent=())
def db_engine_support(rds: RDSClient, majors: Majors, engine: str, version: str) -> Support:
    """In two calls, which is why a collector asks once per version that is in use.

    A version's major one is that of which it is a part: '8.0' of '8.0.35' and of
    '8.0.mysql_aurora.3.04.0', '15' of '15.4'.
    """
    pages = rds.get_paginator("describe_db_engine_versions").paginate(
        Engine=engine, EngineVersion=version, IncludeAll=True
    )
    states = {each["Status"] for page in pages for each in page["DBEngineVersions"]}
    dates = _lifecycles(majors, engine, version) if engine in OPEN_SOURCE else {}
    standard, extended = dates.get(STANDARD), dates.get(EXTENDED)
    return Support(
        # Listed once per mode of an engine: what one of them still offers is available.
        status="available" if "available" in states else next(iter(sorted(states)), None),
        standard_until=standard and standard["LifecycleSupportEndDate"],
        extended_from=extended and extended["LifecycleSupportStartDate"],
        extended_until=extended and extended["LifecycleSupportEndDate"],
    )


def _majors(rds: RDSClient, engine: str) -> tuple[DBMajorEngineVersionTypeDef, ...]:
    pages = rds.get_paginator("describe_db_major_engine_versions").paginate(Engine=engine)
    return tuple(each for page in pages for each in page["DBMajorEngineVersions"] if each["Engine"] == engine)


def _lifecycles(majors: Majors, engine: str, version: str) -> dict[str, SupportedEngineLifecycleTypeDef]:
    """By name, of the major version; {}: RDS does not know it."""
    of_version = [
        each for each in majors(engine) if f"{version}.".startswith(f"{each['MajorEngineVersion']}.")
    ]
    major = max(of_version, key=lambda each: len(each["MajorEngineVersion"]), default=None)
    return (
        {each["LifecycleSupportName"]: each for each in major["SupportedEngineLifecycles"]} if major else {}
    )


@collector(DBSnapshot, calls=("rds:DescribeDBSnapshots", "rds:DescribeDBSnapshotAttributes"))
def rds_db_snapshots(aws: Reader) -> Iterator[DBSnapshot]:
    """Only manual ones can be shared, and the type 'public' lists those of everybody."""
    rds: RDSClient = aws.client("rds")
    for page in aws.pages(rds.get_paginator("describe_db_snapshots"), SnapshotType="manual"):
        yield from aws.each(partial(_snapshot, aws, rds), page["DBSnapshots"])


def _snapshot(aws: Reader, rds: RDSClient, snapshot: DBSnapshotTypeDef) -> DBSnapshot:
    name, encrypted = snapshot["DBSnapshotIdentifier"], snapshot["Encrypted"]
    return DBSnapshot(
        arn=snapshot["DBSnapshotArn"],
        tags=aws.tags(snapshot.get("TagList")),
        name=name,
        source=snapshot["DBInstanceIdentifier"],
        engine=snapshot["Engine"],
        created=_created(snapshot),
        size_gib=snapshot["AllocatedStorage"],
        encrypted=encrypted,
        public=None if encrypted else db_snapshot_is_public(rds, name),
    )


def _created(snapshot: DBSnapshotTypeDef | DBClusterSnapshotTypeDef) -> datetime | None:
    """None only while it is made."""
    ready = snapshot["Status"] == "available"
    return snapshot["SnapshotCreateTime"] if ready else snapshot.get("SnapshotCreateTime")


@fact(absent="DBSnapshotNotFound")
def db_snapshot_is_public(rds: RDSClient, name: str) -> bool:
    result = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)["DBSnapshotAttributesResult"]
    return any(
        each["AttributeName"] == "restore" and "all" in each["AttributeValues"]
        for each in result["DBSnapshotAttributes"]
    )


@collector(
    DBClusterSnapshot, calls=("rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusterSnapshotAttributes")
)
def rds_db_cluster_snapshots(aws: Reader) -> Iterator[DBClusterSnapshot]:
    rds: RDSClient = aws.client("rds")
    for page in aws.pages(rds.get_paginator("describe_db_cluster_snapshots"), SnapshotType="manual"):
        yield from aws.each(partial(_cluster_snapshot, aws, rds), page["DBClusterSnapshots"])


def _cluster_snapshot(aws: Reader, rds: RDSClient, snapshot: DBClusterSnapshotTypeDef) -> DBClusterSnapshot:
    name, encrypted = snapshot["DBClusterSnapshotIdentifier"], snapshot["StorageEncrypted"]
    return DBClusterSnapshot(
        arn=snapshot["DBClusterSnapshotArn"],
        tags=aws.tags(snapshot.get("TagList")),
        name=name,
        source=snapshot["DBClusterIdentifier"],
        engine=snapshot["Engine"],
        created=_created(snapshot),
        size_gib=snapshot["AllocatedStorage"],
        encrypted=encrypted,
        public=None if encrypted else db_cluster_snapshot_is_public(rds, name),
    )


@fact(absent="DBClusterSnapshotNotFoundFault")
def db_cluster_snapshot_is_public(rds: RDSClient, name: str) -> bool:
    told = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
    return any(
        each["AttributeName"] == "restore" and "all" in each["AttributeValues"]
        for each in told["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    )
