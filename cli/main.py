"""The command `orgscan`: what the catalogue holds, whether orgscan.yaml is right and AWS ready; and scans."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from cli.checks import checks
from cli.describe import permissions, policy
from cli.doctor.command import doctor
from cli.estimate import estimate
from cli.export import export
from cli.lint import complain, lint, load
from cli.results.diff import diff
from cli.results.findings import findings
from cli.results.history import history
from cli.results.report import report
from cli.results.status import status
from cli.results.suppress import suppress
from cli.scan.command import scan
from cli.show import show
from cli.start.command import start
from infra import CannotSynthesize
from orgscan import catalog
from orgscan.catalog import Catalog

WRONG = 2
"""Exit code where the configuration is."""
PIPE = 141
"""Exit code when nobody reads any further, as of a program that SIGPIPE ends."""

app = typer.Typer(
    help="What orgscan found and checks, whether orgscan.yaml is right and AWS ready; scans.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def run() -> None:
    """As a program: quiet when its reader has gone, and no terminal too simple for a name."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # they are files here
    out = sys.stdout
    try:
        app(prog_name="orgscan")
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError) and _flushed(out):
            raise
        # What is left has no reader; the interpreter must not try again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        sys.exit(PIPE)


def _flushed(out: TextIO) -> bool:
    """Whether somebody still reads."""
    try:
        out.flush()
    except BrokenPipeError:
        return False
    return True


app.add_typer(checks, name="checks")
for _command in (status, findings, show, diff, history, suppress, report):
    app.command()(_command)


@app.command(name="policy")
def print_policy(
    *,
    config: Annotated[
        Path | None, typer.Option(help="Without what only checks need that are off in this configuration.")
    ] = None,
) -> None:
    """The IAM policy of the role in member accounts: what collectors declare, and nothing else.

    Exit code 0: told. 2: the configuration is wrong.
    """
    everything = catalog.everything()
    if config:
        try:
            off = load(config, datetime.now(UTC)).runtime().off
        except CannotSynthesize as refused:
            complain(str(refused).splitlines())
            raise typer.Exit(WRONG) from None
        on = tuple(check for check in everything.checks if check.id not in off)
        everything = Catalog(on, everything.collectors)
    typer.echo(json.dumps(policy(permissions(everything)), indent=1))


app.command()(lint)
app.command()(doctor)
app.command()(start)
app.command()(scan)
app.command()(estimate)
app.command()(export)
