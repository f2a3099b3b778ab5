"""Databases that cost too much, are too old or would not survive the loss of a zone; and their snapshots."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local import past
from local.faults.data import PLAIN_CLUSTER, PUBLIC_SNAPSHOT, cluster, database
from local.faults.load import measure_daily
from local.place import Place, scenario, tag_list

SINGLE, SINGLE_CLUSTER = "rds-instance-single-az", "rds-cluster-single-instance-or-az"
OLD_ENGINE = "rds-engine-end-of-life-or-extended-support"
IDLE = "rds-instance-idle"
OLD_SNAPSHOT = "rds-snapshot-manual-old"

STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"


def _major(engine: str, version: str, days: int) -> dict[str, object]:
    """A major version whose standard support ends in so many days."""
    end = datetime.now(UTC) + timedelta(days=days)
    spans = {STANDARD: (end - timedelta(days=1800), end), EXTENDED: (end, end + timedelta(days=1000))}
    lifecycles = [
        {
            "LifecycleSupportName": name,
            "LifecycleSupportStartDate": start,
            "LifecycleSupportEndDate": stop,
        }
        for name, (start, stop) in spans.items()
    ]
    return {"Engine": engine, "MajorEngineVersion": version, "SupportedEngineLifecycles": lifecycles}


ABSENT: Mapping[str, Any] = {
    "rds:DescribeDBEngineVersions": {"DBEngineVersions": [{"Status": "available"}]},
    "rds:DescribeDBMajorEngineVersions": {
        "DBMajorEngineVersions": [
            _major("postgres", "16", 900),
            _major("mysql", "5.7", -500),
            _major("mysql", "8.0", 100),
            _major("mysql", "8.4", 1200),
            _major("aurora-postgresql", "15", 600),
            _major("aurora-postgresql", "11", -300),
        ]
    },
}


def old_database(place: Place, what: str, *, connections: float, iops: float, **options: Any) -> str:
    """The ARN of a database that has been there for a while."""
    name, arn = database(place, what, **options)
    past.age_database(place.account.id, place.region, name, days=40)
    load = {"DatabaseConnections": connections, "ReadIOPS": iops / 2, "WriteIOPS": iops / 2}
    measure_daily(place, "AWS/RDS", {"DBInstanceIdentifier": name}, **load)
    return arn


def snapshot(
    place: Place, what: str, *, days: float, encrypted: bool = True, retention: str = ""
) -> tuple[str, str]:
    """Name and ARN of a database's last snapshot."""
    rds = place.client("rds")
    source, _ = database(place, what, StorageEncrypted=encrypted)
    name = f"final-{source}"
    made = rds.create_db_snapshot(
        DBSnapshotIdentifier=name,
        DBInstanceIdentifier=source,
        Tags=tag_list(place.tags(name, RetentionDays=retention)),
    )
    rds.delete_db_instance(DBInstanceIdentifier=source, SkipFinalSnapshot=True)
    past.age_database_snapshot(place.account.id, place.region, name, days=days)
    return name, made["DBSnapshot"]["DBSnapshotArn"]


@scenario(copies=2)
def database_without_a_standby(place: Place) -> None:
    name, arn = database(place, "ledger", MultiAZ=False)
    place.fails(
        SINGLE,
        resource=arn,
        mend=lambda: place.client("rds").modify_db_instance(DBInstanceIdentifier=name, MultiAZ=True),
    )


@scenario()
def cluster_with_one_instance(place: Place) -> None:
    name, arn = cluster(place, "carts", zones="a")
    place.fails(SINGLE_CLUSTER, resource=arn)
    place.looks_like(SINGLE, resource=place.arn("rds", f"db:{name}-writer"))


@scenario()
def cluster_in_one_zone(place: Place) -> None:
    _, arn = cluster(place, "coupons", zones="bb")
    place.fails(SINGLE_CLUSTER, resource=arn)


@scenario()
def cluster_in_three_zones(place: Place) -> None:
    _, arn = cluster(place, "profiles", zones="acb")
    place.looks_like(SINGLE_CLUSTER, PLAIN_CLUSTER, resource=arn)


@scenario(copies=2)
def database_whose_support_ended(place: Place) -> None:
    name, arn = database(place, "forum", Engine="mysql", EngineVersion="5.7.44")
    rds = place.client("rds")
    place.fails(
        OLD_ENGINE,
        resource=arn,
        mend=lambda: rds.modify_db_instance(DBInstanceIdentifier=name, EngineVersion="8.4.3"),
        remove=lambda: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True),
    )


@scenario()
def database_whose_support_will_end(place: Place) -> None:
    _, arn = database(place, "blog", Engine="mysql", EngineVersion="8.0.36")
    place.fails(OLD_ENGINE, resource=arn)


@scenario()
def database_of_a_deprecated_version(place: Place) -> None:
    """Its major version is supported."""
    _, arn = database(place, "events", Engine="mysql", EngineVersion="8.4.0")
    deprecated = {"Engine": "mysql", "EngineVersion": "8.4.0", "Status": "deprecated"}
    place.answers(
        "rds:DescribeDBEngineVersions",
        {"DBEngineVersions": [deprecated]},
        Engine="mysql",
        EngineVersion="8.4.0",
    )
    place.fails(OLD_ENGINE, resource=arn)


@scenario()
def cluster_whose_support_ended(place: Place) -> None:
    """Its instances have the same version, and are not to be reported as well."""
    name, arn = cluster(place, "orders", version="11.21")
    place.fails(OLD_ENGINE, resource=arn)
    place.looks_like(OLD_ENGINE, resource=place.arn("rds", f"db:{name}-writer"))


@scenario(copies=2)
def database_nobody_uses(place: Place) -> None:
    arn = old_database(place, "survey", connections=0, iops=1)
    place.fails(IDLE, resource=arn)


@scenario()
def database_somebody_uses_now_and_then(place: Place) -> None:
    arn = old_database(place, "payroll", connections=1, iops=1)
    place.looks_like(IDLE, SINGLE, OLD_ENGINE, resource=arn)


@scenario()
def database_that_works_without_connections(place: Place) -> None:
    """Something inside it does."""
    arn = old_database(place, "etl", connections=0, iops=40)
    place.looks_like(IDLE, resource=arn)


@scenario(copies=2)
def public_snapshot(place: Place) -> None:
    name, arn = snapshot(place, "demo", days=1, encrypted=False)
    rds = place.client("rds")
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"])
    place.fails(
        PUBLIC_SNAPSHOT,
        resource=arn,
        mend=lambda: rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToRemove=["all"]
        ),
    )


@scenario(copies=2)
def old_snapshot(place: Place) -> None:
    name, arn = snapshot(place, "campaign", days=200)
    place.fails(
        OLD_SNAPSHOT,
        resource=arn,
        remove=lambda: place.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name),
    )


@scenario()
def snapshot_to_be_kept(place: Place) -> None:
    _, arn = snapshot(place, "taxes", days=200, retention="3650")
    place.looks_like(OLD_SNAPSHOT, PUBLIC_SNAPSHOT, resource=arn)
