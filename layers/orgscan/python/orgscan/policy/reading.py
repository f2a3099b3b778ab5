"""From JSON to statements. What is no policy is refused, never half understood."""

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NoReturn
from urllib.parse import unquote

from orgscan.errors import Told
from orgscan.policy.condition import Condition
from orgscan.policy.match import ANYTHING, COLONS, Names
from orgscan.policy.statement import ALL, AWS, CANONICAL, FEDERATED, SERVICE, Effect, Principals, Statement

TOP = frozenset({"version", "id", "statement"})
PARTS = frozenset(
    {
        *("sid", "effect", "principal", "notprincipal", "action", "notaction"),
        *("resource", "notresource", "condition"),
    }
)
EFFECTS = {each.value.lower(): each for each in Effect}
KINDS = frozenset({AWS, SERVICE, FEDERATED, CANONICAL})
QUALIFIERS = ("forallvalues", "foranyvalue")
IF_EXISTS = "ifexists"


class Malformed(Told):
    """Not a policy."""


def statements(document: str | Mapping[str, Any]) -> tuple[Statement, ...]:
    """Of a policy as AWS answers it: JSON, also escaped (API Gateway) or URL-encoded (IAM), or read."""
    policy = _members(_json(document) if isinstance(document, str) else document, TOP, "a policy")
    if "statement" not in policy:
        raise Malformed("a policy without statements")
    for name in ("version", "id"):
        _text(policy.get(name, ""), name)
    listed = policy["statement"]
    return tuple(_statement(each) for each in (listed if isinstance(listed, (list, tuple)) else [listed]))


def _json(text: str) -> Any:
    plain = text.strip()
    if not plain.startswith("{"):
        plain = unquote(plain)
    if plain.startswith('{\\"'):
        plain = plain.replace('\\"', '"')
    try:
        return json.loads(plain, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise Malformed("a member is there twice")
        members[name] = value
    return members


def _no_constant(_: str) -> NoReturn:
    raise Malformed("not JSON")


def _members(value: Any, known: frozenset[str], what: str) -> dict[str, Any]:
    """The members by their names in lower case."""
    if not isinstance(value, Mapping):
        raise Malformed(f"{what} is no object")
    members = _once((_text(name, "a name").lower(), each) for name, each in value.items())
    if not members.keys() <= known:
        raise Malformed(f"{what} has an unknown member")
    return members


def _statement(value: Any) -> Statement:
    parts = _members(value, PARTS, "a statement")
    effect = EFFECTS.get(_text(parts.get("effect"), "Effect").lower())
    if effect is None:
        raise Malformed("Effect is neither Allow nor Deny")
    actions = _names(parts, "action", caseless=True)
    if actions is None:
        raise Malformed("a statement without Action")
    return Statement(
        effect=effect,
        actions=actions,
        resources=_resources(_names(parts, "resource")),
        principals=_principals(parts),
        conditions=_conditions(parts.get("condition", {})),
        sid=_text(parts.get("sid", ""), "Sid"),
    )


def _names(parts: Mapping[str, Any], name: str, *, caseless: bool = False) -> Names | None:
    """Of Action or Resource, or of NotAction or NotResource; None when there is neither."""
    outside = _either(parts, name)
    if outside is None:
        return None
    patterns = _texts(parts[f"not{name}" if outside else name], name)
    if not patterns:
        raise Malformed(f"{name} is empty")
    return Names(patterns, outside=outside, caseless=caseless)


def _resources(names: Names | None) -> Names:
    """AWS completes ARNs that end early: 'arn:*:sqs' is all of SQS."""
    if names is None:
        return Names((ANYTHING,))
    missing = (COLONS - each.count(":") if each.startswith("arn:") else 0 for each in names.patterns)
    patterns = tuple(each + ":*" * count for each, count in zip(names.patterns, missing, strict=True))
    return Names(patterns, outside=names.outside)


def _principals(parts: Mapping[str, Any]) -> Principals | None:
    outside = _either(parts, "principal")
    if outside is None:
        return None
    value = parts["notprincipal" if outside else "principal"]
    if isinstance(value, str):
        if value != ALL:
            raise Malformed("a principal without its kind")
        return Principals(((ALL, ALL),), outside=outside)
    kinds = _members(value, KINDS, "Principal")
    named = tuple((kind, each) for kind, values in kinds.items() for each in _texts(values, "Principal"))
    return Principals(named, outside=outside)


def _either(parts: Mapping[str, Any], name: str) -> bool | None:
    """Whether it is the Not-form; None when there is neither form."""
    forms = [form for form in (name, f"not{name}") if form in parts]
    if len(forms) > 1:
        raise Malformed(f"a statement with {name} and its opposite")
    return forms[0] != name if forms else None


def _conditions(value: Any) -> tuple[Condition, ...]:
    return tuple(
        _condition(operator, key, values)
        for operator, keys in _objects(value)
        for key, values in _objects(keys)
    )


def _objects(value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise Malformed("Condition is no object of objects")
    return ((_text(name, "a name"), each) for name, each in value.items())


def _condition(operator: str, key: str, values: Any) -> Condition:
    name = operator.lower()
    qualifier = next((each for each in QUALIFIERS if name.startswith(f"{each}:")), "")
    name = name.removeprefix(f"{qualifier}:")
    return Condition(
        operator=name.removesuffix(IF_EXISTS),
        key=key.lower(),
        values=tuple(_value(each) for each in _listed(values)),
        qualifier=qualifier,
        if_exists=name.endswith(IF_EXISTS),
        name=key,
    )


def _value(value: Any) -> str:
    """Of a condition: AWS wants no quotation marks around numbers and booleans."""
    if isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value)):
        return json.dumps(value)
    return _text(value, "a value of a condition")


def _texts(value: Any, what: str) -> tuple[str, ...]:
    return tuple(_text(each, what) for each in _listed(value))


def _listed(value: Any) -> Iterable[Any]:
    """IAM's JSON writes a list of one without the list."""
    return value if isinstance(value, (list, tuple)) else (value,)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{what} is no text")
    return value
