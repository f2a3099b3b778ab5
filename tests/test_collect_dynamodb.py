"""What the DynamoDB collector sees."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.backup.collect import backup_protected_resources
from orgscan.services.backup.facts import ProtectedResource
from orgscan.services.dynamodb.collect import dynamodb_tables
from orgscan.services.dynamodb.facts import Index, Table
from orgscan.session import Clients
from tests.answers import answer, refuse

MADE = datetime(2025, 1, 1, tzinfo=UTC)


def key(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"}]


def test_a_provisioned_table_with_an_index(aws: boto3.Session, clients: Clients, target: Target) -> None:
    dynamodb = aws.client("dynamodb")
    units = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 10}
    index = {
        "IndexName": "by-day",
        "KeySchema": key("day"),
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1},
    }
    made = dynamodb.create_table(
        TableName="carts",
        KeySchema=key("id"),
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("id", "day")],
        ProvisionedThroughput=units,
        GlobalSecondaryIndexes=[index],
    )["TableDescription"]
    (table,) = dynamodb_tables.read(clients, target)
    assert table == Table(
        arn=made["TableArn"],
        name="carts",
        status="ACTIVE",
        created=made["CreationDateTime"],
        on_demand=False,
        read_units=20,
        write_units=10,
        size_bytes=0,
        infrequent=False,
        replicas=(),
        indexes=(
            Index(
                arn=f"{made['TableArn']}/index/by-day",
                table="carts",
                name="by-day",
                read_units=5,
                write_units=1,
                size_bytes=0,
            ),
        ),
        point_in_time="DISABLED",
    )
    assert table.tags is None
    assert table.dimensions == {"TableName": "carts"}
    assert table.indexes[0].dimensions == {"TableName": "carts", "GlobalSecondaryIndexName": "by-day"}


def test_tables_of_two_pages(aws: boto3.Session, clients: Clients, target: Target) -> None:
    dynamodb = aws.client("dynamodb")
    for name in ("carts", "leases"):
        dynamodb.create_table(
            TableName=name,
            KeySchema=key("id"),
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.update_continuous_backups(
        TableName="leases", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    pages = {"TableNames": ["carts"], "LastEvaluatedTableName": "carts"}, {"TableNames": ["leases"]}
    answer(clients, target, "dynamodb:ListTables", *pages)
    seen = list(dynamodb_tables.read(clients, target))
    assert [(each.name, each.on_demand) for each in seen] == [("carts", True), ("leases", True)]
    assert [each.point_in_time for each in seen] == ["DISABLED", "ENABLED"]


def described(target: Target, **more: Any) -> dict[str, Any]:
    return {
        "Table": {
            "TableArn": target.arn("dynamodb", "table/carts"),
            "TableStatus": "ACTIVE",
            "CreationDateTime": MADE,
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "TableSizeBytes": 7,
            **more,
        }
    }


def test_a_global_table_of_the_class_for_infrequent_access(clients: Clients, target: Target) -> None:
    answer(clients, target, "dynamodb:ListTables", {"TableNames": ["carts"]})
    regions = ("us-east-1", "eu-west-1", "eu-central-1")
    table = described(
        target,
        BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"},
        TableClassSummary={"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        Replicas=[{"RegionName": each} for each in regions],
        GlobalSecondaryIndexes=[{"IndexName": "by-day"}],
    )
    answer(clients, target, "dynamodb:DescribeTable", table)
    refuse(clients, target, "dynamodb:DescribeContinuousBackups", "AccessDeniedException")
    (seen,) = dynamodb_tables.read(clients, target)
    assert (seen.replicas, seen.on_demand, seen.infrequent) == (("eu-central-1", "us-east-1"), True, True)
    assert (seen.indexes[0].read_units, seen.indexes[0].size_bytes) == (0, 0)
    assert isinstance(seen.point_in_time, Gap)
    assert seen.point_in_time.reason is Blindness.DENIED


def test_a_table_that_is_gone_meanwhile(clients: Clients, target: Target) -> None:
    answer(clients, target, "dynamodb:ListTables", {"TableNames": ["carts"]})
    lost: list[Gap] = []
    assert list(dynamodb_tables.read(clients, target, spoil=lost.append)) == []
    assert lost == []
    answer(clients, target, "dynamodb:DescribeTable", described(target))
    (seen,) = dynamodb_tables.read(clients, target)
    assert seen.point_in_time is None


def test_an_odd_table_costs_itself(clients: Clients, target: Target) -> None:
    odd = described(target)
    del odd["Table"]["CreationDateTime"]
    answer(clients, target, "dynamodb:ListTables", {"TableNames": ["odd", "carts"]})
    answer(clients, target, "dynamodb:DescribeTable", odd, described(target))
    lost: list[Gap] = []
    seen = list(dynamodb_tables.read(clients, target, spoil=lost.append))
    assert [each.name for each in seen] == ["carts"]
    assert [each.reason for each in lost] == [Blindness.FAULT]


def test_a_table_that_may_not_be_described_is_a_gap(clients: Clients, target: Target) -> None:
    answer(clients, target, "dynamodb:ListTables", {"TableNames": ["carts"]})
    refuse(clients, target, "dynamodb:DescribeTable", "AccessDeniedException")
    lost: list[Gap] = []
    assert list(dynamodb_tables.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.DENIED]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "dynamodb:ListTables", "AccessDeniedException")
    with pytest.raises(ClientError, match="dynamodb:ListTables"):
        list(dynamodb_tables.read(clients, target))


def test_what_aws_backup_protects(clients: Clients, target: Target) -> None:
    tables = [target.arn("dynamodb", f"table/{name}") for name in ("a", "b", "c")]
    answer(
        clients,
        target,
        "backup:ListProtectedResources",
        {"Results": [{"ResourceArn": tables[0], "LastBackupTime": MADE}, {}], "NextToken": "more"},
        {"Results": [{"ResourceArn": tables[1]}]},
    )
    lost: list[Gap] = []
    assert list(backup_protected_resources.read(clients, target, spoil=lost.append)) == [
        ProtectedResource(arn=tables[0], last_backup=MADE),
        ProtectedResource(arn=tables[1], last_backup=None),
    ]
    assert len(lost) == 1


def test_a_denied_listing_of_backups_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "backup:ListProtectedResources", "AccessDeniedException")
    with pytest.raises(ClientError, match="backup:ListProtectedResources"):
        list(backup_protected_resources.read(clients, target))


@pytest.mark.parametrize(
    "odd",
    [
        {"TableStatus": "NAPPING"},
        {"BillingModeSummary": {"BillingMode": "BARTER"}},
        {"TableClassSummary": {"TableClass": "SECOND"}},
    ],
    ids=str,
)
def test_words_that_nobody_knows_cost_their_table(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    told = described(target)
    told["Table"].update(odd)
    answer(clients, target, "dynamodb:ListTables", {"TableNames": ["odd"]})
    answer(clients, target, "dynamodb:DescribeTable", told)
    lost: list[Gap] = []
    assert list(dynamodb_tables.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]
