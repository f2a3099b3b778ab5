"""What the checks of VPCs, their access lists, subnets and endpoints accept and reject."""

from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Confidence, Gap, Series, Severity
from orgscan.network import Entry
from orgscan.services.ec2.checks.vpc import (
    GIB,
    ec2_network_acl_open_admin_ports,
    ec2_subnet_free_ip_low,
    vpc_flow_logs_disabled,
    vpc_gateway_endpoint_missing,
    vpc_interface_endpoint_idle,
)
from orgscan.services.ec2.facts import NatGateway, NetworkInterface, RouteTable
from orgscan.services.ec2.facts_network import FlowLog, NetworkAcl, Subnet, Vpc, VpcEndpoint
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, EC2, ago, daily

STRANGER = "210987654321"
VPC = Vpc(arn=f"{EC2}:vpc/vpc-1", tags={}, id="vpc-1", default=False, owner=ACCOUNT)
DEFAULT = replace(VPC, default=True)
LOG = FlowLog(arn=f"{EC2}:vpc-flow-log/fl-1", of="vpc-1", active=True, failing=False, traffic="ALL")
CARD = NetworkInterface(
    arn=f"{EC2}:network-interface/eni-1",
    security_groups=(),
    id="eni-1",
    vpc="vpc-1",
    subnet="subnet-1",
    status="in-use",
)
SUBNET = Subnet(
    arn=f"{EC2}:subnet/subnet-1",
    tags={},
    id="subnet-1",
    vpc="vpc-1",
    zone="eu-west-1a",
    cidr="10.0.0.0/24",
    free=100,
    owner=ACCOUNT,
)
SECOND = replace(SUBNET, arn=f"{EC2}:subnet/subnet-2", id="subnet-2")
DARK = "no flow log records its traffic"


def of(subnet: str, **more: Any) -> FlowLog:
    return replace(LOG, arn=f"{EC2}:vpc-flow-log/fl-{subnet}", of=subnet, **more)


FLOW_LOG_CASES: list[Case] = [
    passes(vpc_flow_logs_disabled, VPC, beside=[LOG]),
    passes(vpc_flow_logs_disabled, VPC, beside=[replace(LOG, traffic="REJECT")]),
    passes(vpc_flow_logs_disabled, VPC, beside=[SUBNET, SECOND, of("subnet-1"), of("subnet-2")]),
    passes(
        vpc_flow_logs_disabled,
        VPC,
        beside=[replace(LOG, traffic="ACCEPT")],
        parameters={"accepted_traffic": ["ACCEPT"]},
    ),
    passes(vpc_flow_logs_disabled, replace(VPC, owner=STRANGER)),
    passes(vpc_flow_logs_disabled, VPC, beside=[LOG], lost={Subnet: DENIED, NetworkInterface: DENIED}),
    fails(vpc_flow_logs_disabled, VPC, Problem(DARK)),
    fails(vpc_flow_logs_disabled, VPC, Problem(DARK), beside=[SUBNET, replace(LOG, of="vpc-2")]),
    fails(
        vpc_flow_logs_disabled,
        VPC,
        Problem(f"{DARK} in subnet-2"),
        beside=[SUBNET, SECOND, of("subnet-1"), of("subnet-2", failing=True)],
    ),
    fails(
        vpc_flow_logs_disabled,
        VPC,
        Problem(f"{DARK}; fl-1 cannot deliver"),
        beside=[replace(LOG, failing=True)],
    ),
    fails(
        vpc_flow_logs_disabled,
        VPC,
        Problem(f"{DARK}; fl-1 is not active"),
        beside=[replace(LOG, active=False)],
    ),
    fails(
        vpc_flow_logs_disabled,
        VPC,
        Problem(f"{DARK}; fl-1 records ACCEPT traffic only"),
        beside=[replace(LOG, traffic="ACCEPT")],
    ),
    fails(
        vpc_flow_logs_disabled,
        VPC,
        Problem(f"{DARK}; fl-1 records unknown traffic only"),
        beside=[replace(LOG, traffic="")],
    ),
    fails(
        vpc_flow_logs_disabled,
        DEFAULT,
        Problem(f"{DARK}; nothing is in this default VPC", severity=Severity.INFORMATIONAL),
    ),
    fails(vpc_flow_logs_disabled, DEFAULT, Problem(DARK), beside=[CARD]),
    fails(
        vpc_flow_logs_disabled,
        DEFAULT,
        Problem(DARK),
        lost={NetworkInterface: DENIED},
        unread="DescribeSomething",
    ),
    cannot_tell(vpc_flow_logs_disabled, VPC, "Describe", lost={FlowLog: DENIED}),
    cannot_tell(vpc_flow_logs_disabled, VPC, "Describe", lost={Subnet: DENIED}),
]


def entry(number: int, action: str, protocol: str = "-1", cidr: str = "0.0.0.0/0", **ports: int) -> Entry:
    return Entry(number=number, allow=action == "allow", protocol=protocol, cidr=cidr, **ports)


def ssh(number: int, action: str, **more: Any) -> Entry:
    return entry(number, action, "6", from_port=22, to_port=22, **more)


def acl(*ingress: Entry, **more: Any) -> NetworkAcl:
    facts: dict[str, Any] = {
        "id": "acl-1",
        "tags": {},
        "default": False,
        "subnets": ("subnet-1",),
        "egress": (),
        "owner": ACCOUNT,
    }
    return NetworkAcl(arn=f"{EC2}:network-acl/acl-1", ingress=ingress, **facts | more)


DENY_ALL, ALLOW_ALL = entry(32767, "deny"), entry(100, "allow")
RDP_BLOCKED = (
    entry(50, "deny", "6", from_port=3389, to_port=3389),
    entry(51, "deny", "17", from_port=3389, to_port=3389),
)


def admits(*problems: str, of: NetworkAcl, **world: Any) -> Case:
    return fails(ec2_network_acl_open_admin_ports, of, *map(Problem, problems), **world)


ACL_CASES: list[Case] = [
    passes(ec2_network_acl_open_admin_ports, acl(DENY_ALL)),
    passes(ec2_network_acl_open_admin_ports, acl()),
    passes(ec2_network_acl_open_admin_ports, acl(*RDP_BLOCKED, ssh(60, "deny"), ALLOW_ALL, DENY_ALL)),
    passes(ec2_network_acl_open_admin_ports, acl(ALLOW_ALL, ssh(60, "deny"), *RDP_BLOCKED)),
    passes(ec2_network_acl_open_admin_ports, acl(ssh(10, "allow", cidr="10.0.0.0/8"), DENY_ALL)),
    passes(
        ec2_network_acl_open_admin_ports, acl(entry(10, "allow", "6", from_port=23, to_port=3388), DENY_ALL)
    ),
    passes(ec2_network_acl_open_admin_ports, acl(entry(10, "allow", "1"), DENY_ALL)),
    passes(ec2_network_acl_open_admin_ports, acl(ssh(10, "allow", cidr="0.0.0.0/1"), DENY_ALL)),
    passes(ec2_network_acl_open_admin_ports, replace(acl(ALLOW_ALL), owner=STRANGER)),
    passes(ec2_network_acl_open_admin_ports, acl(ssh(10, "allow")), parameters={"ports": [3389]}),
    admits(
        "tcp 22 is open to 0.0.0.0/0 (entry 100)",
        "tcp 3389 is open to 0.0.0.0/0 (entry 100)",
        "udp 3389 is open to 0.0.0.0/0 (entry 100)",
        of=acl(ALLOW_ALL, DENY_ALL, default=True),
    ),
    admits("tcp 22 is open to 0.0.0.0/0 (entry 100)", of=acl(*RDP_BLOCKED, ALLOW_ALL, ssh(110, "deny"))),
    admits("tcp 22 is open to ::/0 (entry 10)", of=acl(ssh(10, "allow", cidr="::/0"), ssh(5, "deny"))),
    # One network kept out is not the world kept out.
    admits(
        "tcp 22 is open to 0.0.0.0/0 (entry 10)",
        of=acl(ssh(5, "deny", cidr="198.51.100.0/24"), ssh(10, "allow")),
    ),
    admits(
        "tcp 22 is open to 0.0.0.0/0 (entry 20)",
        of=acl(ssh(10, "allow", cidr="0.0.0.0/1"), ssh(20, "allow", cidr="128.0.0.0/1")),
    ),
    passes(
        ec2_network_acl_open_admin_ports,
        acl(ssh(10, "deny", cidr="0.0.0.0/1"), ssh(20, "deny", cidr="128.0.0.0/1"), ssh(30, "allow")),
    ),
    fails(
        ec2_network_acl_open_admin_ports,
        acl(ssh(10, "allow"), subnets=()),
        Problem(
            "tcp 22 is open to 0.0.0.0/0 (entry 10); no subnet has the ACL", severity=Severity.INFORMATIONAL
        ),
    ),
]


def low(text: str, severity: Severity | None = None, **subnet: Any) -> Case:
    return fails(ec2_subnet_free_ip_low, replace(SUBNET, **subnet), Problem(text, severity=severity))


ROOM_CASES: list[Case] = [
    passes(ec2_subnet_free_ip_low, SUBNET),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=38)),
    low("37 of 251 addresses (15%) of 10.0.0.0/24 in eu-west-1a are free", free=37),
    low("13 of 251 addresses (5%) of 10.0.0.0/24 in eu-west-1a are free", free=13),
    low("12 of 251 addresses (5%) of 10.0.0.0/24 in eu-west-1a are free", Severity.HIGH, free=12),
    low("0 of 251 addresses (0%) of 10.0.0.0/24 in eu-west-1a are free", Severity.HIGH, free=0),
    # A /27 has 27: sixteen must be free.
    low("15 of 27 addresses (56%) of 10.0.0.0/27 in eu-west-1a are free", free=15, cidr="10.0.0.0/27"),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=16, cidr="10.0.0.0/27")),
    # A /28 never has sixteen.
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=11, cidr="10.0.0.0/28")),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=2, cidr="10.0.0.0/28")),
    low("1 of 11 addresses (9%) of 10.0.0.0/28 in eu-west-1a are free", free=1, cidr="10.0.0.0/28"),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, cidr=None, free=0)),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=0, owner=STRANGER)),
    passes(ec2_subnet_free_ip_low, replace(SUBNET, free=20), parameters={"min_free_share": 0.05}),
    fails(
        ec2_subnet_free_ip_low,
        replace(SUBNET, free=20, tags={"kubernetes.io/cluster/main": "shared"}),
        Problem(
            "20 of 251 addresses (8%) of 10.0.0.0/24 in eu-west-1a are free; used by EKS cluster main, Lambda"
        ),
        beside=[replace(CARD, kind="lambda")],
    ),
    fails(
        ec2_subnet_free_ip_low,
        replace(SUBNET, free=20),
        Problem("20 of 251 addresses (8%) of 10.0.0.0/24 in eu-west-1a are free"),
        lost={NetworkInterface: DENIED},
        unread="DescribeSomething",
    ),
]

NAT = NatGateway(
    arn=f"{EC2}:natgateway/nat-1",
    tags={},
    id="nat-1",
    state="available",
    created=ago(90),
    public_ips=1,
    vpc="vpc-1",
)
PRIVATE = RouteTable(
    arn=f"{EC2}:route-table/rtb-1", id="rtb-1", nat_gateways=("nat-1",), vpc="vpc-1", subnets=("subnet-1",)
)
SECOND_TABLE = replace(PRIVATE, arn=f"{EC2}:route-table/rtb-2", id="rtb-2", subnets=(), main=True)
S3 = VpcEndpoint(
    arn=f"{EC2}:vpc-endpoint/vpce-1",
    tags={},
    id="vpce-1",
    type="Gateway",
    service="com.amazonaws.eu-west-1.s3",
    vpc="vpc-1",
    available=True,
    created=ago(90),
    managed=False,
    route_tables=("rtb-1",),
)
DYNAMO = replace(
    S3, arn=f"{EC2}:vpc-endpoint/vpce-2", id="vpce-2", service="com.amazonaws.eu-west-1.dynamodb"
)
MEASURED = [daily(*[10 * GIB] * 14)]
"""10 GiB a day: 304 in a month, 91.2 of them assumed, at 0.045 x 1.11."""


def detour(text: str, *beside: Any, measured: Any = MEASURED, saving: float | None = 4.56) -> Case:
    money = None if saving is None else usd(saving, Confidence.LOW)
    return fails(
        vpc_gateway_endpoint_missing,
        VPC,
        Problem(text, saving=money),
        beside=[NAT, *beside],
        measured=measured,
    )


def short(*beside: Any) -> Case:
    return passes(vpc_gateway_endpoint_missing, VPC, beside=beside)


NONE = "s3 has no gateway endpoint: rtb-1"
GATEWAY_ENDPOINT_CASES: list[Case] = [
    short(),
    short(NAT),
    short(NAT, PRIVATE, S3),
    short(NAT, PRIVATE, SECOND_TABLE, replace(S3, route_tables=("rtb-1", "rtb-2"))),
    short(replace(NAT, state="pending"), PRIVATE),
    short(replace(NAT, public_ips=0), PRIVATE),
    short(NAT, replace(PRIVATE, nat_gateways=("nat-gone",))),
    short(NAT, replace(PRIVATE, nat_gateways=())),
    short(NAT, replace(PRIVATE, subnets=())),
    short(replace(NAT, vpc="vpc-2"), PRIVATE),
    passes(vpc_gateway_endpoint_missing, replace(VPC, owner=STRANGER), beside=[NAT, PRIVATE]),
    detour(NONE, PRIVATE),
    detour(NONE, PRIVATE, replace(S3, type="Interface")),
    detour(NONE, PRIVATE, replace(S3, available=False)),
    detour(NONE, PRIVATE, replace(S3, vpc="vpc-2")),
    detour(NONE, PRIVATE, replace(S3, service="com.amazonaws.eu-west-1.s3express")),
    detour("s3 lacks rtb-2", PRIVATE, SECOND_TABLE, S3),
    detour("dynamodb lacks rtb-1", PRIVATE, S3, replace(DYNAMO, route_tables=("rtb-9",))),
    detour(NONE, PRIVATE, measured=[DENIED], saving=None),
    detour(NONE, PRIVATE, measured=[daily()], saving=None),
    passes(vpc_gateway_endpoint_missing, VPC, beside=[NAT, PRIVATE], parameters={"services": ["dynamodb"]}),
    *(
        cannot_tell(
            vpc_gateway_endpoint_missing, VPC, "Describe", beside=[NAT, PRIVATE, S3], lost={kind: DENIED}
        )
        for kind in (NatGateway, RouteTable, VpcEndpoint)
    ),
]

ENDPOINT = VpcEndpoint(
    arn=f"{EC2}:vpc-endpoint/vpce-3",
    tags={},
    id="vpce-3",
    type="Interface",
    service="com.amazonaws.eu-west-1.ssm",
    vpc="vpc-1",
    available=True,
    created=ago(90),
    managed=False,
    subnets=("subnet-1", "subnet-2"),
)
SILENT = "com.amazonaws.eu-west-1.ssm: no bytes in 14 days, in 2 subnets"
ZEROS = daily(*[0] * 14)


def idle(*measured: Series | Gap, saving: float | None = 16.21, **endpoint: Any) -> Case:
    money = None if saving is None else usd(saving)
    return fails(
        vpc_interface_endpoint_idle,
        replace(ENDPOINT, **endpoint),
        Problem(SILENT if saving else SILENT.replace("2 sub", "0 sub"), saving=money),
        measured=measured,
    )


IDLE_CASES: list[Case] = [
    idle(ZEROS, ZEROS),
    idle(daily(), daily()),
    idle(ZEROS, daily(*[1] * 14)),
    idle(daily(), daily(), type="GatewayLoadBalancer"),
    idle(daily(), daily(), created=ago(14)),
    idle(daily(), daily(), subnets=(), saving=None),
    passes(
        vpc_interface_endpoint_idle,
        ENDPOINT,
        measured=[daily(*[0] * 13, 1), daily()],
        asked=("BytesProcessed",),
    ),
    passes(vpc_interface_endpoint_idle, replace(ENDPOINT, type="Gateway")),
    passes(vpc_interface_endpoint_idle, replace(ENDPOINT, created=ago(13.9))),
    passes(vpc_interface_endpoint_idle, replace(ENDPOINT, available=False)),
    passes(vpc_interface_endpoint_idle, replace(ENDPOINT, managed=True)),
    cannot_tell(
        vpc_interface_endpoint_idle, ENDPOINT, "connections were measured", measured=[daily(), daily(2)]
    ),
    cannot_tell(vpc_interface_endpoint_idle, ENDPOINT, "Describe", measured=[DENIED, ZEROS]),
]

CASES = [*FLOW_LOG_CASES, *ACL_CASES, *ROOM_CASES, *GATEWAY_ENDPOINT_CASES, *IDLE_CASES]
