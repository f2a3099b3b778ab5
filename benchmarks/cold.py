"""A cold start: from a process that begins to its first request, and what Lambda has to fetch before.

Lambda gets sources without bytecode, and cannot write any: each cold start compiles what it imports. So it is
measured without and, for comparison, with bytecode.
"""

import time
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.recorder import load
from benchmarks.recording import ROOT
from benchmarks.workshop import SHOWN, UNPACED, Bench, middle, save, show

COLUMNS = ("", "bytecode", "first request s", "first member request s", "CPU s to it", "peak MiB")
PARTS = (
    ("dependencies layer", ROOT / "build" / "layers" / "dependencies"),
    ("library layer", ROOT / "layers" / "orgscan"),
    ("handlers", ROOT / "functions"),
)
VCPU_MIB = 1769
"""With so much memory Lambda gives a function one vCPU, and with less a part of it."""


def run(*, rounds: int, tls: bool) -> None:
    recording = load(say=SHOWN.print)
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        bench = Bench(recording, Path(folder), tls)
        measured: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
        for _ in range(rounds):
            for bytecode in (False, True):
                for way in ("orgscan", "boto3, client of ec2"):
                    measured.setdefault((way, bytecode), []).append(_started(bench, way, bytecode=bytecode))
    rows = [
        {"way": way, "bytecode": bytecode, **middle(found, "first", "first_member", "cpu", "peak_mib")}
        for (way, bytecode), found in measured.items()
    ]
    show(f"cold start; medians of {rounds}", COLUMNS, ([*_told(row)] for row in rows))
    sizes = list(_sizes())
    show(
        "what Lambda fetches",
        ("", "files", "unzipped KiB", "zipped KiB"),
        ([each["part"], each["files"], each["bytes"] // 1024, each["zipped"] // 1024] for each in sizes),
    )
    save("cold", {"rounds": rounds, "rows": rows, "sizes": sizes, "memory_mib": recording.memory_mib})


def _told(row: Mapping[str, Any]) -> Iterator[object]:
    yield row["way"]
    yield "yes" if row["bytecode"] else "no"
    yield from (row[name] for name in ("first", "first_member", "cpu", "peak_mib"))


def _started(bench: Bench, way: str, *, bytecode: bool) -> Mapping[str, Any]:
    """Seconds from the beginning of the process to what the server saw first."""
    target = bench.recording.targets[0]
    with bench.serving() as aws:
        code = bench.deploy("unpaced", polite=UNPACED)
        more: dict[str, Any]
        if way == "orgscan":
            script = "worker"
            more = {
                "scan": bench.recording.scan,
                "memory_mib": bench.recording.memory_mib,
                "targets": [target],
            }
        else:
            script, more = "first_call", {"member": target["account"]}
        began = time.monotonic()
        took = bench.run(script, code, aws, bytecode=bytecode, **more)
        asked = aws.told()
    return {
        "first": asked["first"] - began,
        "first_member": asked["first_member"] - began,
        "cpu": took["connected"][0],
        "peak_mib": took["peak_mib"],
    }


def _sizes() -> Iterator[Mapping[str, Any]]:
    """Without bytecode, as the stack packs them."""
    for part, folder in PARTS:
        files = [
            path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.name != ".built"
        ]
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
        yield {
            "part": part,
            "files": len(files),
            "bytes": sum(path.stat().st_size for path in files),
            "zipped": len(packed.getvalue()),
        }
