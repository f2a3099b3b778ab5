"""One target of any size: seconds and memory of a worker that lists, judges and records it, twice.

    python -m benchmarks targets [--sizes SIZE ...]

EC2's answers are generated, and parsed by botocore; the table is on disk. So what is measured is the worker:
its peak memory (resident, of the whole process with Python and boto3) and its seconds. Every size runs in a
fresh process.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.disk_table import DiskTable
from benchmarks.fleet import Fleet
from benchmarks.took import peak_mib
from benchmarks.workshop import save, show
from orgscan import catalog
from orgscan.model import Category, Target
from orgscan.plan import Plan
from orgscan.settings import Configuration
from orgscan.store import FindingStore
from orgscan.work import Checkpoints, Worker

SIZES = (5_000, 50_000, 200_000)
COLUMNS = ("scan", "resources", "findings", "seconds", "s per 1,000", "peak MiB", "requests", "writes")
HERE = Target("123456789012", "eu-west-1")
CHECKS = catalog.everything().only({"ebs-volume-unencrypted", "ebs-volume-no-recent-snapshot"})


def run(sizes: Sequence[int] = SIZES) -> None:
    told = [json.loads(_alone(size)) for size in sizes]
    show(
        "one target: volumes and their snapshots",
        COLUMNS,
        (_row(size["resources"], scan) for size in told for scan in size["scans"]),
    )
    save("one_target", {"sizes": told})


def _row(resources: int, scan: Mapping[str, Any]) -> list[object]:
    return [
        scan["scan"],
        resources,
        scan["findings"],
        scan["seconds"],
        scan["seconds"] * 1000 / resources,
        scan["peak_mib"],
        scan["requests"],
        scan["writes"],
    ]


def _alone(size: int) -> str:
    command = [sys.executable, "-c", f"from benchmarks import one_target; one_target.measure({size})"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 (ourselves)


def measure(size: int) -> None:
    """Half volumes, half snapshots; more than every second volume has a finding."""
    fleet = Fleet(volumes=size // 2, snapshots=size // 2)
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        table = DiskTable(Path(folder) / "table")
        scans = [
            _scan(table, fleet, "first", "20260115T120000000Z-1"),
            _scan(table, fleet, "unchanged", "20260116T120000000Z-2"),
        ]
    sys.stdout.write(json.dumps({"resources": size, "scans": scans}))


def _scan(table: DiskTable, fleet: Fleet, name: str, scan: str) -> dict[str, Any]:
    plan = Plan(
        scan=scan,
        started=datetime(2026, 1, 15, 12, tzinfo=UTC).isoformat(),
        schedule="",
        notify=True,
        partition=HERE.partition,
        checks=tuple(CHECKS.ids()),
        skipped=(),
        accounts=1,
        planned=1,
        retiring=tuple(Category),
    )
    store: Any = table
    nowhere: Any = None  # nothing is put away: there is time enough
    worker = Worker(
        plan=plan,
        catalog=CHECKS,
        configuration=Configuration(),
        store=FindingStore(store),
        checkpoints=Checkpoints(nowhere, "", scan),
        enter=lambda _: fleet.clients(),
    )
    before, requests, began = table.writes, table.requests, time.monotonic()
    receipt = worker.scan(HERE, 0, lambda: float("inf"))
    assert receipt is not None  # noqa: S101 (nothing limits its time)
    return {
        "scan": name,
        "findings": sum(receipt.open.values()),
        "seconds": round(time.monotonic() - began, 2),
        "peak_mib": peak_mib(),
        "requests": table.requests - requests,
        "writes": table.writes - before,
    }
