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
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from botocore.credentials import Credentials

MOST_REGIONS = 3
"""Whose clients are kept: targets come region by region, and what an account has once is asked in few."""


class Caller(Protocol):
    """For whom calls are made, as what signs, paces and counts them needs to know it."""

    @property
    def credentials(self) -> Credentials: ...

    def turn(self, region: str, call: str) -> None: ...

    def measured(self, metrics: int) -> None: ...

    def refused(self, call: str) -> None: ...

    def renewed(self, used: str | None) -> bool: ...

    def worn(self, service: str, region: str) -> None: ...


_calling: ContextVar[Caller | None] = ContextVar("calling", default=None)


def calling() -> Caller | None:
    """For whom the call is made that this thread is in; None: for nobody, or by a client that is no twin."""
    return _calling.get()


class _Twin:
    """Comes before the class of a client, whose every call, also of paginators, goes through this method."""

    _caller: Caller

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
        before = _calling.set(self._caller)
        try:
            return cast("Any", super())._make_api_call(operation_name, api_params)  # noqa: SLF001 (own)
        finally:
            _calling.reset(before)


@cache
def _twins(of: type) -> Any:
    return type(of.__name__, (_Twin, of), {})


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

    def __init__(self, make: Callable[[str, str], Any], *, most: int = MOST_REGIONS) -> None:
        """`make`: (service, region) -> a client; `most`: regions whose clients are kept."""
        self._make = make
        self._most = most
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, service: str, region: str) -> Any:
        with self._lock:
            of_region = self._kept.setdefault(region, {})
            self._kept.move_to_end(region)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            if service not in of_region:
                of_region[service] = self._make(service, region)
            return of_region[service]

    def drop(self, service: str, region: str) -> None:
        with self._lock:
            self._kept.get(region, {}).pop(service, None)
