"""The command `orgscan`: what the catalogue holds, whether orgscan.yaml is right and AWS ready; and scans."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import listing
from cli.describe import describe, elsewhere, permissions, policy, service
from cli.doctor.command import doctor
from cli.estimate import estimate
from cli.export import export
from cli.lint import complain, lint, load
from cli.scan.command import scan
from cli.shell import script
from cli.start.command import start
from infra import CannotSynthesize
from orgscan import catalog, compliance, iam
from orgscan.catalog import AnyCheck, Catalog
from orgscan.model import Category, Severity

WIDTH = 100
WRONG = 2
"""Exit code where the configuration is."""

app = typer.Typer(
    help="What orgscan checks and must be allowed to read, whether orgscan.yaml is right, AWS ready; scans.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for machines.")]


def _one_of(kind: str, known: Callable[[], Sequence[str]]) -> Callable[[str], str]:
    """A parser of names, in capitals or not; who misspells one is told the closest."""

    def parse(given: str) -> str:
        names = {name.casefold(): name for name in known()}
        if given.casefold() in names:
            return names[given.casefold()]
        close = get_close_matches(given.casefold(), names, n=1)
        near = f"; did you mean {names[close[0]]!r}?" if close else ""
        raise typer.BadParameter(f"{given!r} is not a {kind}{near}")

    return parse


def _check(given: str) -> AnyCheck:
    by_id = {each.id: each for each in catalog.checks()}
    id_ = catalog.everything().renamed().get(given, given)
    return by_id[_one_of("check", lambda: [*by_id])(id_)]


def _services() -> Sequence[str]:
    return sorted({service(check) for check in catalog.checks()})


def _frameworks() -> Sequence[str]:
    return [framework.name for framework in compliance.frameworks()]


Services = Annotated[
    list[str] | None,
    typer.Option("--service", parser=_one_of("service", _services), metavar="NAME", help="Only of these."),
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option(
        "--framework",
        parser=_one_of("framework", _frameworks),
        metavar="NAME",
        help="Only what covers a control of one of these: 'CIS AWS 5.0', FSBP.",
    ),
]
Categories = Annotated[
    list[Category] | None,
    typer.Option("--category", metavar="NAME", help=f"Only of these: {', '.join(Category)}."),
]
Severities = Annotated[
    list[Severity] | None,
    typer.Option("--severity", metavar="NAME", help=f"Only of these: {', '.join(Severity)}."),
]


@app.command()
def checks(
    *,
    services: Services = None,
    categories: Categories = None,
    severities: Severities = None,
    frameworks: Frameworks = None,
    as_json: AsJson = False,
) -> None:
    """Every check: severity, category, id and title. A filter that is given twice takes both."""
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
    elif sys.stdout.isatty():
        listing.show(Console(highlight=False), described)
    else:
        for line in listing.lines(described):
            typer.echo(line)


@app.command()
def show(
    check: Annotated[AnyCheck, typer.Argument(parser=_check, metavar="ID", help="A check's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One check: what is wrong, why it matters, how to fix it, with which commands, what it reads."""
    described = describe(check)
    if as_json:
        typer.echo(json.dumps(described, indent=1))
        return
    width = min(WIDTH, Console().width) if sys.stdout.isatty() else WIDTH
    typer.echo("\n".join(page(described, width)))


@app.command(name="policy")
def print_policy(
    *,
    config: Annotated[
        Path | None, typer.Option(help="Without what only checks need that are off in this configuration.")
    ] = None,
) -> None:
    """The IAM policy of the role in member accounts: what collectors declare, and nothing else."""
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


def page(check: Mapping[str, Any], width: int) -> Iterator[str]:
    """For people, in lines of at most so many characters where there are spaces to break at."""
    yield f"{check['id']}  ({check['severity']}, {check['category']})"
    for paragraph in (check["title"], *check["why"].split("\n\n"), f"Fix: {check['fix']}"):
        yield from ("", fill(paragraph, width, break_long_words=False, break_on_hyphens=False))
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
        if lines:
            yield from ("", heading)
            for line in lines:
                yield fill(
                    line,
                    width,
                    initial_indent="  ",
                    subsequent_indent="    ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )


def _read(call: str) -> str:
    allowed = iam.action(call)
    return call if call == allowed else f"{call}, which {allowed} allows"


def _elsewhere(equivalent: str) -> str:
    _, _, name = elsewhere(equivalent)
    return f"{equivalent}  {name}".rstrip()
