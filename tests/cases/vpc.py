"""What the checks of security groups, addresses and NAT gateways accept and reject."""

from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Confidence, Money, Severity
from orgscan.network import Rule
from orgscan.services.ec2.checks.addresses import (
    ec2_eip_unassociated,
    ec2_eni_unattached,
    ec2_nat_gateway_idle,
)
from orgscan.services.ec2.checks.security_groups import (
    ec2_security_group_default_allows_traffic,
    ec2_security_group_open_all_ports,
    ec2_security_group_open_high_risk_port,
    ec2_security_group_open_rdp,
    ec2_security_group_open_ssh,
    ec2_security_group_unused,
)
from orgscan.services.ec2.facts import (
    Address,
    LaunchTemplateVersion,
    NatGateway,
    NetworkInterface,
    PrefixList,
    RouteTable,
    SecurityGroup,
)
from orgscan.services.elb.facts import LoadBalancer
from orgscan.services.rds.facts import DBInstance
from tests.cases import rds
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import ADDRESS, DENIED, EC2, ago, daily

CARD = NetworkInterface(arn=f"{EC2}:network-interface/eni-1", security_groups=("sg-0", "sg-1"))


def group(*ingress: Rule, name: str = "web", egress: tuple[Rule, ...] = ()) -> SecurityGroup:
    arn = f"{EC2}:security-group/sg-1"
    return SecurityGroup(
        arn=arn, tags={}, id="sg-1", name=name, ingress=ingress, egress=egress, owner=ACCOUNT
    )


def tcp(first: int | None, last: int | None, *cidrs: str, protocol: str = "tcp", lists: Any = ()) -> Rule:
    return Rule(protocol=protocol, from_port=first, to_port=last, cidrs=cidrs, prefix_lists=lists)


def prefix_list(cidrs: Any, arn: str = f"{EC2}:prefix-list/pl-1") -> PrefixList:
    return PrefixList(arn=arn, id="pl-1", cidrs=cidrs)


def opens(rule: Rule, *openings: str, **world: Any) -> Case:
    """Fails, on a group that is in use."""
    beside = [CARD, *world.pop("beside", ())]
    problems = [Problem(f"port 22 is open to {opening}") for opening in openings]
    return fails(ec2_security_group_open_ssh, group(rule), *problems, beside=beside, **world)


def closed(*rules: Rule, **world: Any) -> Case:
    beside = [CARD, *world.pop("beside", ())]
    return passes(ec2_security_group_open_ssh, group(*rules), beside=beside, **world)


SSH = tcp(22, 22, "0.0.0.0/0")
OFFICE = tcp(22, 22, "10.0.0.0/8")
LISTED = tcp(22, 22, lists=("pl-1",))
SSH_CASES: list[Case] = [
    closed(),
    closed(tcp(22, 22, "10.0.0.0/8", "fd00::/8")),
    closed(tcp(443, 443, "0.0.0.0/0")),
    closed(tcp(23, 65535, "0.0.0.0/0"), tcp(0, 21, "0.0.0.0/0")),
    closed(tcp(22, 22, "0.0.0.0/0", protocol="udp")),
    closed(tcp(-1, -1, "0.0.0.0/0", protocol="icmp")),
    closed(tcp(-1, -1, "::/0", protocol="58")),
    closed(tcp(22, 22, "0.0.0.0/1", "128.0.0.0/2")),
    closed(tcp(22, 22, "0.0.0.0/1"), tcp(20, 30, "128.0.0.0/1")),
    closed(tcp(22, 22)),
    opens(SSH, "0.0.0.0/0 (rule tcp 22)"),
    opens(tcp(22, 22, "::/0"), "::/0 (rule tcp 22)"),
    opens(tcp(22, 22, "0.0.0.0/0", "::/0"), "0.0.0.0/0 (rule tcp 22)", "::/0 (rule tcp 22)"),
    opens(tcp(0, 1024, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-1024)"),
    opens(tcp(None, None, "0.0.0.0/0", protocol="-1"), "0.0.0.0/0 (rule all)"),
    opens(tcp(22, 22, "0.0.0.0/0", protocol="6"), "0.0.0.0/0 (rule tcp 22)"),
    opens(tcp(None, None, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-65535)"),
    opens(tcp(-1, -1, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-65535)"),
    opens(tcp(22, 22, "0.0.0.0/1", "128.0.0.0/1"), "0.0.0.0/0 (rule tcp 22 from 0.0.0.0/1, 128.0.0.0/1)"),
    opens(tcp(22, 22, "2000::/4", "3000::/4"), "::/0 (rule tcp 22 from 2000::/4, 3000::/4)"),
    opens(LISTED, "0.0.0.0/0 (rule tcp 22 from pl-1)", beside=[prefix_list(("0.0.0.0/0",))]),
    closed(LISTED, beside=[prefix_list(("192.0.2.0/24",))]),
    closed(LISTED, beside=[prefix_list(None, "arn:aws:ec2:eu-west-1:aws:prefix-list/pl-1")]),
    fails(
        ec2_security_group_open_ssh,
        group(SSH),
        Problem(
            "port 22 is open to 0.0.0.0/0 (rule tcp 22); no network interface uses the group",
            severity=Severity.MEDIUM,
        ),
    ),
    passes(ec2_security_group_open_ssh, group(SSH), parameters={"skip_unattached": True}),
    opens(SSH, "0.0.0.0/0 (rule tcp 22)", parameters={"skip_unattached": True}),
    closed(tcp(443, 443, lists=("pl-1",)), lost={PrefixList: DENIED}),
    cannot_tell(ec2_security_group_open_ssh, group(LISTED), "pl-1 is used in a rule"),
    cannot_tell(ec2_security_group_open_ssh, group(LISTED), "Describe", beside=[prefix_list(DENIED)]),
    cannot_tell(ec2_security_group_open_ssh, group(LISTED), "Describe", lost={PrefixList: DENIED}),
    # What is certain is told beside what is not.
    opens(SSH, "0.0.0.0/0 (rule tcp 22)", lost={NetworkInterface: DENIED}, unread="Describe"),
    cannot_tell(
        ec2_security_group_open_ssh,
        group(SSH),
        "Describe",
        lost={NetworkInterface: DENIED},
        parameters={"skip_unattached": True},
    ),
    closed(OFFICE, lost={NetworkInterface: DENIED}),
    opens(
        tcp(22, 22, "0.0.0.0/0", lists=("pl-unknown",)),
        "0.0.0.0/0 (rule tcp 22)",
        unread="pl-unknown is used in a rule",
    ),
    Case(
        ec2_security_group_open_ssh,
        group(replace(LISTED, prefix_lists=("pl-unknown",)), SSH),
        (Problem("port 22 is open to 0.0.0.0/0 (rule tcp 22)"),),
        beside=[CARD],
        unread="pl-unknown is used in a rule",
    ),
    opens(
        tcp(22, 22, lists=("pl-unknown", "pl-1")),
        "0.0.0.0/0 (rule tcp 22 from pl-unknown, pl-1)",
        beside=[prefix_list(("0.0.0.0/0",))],
        unread="pl-unknown is used in a rule",
    ),
]

EVERYTHING_OPEN = tcp(None, None, "0.0.0.0/0", protocol="-1")
UDP = tcp(3389, 3389, "0.0.0.0/0", protocol="17")


def rdp(rule: Rule, *openings: str, **world: Any) -> Case:
    problems = [Problem(f"port 3389 is open to {opening}") for opening in openings]
    return fails(ec2_security_group_open_rdp, group(rule), *problems, beside=[CARD], **world)


RDP_CASES: list[Case] = [
    passes(ec2_security_group_open_rdp, group(), beside=[CARD]),
    passes(ec2_security_group_open_rdp, group(tcp(3389, 3389, "10.0.0.0/8"))),
    passes(ec2_security_group_open_rdp, group(tcp(0, 3388, "0.0.0.0/0"), tcp(3390, 65535, "0.0.0.0/0"))),
    passes(ec2_security_group_open_rdp, group(tcp(3389, 3389, "0.0.0.0/0", protocol="icmp"))),
    passes(ec2_security_group_open_rdp, group(SSH)),
    rdp(tcp(3389, 3389, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 3389)"),
    rdp(tcp(3389, 3389, "::/0"), "::/0 (rule tcp 3389)"),
    rdp(UDP, "0.0.0.0/0 (rule udp 3389)"),
    rdp(tcp(3000, 4000, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 3000-4000)"),
    rdp(EVERYTHING_OPEN, "0.0.0.0/0 (rule all)"),
    fails(
        ec2_security_group_open_rdp,
        group(UDP),
        Problem(
            "port 3389 is open to 0.0.0.0/0 (rule udp 3389); no network interface uses the group",
            severity=Severity.MEDIUM,
        ),
    ),
    passes(ec2_security_group_open_rdp, group(UDP), parameters={"skip_unattached": True}),
    cannot_tell(ec2_security_group_open_rdp, group(tcp(3389, 3389, lists=("pl-1",))), "pl-1 is used"),
]


def wide_open(rule: Rule, *openings: str, **world: Any) -> Case:
    problems = [Problem(f"every port is open to {opening}") for opening in openings]
    return fails(ec2_security_group_open_all_ports, group(rule), *problems, **world)


ALL_PORTS_CASES: list[Case] = [
    wide_open(EVERYTHING_OPEN, "0.0.0.0/0 (rule all)"),
    wide_open(tcp(None, None, "::/0", protocol="-1"), "::/0 (rule all)"),
    wide_open(tcp(0, 65535, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-65535)"),
    wide_open(tcp(1, 65535, "0.0.0.0/0", protocol="17"), "0.0.0.0/0 (rule udp 1-65535)"),
    wide_open(tcp(None, None, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-65535)"),
    wide_open(tcp(-1, -1, "0.0.0.0/0"), "0.0.0.0/0 (rule tcp 0-65535)"),
    wide_open(
        tcp(None, None, lists=("pl-1",), protocol="-1"),
        "0.0.0.0/0 (rule all from pl-1)",
        beside=[prefix_list(("0.0.0.0/0",))],
    ),
    passes(ec2_security_group_open_all_ports, group(tcp(2, 65535, "0.0.0.0/0"))),
    passes(ec2_security_group_open_all_ports, group(tcp(0, 65534, "0.0.0.0/0"))),
    passes(ec2_security_group_open_all_ports, group(tcp(-1, -1, "0.0.0.0/0", protocol="icmp"))),
    passes(ec2_security_group_open_all_ports, group(tcp(None, None, "10.0.0.0/8", protocol="-1"))),
    passes(ec2_security_group_open_all_ports, group(tcp(None, None, protocol="-1"))),
    cannot_tell(
        ec2_security_group_open_all_ports, group(tcp(None, None, lists=("pl-1",), protocol="-1")), "pl-1"
    ),
]


def risky(rule: Rule, *problems: str, **world: Any) -> Case:
    return fails(ec2_security_group_open_high_risk_port, group(rule), *map(Problem, problems), **world)


RISKY_CASES: list[Case] = [
    risky(tcp(3306, 3306, "0.0.0.0/0"), "tcp 3306 open to 0.0.0.0/0 (rule tcp 3306)"),
    risky(tcp(445, 445, "::/0"), "tcp 445 open to ::/0 (rule tcp 445)"),
    risky(tcp(161, 161, "0.0.0.0/0", protocol="udp"), "udp 161 open to 0.0.0.0/0 (rule udp 161)"),
    risky(tcp(20, 25, "0.0.0.0/0"), "tcp 20, 21, 23 open to 0.0.0.0/0 (rule tcp 20-25)"),
    risky(
        tcp(3306, 3389, "0.0.0.0/0", "::/0"),
        "tcp 3306 open to 0.0.0.0/0 (rule tcp 3306-3389)",
        "tcp 3306 open to ::/0 (rule tcp 3306-3389)",
    ),
    risky(
        tcp(8443, 8443, "0.0.0.0/0"),
        "tcp 8443 open to 0.0.0.0/0 (rule tcp 8443)",
        parameters={"high_risk_ports": {"tcp": [8443]}},
    ),
    risky(
        tcp(6379, 6379, "0.0.0.0/0", lists=("pl-9",)),
        "tcp 6379 open to 0.0.0.0/0 (rule tcp 6379)",
        unread="pl-9 is used in a rule",
    ),
    passes(ec2_security_group_open_high_risk_port, group(SSH, tcp(3389, 3389, "0.0.0.0/0"))),
    passes(ec2_security_group_open_high_risk_port, group(EVERYTHING_OPEN, tcp(1, 65535, "0.0.0.0/0"))),
    passes(ec2_security_group_open_high_risk_port, group(tcp(161, 161, "0.0.0.0/0"))),
    passes(ec2_security_group_open_high_risk_port, group(tcp(3307, 4332, "0.0.0.0/0"))),
    passes(ec2_security_group_open_high_risk_port, group(tcp(3306, 3306, "10.0.0.0/8"))),
    passes(ec2_security_group_open_high_risk_port, group(tcp(443, 443, lists=("pl-9",)))),
]

OTHER = replace(group(), id="sg-2", arn=f"{EC2}:security-group/sg-2", names=("sg-1",))
TEMPLATE = LaunchTemplateVersion(
    arn=f"{EC2}:launch-template/lt-1:1", name="lt-1:1", security_groups=("sg-1",)
)
DATABASE = replace(rds.DATABASE, security_groups=("sg-1",))
BALANCER = LoadBalancer(
    arn="arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1",
    name="shop",
    type="application",
    internal=False,
    state="active",
    created=ago(100),
    addresses=2,
    security_groups=("sg-1",),
    listeners=(),
)
UNUSED = "no network interface uses it, and nothing names it"
UNUSED_CASES: list[Case] = [
    fails(ec2_security_group_unused, group(), Problem(UNUSED)),
    fails(ec2_security_group_unused, group(), UNUSED, beside=[replace(CARD, security_groups=("sg-10",))]),
    # Naming itself is no use.
    fails(ec2_security_group_unused, (me := replace(group(), names=("sg-1",))), UNUSED, beside=[me]),
    *(
        passes(ec2_security_group_unused, group(), beside=[user])
        for user in (
            CARD,
            OTHER,
            TEMPLATE,
            replace(TEMPLATE, security_groups=("web",)),
            DATABASE,
            BALANCER,
        )
    ),
    passes(ec2_security_group_unused, group(name="default")),
    passes(ec2_security_group_unused, replace(group(), owner="210987654321")),
    passes(ec2_security_group_unused, group(name="eks-cluster-sg-main-123")),
    passes(ec2_security_group_unused, replace(group(), tags={"aws:eks:cluster-name": "main"})),
    fails(ec2_security_group_unused, replace(group(), tags={"aws:cloudformation:stack-name": "x"}), UNUSED),
    passes(ec2_security_group_unused, group(), beside=[CARD], lost={LaunchTemplateVersion: DENIED}),
    *(
        cannot_tell(ec2_security_group_unused, group(), "Describe", lost={kind: DENIED})
        for kind in (NetworkInterface, SecurityGroup, LaunchTemplateVersion, DBInstance, LoadBalancer)
    ),
]

EVERYTHING = tcp(None, None, protocol="-1")
DEFAULT_CASES: list[Case] = [
    passes(ec2_security_group_default_allows_traffic, group(name="default")),
    passes(ec2_security_group_default_allows_traffic, group(SSH, egress=(EVERYTHING,))),
    fails(
        ec2_security_group_default_allows_traffic,
        group(EVERYTHING, name="default", egress=(tcp(None, None, "0.0.0.0/0", protocol="-1"),)),
        Problem("inbound rules: all"),
        Problem("outbound rules: all"),
        beside=[CARD],
    ),
    fails(
        ec2_security_group_default_allows_traffic,
        group(tcp(80, 80, "10.0.0.0/8"), tcp(22, 25), name="default"),
        Problem("inbound rules: tcp 80, tcp 22-25"),
        beside=[CARD],
    ),
    fails(
        ec2_security_group_default_allows_traffic,
        group(name="default", egress=(EVERYTHING,)),
        Problem("outbound rules: all", severity=Severity.LOW),
    ),
    passes(ec2_security_group_default_allows_traffic, group(name="default"), lost={NetworkInterface: DENIED}),
    fails(
        ec2_security_group_default_allows_traffic,
        group(EVERYTHING, name="default", egress=(EVERYTHING,)),
        Problem("inbound rules: all"),
        Problem("outbound rules: all"),
        lost={NetworkInterface: DENIED},
        unread="DescribeSomething",
    ),
]

FREE = replace(ADDRESS, associated=False, instance=None)
ADDRESS_CASES: list[Case] = [
    passes(ec2_eip_unassociated, ADDRESS),
    passes(ec2_eip_unassociated, replace(ADDRESS, instance=None)),
    passes(ec2_eip_unassociated, replace(FREE, managed_by="nlb")),
    fails(
        ec2_eip_unassociated,
        FREE,
        Problem("192.0.2.1 is associated with nothing", saving=usd(3.65, everywhere=True)),
    ),
    fails(
        ec2_eip_unassociated,
        replace(FREE, own_range=True),
        Problem(
            "192.0.2.1 is associated with nothing; it is of your own range", severity=Severity.INFORMATIONAL
        ),
    ),
]

LOOSE_CARD = replace(CARD, id="eni-1", subnet="subnet-1", status="available")
LOOSE = "attached to nothing, in subnet-1"
FLOATING = replace(LOOSE_CARD, public_ips=("192.0.2.1",))
ELASTIC = Address(arn=f"{EC2}:elastic-ip/eipalloc-9", ip="192.0.2.1", associated=True)
INTERFACE_CASES: list[Case] = [
    fails(ec2_eni_unattached, LOOSE_CARD, Problem(LOOSE)),
    fails(ec2_eni_unattached, replace(LOOSE_CARD, kind="efa", description="my ELB spare"), Problem(LOOSE)),
    fails(
        ec2_eni_unattached,
        FLOATING,
        Problem(f"{LOOSE}; it holds 192.0.2.1", saving=usd(3.65, everywhere=True)),
        beside=[ELASTIC],
    ),
    fails(
        ec2_eni_unattached,
        FLOATING,
        Problem(f"{LOOSE}; it holds 192.0.2.1"),
        beside=[replace(ELASTIC, own_range=True)],
    ),
    fails(
        ec2_eni_unattached,
        FLOATING,
        Problem(f"{LOOSE}; it holds 192.0.2.1"),
        lost={Address: DENIED},
        unread="Describe",
    ),
    passes(ec2_eni_unattached, replace(LOOSE_CARD, status="in-use")),
    passes(ec2_eni_unattached, replace(LOOSE_CARD, status="pending")),
    passes(ec2_eni_unattached, replace(LOOSE_CARD, managed=True)),
    passes(ec2_eni_unattached, replace(LOOSE_CARD, kind="lambda")),
    *(
        passes(ec2_eni_unattached, replace(LOOSE_CARD, description=text))
        for text in (
            "ELB app/shop/0123",
            "AWS Lambda VPC ENI-shop",
            "EFS mount target for fs-1 (fsmt-1)",
            "RDSNetworkInterface",
            "DMSNetworkInterface",
            "arn:aws:ecs:eu-west-1:123456789012:attachment/1",
            "arn:aws-cn:ecs:cn-north-1:123456789012:attachment/1",
            "Amazon EKS main",
            "VPC Endpoint Interface vpce-1",
        )
    ),
]

NAT = NatGateway(
    arn=f"{EC2}:natgateway/nat-1", tags={}, id="nat-1", state="available", created=ago(90), public_ips=1
)
SILENT = daily(*[0] * 14)
NO_TRAFFIC = "no traffic on the 14 days measured"
ROUTED = RouteTable(arn=f"{EC2}:route-table/rtb-1", id="rtb-1", nat_gateways=("nat-1",))


def idle_nat(gateway: NatGateway, saving: Money | None) -> Case:
    problem = Problem(f"{NO_TRAFFIC}, and no route leads to it", saving=saving)
    return fails(ec2_nat_gateway_idle, gateway, problem, measured=[SILENT, SILENT])


NAT_CASES: list[Case] = [
    passes(ec2_nat_gateway_idle, replace(NAT, state="pending")),
    passes(ec2_nat_gateway_idle, replace(NAT, state="failed")),
    passes(ec2_nat_gateway_idle, replace(NAT, created=ago(6))),
    passes(
        ec2_nat_gateway_idle, NAT, measured=[daily(*[0] * 13, 512), SILENT], asked=("BytesOutToDestination",)
    ),
    passes(ec2_nat_gateway_idle, NAT, measured=[SILENT, daily(*[0] * 13, 512)]),
    idle_nat(NAT, usd(40.11)),
    idle_nat(replace(NAT, public_ips=0), usd(36.46)),
    idle_nat(replace(NAT, public_ips=2), usd(43.76)),
    idle_nat(replace(NAT, regional=True), None),
    fails(
        ec2_nat_gateway_idle,
        NAT,
        Problem(
            f"{NO_TRAFFIC}; maybe on stand-by, as rtb-1 routes to it", saving=usd(40.11, Confidence.MEDIUM)
        ),
        measured=[SILENT, SILENT],
        beside=[ROUTED],
    ),
    fails(
        ec2_nat_gateway_idle,
        replace(NAT, created=ago(8)),
        "no traffic on the 8 days measured, and no route leads to it",
        measured=[daily(*[0] * 8)] * 2,
    ),
    cannot_tell(ec2_nat_gateway_idle, NAT, "known for 0 of at least 7 days", measured=[daily(), daily()]),
    cannot_tell(ec2_nat_gateway_idle, NAT, "known for 6 of", measured=[SILENT, daily(*[0] * 6)]),
    cannot_tell(ec2_nat_gateway_idle, NAT, "DescribeSomething", measured=[SILENT, DENIED]),
    # It is idle, whoever routes to it; how sure the saving is depends on that.
    fails(
        ec2_nat_gateway_idle,
        NAT,
        Problem(NO_TRAFFIC, saving=usd(40.11, Confidence.MEDIUM)),
        measured=[SILENT, SILENT],
        lost={RouteTable: DENIED},
        unread="DescribeSomething",
    ),
]

CASES = [
    *SSH_CASES,
    *RDP_CASES,
    *ALL_PORTS_CASES,
    *RISKY_CASES,
    *UNUSED_CASES,
    *DEFAULT_CASES,
    *ADDRESS_CASES,
    *INTERFACE_CASES,
    *NAT_CASES,
]
