"""How we learn about RDS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.rds.facts import DBCluster, DBInstance

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBClusterTypeDef, DBInstanceTypeDef


@collector(DBInstance, calls=("rds:DescribeDBInstances",))
def rds_db_instances(aws: Reader) -> Iterator[DBInstance]:
    rds: RDSClient = aws.client("rds")
    for page in aws.pages(rds.get_paginator("describe_db_instances")):
        yield from aws.shaped(partial(_instance, aws), page["DBInstances"])


def _instance(aws: Reader, instance: DBInstanceTypeDef) -> DBInstance:
    return DBInstance(
        arn=instance["DBInstanceArn"],
        tags=aws.tags(instance.get("TagList")),
        engine=instance["Engine"],
        public=instance["PubliclyAccessible"],
        encrypted=instance["StorageEncrypted"],
        retention_days=instance["BackupRetentionPeriod"],
        replica=bool(
            instance.get("ReadReplicaSourceDBInstanceIdentifier")
            or instance.get("ReadReplicaSourceDBClusterIdentifier")
        ),
        backed_up_continuously=bool(instance.get("AwsBackupRecoveryPointArn")),
        cluster=instance.get("DBClusterIdentifier"),
        port=instance.get("Endpoint", {}).get("Port"),
        security_groups=tuple(g["VpcSecurityGroupId"] for g in instance["VpcSecurityGroups"]),
    )


@collector(DBCluster, calls=("rds:DescribeDBClusters",))
def rds_db_clusters(aws: Reader) -> Iterator[DBCluster]:
    rds: RDSClient = aws.client("rds")
    for page in aws.pages(rds.get_paginator("describe_db_clusters")):
        yield from aws.shaped(partial(_cluster, aws), page["DBClusters"])


def _cluster(aws: Reader, cluster: DBClusterTypeDef) -> DBCluster:
    return DBCluster(
        arn=cluster["DBClusterArn"],
        tags=aws.tags(cluster.get("TagList")),
        retention_days=cluster["BackupRetentionPeriod"],
        replica=bool(cluster.get("ReplicationSourceIdentifier")),
        backed_up_continuously=bool(cluster.get("AwsBackupRecoveryPointArn")),
    )
