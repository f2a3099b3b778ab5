"""What we know about CloudWatch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A metric that an alarm looks at."""

    namespace: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Taggable):
    aws_types = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")

    name: str
    actions: tuple[str, ...]
    """What happens in state ALARM."""
    actions_enabled: bool
    state: str
    since: datetime
    """When it came into its state."""
    missing: str = "missing"
    """What missing data counts as: 'missing' leads to INSUFFICIENT_DATA, the others hide it."""
    watched: tuple[Watched, ...] | None = None
    """None where it does not name its metrics: a query chooses them, or they are another account's."""
    high_resolution: bool = False
    children: tuple[str, ...] | None = None
    """Of a composite alarm: the names of those that its rule looks at."""

    @property
    def aws_type(self) -> str:
        return self.aws_types[self.children is not None]
