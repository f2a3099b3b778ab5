"""A layer with its bytecode, which functions would otherwise make of all they import, at every cold start.

Only Python of the functions' own version can make it, and not every machine that deploys has that one. So it
is made where it is asked for. Its bytes depend on the sources alone, not on when or where it was made, and
Lambda's Python takes it without comparing it with them: nobody can change a layer.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from infra import CannotSynthesize

OPT = "/opt"
"""Where Lambda unpacks layers, and so where the bytecode says it is from, wherever it was made."""
VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"


def compiled(layer: Path, into: Path, *, python: str, without: Sequence[str] = ()) -> Path:
    """The layer there, with bytecode by that interpreter. `without`: names that are left out."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(layer, into, ignore=shutil.ignore_patterns(*without))
    how = ("-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    _run([python, *how, "-s", str(into), "-p", OPT, str(into)])
    return into


def require(python: str, version: str) -> None:
    """Raises CannotSynthesize for an interpreter of another version ('3.13'), whose bytecode is no use."""
    found = _run([python, "-c", VERSION]).strip()
    if found != version:
        raise CannotSynthesize(
            f"LAMBDA_PYTHON: {python} is Python {found}, and functions run on {version}. Name one of that "
            "version, or none: then there is no bytecode, and functions start some seconds later."
        )


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 (theirs)
    except OSError as error:
        raise CannotSynthesize(f"LAMBDA_PYTHON: {command[0]} cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise CannotSynthesize(
            f"LAMBDA_PYTHON: {command[0]} failed: {error.stderr.strip()[-500:]}"
        ) from error
    return done.stdout
