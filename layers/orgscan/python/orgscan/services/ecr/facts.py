"""What we know about ECR."""

from dataclasses import dataclass

from orgscan.model import Gap, Taggable
from orgscan.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository(Taggable):
    """A private one."""

    aws_types = ("AWS::ECR::Repository",)

    name: str
    policy: Policy | Gap | None
