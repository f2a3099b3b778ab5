"""`orgscan doctor`: its options and exit codes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.doctor import show
from cli.doctor.examine import CannotLook, Options, examine
from cli.lint import complain, load
from infra import CannotSynthesize
from orgscan.model import ACCOUNT_ID

ILL, BLIND = 1, 2
"""Exit codes."""


def _account_id(given: str) -> str:
    if not re.fullmatch(ACCOUNT_ID, given):
        raise typer.BadParameter(f"{given!r} is not an account: 12 digits")
    return given


def doctor(
    *,
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("orgscan.yaml"),
    accounts: Annotated[
        list[str] | None,
        typer.Option("--account", parser=_account_id, metavar="ID", help="Only this one; may be repeated."),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Enter accounts as this role of your account, which they trust."),
    ] = None,
    inside: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Look at the member role through this role of each account: OrganizationAccountAccessRole.",
        ),
    ] = None,
    stack_set: Annotated[
        str | None, typer.Option(metavar="NAME", help="The StackSet that brings the role to accounts.")
    ] = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="It is an error that the hub is not deployed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """What stands between orgscan.yaml and a complete scan, and how to mend it. Changes nothing.

    Exit code 0: all is well. 1: there are problems, or something could not be looked at. 2: the
    configuration or the credentials are wrong, so that nothing could.
    """
    options = Options(
        accounts=tuple(accounts or ()), role=role, inside=inside, stack_set=stack_set, deployed=deployed
    )
    try:
        report = examine(load(config, datetime.now(UTC)), options)
    except (CannotSynthesize, CannotLook) as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(BLIND) from None
    if as_json:
        typer.echo(json.dumps(show.as_json(report), indent=1))
    else:
        show.show(Console(highlight=False), report)
    if not report.well:
        raise typer.Exit(ILL)
