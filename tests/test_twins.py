"""The twins answer as moto does; where moto is laxer than AWS, as AWS does."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as some
from moto import mock_aws

from orgscan import regions
from orgscan.errors import code_of
from orgscan.organization import Account, Organization, Selection, UnknownUnit
from tests.twins import OrganizationsTwin, RegionsTwin, S3Twin, SnsTwin, TableTwin, cancelled, refusal

FAILED = "ConditionalCheckFailedException"
A1 = {"pk": "a", "sk": "1"}


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    """Made once: a table takes moto longer than most tests."""
    with mock_aws():
        aws = boto3.Session(region_name="eu-west-1")
        names = ("pk", "sk", "listed", "listed_sk")
        keys: Any = [
            {"AttributeName": name, "KeyType": "HASH" if name in ("pk", "listed") else "RANGE"}
            for name in names
        ]
        table = aws.resource("dynamodb").create_table(
            TableName="findings",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys[:2],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            GlobalSecondaryIndexes=[
                {"IndexName": "open", "KeySchema": keys[2:], "Projection": {"ProjectionType": "ALL"}}
            ],
        )
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield SimpleNamespace(table=table, s3=s3)


@pytest.fixture(params=["moto", "twin"])
def either(request: pytest.FixtureRequest) -> Any:
    """A table; each test that takes it is held by both."""
    return TableTwin() if request.param == "twin" else emptied(request.getfixturevalue("moto").table)


@pytest.fixture
def twin() -> TableTwin:
    return TableTwin(page=3)


@pytest.fixture(params=["moto", "twin"])
def s3(request: pytest.FixtureRequest) -> Any:
    if request.param == "twin":
        return S3Twin("bucket")
    client = request.getfixturevalue("moto").s3
    for each in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=each["Key"])
    return client


def emptied(table: Any) -> Any:
    for pk, sk in everything(table):
        table.delete_item(Key={"pk": pk, "sk": sk})
    return table


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return code_of(raised.value)


def got(table: Any, key: Mapping[str, Any] = A1) -> Any:
    return table.get_item(Key=key, ConsistentRead=True).get("Item")


def everything(table: Any) -> dict[tuple[str, str], Any]:
    return {(item["pk"], item["sk"]): item for item in table.scan()["Items"]}


def transact(table: Any, *actions: tuple[str, Mapping[str, Any]]) -> None:
    items = [{kind: {"TableName": table.name, **arguments}} for kind, arguments in actions]
    table.meta.client.transact_write_items(TransactItems=items)


def put(sk: str, **more: Any) -> tuple[str, Mapping[str, Any]]:
    return "Put", {"Item": {"pk": "a", "sk": sk, **more}}


def is_there(sk: str, expression: str = "attribute_exists(pk)", **more: Any) -> tuple[str, Mapping[str, Any]]:
    return "ConditionCheck", {"Key": {"pk": "a", "sk": sk}, "ConditionExpression": expression, **more}


# Items


def test_what_was_put_comes_back_as_boto3_gives_it(either: Any) -> None:
    either.put_item(
        Item={
            **A1,
            "text": "é",
            "empty": "",
            "number": 7,
            "money": Decimal("12.34"),
            "on": True,
            "nothing": None,
            "list": ["x", 1, ("y", False)],
            "map": {"a": {"b": [None]}},
            "texts": {"x", "y"},
            "numbers": {1, 2},
        }
    )
    item = got(either)
    assert item == {
        **A1,
        "text": "é",
        "empty": "",
        "number": Decimal(7),
        "money": Decimal("12.34"),
        "on": True,
        "nothing": None,
        "list": ["x", Decimal(1), ["y", False]],
        "map": {"a": {"b": [None]}},
        "texts": {"x", "y"},
        "numbers": {Decimal(1), Decimal(2)},
    }
    assert {type(item[name]) for name in ("number", "money")} == {Decimal}
    assert (type(item["on"]), type(item["texts"]), type(item["list"][2])) == (bool, set, list)


def test_an_item_is_replaced_as_a_whole(either: Any) -> None:
    either.put_item(Item={**A1, "x": 1})
    either.put_item(Item={**A1, "y": 2})
    assert got(either) == {**A1, "y": 2}


def test_what_is_not_there_is_not_answered(either: Any) -> None:
    assert "Item" not in either.get_item(Key=A1)


def test_what_a_caller_changes_stays_its_own(either: Any) -> None:
    item = {**A1, "list": [{"x": 1}], "texts": {"x"}}
    either.put_item(Item=item)
    item["list"].append(2)  # type: ignore[attr-defined]
    got(either)["list"][0]["x"] = 3
    got(either)["texts"].add("y")
    either.query(KeyConditionExpression=Key("pk").eq("a"))["Items"][0]["list"].clear()
    assert got(either) == {**A1, "list": [{"x": 1}], "texts": {"x"}}


def test_a_deleted_item_is_gone_and_may_be_deleted_again(either: Any) -> None:
    either.put_item(Item=A1)
    either.delete_item(Key=A1)
    either.delete_item(Key=A1)
    assert got(either) is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.5, "Float types are not supported"),
        ([{"x": 1.5}], "Float types are not supported"),
        (Decimal("NaN"), "Infinity and NaN not supported"),
        (object(), "Unsupported type"),
        ({"x", 1}, "Unsupported type"),
    ],
    ids=["float", "inner float", "not a number", "object", "mixed set"],
)
def test_boto3_refuses_what_dynamodb_has_no_type_for(either: Any, value: object, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        either.put_item(Item={**A1, "x": value})


UNFIT: Sequence[Mapping[str, Any]] = [
    {"pk": "a"},
    {"sk": "1"},
    {"pk": "", "sk": "1"},
    {"pk": "a", "sk": ""},
    {"pk": "a", "sk": 1},
    {"pk": "a", "sk": "é" * 513},
    {"pk": "a" * 2049, "sk": "1"},
    {**A1, "listed": "", "listed_sk": "x"},
    {**A1, "listed": None, "listed_sk": "x"},
    {**A1, "x": "z" * 500_000},
    {**A1, "x": ["z" * 100_000] * 5},
    {**A1, "x": set()},
]


def shown(item: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={str(value)[:5]}" for name, value in item.items())


@pytest.mark.parametrize("item", UNFIT, ids=shown)
def test_an_item_that_dynamodb_does_not_take_is_refused(either: Any, item: Mapping[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        either.put_item(Item=item)
    assert code(refused) == "ValidationException"
    assert everything(either) == {}


@pytest.mark.parametrize("item", UNFIT, ids=shown)
def test_no_transaction_brings_it_in(twin: TableTwin, item: Mapping[str, Any]) -> None:
    """The twin alone: moto lets some pass."""
    with pytest.raises(ClientError) as refused:
        transact(twin, put("2"), ("Put", {"Item": item}))
    assert code(refused) == "ValidationException"
    assert twin.snapshot() == {}


@pytest.mark.parametrize(
    "item",
    [{**A1, "listed": 1, "listed_sk": "x"}, {**A1, "listed": "x", "listed_sk": "é" * 513}],
    ids=["number", "long"],
)
def test_the_keys_of_the_index_are_keys_too(twin: TableTwin, item: Mapping[str, Any]) -> None:
    """The twin alone: moto checks neither."""
    with pytest.raises(ClientError) as refused:
        twin.put_item(Item=item)
    assert code(refused) == "ValidationException"


def test_an_item_may_have_400_kb_with_its_names(twin: TableTwin) -> None:
    """The twin alone: moto draws the line elsewhere."""
    spare = 400 * 1024 - len("pkask1x")
    twin.put_item(Item={**A1, "x": "z" * spare})
    twin.put_item(Item={**A1, "x": "é" * (spare // 2)})
    for text in ("z" * (spare + 1), "é" * (spare // 2 + 1)):
        with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
            twin.put_item(Item={**A1, "x": text})


@pytest.mark.parametrize("key", [{"pk": "a"}, {**A1, "x": "y"}, {"pk": "a", "sk": ""}], ids=shown)
def test_a_key_that_is_none_is_refused(either: Any, key: Mapping[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        either.get_item(Key=key)
    assert code(refused) == "ValidationException"


@pytest.mark.parametrize("key", [{"pk": "a", "sk": 1}, {"pk": "a", "sk": "é" * 513}], ids=shown)
def test_a_key_that_no_item_can_have_is_refused(twin: TableTwin, key: Mapping[str, Any]) -> None:
    """The twin alone: moto looks for it."""
    with pytest.raises(ClientError) as refused:
        twin.get_item(Key=key)
    assert code(refused) == "ValidationException"


def test_an_argument_that_a_call_does_not_know_is_refused(either: Any) -> None:
    with pytest.raises(ParamValidationError):
        either.put_item(Item=A1, Condition="attribute_not_exists(pk)")
    with pytest.raises(ParamValidationError):
        either.get_item(ConsistentRead=True)


# Conditions

ITEM = {**A1, "n": 5, "s": "text", "on": True, "none": None, "list": ["x", 1], "set": {"x", "y"}}
TRUE: Sequence[ConditionBase] = [
    Attr("pk").exists(),
    Attr("missing").not_exists(),
    Attr("n").eq(5) & Attr("s").eq("text"),
    Attr("n").eq(6) | Attr("s").eq("text"),
    ~Attr("n").eq(6),
    Attr("n").lt(6) & Attr("n").lte(5) & Attr("n").gt(4) & Attr("n").gte(5),
    Attr("s").lt("u"),
    Attr("n").between(5, 6),
    Attr("n").is_in([4, 5]),
    Attr("n").ne(6),
    Attr("missing").ne(6),
    Attr("s").begins_with("te"),
    Attr("s").contains("ex"),
    Attr("set").contains("x"),
    Attr("set").eq({"y", "x"}),
    Attr("list").eq(["x", 1]),
    Attr("on").eq(True),  # noqa: FBT003 (the value of an attribute)
    Attr("none").eq(None),
    Attr("none").exists(),
]


@pytest.mark.parametrize("condition", TRUE, ids=lambda each: type(each).__name__)
def test_a_condition_that_holds_lets_the_write_pass(either: Any, condition: ConditionBase) -> None:
    either.put_item(Item=ITEM)
    either.put_item(Item={**ITEM, "x": 1}, ConditionExpression=condition)
    assert got(either)["x"] == 1


@pytest.mark.parametrize("condition", TRUE, ids=lambda each: type(each).__name__)
def test_a_condition_that_does_not_hold_stops_the_write(either: Any, condition: ConditionBase) -> None:
    either.put_item(Item=ITEM)
    with pytest.raises(ClientError, match="The conditional request failed") as refused:
        either.put_item(Item={**ITEM, "x": 1}, ConditionExpression=~condition)
    assert code(refused) == FAILED
    assert "x" not in got(either)


def test_an_item_that_is_not_there_has_no_attributes(either: Any) -> None:
    for condition in (Attr("pk").exists(), Attr("n").eq(5), Attr("n").lt(5), Attr("s").begins_with("t")):
        with pytest.raises(ClientError) as refused:
            either.put_item(Item=A1, ConditionExpression=condition)
        assert code(refused) == FAILED
    either.put_item(Item=A1, ConditionExpression=Attr("pk").not_exists() & Attr("n").ne(5))


@pytest.mark.parametrize(
    "condition",
    [
        Attr("missing").eq(None),
        Attr("on").eq(1),
        Attr("mixed").eq([1]),
        Attr("n").lt("6"),
        Attr("s").gt(1),
        Attr("set").eq({1}),
    ],
    ids=[
        "missing is not null",
        "true is not 1",
        "nor within",
        "no order of types",
        "nor the other way",
        "sets",
    ],
)
def test_values_of_two_types_are_never_equal(twin: TableTwin, condition: ConditionBase) -> None:
    """The twin alone: moto compares them as Python does."""
    twin.put_item(Item={**ITEM, "mixed": [True]})
    with pytest.raises(ClientError) as refused:
        twin.put_item(Item=A1, ConditionExpression=condition)
    assert code(refused) == FAILED


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("#n = :five AND #s = :text", True),
        ("#n = :text AND #s = :text", False),
        ("#n = :text OR #s = :text AND #n = :five", True),
        ("(#n = :text OR #s = :text) AND NOT #n <> :five", True),
        ("attribute_exists(#n) AND attribute_exists(#s) AND :five <= #n AND :five > #n", False),
        ("attribute_not_exists(#n) OR begins_with(#s, :text) AND contains(#s, :text) AND #n = :five", True),
    ],
)
def test_a_condition_may_be_text(either: Any, text: str, *, holds: bool) -> None:
    either.put_item(Item=ITEM)
    words = {
        "ExpressionAttributeNames": {word: word[1:] for word in ("#n", "#s") if word in text},
        "ExpressionAttributeValues": {
            word: value for word, value in {":five": 5, ":text": "text"}.items() if word in text
        },
    }
    for write in (
        lambda: either.put_item(Item={**ITEM, "x": 1}, ConditionExpression=text, **words),
        lambda: transact(either, is_there("1", text, **words), put("2")),
        lambda: either.delete_item(Key=A1, ConditionExpression=text, **words),
    ):
        with nullcontext() if holds else suppress(ClientError):
            write()
    assert [*everything(either)] == ([("a", "2")] if holds else [("a", "1")])


def test_a_deletion_may_have_a_condition(either: Any) -> None:
    either.put_item(Item=ITEM)
    with pytest.raises(ClientError) as refused:
        either.delete_item(Key=A1, ConditionExpression=Attr("n").eq(6))
    assert code(refused) == FAILED
    either.delete_item(Key=A1, ConditionExpression=Attr("n").eq(5))
    assert everything(either) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ConditionExpression": "#n = :five", "ExpressionAttributeNames": {"#n": "n"}},
        {"ConditionExpression": "#n = :five", "ExpressionAttributeValues": {":five": 5}},
        {"ConditionExpression": "n = :five", "ExpressionAttributeValues": {":five": 5, ":six": 6}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeNames": {"#n": "n"}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeValues": {}},
        {"ConditionExpression": "attribute_exists(scan)"},
        {"ConditionExpression": ""},
    ],
    ids=["no value", "no name", "idle value", "idle name", "no values", "reserved", "nothing"],
)
def test_an_expression_that_is_none_is_refused(twin: TableTwin, wrong: Mapping[str, Any]) -> None:
    """The twin alone: moto lets some pass."""
    for write in (
        lambda: twin.put_item(Item=A1, **wrong),
        lambda: transact(twin, ("Put", {"Item": A1, **wrong})),
    ):
        with pytest.raises(ClientError) as refused:
            write()
        assert code(refused) == "ValidationException"


# Updates


def update(table: Any, expression: str, values: Mapping[str, Any] | None = None, **more: Any) -> Any:
    told = {"ExpressionAttributeValues": values} if values else {}
    return table.update_item(Key=A1, UpdateExpression=expression, **told, **more)


OLD = {"x": "old", "n": 5, "team": {"a", "b"}}


@pytest.mark.parametrize(
    ("expression", "values", "changed", "made"),
    [
        ("SET x = :x, y = :y", {":x": 1, ":y": [1]}, {**OLD, "x": 1, "y": [1]}, {"x": 1, "y": [1]}),
        ("SET x = if_not_exists(x, :x)", {":x": 9}, OLD, {"x": 9}),
        ("SET y = if_not_exists(x, :x), x = :x", {":x": 9}, {**OLD, "x": 9, "y": "old"}, {"x": 9, "y": 9}),
        ("ADD team :x", {":x": {"b", "c"}}, {**OLD, "team": {"a", "b", "c"}}, {"team": {"b", "c"}}),
        ("ADD n :x", {":x": -3}, {**OLD, "n": 2}, {"n": -3}),
        ("DELETE team :x", {":x": {"a", "z"}}, {**OLD, "team": {"b"}}, {}),
        ("REMOVE n, team, z", {}, {"x": "old"}, {}),
        ("set x=:x  remove  n", {":x": None}, {"x": None, "team": {"a", "b"}}, {"x": None}),
        (
            "SET x = :x REMOVE n ADD team :t DELETE crew :t",
            {":x": 1, ":t": {"c"}},
            {"x": 1, "team": {"a", "b", "c"}},
            {"x": 1, "team": {"c"}},
        ),
    ],
)
def test_an_update_changes_an_item_or_makes_one(
    either: Any,
    expression: str,
    values: Mapping[str, Any],
    changed: Mapping[str, Any],
    made: Mapping[str, Any],
) -> None:
    update(either, expression, values)
    assert got(either) == {**A1, **made}
    either.put_item(Item={**A1, **OLD})
    update(either, expression, values)
    assert got(either) == {**A1, **changed}


def test_an_update_may_name_what_is_a_word_of_dynamodb(either: Any) -> None:
    with pytest.raises(ClientError, match="reserved keyword") as refused:
        update(either, "SET names = :x", {":x": 1})
    assert code(refused) == "ValidationException"
    update(either, "SET #x = :x", {":x": 1}, ExpressionAttributeNames={"#x": "names"})
    assert got(either) == {**A1, "names": 1}


def test_a_set_that_loses_its_last_member_is_gone(either: Any) -> None:
    either.put_item(Item={**A1, "team": {"a"}})
    update(either, "DELETE team :a", {":a": {"a", "b"}})
    assert got(either) == A1


def test_an_update_may_have_a_condition(either: Any) -> None:
    either.put_item(Item=ITEM)
    for condition in (Attr("n").eq(6), "n = :x"):
        with pytest.raises(ClientError) as refused:
            update(either, "SET s = :x", {":x": "new"}, ConditionExpression=condition)
        assert code(refused) == FAILED
    update(either, "SET s = :x", {":x": "new"}, ConditionExpression=Attr("n").eq(5))
    assert got(either)["s"] == "new"


def test_an_update_returns_the_item_when_asked(either: Any) -> None:
    assert "Attributes" not in update(either, "SET x = :x", {":x": 1})
    assert update(either, "SET x = :x", {":x": 2}, ReturnValues="ALL_NEW")["Attributes"] == {**A1, "x": 2}
    assert update(either, "SET x = :x", {":x": 3}, ReturnValues="ALL_OLD")["Attributes"] == {**A1, "x": 2}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SET sk = :x", "2"),
        ("SET x = :x, x = :x", 1),
        ("SET x = :x SET y = :x", 1),
        ("SET scan = :x", 1),
        ("SET x = :y", 1),
        ("ADD n :x", {"a"}),
        ("ADD s :x", 1),
        ("ADD x :x", "a"),
        ("DELETE n :x", {"a"}),
        ("DELETE x :x", "a"),
        ("SET x = :x", "z" * 500_000),
        ("SET listed_sk = :x", ""),
    ],
)
def test_an_update_that_cannot_be_is_refused(twin: TableTwin, expression: str, value: Any) -> None:
    """The twin alone: moto lets some pass."""
    twin.put_item(Item=ITEM)
    before = twin.snapshot()
    with pytest.raises(ClientError) as refused:
        update(twin, expression, {":x": value})
    assert code(refused) == "ValidationException"
    assert twin.snapshot() == before


def test_what_the_twin_does_not_know_it_does_not_guess(twin: TableTwin) -> None:
    twin.put_item(Item=ITEM)
    for expression in ("SET x = n", "SET x = :x + :x", "SET m.x = :x", "CLEAR x"):
        with pytest.raises(NotImplementedError):
            update(twin, expression, {":x": 1})
    for condition in (
        Attr("s").size().eq(4),
        Attr("m.x").exists(),
        Attr("s").attribute_type("S"),
        "m.x = n",
    ):
        with pytest.raises(NotImplementedError):
            twin.delete_item(Key=A1, ConditionExpression=condition)
    with pytest.raises(NotImplementedError):
        twin.put_item(Item={**A1, "x": b"binary"})
    with pytest.raises(NotImplementedError):
        twin.query(KeyConditionExpression=cast("Any", "pk = :pk"))
    with pytest.raises(NotImplementedError):
        update(twin, "REMOVE x", ReturnValues="UPDATED_NEW")


# Queries

SORTED = ["a", "a#1", "a#10", "a#2", "b", "z", "é", "\uffff", "\U0001f600"]


def found(table: Any, condition: ConditionBase, name: str = "sk", **how: Any) -> list[str]:
    """All pages."""
    answers: list[str] = []
    while True:
        page = table.query(KeyConditionExpression=condition, **how)
        answers += [item[name] for item in page["Items"]]
        assert page["Count"] == len(page["Items"])
        if "LastEvaluatedKey" not in page:
            return answers
        how["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 100])
@pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])
def test_a_query_answers_in_the_order_of_utf_8(either: Any, limit: int | None, *, forward: bool) -> None:
    how: dict[str, Any] = {"ScanIndexForward": forward, **({"Limit": limit} if limit else {})}
    for sk in reversed(SORTED):
        either.put_item(Item={"pk": "p", "sk": sk})
        either.put_item(Item={"pk": "other", "sk": sk})
    for condition, expected in (
        (Key("pk").eq("p"), SORTED),
        (Key("pk").eq("none"), []),
        (Key("pk").eq("p") & Key("sk").begins_with("a#"), ["a#1", "a#10", "a#2"]),
        (Key("sk").begins_with("é") & Key("pk").eq("p"), ["é"]),
        (Key("pk").eq("p") & Key("sk").begins_with("x"), []),
        (Key("pk").eq("p") & Key("sk").eq("b"), ["b"]),
        (Key("pk").eq("p") & Key("sk").lt("a#10"), ["a", "a#1"]),
        (Key("pk").eq("p") & Key("sk").lte("a#10"), ["a", "a#1", "a#10"]),
        (Key("pk").eq("p") & Key("sk").gt("z"), SORTED[6:]),
        (Key("pk").eq("p") & Key("sk").gte("z"), SORTED[5:]),
        (Key("pk").eq("p") & Key("sk").between("a#10", "b"), ["a#10", "a#2", "b"]),
    ):
        assert found(either, condition, ConsistentRead=True, **how) == expected[:: 1 if forward else -1]


def test_a_page_goes_on_where_the_last_one_ended_even_if_that_is_gone(either: Any) -> None:
    for sk in "12345":
        either.put_item(Item={"pk": "a", "sk": sk})
    where = Key("pk").eq("a")
    last = either.query(KeyConditionExpression=where, Limit=2)["LastEvaluatedKey"]
    assert last == {"pk": "a", "sk": "2"}
    either.delete_item(Key=last)
    either.put_item(Item={"pk": "a", "sk": "21"})
    assert found(either, where, ExclusiveStartKey=last) == ["21", "3", "4", "5"]


def test_a_full_page_says_that_more_may_follow(twin: TableTwin) -> None:
    """The twin alone: moto looks ahead; DynamoDB stops at the limit and does not."""
    for sk in "123":
        twin.put_item(Item={"pk": "a", "sk": sk})
    where = Key("pk").eq("a")
    page = twin.query(KeyConditionExpression=where)
    assert [item["sk"] for item in page["Items"]] == ["1", "2", "3"]
    rest = twin.query(KeyConditionExpression=where, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (rest["Items"], "LastEvaluatedKey" in rest) == ([], False)


def test_only_items_with_both_keys_are_in_the_index(either: Any) -> None:
    either.put_item(Item={"pk": "a", "sk": "1", "listed": "high#1", "listed_sk": "x"})
    either.put_item(Item={"pk": "a", "sk": "2", "listed": "high#1"})
    either.put_item(Item={"pk": "a", "sk": "3", "listed_sk": "x"})
    either.put_item(Item={"pk": "b", "sk": "4", "listed": "high#1", "listed_sk": "w", "more": [1]})
    either.put_item(Item={"pk": "b", "sk": "5", "listed": "low#1", "listed_sk": "w"})
    high = Key("listed").eq("high#1")
    assert found(either, high, IndexName="open") == ["4", "1"]
    assert found(either, high, IndexName="open", Limit=1, ScanIndexForward=False) == ["1", "4"]
    assert found(either, high & Key("listed_sk").begins_with("x"), IndexName="open") == ["1"]
    page = either.query(KeyConditionExpression=high, IndexName="open", Limit=1)
    assert page["Items"] == [{"pk": "b", "sk": "4", "listed": "high#1", "listed_sk": "w", "more": [1]}]
    assert page["LastEvaluatedKey"] == {"pk": "b", "sk": "4", "listed": "high#1", "listed_sk": "w"}
    either.update_item(Key={"pk": "b", "sk": "4"}, UpdateExpression="REMOVE listed_sk")
    assert found(either, high, IndexName="open") == ["1"]
    either.put_item(Item={"pk": "a", "sk": "1"})
    assert found(either, high, IndexName="open") == []


def test_items_of_one_sort_key_of_the_index_are_all_found(either: Any) -> None:
    for pk in "cab":
        either.put_item(Item={"pk": pk, "sk": "1", "listed": "o", "listed_sk": "same"})
    for forward in (True, False):
        how: dict[str, Any] = {"IndexName": "open", "ScanIndexForward": forward}
        assert sorted(found(either, Key("listed").eq("o"), "pk", Limit=1, **how)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"KeyConditionExpression": Key("sk").eq("1")},
        {"KeyConditionExpression": Key("pk").begins_with("a")},
        {"KeyConditionExpression": Key("pk").eq("a") & Key("listed").eq("1")},
        {"KeyConditionExpression": Key("listed").eq("a"), "IndexName": "open", "ConsistentRead": True},
        {"KeyConditionExpression": Key("pk").eq("")},
        {"KeyConditionExpression": Key("pk").eq(1)},
        {"KeyConditionExpression": Key("pk").eq("a"), "IndexName": "other"},
        {"KeyConditionExpression": Key("pk").eq("a"), "Limit": 0},
        {"KeyConditionExpression": Key("pk").eq("a"), "ExclusiveStartKey": {"pk": "a"}},
    ],
    ids=["no partition", "no equal", "other key", "consistent", "empty", "number", "index", "limit", "start"],
)
def test_a_query_that_cannot_be_is_refused(twin: TableTwin, wrong: Any) -> None:
    """The twin alone: moto lets some pass."""
    with pytest.raises(ClientError) as refused:
        twin.query(**wrong)
    assert code(refused) == "ValidationException"


# Transactions


def test_a_transaction_does_all(either: Any) -> None:
    for sk in "123":
        either.put_item(Item={"pk": "a", "sk": sk, "n": sk})
    transact(
        either,
        is_there("1", "#n = :n", ExpressionAttributeNames={"#n": "n"}, ExpressionAttributeValues={":n": "1"}),
        ("Delete", {"Key": {"pk": "a", "sk": "2"}}),
        (
            "Update",
            {
                "Key": {"pk": "a", "sk": "3"},
                "UpdateExpression": "SET x = :x",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":x": [1]},
            },
        ),
        put("4", money=Decimal("1.5")),
    )
    assert everything(either) == {
        ("a", "1"): {**A1, "n": "1"},
        ("a", "3"): {"pk": "a", "sk": "3", "n": "3", "x": [Decimal(1)]},
        ("a", "4"): {"pk": "a", "sk": "4", "money": Decimal("1.5")},
    }


def test_a_transaction_does_all_or_nothing(either: Any) -> None:
    either.put_item(Item=A1)
    with pytest.raises(ClientError) as refused:
        transact(
            either,
            put("2"),
            is_there("3"),
            ("Delete", {"Key": A1}),
            ("Put", {"Item": {"pk": "a", "sk": "4"}, "ConditionExpression": "attribute_exists(pk)"}),
        )
    error = refused.value
    assert error.response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons"
        " [None, ConditionalCheckFailed, None, ConditionalCheckFailed]",
    }
    assert (
        cast("Any", error.response)["CancellationReasons"]
        == [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        ]
        * 2
    )
    assert everything(either) == {("a", "1"): A1}


def test_a_transaction_has_at_most_100_actions(either: Any) -> None:
    transact(either, *(put(str(number)) for number in range(100)))
    with pytest.raises(ClientError, match="Member must have length less than or equal to 100") as refused:
        transact(either, *(put(str(number), x=1) for number in range(101)))
    assert code(refused) == "ValidationException"
    assert not any("x" in item for item in everything(either).values())


def test_a_transaction_meets_an_item_once(either: Any) -> None:
    with pytest.raises(ClientError, match="cannot include multiple operations on one item") as refused:
        transact(either, put("1"), is_there("1", "attribute_not_exists(pk)"))
    assert code(refused) == "ValidationException"
    assert everything(either) == {}


@pytest.mark.parametrize(
    "action",
    [
        {"Put": {"Item": A1}},
        {"Put": {"TableName": "findings", "Key": A1}},
        {"ConditionCheck": {"TableName": "findings", "Key": A1}},
        {"Put": {"TableName": "findings", "Item": A1, "ConditionExpression": Attr("pk").exists()}},
        {"Change": {"TableName": "findings", "Item": A1}},
    ],
    ids=["no table", "no item", "no condition", "a tree", "unknown"],
)
def test_boto3_refuses_an_action_that_is_none(either: Any, action: Mapping[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        either.meta.client.transact_write_items(TransactItems=[action])
    with pytest.raises(ParamValidationError):
        either.meta.client.transact_write_items(TransactItems=[])


def test_a_transaction_on_another_table_finds_none(twin: TableTwin) -> None:
    """The twin alone: moto gives it a reason of its own."""
    with pytest.raises(ClientError) as refused:
        twin.meta.client.transact_write_items(TransactItems=[{"Put": {"TableName": "other", "Item": A1}}])
    assert code(refused) == "ResourceNotFoundException"


def test_a_transaction_carries_4_mb(twin: TableTwin) -> None:
    """The twin alone: moto does not add up."""
    large = "z" * 380_000
    transact(twin, *(put(str(number), x=large) for number in range(11)))
    with pytest.raises(ClientError) as refused:
        transact(twin, *(put(str(number), x=large) for number in range(12)))
    assert code(refused) == "ValidationException"
    assert len(twin.snapshot()) == 11


def test_what_an_update_cannot_do_cancels_the_transaction(twin: TableTwin) -> None:
    """The twin alone: moto refuses the whole call as one that is malformed."""
    twin.put_item(Item={**A1, "n": 5, "x": "z" * 300_000})
    for expression, value in {"ADD n :x": {"a"}, "SET y = :x": "z" * 200_000}.items():
        values = {":x": value}
        change = {"Key": A1, "UpdateExpression": expression, "ExpressionAttributeValues": values}
        with pytest.raises(ClientError, match=r"\[None, ValidationError\]") as refused:
            transact(twin, put("2"), ("Update", change))
        assert code(refused) == "TransactionCanceledException"
    assert [*twin.snapshot()] == [("a", "1")]


# Hooks


class Killed(Exception):
    """The worker."""


def test_a_test_may_kill_before_a_write_and_after_it(twin: TableTwin) -> None:
    def die(name: str, call: Mapping[str, Any]) -> None:
        raise Killed(name, call)

    writes: dict[str, Callable[[], object]] = {
        "PutItem": lambda: twin.put_item(Item=A1),
        "UpdateItem": lambda: update(twin, "SET x = :x", {":x": 1}),
        "DeleteItem": lambda: twin.delete_item(Key=A1),
        "TransactWriteItems": lambda: transact(twin, put("1")),
    }
    there = False
    for name, write in writes.items():
        twin.before, twin.after = die, None
        with pytest.raises(Killed, match=name):
            write()
        assert bool(twin.snapshot()) is there
        twin.before, twin.after = None, die
        with pytest.raises(Killed, match=name):
            write()
        there = name != "DeleteItem"
        assert bool(twin.snapshot()) is there
    assert twin.writes == 4


def test_another_worker_may_run_before_a_write(twin: TableTwin) -> None:
    def overtake(name: str, call: Mapping[str, Any]) -> None:
        twin.before = None
        assert (name, call["Item"]) == ("PutItem", A1)
        twin.put_item(Item={**A1, "x": 1})

    twin.before = overtake
    with pytest.raises(ClientError) as refused:
        twin.put_item(Item=A1, ConditionExpression=Attr("pk").not_exists())
    assert code(refused) == FAILED
    assert (twin.writes, twin.reads) == (2, 0)
    assert twin.snapshot() == {("a", "1"): {**A1, "x": 1}}


def test_nothing_is_heard_of_a_write_that_was_refused(twin: TableTwin) -> None:
    heard: list[str] = []
    twin.after = lambda name, _: heard.append(name)
    with pytest.raises(ClientError):
        twin.put_item(Item=A1, ConditionExpression=Attr("pk").exists())
    with pytest.raises(ClientError):
        transact(twin, is_there("1"))
    assert heard == []


def test_a_test_may_say_what_dynamodb_would() -> None:
    conflict = cancelled(
        "None", "TransactionConflict", TransactionConflict="Transaction is ongoing for the item"
    )
    assert (code_of(conflict), "[None, TransactionConflict]" in str(conflict)) == (
        "TransactionCanceledException",
        True,
    )
    assert str(refusal("Throttled", "slow down", "PutItem")) == (
        "An error occurred (Throttled) when calling the PutItem operation: slow down"
    )


# Everything at once

KEY = some.fixed_dictionaries({"pk": some.sampled_from("ab"), "sk": some.sampled_from(["1", "10", "2", "é"])})
VALUE = some.one_of(
    some.integers(-3, 3),
    some.sampled_from(["", "x", "y"]),
    some.booleans(),
    some.none(),
    some.lists(some.sampled_from(["x", 1]), max_size=2),
)
NAMED = some.sets(some.sampled_from("xyz"), min_size=1)
MORE = some.fixed_dictionaries(
    {}, optional={"v": VALUE, "team": NAMED, "listed": some.just("o"), "listed_sk": some.sampled_from("12")}
)
TEXT = some.sampled_from(["attribute_exists(pk)", "attribute_not_exists(pk)", "attribute_exists(v)"])
SAYS = some.sampled_from(
    [
        ("SET v = :v", {":v": "set"}),
        ("REMOVE listed_sk", {}),
        ("SET listed_sk = :s", {":s": "3"}),
        ("ADD team :n", {":n": {"w", "x"}}),
        ("DELETE team :n", {":n": {"x", "y"}}),
        ("SET v = :v ADD team :n", {":v": [1], ":n": {"x"}}),
    ]
)
Call = tuple[str, Mapping[str, Any]]


def _update(
    key: Mapping[str, Any], says: tuple[str, Mapping[str, Any]], condition: str | None
) -> Mapping[str, Any]:
    values = {"ExpressionAttributeValues": says[1]} if says[1] else {}
    guard = {"ConditionExpression": condition} if condition else {}
    return {"Key": key, "UpdateExpression": says[0], **values, **guard}


def _put(key: Mapping[str, Any], more: Mapping[str, Any], condition: Any) -> Mapping[str, Any]:
    return {"Item": {**key, **more}, **({"ConditionExpression": condition} if condition else {})}


TREE = some.builds(
    lambda value, other: Attr("v").eq(value) | other,
    some.sampled_from([2, 3, "", "x", ["x"], ["x", "x"]]),  # to moto 1 is True and nothing is null
    some.sampled_from(
        [Attr("pk").not_exists(), Attr("team").contains("x"), Attr("listed").exists() & ~Attr("v").exists()]
    ),
)
UPDATE = some.builds(_update, KEY, SAYS, some.none() | TEXT)
ACTION = some.one_of(
    some.tuples(some.just("Put"), some.builds(_put, KEY, MORE, some.none() | TEXT)),
    some.tuples(some.just("Update"), UPDATE),
    some.tuples(some.just("Delete"), some.builds(lambda key: {"Key": key}, KEY)),
    some.tuples(
        some.just("ConditionCheck"),
        some.builds(lambda key, text: {"Key": key, "ConditionExpression": text}, KEY, TEXT),
    ),
)
ASKED = some.one_of(
    some.builds(
        lambda pk, sk: {"KeyConditionExpression": Key("pk").eq(pk) & Key("sk").begins_with(sk)},
        some.sampled_from("ab"),
        some.sampled_from(["1", "2", "é"]),
    ),
    some.builds(
        lambda forward: {
            "KeyConditionExpression": Key("listed").eq("o"),
            "IndexName": "open",
            "ScanIndexForward": forward,
        },
        some.booleans(),
    ),
)
CALL = some.one_of(
    some.tuples(some.just("put_item"), some.builds(_put, KEY, MORE, some.none() | TREE)),
    some.tuples(some.just("update_item"), UPDATE),
    some.tuples(some.just("delete_item"), some.builds(lambda key: {"Key": key}, KEY)),
    some.tuples(some.just("get_item"), some.builds(lambda key: {"Key": key}, KEY)),
    some.tuples(some.just("query"), ASKED),
    some.tuples(some.just("transact"), some.lists(ACTION, min_size=1, max_size=4)),
)


def answer(table: Any, name: str, call: Any) -> Any:
    """What a call gives its caller: items, or the code and message of an error."""
    try:
        if name == "transact":
            return transact(table, *call)
        told = getattr(table, name)(**call)
    except ClientError as error:
        return error.response["Error"], error.response.get("CancellationReasons")
    return {field: told[field] for field in ("Item", "Items", "Count", "Attributes") if field in told}


@settings(max_examples=50, deadline=None)
@given(calls=some.lists(CALL, min_size=3, max_size=12))
def test_any_calls_in_any_order_have_the_same_answers_and_effects(moto: Any, calls: Sequence[Call]) -> None:
    table, twin = emptied(moto.table), TableTwin()
    for name, call in calls:
        assert answer(twin, name, call) == answer(table, name, call), (name, call)
    assert twin.snapshot() == everything(table)


# S3


def test_an_object_comes_back_as_it_was_put(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="scans/1/plan.json", Body=b'{"x": 1}', ContentType="application/json")
    told = s3.get_object(Bucket="bucket", Key="scans/1/plan.json")
    assert (told["ContentType"], told["ContentLength"]) == ("application/json", 8)
    assert json.load(told["Body"]) == {"x": 1}
    s3.put_object(Bucket="bucket", Key="scans/1/plan.json", Body="é")
    told = s3.get_object(Bucket="bucket", Key="scans/1/plan.json")
    assert (told["Body"].read().decode(), told["ContentType"]) == ("é", "binary/octet-stream")


def test_an_object_may_be_a_file(s3: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"lines\nof text")
    s3.upload_file(str(path), "bucket", "one", ExtraArgs={"ContentType": "text/plain"})
    s3.upload_fileobj(BytesIO(b"other"), "bucket", "two")
    s3.put_object(Bucket="bucket", Key="three", Body=BytesIO(b"third"))
    assert [*s3.get_object(Bucket="bucket", Key="one")["Body"].iter_lines()] == [b"lines", b"of text"]
    assert s3.get_object(Bucket="bucket", Key="one")["ContentType"] == "text/plain"
    s3.download_file("bucket", "two", str(path))
    assert path.read_bytes() == b"other"
    held = BytesIO()
    s3.download_fileobj("bucket", "three", held)
    assert held.getvalue() == b"third"


def test_what_is_not_in_the_bucket_is_an_error(s3: Any, tmp_path: Path) -> None:
    calls: dict[Callable[[], object], str] = {
        lambda: s3.get_object(Bucket="bucket", Key="none"): "NoSuchKey",
        lambda: s3.download_fileobj("bucket", "none", BytesIO()): "404",
        lambda: s3.download_file("bucket", "none", str(tmp_path / "none")): "404",
        lambda: s3.get_object(Bucket="elsewhere", Key="none"): "NoSuchBucket",
        lambda: s3.put_object(Bucket="elsewhere", Key="none", Body=b""): "NoSuchBucket",
        lambda: s3.list_objects_v2(Bucket="elsewhere"): "NoSuchBucket",
    }
    for read, said in calls.items():
        with pytest.raises(ClientError) as refused:
            read()
        assert code(refused) == said
    assert not (tmp_path / "none").exists()


def test_a_deleted_object_is_gone_and_may_be_deleted_again(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="one", Body=b"x")
    s3.delete_object(Bucket="bucket", Key="one")
    s3.delete_object(Bucket="bucket", Key="one")
    with pytest.raises(ClientError, match="The specified key does not exist"):
        s3.get_object(Bucket="bucket", Key="one")


def test_a_listing_is_sorted_and_of_one_prefix(s3: Any) -> None:
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")
    for key in ("scans/2/x", "scans/10/x", "other", "scans/1/é"):
        s3.put_object(Bucket="bucket", Key=key, Body=key.encode())
    listed = s3.list_objects_v2(Bucket="bucket", Prefix="scans/")
    assert [(each["Key"], each["Size"]) for each in listed["Contents"]] == [
        ("scans/1/é", 10),
        ("scans/10/x", 10),
        ("scans/2/x", 9),
    ]
    assert (listed["KeyCount"], listed["IsTruncated"]) == (3, False)
    assert {each["Key"]: each["ETag"] for each in listed["Contents"]}["scans/2/x"] == (
        s3.put_object(Bucket="bucket", Key="again", Body=b"scans/2/x")["ETag"]
    )


def test_an_argument_that_s3_does_not_know_is_refused(s3: Any) -> None:
    with pytest.raises(ParamValidationError):
        s3.put_object(Bucket="bucket", Key="one", Boddy=b"")


def test_a_test_may_meet_the_writes_to_a_bucket() -> None:
    s3 = S3Twin("bucket")
    heard: list[tuple[str, str]] = []
    s3.before = lambda name, call: heard.append((f"before {name}", call["Key"]))
    s3.after = lambda name, call: heard.append((f"after {name}", call["Key"]))
    s3.put_object(Bucket="bucket", Key="one", Body=b"x")
    s3.upload_fileobj(BytesIO(b"y"), "bucket", "two")
    s3.delete_object(Bucket="bucket", Key="one")
    s3.get_object(Bucket="bucket", Key="two")
    assert heard == [
        ("before PutObject", "one"),
        ("after PutObject", "one"),
        ("before PutObject", "two"),
        ("after PutObject", "two"),
        ("before DeleteObject", "one"),
        ("after DeleteObject", "one"),
    ]
    assert (s3.writes, s3.reads, s3.snapshot()) == (3, 1, {("bucket", "two"): b"y"})


# SNS


def test_a_message_that_was_accepted_is_kept() -> None:
    sns = SnsTwin()
    message: Any = {
        "TopicArn": "arn:topic",
        "Subject": "x" * 99,
        "Message": "é" * 131_000,
        "MessageAttributes": {"route": {"DataType": "String", "StringValue": "everyone"}},
    }
    sns.publish(**message)
    assert sns.messages == [message]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Subject": "x" * 100},
        {"Subject": "é"},
        {"Subject": "two\nlines"},
        {"Subject": ""},
        {"Message": "é" * 131_073},
        {"Message": ""},
    ],
    ids=["long", "not ASCII", "lines", "no subject", "large", "empty"],
)
def test_what_sns_would_refuse_is_refused(wrong: Any) -> None:
    sns = SnsTwin()
    with pytest.raises(ClientError) as refused:
        sns.publish(**{"TopicArn": "arn:topic", "Subject": "x", "Message": "y", **wrong})
    assert code(refused) == "InvalidParameter"
    assert sns.messages == []


# Organizations and EC2


def test_the_organization_reads_all_its_pages() -> None:
    aws = OrganizationsTwin({f"{n:012}": (f"account-{n}", "ACTIVE") for n in range(7)}, page=3)
    aws.parents |= {"000000000001": "ou-a", "000000000002": "ou-b", "ou-b": "ou-a"}
    aws.tags["000000000002"] = {"env": "prod"}
    organization = Organization(cast("Any", aws))
    everyone = organization.accounts()
    assert everyone == [Account(f"{n:012}", f"account-{n}") for n in range(7)]
    pages = [*aws.get_paginator("list_accounts").paginate()]
    assert [(len(page["Accounts"]), "NextToken" in page) for page in pages] == [
        (3, True),
        (0, True),
        (3, True),
        (0, True),
        (1, True),
        (0, True),
        (0, False),
    ]
    assert [each.id for each in organization.select(everyone, Selection(ous=["ou-a"]))] == [
        "000000000001",
        "000000000002",
    ]
    assert [each.id for each in organization.select(everyone, Selection(ous=["r-root"]))] == [
        each.id for each in everyone
    ]
    assert [each.id for each in organization.select(everyone, Selection(tags={"env": "prod"}))] == [
        "000000000002"
    ]
    with pytest.raises(UnknownUnit):
        organization.select(everyone, Selection(ous=["ou-none"]))


def test_accounts_come_and_go() -> None:
    aws = OrganizationsTwin({"111111111111": ("prod", "ACTIVE")})
    aws.accounts["222222222222"] = ("dev", "SUSPENDED")
    del aws.accounts["111111111111"]
    assert Organization(cast("Any", aws)).accounts() == [Account("222222222222", "dev", "SUSPENDED")]
    with pytest.raises(ClientError) as refused:
        list(aws.get_paginator("list_tags_for_resource").paginate(ResourceId="111111111111"))
    assert code(refused) == "TargetNotFoundException"


def test_regions_are_opted_into_and_out_of() -> None:
    ec2 = RegionsTwin(["eu-west-1", "us-east-1"])
    ec2.regions["af-south-1"] = "not-opted-in"
    assert regions.known(cast("Any", ec2)).enabled == {
        "eu-west-1": True,
        "us-east-1": True,
        "af-south-1": False,
    }
    ec2.regions["af-south-1"] = "opted-in"
    assert regions.known(cast("Any", ec2)).enabled["af-south-1"]
    assert not regions.known(cast("Any", ec2), by_default=True).enabled["af-south-1"]
    ec2.regions["eu-west-1"] = "not-opted-in"
    assert [each["RegionName"] for each in ec2.describe_regions()["Regions"]] == ["us-east-1", "af-south-1"]
