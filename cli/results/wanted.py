"""Which findings, in which order and groups. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from orgscan.line import Line
from orgscan.model import Category, Severity
from orgscan.present.text import clean
from orgscan.reconcile import Change, Status

NOBODY = "nobody"
"""Whose findings are that nobody owns, for people."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Of which scan findings are told, and when it started: ages are those of that moment."""

    scan: str
    started: datetime

    def days(self, line: Line) -> int:
        """Since the finding was last opened."""
        return max(0, (self.started - datetime.fromisoformat(line.opened)).days)

    def opened(self, line: Line) -> bool:
        """By this scan."""
        return line.changed_in == self.scan and line.change in (Change.NEW, Change.REOPENED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that is named must hold, and of several values of one name, any. Empty: everything."""

    statuses: Sequence[Status] = ()
    severities: Sequence[Severity] = ()
    minimum: Severity = Severity.INFORMATIONAL
    categories: Sequence[Category] = ()
    checks: Sequence[str] = ()
    accounts: Sequence[str] = ()
    """Ids or names, in capitals or not."""
    regions: Sequence[str] = ()
    """Names, 'global', or patterns: 'eu-*'."""
    owners: Sequence[str] = ()
    """In capitals or not."""
    unowned: bool = False
    """Also, or only, what nobody owns."""
    opened: bool = False
    """By this scan."""
    changed: bool = False
    """In whatever way by this scan."""
    older_than: int | None = None
    """Days."""
    tags: Sequence[tuple[str, str | None]] = ()
    """Key and value, spelled as there; None: any value."""
    search: str = ""

    def wants(self, line: Line, moment: Moment) -> bool:
        return (
            _among(self.statuses, line.status)
            and _among(self.severities, line.severity)
            and line.severity.rank >= self.minimum.rank
            and _among(self.categories, line.category)
            and _among(self.checks, line.check)
            and self._there(line)
            and self._owned(line)
            and (not self.opened or moment.opened(line))
            and (not self.changed or line.changed_in == moment.scan)
            and (self.older_than is None or moment.days(line) > self.older_than)
            and all(_carries(line, key, value) for key, value in self.tags)
            and (not self.search or self.search.casefold() in _text(line))
        )

    def of(self, lines: Iterable[Line], moment: Moment) -> Iterator[Line]:
        return (line for line in lines if self.wants(line, moment))

    def _there(self, line: Line) -> bool:
        names = {line.account, line.account_name.casefold()}
        here = not self.accounts or any(each.casefold() in names for each in self.accounts)
        return here and (not self.regions or any(fnmatchcase(line.region, each) for each in self.regions))

    def _owned(self, line: Line) -> bool:
        if not self.owners and not self.unowned:
            return True
        if not line.owner.name:
            return self.unowned
        return line.owner.name.casefold() in map(str.casefold, self.owners)


def _among(allowed: Sequence[str], value: str) -> bool:
    return not allowed or value in allowed


def _carries(line: Line, key: str, value: str | None) -> bool:
    """Tags that were not read are carried by nobody."""
    tags = line.tags or {}
    return key in tags and value in (None, tags[key])


def _text(line: Line) -> str:
    tags = [part for pair in (line.tags or {}).items() for part in pair]
    place = (line.account, line.account_name, line.region, line.resource, line.key)
    return "\n".join((line.check, *place, line.owner.name, *line.problems, *tags)).casefold()


def usd(line: Line) -> float:
    return line.saving.monthly_usd if line.saving else 0.0


def worst(line: Line) -> tuple[Any, ...]:
    """By severity, money, age; then by a stable order."""
    place = (line.account, line.region, line.check, line.resource, line.key, line.id)
    return (-line.severity.rank, -usd(line), line.opened, *place)


class Order(StrEnum):
    SEVERITY = "severity"
    AGE = "age"
    USD = "usd"
    ACCOUNT = "account"
    CHECK = "check"
    REGION = "region"
    OWNER = "owner"
    RESOURCE = "resource"


ORDERS: Mapping[Order, Callable[[Line], tuple[Any, ...]]] = {
    Order.SEVERITY: worst,
    Order.AGE: lambda line: (line.opened, *worst(line)),
    Order.USD: lambda line: (-usd(line), *worst(line)),
    Order.ACCOUNT: lambda line: (line.account_name.casefold(), line.account, *worst(line)),
    Order.CHECK: lambda line: (line.check, *worst(line)),
    Order.REGION: lambda line: (line.region, *worst(line)),
    Order.OWNER: lambda line: (not line.owner.name, line.owner.name.casefold(), *worst(line)),
    Order.RESOURCE: lambda line: (line.resource, *worst(line)),
}


class By(StrEnum):
    CHECK = "check"
    ACCOUNT = "account"
    OWNER = "owner"
    REGION = "region"
    CATEGORY = "category"
    SEVERITY = "severity"


KEYS: Mapping[By, Callable[[Line], str]] = {
    By.CHECK: lambda line: line.check,
    By.ACCOUNT: lambda line: line.account,
    By.OWNER: lambda line: line.owner.name,
    By.REGION: lambda line: line.region,
    By.CATEGORY: lambda line: line.category.value,
    By.SEVERITY: lambda line: line.severity.value,
}


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    """Empty: of what nobody owns."""
    label: str
    """For people."""
    lines: Sequence[Line]

    @property
    def by_severity(self) -> dict[Severity, int]:
        """Worst first."""
        return severities(self.lines)

    @property
    def monthly_usd(self) -> float:
        return round(sum(map(usd, self.lines)), 2)


def severities(lines: Iterable[Line]) -> dict[Severity, int]:
    """Severity -> how many, worst first; those that there are."""
    counts = dict.fromkeys(reversed(Severity), 0)
    for line in lines:
        counts[line.severity] += 1
    return {severity: count for severity, count in counts.items() if count}


def grouped(lines: Iterable[Line], by: By) -> list[Group]:
    """The group with the worst finding first, and of two, that with more of these."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(KEYS[by](line), []).append(line)
    made = [Group(key, _label(by, key, members), members) for key, members in groups.items()]
    return sorted(made, key=_place)


def _label(by: By, key: str, members: Sequence[Line]) -> str:
    if by is By.ACCOUNT:
        return account(members[0])
    return clean(key) or NOBODY


def _place(group: Group) -> tuple[Any, ...]:
    counts = group.by_severity
    return (*(-counts.get(severity, 0) for severity in reversed(Severity)), group.label, group.key)


def account(line: Line) -> str:
    """'acme-prod (123456789012)'."""
    return f"{clean(line.account_name)} ({line.account})" if line.account_name else line.account
