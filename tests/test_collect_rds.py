"""What the RDS collectors see."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.rds.collect import rds_db_clusters, rds_db_instances
from orgscan.services.rds.facts import DBCluster, DBInstance
from orgscan.session import Clients
from tests.answers import answer, refuse

ORDERS: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
    "AllocatedStorage": 20,
    "MasterUsername": "root",
    "MasterUserPassword": "long enough",
    "PubliclyAccessible": False,
}
"""RDS says of every instance whether it is public; moto only where it was told."""


def test_an_instance_and_its_read_replica(aws: boto3.Session, clients: Clients, target: Target) -> None:
    rds = aws.client("rds")
    planted = rds.create_db_instance(
        **{**ORDERS, "PubliclyAccessible": True},
        StorageEncrypted=True,
        BackupRetentionPeriod=3,
        VpcSecurityGroupIds=["sg-1"],
        Tags=[{"Key": "Owner", "Value": "ann"}],
    )["DBInstance"]
    rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="orders")
    orders, copy = rds_db_instances.read(clients, target)
    assert orders == DBInstance(
        arn=planted["DBInstanceArn"],
        tags={"Owner": "ann"},
        engine="postgres",
        public=True,
        encrypted=True,
        retention_days=3,
        replica=False,
        backed_up_continuously=False,
        port=5432,
        security_groups=("sg-1",),
    )
    assert (copy.arn, copy.replica) == (target.arn("rds", "db:copy"), True)


def test_instances_of_two_pages(aws: boto3.Session, clients: Clients, target: Target) -> None:
    rds = aws.client("rds")
    for number in range(101):
        rds.create_db_instance(**{**ORDERS, "DBInstanceIdentifier": f"orders-{number}"})
    seen = list(rds_db_instances.read(clients, target))
    assert len(seen) == 101
    assert all(instance.tags == {} for instance in seen)


@pytest.mark.parametrize("member", ["PubliclyAccessible", "VpcSecurityGroups"])
def test_an_instance_of_which_rds_does_not_say_who_can_reach_it_costs_itself(
    clients: Clients, target: Target, member: str
) -> None:
    def instance(name: str) -> dict[str, Any]:
        return {
            "DBInstanceArn": target.arn("rds", f"db:{name}"),
            "Engine": "mysql",
            "PubliclyAccessible": False,
            "VpcSecurityGroups": [],
            "StorageEncrypted": False,
            "BackupRetentionPeriod": 1,
        }

    instances = [instance(name) for name in ("a", "odd", "b")]
    del instances[1][member]
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": instances})
    lost: list[Gap] = []
    seen = list(rds_db_instances.read(clients, target, spoil=lost.append))
    assert [each.arn for each in seen] == [target.arn("rds", "db:a"), target.arn("rds", "db:b")]
    assert [(each.scope, each.reason) for each in lost] == [("rds-db-instances", Blindness.FAULT)]


def test_an_instance_that_is_still_being_made(clients: Clients, target: Target) -> None:
    making = {
        "DBInstanceArn": target.arn("rds", "db:new"),
        "Engine": "mysql",
        "PubliclyAccessible": False,
        "VpcSecurityGroups": [],
        "StorageEncrypted": False,
        "BackupRetentionPeriod": 1,
        "DBClusterIdentifier": "many",
        "AwsBackupRecoveryPointArn": "arn:aws:backup:eu-west-1:123456789012:recovery-point:1",
    }
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [making]})
    (instance,) = rds_db_instances.read(clients, target)
    assert (instance.port, instance.security_groups, instance.tags) == (None, (), {})
    assert (instance.cluster, instance.backed_up_continuously) == ("many", True)


def test_a_cluster(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("rds").create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="long enough",
        BackupRetentionPeriod=5,
        Tags=[{"Key": "Owner", "Value": "ann"}],
    )
    assert list(rds_db_clusters.read(clients, target)) == [
        DBCluster(
            arn=target.arn("rds", "cluster:orders"),
            tags={"Owner": "ann"},
            retention_days=5,
            replica=False,
            backed_up_continuously=False,
        )
    ]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "rds:DescribeDBInstances")
    with pytest.raises(ClientError, match="rds:DescribeDBInstances"):
        list(rds_db_instances.read(clients, target))
