"""Tag policies in orgscan.yaml: one section, instead of a threshold of each check that reads them."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import Field, StrictBool, model_validator

from infra import fields as f
from infra.fields import Section
from orgscan.tagging import COST_ALLOCATION, MAP, PREDEFINED, SECURITY

JUDGING = (
    "tag-required-key-missing",
    "tag-value-not-allowed",
    "tag-value-pattern-mismatch",
    "tag-forbidden-key-present",
)
"""The checks that judge by every policy, each by another part of its rules."""
OF_ONE = {
    "tag-cost-allocation-incomplete": COST_ALLOCATION["name"],
    "tag-data-classification-missing": SECURITY["name"],
    "tag-map-migrated-missing-or-invalid": MAP["name"],
}
"""The checks that judge by the policy of one name."""
NAMES = ", ".join(PREDEFINED)


class TagRule(Section):
    """What is asked of one key."""

    key: f.TagKey = Field(description="As it is spelled, or a pattern of whole keys.")
    key_is_pattern: StrictBool = Field(default=False, description="true: `key` is a regular expression.")
    required: StrictBool = Field(default=False, description="true: every resource must carry it.")
    allowed_values: tuple[f.TagValue, ...] = Field(default=(), description="Nothing else; empty: anything.")
    pattern: f.Pattern = Field(default="", description="A regular expression that whole values must match.")
    case_sensitive: StrictBool | None = Field(
        default=None, description="Of key and values; null: as the policy."
    )
    forbidden: StrictBool = Field(default=False, description="true: no resource may carry it.")
    description: str = Field(default="", max_length=200, description="Why.")

    @model_validator(mode="after")
    def _key_is_right(self) -> Self:
        if self.key_is_pattern:
            f.pattern(self.key)
        if self.forbidden and (self.required or self.allowed_values or self.pattern):
            raise ValueError("what is forbidden must not be required, and needs neither values nor pattern")
        if self.required and self.key_is_pattern:
            raise ValueError("a pattern of keys must not be required: it names none")
        return self


class TagPolicy(Section):
    """Which tags resources must, may and must not carry."""

    name: f.PolicyName = Field(description=f"Unique; appears in findings. A predefined one, alone: {NAMES}.")
    required: tuple[f.TagKey, ...] = Field(default=(), description="The keys every resource must carry.")
    rules: tuple[TagRule, ...] = Field(default=(), description="What else is asked of keys and values.")
    case_sensitive: StrictBool = Field(default=True, description="true: `owner` is not `Owner`.")
    allow_empty: StrictBool = Field(default=False, description="true: a key without a value is enough.")
    types: tuple[f.Kind, ...] = Field(default=(), description="Only these kinds of resources; empty: all.")
    exempt_types: tuple[f.Kind, ...] = Field(default=(), description="Kinds of resources that need no tags.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.required and not self.rules and self.name not in PREDEFINED:
            raise ValueError(f"must have `required` or `rules`, or be the name of a predefined one: {NAMES}")
        return self

    def told(self) -> Mapping[str, Any]:
        """As `orgscan.tagging` takes it; a predefined one that says nothing else is taken whole."""
        own = self.model_dump(mode="json", exclude_unset=True)
        own["rules"] = [_without_null(rule) for rule in own.get("rules", [])]
        return {**own} if self.required or self.rules else {**PREDEFINED[self.name], **_but(own, "rules")}


def _without_null(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value is not None}


def _but(told: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


def is_section(check: str, threshold: str) -> bool:
    """Whether a threshold stands in the section of tag policies."""
    return threshold == ("policies" if check in JUDGING else "policy" if check in OF_ONE else "")


def thresholds(policies: Iterable[TagPolicy]) -> Mapping[str, Mapping[str, Any]]:
    """Check -> threshold -> value: what the policies come to; {} for none."""
    told = [policy.told() for policy in policies]
    if not told:
        return {}
    named = {policy["name"]: policy for policy in told}
    return {
        **{check: {"policies": told} for check in JUDGING},
        **{check: {"policy": named[name]} for check, name in OF_ONE.items() if name in named},
    }
