"""What we know about EKS."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Resource, Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Taggable):
    aws_types = ("AWS::EKS::Cluster",)

    name: str
    version: str
    """Of Kubernetes: '1.33'."""
    support: str | None
    """What it does when standard support ends: 'STANDARD' is upgraded, 'EXTENDED' stays and pays."""
    public: bool
    """Its endpoint answers from outside of the VPC too."""
    public_cidrs: tuple[str, ...]
    """To whom it answers there; AWS takes none for everyone."""
    logs: frozenset[str]
    """The types that are on."""
    secrets_key: str | None
    """The KMS key under which secrets are encrypted once more; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterVersion(Resource):
    """A version of Kubernetes, and how long AWS supports it."""

    aws_types = ()

    version: str
    status: str
    """'STANDARD_SUPPORT', 'EXTENDED_SUPPORT', 'UNSUPPORTED'."""
    standard_ends: datetime | None
    extended_ends: datetime | None
