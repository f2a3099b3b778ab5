"""What DynamoDB answers is read as boto3 reads it."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orgscan import attributes, session
from orgscan.attributes import plain

ONE_NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
SCALARS = st.one_of(
    st.text(), ONE_NUMBER, st.integers(-(10**20), 10**20), st.booleans(), st.none(), st.binary(max_size=9)
)
SETS = st.one_of(
    st.sets(st.text(max_size=5), min_size=1),
    st.sets(st.integers(), min_size=1),
    st.sets(st.binary(min_size=1, max_size=5), min_size=1),
)
VALUES = st.recursive(
    SCALARS | SETS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_is_what_boto3_makes_of_it(value: Any) -> None:
    written = TypeSerializer().serialize(value)
    assert attributes.value(value) == written
    read = plain(written)
    assert read == TypeDeserializer().deserialize(written)
    assert type(read) is type(TypeDeserializer().deserialize(written))


@pytest.mark.parametrize("odd", [1.5, object(), [1.5], {"deep": object()}, {1, "mixed"}])
def test_what_has_no_type_is_refused_as_boto3_refuses_it(odd: Any) -> None:
    for write in (TypeSerializer().serialize, attributes.value):
        with pytest.raises(TypeError):
            write(odd)


@pytest.mark.parametrize("odd", [{}, {"XL": "?"}])
def test_what_is_no_value_is_refused_as_boto3_refuses_it(odd: Any) -> None:
    for read in (TypeDeserializer().deserialize, plain):
        with pytest.raises(TypeError):
            read(odd)


@pytest.fixture
def table(aws: boto3.Session) -> Any:
    aws.client("dynamodb").create_table(
        TableName="findings",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    session.here().table("findings")  # a table made twice is read once
    return session.here().table("findings")


ITEM = {"pk": "a", "sk": "1", "n": Decimal(7), "list": [{"deep": {"er": None}}], "set": {"x", "y"}}


def test_every_answer_of_a_table_is_read(table: Any) -> None:
    """Also the one that says where a query goes on, and those to operations that are rare."""
    table.put_item(Item=ITEM)
    table.put_item(Item={**ITEM, "sk": "2"})
    assert table.get_item(Key={"pk": "a", "sk": "1"})["Item"] == ITEM
    page = table.query(KeyConditionExpression=Key("pk").eq("a"), Limit=1)
    assert (page["Items"], page["LastEvaluatedKey"]) == ([ITEM], {"pk": "a", "sk": "1"})
    assert table.scan()["Items"] == [ITEM, {**ITEM, "sk": "2"}]
    wanted = {"findings": {"Keys": [{"pk": "a", "sk": "2"}]}}
    rare = table.meta.client.batch_get_item(RequestItems=wanted)
    assert rare["Responses"]["findings"] == [{**ITEM, "sk": "2"}]
    changed = table.update_item(
        Key={"pk": "a", "sk": "1"},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": 8},
        ReturnValues="ALL_NEW",
    )
    assert changed["Attributes"] == {**ITEM, "n": 8}
    gone = table.delete_item(Key={"pk": "a", "sk": "2"}, ReturnValues="ALL_OLD")
    assert gone["Attributes"]["n"] == 7


def test_a_transaction_is_written_and_what_it_was_made_of_stays_as_it_was(table: Any) -> None:
    condition = {
        "Key": {"pk": "a", "sk": "0"},
        "ConditionExpression": "#n = :n",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":n": 1},
    }
    where = {"TableName": "findings"}
    puts = [{"Put": {**where, "Item": {**ITEM, "sk": str(number)}}} for number in range(2, 4)]
    asked = [{"ConditionCheck": {**where, **condition}}, *puts]
    before = deepcopy(asked)
    client = table.meta.client
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.transact_write_items(TransactItems=asked)
    assert table.scan()["Items"] == []
    table.put_item(Item={"pk": "a", "sk": "0", "n": 1})
    client.transact_write_items(TransactItems=asked)
    assert table.scan()["Items"][1:] == [each["Put"]["Item"] for each in puts]
    assert asked == before


def test_a_condition_that_boto3_builds_is_built(table: Any) -> None:
    table.put_item(Item=ITEM, ConditionExpression=Attr("pk").not_exists())
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.put_item(Item=ITEM, ConditionExpression=Attr("pk").not_exists())
