"""What we know about Secrets Manager; never the secrets."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret(Taggable):
    """One that is not about to be deleted."""

    aws_types = ("AWS::SecretsManager::Secret",)

    created: datetime
    changed: datetime | None
    """When its value or a setting was last changed."""
    accessed: datetime | None
    """The day it was last read in this region; None: never."""
    rotates: bool
    owner: str | None
    """The service that made and manages it: 'rds'."""
    replica_of: str | None
    """The region of the secret that this one repeats."""
