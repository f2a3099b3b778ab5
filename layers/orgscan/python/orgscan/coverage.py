"""What a scan of one target can vouch for, and therefore what it may close."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from orgscan.check import Check
from orgscan.model import Category, Finding, Gap, Standing, Target
from orgscan.tagged import Share


class Resolution(StrEnum):
    """Why a finding closed."""

    FIXED = "fixed"
    RESOURCE_DELETED = "resource-deleted"
    CHECK_RETIRED = "check-retired"
    ACCOUNT_LEFT = "account-left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which findings a scan speaks of, whatever it sees: nothing outside its scope is touched."""

    checks: frozenset[str] = frozenset()
    """That it was asked for."""
    known: frozenset[str] = frozenset()
    """That exist and are switched on."""
    retiring: frozenset[Category] = frozenset()
    """In these, findings of checks that are not known are closed."""

    def retired(self, finding: Finding) -> bool:
        return finding.check not in self.known and finding.category in self.retiring

    def __contains__(self, finding: Finding) -> bool:
        return finding.check in self.checks or self.retired(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every planned check has exactly one outcome: it is in `gaps`, or it was evaluated."""

    target: Target
    planned: frozenset[str]
    gaps: Mapping[str, Gap]
    """Check -> why it was not, or not fully, evaluated."""
    resources: Mapping[str, int] = field(default_factory=dict)
    """Kind -> how many were seen."""
    seen: Mapping[str, Container[str]] = field(default_factory=dict)
    """Check -> ARNs it was shown."""
    unread: Mapping[str, Container[str]] = field(default_factory=dict)
    """Check -> ARNs it was shown and could not judge."""
    listed: frozenset[str] = frozenset()
    """Checks whose resources were all listed."""
    reach: Reach = field(default_factory=Reach)
    tagged: Mapping[str, Share] = field(default_factory=dict)
    """Owner -> how many resources are tagged as they should be."""

    @classmethod
    def blind(
        cls, target: Target, checks: Iterable[Check[Any]], gap: Gap, reach: Reach | None = None
    ) -> Self:
        """Nothing of the target could be seen, for one reason."""
        planned = frozenset(check.id for check in checks)
        return cls(target=target, planned=planned, gaps=dict.fromkeys(planned, gap), reach=reach or Reach())

    @property
    def evaluated(self) -> frozenset[str]:
        return self.planned - self.gaps.keys()

    def due(self, finding: Finding) -> bool:
        """Whether this scan should have confirmed or closed what was once found."""
        return finding.check in self.planned or finding in self.reach

    def closes(self, finding: Finding) -> Resolution | None:
        """Whether this scan may close what was once found and now is not; None: it may not.

        Only if the resource was judged by its own check, or its listing was complete and it was not in it;
        or if there is nobody left to ask: the account or the check is gone.
        """
        check, resource = finding.check, finding.resource
        if self.target.standing is not Standing.DUE:
            left = self.target.standing is Standing.LEFT and self.due(finding)
            return Resolution.ACCOUNT_LEFT if left else None
        if self.reach.retired(finding):
            return Resolution.CHECK_RETIRED
        if resource in self.unread.get(check, ()):
            return None
        if resource in self.seen.get(check, ()):
            return Resolution.FIXED
        return Resolution.RESOURCE_DELETED if check in self.listed else None


@dataclass(frozen=True, slots=True)
class Look:
    """The outcome of one target."""

    findings: Iterable[Finding]
    """By place; may be read more than once."""
    coverage: Coverage
