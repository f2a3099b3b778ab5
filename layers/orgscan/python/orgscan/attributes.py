"""Python's types and DynamoDB's: boto3's, several times as fast. A room in which code is special for speed.

boto3 walks the shape of every answer and, three times, of every request, copies it first, and looks for a
method by its name at every value. Of the CPU that adding up an organization's scan takes, answers were an
eighth (docs/scale.md); of what writing new findings takes, requests were a third (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from boto3.dynamodb.transform import TransformationInjector, copy_dynamodb_params
from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer, TypeSerializer

BOTO3S = (
    ("provide-client-params.dynamodb", "dynamodb-create-params-copy"),
    ("before-parameter-build.dynamodb", "dynamodb-condition-expression"),
    ("before-parameter-build.dynamodb", "dynamodb-attr-value-input"),
    ("after-call.dynamodb", "dynamodb-attr-value-output"),
)
"""Events, and by which boto3 knows its listeners to them."""
WRITES = "TransactWriteItems"
WRITTEN = ("Item", "Key", "ExpressionAttributeValues")
"""Members of what a transaction does that have values. Its conditions are texts."""
READS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
"""Whose answers have no values but in these members."""
ITEM, ITEMS = ("Item", "Attributes", "LastEvaluatedKey"), "Items"

Value = Mapping[str, Any]
"""As DynamoDB has it: {"S": "text"}."""

_number, _reading, _writing = DYNAMODB_CONTEXT.create_decimal, TypeDeserializer(), TypeSerializer()


def fast(client: Any) -> None:
    """From now on what a table's client is often told and answered goes this way, and all else boto3's."""
    events, boto3s = client.meta.events, TransformationInjector()  # which is good for one thread at a time

    def given(params: Any, model: Any, **_: object) -> Any:
        return _transaction(params) if model.name == WRITES else copy_dynamodb_params(params)

    def built(params: Any, model: Any, **_: object) -> None:
        if model.name != WRITES:
            boto3s.inject_condition_expressions(params, model)
            boto3s.inject_attribute_value_input(params, model)

    def answered(parsed: Any, model: Any, **_: object) -> None:
        if model.name in READS:
            _answer(parsed)
        else:
            boto3s.inject_attribute_value_output(parsed, model)

    for event, name in BOTO3S:
        events.unregister(event, unique_id=name)
    events.register("provide-client-params.dynamodb", given)
    events.register("before-parameter-build.dynamodb", built)
    events.register("after-call.dynamodb", answered)


def _transaction(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same with DynamoDB's values, and nothing of it changed."""
    done = [
        {
            kind: {**what, **{name: _values(what[name]) for name in WRITTEN if name in what}}
            for kind, what in each.items()
        }
        for each in params["TransactItems"]
    ]
    return {**params, "TransactItems": done}


def _answer(parsed: dict[str, Any]) -> None:
    for name in ITEM:
        if name in parsed:
            parsed[name] = _plains(parsed[name])
    if ITEMS in parsed:
        parsed[ITEMS] = [_plains(each) for each in parsed[ITEMS]]


def _values(item: Mapping[str, Any]) -> dict[str, Value]:
    return {name: value(each) for name, each in item.items()}


def _plains(item: Mapping[str, Value]) -> dict[str, Any]:
    return {name: plain(each) for name, each in item.items()}


def value(told: Any) -> Value:
    """Raises as `TypeSerializer.serialize` does."""
    if isinstance(told, str):  # most are
        return {"S": told}
    if isinstance(told, dict):
        return {"M": _values(told)}
    if isinstance(told, list):
        return {"L": [value(each) for each in told]}
    known: Value = _writing.serialize(told)
    return known


def plain(told: Any) -> Any:
    """Raises as `TypeDeserializer.deserialize` does."""
    if len(told) == 1:
        ((kind, inner),) = told.items()
        if kind == "S":  # most are
            return inner
        if kind in _KINDS:
            return _KINDS[kind](inner)
    return _reading.deserialize(told)


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "N": _number,
    "M": _plains,
    "L": lambda told: [plain(each) for each in told],
    "BOOL": lambda told: told,
}
