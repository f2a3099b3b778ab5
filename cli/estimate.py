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
LIKELY = Size(accounts=1, regions=1)
"""For its defaults."""
NARROWEST, NARROW = 30, 60
"""Columns."""
SAID = (
    "Discounts and free tiers are not deducted. What is marked * is billed to the accounts that are"
    " looked at. The seconds of a target are assumed, and Lambda's bill follows them: the first scan"
    " says what they were."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    size: Size
    because: str
    """Where its number of scans is from."""

    @property
    def scan(self) -> Sequence[Line]:
        return cost.lines(cost.expected(self.size))

    @property
    def month(self) -> Sequence[Line]:
        """Everything of a month, those of `scan` first."""
        times = self.size.scans
        scans = [line._replace(amount=line.amount * times, usd=line.usd * times) for line in self.scan]
        return [*scans, *cost.standing(self.size)]

    def as_json(self) -> dict[str, Any]:
        return {
            "assumed": {**asdict(self.size), "targets": self.size.targets, "kept": self.size.kept},
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

    Exit code 0: told. 2: an option or the configuration is wrong.
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
        told = Estimate(replace(told.size, scans=scans_per_month), "as asked")
    if as_json:
        typer.echo(json.dumps(told.as_json(), indent=1))
    else:
        show(Console(highlight=False), told)


def _configured(size: Size, path: Path) -> Estimate:
    """As the configuration has it. The usual one need not be there."""
    if path == USUAL and not path.exists():
        return Estimate(size, f"there is no {path}")
    config = load(path, datetime.now(UTC))
    scans = sum(runs_a_month(schedule.expression) for schedule in config.schedules)
    size = _decided(size, config)
    if not scans:
        return Estimate(size, f"{path.name} has no schedule")
    because = f"all schedules of {path.name}, each as if it scanned everything"
    return Estimate(replace(size, scans=scans), because)


def _decided(size: Size, config: Config) -> Size:
    return replace(
        size,
        memory_mib=config.limits.scan_memory,
        concurrency=config.limits.concurrency,
        routes=len(config.routes),
        events=config.events.scans or config.events.findings,
        schedules=len(config.schedules),
        inventory_days=config.inventory.keep_days if config.inventory.enabled else 0,
    )


def show(console: Console, told: Estimate) -> None:
    """For people, in as few columns as a terminal has."""
    width = max(NARROWEST, min(80, console.width))
    for line in _heading(told, width):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(_bill(told, narrow=width < NARROW))
    console.print()
    for line in wrap(f"At {prices.listed_when()}. {SAID}", width):
        console.print(line, soft_wrap=True)
    console.print()
    for line in _constants(width):
        console.print(line, soft_wrap=True)


def _heading(told: Estimate, width: int) -> Iterator[str]:
    size = told.size
    per_month = f"{_amount(size.scans)} scans a month ({told.because})"
    region = f"{size.resources:,} resources, {size.findings:,} open findings, {_amount(size.seconds)} s"
    for part in (
        f"{size.accounts:,} x ({size.regions:,} regions + 1 global) = {size.targets:,} targets; {per_month}.",
        f"Of a region: {region} at {size.memory_mib:,} MiB. A scan: {size.changes:,} changes.",
    ):
        yield from wrap(part, width)


def _bill(told: Estimate, *, narrow: bool) -> Table:
    """Amounts in a column of their own, or where that has no room, under their names."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    if not narrow:
        table.add_column("a scan", justify="right")
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column("a month", justify="right", no_wrap=True)
    scan, month = told.scan, told.month
    for line, whole in zip(scan, month, strict=False):
        table.add_row(*_cells(line.name, _of(line), narrow), f"{line.usd:,.4f}", f"{whole.usd:,.2f}")
    for line in month[len(scan) :]:
        amount = _of(line) if narrow else f"a month: {_of(line)}"
        table.add_row(*_cells(line.name, amount, narrow), "", f"{line.usd:,.2f}")
    table.add_row(*_cells("Total", "", narrow), f"{_total(scan):,.4f}", f"{_total(month):,.2f}", style="bold")
    return table


def _cells(name: str, amount: str, narrow: bool) -> Sequence[str]:  # noqa: FBT001 (private)
    return [f"{name}\n  {amount}".rstrip()] if narrow else [name, amount]


def _constants(width: int) -> Iterator[str]:
    yield "It reckons with:"
    for each in CONSTANTS:
        told = f"{each.value:>7,g}  {each.unit} ({each.known})"
        yield from wrap(told, width, subsequent_indent=" " * 9)


def _total(lines: Sequence[Line]) -> float:
    return sum(line.usd for line in lines)


def _of(line: Line) -> str:
    return f"{_amount(line.amount)} {line.unit.removesuffix('s') if line.amount == 1 else line.unit}"


def _amount(amount: float) -> str:
    return f"{amount:,.1f}" if amount < 100 and amount != round(amount) else f"{amount:,.0f}"  # noqa: PLR2004
