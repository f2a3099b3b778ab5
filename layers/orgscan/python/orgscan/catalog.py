"""Everything that is declared, found by looking: there is no registry to keep in step."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Self, TypeVar

from orgscan import metrics, regions, services
from orgscan.check import Check
from orgscan.collector import Collector
from orgscan.model import Resource

T = TypeVar("T")
AnyCheck = Check[Any]
AnyCollector = Collector[Any]


@dataclass(frozen=True)
class Catalog:
    """Some checks, and the collectors that can serve them."""

    checks: tuple[AnyCheck, ...]
    collectors: tuple[AnyCollector, ...]

    @cached_property
    def _parts(self) -> dict[frozenset[str], Self]:
        return {}

    @cached_property
    def _judged(self) -> dict[tuple[type[Resource], bool], tuple[type[Resource], ...]]:
        return {}

    def only(self, ids: Iterable[str]) -> Self:
        """The same one for the same ids: each target of a scan asks for it, and what it knows is kept."""
        kept = frozenset(ids)
        if kept not in self._parts:
            self._parts[kept] = replace(self, checks=tuple(each for each in self.checks if each.id in kept))
        return self._parts[kept]

    def ids(self, *, without: Container[str] = ()) -> frozenset[str]:
        return frozenset(check.id for check in self.checks if check.id not in without)

    def renamed(self) -> dict[str, str]:
        """Earlier id of a check -> its id."""
        return {earlier: check.id for check in self.checks for earlier in check.was}

    def planned(self, *, once: bool) -> tuple[AnyCheck, ...]:
        """The checks that a global (`once`) or a regional target must answer for."""
        return tuple(check for check in self.checks if self.judged(check, once=once))

    def judged(self, check: AnyCheck, *, once: bool) -> tuple[type[Resource], ...]:
        """The kinds a check judges in such a target: its own, and those derived from it."""
        key = check.resource, once
        if key not in self._judged:
            self._judged[key] = tuple(
                collector.resource
                for collector in self.collectors
                if collector.once == once and issubclass(collector.resource, check.resource)
            )
        return self._judged[key]

    def needed(self, *, once: bool) -> tuple[AnyCollector, ...]:
        """The collectors whose resources the planned checks judge or look at."""
        kinds = {
            kind
            for check in self.planned(once=once)
            for kind in (*self.judged(check, once=once), *check.also)
        }
        return tuple(collector for collector in self.collectors if collector.resource in kinds)

    def listed(self, *, once: bool) -> tuple[type[Resource], ...]:
        """The kinds of which such a target's inventory tells: of what it collects, what belongs to it."""
        own = (collector for collector in self.needed(once=once) if collector.once == once)
        return tuple(collector.resource for collector in own if collector.resource.aws_types)


@cache
def everything() -> Catalog:
    return Catalog(checks(), collectors())


@cache
def checks() -> tuple[AnyCheck, ...]:
    """All checks, by id."""
    return tuple(sorted(_declared(Check, in_modules_named="checks"), key=lambda check: check.id))


@cache
def collectors() -> tuple[AnyCollector, ...]:
    return tuple(sorted(_declared(Collector, in_modules_named="collect"), key=lambda each: each.name))


def calls() -> frozenset[str]:
    """Every API call orgscan makes in a member account."""
    return frozenset((*regions.CALLS, *metrics.CALLS)).union(*(each.calls for each in collectors()))


def _declared(kind: type[T], *, in_modules_named: str) -> Iterator[T]:
    for module in walk_packages(services.__path__, f"{services.__name__}."):
        _, _, path = module.name.partition("services.")
        if in_modules_named in path.split(".")[1:]:
            for value in vars(import_module(module.name)).values():
                if isinstance(value, kind) and _home(value) == module.name:
                    yield value


def _home(declared: object) -> str:
    """The module that declares it, not one that imports it."""
    function = declared.problems if isinstance(declared, Check) else getattr(declared, "collect")  # noqa: B009
    return str(function.__module__)
