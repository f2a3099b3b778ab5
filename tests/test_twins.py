"""The twins answer as moto does; where moto is laxer than AWS, as AWS does."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from orgscan import regions
from orgscan.errors import code_of
from orgscan.organization import Organization
from tests.twins import OrganizationsTwin, RegionsTwin, S3Twin, SnsTwin, TableTwin

Item = dict[str, Any]
FAILED = "ConditionalCheckFailedException"
A1 = {"pk": "a", "sk": "1"}


@pytest.fixture(params=["moto", "twin"])
def either(request: pytest.FixtureRequest) -> Any:
    """A table; each test that takes it is held by both."""
    return TableTwin() if request.param == "twin" else request.getfixturevalue("table")


@pytest.fixture
def twin() -> TableTwin:
    return TableTwin(page=3)


def refused(call: Callable[[], object], said: str = "ValidationException", why: str | None = None) -> None:
    with pytest.raises(ClientError, match=why) as error:
        call()
    assert code_of(error.value) == said


def got(table: Any) -> Any:
    return table.get_item(Key=A1, ConsistentRead=True).get("Item")


def everything(table: Any) -> dict[tuple[str, str], Any]:
    if isinstance(table, TableTwin):
        return table.snapshot()
    return {(item["pk"], item["sk"]): item for item in table.scan()["Items"]}


def update(table: Any, expression: str, values: Item) -> None:
    table.update_item(Key=A1, UpdateExpression=expression, ExpressionAttributeValues=values)


def transact(table: Any, *actions: tuple[str, Item]) -> None:
    items = [{kind: {"TableName": table.name, **arguments}} for kind, arguments in actions]
    table.meta.client.transact_write_items(TransactItems=items)


def put(sk: str, **more: Any) -> tuple[str, Item]:
    return "Put", {"Item": {"pk": "a", "sk": sk, **more}}


# Items

PLAIN: Item = {"text": "é", "empty": "", "number": 7, "money": Decimal("12.34"), "on": True, "nothing": None}
MANY: Item = {"list": ["x", 1, ["y", False]], "map": {"a": {"b": [None]}}, "team": {"x", "y"}}
ITEM: Item = {**A1, **PLAIN, **MANY}


def test_an_item_comes_back_as_boto3_gives_it_whatever_a_caller_does_to_it(either: Any) -> None:
    either.put_item(Item=ITEM | {"list": ("x", 1, ("y", False))})
    item = got(either)
    assert item == ITEM
    assert {type(item[name]) for name in ("number", "money")} == {Decimal}
    assert (type(item["on"]), type(item["team"]), type(item["list"][2])) == (bool, set, list)
    item["list"][2].append(2)
    item["team"].add("z")
    either.query(KeyConditionExpression=Key("pk").eq("a"))["Items"][0]["list"].clear()
    assert got(either) == ITEM
    either.put_item(Item=A1)
    assert got(either) == A1
    for _ in range(2):
        either.delete_item(Key=A1)
        assert "Item" not in either.get_item(Key=A1)


def test_boto3_refuses_what_dynamodb_has_no_type_for(either: Any) -> None:
    for value in (1.5, [{"x": 1.5}], {"x": [1.5]}, object()):
        with pytest.raises(TypeError, match=r"Float types are not supported|Unsupported type"):
            either.put_item(Item={**A1, "x": value})


UNFIT: Sequence[Item] = [
    *({"pk": "a"}, {"sk": "1"}, {"pk": "", "sk": "1"}, {"pk": "a", "sk": ""}, {"pk": "a", "sk": 1}),
    *({"pk": "a", "sk": "é" * 513}, {"pk": "a" * 2049, "sk": "1"}),
    *({**A1, "listed": "", "listed_sk": "x"}, {**A1, "listed": None, "listed_sk": "x"}),
    *({**A1, "x": "z" * 500_000}, {**A1, "x": ["z" * 100_000] * 5}, {**A1, "x": set()}),
]
MORE_UNFIT = [{**A1, "listed": 1, "listed_sk": "x"}, {**A1, "listed": "x", "listed_sk": "é" * 513}]
NO_KEYS = [{"pk": "a"}, {**A1, "x": "y"}, {**A1, "sk": ""}, {**A1, "sk": 1}, {**A1, "sk": "é" * 513}]


def test_an_item_that_dynamodb_does_not_take_is_refused(either: Any) -> None:
    for item in UNFIT:
        refused(partial(either.put_item, Item=item))
    assert everything(either) == {}


def test_no_transaction_brings_it_in_and_nobody_reads_it(twin: TableTwin) -> None:
    """The twin alone: moto lets some pass."""
    for item in (*UNFIT, *MORE_UNFIT):
        refused(partial(transact, twin, put("2"), ("Put", {"Item": item})))
    for key in NO_KEYS:
        refused(partial(twin.get_item, Key=key))
    assert twin.snapshot() == {}


def test_an_item_may_have_400_kb_with_its_names(twin: TableTwin) -> None:
    """The twin alone: moto draws the line elsewhere."""
    spare = 400 * 1024 - len("pkask1x")
    twin.put_item(Item={**A1, "x": "z" * spare})
    twin.put_item(Item={**A1, "x": "é" * (spare // 2)})
    for text in ("z" * (spare + 1), "é" * (spare // 2 + 1)):
        with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
            twin.put_item(Item={**A1, "x": text})


# Conditions and updates


def test_a_write_passes_when_all_parts_of_its_condition_hold(either: Any) -> None:
    names, item = {"#v": "v", "#w": "w"}, {**A1, "v": "x", "w": ["x"], "team": {"t"}}
    either.put_item(Item=item)
    for v, w in (("x", ["y"]), ("y", ["x"]), ("x", "x"), ("x", ["x"])):
        words = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": {":v": v, ":w": w}}
        says = {"Item": item, "ConditionExpression": "#v = :v AND #w = :w", **words}
        tree = {"Item": item, "ConditionExpression": Attr("v").eq(v) & Attr("w").eq(w)}
        for write in (partial(either.put_item, **tree), partial(transact, either, ("Put", says))):
            fits = (v, w) == ("x", ["x"])
            with nullcontext() if fits else pytest.raises(ClientError, match="ConditionalCheckFailed"):
                write()
    either.put_item(Item=item, ConditionExpression=Attr("team").contains("t"))
    refused(partial(either.put_item, Item=item, ConditionExpression=Attr("team").contains("x")), FAILED)


@pytest.mark.parametrize(
    ("item", "taken"), [({}, True), (A1, True), ({**A1, "s": "1"}, True), ({**A1, "s": "2"}, False)]
)
def test_an_update_answers_with_the_item_unless_it_is_newer(either: Any, item: Item, *, taken: bool) -> None:
    if item:
        either.put_item(Item=item)
    take = partial(
        either.update_item,
        Key=A1,
        ConditionExpression="NOT #s >= :s",
        UpdateExpression="SET #s = :s, was = if_not_exists(#s, :none), #n = if_not_exists(#n, :none)",
        ExpressionAttributeNames={"#s": "s", "#n": "n"},
        ExpressionAttributeValues={":s": "2", ":none": []},
        ReturnValues="ALL_NEW",
    )
    after = {**A1, "s": "2", "was": item.get("s", []), "n": []}
    if taken:
        assert take()["Attributes"] == got(either) == after
    else:
        refused(take, FAILED)
        assert got(either) == item


def test_values_of_two_types_are_never_equal(twin: TableTwin) -> None:
    """The twin alone: moto compares them as Python does."""
    twin.put_item(Item={**ITEM, "mixed": [True]})
    for name, value in {"missing": None, "on": 1, "mixed": [1], "number": "7"}.items():
        refused(partial(twin.put_item, Item=A1, ConditionExpression=Attr(name).eq(value)), FAILED)


def test_an_update_that_cannot_be_is_refused(twin: TableTwin) -> None:
    """The twin alone: moto lets some pass."""
    twin.put_item(Item=ITEM)
    for expression, value in (
        ("SET sk = :x", "2"),
        ("ADD number :x", {"a"}),
        ("DELETE number :x", {"a"}),
        ("SET x = :x", "z" * 500_000),
        ("SET listed_sk = :x", ""),
    ):
        refused(partial(update, twin, expression, {":x": value}))
        assert twin.snapshot() == {("a", "1"): ITEM}


UPDATES = (
    *("SET x = if_not_exists(y)", "SET x = if_not_exists(y, z)", "ADD n if_not_exists(n, :x)"),
    *("SET x = y", "SET x = :x + :x", "SET m.x = :x", "ADD n :x", "CLEAR x", "SET x = :x, x = :x"),
)
CONDITIONS = (
    "n > :x",
    "n >= :x",
    "NOT n = :x",
    "a = b",
    Attr("n").gt(1),
    Attr("a.b").exists(),
    ~Attr("n").exists(),
)


def test_what_the_twin_does_not_know_it_does_not_guess(twin: TableTwin) -> None:
    unknown: list[Callable[..., Any]] = [
        *(partial(update, twin, each, {":x": 1}) for each in UPDATES),
        *(partial(twin.put_item, Item=A1, ConditionExpression=each) for each in CONDITIONS),
        *(partial(twin.put_item, Item={**A1, "x": value}) for value in (b"binary", {1}, {"x", 1})),
        partial(twin.put_item, Item=A1, Condition="attribute_exists(pk)"),
        partial(twin.query, KeyConditionExpression=Key("pk").eq("a") & Key("sk").gt("1")),
        partial(twin.query, KeyConditionExpression=Key("pk").begins_with("a")),
        partial(transact, twin, ("Delete", {"Key": A1})),
        partial(transact, twin, ("Put", {"Item": A1, "ConditionExpression": Attr("pk").exists()})),
        partial(transact, twin, ("Put", {"Item": A1, "TableName": "other"})),
    ]
    for call in unknown:
        with pytest.raises(NotImplementedError):
            call()
    assert twin.snapshot() == {}


# Queries

SORTED = ["a", "a#1", "a#10", "a#2", "b", "z", "é", "\uffff", "\U0001f600"]


def found(table: Any, condition: ConditionBase, page: int, **how: Any) -> list[str]:
    """All pages of that many."""
    if isinstance(table, TableTwin):
        table.page = page
    else:
        how["Limit"] = page
    answers: list[str] = []
    for _ in range(30):
        told = table.query(KeyConditionExpression=condition, **how)
        answers += [item["sk"] for item in told["Items"]]
        if "LastEvaluatedKey" not in told:
            return answers
        how["ExclusiveStartKey"] = told["LastEvaluatedKey"]
    raise AssertionError("it never ends")


def test_a_query_answers_in_the_order_of_utf_8(either: Any) -> None:
    for sk in reversed(SORTED):
        either.put_item(Item={"pk": "p", "sk": sk})
        either.put_item(Item={"pk": "other", "sk": sk})
    for condition, expected in (
        (Key("pk").eq("p"), SORTED),
        (Key("pk").eq("none"), []),
        (Key("pk").eq("p") & Key("sk").begins_with("a#"), ["a#1", "a#10", "a#2"]),
        (Key("pk").eq("p") & Key("sk").begins_with("x"), []),
    ):
        for page in (1, 2, 3, 100):
            assert found(either, condition, page, ConsistentRead=True) == expected


def test_a_page_goes_on_where_the_last_one_ended_even_if_that_is_gone(either: Any) -> None:
    for sk in ("1", "2", "21", "3", "4"):
        either.put_item(Item={"pk": "a", "sk": sk})
    either.delete_item(Key={"pk": "a", "sk": "2"})
    assert found(either, Key("pk").eq("a"), 2, ExclusiveStartKey={"pk": "a", "sk": "2"}) == ["21", "3", "4"]


def test_a_full_page_says_that_more_may_follow(twin: TableTwin) -> None:
    """The twin alone: moto looks ahead; DynamoDB stops at the limit and does not."""
    transact(twin, put("1"), put("2"), put("3"))
    where, last = Key("pk").eq("a"), {"pk": "a", "sk": "3"}
    assert twin.query(KeyConditionExpression=where)["LastEvaluatedKey"] == last
    assert twin.query(KeyConditionExpression=where, ExclusiveStartKey=last) == {"Items": []}


def test_only_items_with_both_keys_are_in_the_index(either: Any) -> None:
    row = {"pk": "b", "sk": "4", "listed": "high#1", "listed_sk": "w", "more": [1]}
    either.put_item(Item=row)
    either.put_item(Item={"pk": "a", "sk": "1", "listed": "high#1", "listed_sk": "x"})
    either.put_item(Item={"pk": "c", "sk": "1", "listed": "high#1", "listed_sk": "x"})
    either.put_item(Item={"pk": "a", "sk": "2", "listed": "high#1"})
    either.put_item(Item={"pk": "b", "sk": "5", "listed": "low#1", "listed_sk": "w"})
    high = Key("listed").eq("high#1")
    assert either.query(KeyConditionExpression=high, IndexName="open")["Items"][0] == row
    assert found(either, high, 1, IndexName="open") == ["4", "1", "1"]


def test_a_query_that_cannot_be_is_refused(twin: TableTwin) -> None:
    """The twin alone: moto lets some pass."""
    for condition in (Key("sk").begins_with("1"), Key("pk").eq(""), Key("pk").eq(1)):
        refused(partial(twin.query, KeyConditionExpression=condition))
    index: Item = {"IndexName": "open", "ConsistentRead": True}
    refused(partial(twin.query, KeyConditionExpression=Key("listed").eq("a"), **index))


# Transactions


def test_a_transaction_has_at_most_100_actions_on_different_items(either: Any) -> None:
    transact(either, *(put(str(number)) for number in range(100)))
    many = [put(str(number), x=1) for number in range(101)]
    refused(lambda: transact(either, *many), why="Member must have length less than or equal to 100")
    twice = (put("1", x=1), ("ConditionCheck", {"Key": A1, "ConditionExpression": "attribute_exists(pk)"}))
    refused(lambda: transact(either, *twice), why="cannot include multiple operations on one item")
    assert not any("x" in item for item in everything(either).values())


def test_a_transaction_carries_4_mb(twin: TableTwin) -> None:
    """The twin alone: moto does not add up."""
    large = [put(str(number), x="z" * 380_000) for number in range(12)]
    refused(lambda: transact(twin, *large))
    transact(twin, *large[1:])


def test_what_an_update_cannot_do_cancels_the_transaction(twin: TableTwin) -> None:
    """The twin alone: moto refuses the whole call as one that is malformed."""
    twin.put_item(Item={**A1, "n": 5, "x": "z" * 300_000})
    for expression, value in {"ADD n :x": {"a"}, "SET y = :x": "z" * 200_000}.items():
        change = {"Key": A1, "UpdateExpression": expression, "ExpressionAttributeValues": {":x": value}}
        call = partial(transact, twin, put("2"), ("Update", change))
        refused(call, "TransactionCanceledException", r"\[None, ValidationError\]")
    assert [*twin.snapshot()] == [("a", "1")]


# Hooks


def test_a_test_may_kill_before_a_write_and_after_it(twin: TableTwin) -> None:
    def die(name: str, _: Any) -> None:
        raise InterruptedError(name)

    for name, write in (
        ("PutItem", lambda: twin.put_item(Item=A1)),
        ("UpdateItem", lambda: update(twin, "SET x = :x", {":x": 1})),
        ("DeleteItem", lambda: twin.delete_item(Key=A1)),
        ("TransactWriteItems", lambda: transact(twin, put("1"))),
    ):
        before = twin.snapshot()
        for twin.before, twin.after in ((die, None), (None, die)):
            with pytest.raises(InterruptedError, match=name):
                write()
            assert (twin.snapshot() == before) is bool(twin.before)
    assert twin.writes == 4


def test_another_worker_may_run_before_a_write_and_a_refused_one_is_not_heard_of(twin: TableTwin) -> None:
    heard: list[str] = []

    def overtake(_: str, call: Any) -> None:
        twin.before = None
        twin.put_item(Item=call["Item"] | {"x": 1})
        twin.after = lambda name, _: heard.append(name)

    twin.before = overtake
    refused(lambda: twin.put_item(Item=A1, ConditionExpression=Attr("pk").not_exists()), FAILED)
    assert (heard, twin.writes, twin.snapshot()) == ([], 2, {("a", "1"): {**A1, "x": 1}})


# Everything at once

KEY = some.fixed_dictionaries({"pk": some.sampled_from("ab"), "sk": some.sampled_from(["1", "10"])})
TEAM = some.sets(some.sampled_from("xyz"), min_size=1)
ROW = {"v": some.sampled_from(["x", 2, True, None, ["x", 1]]), "team": TEAM, "listed": some.just("o")}
MORE = some.fixed_dictionaries({}, optional={**ROW, "listed_sk": some.sampled_from("12")})
TEXT: some.SearchStrategy[Item] = some.sampled_from(
    [{"ConditionExpression": f"attribute_{it}"} for it in ("exists(pk)", "not_exists(pk)", "exists(v)")]
)
TREES = (Attr("pk").not_exists(), Attr("v").eq("x") & Attr("pk").exists(), Attr("team").contains("x"))
TREE: some.SearchStrategy[Item] = some.sampled_from([{"ConditionExpression": tree} for tree in TREES])
FREE: some.SearchStrategy[Item] = some.just({})
SAYS = some.sampled_from(
    [
        ("REMOVE listed_sk, v", {}),
        ("SET listed_sk = :s ADD team :n", {":s": "3", ":n": {"w", "x"}}),
        ("DELETE team :n", {":n": {"x", "y"}}),
        ("SET v = if_not_exists(w, :v), w = if_not_exists(v, :v)", {":v": [1]}),
        ("SET v = :v, w = :v REMOVE listed ADD crew :n DELETE team :n", {":v": [1], ":n": {"x"}}),
    ]
)
Call = tuple[str, Any]


def _update(key: Item, says: tuple[str, Item], condition: Item) -> Item:
    values = {"ExpressionAttributeValues": says[1]} if says[1] else {}
    return {"Key": key, "UpdateExpression": says[0], **condition, **values}


def _calls(**strategies: some.SearchStrategy[Any]) -> some.SearchStrategy[Call]:
    return some.one_of(*(some.tuples(some.just(name), call) for name, call in strategies.items()))


def _puts(conditions: some.SearchStrategy[Item]) -> some.SearchStrategy[Item]:
    return some.builds(lambda key, more, told: {"Item": key | more, **told}, KEY, MORE, conditions)


UPDATE = some.builds(_update, KEY, SAYS, FREE | TEXT)
CHECK = some.builds(lambda key, told: {"Key": key, **told}, KEY, TEXT)
ACTION = _calls(Put=_puts(FREE | TEXT), Update=UPDATE, ConditionCheck=CHECK)
ASKED = [
    {"KeyConditionExpression": Key("pk").eq("a") & Key("sk").begins_with("1")},
    {"KeyConditionExpression": Key("pk").eq("b")},
    {"KeyConditionExpression": Key("listed").eq("o"), "IndexName": "open"},
]
CALL = _calls(
    put_item=_puts(FREE | TREE),
    update_item=UPDATE,
    delete_item=some.fixed_dictionaries({"Key": KEY}),
    get_item=some.fixed_dictionaries({"Key": KEY}),
    query=some.sampled_from(ASKED),
    transact=some.lists(ACTION, min_size=1, max_size=4),
)


def answer(table: Any, name: str, call: Any) -> Any:
    """What a call gives its caller: items, or the code and message of an error."""
    try:
        if name == "transact":
            return transact(table, *call)
        told = getattr(table, name)(**call)
    except ClientError as error:
        return error.response["Error"], error.response.get("CancellationReasons")
    return {field: told[field] for field in ("Item", "Items") if field in told}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=some.lists(CALL, min_size=3, max_size=12))
def test_any_calls_in_any_order_have_the_same_answers_and_effects(table: Any, calls: Sequence[Call]) -> None:
    twin = TableTwin()
    for pk, sk in everything(table):  # of the calls before
        table.delete_item(Key={"pk": pk, "sk": sk})
    for name, call in calls:
        assert answer(twin, name, call) == answer(table, name, call), (name, call)
    assert twin.snapshot() == everything(table)


# S3 and SNS


@pytest.mark.parametrize("which", ["moto", "twin"])
def test_an_object_comes_back_as_it_was_put(which: str, aws: boto3.Session, tmp_path: Path) -> None:
    s3: Any = S3Twin("bucket") if which == "twin" else aws.client("s3")
    if which == "moto":
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    path = tmp_path / "file"
    path.write_bytes(b"lines\nof text")
    s3.put_object(Bucket="bucket", Key="one", Body=b"old", ContentType="application/json")
    s3.put_object(Bucket="bucket", Key="one", Body=b"new")
    s3.upload_file(str(path), "bucket", "two")
    s3.upload_fileobj(BytesIO(b"other"), "bucket", "three")
    for key, body in {"one": b"new", "two": b"lines\nof text", "three": b"other"}.items():
        assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == body
    if isinstance(s3, S3Twin):
        assert (s3.snapshot()["bucket", "one"], s3.writes, s3.reads) == (b"new", 4, 3)
    refused(partial(s3.get_object, Bucket="bucket", Key="none"), "NoSuchKey")


def test_sns_keeps_what_it_accepts_and_refuses_what_is_no_message() -> None:
    sns, attributes = SnsTwin(), {"route": {"DataType": "String", "StringValue": "everyone"}}
    fits = {"TopicArn": "t", "Subject": "x" * 99, "Message": "é" * 131_000, "MessageAttributes": attributes}
    sns.publish(**fits)
    for wrong in ("x" * 100, "é", "two\nlines", ""):
        refused(partial(sns.publish, **{**fits, "Subject": wrong}), "InvalidParameter")
    for wrong in ("é" * 131_073, ""):
        refused(partial(sns.publish, **{**fits, "Message": wrong}), "InvalidParameter")
    assert sns.messages == [fits]


# Organizations and EC2


def test_accounts_come_and_go_page_by_page() -> None:
    aws: Any = OrganizationsTwin()
    aws.accounts |= {f"{n:012}": (f"account-{n}", "ACTIVE") for n in range(4)}
    del aws.accounts["000000000000"]
    pages = aws.get_paginator("list_accounts").paginate()
    assert [len(page["Accounts"]) for page in pages] == [2, 0, 1, 0, 0]
    assert [each.name for each in Organization(aws).accounts()] == ["account-1", "account-2", "account-3"]


def test_regions_are_opted_into_and_out_of() -> None:
    ec2: Any = RegionsTwin({"eu-1": "opt-in-not-required", "ap-1": "opted-in", "af-1": "not-opted-in"})
    assert regions.known(ec2).enabled == {"eu-1": True, "ap-1": True, "af-1": False}
