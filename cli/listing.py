"""Checks as a terminal or a pipe shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}


def lines(described: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """For pipes: each on one line, whatever its length."""
    columns = ("severity", "category", "id")
    widths = [max((len(each[name]) for each in described), default=0) for name in columns]
    for each in described:
        cells = (each[name].ljust(width) for name, width in zip(columns, widths, strict=True))
        yield f"{'  '.join(cells)}  {each['title']}"


def show(console: Console, described: Sequence[Mapping[str, Any]]) -> None:
    """For people: by service, titles under ids, in as few columns as a terminal has."""
    in_order = sorted(described, key=lambda each: (each["service"], each["id"]))
    for service, checks in groupby(in_order, key=lambda each: each["service"]):
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in checks:
            name = Text.assemble((each["id"], "bold"), f"  {each['category']}\n", each["title"])
            table.add_row(Text(each["severity"], STYLES[each["severity"]]), name)
        console.print(Text(service, "bold underline"))
        console.print(table)
        console.print()
    console.print(f"{len(described):,} check{'' if len(described) == 1 else 's'}")
