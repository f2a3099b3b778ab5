"""What we know about IAM Access Analyzer."""

from dataclasses import dataclass

from orgscan.model import Gap, Resource

EXTERNAL = frozenset({"ACCOUNT", "ORGANIZATION"})
"""Types of analyzers that look for access from outside; the others look for unused and inner access."""


@dataclass(frozen=True, slots=True)
class ExternalAccess:
    """An active finding: somebody outside of the account, or of the organization, can reach a resource."""

    id: str
    resource: str
    """Its ARN; the kind alone where AWS does not tell."""
    kind: str
    """'AWS::S3::Bucket'."""
    public: bool
    principals: tuple[str, ...]
    error: str = ""
    """Why the resource could not be analyzed: then nothing is known of its access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAnalysis(Resource):
    """What there is of Access Analyzer in a region: the region as a whole, and its analyzers."""

    aws_types = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region(AccessAnalysis):
    """There is always one, even where there is no analyzer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer(AccessAnalysis):
    name: str
    kind: str
    """'ORGANIZATION'."""
    status: str
    """'ACTIVE'."""
    findings: tuple[ExternalAccess, ...] | Gap | None
    """The active ones; None of an analyzer that does not look for access from outside."""

    @property
    def external(self) -> bool:
        return self.kind in EXTERNAL

    @property
    def active(self) -> bool:
        return self.status == "ACTIVE"
