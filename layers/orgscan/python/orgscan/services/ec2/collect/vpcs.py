"""How we learn about VPCs, and what guards, records and shortens their ways."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.network import Entry
from orgscan.network.ranges import cidr
from orgscan.network.rules import protocol
from orgscan.services.ec2.collect.paging import GONE, PAGE
from orgscan.services.ec2.facts_network import (
    FlowLog,
    NetworkAcl,
    Subnet,
    Vpc,
    VpcEndpoint,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        FlowLogTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
        VpcTypeDef,
    )


ENDPOINT_TYPES = words("Interface", "Gateway", "GatewayLoadBalancer", "Resource", "ServiceNetwork")
ENDPOINT_STATES = words(
    "pendingacceptance",
    "pending",
    "available",
    "deleting",
    "deleted",
    "rejected",
    "failed",
    "expired",
    "partial",
)
ACTIONS = words("allow", "deny")
DELIVERY = words("SUCCESS", "FAILED")
TRAFFIC = words("ACCEPT", "REJECT", "ALL")


@collector(Vpc, calls=("ec2:DescribeVpcs",))
def ec2_vpcs(aws: Reader) -> Iterator[Vpc]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_vpcs"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_vpc, aws), page["Vpcs"])


def _vpc(aws: Reader, vpc: VpcTypeDef) -> Vpc:
    return Vpc(
        arn=_arn(aws, "vpc", vpc["VpcId"], vpc["OwnerId"]),
        tags=aws.tags(vpc.get("Tags")),
        tags_optional=vpc["IsDefault"] or vpc["OwnerId"] != aws.target.account,
        id=vpc["VpcId"],
        default=vpc["IsDefault"],
        owner=vpc["OwnerId"],
    )


def _arn(aws: Reader, kind: str, id_: str, owner: str) -> str:
    """Shared networks are listed too, and belong to another account."""
    return f"arn:{aws.target.partition}:ec2:{aws.target.region}:{owner}:{kind}/{id_}"


@collector(Subnet, calls=("ec2:DescribeSubnets",))
def ec2_subnets(aws: Reader) -> Iterator[Subnet]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_subnets"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_subnet, aws), page["Subnets"])


def _subnet(aws: Reader, subnet: SubnetTypeDef) -> Subnet:
    return Subnet(
        arn=_arn(aws, "subnet", subnet["SubnetId"], subnet["OwnerId"]),
        tags=aws.tags(subnet.get("Tags")),
        tags_optional=subnet.get("DefaultForAz", False) or subnet["OwnerId"] != aws.target.account,
        id=subnet["SubnetId"],
        vpc=subnet["VpcId"],
        zone=subnet["AvailabilityZone"],
        cidr=None if subnet.get("Ipv6Native") else cidr(subnet["CidrBlock"]),
        free=subnet["AvailableIpAddressCount"],
        owner=subnet["OwnerId"],
    )


@collector(FlowLog, calls=("ec2:DescribeFlowLogs",))
def ec2_flow_logs(aws: Reader) -> Iterator[FlowLog]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_flow_logs"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_flow_log, aws), page["FlowLogs"])


def _flow_log(aws: Reader, log: FlowLogTypeDef) -> FlowLog:
    return FlowLog(
        arn=aws.target.arn("ec2", f"vpc-flow-log/{log['FlowLogId']}"),
        of=log["ResourceId"],
        active=log["FlowLogStatus"] == "ACTIVE",
        failing=DELIVERY[log.get("DeliverLogsStatus", "SUCCESS")] == "FAILED",
        traffic=TRAFFIC[log["TrafficType"]] if "TrafficType" in log else "",
    )


@collector(NetworkAcl, calls=("ec2:DescribeNetworkAcls",))
def ec2_network_acls(aws: Reader) -> Iterator[NetworkAcl]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_network_acls"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_acl, aws), page["NetworkAcls"])


def _acl(aws: Reader, acl: NetworkAclTypeDef) -> NetworkAcl:
    entries = acl["Entries"]
    return NetworkAcl(
        arn=_arn(aws, "network-acl", acl["NetworkAclId"], acl["OwnerId"]),
        tags=aws.tags(acl.get("Tags")),
        tags_optional=acl["IsDefault"] or acl["OwnerId"] != aws.target.account,
        id=acl["NetworkAclId"],
        default=acl["IsDefault"],
        subnets=tuple(each["SubnetId"] for each in acl["Associations"]),
        ingress=tuple(_entry(entry) for entry in entries if not entry["Egress"]),
        egress=tuple(_entry(entry) for entry in entries if entry["Egress"]),
        owner=acl["OwnerId"],
    )


def _entry(entry: NetworkAclEntryTypeDef) -> Entry:
    ports = entry.get("PortRange")
    return Entry(
        number=entry["RuleNumber"],
        allow=ACTIONS[entry["RuleAction"]] == "allow",
        protocol=protocol(entry["Protocol"]),
        cidr=cidr(entry.get("CidrBlock") or entry["Ipv6CidrBlock"]),
        from_port=ports["From"] if ports else None,
        to_port=ports["To"] if ports else None,
    )


@collector(VpcEndpoint, calls=("ec2:DescribeVpcEndpoints",))
def ec2_vpc_endpoints(aws: Reader) -> Iterator[VpcEndpoint]:
    ec2: EC2Client = aws.client("ec2")
    for page in aws.pages(ec2.get_paginator("describe_vpc_endpoints"), PaginationConfig=PAGE):
        yield from aws.shaped(partial(_endpoint, aws), page["VpcEndpoints"])


def _endpoint(aws: Reader, endpoint: VpcEndpointTypeDef) -> VpcEndpoint | None:
    # EC2 writes states in small letters, its documentation in capitals.
    state = ENDPOINT_STATES[endpoint["State"].lower()]
    if state in GONE:
        return None
    managed = endpoint.get("RequesterManaged", False)
    return VpcEndpoint(
        arn=aws.target.arn("ec2", f"vpc-endpoint/{endpoint['VpcEndpointId']}"),
        tags=aws.tags(endpoint.get("Tags")),
        tags_optional=managed,
        id=endpoint["VpcEndpointId"],
        type=ENDPOINT_TYPES[endpoint["VpcEndpointType"]],
        service=endpoint.get("ServiceName", ""),
        vpc=endpoint["VpcId"],
        available=state == "available",
        created=endpoint["CreationTimestamp"],
        managed=managed,
        subnets=tuple(endpoint.get("SubnetIds", [])),
        route_tables=tuple(endpoint.get("RouteTableIds", [])),
    )
