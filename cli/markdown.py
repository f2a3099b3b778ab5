"""Words of the code as Markdown, so that they read on GitHub as they read in the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

CODE = re.compile(r"(`[^`]*`)")
NOTICE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"
FEW = 3
"""Checks in a cell; more of them are folded away."""


def prose(text: str) -> str:
    """Between backticks as it is; elsewhere nothing is markup."""
    parts = CODE.split(text)
    return "".join(part if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Within a word an underscore is no markup.
    return re.sub(r"([\\*\[\]~]|\b_(?!\w)|(?<!\w)_)", r"\\\1", text)


def cell(text: str) -> str:
    """Of a table: GitHub ends a cell at every bar, also within code."""
    return text.replace("|", r"\|").replace("\n", " ")


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join(['---'] * len(head))} |"
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"


def folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("<details>", f"<summary>{summary}</summary>", "")
    yield from lines
    yield from ("", "</details>")


def several(words: Sequence[str], noun: str, most: int = FEW) -> str:
    """In a cell: some by name, many by number with the names folded away."""
    if len(words) <= most:
        return ", ".join(words)
    return f"<details><summary>{len(words)} {noun}</summary>{', '.join(words)}</details>"


def number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def page(lines: Iterable[str]) -> str:
    return "\n".join([NOTICE, "", *lines]) + "\n"
