"""What we know about EC2, EBS and VPC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import DataStore, Gap, Resource, Taggable
from orgscan.network import Route, Rule
from orgscan.secrets import Secret


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
    image: str
    launched: datetime
    """The latest start, not the first."""
    attached: datetime | None = None
    """When its newest volume was attached."""
    root_volume: str | None = None
    """The id of the volume it starts from; None where that is no EBS volume."""
    user_data: tuple[Secret, ...] | Gap | None = None
    """What looks secret in it. None: it has no user data."""
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
class Attachment:
    """Of a volume to an instance."""

    instance: str
    state: str
    """'attaching', 'attached', 'detaching', 'busy'."""


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
    attachments: tuple[Attachment, ...] = ()
    """Several with Multi-Attach."""

    @property
    def instances(self) -> tuple[str, ...]:
        """Ids of those it is attached to."""
        return tuple(each.instance for each in self.attachments)

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"VolumeId": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Taggable):
    aws_types = ("AWS::EC2::Snapshot",)

    id: str
    volume: str
    started: datetime
    completed: bool
    size_gib: int
    """Of the volume it was taken of."""
    stored_bytes: int | None = None
    """Of all blocks that it needs, which other snapshots may need too. None where EC2 does not say."""
    archived: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSnapshot(Resource):
    """That a snapshot of the account, by the same ARN, may be restored by everyone."""

    aws_types = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSharing(Resource):
    """Whether the region lets snapshots be shared with everyone."""

    aws_types = ()

    state: str
    """'unblocked', 'block-new-sharing', 'block-all-sharing'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EbsEncryption(Resource):
    """Whether the region encrypts new volumes whatever their maker says."""

    aws_types = ()

    by_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDisk:
    snapshot: str
    size_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Taggable):
    """An AMI of the account."""

    aws_types = ("AWS::EC2::Image",)

    id: str
    name: str
    public: bool
    created: datetime
    launched: datetime | None = None
    """When an instance was last started from it, which EC2 says a day later. None: never since 2017."""
    disks: tuple[ImageDisk, ...] = ()
    shared_with: tuple[str, ...] | Gap | None = ()
    """Accounts, units and organizations that may use it. None: it is gone since it was listed."""

    @property
    def snapshots(self) -> tuple[str, ...]:
        return tuple(each.snapshot for each in self.disks)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchTemplateVersion(Resource):
    """The latest or the default version of a launch template."""

    aws_types = ()

    name: str
    """As groups pin it: 'lt-1:3'."""
    image: str | None = None
    """An AMI's id, or 'resolve:ssm:' and the parameter that holds it. None: whoever launches names one."""
    security_groups: tuple[str, ...] = ()
    """Ids, or names of groups of the default VPC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup(Taggable):
    aws_types = ("AWS::EC2::SecurityGroup",)

    id: str
    name: str
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    names: tuple[str, ...] = ()
    """Ids of the groups that its rules name, in either direction."""
    owner: str = ""
    """The account it belongs to: groups of others can be seen where they share them."""


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
    id: str = ""
    vpc: str = ""
    subnet: str = ""
    status: str = ""
    kind: str = "interface"
    """'interface', 'efa', or what an AWS service made: 'lambda', 'nat_gateway', ..."""
    description: str = ""
    managed: bool = False
    """An AWS service made it and will delete it."""
    instance: str | None = None
    public_ips: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()


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
    vpc: str = ""
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
    vpc: str = ""
    main: bool = False
    """For the subnets of the VPC that have no table of their own."""
    subnets: tuple[str, ...] = ()
    """Those that it is explicitly for."""
    routes: tuple[Route, ...] = ()
