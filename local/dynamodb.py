"""DynamoDB for the embedded AWS: moto's, made safe for many writers and fast for many items.

Every table here has a sort key.
"""

import copy
import threading
from collections import defaultdict
from typing import Any

import pytest
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import responses
from moto.dynamodb.models import DynamoDBBackend, utilities
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_TYPES = frozenset({"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"})
_PLAIN = _TYPES - {"B", "BS"}


def install(patch: pytest.MonkeyPatch) -> None:
    _one_request_at_a_time(patch)
    _query_one_partition(patch)
    _back_up_cheaply(patch)
    _write_attribute_values_plainly(patch)
    _measure_plainly(patch)
    _unwrap_plainly(patch)


def _one_request_at_a_time(patch: pytest.MonkeyPatch) -> None:
    """A reader in moto may meet a growing dictionary, and a failed transaction undo the writes of others."""
    lock, original = threading.RLock(), DynamoHandler.call_action

    def call_action(handler: Any) -> Any:
        with lock:
            return original(handler)

    patch.setattr(DynamoHandler, "call_action", call_action)


def _query_one_partition(patch: pytest.MonkeyPatch) -> None:
    """A query in moto sorts the whole table before it looks for what it wants, and sorts that again."""
    original = Table.query

    def query(table: Any, hash_key: Any, *arguments: Any, **conditions: Any) -> Any:
        index_name = arguments[6]
        partitions = table.items.values() if index_name else [table.items.get(hash_key, {})]
        table = copy.copy(table)
        table.all_items = lambda: [item for partition in partitions for item in partition.values()]
        return original(table, hash_key, *arguments, **conditions)

    patch.setattr(Table, "query", query)


def _back_up_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Before each transaction moto copies the whole table, only because updates change items in place."""
    original = DynamoDBBackend.update_item

    def update_item(backend: Any, table_name: str, key: Any, **changes: Any) -> Any:
        table = backend.get_table(table_name)
        partition = table.items[DynamoType(key[table.hash_key_attr])]
        place = DynamoType(key[table.range_key_attr])
        if place in partition:
            partition[place] = copy.deepcopy(partition[place])
        return original(backend, table_name, key, **changes)

    def deepcopy(table: Any, _: Any) -> Any:
        backup = copy.copy(table)
        backup.items = defaultdict(dict, {key: dict(partition) for key, partition in table.items.items()})
        return backup

    patch.setattr(DynamoDBBackend, "update_item", update_item)
    patch.setattr(Table, "__deepcopy__", deepcopy, raising=False)


def _write_attribute_values_plainly(patch: pytest.MonkeyPatch) -> None:
    """For each type an attribute may have, moto tries a dozen spellings: a quarter of its time in a scan.

    Its values stand in the answer as they were unwrapped; only what is binary has to be encoded.
    """
    original = BaseJSONSerializer._serialize_type_structure

    def write(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and key and _as_written(value):
            serialized[shape.serialization.get("name", key)] = value
        else:
            original(serializer, serialized, value, shape, key)

    patch.setattr(BaseJSONSerializer, "_serialize_type_structure", write)


def _as_written(value: Any) -> bool:
    """Whether this is an attribute's value as JSON has it: of one type, and of that type all through."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    if kind in ("S", "N"):
        return type(content) is str
    if kind == "M":
        return type(content) is dict and all(map(_as_written, content.values()))
    if kind in ("L", "SS", "NS"):
        fits = _as_written if kind == "L" else _is_text
        return type(content) is list and all(map(fits, content))
    return kind in ("BOOL", "NULL") and type(content) is bool


def _is_text(value: Any) -> bool:
    return type(value) is str


def _measure_plainly(patch: pytest.MonkeyPatch) -> None:
    """A query adds up what it reads, for which moto copies each value that is within another one."""

    def size(item: Any) -> int:
        return sum(_bytes(name) + _size(value) for name, value in item.attrs.items())

    original = DynamoType.size

    def _size(value: Any) -> int:
        content = value.value
        if type(content) is str:
            return _bytes(content)
        if value.type == "M":
            return sum(_bytes(name) + _size(each) for name, each in content.items())
        if value.type == "L":
            return sum(map(_size, content))
        return int(original(value))

    patch.setattr(Item, "size", size)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _unwrap_plainly(patch: pytest.MonkeyPatch) -> None:
    """Of each value of each item, moto asks anew what class values have and what else it might be.

    Most are words and numbers, which stay as they are; only what is binary has to be decoded.
    """
    original = utilities.dynamo_to_dict

    def unwrap(thing: Any) -> Any:
        kind = type(thing)
        if kind is str:
            return thing
        if kind is DynamoType and thing.type in _PLAIN:
            return {thing.type: unwrap(thing.value)}
        if kind is dict:
            return {name: unwrap(value) for name, value in thing.items()}
        if kind is list:
            return [unwrap(each) for each in thing]
        return original(thing)

    patch.setattr(utilities, "dynamo_to_dict", unwrap)
    patch.setattr(responses, "dynamo_to_dict", unwrap)
