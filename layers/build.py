"""Builds the dependencies layer: the lock, as pure Python, with botocore's data for the services we call.

Pure Python wheels run on any architecture and Python version of Lambda, and on the machine that tests them.
botocore ships models of some 400 services; the ones nobody calls are most of its weight.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from orgscan import catalog

HERE = Path(__file__).parent
OWN = {"account", "dynamodb", "events", "organizations", "s3", "sns", "sts"}
"""What the functions call in the hub account; what they call in member accounts, collectors declare."""


def build(destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    python = destination / "python"
    install(HERE / "dependencies" / "requirements.txt", python)
    trim(python, OWN | {call.partition(":")[0] for call in catalog.calls()})


def install(lock: Path, python: Path) -> None:
    subprocess.run(  # noqa: S603 (our own interpreter, our own lock)
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"),
            *("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.13"),
            *("--requirement", str(lock), "--target", str(python)),
        ],
        check=True,
    )


def trim(python: Path, services: set[str]) -> None:
    """Raises FileNotFoundError when botocore does not know one of the services."""
    data = python / "botocore" / "data"
    for service in services:
        (data / service).resolve(strict=True)
    for folder in (each for each in data.iterdir() if each.is_dir() and each.name not in services):
        shutil.rmtree(folder)
    for example in data.rglob("examples-1.json*"):
        example.unlink()
    for folder in (python / "boto3" / "data").iterdir():
        if folder.name != "dynamodb":  # the one boto3 resource in use
            shutil.rmtree(folder)
    shutil.rmtree(python / "boto3" / "examples", ignore_errors=True)
    shutil.rmtree(python / "bin", ignore_errors=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
