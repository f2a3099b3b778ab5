"""Conditions and updates, as far as the store writes them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tests.twins.items import INVALID, KEYS, Invalid, Item, kept

NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
TERM = re.compile(r"(?:(NOT) )?(#?\w+) (=|>=) (:\w+)|(attribute_exists|attribute_not_exists)\((#?\w+)\)")
COMMA = re.compile(r",\s*(?![^(]*\))")
OPERATORS = ("=", "contains", "attribute_exists", "attribute_not_exists")
CHANGES = {
    "SET": re.compile(r"(#?\w+) = (:\w+)|(#?\w+) = if_not_exists\((#?\w+), (:\w+)\)"),
    **dict.fromkeys(("ADD", "DELETE"), re.compile(r"(#?\w+) (:\w+)")),
    "REMOVE": re.compile(r"(#?\w+)"),
}
"""Verb -> what may follow, once or with commas."""
SECTION = re.compile(rf"\s*\b({'|'.join(CHANGES)})\s+")


@dataclass(frozen=True, slots=True)
class Term:
    """What one attribute has to be."""

    operator: str
    name: str
    value: Any = None

    def holds(self, item: Mapping[str, Any]) -> bool:
        there = self.name in item
        if self.operator == "=":
            return there and _same(item[self.name], self.value)
        if self.operator == "NOT >=":
            return not (there and isinstance(item[self.name], str) and item[self.name] >= self.value)
        if self.operator == "contains":
            return there and self.value in item[self.name]
        return there is (self.operator == "attribute_exists")


@dataclass(frozen=True, slots=True)
class Change:
    """One action of an update."""

    verb: str
    name: str
    value: Any = None
    known: str = ""
    """Whose value it takes, as it was before the update, if there is one."""

    def apply(self, item: Item, before: Mapping[str, Any]) -> None:
        value = before.get(self.known, self.value)
        name, current = self.name, item.get(self.name)
        match self.verb:
            case "SET":
                item[name] = value
            case "REMOVE":
                item.pop(name, None)
            case "ADD" if name not in item:
                item[name] = value
            case "DELETE" if name not in item:
                pass
            case _ if not isinstance(current, set):
                raise Invalid("An operand in the update expression has an incorrect data type")
            case "ADD":
                item[name] = current | value
            case _ if current <= value:
                del item[name]  # there are no empty sets
            case _:
                item[name] = current - value


def condition(call: Mapping[str, Any]) -> list[Term]:
    """All of them must hold."""
    told = call.get("ConditionExpression")
    if isinstance(told, str):
        return [_read(each, call) for each in told.split(" AND ")]
    return [] if told is None else [*_terms(told)]


def changes(call: Mapping[str, Any]) -> list[Change]:
    text = call["UpdateExpression"]
    before, *sections = SECTION.split(text)
    told = [
        _change(verb, each, call)
        for verb, section in zip(sections[::2], sections[1::2], strict=True)
        for each in COMMA.split(section.rstrip())
    ]
    names = {change.name for change in told}
    if before or len(names) < len(told) or len({*sections[::2]}) < len(sections) // 2:
        raise NotImplementedError(text)
    if key := next(iter(names & KEYS.keys()), None):
        raise Invalid(INVALID + f"Cannot update attribute {key}. This attribute is part of the key")
    return told


def _read(text: str, call: Mapping[str, Any]) -> Term:
    found = TERM.fullmatch(text)
    if not found:
        raise NotImplementedError(text)
    negated, name, compared, value, function, of = found.groups()
    if (negated, compared) not in ((None, "="), ("NOT", ">="), (None, None)):
        raise NotImplementedError(text)
    operator = f"NOT {compared}" if negated else compared or function
    return Term(operator, _name(name or of, call), kept(call[VALUES][value]) if compared else None)


def _terms(told: ConditionBase) -> Iterator[Term]:
    parts = told.get_expression()
    operator, (first, *others) = parts["operator"], parts["values"]
    if operator == "AND":
        for each in (first, *others):
            yield from _terms(each)
    elif operator not in OPERATORS or not isinstance(first, Attr) or not first.name.isidentifier():
        raise NotImplementedError(operator, first)
    else:
        yield Term(operator, first.name, *map(kept, others))


def _change(verb: str, text: str, call: Mapping[str, Any]) -> Change:
    found = CHANGES[verb].fullmatch(text)
    if not found:
        raise NotImplementedError(f"{verb} {text}")
    words = [word for word in found.groups() if word]
    name, values = words[0], [word for word in words if word.startswith(":")]
    known = "".join(_name(word, call) for word in words[1:] if not word.startswith(":"))
    value = kept(call[VALUES][values[0]]) if values else None
    change = Change(verb, _name(name, call), value, known)
    if verb in ("ADD", "DELETE") and not isinstance(change.value, set):
        raise NotImplementedError(f"{verb} of what is no set")
    return change


def _name(word: str, call: Mapping[str, Any]) -> str:
    return str(call[NAMES][word]) if word.startswith("#") else word


def _same(one: Any, other: Any) -> bool:
    """Python thinks that True == 1; DynamoDB does not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)
