"""What we know about AWS Backup."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource(Resource):
    """Something of which AWS Backup holds a recovery point; `arn` is that of the resource itself."""

    aws_types = ()

    last_backup: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One that has ended."""

    state: str
    created: datetime
    vault: str
    """Where to, by name."""
    message: str = ""

    @property
    def completed(self) -> bool:
        return self.state == "COMPLETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJobs(Resource):
    """The newest jobs that have ended; `arn` is that of the resource that was to be saved."""

    aws_types = ()

    backup: Job | None = None
    """Whatever vault it goes to: that is the plan's business."""
    copies: tuple[Job, ...] = ()
    """One for each vault."""
