"""`orgscan start`: nothing starts that is wrong, and what has started is followed to an end that is told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner, Result

from cli.main import app
from cli.start import execution, follow, show
from cli.start.execution import Execution, Targets
from infra import scan_workflow
from orgscan.plan import scan_id
from tests.doctors import HUB, Call, Refusal, World
from tests.goldens import golden

MACHINE = f"arn:aws:states:eu-west-1:{HUB}:stateMachine:Machine"
EXECUTIONS = f"arn:aws:states:eu-west-1:{HUB}:execution:Machine"
BEGAN = datetime(2026, 1, 15, 6, 0, 0, 123000, tzinfo=UTC)
NAME = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"
ARN = f"{EXECUTIONS}:{NAME}"
SCAN = "20260115T060000123Z-8f14e45f"
FOLDER = f"s3://results/scans/{SCAN}/"
DECIDED: dict[str, Any] = {
    "accounts": {"exclude": ["999999999999"]},
    "regions": ["eu-*"],
    "checks": {"off": ["s3-bucket-versioning-disabled"]},
    "schedules": [{"name": "costs", "expression": "rate(7 days)", "scope": {"categories": ["cost"]}}],
    "routes": [{"name": "all", "emails": ["ada@acme.example"]}],
}
SUMMARY: dict[str, Any] = {
    "complete": False,
    "coverage": 97.5,
    "accounts": 12,
    "checks": {"planned": 1200, "evaluated": 1170},
    "gaps": [
        {"reason": "denied", "detail": "sts:AssumeRole [red]\x1b[31m\nforged", "checks": 20, "targets": 1},
        {"reason": "throttled", "detail": "DescribeVolumes", "checks": 8, "targets": 2},
        {"reason": "fault", "detail": "the worker ended", "checks": 1, "targets": 1},
        {"reason": "fault", "detail": "ValueError", "checks": 1, "targets": 1},
    ],
    "more_gaps": 3,
    "changes": {"new": {"critical": 1, "low": 3}, "resolved": {"high": 1}},
    "open": {"critical": {"security": 1, "cost": 1}, "low": {"cost": 1200}},
}
NEWS = {"complete": True, "coverage": 100.0, "gaps": [], "more_gaps": 0, "changes": {}, "open": {}}
Counts: TypeAlias = tuple[int, int, int]
"""Of targets: succeeded, failed, all."""


class Machine:
    """Executions that go on whenever somebody has slept; each look is one step of `script`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = BEGAN
        self.slept: list[float] = []
        self.script: list[tuple[str, str, Counts]] = []
        self.end: dict[str, Any] = {}
        self.map = f"{MACHINE.replace('stateMachine', 'mapRun')}/EachTarget:1-2"
        outputs = {"MachineArn": MACHINE, "BucketName": "results"}
        world.answer("cloudformation:DescribeStacks", stack(outputs))
        world.answer("stepfunctions:StartExecution", {"executionArn": ARN, "startDate": BEGAN})
        world.answer("stepfunctions:DescribeExecution", self._execution)
        world.answer("stepfunctions:ListMapRuns", self._maps)
        world.answer("stepfunctions:DescribeMapRun", self._map)
        self.summary(SUMMARY)

    def goes(self, *script: tuple[str, str, Counts], **end: Any) -> None:
        """Status of the execution, status of its map ('' before it), targets."""
        self.script, self.end = [*script], end

    def summary(self, told: Mapping[str, Any]) -> None:
        self.world.answer("s3:GetObject", lambda _: {"Body": io.BytesIO(json.dumps(told).encode())})

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.script.pop(0)

    @property
    def asked(self) -> Any:
        """The input of what was started; None when nothing was."""
        started = self.world.asked("stepfunctions:StartExecution")
        return json.loads(started[0].asked["input"]) if started else None

    def _execution(self, call: Call) -> Mapping[str, Any]:
        assert call.asked == {"executionArn": ARN}
        status = self.script[0][0]
        told = {"executionArn": ARN, "name": NAME, "startDate": BEGAN, "status": status}
        return told if status == "RUNNING" else {**told, "stopDate": self.now, **self.end}

    def _maps(self, _: Call) -> Mapping[str, Any]:
        status = self.script[0][1]
        earlier = {"mapRunArn": "earlier", "startDate": BEGAN}
        newest = {"mapRunArn": self.map, "startDate": BEGAN + timedelta(seconds=9)}
        return {"mapRuns": [earlier, newest] if status else []}

    def _map(self, call: Call) -> Mapping[str, Any]:
        assert call.asked == {"mapRunArn": self.map}
        status, (succeeded, failed, total) = self.script[0][1:]
        parts = {"failed": failed - failed // 2, "timedOut": failed // 2, "aborted": 0}
        return {"status": status, "itemCounts": {"succeeded": succeeded, "total": total, **parts}}


def stack(outputs: Mapping[str, str], status: str = "UPDATE_COMPLETE") -> Any:
    told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackName": "OrgscanHub", "StackStatus": status, "Outputs": told}]}


WELL: Sequence[tuple[str, str, Counts]] = (
    ("RUNNING", "", (0, 0, 0)),
    ("RUNNING", "RUNNING", (0, 0, 1200)),
    ("RUNNING", "RUNNING", (50, 0, 1200)),
    ("RUNNING", "RUNNING", (200, 3, 1200)),
    ("RUNNING", "SUCCEEDED", (1197, 3, 1200)),
    ("SUCCEEDED", "SUCCEEDED", (1197, 3, 1200)),
)
Start = Callable[..., Result]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(World(monkeypatch))
    made.goes(*WELL)
    monkeypatch.setattr(follow, "CLOCK", follow.Clock(lambda: made.now, made.sleep))
    return made


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def run(*options: str, **decided: Any) -> Result:
        (tmp_path / "orgscan.yaml").write_text(yaml.safe_dump({**DECIDED, **decided}))
        return CliRunner().invoke(app, ["start", *options])

    return run


def refused(result: Result, machine: Machine) -> list[str]:
    """The lines that say why nothing was started."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert machine.asked is None
    return result.stderr.splitlines()


# What is asked for


def test_nothing_asked_is_everything(start: Start, machine: Machine) -> None:
    assert start().exit_code == 1
    assert machine.asked == {}


def test_everything_that_may_be_asked(start: Start, machine: Machine) -> None:
    options = (
        *("--account", "111111111111", "--account", "222222222222", "--ou", "ou-ab12-cdefgh34"),
        *("--account-tag", "stage=prod", "--account-tag", "team=a=b", "--region", "eu-west-*"),
        *("--region", "global", "--check", "ebs-volume-unattached", "--category", "cost", "--no-notify"),
        "--digest",
    )
    assert start(*options).exit_code == 1
    assert machine.asked == {
        "accounts": ["111111111111", "222222222222"],
        "ous": ["ou-ab12-cdefgh34"],
        "account_tags": {"stage": "prod", "team": "a=b"},
        "regions": ["eu-west-*", "global"],
        "checks": ["ebs-volume-unattached"],
        "categories": ["cost"],
        "notify": False,
        "digest": True,
    }


def test_what_a_schedule_would_ask(start: Start, machine: Machine) -> None:
    assert start("--schedule", "costs", "--no-notify").exit_code == 1
    assert machine.asked == {"schedule": "costs", "categories": ["cost"], "notify": False}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--account", "1111"), 'accounts[0]: "1111" must be an account id of 12 digits'),
        (
            ("--account", "999999999999"),
            'accounts[0]: "999999999999" must be an account in the configured scope',
        ),
        (("--ou", "ou-1"), "ous[0]: \"ou-1\" must be an organizational unit's or root's id"),
        (("--region", "us-east-1"), 'regions[0]: "us-east-1" must be within the configured scope'),
        (("--region", "mars"), 'regions[0]: "mars" must be a region of this partition'),
        (
            ("--check", "ebs-volume-unatached"),
            'checks[0]: "ebs-volume-unatached" must be the id of a check that is switched on (did you mean',
        ),
        (
            ("--check", "s3-bucket-versioning-disabled"),
            'checks[0]: "s3-bucket-versioning-disabled" must be the id of a check that is switched on',
        ),
        (
            ("--category", "sekurity"),
            'categories[0]: "sekurity" must be a category (did you mean "security"',
        ),
        (("--schedule", "daily"), 'schedule: "daily" must be a schedule\'s name: one of costs'),
        (
            ("--schedule", "costs", "--region", "global"),
            'schedule: "costs" must stand alone: it has a scope of its own',
        ),
        (("--follow", ARN, "--region", "global"), "--follow: must stand alone"),
        (("--follow", ARN, "--no-wait"), "--follow: must stand alone"),
        (("--follow", ARN, "--no-notify"), "--follow: must stand alone"),
        (("--follow", ARN, "--digest"), "--follow: must stand alone"),
        (("--follow", "other"), f"--follow: 'other': must be the ARN of an execution of {MACHINE}"),
        (
            ("--follow", f"{MACHINE}:x"),
            f"--follow: '{MACHINE}:x': must be the ARN of an execution of {MACHINE}",
        ),
    ],
)
def test_what_is_wrong_starts_nothing(
    start: Start, machine: Machine, options: tuple[str, ...], said: str
) -> None:
    (line,) = refused(start(*options), machine)
    assert line.startswith(said)


def test_every_mistake_is_told_on_a_line_of_its_own(start: Start, machine: Machine) -> None:
    told = refused(start("--account", "a\x1b[31m; b", "--region", "mars", "--category", "x"), machine)
    assert [line.partition(":")[0] for line in told] == ["accounts[0]", "regions[0]", "categories[0]"]
    assert all(line.isprintable() for line in told)


def test_accounts_that_are_listed_are_the_only_ones(start: Start, machine: Machine) -> None:
    listed = {"ids": ["111111111111"], "organization": False}
    told = refused(start("--account", "222222222222", "--ou", "r-ab12", accounts=listed), machine)
    assert told == [
        'accounts[0]: "222222222222" must be an account in the configured scope',
        "input: ous and account_tags need accounts.organization in orgscan.yaml",
    ]
    assert start("--account", "111111111111", accounts=listed).exit_code == 1


def test_a_tag_is_a_key_and_a_value(start: Start, machine: Machine) -> None:
    result = start("--account-tag", "stage")
    assert result.exit_code == 2
    assert "'stage' is not a tag: KEY=VALUE" in result.stderr
    assert machine.asked is None


def test_wrong_configuration_starts_nothing(start: Start, machine: Machine) -> None:
    assert refused(start(limits={"concurrency": 0}), machine) == [
        "orgscan.yaml: limits.concurrency: 0: must be at least 1"
    ]
    assert machine.world.calls == []


# What stands in the way of starting


def test_without_a_stack_nothing_starts(start: Start, machine: Machine) -> None:
    gone = Refusal("ValidationError", "Stack with id OrgscanHub does not exist", 400)
    machine.world.answer("cloudformation:DescribeStacks", gone)
    (line,) = refused(start(), machine)
    assert line.startswith("there is no stack OrgscanHub in eu-west-1 of this account: deploy it, name")
    (line,) = refused(start("--stack", "Other"), machine)
    assert line.startswith("there is no stack Other in eu-west-1")


def test_a_stack_that_is_not_the_hubs_starts_nothing(start: Start, machine: Machine) -> None:
    machine.world.answer("cloudformation:DescribeStacks", stack({}, "ROLLBACK_COMPLETE"))
    (line,) = refused(start(), machine)
    assert line.startswith("the stack OrgscanHub is ROLLBACK_COMPLETE and has no output MachineArn")


@pytest.mark.parametrize("call", ["cloudformation:DescribeStacks", "stepfunctions:StartExecution"])
def test_who_may_not_is_told_what(start: Start, machine: Machine, call: str) -> None:
    machine.world.refuse(call)
    result = start()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (f"access denied: {call}: use credentials of the hub's account that may do it\n")


def test_expired_credentials_are_named(start: Start, machine: Machine) -> None:
    machine.world.answer(
        "cloudformation:DescribeStacks", Refusal("ExpiredToken", "The token is expired", 403)
    )
    (line,) = refused(start(), machine)
    assert line == (
        "AWS does not answer (DescribeStacks: ExpiredToken: The token is expired): sign in, and set "
        "AWS_PROFILE and AWS_DEFAULT_REGION to the hub's account and region"
    )


@pytest.mark.parametrize("name", ["AWS_DEFAULT_REGION", "AWS_PROFILE"])
def test_without_a_region_or_with_a_profile_of_nobody_it_says_so(
    start: Start, machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "AWS_PROFILE":
        monkeypatch.setenv(name, "nobody")
    else:
        monkeypatch.delenv(name)
    (line,) = refused(start(), machine)
    assert line.endswith("set AWS_PROFILE and AWS_DEFAULT_REGION to the hub's account and region")


def test_a_request_that_is_sent_again_starts_no_second_scan(start: Start, machine: Machine) -> None:
    """Step Functions takes the same name and input for the same execution."""
    answers: list[Any] = [Refusal("ServiceUnavailable", "", 503), {"executionArn": ARN, "startDate": BEGAN}]
    machine.world.answer("stepfunctions:StartExecution", lambda _: answers.pop(0))
    first, second = (start("--no-wait") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (2, 0)
    names = [call.asked["name"] for call in machine.world.asked("stepfunctions:StartExecution")]
    assert all(len(name) == 36 for name in names)


# Following it


def test_a_scan_is_followed_to_its_headline(start: Start, machine: Machine) -> None:
    result = start()
    assert (result.exit_code, result.stderr) == (1, "")
    golden("start/incomplete.txt", result.stdout)
    assert machine.slept == [follow.EVERY_S] * 5


def test_a_complete_scan_ends_well_whatever_it_found(start: Start, machine: Machine) -> None:
    machine.summary({**SUMMARY, "complete": True, "coverage": 100.0, "gaps": [], "more_gaps": 0})
    result = start()
    assert result.exit_code == 0
    assert "COMPLETE: 100.0% of 1,200 checks evaluated in 12 accounts\n  findings: 4 new" in result.stdout
    machine.goes(*WELL)
    machine.summary({**SUMMARY, **NEWS})
    assert "findings: nothing new\n  open: none\n" in start().stdout


def test_it_asks_for_no_more_than_the_documents_say(start: Start, machine: Machine) -> None:
    start()
    text = (Path(__file__).parents[1] / "docs/operating.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if "`cloudformation:DescribeStacks`, `states:" in line]
    called = {call.name.replace("stepfunctions:", "states:") for call in machine.world.calls}
    assert called == {name for name in line.split("`") if ":" in name and " " not in name}


def test_a_scan_is_only_started(start: Start, machine: Machine) -> None:
    result = start("--no-wait")
    assert (result.exit_code, result.stdout) == (0, f"started: orgscan start --follow {ARN}\n")
    assert machine.slept == []
    told = json.loads(start("--no-wait", "--json").stdout)
    assert (told["execution"], told["scan"], told["status"]) == (ARN, SCAN, "RUNNING")


def test_another_execution_is_followed_and_nothing_started(start: Start, machine: Machine) -> None:
    result = start("--follow", ARN)
    assert result.exit_code == 1
    assert result.stdout.endswith(f"{FOLDER}\n")
    assert machine.asked is None


def test_the_end_as_json_and_nothing_else_on_stdout(start: Start, machine: Machine) -> None:
    result = start("--json")
    assert machine.asked == {}
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "execution": ARN,
        "scan": SCAN,
        "status": "SUCCEEDED",
        "started": "2026-01-15T06:00:00+00:00",
        "stopped": "2026-01-15T06:00:15+00:00",
        "groups": None,
        "targets": {"done": 1200, "failed": 3, "total": 1200},
        "error": None,
        "cause": None,
        "summary": SUMMARY,
    }
    assert result.stderr.startswith("planning: 0:00:00\n")


def test_in_the_first_round_it_is_groups_that_are_done(start: Start, machine: Machine) -> None:
    """Of one that failed, the targets that told nothing have a second round: it is no loss yet."""
    assert execution.GROUPS == scan_workflow.EACH_GROUP
    machine.map = machine.map.replace("EachTarget", execution.GROUPS)
    told = start("--json")
    assert "scanning: 203 of 1,200 groups, " in told.stderr
    assert "target" not in told.stderr
    assert "failed" not in told.stderr
    answer = json.loads(told.stdout)
    assert (answer["groups"], answer["targets"]) == ({"done": 1200, "failed": 3, "total": 1200}, None)


def test_a_scan_that_hardly_moves_says_something_every_minute(start: Start, machine: Machine) -> None:
    stuck = ("RUNNING", "RUNNING", (1, 0, 100_000))
    machine.goes(*[stuck] * 100, WELL[-1])
    lines = [line for line in start().stdout.splitlines() if line.startswith("scanning")]
    assert [line.rpartition(" ")[2] for line in lines] == [f"0:0{minute}:00" for minute in range(5)]


def test_interrupting_ends_the_following_and_not_the_scan(
    start: Start, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow, "CLOCK", follow.Clock(lambda: machine.now, interrupt))
    result = start("--stack", "Mine")
    assert result.exit_code == 130
    assert result.stderr.splitlines() == [
        f"the scan goes on; follow it again: orgscan start --follow {ARN} --stack Mine",
        f"or stop it: aws stepfunctions stop-execution --execution-arn {ARN}",
    ]
    called = {call.name for call in machine.world.calls}
    assert "stepfunctions:StopExecution" not in called


def test_credentials_that_expire_end_the_following_and_not_the_scan(start: Start, machine: Machine) -> None:
    def expired(call: Call) -> Any:
        return machine._execution(call) if not machine.slept else Refusal("ExpiredTokenException", "expired")

    machine.world.answer("stepfunctions:DescribeExecution", expired)
    result = start()
    assert result.exit_code == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "the scan goes on, and cannot be looked at: AWS does not answer (DescribeExecution"
    )
    assert line.endswith(f"; then: orgscan start --follow {ARN}")


def test_who_may_not_see_the_map_follows_the_scan_all_the_same(start: Start, machine: Machine) -> None:
    machine.world.refuse("stepfunctions:ListMapRuns", code="AccessDeniedException")
    result = start()
    assert result.exit_code == 1
    assert result.stdout.startswith("running: targets not seen: stepfunctions:ListMapRuns, 0:00:00\n")
    assert f"\n{FOLDER}\n" in result.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_summary_that_cannot_be_read_is_no_complete_scan(
    start: Start, machine: Machine, options: tuple[str, ...]
) -> None:
    machine.world.refuse("s3:GetObject")
    result = start(*options)
    assert result.exit_code == 1
    assert f"the scan has ended; {FOLDER}summary.json cannot be read (s3:GetObject)" in result.stderr
    assert not options or json.loads(result.stdout)["summary"] is None


GO_ON = f"go on with it: aws stepfunctions redrive-execution --execution-arn {ARN}"
CAUSE = json.dumps({"errorMessage": 'accounts[0]: "1" must\nbe', "errorType": "InvalidScanRequest"})


@pytest.mark.parametrize(
    ("status", "end", "said"),
    [
        (
            "FAILED",
            {"error": "InvalidScanRequest", "cause": CAUSE, "redriveStatus": "REDRIVABLE"},
            'the scan failed (InvalidScanRequest: accounts[0]: "1" must?be): ask for what',
        ),
        (
            "FAILED",
            {"error": "KeyError", "cause": "[1]", "redriveStatus": "REDRIVABLE"},
            f"the scan failed (KeyError: [1]): see docs/operating.md#when-a-scan-fails; then {GO_ON}",
        ),
        (
            "FAILED",
            {"redriveStatus": "NOT_REDRIVABLE"},
            "the scan failed (): see docs/operating.md#when-a-scan-fails; then start another one",
        ),
        (
            "TIMED_OUT",
            {"redriveStatus": "REDRIVABLE"},
            f"the scan timed out: raise limits.concurrency, or narrow each schedule; then {GO_ON}",
        ),
        (
            "ABORTED",
            {"redriveStatus": "REDRIVABLE"},
            f"the scan was stopped (CloudTrail tells by whom: StopExecution); then {GO_ON}",
        ),
    ],
)
def test_how_a_scan_fails_and_what_to_do(
    start: Start, machine: Machine, status: str, end: Mapping[str, Any], said: str
) -> None:
    machine.goes((status, "", (0, 0, 0)), **end)
    result = start()
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert line.startswith(said)
    machine.goes((status, "", (0, 0, 0)), **end)
    told = json.loads(start("--json").stdout)
    assert (told["status"], told["error"]) == (status, end.get("error"))


def test_the_documents_lead_where_a_failure_points() -> None:
    page, _, part = show.RUNBOOK.partition("#")
    text = (Path(__file__).parents[1] / page).read_text(encoding="utf-8")
    assert f"\n## {part.replace('-', ' ').capitalize()}\n" in text


def test_a_terminal_has_one_living_line() -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)
    with show.watching(shown) as tell:
        for done in (0, 600):
            seen = Execution(
                arn=ARN,
                scan=scan_id(BEGAN, NAME),
                started=BEGAN,
                status="RUNNING",
                mapping="RUNNING",
                targets=Targets(done, done // 200, 1200),
            )
            tell(seen, timedelta(seconds=done))
    assert isinstance(shown.file, io.StringIO)
    text = shown.file.getvalue()
    assert "600 of 1,200 targets, 3 failed, 0:10:00" in text
    assert text.count("\n") == 1
