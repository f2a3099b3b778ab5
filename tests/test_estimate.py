"""`orgscan estimate`: what it says, what it refuses, and that README says the same."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.estimate import Estimate, show
from cli.main import app
from infra.schedule import runs_a_month
from orgscan.cost import CONSTANTS, Size, expected, lines, standing
from tests.goldens import golden

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
LARGE = Estimate(Size(accounts=100, regions=17), "as asked")


def run(*arguments: str, fails: int = 0) -> str:
    result = CliRunner().invoke(app, ["estimate", *arguments], env={"NO_COLOR": "1", "COLUMNS": "80"})
    assert result.exit_code == fails, result.output
    return result.output


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


@pytest.mark.parametrize("width", [80, 36])
def test_golden(width: int) -> None:
    output = StringIO()
    show(Console(file=output, width=width, highlight=False, no_color=True), LARGE)
    assert max(map(len, output.getvalue().splitlines())) <= width
    golden(f"cli/estimate_{width}.txt", "\n".join(map(str.rstrip, output.getvalue().splitlines())) + "\n")


def test_readme_shows_what_the_command_says() -> None:
    shown = re.search(r"```sh\n(orgscan estimate[^\n]*)\n```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert shown
    command, output = shown.groups()
    said = run(*command.split()[2:])
    assert [line.rstrip() for line in output.splitlines() if line != "..."] == [
        line.rstrip() for line in said.splitlines()[: len(output.splitlines()) - 1]
    ]
    assert "Total" in output


def test_json_has_all_that_the_table_has() -> None:
    answer = told("--accounts", "100", "--regions", "17", "--scans-per-month", "30")
    size = Size(accounts=100, regions=17)
    assert answer["assumed"]["targets"] == 1800
    bill = [*lines(expected(size)), *standing(size)]
    assert [line["name"] for line in answer["month"]["lines"]] == [line.name for line in bill]
    assert answer["month"]["usd"] == pytest.approx(
        sum(each["usd"] for each in answer["month"]["lines"]), abs=0.01
    )
    assert answer["scan"]["usd"] == pytest.approx(expected(size).usd, abs=0.0001)
    for name in ("gb_seconds", "transitions", "reads", "writes", "s3_puts", "s3_gets", "log_bytes"):
        assert answer["scan"][name] > 0
    assert [each["name"] for each in answer["constants"]] == [each.name for each in CONSTANTS]
    assert answer["prices"] == "us-east-1 list price of 2026-01"


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--accounts", "0", "a whole number from 1 to 100,000"),
        ("--accounts", "many", "a whole number from 1 to 100,000"),
        ("--regions", "-1", "a whole number from 1 to 100"),
        ("--scans-per-month", "0", "a number from 0.01 to 50,000"),
        ("--scans-per-month", "nan", "a number from 0.01 to 50,000"),
        ("--findings", "-1", "a whole number from 0 to 1,000,000"),
        ("--resources", "1.5", "a whole number from 0 to 1,000,000"),
        ("--changes", "-1", "a whole number from 0 to 10,000,000"),
        ("--seconds", "0", "a number from 0.1 to 14,400"),
    ],
)
def test_wrong_options_are_refused_by_name_value_and_what_is_allowed(
    option: str, value: str, allowed: str
) -> None:
    others = {"--accounts": "1", "--regions": "1"} | {option: value}
    said = run(*(part for pair in others.items() for part in pair), fails=2)
    for part in (option, f"'{value}'", allowed):
        assert part in " ".join(said.split())


def test_both_sizes_are_asked_for() -> None:
    assert "--regions" in run("--accounts", "1", fails=2)


def configured(folder: Path, **decided: Any) -> str:
    path = folder / "mine.yaml"
    path.write_text(json.dumps(decided))
    return str(path)


def test_schedules_and_limits_are_those_of_the_configuration(tmp_path: Path) -> None:
    path = configured(
        tmp_path,
        schedules=[
            {"name": "daily", "expression": "rate(12 hours)"},
            {"name": "weekly", "expression": "cron(0 6 ? * MON *)"},
        ],
        limits={"scan_memory": 2048, "concurrency": 7},
        inventory={"enabled": False},
    )
    answer = told("--accounts", "10", "--regions", "2", "--config", path)
    assert answer["assumed"]["scans"] == pytest.approx(2 * 30.4375 + 4.35, rel=0.001)
    assert answer["scan"]["s3_gets"] == 7 + 4
    assert answer["scan"]["s3_puts"] == 11
    assert (answer["assumed"]["memory_mib"], answer["assumed"]["schedules"]) == (2048, 2)
    asked = told("--accounts", "10", "--regions", "2", "--config", path, "--scans-per-month", "1")
    assert asked["assumed"]["scans"] == 1


def test_without_a_schedule_it_is_thirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = configured(tmp_path, schedules=[])
    assert told("--accounts", "1", "--regions", "1", "--config", path)["assumed"]["scans"] == 30
    monkeypatch.chdir(tmp_path)
    assert told("--accounts", "1", "--regions", "1")["assumed"]["scans"] == 30
    assert "there is no orgscan.yaml" in " ".join(run("--accounts", "1", "--regions", "1").split())


def test_a_wrong_configuration_is_refused(tmp_path: Path) -> None:
    path = configured(tmp_path, limits={"scan_memory": 1})
    said = run("--accounts", "1", "--regions", "1", "--config", path, fails=2)
    assert "limits.scan_memory" in said
    assert "must be a readable file" in run(
        "--accounts", "1", "--regions", "1", "--config", str(tmp_path / "none.yaml"), fails=2
    )


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("rate(1 day)", 30.4375),
        ("rate(15 minutes)", 30.4375 * 96),
        ("cron(0 6 * * ? *)", 30.4375),
        ("cron(0/30 * * * ? *)", 30.4375 * 48),
        ("cron(0 6 ? * MON-FRI *)", 30.4375 * 5 / 7),
        ("cron(0 6 1 * ? *)", 1),
        ("cron(0 6 1 1/3 ? *)", 1 / 3),
        ("cron(0 6,18 L * ? *)", 2),
        ("cron(0 6 ? * TUE#2 *)", 1),
    ],
)
def test_runs_a_month(expression: str, runs: float) -> None:
    assert runs_a_month(expression) == pytest.approx(runs, rel=0.002)
