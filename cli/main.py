"""The command `orgscan`: what the catalogue holds, whether orgscan.yaml is right. Needs no AWS account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import fill
from typing import Annotated, Any

import typer

from cli.describe import describe, permissions
from cli.lint import lint
from orgscan import catalog
from orgscan.catalog import AnyCheck

WIDTH = 100

app = typer.Typer(
    help="What orgscan checks, what it must be allowed to read, and whether orgscan.yaml is right.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for machines.")]


def _known(check: str) -> AnyCheck:
    by_id = {each.id: each for each in catalog.checks()}
    if check not in by_id:
        near = "".join(f"; did you mean {match!r}?" for match in get_close_matches(check, by_id, n=1))
        raise typer.BadParameter(f"{check!r} is not a check{near}")
    return by_id[check]


@app.command()
def checks(*, as_json: AsJson = False) -> None:
    """Every check: severity, category, id and title."""
    described = [describe(check) for check in catalog.checks()]
    if as_json:
        typer.echo(json.dumps(described, indent=1))
        return
    columns = ("severity", "category", "id")
    widths = [max(len(each[name]) for each in described) for name in columns]
    for each in described:
        cells = (each[name].ljust(width) for name, width in zip(columns, widths, strict=True))
        typer.echo(f"{'  '.join(cells)}  {each['title']}")


@app.command()
def show(
    check: Annotated[AnyCheck, typer.Argument(parser=_known, metavar="ID", help="A check's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One check: what is wrong, why it matters, how to fix it, what it reads."""
    described = describe(check)
    typer.echo(json.dumps(described, indent=1) if as_json else "\n".join(_page(described)))


@app.command()
def policy() -> None:
    """The IAM policy of the role in member accounts: what collectors declare, and nothing else."""
    statement = {
        "Sid": "ReadWhatCollectorsDeclare",
        "Effect": "Allow",
        "Action": [*permissions()],
        "Resource": "*",
    }
    typer.echo(json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1))


app.command()(lint)


def _page(check: dict[str, Any]) -> Iterator[str]:
    yield f"{check['id']}  ({check['severity']}, {check['category']})"
    yield from ("", fill(f"{check['title']} {check['why']}", WIDTH), "")
    yield fill(f"Fix: {check['fix']}", WIDTH)
    thresholds = [f"{name} = {json.dumps(value)}" for name, value in check["parameters"].items()]
    sections = {
        "Judges": check["judges"],
        "Thresholds, which orgscan.yaml can change": thresholds,
        "Frameworks": check["frameworks"],
        "The same question in other tools": check["equivalent"],
        "Reads": check["reads"],
        "References": check["references"],
    }
    for heading, lines in sections.items():
        if lines:
            yield from ("", heading, *(f"  {line}" for line in lines))
