"""The scan function as Lambda runs it: one warm process, target after target. A script; see scanning.py.

    python -S -P worker.py TOLD.json        # on PYTHONPATH: handlers, layers, and this folder's parent

TOLD: port, certificate, scan, memory_mib, targets, result. What it took is written to `result`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.took import cpu_s, peak_mib

LASTS_S = 900


class Context:
    function_name = "orgscan-scan"
    function_version = "$LATEST"
    invoked_function_arn = "arn:invented"
    aws_request_id = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"

    def __init__(self, memory_mib: int) -> None:
        self.memory_limit_in_mb = str(memory_mib)
        self._ends = time.monotonic() + LASTS_S

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    began, cpu = time.monotonic(), cpu_s()
    from benchmarks.dial import CONNECTED, redirect  # noqa: PLC0415 (imports botocore, which is to be measured)

    redirect(told["port"], told["certificate"])
    import scan  # noqa: PLC0415 (likewise)

    init = {"seconds": time.monotonic() - began, "cpu": cpu_s() - cpu}
    if told.get("trace"):
        from benchmarks import trace  # noqa: PLC0415 (nobody else shall have it)

        trace.install()
    began, cpu = time.monotonic(), cpu_s()
    took = [_scanned(scan.handler, told, target) for target in told["targets"]]
    result: dict[str, Any] = {
        "init": init,
        "connected": CONNECTED,
        "seconds": time.monotonic() - began,
        "cpu": cpu_s() - cpu,
        "peak_mib": peak_mib(),
        "targets": took,
    }
    Path(told["result"]).write_text(json.dumps(result))
    if told.get("trace"):
        trace.save(Path(told["trace"]))


def _scanned(handler: Any, told: Any, target: Any) -> Any:
    event = {"scan": told["scan"], "target": target, "part": 0}
    began, cpu, done = time.monotonic(), cpu_s(), False
    while not done:
        event = handler(event, Context(told["memory_mib"]))
        done = event.pop("done")
    return {
        "target": f"{target['account']}/{target['region']}",
        "seconds": time.monotonic() - began,
        "cpu": cpu_s() - cpu,
    }


if __name__ == "__main__":
    main()
