"""The command as a program: in pipes, on poor terminals, completed by shells, interrupted."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main
from cli.results import options, status
from tests.commands import Run, runner
from tests.scans_on_disk import scan_id, week

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    week(tmp_path / "results")
    return runner(monkeypatch)


def program(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["orgscan", *arguments])
    with pytest.raises(SystemExit) as end:
        main.run()
    return end.value.code


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "arguments", [("findings",), ("checks", "--json"), ("findings", "--format", "csv"), ("history",)]
)
def test_a_reader_that_goes_away_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert program(monkeypatch, *arguments) == main.PIPE
    assert "Broken" not in capfd.readouterr().err


@pytest.mark.usefixtures("run")
def test_a_terminal_too_simple_for_a_name_gets_another_character(monkeypatch: pytest.MonkeyPatch) -> None:
    simple = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", simple)
    monkeypatch.setattr(status, "clean", lambda text: f"{text} \u0142")
    assert program(monkeypatch, "status") == 1
    simple.flush()
    assert b" ?\n" in simple.buffer.getvalue()


@pytest.mark.usefixtures("run")
def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "choose", interrupt)
    assert program(monkeypatch, "status") == 130


@pytest.mark.parametrize(
    ("variable", "colours"), [({}, "some"), ({"NO_COLOR": "1"}, ""), ({"TERM": "dumb"}, "")]
)
def test_colours_are_for_terminals_that_want_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: dict[str, str], colours: str
) -> None:
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "FORCE_COLOR": "1", **variable}.items():
        monkeypatch.setenv(name, value)
    shown = run("findings", columns=80).stdout
    assert bool(re.search(r"\x1b\[[0-9;]*3[1-6]m", shown)) is bool(colours)
    piped = run("findings").stdout
    assert "\x1b" not in piped


def test_a_terminal_is_used_up_to_what_is_easy_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, used in ((10, 40), (72, 72), (120, 120), (400, 120)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert options.terminal().width == used


def test_checks_are_listed_and_shown_under_checks_too(run: Run) -> None:
    assert run("checks", "list", "--service", "sns").stdout == run("checks", "--service", "sns").stdout
    assert run("checks", "show", "rds-instance-public").stdout == run("show", "rds-instance-public").stdout
    shown = run("checks", "--service", "sns", "list", fails=2).stderr
    assert "options of list must stand behind it" in shown


@pytest.mark.usefixtures("run")
def test_completions_know_local_scans() -> None:
    assert options.complete_scans("202601") == [scan_id(15), scan_id(14), scan_id(13)]
    assert options.complete_scans("lat") == ["latest"]


def test_the_program_runs_from_anywhere_and_completes(tmp_path: Path) -> None:
    """Through a link, beside a folder that is named like our own."""
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "orgscan").symlink_to(ROOT / "bin" / "orgscan")
    asking = {
        "_ORGSCAN_COMPLETE": "complete_bash",
        "COMP_WORDS": "orgscan show sns-",
        "COMP_CWORD": "2",
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 (our own)
        [str(tmp_path / "orgscan")],
        cwd=tmp_path,
        env={**environment, **asking},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    offered = done.stdout.split()
    assert offered
    assert all(each.startswith("sns-") for each in offered)


@pytest.mark.parametrize(
    "arguments", [("status",), ("diff", "latest~2"), ("history",), ("history", "--by", "owner")]
)
def test_no_command_lets_a_name_through(run: Run, arguments: tuple[str, ...]) -> None:
    for columns in (None, 72):
        result = run(*arguments, columns=columns, fails=int(arguments == ("status",)))
        shown = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout) if columns else result.stdout
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown) is None


def test_what_is_for_machines_is_json(run: Run) -> None:
    for arguments, code in (
        (("status",), 1),
        (("diff",), 0),
        (("history",), 0),
        (("show", "07fcd01cb9d4"), 0),
    ):
        json.loads(run(*arguments, "--json", fails=code).stdout)
