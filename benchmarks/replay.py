"""Calls that a scan made, made again: a batch for each target, as many calls at once. For scripts."""

import json
import pickle
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.took import cpu_s, peak_mib

Ask = Callable[[str, str, str, dict[str, Any]], object]
"""Service, region, operation, parameters."""


def told() -> Mapping[str, Any]:
    """What the script was started with."""
    values: Mapping[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    return values


def replay(told: Mapping[str, Any], begin: Callable[[], Callable[[str], Ask]]) -> None:
    """`begin`: a way into accounts. Both are measured, and what it took is written down."""
    batches = pickle.loads(Path(told["batches"]).read_bytes())  # noqa: S301 (our own)
    began, cpu = time.monotonic(), cpu_s()
    enter = begin()
    with ThreadPoolExecutor(told["at_once"]) as pool:
        for account, batch in zip(told["accounts"], batches, strict=True):
            ask = enter(account)
            for done in [pool.submit(copy_context().run, _asked, ask, call) for call in batch]:
                done.result()
    result = {
        "seconds": time.monotonic() - began,
        "cpu": cpu_s() - cpu,
        "peak_mib": peak_mib(),
        "calls": sum(map(len, batches)),
    }
    Path(told["result"]).write_text(json.dumps(result))


def _asked(ask: Ask, call: tuple[str, str, str, dict[str, Any]]) -> None:
    try:
        ask(*call)
    except ClientError:
        return  # is an answer too
