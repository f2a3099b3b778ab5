"""`orgscan report`: the page for people that each scan leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.lint import complain
from cli.results import options as o
from cli.results.source import NEWEST, NoScan, open_scan
from orgscan.present.text import clean
from orgscan.results import REPORT, Shelved


def report(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; orgscan-<scan>.html.")
    ] = None,
    opening: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    scan: o.WhichScan = NEWEST,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: o.Configuration = o.CONFIG,
) -> None:
    """Fetch the report of a scan, one HTML file that needs no network.

    Of results on this machine it tells where the report lies, and copies it only with --output.

    Exit code 0: it is there. 1: there is, and no browser could be started. 2: an option is wrong, or
    there is no such report.
    """
    with o.refusing():
        chosen = open_scan(results=results, stack=stack, config=config, scan=scan)
        body = chosen.text(REPORT)
        if output is None and isinstance(chosen.folder, Shelved):
            file = chosen.folder.path / REPORT
        else:
            file = output or Path(f"orgscan-{chosen.id}.html")
            _write(file, body)
    typer.echo(clean(str(file)))
    if opening and typer.launch(file.resolve().as_uri()):
        complain([f"no browser could be started: open {file} yourself"])
        raise typer.Exit(1)


def _write(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as trouble:
        raise NoScan(f"--output: {file}: must be a file that can be written: {trouble.strerror}") from None
