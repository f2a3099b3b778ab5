"""How often AWS was asked, and how often it was too often."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

CALLS, THROTTLES = "ApiCalls", "ApiThrottles"
"""The metrics' names."""


@dataclass
class Meter:
    """Counts the requests of guarded clients, each attempt of them; safe to share between threads."""

    calls: Counter[str] = field(default_factory=Counter)
    """By API ('ec2:DescribeVolumes'), those that were refused too."""
    throttled: Counter[str] = field(default_factory=Counter)
    """By API: refused for too many requests, also where a later attempt was answered."""
    _lock: Lock = field(default_factory=Lock)

    def asked(self, call: str) -> None:
        with self._lock:
            self.calls[call] += 1

    def refused(self, call: str) -> None:
        with self._lock:
            self.throttled[call] += 1
