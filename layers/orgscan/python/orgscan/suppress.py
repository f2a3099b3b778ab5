"""Suppressions: findings that somebody decided to live with, until a date. Pure; orgscan.yaml holds them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import translate
from functools import cache
from hashlib import sha256
from heapq import merge
from itertools import product
from typing import TypeAlias

from orgscan.model import Finding

EXPIRING_DAYS = 7
"""Days before its last one from which on a rule is announced: time to fix the fault or prolong the rule."""
LONGEST_DAYS = 365
"""Days from today to the last one. What is accepted for longer is accepted again, by whoever is there."""
KEY_DIGITS = 12
"""Hexadecimal, 48 bits: that two of a thousand rules share a key happens once in 500 million times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A rule. What it names must all hold, and each name is exact: it never means a longer one."""

    reason: str
    owner: str
    expires: date
    """The last day on which it holds, UTC."""
    check: str = ""
    account: str = ""
    region: str = ""
    resource: str = ""
    """An ARN."""
    resource_glob: str = ""
    """Of ARNs. `*` is anything, `/` and `:` too, `?` any character; all others are themselves, even `[`."""
    tag: tuple[str, str] | None = None
    """Key and value, as they are spelled. A resource whose tags were not read does not carry it."""

    @property
    def key(self) -> str:
        """An id for what it matches: prolonging a rule, or giving it to another owner, keeps it."""
        names = ("check", "account", "region", "resource", "resource_glob", "tag")
        given = {name: getattr(self, name) for name in names if getattr(self, name)}
        return sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:KEY_DIGITS]

    @property
    def what(self) -> str:
        """What it matches, on one line and for people."""
        resource = self.resource or self.resource_glob
        place = " ".join(filter(None, (self.account, self.region)))
        on = f" on {resource}" if resource else ""
        inside = f" in {place}" if place else ""
        tag = f", tag {'='.join(self.tag)}" if self.tag else ""
        return f"{self.check or 'every check'}{on}{inside}{tag}"

    def days(self, now: datetime) -> int:
        """From today to its last day, UTC: 0 on that day, negative once it has expired."""
        return (self.expires - now.astimezone(UTC).date()).days

    def holds(self, now: datetime) -> bool:
        """Until 00:00:00 UTC of the day after its last one."""
        return self.days(now) >= 0

    def expiring(self, now: datetime) -> bool:
        """It holds, and its last day is at most `EXPIRING_DAYS` away."""
        return 0 <= self.days(now) <= EXPIRING_DAYS

    def expired(self, now: datetime) -> bool:
        return not self.holds(now)

    def covers(self, finding: Finding) -> bool:
        """Whether it matches, expired or not."""
        return (
            self.check in ("", finding.check)
            and self.account in ("", finding.target.account)
            and self.region in ("", finding.target.region)
            and self.resource in ("", finding.resource)
            and (not self.resource_glob or _pattern(self.resource_glob).match(finding.resource) is not None)
            and (self.tag is None or _carries(finding, *self.tag))
        )


def _carries(finding: Finding, key: str, value: str) -> bool:
    return finding.tags is not None and key in finding.tags and finding.tags[key] == value


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """Never slow, however many stars: `translate` writes groups that do not backtrack."""
    return re.compile(translate(glob.replace("[", "[[]")))


Place: TypeAlias = tuple[str, str, str]
"""Check, account, resource: what most rules name. Empty for what one does not."""


class Index:
    """Rules by what they name exactly, so that a finding is compared with few, however many there are."""

    def __init__(self, rules: Iterable[Suppression]) -> None:
        self._places: dict[Place, list[tuple[int, Suppression]]] = defaultdict(list)
        for number, rule in enumerate(rules):
            self._places[rule.check, rule.account, rule.resource].append((number, rule))

    def covering(self, finding: Finding) -> Iterator[Suppression]:
        """Every rule that covers a finding, in the order in which they were written."""
        if not self._places:
            return
        places = {*product(("", finding.check), ("", finding.target.account), ("", finding.resource))}
        near = [self._places[place] for place in places if place in self._places]
        # Numbers are unique: rules themselves are never compared.
        yield from (rule for _, rule in merge(*near) if rule.covers(finding))


class Suppressions:
    """The rules of one scan; finding the one that covers a finding costs little however many there are."""

    def __init__(self, rules: Iterable[Suppression], now: datetime) -> None:
        holding = [rule for rule in rules if rule.holds(now)]
        self._index = Index(holding)
        self._keys = {rule.key for rule in holding}

    def of(self, finding: Finding) -> Suppression | None:
        """The first in force that covers it."""
        return next(self._index.covering(finding), None)

    def in_force(self, key: str) -> bool:
        """Whether there is a rule with this key, and it holds now."""
        return key in self._keys
