"""Clients that outlive a target, and calls that know for whom they are made.

Making botocore's clients is the dearest thing that a worker does for a small target, and opening their
connections the next. So they are kept for the targets that follow, each of which gets twins of them. A twin
shares all that its original has, and says with every call for whom it is made: what signs, paces, counts and
limits a call asks the call. So none can carry another target's credentials, neither when two targets are
scanned at once nor when a thread outlives its target.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from botocore.credentials import Credentials

MOST_CLIENTS = 192
"""Of two regions, some seventy each, and of one service in all regions: targets come region by region, and
those of whole accounts look into every region for what is in it."""


class Caller(Protocol):
    """For whom calls are made, as what signs, paces and counts them needs to know it."""

    @property
    def credentials(self) -> Credentials: ...

    def turn(self, region: str, call: str) -> None: ...

    def measured(self, metrics: int) -> None: ...

    def refused(self, call: str) -> None: ...

    def renewed(self, used: str | None) -> bool: ...

    def worn(self, service: str, region: str) -> None: ...


Short = Callable[[str, dict[str, Any], Caller, Callable[[], Any]], Any]
"""Makes a call: operation, parameters, for whom, botocore's own way."""

_calling: ContextVar[Caller | None] = ContextVar("calling", default=None)


def calling() -> Caller | None:
    """For whom the call is made that this thread is in; None: for nobody, or by a client that is no twin."""
    return _calling.get()


class _Twin:
    """Comes before the class of a client, whose every call, also of paginators, goes through this method."""

    _caller: Caller
    _short: Short | None = None

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
        long = partial(cast("Any", super())._make_api_call, operation_name, api_params)
        before = _calling.set(self._caller)
        try:
            return self._short(operation_name, api_params, self._caller, long) if self._short else long()
        finally:
            _calling.reset(before)

    def get_paginator(self, operation_name: str) -> Any:
        """Botocore's, for which it makes a class with a text for people each time."""
        kept = self.__dict__.setdefault("_paginators", {})
        if operation_name not in kept:
            made = cast("Any", super()).get_paginator(operation_name)
            kept[operation_name] = type(made), made._pagination_cfg, made._model
        kind, pages, model = kept[operation_name]
        return kind(getattr(self, operation_name), pages, model)


@cache
def _twins(of: type) -> Any:
    return type(of.__name__, (_Twin, of), {})


def shortened(client: Any, short: Short) -> Any:
    """The same client, whose twins make their calls another way."""
    client._short, client._paginators = short, {}
    return client


def twin(client: Any, caller: Caller) -> Any:
    """Not `copy`: it would ask the new client, before it has anything, whether it has a way to be copied."""
    kind: type = type(client)
    made: Any = object.__new__(_twins(kind))
    vars(made).update(vars(client), _caller=caller)
    return made


class Warm:
    """Clients by region and service, made when first asked for; safe to share between threads.

    They remember what they were refused: attempts that botocore will no longer repeat, or will make more
    slowly. Whoever meets with that has the client dropped, so that the next target begins afresh.
    """

    def __init__(self, make: Callable[[str, str], Any], *, most: int = MOST_CLIENTS) -> None:
        """`make`: (service, region) -> a client; `most`: clients that are kept."""
        self._make = make
        self._most = most
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = Lock()

    def get(self, service: str, region: str) -> Any:
        key = service, region
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                self._kept[key] = self._make(service, region)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def drop(self, service: str, region: str) -> None:
        with self._lock:
            self._kept.pop((service, region), None)
