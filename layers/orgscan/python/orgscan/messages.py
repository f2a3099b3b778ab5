"""What one route is told of one scan: a message for each of its channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from orgscan.links import Links
from orgscan.model import Severity
from orgscan.present.chat import chat
from orgscan.present.machine import machine
from orgscan.present.mail import Mail
from orgscan.reconcile import Change
from orgscan.results import Results
from orgscan.settings import CHAT, MACHINE, Route
from orgscan.summary import ScanSummary

MESSAGES = "messages.json"
"""In a scan's folder."""
ON_DEMAND = "on-demand"
"""The schedule of what no schedule asked for."""


class Channel(StrEnum):
    MAIL = "mail"
    CHAT = CHAT
    MACHINE = MACHINE


class Kind(StrEnum):
    """Why there is a message."""

    CHANGES = "changes"
    DIGEST = "digest"
    """Everything that is open, whether or not anything changed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One for one recipient group, through one channel."""

    route: str
    subject: str
    """Of a mail; ASCII, below 100 characters."""
    body: str
    channel: Channel = Channel.MAIL
    attributes: Mapping[str, str] = field(default_factory=dict)
    """By which subscriptions filter, beside `route`: four at most."""

    @property
    def mark(self) -> str:
        """What it is told apart by among the messages of its scan."""
        return self.route if self.channel == Channel.MAIL else f"{self.route}#{self.channel}"


def put(results: Results, messages: Iterable[Message]) -> None:
    """For Notify."""
    results.put_json(MESSAGES, [asdict(message) for message in messages])


def of_scan(results: Results) -> Iterator[Message]:
    """What the report of a scan left to be sent."""
    for told in results.json(MESSAGES):
        yield Message(**{**told, "channel": Channel(told.get("channel", Channel.MAIL))})


def of_route(route: Route, summary: ScanSummary, text: Mail, links: Links) -> Iterator[Message]:
    """One for each channel of the route. `text`: its mail, of which the others have the subject."""
    filters = attributes(summary, Kind.DIGEST if summary.plan.digest else Kind.CHANGES)
    told = {"route": route.name, **filters}
    if route.mail:
        yield Message(route.name, text.subject, text.body, Channel.MAIL, filters)
    if route.chat:
        yield Message(
            route.name, text.subject, chat(summary, text.subject, links, told), Channel.CHAT, filters
        )
    if route.machine:
        yield Message(route.name, text.subject, machine(summary, links, told), Channel.MACHINE, filters)


def attributes(summary: ScanSummary, kind: Kind) -> Mapping[str, str]:
    """By which subscriptions filter, beside `route`; docs/operating.md tells the values."""
    return {
        "kind": kind,
        "severity": _worst(summary) or "none",
        "verdict": "complete" if summary.complete else "incomplete",
        "schedule": summary.plan.schedule or ON_DEMAND,
    }


def _worst(summary: ScanSummary) -> Severity | None:
    """Of what is new, reopened or worse; what was resolved alarms nobody."""
    told = (
        severity
        for (change, severity, _), count in summary.changes.items()
        if count and change in (Change.NEW, Change.REOPENED, Change.WORSENED)
    )
    return max(told, key=lambda severity: severity.rank, default=None)
