"""The words of the domain: pure data, no AWS, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")

GLOBAL = "global"
"""The region of what has none (IAM, account settings): once per account, whatever the regions in scope."""

ACCOUNT_ID = "[0-9]{12}"
OU_ID = "(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})"
"""As Organizations forms them; a root is a unit too."""

HOME_REGION = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}
"""Partition -> the region whose endpoints answer for services without regions."""


def account_state(told: Mapping[str, Any]) -> str:
    """Of an account, as Organizations tells it.

    `Status` is being retired in favour of `State`; older partitions still send only the former.
    """
    return str(told.get("State") or told.get("Status") or "UNKNOWN")


class Severity(StrEnum):
    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for informational, 4 for critical."""
        return RANKS[self]


RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Category(StrEnum):
    SECURITY = "security"
    COST = "cost"
    RELIABILITY = "reliability"
    OPERATIONS = "operations"
    TAGGING = "tagging"
    INVENTORY = "inventory"


class Blindness(StrEnum):
    """Why something could not be seen."""

    DENIED = "denied"
    DENIED_BY_SCP = "denied-by-scp"
    REGION_OFF = "region-off"
    THROTTLED = "throttled"
    DEADLINE = "deadline"
    NO_DATA = "no-data"
    UNREACHABLE = "unreachable"
    FAULT = "fault"


class Confidence(StrEnum):
    """How sure a saving is: deleting a whole resource, resizing it, or an assumed share of it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class OwnedBy(StrEnum):
    """Where it stands who answers for something, the closest word first."""

    RESOURCE = "resource-tag"
    ACCOUNT = "account-tag"
    UNIT = "ou-tag"
    CONTACT = "alternate-contact"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for a resource. `name` is whatever somebody wrote into a tag; empty: nobody is named."""

    name: str = ""
    by: OwnedBy = OwnedBy.NOBODY


NOBODY = Owner()


class Standing(StrEnum):
    """What a scan does with a target."""

    DUE = "due"
    """It is looked at."""
    LEFT = "left"
    """Its account is no longer in the organization: what was found there is closed."""
    OUT_OF_SCOPE = "out-of-scope"
    """Earlier scans looked at it, nobody does any more: what was found there cannot be confirmed."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """The unit of fan-out: one account in one region, or in `GLOBAL`."""

    account: str
    region: str
    partition: str = "aws"
    account_name: str = field(default="", compare=False)
    region_off: bool = field(default=False, compare=False)
    """Planning already learned that this account has not enabled the region."""
    standing: Standing = field(default=Standing.DUE, compare=False)
    payer: bool = field(default=True, compare=False)
    """It manages the organization, or is scanned without one: what an organization has once is asked here."""
    unscanned: tuple[str, ...] | None = field(default=(), compare=False)
    """Of a global target: the regions that the account has enabled and nobody scans. None: it did not say."""
    ous: tuple[str, ...] = field(default=(), compare=False)
    """Ids of the root and the units that the account is in, from the top. Empty: nobody asked or answered."""
    owner: Owner = field(default=NOBODY, compare=False)
    """Of the account: for what carries no owner of its own."""

    @property
    def once(self) -> bool:
        return self.region == GLOBAL

    @property
    def api_region(self) -> str:
        """The region whose endpoints to call."""
        return HOME_REGION[self.partition] if self.once else self.region

    def arn(self, service: str, name: str) -> str:
        region = "" if self.once else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a collector saw. Subclasses add only the facts that some check reads."""

    aws_types: ClassVar[tuple[str, ...]] = ()
    """Under which the inventory lists it: CloudFormation's name, ('AWS::EC2::Instance',), or, where that has
    none, one of the same form. Several, where the resource says which (`aws_type`). (): it is left out, being
    a setting, or listed by another kind, or because its collector does not list all there are."""

    arn: str

    @property
    def aws_type(self) -> str:
        """Which of `aws_types` it is."""
        return self.aws_types[0]

    @property
    def dimensions(self) -> Mapping[str, str]:
        """How CloudWatch names this resource: {dimension name: value}. Empty when nothing measures it."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taggable(Resource):
    tags: Mapping[str, str] | None = None
    """None when the listing does not carry tags, which says nothing about whether there are any."""

    tags_optional: bool = False
    """AWS made it, so nobody can be asked to tag it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRecord(Resource):
    """What the tagging API says of a resource; it leaves out what was never tagged."""

    aws_types = ()

    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    namespace: str
    name: str
    statistic: str
    period: int
    """Seconds."""
    dimensions: tuple[tuple[str, str], ...] = ()
    """(name, value) of those that are the same for every resource: ('StorageType', 'StandardStorage')."""


@dataclass(frozen=True, slots=True)
class Series:
    """The datapoints that exist; `expected` is how many a fully observed window has."""

    values: tuple[float, ...]
    expected: int

    @property
    def share(self) -> float:
        """Datapoints found / expected, 0 to 1."""
        return len(self.values) / self.expected

    @property
    def average(self) -> float:
        return sum(self.values) / len(self.values)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something we should have seen and did not. Never the same as 'nothing wrong'."""

    scope: str
    reason: Blindness
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStore(Taggable):
    """It holds data that nobody could make again."""

    @property
    def own_backup(self) -> bool | Gap:
        """Whether its service backs it up by itself, alone or with something that it is part of."""
        return False


@dataclass(frozen=True, slots=True)
class Money:
    """A monthly amount in USD, where it comes from, and how sure it is."""

    monthly_usd: float
    basis: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Finding:
    """One check failing on one resource. Identity: target, check, resource, key."""

    check: str
    severity: Severity
    category: Category
    target: Target
    resource: str
    problems: tuple[str, ...]
    key: str = ""
    """Which part of the resource (an access key's id), where one resource can fail a check several times."""
    saving: Money | None = None
    """None on a cost finding means unpriced, never zero."""
    tags: Mapping[str, str] | None = None
    """The resource's, without what looks secret. None: it has none by nature, or they were not read."""
    owner: Owner = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Resource):
    """What the scan of a target came to. The scan itself makes it, when all else is judged."""

    blind: Gap | None = None
    """Why nothing of the target could be seen."""
    asked: int = 0
    """Kinds of resources that it was asked for."""
    lost: Mapping[str, Gap] = field(default_factory=dict)
    """Check -> why it was not, or not fully, evaluated."""


class AccountSighting(Sighting):
    """Of a global target."""

    aws_types = ()


class RegionSighting(Sighting):
    """Of a regional one."""

    aws_types = ()


class Unread(Exception):
    """A check needed a fact that was never read."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.detail)
        self.gap = gap


def known(fact: T | Gap) -> T:
    """The fact itself, or Unread: a check cannot pass on what was not seen."""
    if isinstance(fact, Gap):
        raise Unread(fact)
    return fact
