"""Threads that outlive a target, unless one hangs: of a small one's work, a tenth is to start them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Pool(ThreadPoolExecutor):
    """Knows whether everything that it was asked for has ended."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self._open = 0
        self._counting = Lock()

    @property
    def idle(self) -> bool:
        with self._counting:
            return not self._open

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        with self._counting:
            self._open += 1
        asked = super().submit(self._counted, fn, *args, **kwargs)
        asked.add_done_callback(self._cancelled)
        return asked

    def _counted(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return fn(*args, **kwargs)
        finally:
            self._end()  # before anybody learns of it

    def _cancelled(self, asked: Future[R]) -> None:
        if asked.cancelled():
            self._end()

    def _end(self) -> None:
        with self._counting:
            self._open -= 1


_spare: dict[tuple[int, ...], list[tuple[Pool, ...]]] = defaultdict(list)
_lock = Lock()


@contextmanager
def pools(*workers: int) -> Iterator[tuple[Pool, ...]]:
    """Pools of so many threads, for nobody else meanwhile. What still runs at the end is not waited for."""
    with _lock:
        taken = _spare[workers].pop() if _spare[workers] else tuple(map(Pool, workers))
    try:
        yield taken
    finally:
        if all(each.idle for each in taken):
            with _lock:
                _spare[workers].append(taken)
        else:
            for each in taken:
                each.shutdown(wait=False, cancel_futures=True)
