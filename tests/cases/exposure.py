"""When the internet reaches an instance, and when one of four things stops it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orgscan.model import Resource
from orgscan.network import Entry, Route, Rule
from orgscan.services.ec2.checks.exposure import ec2_instance_internet_exposed_admin_or_db_port
from orgscan.services.ec2.facts import NetworkInterface, PrefixList, RouteTable, SecurityGroup
from orgscan.services.ec2.facts_network import NetworkAcl
from tests.cases.case import Case, cannot_tell, fails, passes
from tests.cases.ec2 import DENIED, EC2, INSTANCE
from tests.cases.networks import CARD, acl
from tests.cases.vpc import group, prefix_list, tcp

EXPOSED = ec2_instance_internet_exposed_admin_or_db_port
LOCAL = Route(destination="10.0.0.0/16", target="local")
OUT, OUT6 = (Route(destination=world, target="igw-1") for world in ("0.0.0.0/0", "::/0"))


def allow(number: int = 100, cidr: str = "0.0.0.0/0", **more: Any) -> Entry:
    return Entry(number=number, allow=True, protocol="-1", cidr=cidr, **more)


def deny(port: int, number: int = 50, protocol: str = "6") -> Entry:
    return Entry(
        number=number, allow=False, protocol=protocol, cidr="0.0.0.0/0", from_port=port, to_port=port
    )


INTERFACE = replace(CARD, instance="i-1", public_ips=("203.0.113.7",), security_groups=("sg-1",))
TABLE = RouteTable(
    arn=f"{EC2}:route-table/rtb-1",
    id="rtb-1",
    nat_gateways=(),
    vpc="vpc-1",
    subnets=("subnet-1",),
    routes=(LOCAL, OUT, OUT6),
)
MAIN = replace(TABLE, arn=f"{EC2}:route-table/rtb-2", id="rtb-2", subnets=(), main=True)
GUARD = acl(allow(), allow(101, "::/0"), egress=(allow(), allow(101, "::/0")))
OPEN = group(tcp(5432, 5432, "0.0.0.0/0"))
SSH_OPEN = group(tcp(22, 22, "0.0.0.0/0", "::/0"))


def beside(*others: Resource, but: Sequence[type[Resource]] = ()) -> list[Resource]:
    """What exposes the instance, with others in place of those of their kinds."""
    replaced = (*map(type, others), *but)
    return [*(each for each in (INTERFACE, TABLE, GUARD, OPEN) if not isinstance(each, replaced)), *others]


def exposed(text: str, *others: Resource, **more: Any) -> Case:
    return fails(EXPOSED, INSTANCE, text, beside=beside(*others), **more)


def safe(*others: Resource, **more: Any) -> Case:
    return passes(EXPOSED, INSTANCE, beside=beside(*others), **more)


AT = "at 203.0.113.7 from 0.0.0.0/0"
POSTGRES = f"tcp 5432 reachable {AT} (rule tcp 5432) of sg-1, subnet-1, entry 100 of acl-1"
V6 = replace(INTERFACE, public_ips=(), ipv6=("2001:db8::7",))
LISTED = group(tcp(5432, 5432, lists=("pl-1",)))
EVERYWHERE = prefix_list(("0.0.0.0/0",))


def routes(*those: Route) -> RouteTable:
    return replace(TABLE, routes=(LOCAL, *those))


def guard(*ingress: Entry, egress: tuple[Entry, ...] = (allow(),)) -> NetworkAcl:
    return acl(*ingress, egress=egress)


ADDRESS_CASES: list[Case] = [
    exposed(POSTGRES),
    safe(replace(INTERFACE, public_ips=())),
    safe(replace(INTERFACE, instance="i-2")),
    safe(replace(INTERFACE, instance=None)),
    exposed(POSTGRES, replace(INTERFACE, ipv6=("2001:db8::7",))),
    exposed(
        "tcp 22 reachable at 2001:db8::7 from ::/0 (rule tcp 22) of sg-1, subnet-1, entry 101 of acl-1",
        V6,
        SSH_OPEN,
    ),
    safe(replace(V6, ipv6=("fd00::7",)), SSH_OPEN),
    safe(V6),
    passes(EXPOSED, replace(INSTANCE, state="stopped"), beside=beside()),
    passes(EXPOSED, replace(INSTANCE, state="stopping"), beside=beside()),
    fails(EXPOSED, replace(INSTANCE, state="pending"), POSTGRES, beside=beside()),
    # A second interface counts like the first.
    exposed(
        POSTGRES,
        replace(INTERFACE, public_ips=()),
        replace(INTERFACE, arn=f"{EC2}:network-interface/eni-2"),
    ),
    cannot_tell(EXPOSED, INSTANCE, "Describe", beside=beside(), lost={NetworkInterface: DENIED}),
]
ROUTE_CASES: list[Case] = [
    safe(routes()),
    safe(routes(Route(destination="0.0.0.0/0", target=""))),
    safe(routes(Route(destination="0.0.0.0/0", target="vgw-1"))),
    safe(routes(replace(OUT, active=False))),
    safe(routes(OUT6)),
    safe(routes(Route(destination="198.51.100.0/24", target="igw-1"))),
    exposed(
        POSTGRES, routes(*(Route(destination=half, target="igw-1") for half in ("0.0.0.0/1", "128.0.0.0/1")))
    ),
    safe(routes(OUT, *(Route(destination=half, target="") for half in ("0.0.0.0/1", "128.0.0.0/1")))),
    exposed(POSTGRES, routes(OUT, Route(destination="0.0.0.0/1", target=""))),
    exposed(POSTGRES, routes(Route(destination="pl-1", target="igw-1")), EVERYWHERE),
    safe(routes(Route(destination="pl-1", target="")), EVERYWHERE),
    exposed(POSTGRES, MAIN),
    safe(replace(MAIN, vpc="vpc-2"), replace(TABLE, routes=())),
    safe(MAIN, replace(TABLE, routes=(LOCAL,))),
    exposed(POSTGRES, replace(MAIN, routes=(LOCAL,)), TABLE),
    cannot_tell(EXPOSED, INSTANCE, "the route table of subnet-1", beside=beside(but=[RouteTable])),
    cannot_tell(EXPOSED, INSTANCE, "Describe", beside=beside(), lost={RouteTable: DENIED}),
]
GROUP_CASES: list[Case] = [
    safe(group()),
    safe(group(tcp(5432, 5432, "10.0.0.0/8"))),
    safe(group(tcp(443, 443, "0.0.0.0/0"))),
    safe(group(tcp(5432, 5432, "::/0"))),
    safe(group(Rule(protocol="icmp", cidrs=("0.0.0.0/0",)))),
    safe(OPEN, parameters={"high_risk_ports": {"tcp": [22]}}),
    exposed(
        f"tcp 3306, 3389 reachable {AT} (rule tcp 3306-3389) of sg-1, subnet-1, entry 100 of acl-1",
        group(tcp(3306, 3389, "0.0.0.0/0")),
    ),
    exposed(
        f"udp 161 reachable {AT} (rule udp 161) of sg-1, subnet-1, entry 100 of acl-1",
        group(tcp(161, 161, "0.0.0.0/0", protocol="udp")),
    ),
    exposed(
        f"tcp 5432 reachable {AT} (rule tcp 5432 from pl-1) of sg-1, subnet-1, entry 100 of acl-1",
        LISTED,
        EVERYWHERE,
    ),
    safe(LISTED, prefix_list(("198.51.100.0/24",))),
    cannot_tell(EXPOSED, INSTANCE, "pl-1 is used in a rule", beside=beside(LISTED)),
    cannot_tell(EXPOSED, INSTANCE, "sg-1 guards eni-1", beside=beside(but=[SecurityGroup])),
    cannot_tell(EXPOSED, INSTANCE, "Describe", beside=beside(LISTED), lost={PrefixList: DENIED}),
    exposed(POSTGRES, replace(INTERFACE, security_groups=("sg-9", "sg-1")), unread="sg-9 guards eni-1"),
    # Nothing gets as far as the group that cannot be seen.
    safe(replace(INTERFACE, security_groups=("sg-9",)), routes()),
]
ACL_CASES: list[Case] = [
    safe(guard()),
    safe(guard(deny(5432), allow())),
    safe(guard(allow(cidr="10.0.0.0/8"))),
    exposed(POSTGRES, guard(deny(5432, 200), allow())),
    exposed(POSTGRES, guard(deny(5432, protocol="17"), allow())),
    exposed(POSTGRES, guard(deny(22), allow())),
    safe(guard(allow(), egress=())),
    safe(guard(allow(), egress=(allow(cidr="10.0.0.0/8"),))),
    exposed(
        POSTGRES, guard(allow(), egress=(replace(allow(), protocol="6", from_port=1024, to_port=65535),))
    ),
    safe(guard(allow(), egress=(replace(allow(), protocol="17"),))),
    safe(guard(allow(cidr="::/0"), egress=(allow(),))),
    safe(replace(GUARD, subnets=("subnet-1",), ingress=(deny(5432), allow()))),
    cannot_tell(EXPOSED, INSTANCE, "the network ACL of subnet-1", beside=beside(but=[NetworkAcl])),
    cannot_tell(EXPOSED, INSTANCE, "Describe", beside=beside(), lost={NetworkAcl: DENIED}),
    safe(routes(), lost={NetworkAcl: DENIED}),
]

CASES = [*ADDRESS_CASES, *ROUTE_CASES, *GROUP_CASES, *ACL_CASES]
