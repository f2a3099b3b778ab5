"""How we learn about security groups, interfaces, addresses, gateways and routes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.network import Route, Rule
from orgscan.network.ranges import cidr
from orgscan.network.rules import protocol
from orgscan.services.ec2.collect.paging import GONE, PAGE, SMALL_PAGE
from orgscan.services.ec2.facts import (
    Address,
    NatGateway,
    NetworkInterface,
    PrefixList,
    RouteTable,
    SecurityGroup,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        AddressTypeDef,
        IpPermissionOutputTypeDef,
        ManagedPrefixListTypeDef,
        NatGatewayTypeDef,
        NetworkInterfaceAssociationTypeDef,
        NetworkInterfaceTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SecurityGroupTypeDef,
    )

ROUTE_STATES = words("active", "blackhole", "filtered")
GATEWAY_STATES = words("pending", "failed", "available", "deleting", "deleted")
INTERFACE_STATES = words("available", "associated", "attaching", "in-use", "detaching", "pending")
DESTINATIONS: tuple[
    Literal["DestinationCidrBlock"], Literal["DestinationIpv6CidrBlock"], Literal["DestinationPrefixListId"]
] = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


@collector(SecurityGroup, calls=("ec2:DescribeSecurityGroups",))
def ec2_security_groups(aws: Reader) -> Iterator[SecurityGroup]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_security_groups"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_security_group, aws), page["SecurityGroups"])


def _security_group(aws: Reader, group: SecurityGroupTypeDef) -> SecurityGroup:
    return SecurityGroup(
        arn=aws.target.arn("ec2", f"security-group/{group['GroupId']}"),
        tags=aws.tags(group.get("Tags")),
        tags_optional=group["GroupName"] == "default",
        id=group["GroupId"],
        name=group["GroupName"],
        ingress=tuple(map(_rule, group["IpPermissions"])),
        egress=tuple(map(_rule, group["IpPermissionsEgress"])),
        names=tuple(
            pair["GroupId"]
            for permission in (*group["IpPermissions"], *group["IpPermissionsEgress"])
            for pair in permission["UserIdGroupPairs"]
            if "GroupId" in pair
        ),
        owner=group["OwnerId"],
    )


def _rule(permission: IpPermissionOutputTypeDef) -> Rule:
    """EC2 writes empty sets too: a rule without one was not read whole. A port has another one to end at."""
    ranged = "FromPort" in permission or "ToPort" in permission
    return Rule(
        protocol=protocol(permission["IpProtocol"]),
        from_port=permission["FromPort"] if ranged else None,
        to_port=permission["ToPort"] if ranged else None,
        cidrs=(
            *(cidr(each["CidrIp"]) for each in permission["IpRanges"]),
            *(cidr(each["CidrIpv6"]) for each in permission["Ipv6Ranges"]),
        ),
        prefix_lists=tuple(each["PrefixListId"] for each in permission["PrefixListIds"]),
    )


@collector(PrefixList, calls=("ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"))
def ec2_prefix_lists(aws: Reader) -> Iterator[PrefixList]:
    """The entries of customers' lists only: of this account, and of others that share theirs with it."""
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_managed_prefix_lists"), PaginationConfig=SMALL_PAGE):
        yield from aws.each(partial(_prefix_list, ec2), page["PrefixLists"])


def _prefix_list(ec2: EC2Client, listed: ManagedPrefixListTypeDef) -> PrefixList:
    id_ = listed["PrefixListId"]
    cidrs = None if listed["OwnerId"] == "AWS" else entries_of(ec2, id_)
    # The list's own ARN: a shared one belongs to another account.
    return PrefixList(arn=listed["PrefixListArn"], id=id_, cidrs=cidrs)


@fact(absent=())
def entries_of(ec2: EC2Client, prefix_list: str) -> tuple[str, ...]:
    pages = ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=prefix_list, PaginationConfig=SMALL_PAGE
    )
    return tuple(cidr(entry["Cidr"]) for page in pages for entry in page["Entries"])


@collector(NetworkInterface, calls=("ec2:DescribeNetworkInterfaces",))
def ec2_network_interfaces(aws: Reader) -> Iterator[NetworkInterface]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_network_interfaces"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_network_interface, aws), page["NetworkInterfaces"])


def _network_interface(aws: Reader, interface: NetworkInterfaceTypeDef) -> NetworkInterface:
    addresses = (interface, *interface.get("PrivateIpAddresses", []))
    associated = [_public_ip(each["Association"]) for each in addresses if "Association" in each]
    return NetworkInterface(
        arn=aws.target.arn("ec2", f"network-interface/{interface['NetworkInterfaceId']}"),
        security_groups=tuple(group["GroupId"] for group in interface["Groups"]),
        id=interface["NetworkInterfaceId"],
        vpc=interface["VpcId"],
        subnet=interface["SubnetId"],
        status=INTERFACE_STATES[interface["Status"]],
        kind=interface.get("InterfaceType", "interface"),
        description=interface.get("Description", ""),
        managed=interface.get("RequesterManaged", False),
        instance=interface.get("Attachment", {}).get("InstanceId"),
        # The first address stands in both places.
        public_ips=tuple(dict.fromkeys(filter(None, associated))),
        ipv6=tuple(each["Ipv6Address"] for each in interface.get("Ipv6Addresses", [])),
    )


def _public_ip(association: NetworkInterfaceAssociationTypeDef) -> str | None:
    """None in a Wavelength Zone, where the carrier has the address, and of an own pool on Outposts."""
    if "CarrierIp" in association or "CustomerOwnedIp" in association:
        return association.get("PublicIp")
    return association["PublicIp"]


@collector(Address, calls=("ec2:DescribeAddresses",))
def ec2_addresses(aws: Reader) -> Iterator[Address]:
    ec2: EC2Client = aws.client("ec2")
    yield from aws.shaped(partial(_address, aws), ec2.describe_addresses()["Addresses"])


def _address(aws: Reader, address: AddressTypeDef) -> Address:
    users = (address.get(key) for key in ("AssociationId", "InstanceId", "NetworkInterfaceId"))
    return Address(
        arn=aws.target.arn("ec2", f"elastic-ip/{address['AllocationId']}"),
        tags=aws.tags(address.get("Tags")),
        tags_optional=bool(address.get("ServiceManaged")),
        ip=address["PublicIp"],
        associated=any(users),
        instance=address.get("InstanceId") or None,
        own_range=address.get("PublicIpv4Pool", "amazon") != "amazon",
        managed_by=address.get("ServiceManaged"),
    )


@collector(NatGateway, calls=("ec2:DescribeNatGateways",))
def ec2_nat_gateways(aws: Reader) -> Iterator[NatGateway]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_nat_gateways"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_nat_gateway, aws), page["NatGateways"])


def _nat_gateway(aws: Reader, gateway: NatGatewayTypeDef) -> NatGateway | None:
    state = GATEWAY_STATES[gateway["State"]]
    if state in GONE:
        return None
    return NatGateway(
        arn=aws.target.arn("ec2", f"natgateway/{gateway['NatGatewayId']}"),
        tags=aws.tags(gateway.get("Tags")),
        id=gateway["NatGatewayId"],
        state=state,
        created=gateway["CreateTime"],
        public_ips=sum("PublicIp" in each for each in gateway.get("NatGatewayAddresses", [])),
        vpc=gateway["VpcId"],
        regional=gateway.get("AvailabilityMode") == "regional",
    )


@collector(RouteTable, calls=("ec2:DescribeRouteTables",))
def ec2_route_tables(aws: Reader) -> Iterator[RouteTable]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_route_tables"), PaginationConfig=SMALL_PAGE):
        yield from aws.shaped(partial(_route_table, aws), page["RouteTables"])


def _route_table(aws: Reader, table: RouteTableTypeDef) -> RouteTable:
    routes = table["Routes"]
    associations = table["Associations"]
    return RouteTable(
        arn=aws.target.arn("ec2", f"route-table/{table['RouteTableId']}"),
        id=table["RouteTableId"],
        nat_gateways=tuple(route["NatGatewayId"] for route in routes if route.get("NatGatewayId")),
        vpc=table["VpcId"],
        main=any(each["Main"] for each in associations),
        # Others are the VPC's own, and those of gateways.
        subnets=tuple(
            each["SubnetId"] for each in associations if not each["Main"] and "GatewayId" not in each
        ),
        routes=tuple(map(_route, routes)),
    )


def _route(route: RouteTypeDef) -> Route:
    """Of what it can lead to, only gateways of one kind are told from the rest."""
    (destination,) = filter(None, (route.get(key) for key in DESTINATIONS))
    return Route(
        destination=destination,
        target=route.get("GatewayId", ""),
        active=ROUTE_STATES[route["State"]] == "active",
    )
