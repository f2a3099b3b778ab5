"""How a collector is declared: what it yields and every API call it may make."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from orgscan.errors import STOP, gap
from orgscan.model import Blindness, Gap, Resource, Target
from orgscan.secrets import hide, hide_named
from orgscan.session import Clients, declared
from orgscan.shape import misshapen

R = TypeVar("R", bound=Resource)
A = TypeVar("A")
B = TypeVar("B")
P_co = TypeVar("P_co", covariant=True)
LONG_AGO = datetime.fromtimestamp(0, UTC)


class Paginator(Protocol[P_co]):
    """One of botocore's, with the pages it gives."""

    @property
    def paginate(self) -> Callable[..., Iterable[P_co]]: ...


def words(*known: str) -> Mapping[str, str]:
    """What AWS may say, each for itself, of which we know what it means.

    Another one is a KeyError where it is read: it costs the item, instead of passing for one of the others.
    """
    return {each: each for each in known}


@dataclass(slots=True)
class Bookmark:
    """How far a collector has come: where the next invocation goes on when this one's time runs out."""

    listing: int = 0
    """How many of its listings it has finished."""
    token: Mapping[str, Any] = field(default_factory=dict)
    """What fetches the next page of the one it is in. {}: the first page."""


QUARTERS = 4


def _read(reads: Iterable[Callable[[], A]]) -> list[A]:
    return [read() for read in reads]


@dataclass(frozen=True, slots=True)
class Reader:
    """AWS as one collector may see it: one target, and only the calls it declared."""

    clients: Clients
    target: Target
    pool: ThreadPoolExecutor | None = None
    name: str = ""
    """The collector's."""
    now: datetime = LONG_AGO
    """When the scan started: for what AWS is asked about a span of time."""
    salt: str = ""
    """Of the digests that stand for secret values."""
    start: Bookmark = field(default_factory=Bookmark)
    turn: Callable[[Bookmark], None] = lambda _: None
    """Called between two pages, when all of the one before has been yielded; may raise to stop there."""
    spoil: Callable[[Gap], None] = lambda _: None
    """Called for what was listed and could not be read: the listing goes on, and is no longer whole."""
    _listings: list[Any] = field(default_factory=list)

    def client(self, service: str, region: str | None = None) -> Any:
        return self.clients.get(service, region or self.target.api_region)

    def pages(self, paginator: Paginator[P_co], **arguments: Any) -> Iterator[P_co]:
        """A listing whose pages can be fetched by different invocations.

        For a collector's outermost listings only, and only if what it yields of a page needs no other page.
        """
        number = len(self._listings)
        self._listings.append(paginator)
        if number < self.start.listing:
            return
        token = self.start.token if number == self.start.listing else {}
        # Not botocore's StartingToken: it empties all but the first list of the page it resumes.
        listing: Any = paginator.paginate(**arguments, **token)
        for page in listing:
            yield page
            # botocore keeps the way to the next page to itself.
            following = listing._get_next_token(page)  # noqa: SLF001
            token = {name: value for name, value in following.items() if value is not None}
            self.turn(Bookmark(number, token) if token else Bookmark(number + 1))

    def shaped(self, shape: Callable[[A], B | None], items: Iterable[A]) -> Iterator[B]:
        """What AWS's items are to us; None: nothing. One that makes no sense costs itself and no other."""
        for item in items:
            try:
                made = shape(item)
            except STOP:
                raise
            except Exception as error:  # noqa: BLE001 (whatever it is costs this resource and nothing else)
                self.spoil(gap(self.name, error))
            else:
                if made is not None:
                    yield made

    def each(self, read: Callable[[A], B | None], items: Iterable[A]) -> Iterator[B]:
        """`shaped`, read side by side: for what costs one call per item. Results in the items' order."""
        if self.pool is None:
            yield from self.shaped(read, items)
            return
        reading: list[Future[B | None]] = [self.pool.submit(copy_context().run, read, item) for item in items]
        try:
            yield from self.shaped(lambda item: item.result(), reading)
        finally:
            for each in reading:
                each.cancel()

    def quarters(self, reads: Sequence[Callable[[], A]]) -> list[A]:
        """What each of them returns, read by up to four threads as far as others are free: of one item."""
        if self.pool is None or not reads:
            return _read(reads)
        size = -(-len(reads) // QUARTERS)
        mine, *others = (reads[start : start + size] for start in range(0, len(reads), size))
        theirs = [self.pool.submit(copy_context().run, _read, part) for part in others]
        try:
            told = _read(mine)
            for part, each in zip(others, theirs, strict=True):
                # Threads of the pool ask this, too: none may wait for a turn that comes after its own.
                told += _read(part) if each.cancel() else each.result()
            return told
        finally:
            for each in theirs:
                each.cancel()

    def tags(self, listed: Iterable[Mapping[str, object]] | None) -> dict[str, str]:
        """From AWS's list of Key and Value, without what looks secret.

        {} for nothing: only of listings that do carry tags.
        """
        named = ((str(tag["Key"]), str(tag.get("Value", ""))) for tag in listed or ())
        return {hide(key): hide_named(key, value, salt=self.salt) for key, value in named}


@dataclass(frozen=True, slots=True)
class Collector(Generic[R]):
    resource: type[R]
    calls: frozenset[str]
    once: bool
    collect: Callable[[Reader], Iterator[R]]

    @property
    def name(self) -> str:
        return self.collect.__name__.replace("_", "-")

    def read(
        self, clients: Clients, target: Target, pool: ThreadPoolExecutor | None = None, **how: Any
    ) -> Generator[R]:
        """Lazily, page by page. Raises what AWS raises, and `UndeclaredCall`. `how`: more of the `Reader`.

        What holds other things than its class says costs itself, as what makes no sense.
        """
        with declared(self.calls):
            reader = Reader(clients, target, pool, self.name, **how)
            for resource in self.collect(reader):
                odd = misshapen(resource)
                if odd:
                    reader.spoil(Gap(self.name, Blindness.FAULT, odd))
                else:
                    yield resource


def collector(
    resource: type[R], *, calls: tuple[str, ...], once: bool = False
) -> Callable[[Callable[[Reader], Iterator[R]]], Collector[R]]:
    """Declare a collector; `calls` is both its permission and its limit.

    `once`: the service is not regional, so its resources belong to the account's global target.
    """

    def declare(collect: Callable[[Reader], Iterator[R]]) -> Collector[R]:
        return Collector(resource, frozenset(calls), once, collect)

    return declare
