"""A resource that is not what its class says costs itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orgscan.collector import Reader, collector
from orgscan.model import Blindness, Gap, Resource, Target
from orgscan.session import Clients
from orgscan.shape import misshapen


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Resource):
    aws_types = ()

    name: str
    size: int
    price: float
    open: bool | Gap | None
    since: datetime | None
    tags: Mapping[str, str] | None
    parts: tuple[Part, ...]
    pairs: tuple[tuple[str, int], ...]
    words: frozenset[str]
    anything: Any = None


SOUND = Thing(
    arn="arn:aws:x:::thing/a",
    name="a",
    size=1,
    price=1,
    open=None,
    since=datetime(2026, 1, 1, tzinfo=UTC),
    tags={"a": "b"},
    parts=(Part(size=1),),
    pairs=(("a", 1),),
    words=frozenset({"a"}),
)


def test_what_is_as_it_should_be() -> None:
    assert misshapen(SOUND) == ""
    assert misshapen(replace(SOUND, open=Gap("x", Blindness.DENIED, "y"), since=None, tags=None)) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", None),
        ("name", 7),
        ("size", "7"),
        ("size", True),
        ("price", "7"),
        ("open", "false"),
        ("open", 1),
        ("since", "2026-01-01"),
        ("tags", {"a": None}),
        ("tags", [("a", "b")]),
        ("parts", [Part(size=1)]),
        ("parts", (None,)),
        ("pairs", (("a",),)),
        ("pairs", (("a", "b"),)),
        ("words", frozenset({1})),
        ("words", "a"),
        ("arn", ""),
        ("arn", "arn:aws:x:::thing/"),
    ],
)
def test_what_is_not(name: str, value: Any) -> None:
    assert misshapen(replace(SOUND, **{name: value})).startswith(f"Thing.{name} ")


def test_it_costs_itself_alone(clients: Clients, target: Target) -> None:
    @collector(Thing, calls=())
    def things(_: Reader) -> Iterator[Thing]:
        yield replace(SOUND, size="1")  # type: ignore[arg-type]
        yield SOUND

    lost: list[Gap] = []
    assert list(things.read(clients, target, spoil=lost.append)) == [SOUND]
    assert [(each.scope, each.reason) for each in lost] == [("things", Blindness.FAULT)]
