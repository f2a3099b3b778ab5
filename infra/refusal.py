"""From pydantic's errors to sentences for whoever wrote the file."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infra.fields import SHAPES, closest

# pydantic's kind of error -> what is allowed, in words.
RULES = {
    "missing": "must be given",
    "string_type": "must be text; put numbers in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "invalid_key": "must be text",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}
LONGEST = 60
"""Characters of a value that are shown."""
FEW = 12
"""Allowed names that are listed; checks are too many."""


def refusals(wrong: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """'limits.concurrency: 0: must be at least 1', for every error."""
    for error in wrong.errors():
        if error["type"] == "too_short" and error["input"]:
            continue  # pydantic does not count entries that are wrong
        path = [part for part in error["loc"] if part != "[key]"]
        yield ": ".join(filter(None, (_written(path), _value(error), _rule(error, model))))


def _written(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the file"


def _value(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return ""
    value = error["input"]
    if isinstance(value, str):
        text = repr(value)
    else:
        text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _rule(error: ErrorDetails, model: type[BaseModel]) -> str:
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return SHAPES[context["pattern"]]
    if error["type"] == "extra_forbidden":
        fields = _section(model, error["loc"][:-1]).model_fields
        known = [field.alias or name for name, field in fields.items()]
        listed = f"; must be one of {', '.join(known)}" if len(known) <= FEW else ""
        return f"unknown{listed}{closest(str(error['loc'][-1]), known)}"
    rule = RULES.get(error["type"])
    return rule.format(**context) if rule else error["msg"]


def _section(model: Any, path: Sequence[str | int]) -> Any:
    """The section at a path: fields are named, lists are numbered."""
    for part in path:
        model = get_args(model)[0] if isinstance(part, int) else model.model_fields[part].annotation
    return model
