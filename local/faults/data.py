"""Databases and functions."""

import io
import secrets
import zipfile
from functools import cache
from typing import Any

from local.faults.identity import TRUST
from local.faults.network import RISKY, group, rule
from local.place import Place, scenario, tag_list

PUBLIC, PLAIN = "rds-instance-public", "rds-instance-unencrypted"
BACKUP = "rds-instance-backup-disabled-or-short"
PLAIN_CLUSTER, PUBLIC_SNAPSHOT = "rds-cluster-unencrypted", "rds-snapshot-public"
RUNTIME = "lambda-function-runtime-deprecated"


def database(place: Place, what: str, **options: Any) -> tuple[str, str]:
    """A private, encrypted, well kept, new database unless the options differ. Returns its name and ARN."""
    name = place.name(what)
    settings = {
        "DBInstanceClass": "db.t4g.medium",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "MultiAZ": True,
        "AllocatedStorage": 100,
        "MasterUsername": "dba",
        "MasterUserPassword": secrets.token_hex(12),
        "PubliclyAccessible": False,
        "StorageEncrypted": True,
        "BackupRetentionPeriod": 14,
        "Tags": tag_list(place.tags(name)),
        **options,
    }
    made = place.client("rds").create_db_instance(DBInstanceIdentifier=name, **settings)
    return name, made["DBInstance"]["DBInstanceArn"]


def cluster(
    place: Place,
    what: str,
    *,
    backup_days: int = 14,
    encrypted: bool = True,
    version: str = "15.4",
    zones: str = "ab",
) -> tuple[str, str]:
    """An Aurora cluster's name and ARN. It has an instance in each of the zones, the first is the writer."""
    rds, name = place.client("rds"), place.name(what)
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion=version,
        MasterUsername="dba",
        MasterUserPassword=secrets.token_hex(12),
        StorageEncrypted=encrypted,
        BackupRetentionPeriod=backup_days,
        Tags=tag_list(place.tags(name)),
    )
    for number, zone in enumerate(zones):
        instance = f"{name}-reader-{number}" if number else f"{name}-writer"
        rds.create_db_instance(
            DBInstanceIdentifier=instance,
            DBClusterIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
            EngineVersion=version,
            AvailabilityZone=f"{place.region}{zone}",
            PubliclyAccessible=False,
            Tags=tag_list(place.tags(instance)),
        )
    return name, made["DBCluster"]["DBClusterArn"]


def function(
    place: Place, what: str, *, tags: dict[str, str] | None = None, **package: Any
) -> tuple[str, str]:
    """A function's name and ARN."""
    name = place.name(what)
    made = place.client("lambda").create_function(
        FunctionName=name,
        Role=_execution_role(place),
        Tags=place.tags(name) if tags is None else tags,
        **package,
    )
    return name, made["FunctionArn"]


def zipped(runtime: str) -> dict[str, Any]:
    return {"Runtime": runtime, "Handler": "app.handler", "Code": {"ZipFile": _archive()}}


@cache
def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
    return buffer.getvalue()


def _execution_role(place: Place) -> str:
    """Roles have no region, so the name does."""
    name = place.name("function")
    made = place.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    return str(made["Role"]["Arn"])


@scenario(copies=2)
def public_database(place: Place) -> None:
    name, arn = database(place, "reporting", PubliclyAccessible=True)
    rds = place.client("rds")
    place.fails(
        PUBLIC,
        resource=arn,
        mend=lambda: rds.modify_db_instance(DBInstanceIdentifier=name, PubliclyAccessible=False),
        remove=lambda: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True),
    )


@scenario()
def public_database_that_lets_the_world_in(place: Place) -> None:
    open_to_all, open_arn = group(place, "partner-database", rule("0.0.0.0/0", ports=(5432, 5432)), used=True)
    place.fails(RISKY, resource=open_arn)
    _, arn = database(place, "partner", PubliclyAccessible=True, VpcSecurityGroupIds=[open_to_all])
    place.fails(PUBLIC, resource=arn)


@scenario()
def private_database_in_an_open_group(place: Place) -> None:
    open_to_all, open_arn = group(place, "open-database", rule("0.0.0.0/0", ports=(5432, 5432)), used=True)
    place.fails(RISKY, resource=open_arn)
    _, arn = database(place, "internal", VpcSecurityGroupIds=[open_to_all])
    place.looks_like(PUBLIC, PLAIN, BACKUP, resource=arn)


@scenario(copies=2)
def plain_database(place: Place) -> None:
    name, arn = database(place, "wiki", StorageEncrypted=False)
    place.fails(
        PLAIN,
        resource=arn,
        remove=lambda: place.client("rds").delete_db_instance(
            DBInstanceIdentifier=name, SkipFinalSnapshot=True
        ),
    )


@scenario(copies=2)
def database_with_one_day_of_backups(place: Place) -> None:
    name, arn = database(place, "tickets", BackupRetentionPeriod=1)
    place.fails(
        BACKUP,
        resource=arn,
        mend=lambda: place.client("rds").modify_db_instance(
            DBInstanceIdentifier=name, BackupRetentionPeriod=7
        ),
    )


@scenario()
def database_without_backups(place: Place) -> None:
    _, arn = database(place, "sessions", BackupRetentionPeriod=0)
    place.fails(BACKUP, resource=arn)


@scenario()
def cluster_with_short_backups(place: Place) -> None:
    """Aurora is judged on the cluster, not on its instance."""
    _, arn = cluster(place, "catalog", backup_days=1)
    place.fails(BACKUP, resource=arn)


@scenario()
def plain_cluster(place: Place) -> None:
    """Encryption of Aurora is another question than that of an instance. One partner may restore a copy."""
    name, arn = cluster(place, "search", encrypted=False)
    place.fails(PLAIN_CLUSTER, resource=arn)
    place.looks_like(PLAIN, resource=place.arn("rds", f"db:{name}-writer"))
    rds = place.client("rds")
    made = rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=f"{name}-copy", DBClusterIdentifier=name, Tags=tag_list(place.tags(name))
    )
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=f"{name}-copy", AttributeName="restore", ValuesToAdd=["999999999999"]
    )
    place.looks_like(PUBLIC_SNAPSHOT, resource=made["DBClusterSnapshot"]["DBClusterSnapshotArn"])


@scenario(copies=2)
def function_on_an_old_runtime(place: Place) -> None:
    name, arn = function(place, "thumbnails", **zipped("python3.7"))
    aws_lambda = place.client("lambda")
    place.fails(
        RUNTIME,
        resource=arn,
        mend=lambda: aws_lambda.update_function_configuration(FunctionName=name, Runtime="python3.13"),
        remove=lambda: aws_lambda.delete_function(FunctionName=name),
    )


@scenario()
def function_on_another_old_runtime(place: Place) -> None:
    _, arn = function(place, "webhook", **zipped("nodejs14.x"))
    place.fails(RUNTIME, resource=arn)


@scenario(copies=2)
def function_on_a_current_runtime(place: Place) -> None:
    _, arn = function(place, "resize", **zipped("python3.13"))
    place.looks_like(RUNTIME, resource=arn)


@scenario()
def function_from_an_image(place: Place) -> None:
    """It brings its own runtime."""
    image = f"{place.account.id}.dkr.ecr.{place.region}.amazonaws.com/forecast:1"
    _, arn = function(place, "forecast", PackageType="Image", Code={"ImageUri": image})
    place.looks_like(RUNTIME, resource=arn)
