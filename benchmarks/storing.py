"""The store at the wire: one target with very many findings, recorded three times.

First all is new, then nothing has changed, then one finding in a hundred is gone and another is there.
The table is on disk (benchmarks/wire_table.py), requests are signed and answers parsed.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.organization import ENVIRONMENT
from benchmarks.recording import ROOT
from benchmarks.took import cpu_s, peak_mib
from benchmarks.wire import Wire
from benchmarks.workshop import save, show
from orgscan import catalog, session
from orgscan.coverage import Coverage, Look
from orgscan.model import Finding, Target
from orgscan.reconcile import place
from orgscan.store import FindingStore

FINDINGS = 10_000
CHANGED = 100
"""Of so many findings one changes."""
HERE = Target("123456789012", "eu-west-1")
COLUMNS = ("", "findings", "seconds", "CPU s", "items written", "requests", "of them reads", "peak MiB")


def run() -> None:
    code = f"from benchmarks import storing; storing.measure({FINDINGS})"
    done = subprocess.run(  # noqa: S603 (ourselves)
        [sys.executable, "-c", code],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
    )
    scans = json.loads(done.stdout)
    show(
        "the store, one target",
        COLUMNS,
        (
            [
                scan["scan"],
                *(scan[name] for name in ("findings", "seconds", "cpu", "written", "requests")),
                scan["reads"],
                scan["peak_mib"],
            ]
            for scan in scans
        ),
    )
    save("store", {"scans": scans})


def measure(count: int) -> None:
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        wire = Wire(Path(folder), 1, 1)
        wire.connect()
        written = _counting(wire)
        store = FindingStore(session.here().table("findings"))
        last = count + count // CHANGED
        scans = []
        for day, (name, first) in enumerate((("all new", 0), ("unchanged", 0), ("1% changed", last - count))):
            look = _look(first, first + count)
            before, asked, began, cpu = written.copy(), wire.asked.copy(), time.monotonic(), cpu_s()
            with wire.table:
                receipt = store.record(
                    f"2026011{day}T060000000Z-{day}", f"2026-01-1{day}T06:00:00+00:00", look
                )
            requests = wire.asked - asked
            scans.append(
                {
                    "scan": name,
                    "findings": sum(receipt.open.values()),
                    "seconds": time.monotonic() - began,
                    "cpu": cpu_s() - cpu,
                    "written": (written - before).total(),
                    "requests": requests.total(),
                    "reads": requests["Query"] + requests["GetItem"],
                    "by_operation": dict(requests),
                    "peak_mib": peak_mib(),
                }
            )
    sys.stdout.write(json.dumps(scans))


def _counting(wire: Wire) -> Counter[str]:
    """Items written from now on, by how."""
    written: Counter[str] = Counter()
    answer = wire.table.answer

    def counted(operation: str, told: Mapping[str, Any]) -> tuple[int, str]:
        if operation in ("PutItem", "UpdateItem"):
            written[operation] += 1
        for each in told.get("TransactItems", ()):
            written.update(kind for kind in each if kind != "ConditionCheck")
        return answer(operation, told)

    setattr(wire.table, "answer", counted)  # noqa: B010 (mypy does not want a method to change)
    return written


def _look(first: int, last: int) -> Look:
    """Findings about volumes with these numbers, and nothing else."""
    checks = {check.id: check for check in catalog.checks()}
    check = checks["ebs-volume-unencrypted"]
    model = Finding(
        check.id,
        check.severity,
        check.category,
        HERE,
        "",
        ("the volume is not encrypted",),
        tags={"Name": "volume", "owner": "payments"},
    )
    arns = [HERE.arn("ec2", f"volume/vol-{number:017}") for number in range(first, last)]
    found = [replace(model, resource=arn) for arn in arns]
    coverage = Coverage(target=HERE, planned=frozenset({check.id}), gaps={}, listed=frozenset({check.id}))
    return Look(tuple(sorted(found, key=place)), coverage)
