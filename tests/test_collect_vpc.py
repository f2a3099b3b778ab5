"""What the collectors of VPCs, routes, access lists and endpoints see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Target
from orgscan.network import Entry, Route
from orgscan.services.ec2 import collect
from orgscan.services.ec2.facts import LaunchTemplateVersion
from orgscan.services.ec2.facts_network import (
    FlowLog,
    NetworkAcl,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from orgscan.session import Clients
from tests.answers import answer, refuse

OWNER = [{"Key": "Owner", "Value": "ann"}]
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
STRANGER = "210987654321"


@pytest.fixture
def ec2(aws: boto3.Session) -> Any:
    return aws.client("ec2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    """The default one."""
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"])


def tagged(kind: str) -> Any:
    return [{"ResourceType": kind, "Tags": OWNER}]


def test_vpcs(ec2: Any, vpc: str, clients: Clients, target: Target) -> None:
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    seen = {each.id: each for each in collect.ec2_vpcs.read(clients, target)}
    assert seen.pop(made) == Vpc(
        arn=target.arn("ec2", f"vpc/{made}"),
        tags={"Owner": "ann"},
        id=made,
        default=False,
        owner=target.account,
    )
    default = seen.pop(vpc)
    assert (default.default, default.tags_optional, default.tags) == (True, True, {})


def test_a_shared_vpc_is_its_owners(clients: Clients, target: Target) -> None:
    shared = {"VpcId": "vpc-1", "OwnerId": STRANGER, "IsDefault": False}
    answer(clients, target, "ec2:DescribeVpcs", {"Vpcs": [shared]})
    (seen,) = collect.ec2_vpcs.read(clients, target)
    assert seen.arn == f"arn:aws:ec2:eu-west-1:{STRANGER}:vpc/vpc-1"
    assert (seen.owner, seen.tags_optional) == (STRANGER, True)


def test_subnets(ec2: Any, clients: Clients, target: Target) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock="10.0.1.0/24",
        AvailabilityZone="eu-west-1a",
        TagSpecifications=tagged("subnet"),
    )["Subnet"]["SubnetId"]
    seen = {each.id: each for each in collect.ec2_subnets.read(clients, target)}
    assert seen.pop(made) == Subnet(
        arn=target.arn("ec2", f"subnet/{made}"),
        tags={"Owner": "ann"},
        id=made,
        vpc=vpc,
        zone="eu-west-1a",
        cidr="10.0.1.0/24",
        free=251,
        owner=target.account,
    )
    assert {each.tags_optional for each in seen.values()} == {True}


def test_a_subnet_of_ipv6_addresses_only(clients: Clients, target: Target) -> None:
    native = {
        "SubnetId": "subnet-1",
        "VpcId": "vpc-1",
        "OwnerId": target.account,
        "AvailabilityZone": "eu-west-1a",
        "AvailableIpAddressCount": 0,
        "Ipv6Native": True,
    }
    answer(clients, target, "ec2:DescribeSubnets", {"Subnets": [native]})
    (seen,) = collect.ec2_subnets.read(clients, target)
    assert (seen.cidr, seen.tags_optional) == (None, False)


def test_flow_logs(clients: Clients, target: Target) -> None:
    log = {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE"}
    good = {**log, "DeliverLogsStatus": "SUCCESS", "TrafficType": "ALL"}
    failing = {**log, "FlowLogId": "fl-2", "DeliverLogsStatus": "FAILED", "TrafficType": "REJECT"}
    odd = {**log, "FlowLogId": "fl-3", "FlowLogStatus": "unheard-of"}
    answer(clients, target, "ec2:DescribeFlowLogs", {"FlowLogs": [good, failing, odd]})
    first, second, third = collect.ec2_flow_logs.read(clients, target)
    assert first == FlowLog(
        arn=target.arn("ec2", "vpc-flow-log/fl-1"), of="vpc-1", active=True, failing=False, traffic="ALL"
    )
    assert (second.active, second.failing, second.traffic) == (True, True, "REJECT")
    assert (third.active, third.failing, third.traffic) == (False, False, "")


def test_a_flow_log_that_was_made(ec2: Any, vpc: str, clients: Clients, target: Target) -> None:
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="REJECT",
        LogGroupName="missing",
        DeliverLogsPermissionArn=f"arn:aws:iam::{target.account}:role/flow",
    )
    (seen,) = collect.ec2_flow_logs.read(clients, target)
    assert (seen.of, seen.active, seen.failing, seen.traffic) == (vpc, True, True, "REJECT")


def test_an_acl(ec2: Any, vpc: str, clients: Clients, target: Target) -> None:
    made = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tagged("network-acl"))["NetworkAcl"]
    id_ = made["NetworkAclId"]
    ports = {"From": 22, "To": 23}
    for number, source in ((10, {"CidrBlock": "0.0.0.0/0"}), (20, {"Ipv6CidrBlock": "::/0"})):
        ec2.create_network_acl_entry(
            NetworkAclId=id_,
            RuleNumber=number,
            Protocol="6",
            RuleAction="deny",
            Egress=False,
            PortRange=ports,
            **source,
        )
    seen = {each.id: each for each in collect.ec2_network_acls.read(clients, target)}
    assert seen.pop(id_) == NetworkAcl(
        arn=target.arn("ec2", f"network-acl/{id_}"),
        tags={"Owner": "ann"},
        id=id_,
        default=False,
        subnets=(),
        ingress=(
            Entry(number=10, allow=False, protocol="6", cidr="0.0.0.0/0", from_port=22, to_port=23),
            Entry(number=20, allow=False, protocol="6", cidr="::/0", from_port=22, to_port=23),
        ),
        egress=(),
        owner=target.account,
    )
    (default,) = seen.values()
    every = {each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]}
    assert (default.default, default.tags_optional, set(default.subnets)) == (True, True, every)
    assert [(each.number, each.allow, each.cidr) for each in default.egress] == [
        (100, True, "0.0.0.0/0"),
        (32767, False, "0.0.0.0/0"),
    ]


def test_endpoints(ec2: Any, vpc: str, clients: Clients, target: Target) -> None:
    table = ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ask = {"VpcId": vpc, "TagSpecifications": tagged("vpc-endpoint")}
    s3 = ec2.create_vpc_endpoint(
        ServiceName="com.amazonaws.eu-west-1.s3", VpcEndpointType="Gateway", RouteTableIds=[table], **ask
    )["VpcEndpoint"]
    ssm = ec2.create_vpc_endpoint(
        ServiceName="com.amazonaws.eu-west-1.ssm", VpcEndpointType="Interface", SubnetIds=[subnet], **ask
    )["VpcEndpoint"]
    seen = {each.id: each for each in collect.ec2_vpc_endpoints.read(clients, target)}
    assert seen[s3["VpcEndpointId"]] == VpcEndpoint(
        arn=target.arn("ec2", f"vpc-endpoint/{s3['VpcEndpointId']}"),
        tags={"Owner": "ann"},
        id=s3["VpcEndpointId"],
        type="Gateway",
        service="com.amazonaws.eu-west-1.s3",
        vpc=vpc,
        available=True,
        created=s3["CreationTimestamp"],
        managed=False,
        route_tables=(table,),
    )
    interface = seen[ssm["VpcEndpointId"]]
    assert (interface.type, interface.subnets, interface.route_tables) == ("Interface", (subnet,), ())
    assert dict(interface.dimensions) == {
        "Endpoint Type": "Interface",
        "Service Name": "com.amazonaws.eu-west-1.ssm",
        "VPC Endpoint Id": interface.id,
        "VPC Id": vpc,
    }


@pytest.mark.parametrize(
    ("state", "available"),
    [("available", True), ("Available", True), ("pending", False), ("unheard-of", None), ("deleted", None)],
)
def test_states_of_endpoints(clients: Clients, target: Target, state: str, *, available: bool | None) -> None:
    described = {
        "VpcEndpointId": "vpce-1",
        "VpcEndpointType": "Resource",
        "VpcId": "vpc-1",
        "State": state,
        "RequesterManaged": True,
        "CreationTimestamp": START,
    }
    answer(clients, target, "ec2:DescribeVpcEndpoints", {"VpcEndpoints": [described]})
    seen = list(collect.ec2_vpc_endpoints.read(clients, target))
    assert [each.available for each in seen] == [available] * (available is not None)
    assert all(each.managed and each.tags_optional for each in seen)


def test_launch_templates_name_groups_in_three_ways(ec2: Any, clients: Clients, target: Target) -> None:
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "SecurityGroupIds": ["sg-1"],
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-2", "sg-1"]}],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_launch_template_version(
        LaunchTemplateId=made, LaunchTemplateData={"SecurityGroups": ["by-name"]}
    )
    ec2.create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData={})
    arn = target.arn("ec2", f"launch-template/{made}")
    assert {*collect.ec2_launch_template_versions.read(clients, target)} == {
        LaunchTemplateVersion(arn=f"{arn}:1", name=f"{made}:1", security_groups=("sg-1", "sg-2")),
        LaunchTemplateVersion(arn=f"{arn}:3", name=f"{made}:3", security_groups=()),
    }
    ec2.modify_launch_template(LaunchTemplateId=made, DefaultVersion="2")
    seen = {
        each.arn: each.security_groups for each in collect.ec2_launch_template_versions.read(clients, target)
    }
    assert seen == {f"{arn}:2": ("by-name",), f"{arn}:3": ()}


def test_route_tables(ec2: Any, vpc: str, clients: Clients, target: Target) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    seen = {each.id: each for each in collect.ec2_route_tables.read(clients, target)}
    own = seen.pop(table)
    assert (own.vpc, own.main, own.subnets) == (vpc, False, (subnet,))
    assert own.routes == (
        Route(destination="172.31.0.0/16", target="local"),
        Route(destination="0.0.0.0/0", target=gateway),
    )
    (main,) = seen.values()
    assert (main.main, main.subnets, main.nat_gateways) == (True, (), ())


def test_routes_of_all_kinds(clients: Clients, target: Target) -> None:
    described = {
        "RouteTableId": "rtb-1",
        "VpcId": "vpc-1",
        "Associations": [{"Main": True}, {"Main": False, "GatewayId": "igw-1"}],
        "Routes": [
            {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active"},
            {"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1", "State": "blackhole"},
            {"DestinationCidrBlock": "10.0.0.0/8", "NatGatewayId": "nat-1", "State": "filtered"},
        ],
    }
    answer(clients, target, "ec2:DescribeRouteTables", {"RouteTables": [described]})
    (seen,) = collect.ec2_route_tables.read(clients, target)
    assert seen.routes == (
        Route(destination="::/0", target=""),
        Route(destination="pl-1", target="igw-1", active=False),
        Route(destination="10.0.0.0/8", target="", active=False),
    )
    assert (seen.main, seen.subnets, seen.nat_gateways) == (True, (), ("nat-1",))


def test_an_interface_and_all_its_addresses(clients: Clients, target: Target) -> None:
    described = {
        "NetworkInterfaceId": "eni-1",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "Status": "in-use",
        "InterfaceType": "lambda",
        "RequesterManaged": True,
        "Groups": [],
        "Attachment": {"InstanceId": "i-1"},
        "Association": {"PublicIp": "192.0.2.1"},
        "PrivateIpAddresses": [
            {"Association": {"PublicIp": "192.0.2.1"}},
            {"Association": {"PublicIp": "192.0.2.2"}},
            {"Association": {"CarrierIp": "192.0.2.3"}},
            {},
        ],
        "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}],
    }
    answer(clients, target, "ec2:DescribeNetworkInterfaces", {"NetworkInterfaces": [described]})
    (seen,) = collect.ec2_network_interfaces.read(clients, target)
    assert (seen.instance, seen.kind, seen.managed) == ("i-1", "lambda", True)
    assert seen.public_ips == ("192.0.2.1", "192.0.2.2")
    assert seen.ipv6 == ("2001:db8::1",)


LISTINGS: list[tuple[AnyCollector, str, str, dict[str, Any]]] = [
    (
        collect.ec2_vpcs,
        "ec2:DescribeVpcs",
        "Vpcs",
        {"VpcId": "vpc-1", "OwnerId": STRANGER, "IsDefault": False},
    ),
    (
        collect.ec2_subnets,
        "ec2:DescribeSubnets",
        "Subnets",
        {
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "OwnerId": STRANGER,
            "AvailabilityZone": "eu-west-1a",
            "AvailableIpAddressCount": 1,
            "CidrBlock": "10.0.0.0/24",
        },
    ),
    (
        collect.ec2_flow_logs,
        "ec2:DescribeFlowLogs",
        "FlowLogs",
        {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE"},
    ),
    (
        collect.ec2_network_acls,
        "ec2:DescribeNetworkAcls",
        "NetworkAcls",
        {"NetworkAclId": "acl-1", "OwnerId": STRANGER, "IsDefault": True, "Associations": [], "Entries": []},
    ),
    (
        collect.ec2_vpc_endpoints,
        "ec2:DescribeVpcEndpoints",
        "VpcEndpoints",
        {
            "VpcEndpointId": "vpce-1",
            "VpcEndpointType": "Gateway",
            "VpcId": "vpc-1",
            "State": "available",
            "CreationTimestamp": START,
        },
    ),
    (
        collect.ec2_launch_template_versions,
        "ec2:DescribeLaunchTemplateVersions",
        "LaunchTemplateVersions",
        {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "LaunchTemplateData": {}},
    ),
    (
        collect.ec2_route_tables,
        "ec2:DescribeRouteTables",
        "RouteTables",
        {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [], "Routes": []},
    ),
]
LISTED = pytest.mark.parametrize(
    ("collector", "call", "result", "item"), LISTINGS, ids=lambda each: str(each)[:30]
)


@LISTED
def test_pages_follow_and_an_item_without_a_member_costs_itself(
    collector: AnyCollector, call: str, result: str, item: dict[str, Any], clients: Clients, target: Target
) -> None:
    """AWS always sends these members: one that lacks any was not read whole."""
    odd = [{name: value for name, value in item.items() if name != left_out} for left_out in item]
    first = {result: [item, *odd], "NextToken": "more"}
    answer(clients, target, call, first, {result: [item]})
    lost: list[Gap] = []
    seen = list(collector.read(clients, target, spoil=lost.append))
    assert len(seen) == 2
    assert [each.reason for each in lost] == [Blindness.FAULT] * len(odd)


@LISTED
def test_a_denied_listing_is_not_an_empty_one(
    collector: AnyCollector, call: str, result: str, item: dict[str, Any], clients: Clients, target: Target
) -> None:
    del result, item
    refuse(clients, target, call, "UnauthorizedOperation")
    with pytest.raises(ClientError, match=call):
        list(collector.read(clients, target))


@pytest.mark.parametrize(
    "odd",
    [
        {"Routes": [{"GatewayId": "igw-1", "State": "active"}]},
        {"Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "unheard-of"}]},
        {"Associations": [{"Main": False}]},
        {"Associations": [{"SubnetId": "subnet-1"}]},
    ],
    ids=str,
)
def test_a_route_table_that_makes_no_sense_costs_itself(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    """A route that goes nowhere must not end the list of routes as if there were no more."""
    table: dict[str, Any] = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [], "Routes": []}
    answer(clients, target, "ec2:DescribeRouteTables", {"RouteTables": [{**table, **odd}, table]})
    lost: list[Gap] = []
    (seen,) = collect.ec2_route_tables.read(clients, target, spoil=lost.append)
    assert (seen.routes, seen.subnets) == ((), ())
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize(
    "odd",
    [{"RuleAction": "maybe"}, {"Protocol": ""}, {"CidrBlock": "everywhere"}, {"PortRange": {"From": 22}}],
    ids=str,
)
def test_an_entry_that_makes_no_sense_costs_its_acl(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    entry = {
        "RuleNumber": 1,
        "RuleAction": "allow",
        "Protocol": "6",
        "Egress": False,
        "CidrBlock": "0.0.0.0/0",
    }
    acl = {
        "NetworkAclId": "acl-1",
        "OwnerId": target.account,
        "IsDefault": True,
        "Associations": [],
        "Entries": [{**entry, **odd}],
    }
    answer(clients, target, "ec2:DescribeNetworkAcls", {"NetworkAcls": [acl]})
    lost: list[Gap] = []
    assert list(collect.ec2_network_acls.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]
