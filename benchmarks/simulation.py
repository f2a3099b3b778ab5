"""A whole scan of an organization, simulated from what targets took: seconds, money, and quotas that are met.

    python -m benchmarks simulation

Event by event, in plain Python: a distributed map starts groups, each invokes the scan function for its
targets, in a warm environment or a new one. How long a target takes is drawn (from a fixed seed) from what
the section `fleet` measured for the same kind of target, and stretched to the CPU that Lambda gives the
function's memory. Nobody dies, and no target needs the second round.
"""

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from statistics import mean
from typing import Any

from benchmarks.recording import FOLDER
from benchmarks.scanning import SHIPPED
from benchmarks.workshop import SHOWN, save, show
from infra import scan_workflow
from orgscan import cost
from orgscan.meter import Spent
from orgscan.model import GLOBAL
from orgscan.plans import GROUP
from orgscan.prices import listed
from orgscan.store import RECEIPT_SHARDS

ACCOUNTS, REGIONS = (1_000, 10_000), 17
CONCURRENCY = (50, 200, 500)
BUSY = 4
"""Regions of an account that are in use, drawn from the slower half of what was measured; others from the
faster one."""
VCPU_MIB = 1769
"""Memory with which Lambda gives a whole vCPU."""
MEMORIES = (256, 384, 512, 768, 1024, 1769)
"""More than one CPU is of no use to one interpreter."""
OF_MEMORY = ("MiB", "CPUs", "mean s", "GB s", "USD for 1,000 targets", "MiB left at the peak")
SANDBOX_S = 0.25
"""Until Lambda has a new environment and the code in it. Assumed, not measured."""
GROUP_S, INVOKE_S = 0.2, 0.05
"""That Step Functions takes to start a group, and to invoke a function. Assumed, not measured."""
PLAN_S, REPORT_S = 540 / 180_000, 460 / 180_000
"""Of planning and reporting, a target; docs/scale.md."""
SEED = 1
FINDINGS = 6
"""Open in a target, as cost.Size has it."""
COLUMNS = (
    "accounts",
    "at once",
    "targets",
    "wall min",
    "of them the map",
    "targets a s",
    "new environments",
    "Lambda h",
    "USD a scan",
    "of it members'",
    "most starts a s",
    "quotas met",
)


@dataclass(frozen=True, slots=True)
class Quota:
    """A bucket of tokens: docs/scale.md has the sources."""

    name: str
    at_once: float
    per_second: float


STARTS = Quota("StartExecution", 800, 150)
"""Of groups. Of most regions; us-east-1, us-west-2 and eu-west-1 have 300 a second."""
QUOTAS = (
    Quota("AssumeRole", 600, 600),
    Quota("receipts' partitions", 160 * RECEIPT_SHARDS, 160 * RECEIPT_SHARDS),
)
"""Of targets. A key of the table takes the receipts of 160 a second."""
LAMBDAS = 1000
"""Concurrent executions of the account."""


@dataclass
class Bucket:
    quota: Quota
    left: float = field(init=False)
    then: float = 0.0
    met: int = 0

    def __post_init__(self) -> None:
        self.left = self.quota.at_once

    def take(self, now: float) -> float:
        """When there is enough for another one."""
        now = max(now, self.then)  # nobody overtakes
        self.left = min(self.quota.at_once, self.left + (now - self.then) * self.quota.per_second)
        self.then = now
        self.left -= 1
        if self.left >= 0:
            return now
        self.met += 1
        return now - self.left / self.quota.per_second


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of a warm invocation by kind of target, on Lambda's CPU; and what they cost besides."""

    whole: Sequence[float]
    busy: Sequence[float]
    idle: Sequence[float]
    cold_s: float
    calls: float
    """Of a target, on average."""
    memory_mib: int

    def targets(self, accounts: int, dice: Random) -> Iterator[float]:
        """Region by region, as they are planned."""
        for kind in (self.whole, *[self.busy] * BUSY, *[self.idle] * (REGIONS - BUSY)):
            for _ in range(accounts):
                yield dice.choice(kind)

    def groups(self, accounts: int, dice: Random) -> Iterator[Sequence[float]]:
        targets = self.targets(accounts, dice)
        while group := [*islice(targets, GROUP)]:
            yield group


def run() -> None:
    """Needs what `fleet` and `cold` measured."""
    fleet, cold = (_read(name) for name in ("fleet", "cold"))
    if not fleet or not cold:
        SHOWN.print("simulation: measure first (python -m benchmarks cold fleet)")
        return
    measured = _measured(fleet, cold)
    rows = [simulated(measured, accounts, most) for accounts in ACCOUNTS for most in CONCURRENCY]
    show(f"a scan of {REGIONS} regions and global, simulated", COLUMNS, ([*row.values()] for row in rows))
    memories = [_of_memory(_shipped(fleet), memory) for memory in MEMORIES]
    show("a target of the function's memory, on average", OF_MEMORY, ([*row.values()] for row in memories))
    seconds = {name: mean(getattr(measured, name)) for name in ("whole", "busy", "idle")}
    show("seconds of a target on Lambda, as drawn", ("", "mean s"), seconds.items())
    save(
        "simulation",
        {"rows": rows, "memories": memories, "seconds": seconds, "busy_regions": BUSY, "seed": SEED},
    )


def _read(section: str) -> Any:
    path = FOLDER / f"{section}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _shipped(fleet: Any) -> Any:
    """Of the function as shipped, at the latency that is most like AWS's."""
    (figures,) = fleet["figures"]
    rows = (each for each in figures["rows"] if each["way"] == SHIPPED)
    return max(rows, key=lambda each: each["latency_ms"])


def _of_memory(row: Any, memory: int) -> dict[str, float]:
    """What the same targets would take, whose CPU alone is stretched."""
    slower = max(1.0, VCPU_MIB / memory) - 1
    seconds = mean(each["seconds"] + each["cpu"] * slower for each in row["each"])
    gb_seconds = seconds * memory / cost.KIB
    return {
        "memory_mib": memory,
        "share": min(1.0, memory / VCPU_MIB),
        "seconds": seconds,
        "gb_seconds": gb_seconds,
        "usd_per_1000": gb_seconds * 1000 * float(listed("lambda.gb_second_arm")),
        "free_mib": memory - row["peak_mib"],
    }


def _measured(fleet: Any, cold: Any) -> Measured:
    row = _shipped(fleet)
    start = next(each for each in cold["rows"] if each["way"] == SHIPPED and not each["bytecode"])
    memory = int(cold["memory_mib"])
    slower = max(1.0, VCPU_MIB / memory) - 1
    lasts = [
        (each["target"].endswith(f"/{GLOBAL}"), each["seconds"] + each["cpu"] * slower)
        for each in row["each"]
    ]
    regions = sorted(seconds for is_global, seconds in lasts if not is_global)
    return Measured(
        whole=[seconds for is_global, seconds in lasts if is_global],
        busy=regions[len(regions) // 2 :],
        idle=regions[: len(regions) // 2],
        cold_s=start["cpu"] * (slower + 1),
        calls=row["calls"] / len(lasts),
        memory_mib=memory,
    )


def simulated(measured: Measured, accounts: int, most: int) -> dict[str, Any]:
    """One scan with `most` targets at a time."""
    at_once, targets = scan_workflow.at_once(most), accounts * (REGIONS + 1)
    groups = measured.groups(accounts, Random(SEED))  # noqa: S311 (dice, not secrets)
    starting, quotas, environments = Bucket(STARTS), [Bucket(quota) for quota in QUOTAS], Environments()
    starts: Counter[int] = Counter()
    billed_s = end = 0.0
    # When each place of each group under way is free, and what is left of the group. A group whose targets
    # have all begun gives its places back one by one; the next one begins with the last of them.
    places: list[tuple[float, int, list[float]]] = []
    at_work: Counter[int] = Counter()

    def begin(now: float) -> None:
        if group := next(groups, None):
            began, left = starting.take(now) + GROUP_S, [*group]
            for _ in range(at_once):
                heapq.heappush(places, (began, id(left), left))
            at_work[id(left)] = at_once

    for _ in range(max(1, most // at_once)):
        begin(0.0)
    while places:
        now, number, left = heapq.heappop(places)
        if not left:
            at_work[number] -= 1
            if not at_work[number]:
                begin(now)
            continue
        lasts, begins = left.pop(0), now
        for quota in quotas:
            begins = quota.take(begins)
        starts[int(begins)] += 1
        init = 0.0 if environments.warm(begins) else measured.cold_s
        ends = begins + INVOKE_S + lasts + init + (SANDBOX_S if init else 0.0)
        environments.leave(ends)
        heapq.heappush(places, (ends, number, left))
        billed_s += lasts + init
        end = max(end, ends)
    around = max(10.0, (PLAN_S + REPORT_S) * targets)
    usage = _usage(measured, accounts, targets, billed_s, environments.made)
    met = [f"{each.quota.name}: {each.met:,}" for each in (starting, *quotas) if each.met]
    if most > LAMBDAS:
        met.append("Lambda's concurrent executions")
    return {
        "accounts": accounts,
        "concurrency": most,
        "targets": targets,
        "wall_min": (end + around) / 60,
        "map_min": end / 60,
        "targets_s": targets / end,
        "environments": environments.made,
        "lambda_h": billed_s / 3600,
        "usd": usage.usd,
        "usd_members": sum(line.usd for line in cost.lines(usage) if line.name.endswith("*")),
        "starts_s": max(starts.values()),
        "met": ", ".join(met) or "none",
    }


class Environments:
    """Of a function: warm once they were used, and the last one used first. None is taken away in a scan."""

    def __init__(self) -> None:
        self.made = 0
        self._ends: list[float] = []

    def warm(self, now: float) -> bool:
        """Take one that waits; or make one."""
        if self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
            return True
        self.made += 1
        return False

    def leave(self, ends: float) -> None:
        heapq.heappush(self._ends, ends)


def _usage(measured: Measured, accounts: int, targets: int, billed_s: float, made: int) -> cost.Usage:
    """An ordinary day, as in cost.Size, of what the estimate has no better figures for."""
    size = cost.Size(accounts=accounts, regions=REGIONS, findings=FINDINGS)
    usual = cost.expected(size)
    hub = (PLAN_S * cost.PLAN_MIB + REPORT_S * cost.REPORT_MIB) * targets
    spent = Spent(
        calls=round(targets * measured.calls),
        metrics=round(usual.metrics),
        cost_queries=usual.cost_queries,
        invocations=targets + 2,
        gb_seconds=(billed_s * measured.memory_mib + hub) / cost.KIB,
        plans_read=made,
    )
    scale = cost.Scale(
        accounts=accounts,
        targets=targets,
        findings=size.open,
        kept=size.kept,
        changes=size.changes,
        messages=1,
        inventories=targets,
    )
    return cost.usage(scale, spent)
