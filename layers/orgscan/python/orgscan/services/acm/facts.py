"""What we know about certificates."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Gap, Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(Taggable):
    aws_types = ("AWS::CertificateManager::Certificate",)

    domain: str
    status: str
    used: bool
    """A service of AWS uses it, or it was exported, and nobody knows where to."""
    requested: datetime | None
    """None for those that were imported."""
    expires: datetime | None
    """None while it is not issued."""
    managed: bool
    """ACM issued it, and renews it if it can; not those that were imported."""
    renewable: bool
    """ACM says that it can."""
    renewal: str | Gap | None
    """Where ACM's renewal has come to, '' before it began; None when it was not asked, the end being far."""
