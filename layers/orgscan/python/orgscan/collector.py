"""How a collector is declared: what it yields and every API call it may make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from orgscan.model import Resource, Target
from orgscan.session import Clients, declared

R = TypeVar("R", bound=Resource)
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Reader:
    """AWS as one collector may see it: one target, and only the calls it declared."""

    clients: Clients
    target: Target
    pool: ThreadPoolExecutor | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        return self.clients.get(service, region or self.target.api_region)

    def each(self, read: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Read side by side what costs one call per item; results in the items' order."""
        if self.pool is None:
            return map(read, items)
        contexts = [(copy_context(), item) for item in items]
        return self.pool.map(lambda pair: pair[0].run(read, pair[1]), contexts)


def tags_of(listed: Iterable[Mapping[str, object]] | None) -> dict[str, str]:
    """From AWS's list of Key and Value. {} for nothing: only of listings that do carry tags."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in listed or ()}


@dataclass(frozen=True, slots=True)
class Collector(Generic[R]):
    resource: type[R]
    calls: frozenset[str]
    once: bool
    collect: Callable[[Reader], Iterator[R]]

    @property
    def name(self) -> str:
        return self.collect.__name__.replace("_", "-")

    def read(self, clients: Clients, target: Target, pool: ThreadPoolExecutor | None = None) -> Iterator[R]:
        """Lazily, page by page. Raises what AWS raises, and `UndeclaredCall`."""
        with declared(self.calls):
            yield from self.collect(Reader(clients, target, pool))


def collector(
    resource: type[R], *, calls: tuple[str, ...], once: bool = False
) -> Callable[[Callable[[Reader], Iterator[R]]], Collector[R]]:
    """Declare a collector; `calls` is both its permission and its limit.

    `once`: the service is not regional, so its resources belong to the account's global target.
    """

    def declare(collect: Callable[[Reader], Iterator[R]]) -> Collector[R]:
        return Collector(resource, frozenset(calls), once, collect)

    return declare
