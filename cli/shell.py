"""Commands of the AWS CLI as they are shown: wrapped so that they can be pasted all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

OPTION = re.compile(r" (?=--)(?=(?:[^']|'[^']*')*$)")
"""Where a command may be broken: before an option, and not within quotes."""
INDENT = "    "


def script(commands: Sequence[Mapping[str, str]], width: int) -> Iterator[str]:
    """As `describe` has them, with comments where some are for resources of one type only."""
    several = any(each["type"] for each in commands)
    for type_, those in groupby(commands, key=lambda each: each["type"]):
        if several:
            yield f"# {type_ or 'all'}"
        for each in those:
            yield from wrapped(each["command"], width)


def wrapped(command: str, width: int) -> Iterator[str]:
    """Lines of at most so many characters, where there are options to break at."""
    line, *parts = OPTION.split(command)
    for part in parts:
        if len(line) + len(part) + len(" \\") >= width:
            yield f"{line} \\"
            line = f"{INDENT}{part}"
        else:
            line = f"{line} {part}"
    yield line
