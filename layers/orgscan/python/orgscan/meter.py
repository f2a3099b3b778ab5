"""How often AWS was asked, how often it was too often, and what that took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from threading import Lock
from typing import Self

CALLS, THROTTLES = "ApiCalls", "ApiThrottles"
"""The metrics' names."""
GB_SECONDS = "gb_seconds"
"""The one amount below that is no whole number."""
BILLED_EACH = "ce:"
"""Of APIs that bill each request: Cost Explorer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What invocations used of what somebody pays for. Adds up."""

    calls: int = 0
    """Requests to member accounts, each attempt of them."""
    throttled: int = 0
    """Of them, refused for their number."""
    metrics: int = 0
    """Asked of CloudWatch, which bills them to the account that is asked."""
    cost_queries: int = 0
    """Of the calls, those to Cost Explorer: likewise."""
    invocations: int = 0
    gb_seconds: float = 0.0
    plans_read: int = 0
    """By processes that did not have the scan's yet."""

    def __add__(self, other: Spent) -> Self:
        both = {name: getattr(self, name) + getattr(other, name) for name in AMOUNTS}
        return type(self)(**{**both, GB_SECONDS: round(both[GB_SECONDS], 3)})


NOTHING = Spent()
AMOUNTS = tuple(each.name for each in fields(Spent))


@dataclass
class Meter:
    """Counts the requests of guarded clients, each attempt of them; safe to share between threads."""

    calls: Counter[str] = field(default_factory=Counter)
    """By API ('ec2:DescribeVolumes'), those that were refused too."""
    throttled: Counter[str] = field(default_factory=Counter)
    """By API: refused for too many requests, also where a later attempt was answered."""
    metrics: int = 0
    """That CloudWatch was asked for."""
    plans_read: int = 0
    _lock: Lock = field(default_factory=Lock)

    def asked(self, call: str) -> None:
        with self._lock:
            self.calls[call] += 1

    def refused(self, call: str) -> None:
        with self._lock:
            self.throttled[call] += 1

    def measured(self, metrics: int) -> None:
        with self._lock:
            self.metrics += metrics

    def spent(self, seconds: float, memory_mib: int) -> Spent:
        """Of one invocation, so far: what was counted, and its `seconds` with so much memory."""
        with self._lock:
            return Spent(
                calls=self.calls.total(),
                throttled=self.throttled.total(),
                metrics=self.metrics,
                cost_queries=sum(n for call, n in self.calls.items() if call.startswith(BILLED_EACH)),
                invocations=1,
                plans_read=self.plans_read,
                gb_seconds=round(seconds * memory_mib / 1024, 3),
            )
