"""What we expect of tags."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orgscan.check import Problems, View, check
from orgscan.model import Category, Severity, Taggable, TagRecord

BASIC: Mapping[str, Any] = {
    "name": "basic",
    "required": ["Name", "Environment", "Owner"],
    "case_sensitive": True,
    "allow_empty": False,
    "exempt_types": [],
}
"""A tag policy. What a configured one leaves out, but for name and keys, is as here."""
AWS_OWN = "aws:"


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Add the missing tags, best in the template that made the resource.",
    also=(TagRecord,),
)
def tag_required_key_missing(
    resource: Taggable, view: View, *, policies: Sequence[Mapping[str, Any]] = [BASIC]
) -> Problems:
    """A resource lacks a tag key that a tag policy requires.

    Without an owner nobody answers for a resource, and without an environment nobody dares to delete it.
    A policy is {name, required, case_sensitive, allow_empty, exempt_types}, the types as `SecurityGroup`.
    """
    if resource.tags_optional:
        return
    for policy in policies:
        rules = {**BASIC, "required": [], **policy}
        if type(resource).__name__ not in rules["exempt_types"]:
            lacking = ", ".join(_lacking(view.tags(resource), rules))
            if lacking:
                yield f"policy {rules['name']}: {lacking}"


def _lacking(tags: Mapping[str, str], rules: Mapping[str, Any]) -> Iterator[str]:
    """The required keys that are missing, or empty where they must not be."""
    fold = str if rules["case_sensitive"] else str.casefold
    own = [(fold(key), value) for key, value in tags.items() if not key.startswith(AWS_OWN)]
    for key in rules["required"]:
        # Several, where `owner` and `Owner` are one.
        values = [value for name, value in own if name == fold(key)]
        if not values:
            yield f"{key} is missing"
        elif not rules["allow_empty"] and not any(value.strip() for value in values):
            yield f"{key} is empty"
