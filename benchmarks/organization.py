"""A whole organization: seconds and memory of planning and reporting, when workers told and when they died.

    python -m benchmarks.organization [--accounts N] [--regions M] [--dead D] [--results FILE]

The handlers of `functions/` run as they are, each invocation in a process of its own, against AWS at the wire
(benchmarks/wire.py): an organization, a table on disk, a bucket. Workers are replaced by what they leave: a
few accounts are recorded by the real store, the others are copies of them with ids of their own.

First scan: every worker told. Second: those of the first D accounts died, in both rounds, so that the report
accounts for their targets itself, in as many invocations as it takes.
"""

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.wire import Wire, account
from orgscan import catalog, session
from orgscan.coverage import Coverage, Look
from orgscan.model import Blindness, Category, Confidence, Finding, Gap, Money, Severity, Target
from orgscan.plan import Plan
from orgscan.plans import PlanStore
from orgscan.reconcile import place
from orgscan.settings import CONFIGURATION_FILE, Configuration, Route
from orgscan.store import FindingStore

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "bench" / "organization.json"
MODELS = 20
"""Accounts that are recorded, and copied; the last of them could not be entered."""
BUSY, QUIET = 20, 1
"""Findings in the global target and in each of the first three regions, and in any other one."""
KINDS = 40
"""Of resources, in a busy region."""
LASTS_S = 900
SAVING = Money(40.0, "500 GiB gp3 at 0.08 USD", Confidence.HIGH)
CONFIGURATION = Configuration(
    schedules=("daily",),
    routes=(
        Route(name="all"),
        Route(name="urgent", minimum_severity=Severity.CRITICAL),
        Route(name="cost", categories=(Category.COST,)),
    ),
    account_owners=False,  # whose time is limited by itself
)
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "POWERTOOLS_METRICS_NAMESPACE": "orgscan",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "TABLE": "findings",
    "BUCKET": "results",
    "MEMBER_ROLE": "orgscan-member",
    "EXTERNAL_ID": "orgscan",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.organization")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--regions", type=int, default=17, choices=range(1, 18), metavar="1-17")
    parser.add_argument("--dead", type=int, default=500)
    parser.add_argument("--results", type=Path, default=RESULTS)
    told = parser.parse_args()
    with TemporaryDirectory(prefix="orgscan-bench-") as folder:
        steps = []
        for step in simulate(Path(folder), told.accounts, told.regions, min(told.dead, told.accounts)):
            steps.append(step)
            Console().print(f"{step['step']}: {step['seconds']:.0f} s, {step['peak_mib']:.0f} MiB")
    told.results.parent.mkdir(parents=True, exist_ok=True)
    size = {"accounts": told.accounts, "regions": told.regions}
    told.results.write_text(json.dumps({**size, "steps": steps}, indent=1) + "\n")
    show(f"{told.accounts:,} accounts, {told.regions} regions and global", steps)
    Console().print(f"as JSON: {told.results}", soft_wrap=True)


def show(title: str, steps: Iterable[Mapping[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", box=None)
    for column in ("step", "seconds", "CPU s", "peak MiB", "requests", "came to"):
        table.add_column(column, justify="right" if column not in ("step", "came to") else "left")
    for step in steps:
        table.add_row(
            step["step"],
            f"{step['seconds']:.1f}",
            f"{step['cpu_seconds']:.1f}",
            f"{step['peak_mib']:.0f}",
            f"{sum(step['requests'].values()):,}",
            ", ".join(
                f"{name} {value}" for name, value in step["answer"].items() if name not in ("scan", "targets")
            ),
        )
    Console(width=160).print(table)


def _alone(step: str, *told: Any) -> Mapping[str, Any]:
    """One step, in a process of its own."""
    call = f"organization.{step}(*{told!r})"
    code = f"import json; from benchmarks import organization; print('\\n' + json.dumps({call}))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(  # noqa: S603 (ourselves)
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    # Before it, the handlers log.
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def simulate(
    folder: Path,
    accounts: int,
    regions: int,
    dead: int,
    run: Callable[..., Mapping[str, Any]] = _alone,
) -> Iterator[Mapping[str, Any]]:
    """Two scans, step by step. `dead`: accounts whose workers die in the second."""
    for handler in (ROOT / "functions").glob("*.py"):
        shutil.copy(handler, folder)
    (folder / CONFIGURATION_FILE).write_text(CONFIGURATION.to_json())
    size = (str(folder), accounts, regions)
    for day, silent in ((15, 0), (16, dead)):
        event = {
            "request": {"schedule": "daily"},
            "started": f"2026-01-{day}T06:00:00.123Z",
            "execution": f"{day}444444-ceea",
        }
        planned = run("invoke", *size, "plan", event)
        yield {"step": f"plan {day}", **planned}
        scan = planned["answer"]["scan"]
        yield {"step": f"workers {day}, {silent:,} accounts dead", **run("work", *size, scan, silent)}
        answer = {**planned["answer"], "done": False}
        while not answer["done"]:
            reported = run("invoke", *size, "report", {"scan": scan, "last": answer["last"]})
            answer = reported["answer"]
            yield {"step": f"report {day}", **reported}


class Context:
    """Of an invocation that may last a quarter of an hour."""

    function_name = "orgscan"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:invented"
    aws_request_id = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"

    def __init__(self) -> None:
        self._ends = time.monotonic() + LASTS_S

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


def invoke(
    folder: str, accounts: int, regions: int, name: str, event: Mapping[str, Any]
) -> Mapping[str, Any]:
    """One invocation of a handler, as Lambda would: what it took, and its answer."""
    wire = Wire(Path(folder), accounts, regions)
    wire.connect()
    spec = importlib.util.spec_from_file_location(name, Path(folder) / f"{name}.py")
    assert spec and spec.loader  # noqa: S101, PT018 (it was copied there)
    handler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(handler)
    began = time.monotonic()
    with wire.table:
        answer = handler.handler(dict(event), Context())
    return _took(began, wire, answer)


def work(folder: str, accounts: int, regions: int, scan: str, silent: int) -> Mapping[str, Any]:
    """What workers leave; those of the first `silent` accounts died."""
    wire = Wire(Path(folder), accounts, regions)
    wire.connect()
    home = session.here()
    plans, store = PlanStore(home.get("s3"), "results"), FindingStore(home.table("findings"))
    plan = plans.get(scan)
    models = {account(number): number for number in range(silent, min(silent + MODELS, accounts))}
    began, findings = time.monotonic(), 0
    with wire.table:
        for target in plans.targets(plan):
            if target.account in models:
                seen = look(target, plan, models[target.account] % MODELS)
                findings += sum(store.record(scan, plan.started, seen).open.values())
        for model, number in models.items():
            others = [account(other) for other in range(number + MODELS, accounts, MODELS)]
            wire.table.copy(model, scan, others)
    return _took(began, wire, {"recorded findings": findings})


def look(target: Target, plan: Plan, number: int) -> Look:
    """What there is to see in a target of the model account `number`, of MODELS."""
    checks = catalog.everything().only(plan.checks).planned(once=target.once)
    reach = plan.reach(plan.checks)
    if number == MODELS - 1:
        return Look(
            (), Coverage.blind(target, checks, Gap("target", Blindness.DENIED, "sts:AssumeRole"), reach)
        )
    busy = target.once or target.region in ("ap-northeast-1", "ap-northeast-2", "ap-northeast-3")
    found = [
        Finding(
            check.id,
            check.severity,
            check.category,
            target,
            target.arn("ec2", f"volume/vol-{each:017}"),
            ("500 GiB of gp3 that nothing is attached to",),
            saving=SAVING if check.category is Category.COST else None,
            tags={"Name": f"volume-{each}", "owner": "payments"},
        )
        for each, check in enumerate([*checks][number : number + (BUSY if busy else QUIET)])
    ]
    kinds = KINDS if busy else KINDS // 4
    coverage = Coverage(
        target=target,
        planned=frozenset(check.id for check in checks),
        gaps={},
        resources={f"AWS::EC2::Kind{each}": 10 * each for each in range(kinds)},
        reach=reach,
    )
    return Look(tuple(sorted(found, key=place)), coverage)


def _took(began: float, wire: Wire, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    took = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(took.ru_utime + took.ru_stime, 2),
        "peak_mib": round(took.ru_maxrss / 1024, 1),
        "requests": dict(sorted(wire.asked.items())),
        "answer": dict(answer),
    }


if __name__ == "__main__":
    main()
