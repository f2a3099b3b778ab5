"""`orgscan scan`: the engine of a deployment on one's own machine, with what it keeps in a folder."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import main_thread
from typing import Any, TypeAlias

import boto3
import pytest
import typer
import yaml
from rich.console import Console
from typer.testing import CliRunner, Result

from cli import main
from cli.scan import command, run, show
from cli.scan.store import FILE, DiskStore
from orgscan.line import Line
from orgscan.model import Finding, Severity
from orgscan.port import Store
from orgscan.reconcile import Change
from orgscan.results import Results, Shelved
from orgscan.store import FindingStore
from tests import handlers
from tests.doctors import HUB, Call, Refusal, World
from tests.goldens import golden

REGIONS = ("eu-west-1", "eu-west-2")
NEAR, FAR = REGIONS
OTHER, THIRD = "222222222222", "333333333333"
CHECKS = ("ec2-eip-unassociated", "ebs-volume-unattached")
BEGAN = datetime(2026, 1, 15, 6, tzinfo=UTC)
Place: TypeAlias = tuple[str, str]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
"""This command alone: its runner builds all of them anew each time."""
app.command()(command.scan)


class Aws:
    """Accounts with addresses and volumes that nobody uses."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.addresses: dict[Place, Sequence[str]] = {}
        self.volumes: dict[Place, Sequence[int]] = {}
        """Their sizes."""
        told = [{"RegionName": each, "OptInStatus": "opt-in-not-required"} for each in REGIONS]
        world.answer("ec2:DescribeRegions", {"Regions": told})
        world.answer("ec2:DescribeAddresses", self._addresses)
        world.answer("ec2:DescribeVolumes", self._volumes)
        world.answer("organizations:DescribeOrganization", {"Organization": {"Id": "o-acme123456"}})
        self.organize(HUB, OTHER)

    def organize(self, *accounts: str) -> None:
        told = [{"Id": each, "Name": f"acme-{each[0]}", "State": "ACTIVE"} for each in accounts]
        self.world.answer("organizations:ListAccounts", {"Accounts": told})

    def _addresses(self, call: Call) -> Mapping[str, Any]:
        names = self.addresses.get((call.account, call.region), ())
        return {
            "Addresses": [{"AllocationId": f"eipalloc-{each}", "PublicIp": "192.0.2.1"} for each in names]
        }

    def _volumes(self, call: Call) -> Mapping[str, Any]:
        sizes = self.volumes.get((call.account, call.region), ())
        made = BEGAN - timedelta(days=90)
        like = {"State": "available", "VolumeType": "gp3", "CreateTime": made, "Attachments": []}
        return {
            "Volumes": [
                {**like, "VolumeId": f"vol-{size:08}", "Size": size, "Encrypted": True} for size in sizes
            ]
        }


class Machine:
    """One's own, in an empty folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now = BEGAN
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        patch.setattr(command, "NOW", lambda: self.now)
        patch.setattr(command, "uuid4", lambda: type("Id", (), {"hex": "8f14e45fceea"}))

    def scan(self, *options: str, checks: Sequence[str] = CHECKS) -> Result:
        self.now += timedelta(hours=1)
        asked = [part for check in checks for part in ("--check", check)]
        return CliRunner().invoke(app, [*asked, *options])

    @property
    def results(self) -> Results:
        """Of the newest scan."""
        folders = sorted(each for each in (self.folder / "results").iterdir() if each.is_dir())
        return Results(Shelved(folders[-1]))

    @property
    def changes(self) -> dict[str, int]:
        told: Mapping[str, Mapping[str, int]] = self.results.summary["changes"]
        return {change: sum(by.values()) for change, by in told.items()}

    def found(self) -> set[tuple[str, str, str]]:
        return {
            (each.account, each.region, each.resource.rpartition("/")[2]) for each in self.results.findings()
        }

    def resolved(self) -> set[tuple[str, str, str]]:
        return {
            (each.account, each.region, each.resource.rpartition("/")[2]) for each in self.results.resolved()
        }


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Aws:
    return Aws(World(monkeypatch))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def refused(result: Result, machine: Machine) -> str:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert not [each for each in machine.folder.glob("results/*") if each.is_dir()]
    return result.stderr


def own(region: str, name: str) -> tuple[str, str, str]:
    return (HUB, region, name)


# What happens to findings


def test_what_is_new_then_known_then_resolved(cloud: Aws, machine: Machine) -> None:
    cloud.addresses[HUB, NEAR] = ["1", "2"]
    assert machine.scan().exit_code == 0
    assert machine.changes == {"new": 2}
    first = {each.id: each for each in machine.results.findings()}
    assert machine.scan().exit_code == 0
    assert machine.changes == {}
    assert {each.id: each for each in machine.results.findings()} == first, "first_seen and history too"
    cloud.addresses[HUB, NEAR] = ["2", "3"]
    assert machine.scan().exit_code == 0
    assert machine.changes == {"new": 1, "resolved": 1}
    assert machine.found() == {own(NEAR, "eipalloc-2"), own(NEAR, "eipalloc-3")}
    (gone,) = machine.results.resolved()
    assert [event.change for event in gone.history] == [Change.NEW, Change.RESOLVED]
    assert gone.first_seen == first[gone.id].first_seen


def test_every_check_has_one_outcome_and_a_denied_call_is_a_gap_that_closes_nothing(
    cloud: Aws, machine: Machine
) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    machine.scan()
    cloud.addresses.clear()
    cloud.world.refuse("ec2:DescribeAddresses", region=NEAR, code="UnauthorizedOperation")
    result = machine.scan("--fail-on-gaps")
    assert (result.exit_code, machine.changes) == (3, {})
    assert "--fail-on-gaps: the scan is incomplete" in result.stderr
    told = machine.results.summary
    assert told["checks"] == {"planned": 4, "evaluated": 3}
    (lost,) = told["gaps"]
    assert (lost["reason"], lost["detail"], lost["checks"]) == ("denied", "ec2:DescribeAddresses", 1)
    (known,) = machine.results.findings()
    assert known.unconfirmed_since
    assert machine.scan().exit_code == 0, "who does not ask is not told by the exit code"


@pytest.mark.parametrize(
    ("options", "checks", "left"),
    [
        (("--region", FAR), CHECKS, {own(FAR, "eipalloc-2")}),
        ((), CHECKS[1:], {own(NEAR, "eipalloc-1"), own(FAR, "eipalloc-2")}),
        (("--account", OTHER, "--role", "auditor"), CHECKS, set()),
    ],
    ids=["region", "check", "account"],
)
def test_a_narrower_scan_leaves_what_it_does_not_look_at_as_it_was(
    cloud: Aws, machine: Machine, options: Sequence[str], checks: Sequence[str], left: set[Any]
) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (HUB, FAR): ["2"]}
    machine.scan()
    cloud.addresses[HUB, NEAR] = []
    assert machine.scan(*options, checks=checks).exit_code == 0
    assert (machine.changes, machine.found(), machine.resolved()) == ({}, left, set())
    machine.scan()
    assert (machine.changes, machine.resolved()) == ({"resolved": 1}, {own(NEAR, "eipalloc-1")})


def test_a_comparison_knows_what_a_narrower_scan_did_not_look_at(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1", "2"], (HUB, FAR): ["3"]}
    machine.scan("--region", FAR)
    cloud.addresses[HUB, FAR] = ["4"]
    machine.scan()
    told = json.loads(CliRunner().invoke(main.app, ["diff", "--json"]).stdout)["differences"]
    kinds = [(each["kind"], each["region"]) for each in told]
    assert kinds == [("new", FAR), ("resolved", FAR), *[("not looked at then", NEAR)] * 2]


def test_a_region_that_is_no_longer_enabled_is_told_of_and_closes_nothing(
    cloud: Aws, machine: Machine
) -> None:
    cloud.addresses[HUB, FAR] = ["1"]
    everywhere = ("ec2-eip-unassociated", "iam-root-mfa-disabled")
    machine.scan(checks=everywhere)
    cloud.world.answer("ec2:DescribeRegions", {"Regions": [{"RegionName": NEAR}]})
    machine.scan(checks=everywhere)
    assert machine.resolved() == set()
    (known,) = (each for each in machine.results.findings() if each.region == FAR)
    assert known.unconfirmed_since


# Whose account is entered, and how


def test_ones_own_account_is_not_entered(cloud: Aws, machine: Machine) -> None:
    machine.scan()
    assert cloud.world.asked("sts:AssumeRole") == []
    assert {call.account for call in cloud.world.calls} == {HUB}


def test_another_account_is_entered_through_the_role(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (OTHER, FAR): ["2"]}
    options = ("--account", OTHER, "--account", HUB, "--role", "audit/reader", "--external-id", "x-1")
    assert machine.scan(*options).exit_code == 0
    assert machine.found() == {own(NEAR, "eipalloc-1"), (OTHER, FAR, "eipalloc-2")}
    asked = [call.asked for call in cloud.world.asked("sts:AssumeRole")]
    assert {each["RoleArn"] for each in asked} == {f"arn:aws:iam::{OTHER}:role/audit/reader"}
    assert {each["ExternalId"] for each in asked} == {"x-1"}


def test_an_account_that_lets_nobody_in_is_a_gap(cloud: Aws, machine: Machine) -> None:
    cloud.world.refuse("sts:AssumeRole")
    assert machine.scan("--account", OTHER, "--role", "auditor", "--fail-on-gaps").exit_code == 3
    told = machine.results.summary
    assert (told["complete"], told["checks"]["evaluated"]) == (False, 0)
    assert {(each["reason"], each["detail"]) for each in told["gaps"]} == {("denied", "sts:AssumeRole")}


def configured(machine: Machine, **told: Any) -> tuple[str, str]:
    (machine.folder / "acme.yaml").write_text(yaml.safe_dump(told))
    return "--config", "acme.yaml"


def test_the_configuration_is_that_of_a_deployment(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1", "2"], (OTHER, NEAR): ["3"], (OTHER, FAR): ["4"]}
    rule = {"resource_glob": "*eipalloc-2", "reason": "kept", "owner": "ada", "expires": "2026-02-01"}
    config = configured(
        machine,
        regions=[NEAR],
        role={"name": "company-reader", "external_id": "x-9"},
        deployment={"path": "/audit/"},
        checks={"off": ["ebs-volume-unattached"]},
        suppressions=[rule],
    )
    assert machine.scan(*config, "--organization", checks=CHECKS[:1]).exit_code == 0
    asked = {
        (call.asked["RoleArn"], call.asked["ExternalId"]) for call in cloud.world.asked("sts:AssumeRole")
    }
    assert asked == {(f"arn:aws:iam::{OTHER}:role/audit/company-reader", "x-9")}
    status = {each.resource.rpartition("/")[2]: each.status for each in machine.results.findings()}
    assert status == {"eipalloc-1": "open", "eipalloc-2": "suppressed", "eipalloc-3": "open"}
    names = {each.account_name for each in machine.results.findings()}
    assert names == {"acme-1", "acme-2"}
    assert "must be the id of a check that is switched on" in machine.scan(*config).stderr
    told = machine.scan("--baseline", machine.results.summary["scan"], "--json", "--quiet", checks=CHECKS[:1])
    assert json.loads(told.stdout)["added"] == {"low": 1}, "it was accepted, and nobody accepts it now"


def test_an_account_that_left_is_closed_and_what_is_of_others_is_not(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(OTHER, NEAR): ["2"], (THIRD, NEAR): ["3"]}
    machine.scan("--account", THIRD, "--role", "reader")  # in the same folder, of no organization
    machine.scan("--organization", "--role", "reader")
    assert machine.found() == {(OTHER, NEAR, "eipalloc-2")}
    cloud.organize(HUB)
    machine.scan("--organization", "--role", "reader")
    assert machine.resolved() == {(OTHER, NEAR, "eipalloc-2")}
    assert [each["change"] for each in machine.results.summary["account_changes"]] == ["left"]
    machine.scan("--organization", "--role", "reader")
    assert machine.results.summary["account_changes"] == [], "told once"
    machine.scan("--account", THIRD, "--role", "reader")
    assert (machine.changes, machine.found()) == ({}, {(THIRD, NEAR, "eipalloc-3")})


# Exit codes


@pytest.mark.parametrize(
    ("severity", "code"), [("informational", 1), ("low", 1), ("medium", 0), ("critical", 0)]
)
def test_findings_from_a_severity_on_fail(cloud: Aws, machine: Machine, severity: str, code: int) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    result = machine.scan("--fail-on", severity)
    assert result.exit_code == code
    assert (f"--fail-on {severity}: 1 of the findings" in result.stderr) == bool(code)


def test_with_a_baseline_only_what_is_new_or_worse_fails(cloud: Aws, machine: Machine) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    machine.scan()
    scan = machine.results.summary["scan"]
    assert machine.scan("--fail-on", "low", "--baseline", scan).exit_code == 0
    cloud.addresses[HUB, NEAR] = ["1", "2"]
    assert machine.scan("--fail-on", "low", "--baseline", scan).exit_code == 1
    assert machine.scan("--fail-on", "low", "--baseline", scan).exit_code == 1, "known since, and not there"
    folder = machine.folder / "results" / scan
    lines = [*Results(Shelved(folder)).findings()]
    Results(Shelved(machine.folder / "kept")).put_lines("findings.jsonl.gz", [*lines, *easier(machine)])
    result = machine.scan("--fail-on", "low", "--baseline", "kept", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["failing"], told["added"], told["open"]) == (1, 1, {"low": 1}, {"low": 2})


def easier(machine: Machine) -> list[Line]:
    """The second address, as if it had been informational."""
    (line,) = (each for each in machine.results.findings() if each.resource.endswith("-2"))
    return [Line.from_json({**line.to_json(), "severity": "informational"})]


def test_findings_come_before_gaps(cloud: Aws, machine: Machine) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    cloud.world.refuse("ec2:DescribeVolumes", region=NEAR)
    assert machine.scan("--fail-on", "low", "--fail-on-gaps").exit_code == 1
    assert machine.scan("--fail-on", "high", "--fail-on-gaps").exit_code == 3


def test_what_other_checks_found_before_does_not_fail_a_scan_of_one(cloud: Aws, machine: Machine) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    machine.scan()
    result = machine.scan("--fail-on", "low", checks=CHECKS[1:])
    assert (result.exit_code, "open: none" in result.stdout) == (0, True)


# What goes wrong on the way


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """A test runner's workers may ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    """Ctrl-C, and the main thread has heard of it."""
    signal.pthread_kill(int(main_thread().ident or 0), signal.SIGINT)
    while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        os.sched_yield()


def test_ctrl_c_keeps_what_was_done_and_the_rest_is_a_gap(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (HUB, FAR): ["2"]}
    machine.scan()
    cloud.addresses |= {(HUB, NEAR): [], (HUB, FAR): []}

    def interrupted(_: Call) -> Mapping[str, Any]:
        interrupt()
        return {"Addresses": []}

    cloud.world.answer("ec2:DescribeAddresses", interrupted, region=FAR)
    result = machine.scan("--concurrency", "1", "--fail-on", "low", "--fail-on-gaps")
    assert result.exit_code == 130, result.output
    assert machine.resolved() == {own(NEAR, "eipalloc-1")}
    assert machine.found() == {own(FAR, "eipalloc-2")}
    told = machine.results.summary
    assert (told["complete"], told["checks"]) == (False, {"planned": 4, "evaluated": 2})
    assert [(each["reason"], each["checks"]) for each in told["gaps"]] == [("deadline", 2)]
    assert "interrupted" in told["gaps"][0]["detail"]
    cloud.world.answer("ec2:DescribeAddresses", {"Addresses": []}, region=FAR)
    assert machine.scan().exit_code == 0
    assert (machine.changes, machine.resolved()) == ({"resolved": 1}, {own(FAR, "eipalloc-2")})


def test_whoever_is_in_a_hurry_keeps_nothing_and_breaks_nothing(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (HUB, FAR): ["2"]}

    def twice(_: Call) -> Mapping[str, Any]:
        interrupt()
        signal.pthread_kill(int(main_thread().ident or 0), signal.SIGINT)
        return {"Addresses": []}

    cloud.world.answer("ec2:DescribeAddresses", twice, region=FAR)
    result = machine.scan("--concurrency", "1")
    assert result.exit_code == 130
    assert result.stderr.endswith("interrupted: nothing of this scan is kept\n")
    assert [each.name for each in machine.folder.glob("results/*")] == [FILE]
    cloud.world.answer("ec2:DescribeAddresses", {"Addresses": []}, region=FAR)
    machine.scan()
    assert machine.changes == {"new": 1}


class Killed(BaseException):
    """The machine goes out."""


def test_a_scan_that_dies_between_two_targets_leaves_nothing_and_the_next_one_tells_all(
    cloud: Aws, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (HUB, FAR): ["2"]}
    machine.scan()
    cloud.addresses |= {(HUB, NEAR): [], (HUB, FAR): ["2", "3"]}
    base, record = machine.folder / "results" / FILE, DiskStore.record
    left: list[bytes] = []

    def dies(store: DiskStore, *told: Any, **how: Any) -> Any:
        """What lies on the disk at that moment is what a machine would find that comes back."""
        if left:
            raise Killed
        receipt = record(store, *told, **how)
        left.append(base.read_bytes())
        return receipt

    with monkeypatch.context() as patch:
        patch.setattr(DiskStore, "record", dies)
        with pytest.raises(Killed):
            machine.scan("--concurrency", "1")
    assert [*machine.folder.glob("results/*.unfinished")] == []
    base.write_bytes(left[0])
    assert machine.scan().exit_code == 0
    assert machine.changes == {"new": 1, "resolved": 1}


def test_a_worker_that_our_own_code_lets_down_is_a_gap_and_the_others_go_on(
    cloud: Aws, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.addresses |= {(HUB, NEAR): ["1"], (HUB, FAR): ["2"]}
    record, failed = DiskStore.record, list[str]()

    def fails(store: DiskStore, scan: str, started: str, look: Any, **how: Any) -> Any:
        if look.coverage.target.region == NEAR and not failed:
            failed.append("secret words")
            raise LookupError(failed[0])
        return record(store, scan, started, look, **how)

    monkeypatch.setattr(DiskStore, "record", fails)
    assert machine.scan("--fail-on-gaps").exit_code == 3
    assert machine.found() == {own(FAR, "eipalloc-2")}
    (lost,) = machine.results.summary["gaps"]
    assert (lost["reason"], lost["checks"]) == ("fault", 2)
    assert lost["detail"].startswith("LookupError at work.py:")


def test_results_appear_whole_or_not_at_all(
    cloud: Aws, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    put = Shelved.put

    def full(shelf: Shelved, name: str, body: Any) -> None:
        if name == "resolved.jsonl.gz":
            raise OSError(28, "No space left on device")
        put(shelf, name, body)

    with monkeypatch.context() as patch:
        patch.setattr(Shelved, "put", full)
        assert "No space left on device" in refused(machine.scan(), machine)
    assert [each.name for each in machine.folder.glob("results/*")] == [FILE]
    machine.scan()
    assert machine.changes == {"new": 1}, "nobody was told of it"


@pytest.mark.usefixtures("cloud")
def test_a_second_scan_into_the_same_folder_is_refused(machine: Machine) -> None:
    (machine.folder / "results").mkdir()
    with closing(DiskStore(machine.folder / "results" / FILE)) as store, store.whole():
        assert refused(machine.scan(), machine) == (
            "--results: results: another scan is writing there: wait, or name another folder\n"
        )
    assert machine.scan().exit_code == 0


@pytest.mark.usefixtures("cloud")
def test_what_a_newer_version_has_written_is_not_touched(machine: Machine) -> None:
    machine.scan()
    with closing(sqlite3.connect(machine.folder / "results" / FILE)) as base, base:
        base.execute("UPDATE items SET item = '{\"schema\": 99}' WHERE pk = 'SCHEMA'")
    result = machine.scan()
    assert (result.exit_code, "schema 99" in result.stderr) == (2, True)


# What is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--account", "1111"), "'1111' is not an account: 12 digits"),
        (("--account", OTHER), "--account: must stand with --role NAME, or --config, whose role is entered"),
        (("--role", "reader"), "--role: must stand with --account or --organization"),
        (("--external-id", "x"), "--external-id: must stand with --role"),
        (("--ou", "ou-ab12-cdefgh34"), "--ou: must stand with --organization"),
        (("--account-tag", "stage=prod"), "--account-tag: must stand with --organization"),
        (("--account-tag", "stage"), "'stage' is not a tag: KEY=VALUE"),
        (("--organization",), "--organization: must stand with --role NAME or --config"),
        (("--region", "mars"), 'regions[0]: "mars" must be a region of this partition'),
        (("--check", "ec2-eip-unasociated"), 'did you mean "ec2-eip-unassociated"?'),
        (("--category", "sekurity"), 'categories[0]: "sekurity" must be a category'),
        (("--fail-on", "bad"), "'bad' is not one of"),
        (("--concurrency", "0"), "should be greater than or equal to 1"),
        (("--baseline", "x"), "--baseline: 'x': must be a scan in results/, or a folder of results"),
        (("--baseline", "."), "--baseline: ./findings.jsonl.gz: there must be such a file"),
        (("--config", "none.yaml"), "none.yaml: must be a readable file"),
        (("--results", "taken"), "--results: taken: must be a folder that can be written to"),
    ],
)
def test_what_cannot_be_is_refused(cloud: Aws, machine: Machine, options: Sequence[str], said: str) -> None:
    (machine.folder / "taken").write_text("")
    told = " ".join(refused(machine.scan(*options), machine).replace("│", " ").split())
    assert said in told
    assert cloud.world.asked("ec2:DescribeAddresses") == []


@pytest.mark.parametrize(
    ("accounts", "options", "said"),
    [
        ({"exclude": [HUB]}, (), f"--account: {HUB}, that of the credentials: must be among the accounts"),
        ({"ids": [OTHER]}, ("--account", THIRD), f"--account: {THIRD}: must be among the accounts"),
        ({"organization": False, "ids": [HUB]}, ("--organization",), "accounts.organization is false"),
    ],
)
def test_what_the_configuration_leaves_out_stays_out(
    cloud: Aws, machine: Machine, accounts: Any, options: Sequence[str], said: str
) -> None:
    config = configured(machine, accounts=accounts)
    assert said in refused(machine.scan(*config, *options), machine)
    assert cloud.world.asked("sts:AssumeRole") == []


Told: TypeAlias = Callable[[Aws, pytest.MonkeyPatch], None]


def code(name: str, words: str = "said AWS") -> Told:
    return lambda cloud, _: cloud.world.answer("sts:GetCallerIdentity", Refusal(name, words))


def without(*names: str) -> Told:
    def trouble(_: Aws, patch: pytest.MonkeyPatch) -> None:
        for name in names:
            patch.delenv(name)

    return trouble


KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (code("ExpiredToken"), "the credentials have expired: sign in (aws sso login)"),
        (code("InvalidClientTokenId"), "AWS does not know the credentials"),
        (code("SignatureDoesNotMatch"), "AWS does not know the credentials"),
        (code("Throttling"), "AWS asks to wait"),
        (code("AccessDenied"), "the credentials are not allowed to ask"),
        (without("AWS_DEFAULT_REGION"), "no region is set: set AWS_DEFAULT_REGION"),
        (without(*KEYS), "there are no credentials: sign in (aws sso login), name a --profile"),
        (without("AWS_SECRET_ACCESS_KEY"), "the credentials are incomplete"),
    ],
)
def test_credentials_that_are_of_no_use_are_named_before_anything_starts(
    cloud: Aws, machine: Machine, monkeypatch: pytest.MonkeyPatch, trouble: Told, said: str
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(machine.folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(machine.folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    trouble(cloud, monkeypatch)
    told = refused(machine.scan(), machine)
    assert told.startswith(said)
    assert len(told.splitlines()) == 1
    assert not (machine.folder / "results").exists()


SSO = """
[profile sso]
region = eu-west-2
sso_session = acme
sso_account_id = 222222222222
sso_role_name = reader
[sso-session acme]
sso_region = eu-west-1
sso_start_url = https://acme.example
[profile keys]
region = eu-west-2
aws_access_key_id = OF222222222222
aws_secret_access_key = s
"""


def test_a_profile_is_whose_credentials_and_region_count(
    cloud: Aws, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in KEYS:
        monkeypatch.delenv(each)
    (machine.folder / "config").write_text(SSO)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(machine.folder / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    expired = refused(machine.scan("--profile", "sso"), machine)
    assert expired == ("the sign-in has expired, or there was none: sign in (aws sso login --profile sso)\n")
    nobody = refused(machine.scan("--profile", "nobody"), machine)
    assert nobody == "there is no profile nobody: see aws configure list-profiles\n"
    cloud.world.answer("sts:GetCallerIdentity", {"Account": OTHER, "Arn": "arn", "UserId": "AIDA"})
    cloud.addresses[OTHER, NEAR] = ["1"]
    assert machine.scan("--profile", "keys").exit_code == 0
    assert machine.found() == {(OTHER, NEAR, "eipalloc-1")}
    assert cloud.world.asked("sts:GetCallerIdentity")[0].region == FAR
    assert cloud.world.asked("sts:AssumeRole") == []


@pytest.mark.parametrize("call", ["organizations:DescribeOrganization", "organizations:ListAccounts"])
def test_who_may_not_list_the_organization_is_told_who_may(cloud: Aws, machine: Machine, call: str) -> None:
    cloud.world.refuse(call)
    told = refused(machine.scan("--organization", "--role", "reader"), machine)
    assert told.startswith(
        f"--organization: its accounts cannot be listed (denied: {call}): use credentials of"
    )


def test_who_may_not_list_regions_is_told(cloud: Aws, machine: Machine) -> None:
    cloud.world.refuse("ec2:DescribeRegions")
    assert refused(machine.scan(), machine).endswith(
        "regions cannot be listed (denied: ec2:DescribeRegions)\n"
    )


# Where it comes from


def test_it_is_a_command_of_orgscan() -> None:
    assert "Exit code 0: done." in CliRunner().invoke(main.app, ["scan", "--help"]).stdout


def test_the_engine_is_that_of_a_deployment(
    aws: boto3.Session,
    table: Any,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of one and the same AWS both find the same, with the same words, and look at as much."""
    functions = handlers.ready(aws, table, monkeypatch, capsys)
    for region in handlers.REGIONS:
        boto3.client("ec2", region).allocate_address(Domain="vpc")
    handlers.scan(functions)
    hub, (scan,) = FindingStore(table), FindingStore(table).finished(2)
    places = [part for region in handlers.REGIONS for part in ("--region", region)]
    assert machine.scan(*places, "--concurrency", "1", checks=handlers.CHECKS).exit_code == 0
    with closing(DiskStore(machine.folder / "results" / FILE)) as mine:
        assert found(mine) == found(hub)
        assert len(found(mine)) == 2
        left = [*mine.receipts(machine.results.summary["scan"])]
    theirs = [*hub.receipts(scan)]
    told = ("target", "planned", "unseen", "resources", "tagged", "open", "found", "changed")
    for name in told:
        assert [getattr(each, name) for each in left] == [getattr(each, name) for each in theirs]


def found(store: Store) -> dict[str, Finding]:
    return {each.finding.resource: each.finding for kind in Severity for each in store.open_findings(kind)}


# What people read


def test_the_end_where_there_is_no_terminal(cloud: Aws, machine: Machine) -> None:
    cloud.addresses |= {
        (HUB, NEAR): ["1", "2", "[red]\x1b[31m\nforged <b>" + "x" * 80],
        (OTHER, FAR): [str(each) for each in range(10, 20)],
    }
    cloud.volumes[HUB, NEAR] = [500]
    cloud.world.refuse("ec2:DescribeVolumes", region=FAR)
    result = machine.scan("--organization", "--role", "reader", "--concurrency", "1", "--fail-on", "low")
    golden("scan/no_terminal.txt", f"{result.stderr}---\n{result.stdout}")
    assert all(len(line) <= 80 for line in result.stdout.splitlines()[:-1])


def test_a_live_line_says_how_far_it_is_and_stays_one_line() -> None:
    seen, written = run.Progress(total=12_000), io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, highlight=False)
    with show.watching(console, lambda: BEGAN, quiet=False) as tell:
        seen.done, seen.unseen = 1_200, 31
        seen.found.update({Severity.LOW: 7_777, Severity.CRITICAL: 2, Severity.HIGH: 1_000_000})
        tell(seen)
        seen.stopping = True
        tell(seen)
    lines = [line for line in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", written.getvalue()).split("\r") if line]
    golden("scan/live.txt", "\n".join(dict.fromkeys(map(str.strip, lines))) + "\n")
    assert max(map(len, lines)) <= 81


@pytest.mark.usefixtures("cloud")
def test_nothing_found_is_told_in_three_lines(machine: Machine) -> None:
    result = machine.scan("--quiet")
    assert result.stderr == ""
    golden("scan/nothing.txt", result.stdout)


def test_machines_are_told_all(cloud: Aws, machine: Machine) -> None:
    cloud.addresses[HUB, NEAR] = ["1"]
    told = json.loads(machine.scan("--json", "--fail-on", "high").stdout)
    summary = machine.results.summary
    assert told == {
        "scan": summary["scan"],
        "folder": f"results/{summary['scan']}/",
        "interrupted": False,
        "open": {"low": 1},
        "added": None,
        "failing": 0,
        "summary": summary,
    }
