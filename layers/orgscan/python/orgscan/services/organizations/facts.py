"""What we know about an organization."""

from dataclasses import dataclass

from orgscan.model import Gap, Resource
from orgscan.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAccount(Resource):
    """An account that service control policies can hold back."""

    aws_types = ()

    id: str
    name: str
    all_features: bool
    """Without them an organization has no policies."""
    policies: tuple[tuple[Policy | Gap, ...], ...]
    """Service control policies: of the root, of each unit on the way down, of the account."""
    imdsv2_declared: bool | Gap
    """A declarative policy on the way sets that instance metadata needs a token."""
