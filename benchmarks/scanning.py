"""The scan function, unpatched, against a served AWS; beside it the least that its calls can take.

    python -m benchmarks one|fleet [--rounds N] [--latency MS ...] [--workers N]

Each figure is the median of fresh processes, which take turns: the function as it is shipped, the function
without its pace, and the same calls as bare bytes (benchmarks/bare.py), all of a target at once and in the
order in which they must be made (benchmarks/order.py), by the function's clients alone (benchmarks/asking.py)
and by plain boto3 (benchmarks/plain.py).
"""

import pickle
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.order import in_order
from benchmarks.recorder import load
from benchmarks.recording import Recording
from benchmarks.workshop import SHOWN, UNPACED, Bench, check, middle, save, show
from orgscan.gather import CALLS_AT_ONCE, COLLECTORS_AT_ONCE
from orgscan.model import GLOBAL

AT_ONCE = COLLECTORS_AT_ONCE + CALLS_AT_ONCE
"""Threads of the scan that may wait for an answer at the same time."""
SHIPPED, UNPACED_SCAN, BARE, PLAIN = "orgscan", "orgscan, no pace", "bare calls", "plain boto3"
ORDERED = "bare calls in order"
ASKING = "its clients alone"
COLUMNS = (
    "",
    "latency ms",
    "wall s",
    "CPU s",
    "peak MiB",
    "member calls",
    "hub calls",
    "connections",
    "same again",
    "calls per CPU s",
    "GB s",
    "wall / bare",
    "wall / in order",
    "CPU / bare",
)
Target = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """What the scan of some targets asks, to be asked by others: batches of a target each."""

    bare: Path
    ordered: Path
    """The bare ones, in a batch for each stage of a target."""
    plain: Path
    accounts: Sequence[str]
    count: int
    """To member accounts."""


def run(section: str, *, rounds: int, latencies: Sequence[float], workers: int, tls: bool) -> None:
    """`section`: one or fleet."""
    recording = load(say=SHOWN.print)
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        bench = Bench(recording, Path(folder), tls)
        figures = []
        for name, targets in chosen(section, recording):
            rows = compared(bench, targets, rounds, latencies, workers)
            show(f"{name}; medians of {rounds}", COLUMNS, (_row(row) for row in rows))
            figures.append({"targets": name, "rows": rows})
        save(section, {"rounds": rounds, "workers": workers, "tls": tls, "figures": figures})


def chosen(section: str, recording: Recording) -> Iterator[tuple[str, Sequence[Target]]]:
    """Names, and targets in the order in which they are planned: region by region."""
    accounts: dict[str, list[Target]] = defaultdict(list)
    for target in recording.targets:
        accounts[target["account"]].append(target)
    if section == "one":
        busiest, region = _busiest(recording)
        account = accounts[busiest]
        yield f"one target: the busiest, in {region}", [each for each in account if each["region"] == region]
        yield f"its account: {len(account) - 1} regions and global", account
        return
    everything = sorted(recording.targets, key=lambda each: (each["region"] != GLOBAL, each["region"]))
    regions = len({each["region"] for each in everything}) - 1
    yield f"{len(accounts)} accounts x {regions} regions and global: {len(everything)} targets", everything


def _busiest(recording: Recording) -> tuple[str, str]:
    """Account and region where most calls were recorded; us-east-1 answers for what has no region."""
    answered = Counter(asked[:2] for asked in recording.answers if asked[1] != "us-east-1")
    return answered.most_common(1)[0][0]


def compared(
    bench: Bench, targets: Sequence[Target], rounds: int, latencies: Sequence[float], workers: int
) -> list[dict[str, Any]]:
    calls = traced(bench, targets)
    shipped, unpaced = bench.deploy("shipped"), bench.deploy("unpaced", polite=UNPACED)
    measured: dict[tuple[float, str], list[Mapping[str, Any]]] = defaultdict(list)
    for _ in range(rounds):
        for latency in latencies:
            ways: Mapping[str, Callable[[], Mapping[str, Any]]] = {
                UNPACED_SCAN: partial(scanned, bench, unpaced, targets, latency, workers),
                BARE: partial(repeated, bench, "bare", calls, latency),
                ORDERED: partial(repeated, bench, "bare", replace(calls, bare=calls.ordered), latency),
                ASKING: partial(repeated, bench, "asking", calls, latency),
                PLAIN: partial(repeated, bench, "plain", calls, latency),
                SHIPPED: partial(scanned, bench, shipped, targets, latency, workers),
            }
            for way, measure in ways.items():
                took = measure()
                if took["calls"] != calls.count:
                    SHOWN.print(f"[red]{way}: {took['calls']} calls to members, not {calls.count} as traced")
                measured[latency, way].append(took)
    return [_middle(measured, latency, way) for latency, way in measured]


def scanned(
    bench: Bench, code: Path, targets: Sequence[Target], latency_ms: float, workers: int = 1
) -> Mapping[str, Any]:
    """By one warm worker, or by some of them, which take turns with the targets and have an AWS each."""
    shares = [targets[first::workers] for first in range(min(workers, len(targets)))]
    with ThreadPoolExecutor(workers) as pool:
        took = list(pool.map(lambda share: bench.worker(code, share, latency_ms=latency_ms), shares))
    asked = [each["asked"] for each in took]
    billed = sum(each["seconds"] for each in took) * bench.recording.memory_mib / 1024
    return {
        "seconds": max(each["seconds"] for each in took),
        "cpu": sum(each["cpu"] for each in took),
        "peak_mib": max(each["peak_mib"] for each in took),
        "calls": sum(each["member_calls"] for each in asked),
        "hub_calls": sum(each["hub_calls"] for each in asked),
        "same_in_target": sum(each["same_in_target"] for each in asked),
        "same_in_account": sum(each["same_in_account"] for each in asked),
        "connections": sum(each["connections"] for each in asked),
        "gb_seconds": billed,
        "each": [target for each in took for target in each["targets"]],
        "by_operation": asked[0]["by_operation"],
        "again": asked[0]["again"],
    }


def repeated(bench: Bench, script: str, calls: Calls, latency_ms: float) -> Mapping[str, Any]:
    """The traced calls, made by another script."""
    with bench.serving(latency_ms=latency_ms) as aws:
        took: Mapping[str, Any] = bench.run(
            script,
            bench.folder,
            aws,
            at_once=AT_ONCE,
            batches=str(calls.bare if script == "bare" else calls.plain),
            accounts=calls.accounts,
            role=bench.recording.environment["MEMBER_ROLE"],
            polite=UNPACED,
        )
        asked = aws.told()
    check(asked)
    return {
        **took,
        "calls": asked["member_calls"],
        "hub_calls": asked["hub_calls"],
        "connections": asked["connections"],
    }


def traced(bench: Bench, targets: Sequence[Target]) -> Calls:
    """One scan whose requests are kept, as bytes and as parameters."""
    bare, ordered, plain = (bench.folder / name for name in ("bare", "ordered", "plain"))
    with bench.serving(keep=True) as aws:
        bench.run(
            "worker",
            bench.deploy("unpaced", polite=UNPACED),
            aws,
            scan=bench.recording.scan,
            memory_mib=bench.recording.memory_mib,
            targets=targets,
            trace=str(plain),
        )
        asked = aws.told()
        check(asked)
        batches = list(_batches(aws.log()))
    bare.write_bytes(pickle.dumps(batches))
    ordered.write_bytes(pickle.dumps(list(in_order(batches, bench.recording.answers))))
    return Calls(bare, ordered, plain, [each["account"] for each in targets], asked["member_calls"])


def _batches(log: Sequence[tuple[str, bytes]]) -> Iterator[list[bytes]]:
    """A target ends where an account is entered again; what its hub was asked is part of it."""
    batch: list[bytes] = []
    for _, request in log:
        if batch and b"Action=AssumeRole" in request:
            yield batch
            batch = []
        batch.append(request)
    yield batch


def _middle(
    measured: Mapping[tuple[float, str], Sequence[Mapping[str, Any]]], latency: float, way: str
) -> dict[str, Any]:
    rows = measured[latency, way]
    numbers = [name for name, value in rows[0].items() if isinstance(value, int | float)]
    row: dict[str, Any] = {"way": way, "latency_ms": latency, **middle(rows, *numbers)}
    bare = middle(measured[latency, BARE], "seconds", "cpu")
    ordered = middle(measured[latency, ORDERED], "seconds")
    return {
        **row,
        "wall_by_bare": row["seconds"] / bare["seconds"],
        "wall_by_ordered": row["seconds"] / ordered["seconds"],
        "cpu_by_bare": row["cpu"] / bare["cpu"],
        "calls_per_cpu_s": row["calls"] / row["cpu"],
        **{name: rows[0][name] for name in ("each", "by_operation", "again") if name in rows[0]},
    }


def _row(row: Mapping[str, Any]) -> list[object]:
    again = row.get("same_in_target")
    return [
        row["way"],
        int(row["latency_ms"]),
        row["seconds"],
        row["cpu"],
        row["peak_mib"],
        int(row["calls"]),
        int(row["hub_calls"]),
        int(row["connections"]),
        None if again is None else f"{again:.0f} ({row['same_in_account']:.0f})",
        int(row["calls_per_cpu_s"]),
        row.get("gb_seconds"),
        row["wall_by_bare"],
        row["wall_by_ordered"],
        row["cpu_by_bare"],
    ]
