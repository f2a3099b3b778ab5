"""What we know about Lambda."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from orgscan.model import Gap, Taggable
from orgscan.policy import Policy
from orgscan.secrets import Secret

TABLE = Path(__file__).parents[2] / "data" / "lambda_runtimes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """Under which a function, or an alias of it, answers HTTPS."""

    alias: str
    """'' for the function itself."""
    auth: str
    """'NONE' or 'AWS_IAM'."""
    policy: Policy | Gap | None
    """Of what answers there; read only where nobody needs to sign."""
    any_origin: bool
    """Browsers may send their credentials from any web page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Taggable):
    """Its code and its environment variables are never read into a fact: they hold secrets."""

    aws_types = ("AWS::Lambda::Function",)

    name: str
    runtime: str | None
    """None for container images, which bring their own."""
    modified: datetime
    timeout: int
    """Seconds."""
    memory_mib: int
    arm: bool
    replica: bool
    """Lambda@Edge made it, out of a function of the home region."""
    secrets: tuple[Secret, ...] | Gap
    """Of the environment; located by variable. A gap where Lambda could not decrypt it."""
    policy: Policy | Gap | None
    """Of the function itself; its versions and aliases have others."""
    urls: tuple[Url, ...] | Gap | None
    provisioned: int | Gap | None
    """Executions kept ready, over all its versions and aliases."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"FunctionName": self.name}


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
