"""Answers that are not quite what AWS gave: each lacks, garbles or renames one thing, at any depth.

What comes of it is what botocore reads of such bytes: in JSON a null member is a missing one, a list may hold
nulls and scalars of another type; in XML an element may be empty. Shapes and enums are of botocore's models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias
from zlib import crc32

from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from tests.served import Asked

Path: TypeAlias = tuple[str | int, ...]

NEW = "brand-new"
"""What no model knows."""
KINDS = ("dropped", "null", "empty", "hollow", "unknown", "mistyped")
SAYS = re.compile(
    r"(state|status|type|mode|class|scheme|engine|protocol|code|tier|lifecycle|action)$", re.IGNORECASE
)
"""Names of texts that say one of a few things, where the model does not list them."""
FREE = frozenset({"InstanceType", "resourceType", "LogicalName"})
ALIKE = {"ResourceTagMapping": 5}
"""Shape of items of which a few stand for all."""
WRONG: dict[str, Any] = {"string": 7, "boolean": 7, "integer": "7", "long": "7", "float": "7", "double": "7"}
WRONG |= {"list": 7, "map": "text", "structure": "text"}


@dataclass(frozen=True, slots=True)
class Broken:
    """Instead of an answer: what botocore raises, reading it."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Mutant:
    """One answer with one thing changed."""

    asked: Asked
    path: Path
    kind: str
    value: Any
    """What is there instead; `DROPPED`: nothing."""

    def __str__(self) -> str:
        return f"{self.asked.call} {self.where} {self.kind}"

    @property
    def where(self) -> str:
        """The path without numbers: 'Volumes[].State'."""
        return member(self.path)

    @property
    def order(self) -> int:
        """A number that is as good as random, and always the same."""
        return crc32(f"{self.asked.call} {self.path} {self.kind}".encode())

    def of(self, parsed: Any) -> Any:
        """The answer so changed; what is not on the way to the change is shared with the original."""
        if isinstance(self.value, Broken):
            raise self.value.error
        return _changed(parsed, self.path, self.value)


class _Dropped:
    """The absence of a member."""


DROPPED = _Dropped()


def member(path: Path) -> str:
    return "".join("[]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")


def _changed(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    changed = copy(value)
    made = _changed(value[path[0]], path[1:], new)
    if made is DROPPED:
        del changed[path[0]]
    else:
        changed[path[0]] = made
    return changed


def mutants(asked: Asked, parsed: Mapping[str, Any]) -> Iterator[Mutant]:
    service, _, operation = asked.call.partition(":")
    model = get_service_model(service)
    shape = model.operation_model(operation).output_shape
    json = model.resolved_protocol.endswith("json")
    for path, kind, value in _inner(shape, parsed, (), _parser(model.resolved_protocol) if json else None):
        yield Mutant(asked, path, kind, value)


@cache
def _parser(protocol: str) -> Any:
    return create_parser(protocol)


def _inner(shape: Any, value: Any, path: Path, parser: Any) -> Iterator[tuple[Path, str, Any]]:
    match shape.type_name:
        case "structure":
            for name in value:
                yield (*path, name), "dropped", DROPPED
                # Headers and status codes are members too; nobody garbles those.
                if name in shape.members:
                    yield from _outer(shape.members[name], name, value[name], (*path, name), parser)
        case "list":
            for number, each in enumerate(value[: _how_many(shape.member)]):
                if parser:
                    yield (*path, number), "null", None
                yield from _outer(shape.member, "", each, (*path, number), parser)
        case "map":
            for key in value:
                yield (*path, key), "dropped", DROPPED
                yield from _outer(shape.value, "", value[key], (*path, key), parser)


def _how_many(of: Any) -> int | None:
    """Of a list of such items how many are changed; None: each. One tag or number is as good as another."""
    if of.type_name != "structure" or {each.lower() for each in of.members} == {"key", "value"}:
        return 1
    return ALIKE.get(of.name)


def _outer(shape: Any, name: str, value: Any, path: Path, parser: Any) -> Iterator[tuple[Path, str, Any]]:
    kind = shape.type_name
    says = kind == "string" and bool(getattr(shape, "enum", None) or (SAYS.search(name) and name not in FREE))
    if value and kind in ("list", "map", "structure", "string"):
        # A structure that lacks everything, and a word that is none, do not say that there is nothing.
        yield path, "hollow" if says or kind == "structure" else "empty", type(value)()
    if says:
        yield path, "unknown", NEW
    if parser and kind in WRONG:
        try:
            yield path, "mistyped", parser._parse_shape(shape, WRONG[kind])
        except Exception as error:  # noqa: BLE001 (whatever botocore raises is what the caller gets)
            yield path, "mistyped", Broken(error)
    yield from _inner(shape, value, path, parser)
