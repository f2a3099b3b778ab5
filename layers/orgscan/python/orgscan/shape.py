"""Whether a resource is what its class says: AWS may write a number as a text, or leave a name empty.

A check that met such a fact would fail, or read it as fine; so it costs the resource before anybody judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from orgscan.model import Resource

Fits: TypeAlias = Callable[[Any], bool]

PARTS = ("/", ":")
"""What an ARN does not end with, unless the name is empty."""
OURS = ("orgscan.model", "orgscan.services.")
"""Modules whose classes hold facts; of others only the class itself is looked at."""


def misshapen(resource: Resource) -> str:
    """'Function.timeout is a str'; empty when all is as it should be."""
    kind: Any = type(resource)
    for name, fits in _fields(kind):
        value = getattr(resource, name)
        if not fits(value):
            return f"{kind.__name__}.{name} is, or holds, what it cannot: {type(value).__name__}"
    return f"{kind.__name__}.arn has no name" if not resource.arn or resource.arn.endswith(PARTS) else ""


@cache
def _fields(kind: Any) -> tuple[tuple[str, Fits], ...]:
    hints = get_type_hints(kind)
    return tuple((each.name, _fits(hints[each.name])) for each in fields(kind))


@cache
def _fits(hint: Any) -> Fits:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        some = tuple(map(_fits, arguments))
        return lambda value: any(fits(value) for fits in some)
    if origin is tuple and arguments[1:] != (...,):
        each = tuple(map(_fits, arguments))
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(each)
            and all(fits(part) for fits, part in zip(each, value, strict=True))
        )
    if origin in (tuple, frozenset):
        part = _fits(arguments[0])
        return lambda value: isinstance(value, origin) and all(map(part, value))
    if origin is Mapping:
        key, of_key = map(_fits, arguments)
        return lambda value: (
            isinstance(value, Mapping) and all(key(name) and of_key(each) for name, each in value.items())
        )
    return _plain(hint)


def _plain(hint: Any) -> Fits:
    if hint in (int, bool):  # True is an int to Python, not to AWS
        return lambda value: type(value) is hint
    if hint is float:
        return lambda value: type(value) in (int, float)
    if hint in (None, NoneType):
        return lambda value: value is None
    if hint is Any or not isinstance(hint, type):
        return lambda _: True
    if is_dataclass(hint) and hint.__module__.startswith(OURS):
        return lambda value: (
            isinstance(value, hint) and all(fits(getattr(value, name)) for name, fits in _fields(type(value)))
        )
    return lambda value: isinstance(value, hint)
