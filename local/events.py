"""Buses of the embedded AWS: which events they took, kept in a list."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from moto.events.models import EventsBackend


@dataclass(frozen=True, slots=True)
class Event:
    """As a rule would match it."""

    bus: str
    source: str
    kind: str
    """Its detail type."""
    detail: Mapping[str, Any]


def install(patch: pytest.MonkeyPatch, events: list[Event]) -> None:
    """Moto forgets what no rule matches."""
    put = EventsBackend.put_events

    def put_events(self: Any, entries: Sequence[Mapping[str, Any]]) -> Any:
        answers = put(self, entries)
        for each, answer in zip(entries, answers, strict=True):
            if "EventId" in answer:
                detail = json.loads(each["Detail"])
                events.append(Event(each["EventBusName"], each["Source"], each["DetailType"], detail))
        return answers

    patch.setattr(EventsBackend, "put_events", put_events)
