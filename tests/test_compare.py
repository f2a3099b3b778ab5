"""`orgscan diff`, `history`, `status`, `report`: what became of findings; nothing unseen is resolved."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.results.compare import Kind, Later, Places, Side, compare
from cli.results.trend import bar
from cli.start import follow
from infra.schedule import following
from orgscan.line import Line
from tests.commands import Run, runner, told
from tests.doctors import Call, Refusal, World
from tests.goldens import golden
from tests.scans_on_disk import (
    FRESH,
    MENDED,
    PUBLIC,
    ROOT_KEY,
    UNSEEN,
    VOLUMES,
    WORSE,
    Left,
    day,
    resolved,
    scan_id,
    week,
    write,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scans")
    week(made / "results")
    return made


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """In a folder with a week's results."""
    monkeypatch.chdir(folder)
    return runner(monkeypatch)


def kinds(run: Run, *arguments: str) -> dict[str, set[str]]:
    """Kind of difference -> checks."""
    found: dict[str, set[str]] = {}
    for each in told(run, "diff", *arguments, "--json")["differences"]:
        found.setdefault(each["kind"], set()).add(each["check"])
    return found


# Two scans


@pytest.mark.parametrize("columns", [72, 80, 120])
def test_golden_diff_on_a_terminal(run: Run, columns: int) -> None:
    shown = run("diff", "latest~2", "latest", columns=columns).stdout
    golden(f"cli/diff_{columns}.txt", shown)
    assert max(map(len, shown.splitlines())) <= columns


def test_golden_diff_with_a_scan_of_one_account(run: Run) -> None:
    golden("cli/diff_narrower.txt", run("diff", "latest~2", "previous").stdout)
    golden("cli/diff_wider.txt", run("diff").stdout)


def test_what_happened_between_two_scans_of_everything(run: Run) -> None:
    assert kinds(run, "latest~2", "latest") == {
        "new": {"rds-instance-public"},
        "reopened": {"sqs-queue-policy-public"},
        "worsened": {"acm-certificate-expiring"},
        "newly unconfirmed": {"iam-user-access-key-not-rotated"},
        "resolved": {"ecr-repository-public-policy", "ebs-volume-unattached"},
    }
    assert kinds(run, "latest", "latest~2") == kinds(run, "latest~2", "latest"), "time has one direction"


def test_what_a_narrower_scan_did_not_look_at_is_not_resolved(run: Run) -> None:
    found = kinds(run, "latest~2", "previous")
    assert found["resolved"] == {"ecr-repository-public-policy", "ebs-volume-unattached"}
    assert {"iam-root-access-key-present", "s3-bucket-versioning-disabled"} <= found["not looked at now"]
    found = kinds(run, "previous", "latest")
    assert found["new"] == {"rds-instance-public"}
    assert "iam-root-access-key-present" in found["not looked at then"]


def test_the_exit_code_of_a_difference(run: Run, tmp_path: Path) -> None:
    run("diff", "--exit-code", fails=1)
    same = [Left(scan_id(number), day(number), [PUBLIC, ROOT_KEY]) for number in (13, 14)]
    narrow = Left(scan_id(15), day(15), [PUBLIC])
    write(tmp_path, *same, narrow)
    place = ("--results", str(tmp_path), "--exit-code")
    assert "nothing differs" in run("diff", "latest~2", "latest~1", *place).stdout
    assert "NOT LOOKED AT NOW: 1 critical" in run("diff", "latest~1", "latest", *place).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("latest", "latest"), "20260115T060000123Z-15f14e45 is both: name two scans"),
        (("mars",), "'mars': must be a scan's id or its beginning"),
        (("latest~7",), "has only 3 scans that ended"),
    ],
)
def test_scans_that_are_none_are_refused(run: Run, arguments: Sequence[str], said: str) -> None:
    assert said in run("diff", *arguments, fails=2).stderr


THEN, NOW = datetime.fromisoformat(day(13)), datetime.fromisoformat(day(15))
EVERYWHERE = Places(
    frozenset((line.account, line.region) for line in (PUBLIC, ROOT_KEY, UNSEEN, *VOLUMES)),
    frozenset(line.check for line in (PUBLIC, ROOT_KEY, UNSEEN, *VOLUMES)),
)
ELSEWHERE = Places(frozenset({("999999999999", "eu-west-1")}), EVERYWHERE.checks)


def side(started: datetime, *lines: Line, places: Places | None = None) -> Side:
    return Side(started, {line.id: line for line in lines}, places)


def became(then: Side, now: Side, *later: Later) -> list[tuple[Kind, str]]:
    return [(each.kind, each.line.check) for each in compare(then, now, later)]


def test_a_missing_finding_is_resolved_only_where_somebody_says_so_or_looked() -> None:
    then = side(THEN, PUBLIC)
    check = PUBLIC.check
    assert became(then, side(NOW)) == [(Kind.NOT_NOW, check)]
    assert became(then, side(NOW, places=ELSEWHERE)) == [(Kind.NOT_NOW, check)]
    assert became(then, side(NOW, places=EVERYWHERE)) == [(Kind.RESOLVED, check)]
    other_checks = replace(EVERYWHERE, checks=frozenset({"another"}))
    assert became(then, side(NOW, places=other_checks)) == [(Kind.NOT_NOW, check)]
    closed = Later([resolved(PUBLIC, 15)], ())
    assert became(then, side(NOW), closed) == [(Kind.RESOLVED, check)]


def test_the_last_scan_that_tells_of_a_finding_decides() -> None:
    """It was mended and came back, where the later scan did not look."""
    closed, back = Later([resolved(PUBLIC, 14)], ()), Later((), [PUBLIC])
    then, now = side(THEN, PUBLIC), side(NOW)
    assert became(then, now, back, closed) == [(Kind.NOT_NOW, PUBLIC.check)]
    assert became(then, now, closed, back) == [(Kind.RESOLVED, PUBLIC.check)]


def test_what_was_open_before_is_not_new() -> None:
    then, now = side(THEN), side(NOW, PUBLIC)
    assert became(then, now) == [(Kind.NOT_THEN, PUBLIC.check)]
    assert became(side(THEN, places=ELSEWHERE), side(NOW, FRESH)) == [(Kind.NOT_THEN, FRESH.check)]
    assert became(then, side(NOW, FRESH)) == [(Kind.NEW, FRESH.check)]


OPENED = [PUBLIC, ROOT_KEY, UNSEEN, FRESH, MENDED, WORSE, *VOLUMES]
SOME = st.sets(st.sampled_from(range(len(OPENED))))


@settings(max_examples=50)
@given(SOME, SOME, SOME, st.sampled_from([None, EVERYWHERE, ELSEWHERE]))
def test_every_difference_is_of_one_kind_and_no_finding_is_lost(
    a: set[int], b: set[int], closed: set[int], places: Places | None
) -> None:
    then = side(THEN, *(OPENED[each] for each in a))
    now = side(NOW, *(OPENED[each] for each in b), places=places)
    differences = compare(then, now, [Later([resolved(OPENED[each], 15) for each in closed], ())])
    ids = [each.line.id for each in differences]
    assert len(ids) == len({*ids})
    assert {*ids} == then.lines.keys() ^ now.lines.keys()
    for each in differences:
        if each.kind is Kind.RESOLVED:
            told_so = each.line.id in {OPENED[number].id for number in closed}
            assert told_so or (places is EVERYWHERE and each.line in EVERYWHERE)
        if each.kind is Kind.NEW:
            assert datetime.fromisoformat(each.line.opened) > THEN


def test_a_scan_of_an_older_version_in_between_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    week(tmp_path)
    (tmp_path / scan_id(14) / "resolved.jsonl.gz").unlink()
    (tmp_path / scan_id(14) / "findings.jsonl.gz").write_bytes(b"old")
    found = kinds(runner(monkeypatch), "latest~2", "latest", "--results", str(tmp_path))
    assert "resolved" not in found
    assert found["not looked at now"] == {"ecr-repository-public-policy", "ebs-volume-unattached"}


# Many


@pytest.mark.parametrize("columns", [72, 80, 120])
def test_golden_history(run: Run, columns: int) -> None:
    shown = run("history", columns=columns).stdout
    golden(f"cli/history_{columns}.txt", shown)
    assert max(map(len, shown.splitlines()[:4])) <= columns


@pytest.mark.parametrize("by", ["account", "check", "owner", "severity"])
def test_golden_history_by(run: Run, by: str) -> None:
    golden(f"cli/history_by_{by}.txt", run("history", "--by", by, "--schedule", "daily").stdout)


def test_history_for_machines_adds_up(run: Run) -> None:
    for by in ("account", "check", "owner", "severity"):
        shown = told(run, "history", "--by", by, "--json")
        totals = [sum(each["open"].values()) for each in shown["scans"]]
        assert [sum(counts) for counts in zip(*(each["counts"] for each in shown[by]), strict=True)] == totals
        assert sum(sum(each.values()) for each in shown["ages"].values()) == totals[-1]
    assert shown["days_to_resolve"] == {
        "critical": {"findings": 1, "average": 10.0},
        "medium": {"findings": 1, "average": 8.0},
    }


@pytest.mark.parametrize(
    ("arguments", "scans"),
    [((), 3), (("--last", "2"), 2), (("--schedule", "daily"), 2), (("--schedule", ""), 1)],
)
def test_history_is_of_the_newest_scans(run: Run, arguments: Sequence[str], scans: int) -> None:
    shown = told(run, "history", *arguments, "--json")["scans"]
    assert len(shown) == scans
    assert [each["started"] for each in shown] == sorted(each["started"] for each in shown)


def test_history_of_nothing_is_refused(run: Run) -> None:
    assert (
        "there is no scan of schedule 'weekly' in results/"
        in run("history", "--schedule", "weekly", fails=2).stderr
    )


def test_history_says_what_earlier_versions_did_not_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    week(tmp_path)
    (tmp_path / scan_id(13) / "rollup.json").unlink()
    run = runner(monkeypatch)
    place = ("--results", str(tmp_path))
    assert "1 scan of an earlier version did not keep all of this." in run("history", *place).stdout
    shown = told(run, "history", "--by", "check", "--json", *place)
    assert {len(each["counts"]) for each in shown["check"]} == {2}
    assert len(shown["scans"]) == 3


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(-5, 60))
def test_a_bar_never_leaves_its_place(a: float, b: float, width: int) -> None:
    value, most = sorted((a, b))
    length = len(bar(value, most, width))
    assert length <= max(0, width)
    assert (length > 0) == (value > 0 and width > 0)


# The newest


def test_golden_status(run: Run) -> None:
    golden("cli/status.txt", run("status", fails=1).stdout)
    shown = json.loads(run("status", "--json", fails=1).stdout)
    assert (shown["summary"]["scan"], shown["running"]) == (scan_id(15), [])


def test_status_of_a_complete_scan_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, Left(scan_id(15), day(15), [], gaps=(), coverage=100.0))
    shown = runner(monkeypatch)("status", "--results", str(tmp_path)).stdout
    assert "COMPLETE: 100.0% of 1,200 checks evaluated" in shown
    assert "INCOMPLETE" not in shown


HUB = "arn:aws:states:eu-west-1:111122223333:execution:Machine"
OUTPUTS = {"MachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine", "BucketName": "kept"}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """The 13th has ended, the 14th left nothing, and one runs for ten minutes; it is the 15th, 6:10."""
    world = World(monkeypatch)
    monkeypatch.chdir(tmp_path)
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
    world.answer(
        "cloudformation:DescribeStacks",
        {"Stacks": [{"StackName": "x", "StackStatus": "x", "Outputs": outputs}]},
    )
    scans = [scan_id(13), scan_id(14), "20260115T060000000Z-8f14e45f"]
    world.answer("s3:ListObjectsV2", {"CommonPrefixes": [{"Prefix": f"scans/{each}/"} for each in scans]})
    left = Left(scan_id(13), day(13), [PUBLIC])

    def get(call: Call) -> Any:
        if call.asked["Key"] != f"scans/{scan_id(13)}/summary.json":
            return Refusal("NoSuchKey", "it is not there", 404)
        return {"Body": io.BytesIO(json.dumps(left.summary).encode())}

    world.answer("s3:GetObject", get)
    started = datetime(2026, 1, 15, 6, 0, tzinfo=UTC)
    running = {
        "executionArn": f"{HUB}:8f14e45f-ceea",
        "name": "8f14e45f-ceea",
        "startDate": started,
        "status": "RUNNING",
    }
    world.answer("stepfunctions:ListExecutions", {"executions": [running]})
    clock = follow.Clock(lambda: datetime(2026, 1, 15, 6, 10, tzinfo=UTC), lambda _: None)
    monkeypatch.setattr(follow, "CLOCK", clock)
    return world


def test_golden_status_of_a_deployment(
    deployed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orgscan.yaml").write_text(
        """schedules:
  - {name: daily, expression: "cron(0 6 * * ? *)", timezone: Europe/Berlin}
  - {name: often, expression: rate(12 hours)}
  - {name: last, expression: "cron(0 6 L * ? *)"}
"""
    )
    run = runner(monkeypatch)
    golden("cli/status_deployed.txt", run("status", fails=1).stdout)
    shown = json.loads(run("status", "--json", fails=1).stdout)
    assert shown["running"] == ["20260115T060000000Z-8f14e45f"]
    assert shown["without_results"] == [scan_id(14)]
    deployed.refuse("stepfunctions:ListExecutions")
    shown = run("status", fails=1).stdout
    assert "running    not known: access denied: stepfunctions:ListExecutions" in shown
    assert "it failed, or was stopped" not in shown, "nobody knows"


def test_status_of_a_stack_needs_no_configuration(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = runner(monkeypatch)("status", "--stack", "OrgscanHub", fails=1).stdout
    assert "next" not in shown
    assert {call.region for call in deployed.calls} == {"eu-west-1"}


@pytest.mark.parametrize(
    ("expression", "now", "runs"),
    [
        ("cron(0 6 * * ? *)", "2026-01-15T05:59:59+00:00", "2026-01-15T06:00:00+00:00"),
        ("cron(0 6 * * ? *)", "2026-01-15T06:00:00+00:00", "2026-01-16T06:00:00+00:00"),
        ("cron(0/20 6,18 * * ? *)", "2026-01-15T06:40:00+00:00", "2026-01-15T18:00:00+00:00"),
        ("cron(30 7 ? * MON *)", "2026-01-15T00:00:00+00:00", "2026-01-19T07:30:00+00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-15T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        ("cron(0 0 1 1 ? 2026)", "2026-01-15T00:00:00+00:00", None),
        ("cron(0 6 L * ? *)", "2026-01-15T00:00:00+00:00", None),
        ("rate(12 hours)", "2026-01-15T00:00:00+00:00", None),
    ],
)
def test_when_a_schedule_is_due(expression: str, now: str, runs: str | None) -> None:
    found = following(expression, datetime.fromisoformat(now))
    assert found == (datetime.fromisoformat(runs) if runs else None)


# For people


def test_the_report_of_local_results_is_told_and_copied_only_if_asked(run: Run, tmp_path: Path) -> None:
    assert run("report").stdout == f"results/{scan_id(15)}/report.html\n"
    file = tmp_path / "report.html"
    assert run("report", "--scan", "previous", "--output", str(file)).stdout == f"{file}\n"
    assert file.read_text() == f"<!doctype html><title>{scan_id(14)}</title>"
    assert (
        "must be a file that can be written: Is a directory"
        in run("report", "-o", str(tmp_path), fails=2).stderr
    )


def test_the_report_of_a_deployment_is_fetched(
    deployed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(monkeypatch)
    deployed.answer("s3:GetObject", lambda _: {"Body": io.BytesIO(b"<!doctype html>")})
    name = "orgscan-20260115T060000000Z-8f14e45f.html"
    assert run("report", "--stack", "OrgscanHub").stdout == f"{name}\n"
    assert (tmp_path / name).read_bytes() == b"<!doctype html>"
    deployed.answer("s3:GetObject", Refusal("NoSuchKey", "it is not there", 404))
    assert (
        "the scan has not ended"
        in run("report", "--stack", "OrgscanHub", "--scan", scan_id(13), fails=2).stderr
    )


@pytest.mark.parametrize(("trouble", "code"), [(0, 0), (3, 1)])
def test_a_browser_is_opened_or_it_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, trouble: int, code: int
) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return trouble

    monkeypatch.setattr("typer.launch", launch)
    shown = run("report", "--open", fails=code)
    assert opened == [(Path("results") / scan_id(15) / "report.html").resolve().as_uri()]
    assert ("open results/" in shown.stderr) == bool(trouble)
