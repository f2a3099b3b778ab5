"""How we learn about DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.services.dynamodb.facts import Index, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import GlobalSecondaryIndexDescriptionTypeDef, TableDescriptionTypeDef


STATES = words(
    "CREATING",
    "UPDATING",
    "DELETING",
    "ACTIVE",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
    "ARCHIVING",
    "ARCHIVED",
    "REPLICATION_NOT_AUTHORIZED",
)
PROVISIONED = "PROVISIONED"
BILLING = words(PROVISIONED, "PAY_PER_REQUEST")
CLASSES = words("STANDARD", "STANDARD_INFREQUENT_ACCESS")


@collector(
    Table, calls=("dynamodb:ListTables", "dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups")
)
def dynamodb_tables(aws: Reader) -> Iterator[Table]:
    """Three calls: the list has names only, and recovery is another question."""
    dynamodb: DynamoDBClient = aws.client("dynamodb")
    for page in aws.pages(dynamodb.get_paginator("list_tables")):
        tables: Iterator[Table | Gap] = aws.each(partial(_table, aws, dynamodb), page["TableNames"])
        for table in tables:
            if isinstance(table, Gap):
                aws.spoil(table)  # its own policy may deny to describe it
            else:
                yield table


def _table(aws: Reader, dynamodb: DynamoDBClient, name: str) -> Table | Gap | None:
    table = table_description(dynamodb, name)
    if table is None or isinstance(table, Gap):
        return table
    provisioned, billing = table["ProvisionedThroughput"], table.get("BillingModeSummary", {})
    replicas = (each["RegionName"] for each in table.get("Replicas", []))
    return Table(
        arn=table["TableArn"],
        name=name,
        status=STATES[table["TableStatus"]],
        created=table["CreationDateTime"],
        on_demand=BILLING[billing.get("BillingMode", PROVISIONED)] != PROVISIONED,
        read_units=provisioned["ReadCapacityUnits"],
        write_units=provisioned["WriteCapacityUnits"],
        size_bytes=table["TableSizeBytes"],
        infrequent=CLASSES[table.get("TableClassSummary", {}).get("TableClass", "STANDARD")] != "STANDARD",
        replicas=tuple(sorted(each for each in replicas if each != aws.target.region)),
        indexes=tuple(
            _index(name, table["TableArn"], index) for index in table.get("GlobalSecondaryIndexes", [])
        ),
        point_in_time=table_point_in_time_recovery(dynamodb, name),
    )


def _index(table: str, arn: str, index: GlobalSecondaryIndexDescriptionTypeDef) -> Index:
    provisioned = index.get("ProvisionedThroughput", {})
    return Index(
        arn=f"{arn}/index/{index['IndexName']}",
        table=table,
        name=index["IndexName"],
        read_units=provisioned.get("ReadCapacityUnits", 0),
        write_units=provisioned.get("WriteCapacityUnits", 0),
        size_bytes=index.get("IndexSizeBytes", 0),
    )


@fact(absent="ResourceNotFoundException")
def table_description(dynamodb: DynamoDBClient, name: str) -> TableDescriptionTypeDef:
    return dynamodb.describe_table(TableName=name)["Table"]


@fact(absent="TableNotFoundException")
def table_point_in_time_recovery(dynamodb: DynamoDBClient, name: str) -> str:
    told = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return told["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
