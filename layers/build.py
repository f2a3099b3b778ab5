"""Builds the dependencies layer: the lock, as pure Python, with botocore's data for the services we call.

Pure Python wheels run on any architecture and Python version of Lambda, and on the machine that tests them.
botocore ships models of some 400 services; what nobody calls is most of its weight, and of what a function
loads.
"""

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from layers import models
from orgscan import catalog

HERE = Path(__file__).parent
OWN = {"account", "dynamodb", "events", "organizations", "s3", "sns", "sts"}
"""What the functions call in the hub account; what they call in member accounts, collectors declare."""


def build(destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    python = destination / "python"
    install(HERE / "dependencies" / "requirements.txt", python)
    trim(python, needed(catalog.calls()))


def needed(calls: Iterable[str]) -> dict[str, set[str]]:
    """Service -> the operations of it that are called; of our own services none is left out: it is empty."""
    operations: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        service, _, operation = call.partition(":")
        operations[service].add(operation)
    return {**operations, **{service: set() for service in OWN}}


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


def trim(python: Path, services: Mapping[str, Collection[str]]) -> None:
    """Raises FileNotFoundError when botocore does not know one of the services, KeyError for an operation."""
    data = python / "botocore" / "data"
    endpoints = {
        models.slim((data / service).resolve(strict=True), operations)
        for service, operations in services.items()
    }
    models.slim_endpoints(data / "endpoints.json", endpoints)
    for folder in (each for each in data.iterdir() if each.is_dir() and each.name not in services):
        shutil.rmtree(folder)
    for folder in (python / "boto3" / "data").iterdir():
        if folder.name != "dynamodb":  # the one boto3 resource in use
            shutil.rmtree(folder)
    shutil.rmtree(python / "boto3" / "examples", ignore_errors=True)
    shutil.rmtree(python / "bin", ignore_errors=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
