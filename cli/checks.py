"""`orgscan checks`, with `list` and `show`; and a check's page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import listing
from cli.describe import describe, elsewhere, service
from cli.names import check as check_named
from cli.names import complete_checks, one_of
from cli.results import options as o
from cli.results.options import AsJson, Categories, Severities
from cli.shell import script
from orgscan import catalog, compliance, iam
from orgscan.catalog import AnyCheck

WIDTH = 100


def _services() -> Sequence[str]:
    return sorted({service(check) for check in catalog.checks()})


def _frameworks() -> Sequence[str]:
    return [framework.name for framework in compliance.frameworks()]


Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service",
        parser=one_of("service", _services),
        metavar="NAME",
        help="Only of these.",
        autocompletion=_services,
    ),
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option(
        "--framework",
        parser=one_of("framework", _frameworks),
        metavar="NAME",
        help="Only what covers a control of one of these: 'CIS AWS 5.0', FSBP.",
    ),
]
checks = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@checks.callback()
def every(
    context: typer.Context,
    *,
    services: Services = None,
    categories: Categories = None,
    severities: Severities = None,
    frameworks: Frameworks = None,
    as_json: AsJson = False,
) -> None:
    """Every check: severity, category, id and title. `checks` alone is `checks list`."""
    filters = (services, categories, severities, frameworks)
    if context.invoked_subcommand is None:
        _list(*filters, as_json=as_json)
    elif any(filters) or as_json:
        raise typer.BadParameter(f"options of {context.invoked_subcommand} must stand behind it")


@checks.command(name="list")
def list_(
    *,
    services: Services = None,
    categories: Categories = None,
    severities: Severities = None,
    frameworks: Frameworks = None,
    as_json: AsJson = False,
) -> None:
    """Every check: severity, category, id and title. A filter that is given twice takes both.

    Exit code 0: told. 2: an option is wrong.
    """
    _list(services, categories, severities, frameworks, as_json=as_json)


def _list(
    services: Sequence[str] | None,
    categories: Sequence[str] | None,
    severities: Sequence[str] | None,
    frameworks: Sequence[str] | None,
    *,
    as_json: bool,
) -> None:
    described = [
        describe(check)
        for check in catalog.checks()
        if (not services or service(check) in services)
        and (not categories or check.category in categories)
        and (not severities or check.severity in severities)
        and (not frameworks or {name for name, _ in map(compliance.split, check.maps)} & {*frameworks})
    ]
    if as_json:
        typer.echo(json.dumps(described, indent=1))
    elif o.on_terminal():
        listing.show(Console(highlight=False), described)
    else:
        for line in listing.lines(described):
            typer.echo(line)


@checks.command()
def show(
    check: Annotated[
        AnyCheck,
        typer.Argument(parser=check_named, metavar="ID", help="Its id.", autocompletion=complete_checks),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """One check: what is wrong, why it matters, how to fix it, what it reads.

    Exit code 0: told. 2: there is no such check.
    """
    tell(check, as_json=as_json)


def tell(check: AnyCheck, *, as_json: bool) -> None:
    described = describe(check)
    if as_json:
        typer.echo(json.dumps(described, indent=1))
        return
    for line in page(described, width()):
        typer.echo(line)


def width() -> int:
    """Of what is read as prose."""
    return min(WIDTH, Console().width) if o.on_terminal() else WIDTH


def page(check: Mapping[str, Any], width: int) -> Iterator[str]:
    """For people, in lines of at most so many characters where there are spaces to break at."""
    yield f"{check['id']}  ({check['severity']}, {check['category']})"
    for paragraph in (check["title"], *check["why"].split("\n\n"), f"Fix: {check['fix']}"):
        yield from ("", *folded(paragraph, width))
    pieces = {"Commands": [*script(check["cli"], width - 2)], "With CDK": check["cdk"].splitlines()}
    for heading, lines in pieces.items():
        if lines:
            yield from ("", heading, *(f"  {line}".rstrip() for line in lines))
    thresholds = [f"{name} = {json.dumps(value)}" for name, value in check["parameters"].items()]
    sections = {
        f"Judges, {' and '.join(check['scope'])}": check["judges"],
        "Looks at": check["looks_at"],
        "Measures": check["metrics"],
        "Thresholds, which orgscan.yaml can change": thresholds,
        "Frameworks": check["frameworks"],
        "The same question in other tools": [*map(_elsewhere, check["equivalent"])],
        "Reads": [*map(_read, check["reads"])],
        "References": check["references"],
        "Earlier ids": check["was"],
    }
    for heading, lines in sections.items():
        yield from section(heading, lines, width)


def section(heading: str, lines: Iterable[str], width: int) -> Iterator[str]:
    """Nothing where it has no lines."""
    lines = list(lines)
    if lines:
        yield from ("", heading)
        for line in lines:
            yield from folded(line, width, "    ", first="  ")


def folded(text: str, width: int, indent: str = "", first: str = "") -> Sequence[str]:
    """`indent`: of all lines but the first."""
    lines = wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [""]


def _read(call: str) -> str:
    allowed = iam.action(call)
    return call if call == allowed else f"{call}, which {allowed} allows"


def _elsewhere(equivalent: str) -> str:
    _, _, name = elsewhere(equivalent)
    return f"{equivalent}  {name}".rstrip()
