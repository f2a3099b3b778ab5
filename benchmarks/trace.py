"""What the scan asks of botocore: operation and parameters of every call to a member account."""

import pickle
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.client import BaseClient

Call = tuple[str, str, str, dict[str, Any]]
"""Service, region, operation, parameters."""

_made: list[tuple[str, Call]] = []
"""With the access key, which each target has of its own."""
_lock = Lock()


def install() -> None:
    original: Any = vars(BaseClient)["_make_api_call"]

    def make_api_call(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        signer = self._request_signer
        who = signer._credentials.get_frozen_credentials().access_key  # noqa: SLF001 (of the request's signer)
        call = (self.meta.service_model.service_name, self.meta.region_name, operation_name, dict(api_params))
        with _lock:
            _made.append((who, call))
        return original.__get__(self, type(self))(operation_name, api_params)  # tracing wrapped it

    setattr(BaseClient, "_make_api_call", make_api_call)  # noqa: B010 (mypy does not want a method to change)


def save(path: Path) -> None:
    """Batches by target, in the order in which the targets came."""
    batches: dict[str, list[Call]] = {}
    for who, call in _made:
        if who[4:16].isdigit():  # a member account
            batches.setdefault(who, []).append(call)
    path.write_bytes(pickle.dumps(list(batches.values())))
