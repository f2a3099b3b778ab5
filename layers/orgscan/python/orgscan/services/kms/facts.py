"""What we know about KMS."""

from dataclasses import dataclass

from orgscan.model import Gap, Taggable
from orgscan.policy import Policy


@dataclass(frozen=True, slots=True)
class Rotation:
    on: bool
    period_days: int | None
    """None when it is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Taggable):
    """One of the customer's; those that AWS manages are nobody's to change."""

    aws_types = ("AWS::KMS::Key",)

    policy: Policy | Gap | None
    """None when the key is about to be deleted, or is by now."""
    rotation: Rotation | Gap | None
    """None when KMS does not rotate such a key by itself, or not in its state."""
