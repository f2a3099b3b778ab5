"""What we know about SNS."""

from dataclasses import dataclass

from orgscan.model import Gap, Taggable
from orgscan.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Taggable):
    aws_types = ("AWS::SNS::Topic",)

    policy: Policy | Gap
    """Nobody has to set one: SNS makes one that is for the topic's own account (AWS:SourceOwner)."""
