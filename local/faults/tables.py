"""DynamoDB tables."""

from typing import Any

from local import past
from local.faults.backups import protect
from local.faults.load import measure_daily
from local.place import Place, scenario, tag_list

IDLE, RECOVERY = "dynamodb-table-idle", "dynamodb-table-pitr-disabled"
INDEX = "by-day"


def table(
    place: Place, what: str, *, recoverable: bool = True, days: float = 0, **options: Any
) -> tuple[str, str]:
    """Name and ARN of a table that was made so many days ago."""
    dynamodb, name = place.client("dynamodb"), place.name(what)
    settings = {"BillingMode": "PAY_PER_REQUEST", **options}
    made = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": "S"}
            for each in ("id", *(("day",) if "GlobalSecondaryIndexes" in options else ()))
        ],
        Tags=tag_list(place.tags(name)),
        **settings,
    )
    if recoverable:
        _recover(place, name)
    past.age_table(place.account.id, place.region, name, days=days)
    return name, made["TableDescription"]["TableArn"]


def _recover(place: Place, name: str) -> None:
    place.client("dynamodb").update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


@scenario(copies=2)
def table_nobody_uses(place: Place) -> None:
    units = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 10}
    name, arn = table(place, "leases", days=40, BillingMode="PROVISIONED", ProvisionedThroughput=units)
    place.fails(IDLE, resource=arn, remove=lambda: place.client("dynamodb").delete_table(TableName=name))


@scenario()
def table_on_demand_nobody_uses(place: Place) -> None:
    name, arn = table(place, "flags", days=40)
    dimensions = {"TableName": name}
    measure_daily(
        place, "AWS/DynamoDB", dimensions, ConsumedReadCapacityUnits=0, ConsumedWriteCapacityUnits=0
    )
    place.fails(IDLE, resource=arn)


@scenario()
def table_read_through_its_index(place: Place) -> None:
    index = {
        "IndexName": INDEX,
        "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    name, arn = table(place, "rates", days=40, GlobalSecondaryIndexes=[index])
    dimensions = {"TableName": name, "GlobalSecondaryIndexName": INDEX}
    measure_daily(place, "AWS/DynamoDB", dimensions, ConsumedReadCapacityUnits=3)
    place.looks_like(IDLE, resource=arn)


@scenario(copies=2)
def table_that_cannot_be_recovered(place: Place) -> None:
    """It is new, which is why nobody has used it."""
    name, arn = table(place, "carts", recoverable=False)
    place.fails(RECOVERY, resource=arn, mend=lambda: _recover(place, name))
    place.looks_like(IDLE, resource=arn)


@scenario()
def table_that_is_backed_up(place: Place) -> None:
    _, arn = table(place, "invoices", recoverable=False)
    protect(place, arn)
    place.looks_like(RECOVERY, resource=arn)
