"""`orgscan estimate`: what scanning an organization costs, before there is anything to measure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.lint import complain, load
from infra import CannotSynthesize
from infra.schedule import runs_a_month
from orgscan import cost, prices
from orgscan.cost import CONSTANTS, Line, Size

if TYPE_CHECKING:
    from infra.config import Config

WRONG = 2
"""Exit code where the configuration is, or an option."""
USUAL = Path("orgscan.yaml")
SCANS = 30.0
"""A month, where no schedule says otherwise."""
LIKELY = Size(accounts=1, regions=1)
"""For its defaults."""
NARROWEST = 30
"""Columns."""
SAID = (
    "Discounts and free tiers are not deducted. What is marked * is billed to the accounts that are"
    " looked at. The seconds of a target are assumed, and Lambda's bill follows them: the first scan"
    " says what they were."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    size: Size
    scans: float
    """A month."""
    because: str
    """Where that number is from."""

    @property
    def scan(self) -> Sequence[Line]:
        return cost.lines(cost.expected(self.size))

    @property
    def month(self) -> Sequence[Line]:
        """Everything of a month, those of `scan` first."""
        scans = [
            line._replace(amount=line.amount * self.scans, usd=line.usd * self.scans) for line in self.scan
        ]
        return [*scans, *cost.standing(self.size, self.scans)]

    def as_json(self) -> dict[str, Any]:
        return {
            "assumed": {**asdict(self.size), "targets": self.size.targets},
            "scans_per_month": self.scans,
            "scan": {**asdict(cost.expected(self.size)), "usd": round(_total(self.scan), 4)},
            "month": {
                "usd": round(_total(self.month), 2),
                "lines": [line._asdict() for line in self.month],
            },
            "constants": [each._asdict() for each in CONSTANTS],
            "prices": prices.listed_when(),
        }


def _number(low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers between these; whole ones where `low` is."""

    def parse(given: str) -> float:
        kind = type(low)
        rule = f"must be a {'whole ' if kind is int else ''}number from {low:,} to {high:,}"
        try:
            number = kind(given)
        except ValueError:
            raise typer.BadParameter(f"{given!r}: {rule}") from None
        if not low <= number <= high:
            raise typer.BadParameter(f"{given!r}: {rule}")
        return number

    return parse


def _option(low: float, high: float, help_: str) -> Any:
    return typer.Option(parser=_number(low, high), metavar="NUMBER", help=help_)


def estimate(  # noqa: PLR0913 (options)
    *,
    accounts: Annotated[int, _option(1, 100_000, "That are scanned.")],
    regions: Annotated[int, _option(1, 100, "Of each of them.")],
    scans_per_month: Annotated[
        float | None, _option(0.01, 50_000, "As the schedules in the configuration say; without any, 30.")
    ] = None,
    resources: Annotated[
        int, _option(0, 1_000_000, "In a region of an account, on average.")
    ] = LIKELY.resources,
    findings: Annotated[
        int, _option(0, 1_000_000, "Open in a region of an account, on average.")
    ] = LIKELY.findings,
    changes: Annotated[
        int, _option(0, 10_000_000, "Findings that are new, gone or different, a scan.")
    ] = LIKELY.changes,
    seconds: Annotated[
        float, _option(0.1, 14_400, "Of the function, a region of an account, on average.")
    ] = LIKELY.seconds,
    config: Annotated[Path, typer.Option(help="The configuration.")] = USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """What scans of an organization of this size cost, at list prices. Asks nobody, so nothing of yours.

    Exit code 2: an option or the configuration is wrong.
    """
    size = Size(
        accounts=accounts,
        regions=regions,
        resources=resources,
        findings=findings,
        changes=changes,
        seconds=seconds,
    )
    try:
        told = _configured(size, config)
    except CannotSynthesize as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(WRONG) from None
    if scans_per_month is not None:
        told = replace(told, scans=scans_per_month, because="as asked")
    if as_json:
        typer.echo(json.dumps(told.as_json(), indent=1))
    else:
        show(Console(highlight=False), told)


def _configured(size: Size, path: Path) -> Estimate:
    """As the configuration has it. The usual one need not be there."""
    if path == USUAL and not path.exists():
        return Estimate(size, SCANS, f"there is no {path}")
    config = load(path, datetime.now(UTC))
    scans = sum(runs_a_month(schedule.expression) for schedule in config.schedules)
    because = f"all schedules of {path.name}, each as if it scanned everything"
    return Estimate(
        _decided(size, config), *((scans, because) if scans else (SCANS, f"{path.name} has no schedule"))
    )


def _decided(size: Size, config: Config) -> Size:
    return replace(
        size,
        memory_mib=config.limits.scan_memory,
        concurrency=config.limits.concurrency,
        routes=len(config.routes),
        schedules=len(config.schedules),
        inventory_days=config.inventory.keep_days if config.inventory.enabled else 0,
    )


def show(console: Console, told: Estimate) -> None:
    """For people, in as few columns as a terminal has."""
    width = max(NARROWEST, min(80, console.width))
    for line in _heading(told, width):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(_bill(told))
    console.print()
    for line in wrap(f"At {prices.listed_when()}. {SAID}", width):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(_constants())


def _heading(told: Estimate, width: int) -> Iterator[str]:
    size = told.size
    per_month = f"{_amount(told.scans)} scans a month ({told.because})"
    region = f"{size.resources:,} resources, {size.findings:,} open findings, {_amount(size.seconds)} s"
    for part in (
        f"{size.accounts:,} x ({size.regions:,} regions + 1 global) = {size.targets:,} targets; {per_month}.",
        f"Of a region: {region} at {size.memory_mib:,} MiB. A scan: {size.changes:,} changes.",
    ):
        yield from wrap(part, width)


def _bill(told: Estimate) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    table.add_column("a scan", overflow="fold", justify="right")
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column("USD a month", justify="right")
    scan, month = told.scan, told.month
    for line, whole in zip(scan, month, strict=False):
        amount = f"{_amount(line.amount)} {line.unit}"
        table.add_row(line.name, amount, f"{line.usd:,.4f}", f"{whole.usd:,.2f}")
    for line in month[len(scan) :]:
        table.add_row(line.name, f"a month: {_amount(line.amount)} {line.unit}", "", f"{line.usd:,.2f}")
    table.add_row("Total", "", f"{_total(scan):,.4f}", f"{_total(month):,.2f}", style="bold")
    return table


def _constants() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("reckoned with", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("known from", overflow="fold")
    for each in CONSTANTS:
        table.add_row(f"{each.value:,g}", each.unit, each.known)
    return table


def _total(lines: Sequence[Line]) -> float:
    return sum(line.usd for line in lines)


def _amount(amount: float) -> str:
    return f"{amount:,.1f}" if amount < 100 and amount != round(amount) else f"{amount:,.0f}"  # noqa: PLR2004
