"""What all commands over results ask for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.lint import complain
from cli.names import check_id, complete_checks
from cli.results.source import USUAL, NoScan, Shelf
from orgscan.model import Category, Severity

WRONG = 2
"""Exit code where there is no such scan, or an option is wrong."""
CONFIG = Path("orgscan.yaml")
DAYS = re.compile(r"([1-9][0-9]{0,4})d?")
WIDEST = 120
"""Columns that are used at most: longer lines are hard to follow."""
NARROWEST = 40


def complete_scans(incomplete: str) -> list[str]:
    """Of ./results only: a deployment would have to be asked."""
    return [each for each in ("latest", "previous", *Shelf(USUAL).ids()) if each.startswith(incomplete)]


def tag(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{given!r} is not a tag: KEY=VALUE")
    return key, value


def tag_or_key(given: str) -> tuple[str, str | None]:
    return tag(given) if "=" in given else (given, None)


def days(given: str) -> int:
    if found := DAYS.fullmatch(given):
        return int(found[1])
    raise typer.BadParameter(f"{given!r} is not a number of days: 30d")


def repeated(name: str, metavar: str, help_: str, **more: Any) -> Any:
    return typer.Option(name, metavar=metavar, help=f"{help_}; may be repeated.", **more)


FromFolder = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="FOLDER",
        help="A scan's results on this machine, or a folder of several; ./results, if a scan lies there.",
    ),
]
FromStack = Annotated[
    str, typer.Option("--stack", metavar="NAME", help="The hub's stack; otherwise as configured.")
]
Configuration = Annotated[
    Path, typer.Option("--config", help="The configuration, which names the hub's stack.")
]
WhichScan = Annotated[
    str,
    typer.Option(
        "--scan",
        metavar="SCAN",
        help="Its id or the beginning of it, latest, latest~2 (two before it), previous.",
        autocompletion=complete_scans,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for machines.")]
Checks = Annotated[
    list[str] | None,
    repeated("--check", "ID", "Only of this check", parser=check_id, autocompletion=complete_checks),
]
Severities = Annotated[
    list[Severity] | None, repeated("--severity", "NAME", f"Only these: {', '.join(Severity)}")
]
Categories = Annotated[
    list[Category] | None, repeated("--category", "NAME", f"Only these: {', '.join(Category)}")
]


@contextmanager
def refusing() -> Iterator[None]:
    """Tells in one line why there is nothing to tell, and ends."""
    try:
        yield
    except NoScan as refused:
        complain([str(refused)])
        raise typer.Exit(WRONG) from None


def terminal() -> Console:
    """As wide as is easy to read."""
    console = Console(highlight=False)
    console.width = max(NARROWEST, min(WIDEST, console.width))
    return console


def on_terminal() -> bool:
    return sys.stdout.isatty()
