"""What we know about networks: VPCs, subnets, and what guards, records and shortens their ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Resource, Taggable
from orgscan.network import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Taggable):
    aws_types = ("AWS::EC2::VPC",)

    id: str
    default: bool
    owner: str
    """The account it belongs to: who takes part in a shared one sees it, and cannot change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Taggable):
    aws_types = ("AWS::EC2::Subnet",)

    id: str
    vpc: str
    zone: str
    cidr: str | None
    """None when it has IPv6 addresses only."""
    free: int
    """IPv4 addresses that nothing uses."""
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLog(Resource):
    aws_types = ("AWS::EC2::FlowLog",)

    of: str
    """The id of the VPC, subnet or interface whose traffic it records."""
    active: bool
    failing: bool
    """Records cannot be delivered."""
    traffic: str
    """'ACCEPT', 'REJECT' or 'ALL'; '' where EC2 does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcl(Taggable):
    aws_types = ("AWS::EC2::NetworkAcl",)

    id: str
    default: bool
    subnets: tuple[str, ...]
    ingress: tuple[Entry, ...]
    egress: tuple[Entry, ...]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcEndpoint(Taggable):
    aws_types = ("AWS::EC2::VPCEndpoint",)

    id: str
    type: str
    """'Gateway', 'Interface', 'GatewayLoadBalancer', ..."""
    service: str
    """'com.amazonaws.eu-west-1.s3'."""
    vpc: str
    available: bool
    created: datetime
    managed: bool
    """An AWS service made it and will delete it."""
    subnets: tuple[str, ...] = ()
    route_tables: tuple[str, ...] = ()

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {
            "Endpoint Type": self.type,
            "Service Name": self.service,
            "VPC Endpoint Id": self.id,
            "VPC Id": self.vpc,
        }
