"""The same calls by orgscan's clients alone: what is answered is parsed and thrown away.

    python -S -P asking.py TOLD.json

TOLD: as of plain.py. Nothing is paced, judged or stored; so it is what plain.py does, another way.
"""

import json
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.dial import redirect
from benchmarks.took import cpu_s, peak_mib
from orgscan import session

UNPACED = 0.000001


def call(clients: Any, service: str, region: str, operation: str, parameters: dict[str, Any]) -> None:
    try:
        where = None if region == "aws-global" else region
        clients.get(service, where)._make_api_call(operation, parameters)  # noqa: SLF001 (as plain.py)
    except ClientError:
        return  # is an answer too


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    redirect(told["port"], told["certificate"])
    batches = pickle.loads(Path(told["batches"]).read_bytes())  # noqa: S301 (our own)
    every = {f"{service}:{operation}" for batch in batches for service, _, operation, _ in batch}
    began, cpu, calls = time.monotonic(), cpu_s(), 0
    home = session.here()
    kept = session.keep(home)
    with ThreadPoolExecutor(told["at_once"]) as pool, session.declared(every):
        for account, batch in zip(told["accounts"], batches, strict=True):
            clients = session.assume(
                home,
                account,
                role=told["role"],
                external_id=None,
                session_name="asking",
                polite=UNPACED,
                kept=kept,
            )
            for done in [pool.submit(copy_context().run, call, clients, *each) for each in batch]:
                done.result()
            calls += len(batch)
    result = {
        "seconds": time.monotonic() - began,
        "cpu": cpu_s() - cpu,
        "peak_mib": peak_mib(),
        "calls": calls,
    }
    Path(told["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
