"""The command itself: bad luck gets one clear line, and Ctrl-C leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local import show

ROOT = Path(__file__).parents[1]
PROCESSES = Path("/proc")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell starts what runs in the background deaf to Ctrl-C, and deafness is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


COMMAND = ("-m", "local")
IN_ONE_REGION = ("-c", "import local.__main__ as c; c.REGIONS = c.REGIONS[:1]; raise SystemExit(c.main())")
"""The same, sooner at work."""


def start(*arguments: str, command: Sequence[str] = COMMAND, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (our own interpreter, our own command)
        [sys.executable, *command, "--accounts", "6", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trouble(run: subprocess.Popen[str]) -> str:
    """What it said of why it stopped."""
    _, said = run.communicate()
    assert run.returncode == 1
    return said.strip()


def test_too_few_accounts(tmp_path: Path) -> None:
    said = trouble(start("--accounts", "3", "--results", str(tmp_path)))
    assert said == "orgscan: an organization needs at least 6 accounts, not 3"


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = trouble(start("--port", str(port), "--results", str(tmp_path)))
    assert said == f"orgscan: Port {port} is taken: stop what listens on it, or choose another one."


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = trouble(start("--results", str(tmp_path / "file" / "results")))
    assert said.startswith("orgscan: ")
    assert len(said.splitlines()) == 1
    assert str(tmp_path) in said


@pytest.mark.parametrize(
    ("folder", "where", "options"),
    [("results", "results", ""), ("my results", "my results", " --results 'my results'")],
)
def test_the_end_says_where_the_results_are_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, where: str, options: str
) -> None:
    monkeypatch.chdir(tmp_path)
    out = StringIO()
    show.kept(Console(file=out, width=30), [tmp_path / folder / "1", tmp_path / folder / "[b]2"])
    assert out.getvalue().splitlines() == [
        f"full results: {where}/1",
        f"full results: {where}/[b]2",
        f"report, for a browser: {where}/[b]2/report.html",
        f"  bin/orgscan status{options}",
        f"  bin/orgscan findings --min-severity high --group check{options}",
        f"  bin/orgscan diff{options}",
    ]


@pytest.mark.skipif(not PROCESSES.exists(), reason="looks for processes in /proc")
def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    results = str(tmp_path / "results")
    run = start("--results", results, command=IN_ONE_REGION, TMPDIR=str(tmp_path))
    assert run.stdout
    for line in run.stdout:
        if line.startswith("first scan: "):  # the workers are at it
            break
    assert list(processes_in(tmp_path))
    run.send_signal(signal.SIGINT)
    out, said = run.communicate()
    assert run.returncode == 130
    assert "stopped" in out
    assert "Traceback" not in out + said
    assert list(processes_in(tmp_path)) == []


def processes_in(folder: Path) -> Iterator[str]:
    """Command lines of what runs in a folder: the workers run where their code was unpacked."""
    for process in PROCESSES.glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                yield (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is not ours
            continue
