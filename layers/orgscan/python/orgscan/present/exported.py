"""What all exports share: the words for a finding, and texts that any file can carry.

An export is a function of the summary of a scan (`report.describe`), its findings and the checks by id. It
yields text as it goes, and keeps no finding but where its format begins with what only the last one tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.model import GLOBAL

Summary: TypeAlias = Mapping[str, Any]
Checks: TypeAlias = Mapping[str, AnyCheck]
PRODUCT = "orgscan"
UNFIT = re.compile(
    "[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, halves of characters, and what turns the direction of writing around."""
LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class About:
    """What a finding's check says of itself. Empty but for the title where no such check exists any more."""

    title: str
    why: str = ""
    fix: str = ""
    refs: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


def about(line: Line, checks: Checks) -> About:
    check = checks.get(line.check)
    if check is None:
        return About(fit(line.check))
    return About(check.title, folded(check.why), check.fix, check.refs, check.maps)


def fit(text: str) -> str:
    """What XML, UTF-8 and a reader's eyes can take; all else becomes U+FFFD."""
    return UNFIT.sub(LOST, text)


def folded(text: str) -> str:
    """On one line."""
    return " ".join(fit(text).split())


def short(text: str, most: int) -> str:
    """At most so many characters, on one line; '...' where something was left out."""
    text = folded(text)
    return text if len(text) <= most else text[: most - 3] + "..."


def evidence(line: Line) -> str:
    return "; ".join(line.problems)


def place(line: Line) -> str:
    """The region as AWS has it; empty for what has none."""
    return "" if line.region == GLOBAL else line.region


def kind(arn: str) -> str:
    """Of a resource, as its ARN tells: 'ec2:instance', 's3'."""
    parts = arn.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004 (an ARN has six fields)
        return ""
    first, *more = re.split("[:/]", parts[5], maxsplit=1)
    return f"{parts[2]}:{first}" if more else parts[2]


def moment(told: str) -> datetime:
    """ISO 8601 with an offset, as UTC."""
    return datetime.fromisoformat(told).astimezone(UTC)


def zulu(told: str) -> str:
    """The same, ending in Z."""
    return moment(told).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age(line: Line, summary: Summary) -> int:
    """Days that a finding had been open when the scan started."""
    return max(0, (moment(summary["started"]) - moment(line.opened)).days)


def compact(value: Any) -> str:
    """ASCII: no character of it can be broken on the way."""
    return json.dumps(value, separators=(",", ":"))


def array(values: Iterable[Any]) -> Iterator[str]:
    """JSON, a line for each value."""
    between = "\n"
    yield "["
    for each in values:
        yield between + compact(each)
        between = ",\n"
    yield "\n]"
