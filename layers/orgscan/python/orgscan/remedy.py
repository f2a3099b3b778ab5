"""A check's remedy for one finding: commands that can be pasted. Names of resources are hostile input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from json import dumps
from shlex import quote, split

from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.model import GLOBAL, HOME_REGION

SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""Partition -> the domain of its endpoints, where it is not amazonaws.com."""
PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
"""What a command has from the finding; '<words>' in it are for people to decide."""
COMMAND = re.compile(r"(?:(?P<type>[A-Za-z-]+): )?(?P<command>aws .+)")
"""'user: aws iam ...' is only for resources whose ARN says that they are users."""
WORD = re.compile(r"(?P<option>--[a-z0-9-]+=)?(?P<value>.*)", re.DOTALL)
ELSEWHERE = re.compile(r"\s*([\[{]|(file|fileb|https?)://)")
"""How a value begins that the AWS CLI reads as JSON, or as the place where the value is."""
GROUP = re.compile("(autoScalingGroup):[^:]*:autoScalingGroupName/")
"""What precedes the name of an Auto Scaling group, which may have a / of its own."""
SHORTHAND = frozenset(",[]{}\"'")
"""What ends a value in the CLI's shorthand: Key=...,Value=..."""
FACTS = ("arn", "path", "type", "id", "name", "account", "region", "key", "partition", "suffix")


@dataclass(frozen=True, slots=True)
class Shown:
    """A command as it stands in the documents, with `<words>` for what a finding tells."""

    type: str
    """Of the resources it is for, as in their ARNs; '' for all that the check judges."""
    command: str


def commands(check: AnyCheck, line: Line) -> tuple[str, ...]:
    """Each is one shell command with the same options, whatever a resource is called.

    None at all where a name would be more than a name to the AWS CLI or to a terminal, such as one with an
    escape sequence in it: half a remedy may delete what the other half was to save.
    """
    told = facts(line)
    filled = [
        [_word(word, told) for word in words]
        for type_, words in map(_parsed, check.cli)
        if type_ in ("", told["type"])
    ]
    if any(word is None for words in filled for word in words):
        return ()
    return tuple(" ".join(filter(None, words)) for words in filled)


def shown(check: AnyCheck) -> tuple[Shown, ...]:
    """The remedy of no finding in particular."""
    told = {name: f"<{name}>" for name in FACTS}
    return tuple(
        Shown(type_, " ".join(_word(word, told) or "" for word in words))
        for type_, words in map(_parsed, check.cli)
    )


def facts(line: Line) -> dict[str, str]:
    """What a placeholder may ask for.

    {arn}; {path}: all that follows the account in it; {type}: what that begins with, up to its first / or :;
    {id}: what follows that; {name}: what follows the last of them; {account}; {region}: where to ask, the
    partition's home for what has none; {key}: its --option={key} falls away where it is empty; {partition};
    {suffix}: of the domain of its endpoints.
    """
    path = line.resource.split(":", 5)[-1].removesuffix(":*")
    type_, *rest = re.split("[:/]", GROUP.sub(r"\1/", path), maxsplit=1)
    return {
        "arn": line.resource,
        "path": path,
        "type": type_,
        "id": rest[0] if rest else path,
        "name": re.split("[:/]", path)[-1],
        "account": line.account,
        "region": HOME_REGION.get(line.partition, "") if line.region == GLOBAL else line.region,
        "key": line.key,
        "partition": line.partition,
        "suffix": SUFFIXES.get(line.partition, "amazonaws.com"),
    }


@dataclass(frozen=True, slots=True)
class _Word:
    option: str
    """'--name=', or ''."""
    value: str
    asks: tuple[str, ...]
    """For these facts."""


@cache
def _parsed(declared: str) -> tuple[str, tuple[_Word, ...]]:
    """The type of the resources that a command is for, and its words: once for all findings of a check."""
    found = COMMAND.fullmatch(declared)
    if not found:
        raise ValueError(f"{declared!r} is no command of the AWS CLI")
    parts = [WORD.findall(word)[0] for word in split(found["command"])]
    words = (_Word(option, value, tuple(PLACEHOLDER.findall(value))) for option, value in parts)
    return found["type"] or "", tuple(words)


def _word(word: _Word, told: Mapping[str, str]) -> str | None:
    """As the shell must read it; '' when it falls away, None when it would be harmful."""
    option, value = word.option, word.value
    if not word.asks:
        return option + quote(value)
    asked = [told[name] for name in word.asks]
    if option and value == "{key}" and asked == [""]:
        return ""
    json = value.startswith(('{"', "["))
    filled = PLACEHOLDER.sub(
        lambda found: dumps(told[found[1]], ensure_ascii=False)[1:-1] if json else told[found[1]], value
    )
    harmful = (
        not all(each and each.isprintable() for each in asked)
        or (not option and filled.startswith("-"))
        or (PLACEHOLDER.match(value) and ELSEWHERE.match(filled))
        or ("=" in value and not json and any(SHORTHAND & {*each} for each in asked))
    )
    return None if harmful else option + quote(filled)
