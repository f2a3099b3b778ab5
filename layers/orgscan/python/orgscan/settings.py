"""What a function is told by the stack: written by infra, read by the handler, each name once.

Names that only exist after deployment (a table's) travel as environment variables, up to Lambda's 4 KB.
What people decided in orgscan.yaml has no such limit and travels as a file beside the handlers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Self

from orgscan.model import Category, Severity
from orgscan.suppress import Suppression

CONFIGURATION_FILE = "configuration.json"
NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
"""The variable with the namespace of this deployment's metrics; the library that sends them reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    def to_environment(self) -> dict[str, str]:
        return {field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_environment(cls) -> Self:
        """Raises KeyError naming the variable that the stack did not set and that has no default."""
        told = (each for each in fields(cls) if each.default is MISSING or each.name.upper() in os.environ)
        return cls(**{each.name: os.environ[each.name.upper()] for each in told})


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSettings(Settings):
    table: str
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings(HubSettings):
    link_role: str = ""
    """ARN of the role with which links to reports are signed; empty: there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings(HubSettings):
    member_role: str
    """Its name, after its path if it has one, the same in every account."""
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings(PlanSettings):
    salt: str
    """Of the digests that stand for secret values: one of this deployment's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings(HubSettings):
    topic: str
    """Of mails. Routes' own topics are beside it, see `topic_name`."""
    name: str
    """Of this deployment: the source of its events."""


CHAT, MACHINE = "chat", "machine"
"""Channels of a route that have a topic of their own."""


def topic_name(deployment: str, channel: str, route: str) -> str:
    """Of a route's own topic. It is known before the topic exists: ARNs of many would not fit into 4 KB."""
    return f"{deployment}-{channel}-{route}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which accounts and regions exist for orgscan. A request or a schedule can only narrow it."""

    organization: bool = True
    """False: only `accounts`, and Organizations is never asked."""
    accounts: tuple[str, ...] = ()
    """With an organization: only these; empty means all."""
    ous: tuple[str, ...] = ()
    account_tags: Mapping[str, str] = field(default_factory=dict)
    exclude_accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("enabled",)
    """Names, globs ('eu-*'), or 'enabled'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who is told of what: one recipient group. A finding reaches the first that wants it, and all copies."""

    name: str
    minimum_severity: Severity = Severity.INFORMATIONAL
    categories: tuple[Category, ...] = ()
    """Empty: all."""
    accounts: tuple[str, ...] = ()
    """Empty: all."""
    ous: tuple[str, ...] = ()
    """Accounts in or below these. Empty: all."""
    owners: tuple[str, ...] = ()
    """Globs of owners' names, in any case; '' is nobody. Empty: all."""
    copy: bool = False
    """It also hears of what another route is given, and takes nothing from any."""
    mail: bool = True
    chat: bool = False
    """To a topic of its own, in the schema of Amazon Q Developer's custom notifications."""
    machine: bool = False
    """To a topic of its own, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What goes to EventBridge."""

    scans: bool = False
    """One event per scan."""
    findings: bool = False
    """One per finding that was opened, reopened, got worse or was resolved."""
    bus: str = "default"

    @property
    def any(self) -> bool:
        return self.scans or self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What people decided, as the functions need it."""

    scope: Scope = field(default_factory=Scope)
    schedules: tuple[str, ...] = ()
    """Their names."""
    off: tuple[str, ...] = ()
    """Check ids that are switched off."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Check id -> threshold -> value, where it differs from the default."""
    routes: tuple[Route, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    """In the order in which they were written; expired ones too."""
    polite: float = 1.0
    """What API calls per second are divided by."""
    inventory: bool = True
    """Whether what there is gets written down."""
    events: Events = Events()
    presigned_minutes: int = 0
    """For how long a link to a report opens it without credentials; 0: there is none."""
    owner_tags: tuple[str, ...] = ("Owner",)
    """Keys of the tags that name who answers for what carries them, best first, in any case."""
    account_owners: bool = True
    """Whether accounts, and the units above them, are asked who answers for what names nobody itself."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True, default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote; it was validated when the stack was synthesized."""
        told = json.loads(text)
        return cls(
            scope=Scope(**{name: _frozen(value) for name, value in told["scope"].items()}),
            schedules=tuple(told["schedules"]),
            off=tuple(told["off"]),
            parameters=told["parameters"],
            routes=tuple(
                Route(
                    name=route["name"],
                    minimum_severity=Severity(route["minimum_severity"]),
                    categories=tuple(Category(name) for name in route["categories"]),
                    accounts=tuple(route["accounts"]),
                    ous=tuple(route["ous"]),
                    owners=tuple(route["owners"]),
                    copy=route["copy"],
                    mail=route["mail"],
                    chat=route["chat"],
                    machine=route["machine"],
                )
                for route in told["routes"]
            ),
            suppressions=tuple(_suppression(**rule) for rule in told["suppressions"]),
            polite=told["polite"],
            inventory=told["inventory"],
            events=Events(**told["events"]),
            presigned_minutes=told["presigned_minutes"],
            owner_tags=tuple(told["owner_tags"]),
            account_owners=told["account_owners"],
        )

    @classmethod
    def beside(cls, handler: str) -> Self:
        """The file that the stack put beside a handler; takes the handler's `__file__`."""
        return cls.from_json(Path(handler).with_name(CONFIGURATION_FILE).read_text())


def _suppression(*, expires: str, tag: list[str] | None, **rest: str) -> Suppression:
    key_and_value = (tag[0], tag[1]) if tag else None
    return Suppression(expires=date.fromisoformat(expires), tag=key_and_value, **rest)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
