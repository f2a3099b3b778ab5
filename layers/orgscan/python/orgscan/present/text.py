"""Words for people. Names and tags of scanned accounts are hostile input: none may leave its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from re import fullmatch, sub
from textwrap import wrap
from typing import Any

from orgscan.model import Blindness, Target

JOINED = "\0"
"""Stands for a space that is no end of a line."""


def clean(text: str) -> str:
    """Printable ASCII on one line; everything else becomes '?', so that no name can forge a line."""
    folded = " ".join(text.split())
    return "".join(each if " " <= each <= "~" else "?" for each in folded)


def cut(text: str, width: int, indent: str = "") -> str:
    """At most `width` characters, '...' where something was left out."""
    text = indent + clean(text)
    return text if len(text) <= width else text[: width - 3] + "..."


def paragraph(text: str, width: int, indent: str = "") -> list[str]:
    # At spaces alone: 'us-east-1' is one word. And not between a number and what it counts.
    joined = sub(r"(?<=\d) (?=[A-Za-z])", JOINED, clean(text))
    lines = wrap(joined, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace(JOINED, " ") for line in lines]


def number(count: int, noun: str) -> str:
    """'1 account', '1,200 accounts'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(parts: Iterable[str], most: int) -> str:
    """'a, b and 3 more'."""
    parts = list(parts)
    more = len(parts) - most
    if more <= 0:
        return ", ".join(parts)
    return f"{', '.join(parts[:most])} and {more:,} more"


def totals(counts: Mapping[Any, int]) -> str:
    """'2 critical, 5 high'."""
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


REASONS = {
    Blindness.DENIED: "access denied",
    Blindness.DENIED_BY_SCP: "denied by a service control policy",
    Blindness.REGION_OFF: "region is off",
    Blindness.THROTTLED: "throttled",
    Blindness.DEADLINE: "out of time",
    Blindness.NO_DATA: "not enough data",
    Blindness.UNREACHABLE: "unreachable",
    Blindness.FAULT: "fault",
}


def usd(amount: float) -> str:
    return f"{amount:,.2f} USD"


def about(amount: float) -> str:
    """Of what is not known to the cent; never nothing."""
    return f"about {usd(amount)}" if amount >= 0.005 else "less than 0.01 USD"  # noqa: PLR2004 (half a cent)


def name(target: Target, most: int = 30) -> str:
    """The account's."""
    return cut(target.account_name or target.account, most)


def resource_name(arn: str) -> str:
    """What people call it: the ARN without what account, region or an id ('sg-0a1b2c3d') already say."""
    parts = arn.split(":", 5)
    told = clean(parts[5] if len(parts) == 6 else arn)  # noqa: PLR2004 (an ARN has six fields)
    last = told.rpartition("/")[2]
    return last if fullmatch("[a-z]+-[0-9a-f]{8,17}", last) else told


def under(sections: Iterable[Sequence[str]]) -> str:
    """The sections under each other, blank lines between."""
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"
