"""What a condition asks of a request, and whether it takes 'everyone' back to somebody."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from orgscan.network import worlds
from orgscan.policy.match import COLONS, is_wild

ACCOUNT = re.compile(r"[0-9]{12}")
ORG_PATH = re.compile(r"o-[a-z0-9]+/")
UNIQUE_ID = re.compile(r"[A-Z0-9]{16,}:")
OWN = re.compile(r"\$\{aws:resource(account|orgid|orgpaths)\}", re.IGNORECASE)
"""Variables that the request cannot choose: whose the resource is."""
SOMEBODY = "0" * 12

SOURCE_IP = "aws:sourceip"
EXTERNAL_ID = "sts:externalid"
ARNS = frozenset({"aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn"})
PATHS = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"})
ORGANIZATION = frozenset({"aws:principalorgid", "aws:principalorgpaths"})
SOURCE = frozenset(
    {
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
    }
)
"""On whose behalf a service acts."""
RESTRICTING = frozenset(
    {
        *ARNS,
        *PATHS,
        *ORGANIZATION,
        *SOURCE,
        SOURCE_IP,
        "aws:principalaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "kms:calleraccount",
        "lambda:functionurlauthtype",
        "s3:dataaccesspointaccount",
    }
)
"""Keys that take 'everyone' back to somebody: the usual ones, and those that S3's own 'public' knows."""

IS_SERVICE = "aws:principalisawsservice"
MFA = "aws:multifactorauthpresent"
MFA_AGE = "aws:multifactorauthage"
OWNED = frozenset({"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"})
"""Keys that hold for everything one owns."""
TAGS = ("aws:resourcetag/", "aws:requesttag/")

POSITIVE = frozenset(
    {"arnequals", "arnlike", "ipaddress", "stringequals", "stringequalsignorecase", "stringlike"}
)
NEGATED = frozenset(
    {
        *("arnnotequals", "arnnotlike", "notipaddress"),
        *("stringnotequals", "stringnotequalsignorecase", "stringnotlike"),
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator; a statement's conditions must all hold, one of the values is enough."""

    operator: str
    """'stringequals': lower case, without qualifier and IfExists."""
    key: str
    """Lower case."""
    values: tuple[str, ...]
    """As written; numbers and booleans as JSON writes them."""
    qualifier: str = ""
    """'forallvalues', 'foranyvalue' or ''."""
    if_exists: bool = False
    name: str = ""
    """The key as written."""

    @property
    def optional(self) -> bool:
        """Whether it also holds when the request lacks the key."""
        return self.if_exists or self.qualifier == "forallvalues"

    def pins(self, *, required: Collection[str] = ()) -> bool:
        """Whether the key must have one of some concrete values.

        `required`: keys that another condition (Null: false) demands, so that what is optional is not.
        """
        return (
            self.operator in POSITIVE and (not self.optional or self.key in required) and self._is_concrete()
        )

    def pins_by_denial(self) -> bool:
        """Whether a Deny with this condition alone leaves only requests whose key has a concrete value.

        A negated operator holds where the key is absent, with or without IfExists; not so ForAnyValue.
        """
        return self.operator in NEGATED and self.qualifier != "foranyvalue" and self._is_concrete()

    @property
    def demands_mfa(self) -> bool:
        if self.optional or not self.values:
            return False
        if self.key == MFA_AGE:
            return self.operator.startswith("numericlessthan")
        return self.key == MFA and self.operator == "bool" and _all_say("true", self.values)

    @property
    def spares_services(self) -> bool:
        """Whether a Deny with it leaves alone what AWS's services do themselves, and nobody else."""
        return self.key == IS_SERVICE and self.operator == "bool" and _all_say("false", self.values)

    @property
    def limits_callers(self) -> bool:
        """Whether only some may use what is allowed, or only from somewhere or at some time."""
        if self.demands_mfa or (self.operator.startswith("dateless") and not self.optional):
            return True
        return self.key not in OWNED and self.pins()

    @property
    def limits_things(self) -> bool:
        """Whether only some things are reached: those with a tag, or what a key of a service says."""
        if self.key.startswith("aws:"):
            return self.key.startswith(TAGS) and self.pins()
        return self.pins() or (self.operator == "bool" and not self.optional)

    def _is_concrete(self) -> bool:
        if self.key == SOURCE_IP:
            return bool(self.values) and _is_no_world(self.values)
        return bool(self.values) and all(_is_concrete(self.key, value) for value in self.values)


def demanded(conditions: Collection[Condition]) -> frozenset[str]:
    """The keys that a request must carry: Null, false."""
    return frozenset(
        each.key
        for each in conditions
        if each.operator == "null" and each.values and _all_say("false", each.values)
    )


def pinned(conditions: Collection[Condition], keys: Collection[str]) -> frozenset[str]:
    """Which of the keys must have a concrete value."""
    required = demanded(conditions)
    return frozenset(each.key for each in conditions if each.key in keys and each.pins(required=required))


def account_of(arn: str) -> str:
    """The account in an ARN, or ''."""
    parts = arn.split(":", COLONS)
    return parts[4] if len(parts) > COLONS and ACCOUNT.fullmatch(parts[4]) else ""


def _all_say(word: str, values: tuple[str, ...]) -> bool:
    return all(value.lower() == word for value in values)


def _is_concrete(key: str, value: str) -> bool:
    if OWN.fullmatch(value):
        return True
    if key == "lambda:functionurlauthtype":
        return value.upper() == "AWS_IAM"
    if key in ARNS:
        return _is_somebodys(OWN.sub(SOMEBODY, value))
    if key in PATHS:
        return bool(ORG_PATH.match(value))
    if key == "aws:userid" and UNIQUE_ID.match(value):
        return True
    return bool(value) and not is_wild(value)


def _is_somebodys(arn: str) -> bool:
    """Whether an ARN, maybe with wildcards, is one account's, or, without an account, one bucket's.

    Bucket names are unique, so 's3:*:*:name' is one bucket's, wherever it is; other names anybody can use.
    """
    if account_of(arn):
        return True
    if not arn.startswith("arn:") or arn.count(":") < COLONS:
        return bool(arn) and not is_wild(arn)
    _, _, service, _, account, name = arn.split(":", COLONS)
    if service == "s3" and account in ("", "*"):
        return bool(name) and "/" not in name and not is_wild(name)
    return not is_wild(account + name)


def _is_no_world(values: tuple[str, ...]) -> bool:
    try:
        return not worlds(values)
    except ValueError:
        return False
