"""A check's remedy for one finding: commands that can be pasted. Names of resources are hostile input."""

from __future__ import annotations

from re import sub
from shlex import quote

from orgscan.catalog import AnyCheck
from orgscan.line import Line

SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""Partition -> the domain of its endpoints, where it is not amazonaws.com."""
PLACEHOLDER = r"\{([a-z]+)\}"
"""What a command has from the finding; `<words>` in it are for people to decide."""


def commands(check: AnyCheck, line: Line) -> tuple[str, ...]:
    """Each is one shell command, whatever a resource is called: what is filled in is quoted as a word."""
    told = facts(line)
    return tuple(" ".join(_word(word, told) for word in command.split(" ")) for command in check.cli)


def facts(line: Line) -> dict[str, str]:
    """What a placeholder may ask for.

    {arn}; {name}: behind its last / or :; {path}: all that follows the account in it; {account}, {region},
    {key}; {partition}; {suffix}: of the domain of its endpoints.
    """
    last = line.resource.split(":", 5)[-1]
    return {
        "arn": line.resource,
        "path": last,
        "name": last.replace(":", "/").rpartition("/")[2],
        "account": line.account,
        "region": line.region,
        "key": line.key,
        "partition": line.partition,
        "suffix": SUFFIXES.get(line.partition, "amazonaws.com"),
    }


def _word(word: str, told: dict[str, str]) -> str:
    """Quoted only where it holds something from outside, so that a command's own quotes and <words> stay."""
    filled = sub(PLACEHOLDER, lambda found: told[found[1]], word)
    return word if filled == word else quote(filled)
