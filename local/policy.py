"""The policy language of IAM: whether documents allow a request.

Policy variables and conditions on numbers, dates and addresses are not needed by what runs here; an unknown
operator is an error, never a guess.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource. `principals` are all names the caller answers to."""

    action: str
    resource: str
    principals: frozenset[str]
    context: Mapping[str, str] = field(default_factory=dict)


class Decision(Enum):
    ALLOW = "allow"
    DENY = "explicit deny"
    SILENT = "nobody says anything"


def decide(documents: Iterable[str], request: Request) -> Decision:
    """What these documents together say; an explicit deny wins."""
    decision = Decision.SILENT
    for document in documents:
        for statement in _statements(document):
            if _applies(statement, request):
                if statement["Effect"] == "Deny":
                    return Decision.DENY
                decision = Decision.ALLOW
    return decision


@lru_cache(maxsize=4096)
def _statements(document: str) -> tuple[dict[str, Any], ...]:
    return tuple(_listed(json.loads(document)["Statement"]))


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    if "Principal" in statement and not _names(statement["Principal"], request.principals):
        return False
    action, resource = request.action, request.resource
    return (
        ("Action" not in statement or _any_like(statement["Action"], action, ignore_case=True))
        and ("NotAction" not in statement or not _any_like(statement["NotAction"], action, ignore_case=True))
        and ("Resource" not in statement or _any_like(statement["Resource"], resource))
        and ("NotResource" not in statement or not _any_like(statement["NotResource"], resource))
        and _conditions_hold(statement.get("Condition", {}), request.context)
    )


def _names(principal: Any, callers: frozenset[str]) -> bool:
    values = [principal] if isinstance(principal, str) else principal.values()
    named = {name for value in values for name in _listed(value)}
    return "*" in named or bool(named & callers)


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Every operator and every key in it must hold."""
    return all(
        _holds(operator, _listed(wanted), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: list[Any], actual: str | None) -> bool:
    name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    if name == "Null":
        return (actual is None) == (str(wanted[0]).lower() == "true")
    negated, matches = "Not" in name, _OPERATORS[name.replace("Not", "")]
    if actual is None:
        return if_exists or negated or operator.startswith("ForAllValues:")
    return any(matches(str(value), actual) for value in wanted) != negated


@lru_cache(maxsize=4096)
def _pattern(glob: str, *, ignore_case: bool) -> re.Pattern[str]:
    expression = re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _like(glob: str, value: str, *, ignore_case: bool = False) -> bool:
    return _pattern(glob, ignore_case=ignore_case).fullmatch(value) is not None


def _any_like(globs: Any, value: str, *, ignore_case: bool = False) -> bool:
    return any(_like(glob, value, ignore_case=ignore_case) for glob in _listed(globs))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda wanted, actual: wanted.lower() == actual.lower(),
    "StringLike": _like,
    "ArnEquals": _like,  # IAM treats it as ArnLike
    "ArnLike": _like,
    "Bool": lambda wanted, actual: wanted.lower() == actual.lower(),
}
