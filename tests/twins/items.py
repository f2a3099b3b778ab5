"""Items of the table: which there can be, and how they come out again."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import DYNAMODB_CONTEXT

Item = dict[str, Any]
Where = tuple[str, str]
"""An item's pk and sk."""

ITEM_BYTES = 400 * 1024
KEYS = {"pk": 2048, "sk": 1024}
"""Attribute -> bytes at most."""
INDEX = "open"
INDEX_KEYS = {"listed": 2048, "listed_sk": 1024}

INVALID = "One or more parameter values were invalid: "


class Invalid(Exception):
    """DynamoDB's ValidationException."""


class Kept(Item):
    """An item, as it comes out of DynamoDB again. Never changed: the next version is another one."""

    __slots__ = ("size",)

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__(kept(item))
        self.size = sum(_bytes(name) + _size(value) for name, value in self.items())
        """In bytes, about as DynamoDB counts."""

    def told(self) -> Item:
        """A copy for the caller to do with as it likes."""
        return {name: value if type(value) is str else _copied(value) for name, value in self.items()}

    def fits(self, too_large: str) -> None:
        for name in INDEX_KEYS.keys() & self.keys():
            is_key(name, self[name], INDEX_KEYS[name])
        if self.size > ITEM_BYTES:
            raise Invalid(too_large)


def is_key(name: str, value: Any, most: int) -> None:
    if not isinstance(value, str):
        raise Invalid(INVALID + f"Type mismatch for key {name} expected: S")
    if not value:
        raise Invalid(INVALID + f"An attribute value for a key may not be empty. Key: {name}")
    if _bytes(value) > most:
        raise Invalid(INVALID + f"Size of {name} has exceeded the maximum size limit of {most} bytes")


def where_of(item: Mapping[str, Any]) -> Where:
    for name, most in KEYS.items():
        if name not in item:
            raise Invalid(INVALID + f"Missing the key {name} in the item")
        is_key(name, item[name], most)
    return item["pk"], item["sk"]


def where(key: Mapping[str, Any]) -> Where:
    if key.keys() != KEYS.keys():
        raise Invalid("The provided key element does not match the schema")
    return where_of(kept(key))


def kept(value: Any) -> Any:
    match value:
        case str():
            return str.__str__(value)
        case None | bool():
            return value
        case int() | Decimal():
            return DYNAMODB_CONTEXT.create_decimal(value)
        case float():
            raise TypeError("Float types are not supported. Use Decimal types instead.")
        case list() | tuple():
            return [each if type(each) is str else kept(each) for each in value]
        case Mapping():
            return {
                str.__str__(name): each if type(each) is str else kept(each) for name, each in value.items()
            }
        case AbstractSet() if not value:
            raise Invalid(INVALID + "An number set  may not be empty")  # as boto3 calls each that is empty
        case AbstractSet() if all(isinstance(each, str) for each in value):
            return {kept(each) for each in value}
        case bytes() | AbstractSet():
            raise NotImplementedError("binary values, and sets of anything but text")
    raise TypeError(f'Unsupported type "{type(value)}" for value "{value}"')


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(each) for each in value]
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return set(value) if isinstance(value, set) else value


def _size(value: Any) -> int:
    match value:
        case str():
            return _bytes(value)
        case Decimal():
            return len(str(value)) // 2 + 2
        case list():
            return 3 + sum(1 + _size(each) for each in value)
        case dict():
            return 3 + sum(1 + _bytes(name) + _size(each) for name, each in value.items())
        case set():
            return sum(map(_size, value))
    return 1


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
