"""Who hears of what. A finding reaches the first route that wants it, and every route that takes copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import cache
from typing import Protocol

from orgscan.model import Category, Finding, Owner, Severity, Target
from orgscan.owners import owner_of
from orgscan.settings import Route


class Routed(Protocol):
    """Whatever of a finding decides whom it reaches."""

    @property
    def severity(self) -> Severity: ...

    @property
    def category(self) -> Category: ...

    @property
    def owner(self) -> Owner: ...


class Routing:
    def __init__(self, routes: Iterable[Route] = (), owner_tags: Sequence[str] = ("Owner",)) -> None:
        """`owner_tags`: keys of the tags that name owners, best first."""
        routes, self._owner_tags = tuple(routes), owner_tags
        self.names = tuple(route.name for route in routes)
        self._first = [route for route in routes if not route.copy]
        self._copies = [route for route in routes if route.copy]

    def of(self, finding: Routed, target: Target) -> Sequence[str]:
        """Names of routes; empty when nobody asked for it. `target`: as planned now, with its units."""
        first = next((route for route in self._first if wants(route, finding, target)), None)
        copies = [route.name for route in self._copies if wants(route, finding, target)]
        return [first.name, *copies] if first else copies

    def owner(self, finding: Finding, target: Target) -> Owner:
        """Who answers for it: its own tag's word, or else its account's."""
        return owner_of(finding.tags, target.owner, self._owner_tags)


def wants(route: Route, finding: Routed, target: Target) -> bool:
    return (
        finding.severity.rank >= route.minimum_severity.rank
        and (not route.categories or finding.category in route.categories)
        and within(route, target)
        and owns(route, finding.owner.name)
    )


def concerns(route: Route, target: Target) -> bool:
    """Whether a route hears of what could not be seen in a target: nothing there has an owner of its own."""
    return within(route, target) and owns(route, target.owner.name)


def within(route: Route, target: Target) -> bool:
    """Whether its accounts and units hold the target. An account whose units nobody knows is in none."""
    return about(route, target.account) and (not route.ous or not {*route.ous}.isdisjoint(target.ous))


def about(route: Route, account: str) -> bool:
    return not route.accounts or account in route.accounts


def owns(route: Route, owner: str) -> bool:
    """`owner`: a name; empty: nobody's."""
    return not route.owners or any(_glob(each).fullmatch(owner.casefold()) for each in route.owners)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` and `?` alone mean more than themselves, in any case."""
    return re.compile(translate(pattern.casefold().replace("[", "[[]")))
