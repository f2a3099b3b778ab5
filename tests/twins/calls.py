"""What all twins share: errors, and calls that are counted and can be met."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Hook = Callable[[str, Mapping[str, Any]], None]
"""Gets the name of a writing call, and its arguments."""


def refusal(code: str, message: str = "", operation: str = "", **more: Any) -> ClientError:
    """As botocore raises what AWS answered."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer | more, operation)


def accepts(what: str, call: Mapping[str, Any], needs: set[str], may_have: Iterable[str] = ()) -> None:
    if not needs <= call.keys() <= needs.union(may_have):
        raise NotImplementedError(f"{what} with {sorted(call)}")


class Watched:
    """A client whose calls are counted, and whose writes can be met."""

    def __init__(self) -> None:
        self.reads = 0
        """Calls, whatever came of them."""
        self.writes = 0
        self.before: Hook | None = None
        """Called before a write does anything. What it raises, the write raises."""
        self.after: Hook | None = None
        """Called when a write has taken effect, and before its caller hears of it."""

    def _starts(self, name: str, call: Mapping[str, Any]) -> None:
        if self.before:
            self.before(name, call)
        self.writes += 1

    def _ends(self, name: str, call: Mapping[str, Any]) -> None:
        if self.after:
            self.after(name, call)
