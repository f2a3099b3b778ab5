"""An organization of any size: nothing of it passes through state, and nobody holds all of it in memory."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.httpsession import URLLib3Session

from benchmarks import organization, wire
from benchmarks.wire import Download, account
from benchmarks.wire_table import WireTable
from orgscan import catalog
from orgscan.coverage import Look
from orgscan.model import Category, Severity, Target
from orgscan.plans import PlanStore
from orgscan.receipt import Receipt
from orgscan.report import THREADS, Reporter
from orgscan.settings import Configuration, Route
from orgscan.store import FindingStore, shard_of
from orgscan.summary import summaries
from orgscan.wire import Wire as Connections
from tests.flow import ANSWERS, Grows, Json, walk
from tests.handlers import CHECKS, in_first_round, listed, ready
from tests.receipts import FINISHED, PROD, plan, receipt
from tests.stacks import Template, definition, every_state

# One worker of xdist synthesizes, once.


@pytest.fixture(scope="module")
def machine(hub: Template) -> Json:
    return definition(hub)


def test_what_passes_through_state_is_the_same_for_any_organization(machine: Json) -> None:
    # Plan, EachGroup, Report, AllTold, EachTarget, Report once more, AnyNews, NoNews and Notify; of a group
    # EachOfGroup, Look and Left; of a target Scan, AllSeen, Seen, and Scan of its next part.
    assert walk(machine) == 16


def sets(state: str, **fields: Any) -> Callable[[Json], None]:
    """A change of a state, by name; None removes a field."""

    def change(machine: Json) -> None:
        found = dict(every_state(machine))[state]
        for name, value in fields.items():
            if value is None:
                del found[name]
            else:
                found[name] = value

    return change


def inline(machine: Json) -> None:
    del machine["States"]["EachTarget"]["ItemProcessor"]["ProcessorConfig"]


def nested(machine: Json) -> None:
    group = dict(every_state(machine))["EachOfGroup"]
    group["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def another_language(machine: Json) -> None:
    machine["QueryLanguage"] = "JSONata"


def in_between(machine: Json) -> None:
    """A state that makes a list of what it gets."""
    machine["States"]["Plan"]["Next"] = "List"
    machine["States"]["List"] = {
        "Type": "Pass",
        "Parameters": {"all.$": "States.Array($)"},
        "Next": "EachGroup",
    }


QUERY = "arn:AWS::Partition:states:::aws-sdk:dynamodb:query"
GROWING = {
    "a function gets all there is": (sets("Report", Parameters={"all.$": "$"}), "Report: all.$ is $"),
    "a function gets no selection": (sets("Notify", Parameters={"all.$": "$$"}), "Notify: all.$ is $$"),
    "plan tells accounts": (
        sets("Report", Parameters={"accounts.$": "$.accounts"}),
        "accounts.$ is $.accounts",
    ),
    "a list is written down": (
        sets("Report", Parameters={"accounts": ["1", "2"]}),
        "accounts is no single value",
    ),
    "a list is made": (in_between, "a Pass with"),
    "a list is computed": (
        sets("Report", Parameters={"parts.$": "States.StringSplit($.scan, 'T')"}),
        "States.StringSplit",
    ),
    "a report tells findings": (
        sets("Report", ResultSelector={"findings.$": "$.findings"}),
        "findings.$ is $.findings, of done",
    ),
    "the result is kept beside": (sets("Report", ResultPath="$.report"), "added as $.report"),
    "a map's results are kept": (
        sets("EachTarget", ResultPath="$.results", ResultWriter=None),
        "its results pass through state",
    ),
    "a map's results are discarded": (
        sets("EachTarget", ResultWriter=None),
        "its results pass through state",
    ),
    "a map's results are added": (sets("EachTarget", ResultPath="$.results"), "added as $.results"),
    "a map gets its items": (sets("EachTarget", ItemReader=None), "its items pass through state"),
    "a map gets its items by path": (
        sets("EachTarget", ItemsPath="$.targets"),
        "its items pass through state",
    ),
    "a map runs inline": (inline, "in the history of the parent"),
    "a group is all there is": (sets("EachOfGroup", ItemsPath=None), "items.$ is $"),
    "a group is another one": (sets("EachOfGroup", ItemsPath="$.everything"), "items.$ is $.everything"),
    "a child has children": (nested, "a child has children"),
    "an error is kept": (
        sets("Look", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Left"}]),
        "what went wrong passes through state",
    ),
    "a child gets all there is": (
        sets("EachTarget", ItemSelector={"scan.$": "$.scan", "all.$": "$"}),
        "all.$ is $",
    ),
    "a child gets many items": (
        sets("EachTarget", ItemBatcher={"MaxItemsPerBatch": 100}),
        "a Map with ItemBatcher",
    ),
    "another service answers": (sets("Scan", Resource=QUERY), "nobody knows what"),
    "a variable is set": (sets("Plan", Assign={"targets.$": "$.targets"}), "a Task with Assign"),
    "another language is spoken": (another_language, "another language"),
}


@pytest.mark.parametrize(("change", "told"), GROWING.values(), ids=GROWING)
def test_a_state_that_could_grow_is_found(machine: Json, change: Callable[[Json], None], told: str) -> None:
    changed = deepcopy(machine)
    change(changed)
    with pytest.raises(Grows) as found:
        walk(changed)
    assert told in str(found.value)


def test_functions_answer_what_the_walk_takes_for_granted(
    aws: boto3.Session, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = ready(aws, table, monkeypatch, capsys)
    event = {"request": {"checks": CHECKS}, "started": "2026-01-15T06:00:00Z", "execution": "15444444"}
    planned = functions.invoke("plan", **event)
    (group,) = listed(planned)
    target = group["targets"][0]
    scanned = functions.invoke("scan", scan=planned["scan"], target=target, part=0, **in_first_round())
    left = functions.invoke("report", scan=planned["scan"], last=False)
    reported = functions.invoke("report", scan=planned["scan"], last=True)
    for name, answers in (("Plan", [planned]), ("Scan", [scanned]), ("Report", [left, reported])):
        assert {field for answer in answers for field in answer} == ANSWERS[f"{name}.Arn"]
        values = [value for answer in answers for field, value in answer.items() if field != "target"]
        assert all(isinstance(value, str | int | float) for value in values)


ACCOUNTS, REGIONS, DEAD = 6, 2, 1


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Mapping[str, Any]]]]:
    """The benchmark, small and in this process."""
    folder = tmp_path_factory.mktemp("organization")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", URLLib3Session.send)  # so that it comes back
        patch.setattr(Connections, "ask", Connections.ask)  # likewise
        patch.setattr(organization, "MODELS", 4)
        for name, value in organization.ENVIRONMENT.items():
            patch.setenv(name, value)

        def here(step: str, *told: Any) -> Any:
            return json.loads(json.dumps(getattr(organization, step)(*told)))

        yield folder, list(organization.simulate(folder, ACCOUNTS, REGIONS, DEAD, here))


def test_the_simulated_organization_is_planned_worked_on_and_reported(
    simulated: tuple[Path, list[Mapping[str, Any]]],
) -> None:
    _, steps = simulated
    assert [step["step"].split(",")[0] for step in steps] == [
        *("plan 15", "workers 15", "report 15"),
        # The first report leaves the dead to another round, which they do not survive either.
        *("plan 16", "workers 16", "report 16", "report 16"),
    ]
    planned = ACCOUNTS * (REGIONS + 1)
    assert [step["answer"]["planned"] for step in steps if "planned" in step["answer"]] == [planned] * 4
    # One account cannot be entered; in the second scan the workers of another one died.
    denied = REGIONS + 1
    assert [step["answer"]["reached"] for step in steps if "reached" in step["answer"]] == [
        planned - denied,
        planned - denied - DEAD * (REGIONS + 1),
    ]
    assert "UpdateItem" not in steps[3]["requests"]
    assert {name: count for name, count in steps[0]["requests"].items() if name != "DescribeRegions"} == {
        "AssumeRole": ACCOUNTS,
        # The version of the table, and since when accounts that join are news.
        "GetItem": 2,
        "PutItem": 2,
        "ListAccounts": 1,
        "PutObject": 3,
        "Query": 1,
        # Its regions, and its state; only in the first scan.
        "UpdateItem": 2 * ACCOUNTS,
    }


def test_every_simulated_target_is_accounted_for(simulated: tuple[Path, list[Mapping[str, Any]]]) -> None:
    folder, steps = simulated
    receipts = WireTable(folder / "table").rows.execute(
        "SELECT pk, json_extract(item, '$.account.S'), json_extract(item, '$.region.S') FROM items"
        " WHERE pk LIKE 'SCAN#%' AND sk LIKE 'TARGET#%'"
    )
    places = [
        (account(number), region)
        for number in range(ACCOUNTS)
        for region in ("global", *wire.REGIONS[:REGIONS])
    ]
    scans = [step["answer"]["scan"] for step in steps if step["step"].startswith("plan")]
    assert sorted(receipts) == sorted(
        (shard_of(scan, each), each, region) for scan in scans for each, region in places
    )
    for scan in scans:
        listed = json.loads((folder / f"{scan}-targets.json").read_text())
        assert sorted((each["account"], each["region"]) for each in listed) == sorted(places)
        told = json.loads((folder / f"{scan}-summary.json").read_text())
        assert told["targets"]["planned"] == len(places)
        findings = gzip.decompress((folder / f"{scan}-findings.jsonl.gz").read_bytes()).splitlines()
        assert len(findings) == sum(sum(of.values()) for of in told["open"].values()) > len(places)
    reasons = {each["reason"]: each["targets"] for each in told["gaps"]}
    assert reasons == {"denied": REGIONS + 1, "fault": DEAD * (REGIONS + 1)}


MANY, MORE = 500, 4_000


def peak(do: Callable[[int], object], size: int) -> int:
    """Bytes of Python's own that were in use at once."""
    tracemalloc.start()
    try:
        do(size)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def targets(size: int) -> Iterator[Target]:
    return (Target(f"{number // 18:012}", f"xx-{number % 18}", account_name="acme") for number in range(size))


class Sink:
    """A bucket that reads what it gets piece by piece, and keeps it on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_object(self, *, Key: str, Body: Any, **_: Any) -> None:  # noqa: N803 (boto3's names)
        with (self._folder / Key.replace("/", "_")).open("wb") as file:
            copyfileobj(BytesIO(Body) if isinstance(Body, bytes) else Body, file)

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Body": Download(self._folder / Key.replace("/", "_"))}


def test_lists_of_targets_are_written_and_read_piece_by_piece(tmp_path: Path) -> None:
    bucket: Any = Sink(tmp_path)
    plans, made = PlanStore(bucket, "plans"), plan()

    def there_and_back(size: int) -> None:
        plans.put(made, targets(size))
        assert sum(1 for _ in plans.targets(made)) == size

    there_and_back(1)
    few, many = peak(there_and_back, MANY), peak(there_and_back, MORE)
    assert many < 1.2 * few


def test_receipts_are_added_up_one_by_one() -> None:
    made = plan()
    open_ = {(Severity.LOW, Category.COST): 3}

    def add_up(size: int) -> None:
        routes = [None, Route(name="all"), Route(name="cost", categories=(Category.COST,))]
        # What a summary keeps is by account, and by kind of gap.
        left = (receipt(replace(each, account=PROD.account), open=open_) for each in targets(size))
        (summary, *_) = summaries(made, left, routes, finished=FINISHED)
        assert summary.targets == size

    add_up(500)  # Python keeps some of what it frees, up to a number of each size
    few, many = peak(add_up, 50), peak(add_up, 500)
    assert many < 1.2 * few


def test_the_dead_are_recorded_as_they_are_found() -> None:
    """No thread takes a target before it has done with the one before."""
    waiting, most = set[Target](), [0]
    lock = Lock()

    def found() -> Iterator[Target]:
        for each in targets(MANY):
            with lock:
                waiting.add(each)
                most[0] = max(most[0], len(waiting))
            yield each

    class Told(FindingStore):
        def without_receipt(self, _scan: str, _targets: Iterable[Target]) -> Iterator[Target]:
            return found()

        def record(self, *told: Any, **_: Any) -> Receipt:
            seen: Look = told[2]
            with lock:
                waiting.remove(seen.coverage.target)
            return receipt(seen.coverage.target)

    nowhere: Any = None
    store = Told(nowhere)
    plans = PlanStore(nowhere, "")
    reporter = Reporter(store, plans, nowhere, "", catalog.everything(), Configuration(), lambda: store)
    reporter._account_for_missing(plan(checks=("iam-root-mfa-disabled",)), lambda: 900.0)
    assert waiting == set()
    assert 0 < most[0] <= THREADS
