"""Running what is measured, each time in a fresh process against a fresh AWS; and telling what came of it."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.recording import FOLDER, ROOT, Recording, path_of
from benchmarks.served_aws import Served, serving
from benchmarks.tls import certificate, names

LAYERS = (ROOT / "build/layers/dependencies/python", ROOT / "layers/orgscan/python")
SHOWN = Console(width=160, highlight=False)
UNSAMPLED = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
"""Tracing is on, as it is deployed, and this invocation is among the 95% that X-Ray does not want."""
TRACING = "POWERTOOLS_TRACE_DISABLED"
"""Passed on: with it the function is measured without tracing."""
UNPACED = 1e-6
"""As `polite`: a million times as fast as is polite. The scan's own setting, so that nothing is patched."""


class Unrecorded(Exception):
    """Something was asked that the recording does not know: what was measured is not what it says."""


@dataclass(frozen=True, slots=True)
class Bench:
    """`folder` is for files of this run; `code` in it is the function, as the stack would deploy it."""

    recording: Recording
    folder: Path
    tls: bool = True
    path: Path = field(default_factory=path_of)
    """Where the recording lies."""

    @contextmanager
    def serving(self, *, latency_ms: float = 0, keep: bool = False, quiet: bool = False) -> Iterator[Served]:
        """A fresh AWS with the recording."""
        path = self.folder / "certificate.pem"
        if self.tls and not path.exists():
            certificate(path, names(sorted({asked[1] for asked in self.recording.answers})))
        told = str(path) if self.tls else ""
        with serving(self.path, certificate=told, latency_ms=latency_ms, keep=keep, quiet=quiet) as aws:
            yield aws

    def deploy(self, name: str, *, polite: float | None = None) -> Path:
        """The handlers beside the recorded configuration; `polite` None leaves it as it was shipped."""
        code = self.folder / name
        if not code.exists():
            code.mkdir()
            for handler in (ROOT / "functions").glob("*.py"):
                shutil.copy(handler, code)
            told = json.loads(self.recording.configuration)
            told |= {} if polite is None else {"polite": polite}
            (code / "configuration.json").write_text(json.dumps(told))
        return code

    def run(
        self, script: str, code: Path, aws: Served, *, bytecode: bool = True, member: str = "", **told: Any
    ) -> Any:
        """A script of this folder in a process of its own, on the layers alone; what it wrote down.

        Without `bytecode` it compiles all that it imports; with `member` it has the keys of that account.
        """
        with TemporaryDirectory(dir=self.folder) as folder:
            result, told_file = Path(folder) / "result.json", Path(folder) / "told.json"
            reached = {"port": aws.port, "certificate": aws.certificate}
            told_file.write_text(json.dumps({**told, **reached, "result": str(result)}))
            with (FOLDER / f"{script}.log").open("wb") as log:
                done = subprocess.run(  # noqa: S603 (ourselves)
                    [sys.executable, "-S", "-P", str(ROOT / "benchmarks" / f"{script}.py"), str(told_file)],
                    env=self._environment(code, folder, bytecode=bytecode, member=member),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            if done.returncode:
                text = (FOLDER / f"{script}.log").read_text()[-3000:]
                raise RuntimeError(f"{script} ended with {done.returncode}:\n{text}")
            return json.loads(result.read_text())

    def _environment(self, code: Path, empty: str, *, bytecode: bool, member: str) -> Mapping[str, str]:
        region = "us-east-1"  # where the recorded hub was
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(map(str, (code, *LAYERS, ROOT))),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": f"ASIA{member}" if member else "ASIAHUB",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "t" * 600,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": "orgscan-scan",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(code),
            "_X_AMZN_TRACE_ID": UNSAMPLED,
            **({} if bytecode else {"PYTHONPYCACHEPREFIX": empty, "PYTHONDONTWRITEBYTECODE": "1"}),
            **({TRACING: os.environ[TRACING]} if TRACING in os.environ else {}),
            **self.recording.environment,
        }

    def worker(
        self, code: Path, targets: Sequence[Mapping[str, Any]], *, latency_ms: float, **more: Any
    ) -> dict[str, Any]:
        """The scan function over these targets: what it took, and what the served AWS was asked."""
        with self.serving(latency_ms=latency_ms) as aws:
            took = self.run(
                "worker",
                code,
                aws,
                scan=self.recording.scan,
                memory_mib=self.recording.memory_mib,
                targets=targets,
                **more,
            )
            asked = aws.told()
        check(asked)
        return {**took, "asked": asked}


def check(asked: Mapping[str, Any]) -> None:
    """Raises Unrecorded."""
    if asked["unknown"]:
        first = "\n".join(asked["unknown_requests"])
        raise Unrecorded(
            f"{asked['unknown']} requests are not in the recording; if the scan asks anew, record it again"
            f" (python -m benchmarks record --again):\n{first}"
        )


def middle(rows: Sequence[Mapping[str, Any]], *names: str) -> dict[str, float]:
    """Medians."""
    return {name: median(float(row[name]) for row in rows) for name in names}


def facts() -> Mapping[str, Any]:
    """Of the machine; a figure without them says little."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": busy,
    }


def show(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """The first column is text."""
    table = Table(title=title, title_justify="left", box=None)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(told(each) for each in row))
    SHOWN.print(table)


def told(value: object) -> str:
    match value:
        case None:
            return ""
        case float() if abs(value) < 10:  # noqa: PLR2004
            return f"{value:,.2f}"
        case float():
            return f"{value:,.1f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def save(section: str, figures: Mapping[str, Any]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{section}.json"
    path.write_text(json.dumps({**facts(), **figures}, indent=1) + "\n")
    SHOWN.print(f"as JSON: {path}", soft_wrap=True)
