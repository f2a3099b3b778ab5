"""The policy language of IAM, as far as it is spoken here: an unknown operator is an error, never a guess."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase  # knows IAM's * and ?, and brackets, which no ARN has
from typing import Any

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": fnmatchcase,  # to IAM the same as ArnLike
    "ArnLike": fnmatchcase,
    "StringEquals": str.__eq__,
    "StringLike": fnmatchcase,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource. `principals`: all names of the caller; `context`: keys in lower case."""

    action: str
    resource: str
    principals: frozenset[str]
    context: Mapping[str, str] = field(default_factory=dict)


def effects(documents: Iterable[Any], request: Request) -> set[str]:
    """What these documents, JSON or already read, say of it: Allow, Deny, both (which is Deny) or nothing."""
    read = (json.loads(each) if isinstance(each, str) else each for each in documents)
    statements = (statement for each in read for statement in _listed(each["Statement"]))
    return {statement["Effect"] for statement in statements if _applies(statement, request)}


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _covers(statement, "Action", request.action)
        and _covers(statement, "Resource", request.resource)
        and _names(statement.get("Principal", "*"), request.principals)
        and all(
            _holds(operator, _listed(wanted), request.context.get(key.lower()))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _covers(statement: Mapping[str, Any], element: str, value: str) -> bool:
    """By the element, or by its negation; a trust policy has no resource, and actions have no case."""
    negation, fold = f"Not{element}", str.lower if element == "Action" else str
    globs = _listed(statement.get(negation, statement.get(element, "*")))
    return any(fnmatchcase(fold(value), fold(glob)) for glob in globs) != (negation in statement)


def _names(principal: Any, callers: frozenset[str]) -> bool:
    values = principal.values() if isinstance(principal, dict) else [principal]
    named = {name for value in values for name in _listed(value)}
    return "*" in named or not named.isdisjoint(callers)


def _holds(operator: str, wanted: list[str], actual: str | None) -> bool:
    """A key that is missing meets negated operators only."""
    matches = _OPERATORS[operator.replace("Not", "")]
    return (actual is not None and any(matches(actual, value) for value in wanted)) != ("Not" in operator)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
