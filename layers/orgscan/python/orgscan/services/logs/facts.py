"""What we know about CloudWatch Logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Taggable

GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup(Taggable):
    aws_types = ("AWS::Logs::LogGroup",)

    name: str
    created: datetime
    stored_bytes: int
    retention_days: int | None = None
    """None: for ever."""
    delivery: bool = False
    """Of the class that only passes events on: AWS keeps them for a day or two, whatever anybody wants."""
    protected: bool = False
    """Somebody protected it from being deleted."""

    @property
    def stored_gib(self) -> float:
        return self.stored_bytes / GIB

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"LogGroupName": self.name}
