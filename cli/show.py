"""`orgscan show`: a finding, or a check."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from cli import checks
from cli.names import check, complete_checks, ids, near
from cli.results import options as o
from cli.results.page import by_id, page
from cli.results.source import NEWEST, open_scan
from cli.results.wanted import Moment
from orgscan import catalog
from orgscan.remedy import commands


def show(
    given: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A finding's id or at least 6 digits of it, or a check's id.",
            autocompletion=complete_checks,
        ),
    ],
    *,
    as_json: o.AsJson = False,
    scan: o.WhichScan = NEWEST,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """One finding: evidence, why it matters, commands that mend it, owner, history. Or one check.

    Exit code 0: told. 2: there is no such finding or check, or no such scan.
    """
    if not re.fullmatch("[0-9a-f]+", given.casefold()):
        if given.casefold() not in (known := [*ids(), *catalog.everything().renamed()]):
            told = f"{given!r} is not a check{near(given, known)}"
            raise typer.BadParameter(f"{told}; nor a finding's id, which has 20 digits of 0-9 and a-f")
        checks.tell(check(given.casefold()), as_json=as_json)
        return
    with o.refusing():
        chosen = open_scan(results=results, stack=stack, config=config, scan=scan)
        line, moment = by_id(chosen, given.casefold()), Moment(chosen.id, chosen.started)
    about = next((each for each in catalog.checks() if each.id == line.check), None)
    if as_json:
        remedy = list(commands(about, line)) if about else []
        typer.echo(json.dumps({**line.to_json(), "commands": remedy}, indent=1))
        return
    for text in page(line, about, moment, checks.width()):
        typer.echo(text)
