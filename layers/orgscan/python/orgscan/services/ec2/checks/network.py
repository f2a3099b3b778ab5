"""What we expect of security groups, addresses and gateways."""

from datetime import timedelta
from functools import partial

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Confidence, Gap, Metric, Money, Severity, Target, Unread, known
from orgscan.network import openings
from orgscan.services.ec2.facts import (
    Address,
    NatGateway,
    NetworkInterface,
    PrefixList,
    RouteTable,
    SecurityGroup,
)

SSH = 22
DAY = 86400
BYTES_OUT = Metric("AWS/NATGateway", "BytesOutToDestination", "Sum", DAY)
BYTES_IN = Metric("AWS/NATGateway", "BytesInFromSource", "Sum", DAY)


@check(
    SecurityGroup,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Limit the rule to known addresses, or close the port and use Session Manager.",
    also=(NetworkInterface, PrefixList),
    maps=(
        "CIS AWS 3.0 5.2",
        "CIS AWS 3.0 5.3",
        "CIS AWS 5.0 5.3",
        "CIS AWS 5.0 5.4",
        "CIS AWS 6.0 6.3",
        "CIS AWS 6.0 6.4",
        "CIS AWS 7.0 6.3",
        "CIS AWS 7.0 6.4",
        "FSBP EC2.13",
    ),
    equivalent=(
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
        "trusted-advisor:HCP4007jGY",
    ),
)
def ec2_security_group_open_ssh(
    group: SecurityGroup, view: View, *, skip_unattached: bool = False
) -> Problems:
    """Inbound TCP 22 is open to the world.

    An open SSH port is found within minutes, and attacked from then on. Medium while no network interface
    uses the group.
    """
    used: bool | Gap = True
    for opening in openings(group.ingress, SSH, partial(entries, view)):
        used = in_use(group, view)
        if skip_unattached and used is not True:
            continue
        fault = f"port {SSH} is open to {opening}"
        if used is False:
            yield Problem(f"{fault}; no network interface uses the group", severity=Severity.MEDIUM)
        else:
            yield fault
    known(used)


def entries(view: View, prefix_list: str) -> tuple[str, ...]:
    """Its CIDRs; none for AWS's own lists. Needs PrefixList in the check's `also`."""
    seen = view.related(PrefixList, "id", prefix_list)
    if not seen:
        detail = f"{prefix_list} is used in a rule, but cannot be seen from this account"
        raise Unread(Gap("ec2-prefix-lists", Blindness.NO_DATA, detail))
    return known(seen[0].cidrs) or ()


def in_use(group: SecurityGroup, view: View) -> bool | Gap:
    """Whether a network interface has it. Only the weight of a fault: the fault stands without it."""
    try:
        return bool(view.related(NetworkInterface, "security_groups", group.id))
    except Unread as unread:
        return unread.gap


@check(
    SecurityGroup,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Remove all its rules, and give what uses it a group of its own.",
    also=(NetworkInterface,),
    maps=("CIS AWS 3.0 5.4", "CIS AWS 5.0 5.5", "CIS AWS 6.0 6.5", "CIS AWS 7.0 6.5", "FSBP EC2.2"),
    equivalent=("prowler:ec2_securitygroup_default_restrict_traffic",),
)
def ec2_security_group_default_allows_traffic(group: SecurityGroup, view: View) -> Problems:
    """The default security group of a VPC has inbound or outbound rules.

    Whatever is launched without naming a group gets this one. The rules that it is created with count too.
    Low while no network interface uses it.
    """
    if group.name != "default":
        return
    used = in_use(group, view) if group.ingress or group.egress else True
    for direction, rules in (("inbound", group.ingress), ("outbound", group.egress)):
        if rules:
            severity = Severity.LOW if used is False else None
            yield Problem(f"{direction} rules: {', '.join(map(str, rules))}", severity=severity)
    known(used)


@check(
    Address,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Release the address.",
    maps=("FSBP EC2.12",),
    equivalent=("prowler:ec2_elastic_ip_unassigned", "trusted-advisor:Z4AUBRNSmz"),
)
def ec2_eip_unassociated(address: Address, view: View) -> Problems:
    """An Elastic IP address is not associated with anything.

    Every public IPv4 address is billed by the hour. Informational for addresses of a range that the customer
    brought, which cost nothing; those that an AWS service manages are its own business.
    """
    if address.associated or address.managed_by:
        return
    unused = f"{address.ip} is associated with nothing"
    if address.own_range:
        yield Problem(f"{unused}; it is of your own range", severity=Severity.INFORMATIONAL)
    else:
        yield Problem(unused, saving=prices.public_ipv4(view.target))


@check(
    NatGateway,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Delete the gateway, and release its address.",
    also=(RouteTable,),
    measures=(BYTES_OUT, BYTES_IN),
    equivalent=("trusted-advisor:c2vlfg022t",),
)
def ec2_nat_gateway_idle(
    gateway: NatGateway, view: View, *, window_days: int = 14, min_age_days: int = 7
) -> Problems:
    """A NAT gateway has passed no traffic during the window.

    It is billed by the hour all the same. Routes that lead to it may mean that it stands by.
    """
    if gateway.state != "available" or gateway.created > view.now - timedelta(days=min_age_days):
        return
    sent, received = view.measure(gateway, days=window_days)
    days = min(len(sent.values), len(received.values))
    if days < min_age_days:
        # It counts bytes, zero included, for as long as it exists.
        detail = f"traffic is known for {days} of at least {min_age_days} days"
        raise Unread(Gap("ec2-nat-gateway-idle", Blindness.NO_DATA, detail))
    if any(sent.values) or any(received.values):
        return
    price = _monthly(gateway, view.target)
    idle = f"no traffic on the {days} days measured"
    try:
        tables = view.related(RouteTable, "nat_gateways", gateway.id)
    except Unread:
        yield Problem(idle, saving=prices.doubted(price, Confidence.MEDIUM))
        raise
    if tables:
        standby = f"{idle}; maybe on stand-by, as {', '.join(each.id for each in tables)} routes to it"
        yield Problem(standby, saving=prices.doubted(price, Confidence.MEDIUM))
    else:
        yield Problem(f"{idle}, and no route leads to it", saving=price)


def _monthly(gateway: NatGateway, target: Target) -> Money | None:
    """With its public addresses. The table does not know how many zones a regional one is billed for."""
    if gateway.regional:
        return None
    addresses = [prices.public_ipv4(target)] * gateway.public_ips
    return prices.total([prices.nat_gateway(target), *addresses])
