"""What a scan of one target can vouch for, and therefore what it may close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from orgscan.check import Check
from orgscan.model import Finding, Gap, Target


class Resolution(StrEnum):
    """Why a finding closed."""

    FIXED = "fixed"
    RESOURCE_DELETED = "resource-deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every planned check has exactly one outcome: it is in `gaps`, or it was evaluated."""

    target: Target
    planned: frozenset[str]
    gaps: Mapping[str, Gap]
    """Check -> why it was not, or not fully, evaluated."""
    resources: Mapping[str, int] = field(default_factory=dict)
    """Kind -> how many were seen."""
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Check -> ARNs it was shown."""
    unread: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Check -> ARNs it was shown and could not judge."""
    listed: frozenset[str] = frozenset()
    """Checks whose resources were all listed."""

    @classmethod
    def blind(cls, target: Target, checks: Iterable[Check[Any]], gap: Gap) -> Self:
        """Nothing of the target could be seen, for one reason."""
        planned = frozenset(check.id for check in checks)
        return cls(target=target, planned=planned, gaps=dict.fromkeys(planned, gap))

    @property
    def evaluated(self) -> frozenset[str]:
        return self.planned - self.gaps.keys()

    def closes(self, check: str, resource: str) -> Resolution | None:
        """Whether this scan may close what the check once found on the resource; None: it may not.

        Only if the resource was judged by its own check, or its listing was complete and it was not in it.
        """
        if resource in self.unread.get(check, ()):
            return None
        if resource in self.seen.get(check, ()):
            return Resolution.FIXED
        return Resolution.RESOURCE_DELETED if check in self.listed else None


@dataclass(frozen=True, slots=True)
class Look:
    """The outcome of one target."""

    findings: tuple[Finding, ...]
    coverage: Coverage
