"""Looking at an execution again and again, until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from cli.start.execution import Execution

EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class Clock:
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    """Seconds."""


CLOCK = Clock(lambda: datetime.now(UTC), time.sleep)
Tell: TypeAlias = Callable[["Execution", timedelta], None]
"""Is told each look, and how long the execution has been running."""


def follow(look: Callable[[], Execution], tell: Tell, clock: Clock) -> Execution:
    """The execution at its end."""
    while True:
        seen = look()
        tell(seen, (seen.stopped or clock.now()) - seen.started)
        if not seen.ongoing:
            return seen
        clock.sleep(EVERY_S)
