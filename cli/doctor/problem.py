"""What doctor has to say, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orgscan.model import Gap


class Severity(StrEnum):
    ERROR = "error"
    """Scans do not run, or do not see something."""
    WARNING = "warning"
    """They do, and something is not as it should be."""
    UNSEEN = "unseen"
    """Nobody could tell."""
    NOTE = "note"
    """Good to know; nothing to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing in one account, or, without account, of the deployment."""

    severity: Severity
    kind: str
    """For machines; never changes: 'role-refused'."""
    problem: str
    """Without final period."""
    fix: str
    """One line."""
    account: str = ""
    account_name: str = ""
    source: str = ""
    """Who says so, where that is not AWS's answer of this moment: 'scan 2026...'."""

    def as_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "kind": self.kind,
            "account": self.account or None,
            "account_name": self.account_name or None,
            "problem": self.problem,
            "fix": self.fix,
            "source": self.source or None,
        }


def error(kind: str, problem: str, fix: str) -> Problem:
    return Problem(severity=Severity.ERROR, kind=kind, problem=problem, fix=fix)


def warning(kind: str, problem: str, fix: str) -> Problem:
    return Problem(severity=Severity.WARNING, kind=kind, problem=problem, fix=fix)


def note(kind: str, problem: str, fix: str) -> Problem:
    return Problem(severity=Severity.NOTE, kind=kind, problem=problem, fix=fix)


def unseen(what: str, gap: Gap) -> Problem:
    """`what` could not be looked at."""
    return Problem(
        severity=Severity.UNSEEN,
        kind="unseen",
        problem=f"{what}: could not be looked at ({gap.reason}: {gap.detail})",
        fix="Run doctor with credentials that may ask this, or again when AWS answers.",
    )
