"""Where things are planted, and the book of what a scan must find there."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from local.beyond import Answer, Beyond

GLOBAL = "global"
HOME = "us-east-1"
"""Where services without regions, and this organization's trails, live."""

Act: TypeAlias = Callable[[], object]
Clients: TypeAlias = Callable[[str, str, str], Any]
"""(service, account, region) -> an administrator's boto3 client."""


@dataclass(frozen=True, slots=True)
class Account:
    """`ou` is the path of its organizational unit, '' for the root; `role`: the scanner may come in."""

    id: str
    name: str
    stage: str
    """What resources in it carry as tag Environment."""
    ou: str = ""
    role: bool = True
    suspended: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Planted:
    """A finding to expect. `region` is 'global' for what has none; `key` names the part of the resource."""

    account: str
    region: str
    check: str
    resource: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """How to make a planted fault go away: `mend` cures just it, `remove` deletes its resource."""

    mend: Act | None = None
    remove: Act | None = None


@dataclass
class Book:
    """What was planted, in the order of planting."""

    open: dict[Planted, Remedy] = field(default_factory=dict)
    hidden: set[Planted] = field(default_factory=set)
    """Faults where nobody can look."""
    look_alikes: set[Planted] = field(default_factory=set)
    """What a careless check would report."""
    no_data: set[Planted] = field(default_factory=set)
    """What can neither be reported nor vouched for, because nothing was measured."""
    counts: Counter[str] = field(default_factory=Counter)
    beyond: Beyond = field(default_factory=Beyond)
    """What the embedded AWS answers though it cannot hold it."""

    def number(self, what: str) -> int:
        """1 when that comes up first, 2 when again."""
        self.counts[what] += 1
        return self.counts[what]


@dataclass(frozen=True, slots=True)
class Changes:
    """Between two scans."""

    fixed: frozenset[Planted] = frozenset()
    deleted: frozenset[Planted] = frozenset()
    added: frozenset[Planted] = frozenset()


@dataclass(frozen=True)
class Place:
    """One account in one region, or in `GLOBAL`."""

    account: Account
    region: str
    clients: Clients
    book: Book
    why_blind: str | None = None
    exposed: bool = False
    """The account's S3 public access block does not stop what is public."""
    payer: bool = False
    """The account manages the organization."""

    def client(self, service: str) -> Any:
        return self.clients(service, self.account.id, HOME if self.region == GLOBAL else self.region)

    def arn(self, service: str, name: str) -> str:
        region = "" if self.region == GLOBAL else self.region
        return f"arn:aws:{service}:{region}:{self.account.id}:{name}"

    def name(self, what: str) -> str:
        """Unlike any other in the account: 'queue-worker-eu-west-1', 'queue-worker-eu-west-1-2'."""
        stem = what if self.region == GLOBAL else f"{what}-{self.region}"
        number = self.book.number(f"{self.account.id} {stem}")
        return stem if number == 1 else f"{stem}-{number}"

    def tags(self, name: str, **more: str) -> dict[str, str]:
        """All that tag policies ask for; `more` adds or overrides, an empty value leaves the key out."""
        tags = {
            "Name": name,
            "Environment": self.account.stage,
            "Owner": "platform@acme.example",
            "CostCenter": "CC-1234",
            "Project": "shop",
            "DataClassification": "internal",
            "map-migrated": "mig12345",
            **more,
        }
        return {key: value for key, value in tags.items() if value}

    def fails(
        self, *checks: str, resource: str, key: str = "", mend: Act | None = None, remove: Act | None = None
    ) -> None:
        for check in checks:
            planted = Planted(self.account.id, self.region, check, resource, key)
            if self.why_blind:
                self.book.hidden.add(planted)
            else:
                self.book.open[planted] = Remedy(mend, remove)

    def looks_like(self, *checks: str, resource: str) -> None:
        """It resembles a fault of these checks and is none."""
        self.book.look_alikes |= {Planted(self.account.id, self.region, each, resource) for each in checks}

    def unmeasured(self, check: str, *, resource: str) -> None:
        self.book.no_data.add(Planted(self.account.id, self.region, check, resource))

    def answers(self, call: str, result: Answer, **parameters: Any) -> None:
        """What AWS answers here to a call that some module's `ABSENT` names, made with these parameters."""
        region = HOME if self.region == GLOBAL else self.region
        self.book.beyond.plant(self.account.id, region, call, result, parameters)

    @cached_property
    def vpc(self) -> str:
        """The default VPC."""
        (vpc,) = self.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])[
            "Vpcs"
        ]
        return str(vpc["VpcId"])

    @cached_property
    def subnet(self) -> str:
        """A subnet of it."""
        subnets = self.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        return str(subnets["Subnets"][0]["SubnetId"])


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something to plant, `copies` times in an organization of a dozen accounts."""

    plant: Callable[[Place], None]
    copies: int
    once: bool
    exposed: bool | None
    payer: bool

    def fits(self, place: Place) -> bool:
        here = (place.region == GLOBAL) == self.once and (place.payer or not self.payer)
        return here and self.exposed in (None, place.exposed)


def scenario(
    *, copies: int = 1, once: bool = False, exposed: bool | None = None, payer: bool = False
) -> Callable[[Callable[[Place], None]], Scenario]:
    """Declare what to plant. `once`: per account, not per region; `exposed`, `payer`: only where it is so."""

    def declare(plant: Callable[[Place], None]) -> Scenario:
        return Scenario(plant, copies, once, exposed, payer)

    return declare


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def specified(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """As EC2 wants tags at creation."""
    return [{"ResourceType": kind, "Tags": tag_list(tags)}] if tags else []
