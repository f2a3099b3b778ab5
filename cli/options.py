"""What several commands take alike."""

from __future__ import annotations

import re
from typing import Any

import typer

from orgscan.model import ACCOUNT_ID


def repeated(name: str, metavar: str, help_: str, **more: Any) -> Any:
    return typer.Option(name, metavar=metavar, help=f"{help_}; may be repeated.", **more)


def tag(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{given!r} is not a tag: KEY=VALUE")
    return key, value


def account(given: str) -> str:
    if not re.fullmatch(ACCOUNT_ID, given):
        raise typer.BadParameter(f"{given!r} is not an account: 12 digits")
    return given
