"""What the RDS collectors see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.rds.collect import (
    rds_db_cluster_snapshots,
    rds_db_clusters,
    rds_db_instances,
    rds_db_snapshots,
)
from orgscan.services.rds.facts import DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot, Support
from orgscan.session import Clients
from tests.answers import answer, refuse

ORDERS: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
    "EngineVersion": "15.4",
    "AllocatedStorage": 20,
    "MasterUsername": "root",
    "MasterUserPassword": "long enough",
    "PubliclyAccessible": False,
}
"""RDS says of every instance whether it is public; moto only where it was told."""
ENDS, STARTS, LAST = (datetime(year, 2, 28, tzinfo=UTC) for year in (2027, 2027, 2030))
LIFECYCLES = [
    {
        "LifecycleSupportName": "open-source-rds-standard-support",
        "LifecycleSupportStartDate": datetime(2023, 2, 27, tzinfo=UTC),
        "LifecycleSupportEndDate": ENDS,
    },
    {
        "LifecycleSupportName": "open-source-rds-extended-support",
        "LifecycleSupportStartDate": STARTS,
        "LifecycleSupportEndDate": LAST,
    },
]
SUPPORT = Support(status="available", standard_until=ENDS, extended_from=STARTS, extended_until=LAST)


def major(engine: str, version: str, **more: Any) -> dict[str, Any]:
    return {
        "Engine": engine,
        "MajorEngineVersion": version,
        "SupportedEngineLifecycles": LIFECYCLES,
        **more,
    }


def supported(
    clients: Clients, target: Target, *majors: dict[str, Any], states: tuple[str, ...] = ("available",)
) -> None:
    """What moto lacks."""
    versions = [{"Engine": "mysql", "EngineVersion": "8.0.36", "Status": each} for each in states]
    answer(clients, target, "rds:DescribeDBEngineVersions", {"DBEngineVersions": versions})
    answer(clients, target, "rds:DescribeDBMajorEngineVersions", {"DBMajorEngineVersions": majors})


def listed(target: Target, name: str, **more: Any) -> dict[str, Any]:
    """An instance as RDS lists it while it is made."""
    return {
        "DBInstanceArn": target.arn("rds", f"db:{name}"),
        "DBInstanceIdentifier": name,
        "DBInstanceStatus": "creating",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "mysql",
        "EngineVersion": "8.0.36",
        "PubliclyAccessible": False,
        "VpcSecurityGroups": [],
        "StorageEncrypted": False,
        "BackupRetentionPeriod": 1,
        **more,
    }


def test_an_instance_and_its_read_replica(aws: boto3.Session, clients: Clients, target: Target) -> None:
    supported(clients, target, major("postgres", "15"))
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
        name="orders",
        engine="postgres",
        version="15.4",
        lifecycle=None,
        support=SUPPORT,
        status="available",
        created=planted["InstanceCreateTime"],
        instance_class="db.t3.micro",
        storage="gp2",
        zone="eu-west-1a",
        multi_az=False,
        public=True,
        encrypted=True,
        retention_days=3,
        replica=False,
        backed_up_continuously=False,
        port=5432,
        security_groups=("sg-1",),
    )
    assert (copy.arn, copy.replica) == (target.arn("rds", "db:copy"), True)


def test_instances_of_two_pages(clients: Clients, target: Target) -> None:
    supported(clients, target)
    pages = {"DBInstances": [listed(target, "a")], "Marker": "more"}, {"DBInstances": [listed(target, "b")]}
    answer(clients, target, "rds:DescribeDBInstances", *pages)
    seen = list(rds_db_instances.read(clients, target))
    assert [(each.name, each.tags) for each in seen] == [("a", {}), ("b", {})]


@pytest.mark.parametrize("member", ["PubliclyAccessible", "VpcSecurityGroups", "EngineVersion"])
def test_an_instance_of_which_rds_does_not_say_who_can_reach_it_costs_itself(
    clients: Clients, target: Target, member: str
) -> None:
    supported(clients, target)
    instances = [listed(target, name) for name in ("a", "odd", "b")]
    del instances[1][member]
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": instances})
    lost: list[Gap] = []
    seen = list(rds_db_instances.read(clients, target, spoil=lost.append))
    assert [each.arn for each in seen] == [target.arn("rds", "db:a"), target.arn("rds", "db:b")]
    assert [(each.scope, each.reason) for each in lost] == [("rds-db-instances", Blindness.FAULT)]


def test_an_instance_that_is_still_being_made(clients: Clients, target: Target) -> None:
    making = listed(
        target,
        "new",
        DBClusterIdentifier="many",
        AwsBackupRecoveryPointArn="arn:aws:backup:eu-west-1:123456789012:recovery-point:1",
    )
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [making]})
    (instance,) = rds_db_instances.read(clients, target)
    assert (instance.port, instance.security_groups, instance.tags) == (None, (), {})
    assert (instance.cluster, instance.backed_up_continuously) == ("many", True)
    assert (instance.created, instance.zone, instance.multi_az, instance.storage) == (None,) * 4
    assert instance.support is None


def test_a_cluster(aws: boto3.Session, clients: Clients, target: Target) -> None:
    supported(clients, target, major("aurora-mysql", "8.0"))
    rds = aws.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-mysql",
        EngineVersion="8.0.mysql_aurora.3.04.0",
        MasterUsername="root",
        MasterUserPassword="long enough",
        BackupRetentionPeriod=5,
        StorageEncrypted=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4},
        Tags=[{"Key": "Owner", "Value": "ann"}],
    )
    for name in ("orders-1", "orders-2"):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier="orders",
            DBInstanceClass="db.r5.large",
            Engine="aurora-mysql",
        )
    assert list(rds_db_clusters.read(clients, target)) == [
        DBCluster(
            arn=target.arn("rds", "cluster:orders"),
            tags={"Owner": "ann"},
            name="orders",
            engine="aurora-mysql",
            version="8.0.mysql_aurora.3.04.0",
            lifecycle=None,
            support=SUPPORT,
            encrypted=True,
            retention_days=5,
            replica=False,
            backed_up_continuously=False,
            mode="provisioned",
            multi_az=False,
            members=("orders-1", "orders-2"),
            writer="orders-1",
            least_acus=0.5,
        )
    ]


def support(clients: Clients, target: Target, **instance: Any) -> Any:
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [listed(target, "a", **instance)]})
    (seen,) = rds_db_instances.read(clients, target)
    return seen.support


@pytest.mark.parametrize(
    ("version", "majors", "end"),
    [
        ("8.0.36", ["5.7", "8.0", "8.4"], ENDS),
        ("8.4", ["8.0", "8.4"], ENDS),
        ("8.40.1", ["8.4"], None),
        ("80.1", ["8"], None),
        ("9.6.22", ["96", "9"], ENDS),
        ("8.0.36", [], None),
    ],
)
def test_a_version_belongs_to_the_major_one_that_it_is_a_part_of(
    clients: Clients, target: Target, version: str, majors: list[str], end: datetime | None
) -> None:
    supported(clients, target, *(major("mysql", each) for each in majors), major("mariadb", version))
    assert support(clients, target, EngineVersion=version).standard_until == end


def test_the_closest_major_version_counts(clients: Clients, target: Target) -> None:
    supported(clients, target, major("mysql", "8.0"), major("mysql", "8", SupportedEngineLifecycles=[]))
    assert support(clients, target).standard_until == ENDS


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((), None),
        (("available",), "available"),
        (("deprecated",), "deprecated"),
        (("deprecated", "available"), "available"),
    ],
)
def test_a_version_is_deprecated_where_no_mode_of_the_engine_offers_it(
    clients: Clients, target: Target, states: tuple[str, ...], status: str | None
) -> None:
    supported(clients, target, states=states)
    assert support(clients, target).status == status


@pytest.mark.parametrize("state", ["something-new", ""])
def test_a_version_in_a_state_that_nobody_knows_is_a_gap(
    clients: Clients, target: Target, state: str
) -> None:
    """It may mean what 'deprecated' means."""
    supported(clients, target, major("mysql", "8.0"), states=("available", state))
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [listed(target, "a")]})
    (instance,) = rds_db_instances.read(clients, target)
    assert isinstance(instance.support, Gap)


def test_an_instance_that_is_available_was_made_once(clients: Clients, target: Target) -> None:
    ageless = listed(target, "a", DBInstanceStatus="available")
    supported(clients, target)
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [ageless]})
    lost: list[Gap] = []
    assert list(rds_db_instances.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]


def test_commercial_engines_have_no_dates_to_ask_for(clients: Clients, target: Target) -> None:
    refuse(clients, target, "rds:DescribeDBMajorEngineVersions")
    supported(clients, target)
    found = support(clients, target, Engine="oracle-ee", EngineVersion="19.0.0.0")
    assert found == Support(status="available", standard_until=None, extended_from=None, extended_until=None)


@pytest.mark.parametrize(
    ("engine", "service"), [("docdb", "DocDB"), ("neptune", "Neptune"), ("aurora-mysql", "RDS")]
)
def test_engines_of_other_services_are_not_asked_about(
    clients: Clients, target: Target, engine: str, service: str
) -> None:
    supported(clients, target)
    told = listed(target, "a", Engine=engine)
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": [told]})
    (instance,) = rds_db_instances.read(clients, target)
    assert (instance.support is None) is (service != "RDS")
    assert instance.aws_type == f"AWS::{service}::DBInstance"


@pytest.mark.parametrize("call", ["rds:DescribeDBEngineVersions", "rds:DescribeDBMajorEngineVersions"])
def test_a_version_that_cannot_be_asked_about_is_a_gap(clients: Clients, target: Target, call: str) -> None:
    refuse(clients, target, call)
    supported(clients, target)
    assert support(clients, target) == Gap("db_engine_support", Blindness.DENIED, call)


def test_a_version_is_asked_about_once(clients: Clients, target: Target) -> None:
    states = ({"DBEngineVersions": [{"Status": each}]} for each in ("available", "deprecated"))
    answer(clients, target, "rds:DescribeDBEngineVersions", *states)
    supported(clients, target)
    versions = ["8.0.36", "8.0.36", "8.4.3", "8.0.36"]
    instances = [
        listed(target, f"a{number}", EngineVersion=version) for number, version in enumerate(versions)
    ]
    answer(clients, target, "rds:DescribeDBInstances", {"DBInstances": instances})
    seen = [each.support for each in rds_db_instances.read(clients, target)]
    assert all(isinstance(each, Support) for each in seen)
    assert [each.status for each in seen if isinstance(each, Support)] == [
        "available",
        "available",
        "deprecated",
        "available",
    ]


def test_snapshots_that_somebody_made(aws: boto3.Session, clients: Clients, target: Target) -> None:
    rds = aws.client("rds")
    rds.create_db_instance(**ORDERS, StorageEncrypted=False, BackupRetentionPeriod=0)
    for name in ("shared", "public", "private"):
        rds.create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier="orders", Tags=[{"Key": "Owner", "Value": "ann"}]
        )
    for name, value in (("shared", "999999999999"), ("public", "all")):
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[value]
        )
    created = rds.describe_db_snapshots(DBSnapshotIdentifier="shared")["DBSnapshots"][0]["SnapshotCreateTime"]
    seen = list(rds_db_snapshots.read(clients, target))
    assert {each.name: each.public for each in seen} == {"shared": False, "public": True, "private": False}
    assert seen[0] == DBSnapshot(
        arn=target.arn("rds", "snapshot:shared"),
        tags={"Owner": "ann"},
        name="shared",
        source="orders",
        engine="postgres",
        created=created,
        size_gib=20,
        encrypted=False,
        public=False,
    )


def snapshot(target: Target, name: str, **more: Any) -> dict[str, Any]:
    return {
        "DBSnapshotArn": target.arn("rds", f"snapshot:{name}"),
        "DBSnapshotIdentifier": name,
        "DBInstanceIdentifier": "orders",
        "Engine": "mysql",
        "AllocatedStorage": 5,
        "Encrypted": False,
        "Status": "creating",
        **more,
    }


def test_who_may_restore_is_asked_of_unencrypted_snapshots_only(clients: Clients, target: Target) -> None:
    refuse(clients, target, "rds:DescribeDBSnapshotAttributes")
    both = [snapshot(target, "plain"), snapshot(target, "safe", Encrypted=True)]
    answer(clients, target, "rds:DescribeDBSnapshots", {"DBSnapshots": both})
    plain, safe = rds_db_snapshots.read(clients, target)
    assert isinstance(plain.public, Gap)
    assert plain.public.reason is Blindness.DENIED
    assert (safe.public, safe.created) == (None, None)


def test_a_snapshot_that_is_gone_meanwhile_is_not_public(clients: Clients, target: Target) -> None:
    refuse(clients, target, "rds:DescribeDBSnapshotAttributes", "DBSnapshotNotFound")
    answer(clients, target, "rds:DescribeDBSnapshots", {"DBSnapshots": [snapshot(target, "plain")]})
    (seen,) = rds_db_snapshots.read(clients, target)
    assert seen.public is None


def test_an_odd_snapshot_costs_itself(clients: Clients, target: Target) -> None:
    odd = snapshot(target, "odd")
    del odd["Encrypted"]
    ageless = snapshot(target, "ageless", Encrypted=True, Status="available")
    told = {"DBSnapshots": [snapshot(target, "a", Encrypted=True), odd, ageless]}
    answer(clients, target, "rds:DescribeDBSnapshots", told)
    lost: list[Gap] = []
    seen = list(rds_db_snapshots.read(clients, target, spoil=lost.append))
    assert ([each.name for each in seen], len(lost)) == (["a"], 2)


def test_snapshots_of_clusters(aws: boto3.Session, clients: Clients, target: Target) -> None:
    rds = aws.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="long enough",
        StorageEncrypted=False,
    )
    made = [
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="shop")
        for name in ("public", "private")
    ]
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="public", AttributeName="restore", ValuesToAdd=["all"]
    )
    first, second = rds_db_cluster_snapshots.read(clients, target)
    assert first == DBClusterSnapshot(
        arn=target.arn("rds", "cluster-snapshot:public"),
        tags={},
        name="public",
        source="shop",
        engine="aurora-mysql",
        created=made[0]["DBClusterSnapshot"]["SnapshotCreateTime"],
        size_gib=1,
        encrypted=False,
        public=True,
    )
    assert second.public is False


@pytest.mark.parametrize("code", ["AccessDenied", "DBClusterSnapshotNotFoundFault"])
def test_who_may_restore_a_cluster_is_a_fact_of_its_own(clients: Clients, target: Target, code: str) -> None:
    def cluster(name: str, *, encrypted: bool) -> dict[str, Any]:
        return {
            "DBClusterSnapshotArn": target.arn("rds", f"cluster-snapshot:{name}"),
            "DBClusterSnapshotIdentifier": name,
            "DBClusterIdentifier": "shop",
            "Engine": "aurora-mysql",
            "AllocatedStorage": 1,
            "StorageEncrypted": encrypted,
            "Status": "creating",
        }

    snapshots = [cluster("plain", encrypted=False), cluster("safe", encrypted=True)]
    answer(clients, target, "rds:DescribeDBClusterSnapshots", {"DBClusterSnapshots": snapshots})
    refuse(clients, target, "rds:DescribeDBClusterSnapshotAttributes", code)
    plain, safe = rds_db_cluster_snapshots.read(clients, target)
    assert isinstance(plain.public, Gap) is (code == "AccessDenied")
    assert safe.public is None


@pytest.mark.parametrize(
    "call",
    [
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBClusterSnapshots",
    ],
)
def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target, call: str) -> None:
    refuse(clients, target, call)
    collectors = (rds_db_instances, rds_db_clusters, rds_db_snapshots, rds_db_cluster_snapshots)
    (collector,) = (each for each in collectors if call in each.calls)
    with pytest.raises(ClientError, match=call):
        list(collector.read(clients, target))
