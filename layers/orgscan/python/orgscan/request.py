"""What a scan may be asked for: the input of an execution, validated before any account is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import accumulate
from typing import Any, Self

from orgscan.model import ACCOUNT_ID, OU_ID, Category

CAUSE = 16_000
"""Characters of a message. Step Functions keeps 32,768 of a cause, and a trace comes with it."""


class InvalidScanRequest(Exception):
    """The execution's input cannot be carried out. The message, one line, names every problem that fits."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = problems = list(problems)
        ends = accumulate(len(problem) + len("; ") for problem in problems)
        told = max(1, sum(end <= CAUSE for end in ends))
        rest = [f"and {len(problems) - told:,} more"] if told < len(problems) else []
        super().__init__("; ".join(problems[:told] + rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameable:
    """What a request may name."""

    accounts: Collection[str]
    checks: Collection[str]
    schedules: Collection[str]
    region: Callable[[str], str | None]
    """What a region pattern must be, or None when it is."""
    organization: bool = True
    """Whether there is one that knows OUs and accounts' tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """Every field narrows the configured scope; what is left out does not."""

    accounts: tuple[str, ...] = ()
    ous: tuple[str, ...] = ()
    account_tags: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    """Names, globs, or 'global' for what has no region."""
    checks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    notify: bool = True
    schedule: str = ""
    """The schedule that asks; empty when a person does."""
    digest: bool = False
    """Tell everything that is open, whether or not anything changed."""

    @property
    def somewhere(self) -> bool:
        """It asks for some accounts or regions only."""
        return bool(self.of_accounts or self.regions)

    @property
    def of_accounts(self) -> bool:
        """It asks for some accounts only."""
        return bool(self.accounts or self.ous or self.account_tags)

    @classmethod
    def parse(cls, raw: object, known: Nameable) -> tuple[Self, list[str]]:
        """The request as far as it is valid, and everything that is wrong with it."""
        if not isinstance(raw, Mapping):
            return cls(), [f"input: {shown(raw)} must be a JSON object such as {{}}"]
        rules = _rules(known)
        problems = [_unknown(str(name), rules) for name in raw if name not in rules]
        good: dict[str, Any] = {}
        for name, rule in rules.items():
            if name in raw:
                value, wrong = rule(name, raw[name])
                problems += wrong
                if not wrong:
                    good[name] = value
        if not known.organization and (good.get("ous") or good.get("account_tags")):
            problems.append("input: ous and account_tags need accounts.organization in orgscan.yaml")
        return cls(**good), problems


Rule = Callable[[str, Any], tuple[Any, list[str]]]


def _rules(known: Nameable) -> dict[str, Rule]:
    """One rule per field; the fields of `ScanRequest`."""
    return {
        "accounts": _strings(lambda text: _account(text, known.accounts)),
        "ous": _strings(lambda text: _matches(text, OU_ID, "an organizational unit's or root's id")),
        "account_tags": _tags,
        "regions": _strings(known.region),
        "checks": _strings(lambda text: _one_of(text, known.checks, "the id of a check that is switched on")),
        "categories": _strings(lambda text: _one_of(text, [*Category], "a category")),
        "notify": _flag,
        "schedule": lambda name, value: _scalar(
            name, value, _one_of(value, known.schedules, "a schedule's name")
        ),
        "digest": _flag,
    }


def _strings(allowed: Callable[[str], str | None]) -> Rule:
    """A list of strings; `allowed` says what one must be, or None when it is."""

    def rule(name: str, value: Any) -> tuple[Any, list[str]]:
        if not isinstance(value, list):
            return (), [f"{name}: {shown(value)} must be a list of strings"]
        problems = []
        for number, each in enumerate(value):
            wrong = "a string" if not isinstance(each, str) else allowed(each)
            if wrong:
                problems.append(f"{name}[{number}]: {shown(each)} must be {wrong}")
        return tuple(value), problems

    return rule


def _tags(name: str, value: Any) -> tuple[Any, list[str]]:
    if isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair):
        return value, []
    return {}, [f"{name}: {shown(value)} must be an object of tag keys and values, all strings"]


def _flag(name: str, value: Any) -> tuple[Any, list[str]]:
    return _scalar(name, value, None if isinstance(value, bool) else "true or false")


def _scalar(name: str, value: Any, wrong: str | None) -> tuple[Any, list[str]]:
    return value, [f"{name}: {shown(value)} must be {wrong}"] if wrong else []


def _account(text: str, known: Collection[str]) -> str | None:
    if text in known:
        return None
    return _matches(text, ACCOUNT_ID, "an account id of 12 digits") or "an account in the configured scope"


def _matches(text: str, pattern: str, what: str) -> str | None:
    return None if re.fullmatch(pattern, text) else what


def _one_of(text: object, allowed: Collection[str], what: str) -> str | None:
    if isinstance(text, str) and text in allowed:
        return None
    near = get_close_matches(str(text), allowed, n=1)
    return f"{what} (did you mean {shown(near[0])}?)" if near else f"{what}{_among(allowed)}"


def _among(allowed: Collection[str], most: int = 12) -> str:
    return f": one of {', '.join(sorted(allowed))}" if 0 < len(allowed) <= most else ""


def _unknown(name: str, allowed: Collection[str]) -> str:
    near = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {shown(near[0])}?" if near else f"allowed are {', '.join(allowed)}"
    return f"input: {shown(name)} is not a field; {hint}"


def shown(value: object, most: int = 200) -> str:
    """As JSON, on one line and not longer than helps."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= most else f"{text[:most]}..."
