"""One statement of a policy."""

from dataclasses import dataclass
from enum import StrEnum

from orgscan.policy.condition import Condition, account_of
from orgscan.policy.match import Names, is_everything, is_wild

AWS, SERVICE, FEDERATED, CANONICAL, ALL = "aws", "service", "federated", "canonicaluser", "*"


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Principals:
    """(kind, value) of each principal, or, `outside`, everybody else (NotPrincipal)."""

    named: tuple[tuple[str, str], ...]
    outside: bool = False

    def of(self, kind: str) -> tuple[str, ...]:
        return () if self.outside else tuple(value for each, value in self.named if each == kind)

    @property
    def anyone(self) -> bool:
        """Whether an Allow would let people in whom nobody named."""
        return self.outside or any(_is_anyone(kind, value) for kind, value in self.named)

    @property
    def everyone(self) -> bool:
        """Whether a Deny hits everyone without exception."""
        return not self.outside and any(
            kind in (ALL, AWS) and is_everything(value) for kind, value in self.named
        )

    @property
    def spare_only_named(self) -> bool:
        """Whether a Deny hits everyone, or everyone but those it names."""
        return self.everyone or (self.outside and not any(_is_anyone(*each) for each in self.named))

    def include(self, kind: str, principal: str) -> bool:
        """Whether a Deny hits this principal; an account's root stands for all of the account."""
        account = account_of(principal) or principal
        if self.outside:
            return self.spare_only_named and not any(account in value for _, value in self.named)
        whole = f":iam::{account}:root"
        return self.everyone or any(
            each == kind and (value in (principal, account) or value.endswith(whole))
            for each, value in self.named
        )


@dataclass(frozen=True, slots=True)
class Statement:
    effect: Effect
    actions: Names
    resources: Names
    """Everything where the policy names none: what it is attached to (trust policies, ECR)."""
    principals: Principals | None
    """None in policies of identities and organizations."""
    conditions: tuple[Condition, ...] = ()
    sid: str = ""

    @property
    def allows(self) -> bool:
        return self.effect is Effect.ALLOW

    @property
    def denies(self) -> bool:
        return self.effect is Effect.DENY

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys, in lower case."""
        return frozenset(each.key for each in self.conditions)


def _is_anyone(kind: str, value: str) -> bool:
    if kind in (ALL, AWS) and is_wild(value):
        return not account_of(value)
    return is_everything(value)
