"""What DynamoDB answers is read as boto3 reads it."""

from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from orgscan import session
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
    read = plain(written)
    assert read == TypeDeserializer().deserialize(written)
    assert type(read) is type(TypeDeserializer().deserialize(written))


@pytest.mark.parametrize("odd", [{}, {"XL": "?"}])
def test_what_is_no_value_is_refused_as_boto3_refuses_it(odd: Any) -> None:
    for read in (TypeDeserializer().deserialize, plain):
        with pytest.raises(TypeError):
            read(odd)


def test_every_answer_of_a_table_is_read(aws: boto3.Session) -> None:
    """Also the one that says where a query goes on, and those to operations that are rare."""
    aws.client("dynamodb").create_table(
        TableName="findings",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"pk": "a", "sk": "1", "n": Decimal(7), "list": [{"deep": {"er": None}}], "set": {"x", "y"}}
    for name in ("findings", "findings"):  # a table made twice is read once
        table = session.here().table(name)
    table.put_item(Item=item)
    table.put_item(Item={**item, "sk": "2"})
    assert table.get_item(Key={"pk": "a", "sk": "1"})["Item"] == item
    page = table.query(KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": "a"}, Limit=1)
    assert (page["Items"], page["LastEvaluatedKey"]) == ([item], {"pk": "a", "sk": "1"})
    assert table.scan()["Items"] == [item, {**item, "sk": "2"}]
    changed = table.update_item(
        Key={"pk": "a", "sk": "1"},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": 8},
        ReturnValues="ALL_NEW",
    )
    assert changed["Attributes"] == {**item, "n": 8}
    assert table.delete_item(Key={"pk": "a", "sk": "2"}, ReturnValues="ALL_OLD")["Attributes"]["n"] == 7
