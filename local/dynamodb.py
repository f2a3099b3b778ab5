"""DynamoDB for the embedded AWS: moto's, made safe for many writers and fast for many items.

Every table here has a sort key.
"""

import copy
import threading
from collections import defaultdict
from typing import Any

import pytest
from moto.core.serialize import AttributePicker
from moto.dynamodb import responses
from moto.dynamodb.models import DynamoDBBackend, utilities
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_TYPES = frozenset({"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"})
_PLAIN = _TYPES - {"B", "BS"}


def install(patch: pytest.MonkeyPatch) -> None:
    _one_request_at_a_time(patch)
    _query_one_partition(patch)
    _back_up_cheaply(patch)
    _read_attribute_values_plainly(patch)
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


def _read_attribute_values_plainly(patch: pytest.MonkeyPatch) -> None:
    """For each type an attribute may have, moto tries a dozen spellings: a quarter of its time in a scan."""
    original = AttributePicker.__call__

    def pick(picker: Any, context: Any) -> Any:
        if context.key in _TYPES and isinstance(context.obj, dict):
            return context.obj.get(context.key)
        return original(picker, context)

    patch.setattr(AttributePicker, "__call__", pick)


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
