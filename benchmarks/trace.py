"""What the scan asks of botocore: operation and parameters of every call to a member account."""

import pickle
from pathlib import Path
from threading import Lock
from typing import Any

from orgscan.warm import _Twin

Call = tuple[str, str, str, dict[str, Any]]
"""Service, region, operation, parameters."""

_made: list[tuple[str, Call]] = []
"""With the access key, which each target has of its own."""
_lock = Lock()


def install() -> None:
    """The way that all calls of the scan's clients go, also those that go no further by botocore's."""
    twin: Any = _Twin
    original = vars(twin)["_make_api_call"]

    def make_api_call(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        who = self._caller.credentials.get_frozen_credentials().access_key
        call = (self.meta.service_model.service_name, self.meta.region_name, operation_name, dict(api_params))
        with _lock:
            _made.append((who, call))
        return original(self, operation_name, api_params)

    twin._make_api_call = make_api_call  # noqa: SLF001


def save(path: Path) -> None:
    """Batches by target, in the order in which the targets came."""
    batches: dict[str, list[Call]] = {}
    for who, call in _made:
        if who[4:16].isdigit():  # a member account
            batches.setdefault(who, []).append(call)
    path.write_bytes(pickle.dumps(list(batches.values())))
