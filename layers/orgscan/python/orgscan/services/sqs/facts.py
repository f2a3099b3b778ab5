"""What we know about SQS."""

from dataclasses import dataclass

from orgscan.model import Gap, Taggable
from orgscan.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Taggable):
    aws_types = ("AWS::SQS::Queue",)

    policy: Policy | Gap | None
    """None when it has none, which leaves it to its own account."""
