"""What DynamoDB answers, in Python's types: boto3's, four times as fast. A room that is special for speed.

boto3 walks the shape of every answer and looks for a method by its name at every value. Of the CPU that
adding up an organization's scan takes, that was an eighth (docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from boto3.dynamodb.transform import TransformationInjector
from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer

BOTO3S = "dynamodb-attr-value-output"
"""By which boto3 knows its listener."""
ITEM, ITEMS = ("Item", "Attributes", "LastEvaluatedKey"), "Items"
OPERATIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
"""Whose answers have no values but in these members."""

_number = DYNAMODB_CONTEXT.create_decimal
_rare, _others = TransformationInjector(), TypeDeserializer()


def fast(client: Any) -> None:
    """From now on what a table's client is answered is read here, but for what it is rarely asked."""
    client.meta.events.unregister("after-call.dynamodb", unique_id=BOTO3S)
    client.meta.events.register("after-call.dynamodb", _read)


def _read(parsed: dict[str, Any], model: Any, **_: object) -> None:
    if model.name not in OPERATIONS:
        _rare.inject_attribute_value_output(parsed, model)
        return
    for name in ITEM:
        if name in parsed:
            parsed[name] = _map(parsed[name])
    if ITEMS in parsed:
        parsed[ITEMS] = [_map(each) for each in parsed[ITEMS]]


def _map(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in told.items()}


def plain(value: Any) -> Any:
    """Of {"S": "text"}, the text. Raises as `TypeDeserializer.deserialize` does."""
    if len(value) == 1:
        ((kind, told),) = value.items()
        if kind == "S":  # most are
            return told
        if kind in _KINDS:
            return _KINDS[kind](told)
    return _others.deserialize(value)


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "N": _number,
    "M": _map,
    "L": lambda told: [plain(each) for each in told],
    "BOOL": lambda told: told,
}
