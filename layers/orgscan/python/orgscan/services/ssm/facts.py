"""What we know about Systems Manager; never the values of parameters."""

from dataclasses import dataclass

from orgscan.model import Gap, Taggable
from orgscan.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Taggable):
    aws_types = ("AWS::SSM::Parameter",)

    secrets: tuple[Secret, ...] | Gap | None
    """What looks secret in its value; None when that is encrypted, and is not read."""
