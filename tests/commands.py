"""Commands of `orgscan` as a person runs them, on a terminal or in a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import typer
from typer import testing

from cli.main import app
from cli.results import options

if TYPE_CHECKING:
    import pytest

Run: TypeAlias = Callable[..., testing.Result]


@cache
def _command() -> Any:
    """Typer makes it anew for each run, which takes longer than most commands."""
    return typer.main.get_command(app)


def runner(patch: pytest.MonkeyPatch) -> Run:
    """`columns`: on a terminal that wide; `fails`: with that exit code."""

    def run(*arguments: str, columns: int | None = None, fails: int = 0) -> testing.Result:
        patch.setattr(options, "on_terminal", lambda: columns is not None)
        patch.setenv("COLUMNS", str(columns or 80))
        patch.setattr(testing, "_get_command", lambda _: _command())
        result = testing.CliRunner().invoke(app, arguments)
        assert result.exit_code == fails, result.output
        return result

    return run


def told(run: Run, *arguments: str) -> Any:
    return json.loads(run(*arguments).stdout)
