"""What we know about EC2, EBS and VPC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import DataStore, Gap, Resource, Taggable
from orgscan.network import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """How an instance's metadata service answers."""

    enabled: bool
    tokens_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(DataStore):
    aws_types = ("AWS::EC2::Instance",)

    id: str
    type: str
    state: str
    launched: datetime
    """The latest start, not the first."""
    attached: datetime | None = None
    """When its newest volume was attached."""
    stopped: datetime | None = None
    """None when EC2 does not say, which is usual for what AWS itself stopped."""
    metadata: Metadata | None = None
    """None when EC2 does not say."""
    platform: str | None = None
    """As it is billed: 'Linux/UNIX', 'Windows'."""
    spot: bool = False
    dedicated: bool = False
    """On hardware of its own, at other prices."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"InstanceId": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(DataStore):
    aws_types = ("AWS::EC2::Volume",)

    id: str
    type: str
    size_gib: int
    state: str
    created: datetime
    encrypted: bool
    iops: int | None = None
    mibps: int | None = None
    instances: tuple[str, ...] = ()
    """Ids of those it is attached to; several with Multi-Attach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Resource):
    aws_types = ("AWS::EC2::Snapshot",)

    volume: str
    started: datetime
    completed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup(Taggable):
    aws_types = ("AWS::EC2::SecurityGroup",)

    id: str
    name: str
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList(Resource):
    aws_types = ()

    id: str
    cidrs: tuple[str, ...] | Gap | None
    """None when AWS manages the list: those name AWS's own addresses, never the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface(Resource):
    aws_types = ("AWS::EC2::NetworkInterface",)

    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Taggable):
    """An Elastic IP address."""

    aws_types = ("AWS::EC2::EIP",)

    ip: str
    associated: bool
    instance: str | None = None
    own_range: bool = False
    """From a range the customer brought, for which AWS does not charge."""
    managed_by: str | None = None
    """The AWS service that allocated it and will release it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatGateway(Taggable):
    aws_types = ("AWS::EC2::NatGateway",)

    id: str
    state: str
    created: datetime
    public_ips: int
    regional: bool = False
    """Spans availability zones and is billed for each of them."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"NatGatewayId": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable(Resource):
    aws_types = ("AWS::EC2::RouteTable",)

    id: str
    nat_gateways: tuple[str, ...]
    """Those that its routes lead to."""
