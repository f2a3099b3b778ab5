"""Work that may never come back, done aside."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """A thread that works for whoever asks, one thing at a time. One that hangs is left to itself.

    Starting a thread for every check is most of what judging a small target costs.
    """

    def __init__(self) -> None:
        self._thread: _Worker[T] | None = None

    def within(self, seconds: float, work: Callable[[], T]) -> T | None:
        """What the work comes to, or None when it does not end in time, or ends its thread."""
        thread = self._thread = self._thread or _Worker()
        thread.tasks.put(work)
        try:
            (result,) = thread.results.get(timeout=seconds)
        except (Empty, ValueError):
            self.close()
            return None
        return result

    def close(self) -> None:
        """The thread ends when it comes back."""
        if self._thread:
            self._thread.tasks.put(None)
        self._thread = None


class _Worker(Generic[T]):
    def __init__(self) -> None:
        self.tasks: SimpleQueue[Callable[[], T] | None] = SimpleQueue()
        self.results: SimpleQueue[tuple[T, ...]] = SimpleQueue()
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while work := self.tasks.get():
            result: tuple[T, ...] = ()
            try:
                result = (work(),)
            finally:
                self.results.put(result)
