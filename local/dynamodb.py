"""DynamoDB for the embedded AWS: moto's, made safe for many writers and fast for many items."""

import copy
import threading
from typing import Any

from moto.core.serialize import AttributePicker
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from local.patching import Patch


def install(patch: Patch) -> None:
    _one_request_at_a_time(patch)
    _query_without_sorting_the_table(patch)
    _undo_only_what_is_touched(patch)
    _read_attribute_values_plainly(patch)


def _one_request_at_a_time(patch: Patch) -> None:
    """A reader in moto may meet a growing dictionary, and a failed transaction undo the writes of others."""
    lock, original = threading.RLock(), DynamoHandler.call_action

    def call_action(handler: Any) -> Any:
        with lock:
            return original(handler)

    patch(DynamoHandler, "call_action", call_action)


def _query_without_sorting_the_table(patch: Patch) -> None:
    """A query in moto sorts the whole table before it looks for what it wants, and sorts that again."""
    original = Table.query

    def query(table: Any, hash_key: Any, *arguments: Any, **conditions: Any) -> Any:
        index_name = arguments[6]
        if table.range_key_attr:
            partitions = table.items.values() if index_name else [table.items.get(hash_key, {})]
            items = [item for partition in partitions for item in partition.values()]
            table = copy.copy(table)
            table.all_items = lambda: items
        return original(table, hash_key, *arguments, **conditions)

    patch(Table, "query", query)


def _undo_only_what_is_touched(patch: Patch) -> None:
    """For each transaction moto copies the whole table, to put it back if a condition fails."""
    original = DynamoDBBackend.transact_write_items
    touched: set[tuple[Any, Any]] = set()  # safe: one request at a time

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        touched.clear()
        for operation in (operation for item in transact_items for operation in item.values()):
            table, key = backend.get_table(operation["TableName"]), operation.get("Key") or operation["Item"]
            touched.add((DynamoType(key[table.hash_key_attr]), DynamoType(key[table.range_key_attr])))
        original(backend, transact_items)

    def deepcopy(table: Any, memo: Any) -> Any:
        snapshot = copy.copy(table)
        snapshot.items = copy.copy(table.items)
        for partition in {partition for partition, _ in touched if partition in table.items}:
            snapshot.items[partition] = dict(table.items[partition])
        for partition, key in touched:
            if key in snapshot.items.get(partition, {}):
                snapshot.items[partition][key] = copy.deepcopy(table.items[partition][key], memo)
        return snapshot

    patch(DynamoDBBackend, "transact_write_items", transact_write_items)
    patch(Table, "__deepcopy__", deepcopy)


def _read_attribute_values_plainly(patch: Patch) -> None:
    """For each type an attribute may have, moto tries a dozen spellings: a quarter of its time in a scan."""
    original = AttributePicker.__call__

    def pick(picker: Any, context: Any) -> Any:
        if context.key in _TYPES and isinstance(context.obj, dict):
            return context.obj.get(context.key)
        return original(picker, context)

    patch(AttributePicker, "__call__", pick)


_TYPES = frozenset({"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"})
