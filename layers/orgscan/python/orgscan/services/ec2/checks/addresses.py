"""What we expect of addresses, network interfaces and NAT gateways."""

import re
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Confidence, Gap, Metric, Money, Severity, Target, Unread
from orgscan.services.ec2.facts import Address, NatGateway, NetworkInterface, RouteTable

DAY = 86400
BYTES_OUT = Metric("AWS/NATGateway", "BytesOutToDestination", "Sum", DAY)
BYTES_IN = Metric("AWS/NATGateway", "BytesInFromSource", "Sum", DAY)
SERVICES = re.compile(
    "ELB |AWS Lambda VPC ENI|EFS mount target|RDSNetworkInterface|DMSNetworkInterface|arn:[a-z-]+:ecs:"
    "|Amazon EKS |VPC Endpoint Interface |Interface for NAT Gateway |aws-K8S-"
)
"""How descriptions begin of what AWS services made and did not mark as theirs."""


@check(
    Address,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Release the address.",
    maps=("FSBP EC2.12",),
    equivalent=("prowler:ec2_elastic_ip_unassigned", "trusted-advisor:Z4AUBRNSmz"),
    cli=("aws ec2 release-address --allocation-id {name} --region {region}",),
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
    NetworkInterface,
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    fix="Delete the interface.",
    also=(Address,),
    cli=("aws ec2 delete-network-interface --network-interface-id {name} --region {region}",),
)
def ec2_eni_unattached(interface: NetworkInterface, view: View) -> Problems:
    """A network interface of one's own is attached to nothing.

    It holds an address of its subnet, keeps its security groups from being deleted, and may hold a billed
    public address. EC2 does not say since when: one that is about to be attached is reported too. What AWS
    services made is theirs to delete.
    """
    of_a_service = interface.managed or SERVICES.match(interface.description)
    if interface.status != "available" or interface.kind not in ("interface", "efa") or of_a_service:
        return
    loose = f"attached to nothing, in {interface.subnet}"
    if not interface.public_ips:
        yield loose
        return
    loose += f"; it holds {', '.join(interface.public_ips)}"
    try:
        own = [
            each for ip in interface.public_ips for each in view.related(Address, "ip", ip) if each.own_range
        ]
    except Unread:
        yield loose
        raise
    billed = [prices.public_ipv4(view.target)] * (len(interface.public_ips) - len(own))
    yield Problem(loose, saving=prices.total(billed))


@check(
    NatGateway,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Delete the gateway, and release its address.",
    also=(RouteTable,),
    measures=(BYTES_OUT, BYTES_IN),
    equivalent=("trusted-advisor:c2vlfg022t",),
    cli=(
        (
            "aws ec2 describe-nat-gateways --nat-gateway-ids {name} --query "
            "'NatGateways[].NatGatewayAddresses[].AllocationId' --region {region}"
        ),
        "aws ec2 delete-nat-gateway --nat-gateway-id {name} --region {region}",
        "aws ec2 wait nat-gateway-deleted --nat-gateway-ids {name} --region {region}",
        "aws ec2 release-address --allocation-id '<allocation-id>' --region {region}",
    ),
)
def ec2_nat_gateway_idle(
    gateway: NatGateway, view: View, *, window_days: int = 14, min_age_days: int = 7
) -> Problems:
    """A NAT gateway has passed no traffic during the window.

    It is billed by the hour all the same. Routes that lead to it may mean that it stands by.
    """
    if gateway.state != "available" or gateway.created > view.now - timedelta(days=min_age_days):
        return
    days = window_days
    for metric in (BYTES_OUT, BYTES_IN):
        (passed,) = view.measure(gateway, metric, days=window_days)
        if any(passed.values):
            return
        days = min(days, len(passed.values))
        if days < min_age_days:
            # It counts bytes, zero included, for as long as it exists.
            detail = f"traffic is known for {days} of at least {min_age_days} days"
            raise Unread(Gap("ec2-nat-gateway-idle", Blindness.NO_DATA, detail))
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
