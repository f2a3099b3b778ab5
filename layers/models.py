"""botocore's models without what nobody calls or reads: most of what a function loads before its first call.

EC2's alone has 700 operations, of which a scan makes thirty.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

MODEL, RULES = "service-2.json", "endpoint-rule-set-1.json"
FOR_PEOPLE = {"documentation", "documentationUrl", "examples"}
UNUSED = ("examples-1.*", "waiters-2.*", "service-2.*", "*.gz")
"""Files. What is written again is not compressed, since Lambda's layers are."""


def slim(service: Path, operations: Collection[str]) -> str:
    """Leave of a service's data its newest version, and of its model these operations; none means all.

    Returns the name that the service's endpoints have.
    """
    loader = Loader(extra_search_paths=[str(service.parent)], include_default_search_paths=False)
    *older, newest = sorted(each for each in service.iterdir() if each.is_dir())
    # With what botocore itself adds to a model, from other files: of some shapes that is a part only.
    model = loader.load_service_model(service.name, "service-2")
    rules = loader.load_service_model(service.name, "endpoint-rule-set-1")
    for version in older:
        shutil.rmtree(version)
    for pattern in UNUSED:
        for file in newest.glob(pattern):
            file.unlink()
    (newest / MODEL).write_bytes(_json(only(model, operations)))
    (newest / RULES).write_bytes(_json(rules))
    return str(model["metadata"]["endpointPrefix"])


def slim_endpoints(file: Path, prefixes: Collection[str]) -> None:
    """Leave of `endpoints.json`, which every process reads whole, the services that have these endpoints."""
    file.write_bytes(_json(only_endpoints(json.loads(file.read_bytes()), prefixes)))


def only_endpoints(told: Mapping[str, Any], prefixes: Collection[str]) -> dict[str, Any]:
    """Partitions and their regions stay."""
    return {
        **told,
        "partitions": [
            {
                **partition,
                "services": {name: each for name, each in partition["services"].items() if name in prefixes},
            }
            for partition in told["partitions"]
        ],
    }


def only(model: Mapping[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """The model of these operations and of the shapes they reach. Raises KeyError for one it has not."""
    kept = {name: model["operations"][name] for name in sorted(operations or model["operations"])}
    shapes = model["shapes"]
    return {
        **_terse(model),
        "operations": {name: _terse_operation(operation) for name, operation in kept.items()},
        "shapes": {name: _terse_shape(shapes[name]) for name in sorted(set(_reached(kept, shapes)))},
    }


def _reached(operations: Mapping[str, Any], shapes: Mapping[str, Any]) -> Iterator[str]:
    waiting = [ref["shape"] for each in operations.values() for ref in _of_operation(each)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [ref["shape"] for ref in _of_shape(shapes[name])]


def _of_operation(operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (operation[name] for name in ("input", "output") if name in operation)
    yield from operation.get("errors", ())


def _of_shape(shape: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from shape.get("members", {}).values()
    yield from (shape[name] for name in ("member", "key", "value") if name in shape)


def _terse(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in FOR_PEOPLE}


def _terse_operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    told = _terse(operation)
    for name in ("input", "output"):
        if name in told:
            told[name] = _terse(told[name])
    if "errors" in told:
        told["errors"] = [_terse(each) for each in told["errors"]]
    return told


def _terse_shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    """A member may be called 'documentation'; what is said of it is for people all the same."""
    told = _terse(shape)
    if "members" in told:
        told["members"] = {name: _terse(ref) for name, ref in told["members"].items()}
    for name in ("member", "key", "value"):
        if name in told:
            told[name] = _terse(told[name])
    return told


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
