"""Tag policies: which keys and values resources must, may and must not carry. Four are predefined.

A policy is {name, rules, required, case_sensitive, allow_empty, types, exempt_types}; `required` are keys for
which a whole rule would say no more. A rule is {key, key_is_pattern, required, allowed_values, pattern,
case_sensitive, forbidden, description}. What is left out is as in `POLICY` and `Rule`; a rule's
`case_sensitive`, for key and value, is its policy's. Patterns match whole values and keys.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orgscan.model import Taggable

POLICY: Mapping[str, Any] = {
    "rules": [],
    "required": [],
    "case_sensitive": True,
    "allow_empty": False,
    "types": [],
    "exempt_types": [],
}
STAGES = ["prod", "stg", "dev", "test", "sandbox"]
E_MAIL = r"[^@ ]+@[^@ ]+\.[A-Za-z]{2,}"

BASIC: Mapping[str, Any] = {
    "name": "basic",
    "required": ["Name", "Environment", "Owner"],
    "rules": [{"key": "Environment", "allowed_values": STAGES}],
}
COST_ALLOCATION: Mapping[str, Any] = {
    "name": "cost-allocation",
    "rules": [
        {"key": "CostCenter", "required": True, "pattern": "CC-[0-9]{4,6}"},
        {"key": "Project", "required": True},
        {"key": "Owner", "required": True, "pattern": E_MAIL},
        {"key": "Environment", "required": True, "allowed_values": STAGES, "case_sensitive": False},
    ],
    "types": [
        "AWS::DynamoDB::Table",
        "AWS::EC2::Instance",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Volume",
        "AWS::EFS::FileSystem",
        "AWS::EKS::Cluster",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::Lambda::Function",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    ],
}
SECURITY: Mapping[str, Any] = {
    "name": "security",
    "rules": [
        {
            "key": "DataClassification",
            "required": True,
            "allowed_values": ["public", "internal", "confidential", "restricted"],
            "case_sensitive": False,
        },
        {
            "key": "Compliance",
            "allowed_values": ["pci", "hipaa", "sox", "gdpr", "none"],
            "case_sensitive": False,
        },
    ],
    "types": [
        "AWS::DynamoDB::Table",
        "AWS::EC2::Volume",
        "AWS::EFS::FileSystem",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    ],
}
MAP: Mapping[str, Any] = {
    "name": "map-2.0",
    "rules": [
        {
            "key": "map-migrated",
            "required": True,
            "pattern": "(mig|sap|oracle|comm)([A-Z]{0,5})?[0-9]+",
            "description": "of the Migration Acceleration Program; later agreements have longer ids",
        }
    ],
}
PREDEFINED: Mapping[str, Mapping[str, Any]] = {
    each["name"]: each for each in (BASIC, COST_ALLOCATION, SECURITY, MAP)
}

AWS_OWN = "aws:"
SEPARATORS = re.compile(r"[\s_:./-]")
SHORT = {"env": "environment", "costcentre": "costcenter"}
"""What people write, when it is read without case and separators."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    key: str
    case_sensitive: bool
    key_is_pattern: bool = False
    required: bool = False
    allowed_values: Sequence[str] = ()
    pattern: str = ""
    forbidden: bool = False
    description: str = ""

    def names(self, key: str) -> bool:
        return bool(self._key.fullmatch(key))

    @cached_property
    def _key(self) -> re.Pattern[str]:
        return self._pattern(self.key if self.key_is_pattern else re.escape(self.key))

    @cached_property
    def _value(self) -> re.Pattern[str]:
        return self._pattern(self.pattern)

    def _pattern(self, text: str) -> re.Pattern[str]:
        return re.compile(text, 0 if self.case_sensitive else re.IGNORECASE)

    def missing(self, tags: Mapping[str, str], *, allow_empty: bool) -> str | None:
        """'Owner is missing', where it is required and no tag of that name is there."""
        if not self.required or self.key_is_pattern:
            return None
        # Several, where `owner` and `Owner` are one.
        values = [value for key, value in tags.items() if self.names(key)]
        if not values:
            return f"{self.key} is missing"
        if not allow_empty and not any(value.strip() for value in values):
            return f"{self.key} is empty"
        return None

    def unwanted(self, tags: Mapping[str, str]) -> Iterator[str]:
        """Values beside those that are allowed."""
        for key, value in self._filled(tags):
            if self.allowed_values and not self._allows(value):
                alike = [each for each in self.allowed_values if each.casefold() == value.casefold()]
                instead = (
                    f"only in case from {alike[0]}" if alike else f"from {', '.join(self.allowed_values)}"
                )
                yield f"{key} is {value!r}, which differs {instead}"

    def _allows(self, value: str) -> bool:
        if self.case_sensitive:
            return value in self.allowed_values
        return value.casefold() in {each.casefold() for each in self.allowed_values}

    def misshapen(self, tags: Mapping[str, str]) -> Iterator[str]:
        for key, value in self._filled(tags):
            if self.pattern and not self._value.fullmatch(value):
                yield f"{key} is {value!r}, which does not match {self.pattern}"

    def present(self, tags: Mapping[str, str]) -> Iterator[str]:
        """Keys that must not be there."""
        if self.forbidden:
            yield from (f"{key} is forbidden" for key in tags if self.names(key))

    def variants(self, tags: Mapping[str, str]) -> Iterator[str]:
        """Keys that are meant to be this one, and are not."""
        if self.required and not self.key_is_pattern:
            for key in tags:
                if not self.names(key) and _plain(key) == _plain(self.key):
                    yield f"{key!r} is a variant of {self.key}"

    def _filled(self, tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        return ((key, value) for key, value in tags.items() if value.strip() and self.names(key))


@dataclass(frozen=True)
class TagPolicy:
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.told["name"])

    @property
    def allow_empty(self) -> bool:
        return bool(self._told("allow_empty"))

    def _told(self, name: str) -> Any:
        return self.told.get(name, POLICY[name])

    def concerns(self, resource: Taggable) -> bool:
        """By CloudFormation's type, or by our name of the kind."""
        names = {type(resource).__name__, *(resource.aws_types and (resource.aws_type,))}
        types: Sequence[str] = self._told("types")
        return not names.intersection(self._told("exempt_types")) and bool(
            not types or names.intersection(types)
        )

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Its own, and one for each required key that none of them names."""
        whole = [dict(rule) for rule in self._told("rules")]
        for key in self._told("required"):
            same = [rule for rule in whole if rule["key"] == key and not rule.get("key_is_pattern")]
            if same:
                same[0]["required"] = True
            else:
                whole.append({"key": key, "required": True})
        order = {key: place for place, key in enumerate(self._told("required"))}
        whole.sort(key=lambda rule: order.get(rule["key"], -1))
        usual = {"case_sensitive": self._told("case_sensitive")}
        return tuple(Rule(**{**usual, **rule}) for rule in whole)

    def missing(self, tags: Mapping[str, str]) -> list[str]:
        told = (rule.missing(tags, allow_empty=self.allow_empty) for rule in self.rules)
        return [each for each in told if each]

    def wrong(self, tags: Mapping[str, str]) -> list[str]:
        """Everything: what is missing, what is not allowed, what is misshapen, what is forbidden."""
        found = [*self.missing(tags)]
        for rule in self.rules:
            found += [*rule.unwanted(tags), *rule.misshapen(tags), *rule.present(tags)]
        return found


def own(tags: Mapping[str, str]) -> dict[str, str]:
    """Without what AWS itself sets, which is nobody's answer."""
    return {key: value for key, value in tags.items() if not key.lower().startswith(AWS_OWN)}


def _plain(key: str) -> str:
    plain = SEPARATORS.sub("", key).casefold()
    return SHORT.get(plain, plain)
