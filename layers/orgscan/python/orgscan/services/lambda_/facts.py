"""What we know about Lambda."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from orgscan.model import Taggable

TABLE = Path(__file__).parents[2] / "data" / "lambda_runtimes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Taggable):
    """Its code and its environment variables are never read into a fact: they hold secrets."""

    aws_types = ("AWS::Lambda::Function",)

    name: str
    runtime: str | None
    """None for container images, which bring their own."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What AWS announced for a runtime; None where the table has no date."""

    deprecated: date | None
    update_blocked: date | None
    successor: str | None


@dataclass(frozen=True, slots=True)
class Runtimes:
    as_of: date
    lifecycles: dict[str, Lifecycle]


@cache
def runtimes() -> Runtimes:
    table = json.loads(TABLE.read_text())
    lifecycles = {
        name: Lifecycle(
            _date(dates["deprecated"]),
            _date(dates["update_blocked"]),
            dates["successor"],
        )
        for name, dates in table["runtimes"].items()
    }
    return Runtimes(date.fromisoformat(table["as_of"]), lifecycles)


def _date(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None
