"""What we expect of VPCs: that their traffic is recorded, guarded and takes the short way."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from ipaddress import ip_network

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Confidence, Gap, Metric, Money, Severity, Unread
from orgscan.network import WORLD, lets_in
from orgscan.services.ec2.facts import NatGateway, NetworkInterface, RouteTable
from orgscan.services.ec2.facts_network import FlowLog, NetworkAcl, Subnet, Vpc, VpcEndpoint

DAY = 86400
GIB = 2**30
DAYS_OF_A_MONTH = 30.4
EVIDENCE_DAYS = 14
AWS_RESERVES = 5
"""Addresses of each subnet."""
NEARLY_FULL = 0.05
RDP = 3389
ONLY_IF_SEEN = ("dynamodb",)
"""Services that not every network needs: judged where an endpoint shows that one does."""
CLUSTER = "kubernetes.io/cluster/"
RECEIVED = Metric("AWS/NATGateway", "BytesInFromDestination", "Sum", DAY)
PROCESSED = Metric("AWS/PrivateLinkEndpoints", "BytesProcessed", "Sum", DAY)
CONNECTIONS = Metric("AWS/PrivateLinkEndpoints", "ActiveConnections", "Maximum", DAY)


@check(
    Vpc,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Create a flow log for the VPC that delivers to S3 or CloudWatch Logs.",
    also=(FlowLog, Subnet, NetworkInterface),
    maps=("CIS AWS 3.0 3.7", "CIS AWS 5.0 3.7", "CIS AWS 6.0 4.7", "CIS AWS 7.0 4.7", "FSBP EC2.6"),
    equivalent=("prowler:vpc_flow_logs_enabled",),
    cli=(
        (
            "aws ec2 create-flow-logs --resource-type VPC --resource-ids {name} --traffic-type ALL "
            "--log-destination-type s3 --log-destination '<bucket-arn>' --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_type="VPC",
            resource_id="<vpc-id>",
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination="<bucket-arn>",
        )
    """,
)
def vpc_flow_logs_disabled(
    vpc: Vpc, view: View, *, accepted_traffic: Sequence[str] = ("ALL", "REJECT")
) -> Problems:
    """A VPC has no active flow log.

    Without one nobody can tell after an incident who talked to whom. Flow logs of all its subnets are as
    good. One that cannot deliver, or records accepted traffic only, is none. Informational for a default
    VPC without network interfaces. A shared VPC is its owner's business.
    """
    if vpc.owner != view.target.account or _recorded(vpc.id, view, accepted_traffic):
        return
    subnets = view.related(Subnet, "vpc", vpc.id)
    bare = [each.id for each in subnets if not _recorded(each.id, view, accepted_traffic)]
    if subnets and not bare:
        return
    fault = "no flow log records its traffic"
    useless = ", ".join(_useless(each) for each in view.related(FlowLog, "of", vpc.id))
    if useless:
        fault += f"; {useless}"
    elif len(bare) < len(subnets):
        fault += f" in {', '.join(bare)}"
    try:
        empty = vpc.default and not view.related(NetworkInterface, "vpc", vpc.id)
    except Unread:
        yield fault
        raise
    severity = Severity.INFORMATIONAL if empty else None
    yield Problem(f"{fault}; nothing is in this default VPC" if empty else fault, severity=severity)


def _recorded(id_: str, view: View, accepted: Sequence[str]) -> bool:
    logs = view.related(FlowLog, "of", id_)
    return any(each.active and not each.failing and each.traffic in accepted for each in logs)


def _useless(log: FlowLog) -> str:
    name = log.arn.rpartition("/")[2]
    if not log.active:
        return f"{name} is not active"
    return (
        f"{name} cannot deliver" if log.failing else f"{name} records {log.traffic or 'unknown'} traffic only"
    )


@check(
    NetworkAcl,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Deny the port from 0.0.0.0/0 and ::/0 in entries with lower numbers than the one that allows it.",
    maps=("CIS AWS 3.0 5.1", "CIS AWS 5.0 5.2", "CIS AWS 6.0 6.2", "CIS AWS 7.0 6.2", "FSBP EC2.21"),
    equivalent=(
        "prowler:ec2_networkacl_allow_ingress_any_port",
        "prowler:ec2_networkacl_allow_ingress_tcp_port_22",
        "prowler:ec2_networkacl_allow_ingress_tcp_port_3389",
    ),
    cli=(
        (
            "aws ec2 describe-network-acls --network-acl-ids {name} --query "
            "'NetworkAcls[].Entries[?!Egress][]' --region {region}"
        ),
        (
            "aws ec2 create-network-acl-entry --network-acl-id {name} --ingress --rule-number "
            "'<lower-number>' --protocol '<6-for-tcp-17-for-udp>' --port-range "
            "From='<port>',To='<port>' --cidr-block 0.0.0.0/0 --rule-action deny --region {region}"
        ),
        (
            "aws ec2 create-network-acl-entry --network-acl-id {name} --ingress --rule-number "
            "'<another-lower-number>' --protocol '<6-for-tcp-17-for-udp>' --port-range "
            "From='<port>',To='<port>' --ipv6-cidr-block ::/0 --rule-action deny --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnNetworkAclEntry(
            self,
            "NoSsh",
            network_acl_id="<acl-id>",
            rule_number="<lower-number>",
            protocol=6,
            port_range=ec2.CfnNetworkAclEntry.PortRangeProperty(from_=22, to=22),
            cidr_block="0.0.0.0/0",
            rule_action="deny",
        )
    """,
)
def ec2_network_acl_open_admin_ports(
    acl: NetworkAcl, view: View, *, ports: Sequence[int] = (22, 3389)
) -> Problems:
    """A network ACL lets the world reach SSH or RDP.

    It is the second wall, for the day on which somebody opens a security group. The entry with the lowest
    number that matches decides, for IPv4 and IPv6 apart. As AWS makes a default ACL, it allows everything.
    Informational while no subnet has the ACL.
    """
    if acl.owner != view.target.account:
        return
    severity = None if acl.subnets else Severity.INFORMATIONAL
    unused = "" if acl.subnets else "; no subnet has the ACL"
    for port in ports:
        for protocol, world in _ways(port):
            entry = lets_in(acl.ingress, world, port, protocol)
            if entry:
                text = f"{protocol} {port} is open to {world} (entry {entry.number}){unused}"
                yield Problem(text, severity=severity)


def _ways(port: int) -> Iterator[tuple[str, str]]:
    """RDP speaks UDP too."""
    protocols = ("tcp", "udp") if port == RDP else ("tcp",)
    return ((protocol, world) for protocol in protocols for world in WORLD)


@check(
    Subnet,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Add a larger subnet, from a secondary CIDR of the VPC if need be, and move what grows there.",
    also=(NetworkInterface,),
    cli=(
        (
            "aws ec2 describe-subnets --subnet-ids {name} --query 'Subnets[].[VpcId, "
            "AvailabilityZone, CidrBlock]' --region {region}"
        ),
        (
            "aws ec2 associate-vpc-cidr-block --vpc-id '<vpc-id>' --cidr-block '<secondary-cidr>' "
            "--region {region}"
        ),
        (
            "aws ec2 create-subnet --vpc-id '<vpc-id>' --availability-zone '<zone>' --cidr-block "
            "'<cidr-of-the-subnet>' --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnVPCCidrBlock(self, "More", vpc_id="<vpc-id>", cidr_block="<secondary-cidr>")
        ec2.CfnSubnet(
            self,
            "Larger",
            vpc_id="<vpc-id>",
            availability_zone="<zone>",
            cidr_block="<cidr-of-the-subnet>",
        )
    """,
)
def ec2_subnet_free_ip_low(
    subnet: Subnet, view: View, *, min_free_share: float = 0.15, min_free: int = 16
) -> Problems:
    """A subnet is close to running out of IPv4 addresses.

    Then nothing starts there any more: no instance, no pod, no load balancer's next node. High below 5 %. A
    subnet too small to ever have `min_free` free addresses, such as a /28, is judged by its share only.
    """
    if subnet.cidr is None or subnet.owner != view.target.account:
        return
    usable = ip_network(subnet.cidr).num_addresses - AWS_RESERVES
    share = subnet.free / usable
    if share >= min_free_share and (subnet.free >= min_free or usable <= min_free):
        return
    low = f"{subnet.free} of {usable} addresses ({share:.0%}) of {subnet.cidr} in {subnet.zone} are free"
    severity = Severity.HIGH if share < NEARLY_FULL else None
    clusters = [key.removeprefix(CLUSTER) for key in view.tags(subnet) if key.startswith(CLUSTER)]
    users = [f"EKS cluster {name}" for name in clusters]
    try:
        if any(each.kind == "lambda" for each in view.related(NetworkInterface, "subnet", subnet.id)):
            users.append("Lambda")
    except Unread:
        yield Problem(low, severity=severity)
        raise
    yield Problem(f"{low}; used by {', '.join(users)}" if users else low, severity=severity)


@check(
    Vpc,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Create the gateway endpoint, and add these route tables to it.",
    also=(NatGateway, RouteTable, VpcEndpoint),
    measures=(RECEIVED,),
    cli=(
        (
            "aws ec2 describe-vpc-endpoint-services --filters Name=service-type,Values=Gateway "
            "--query ServiceNames --region {region}"
        ),
        (
            "aws ec2 create-vpc-endpoint --vpc-id {name} --vpc-endpoint-type Gateway --service-name "
            "'<service-name>' --region {region}"
        ),
        (
            "aws ec2 modify-vpc-endpoint --vpc-endpoint-id '<endpoint-id>' --add-route-table-ids "
            "'<route-table-id>' --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnVPCEndpoint(
            self,
            "Endpoint",
            vpc_id="<vpc-id>",
            vpc_endpoint_type="Gateway",
            service_name="<service-name>",
            route_table_ids=["<route-table-id>"],
        )
    """,
)
def vpc_gateway_endpoint_missing(
    vpc: Vpc, view: View, *, services: Sequence[str] = ("s3", "dynamodb"), assumed_share: float = 0.3
) -> Problems:
    """Private subnets reach S3 or DynamoDB through a NAT gateway, without a gateway endpoint.

    The gateway bills every byte; endpoints of type Gateway are free. Route tables without a subnet send
    nothing. DynamoDB is judged where an endpoint shows that it is used. The saving assumes that
    `assumed_share` of what the gateways received came from there.
    """
    gateways = [each for each in view.related(NatGateway, "vpc", vpc.id) if _to_the_internet(each)]
    if not gateways or vpc.owner != view.target.account:
        return
    ids = {each.id for each in gateways}
    tables = view.related(RouteTable, "vpc", vpc.id)
    private = [each.id for each in tables if (each.subnets or each.main) and ids & {*each.nat_gateways}]
    endpoints = [each for each in view.related(VpcEndpoint, "vpc", vpc.id) if each.type == "Gateway"]
    for service in services:
        those = [each for each in endpoints if each.available and each.service.endswith(f".{service}")]
        covered = {table for each in those for table in each.route_tables}
        missing = [table for table in private if table not in covered]
        if missing and (those or service not in ONLY_IF_SEEN):
            lacking = "lacks" if those else "has no gateway endpoint:"
            saving = _through(gateways, view, assumed_share)
            yield Problem(f"{service} {lacking} {', '.join(missing)}", saving=saving)


def _to_the_internet(gateway: NatGateway) -> bool:
    """Private ones lead to other networks only, where no S3 is."""
    return gateway.state == "available" and bool(gateway.public_ips)


def _through(gateways: Sequence[NatGateway], view: View, share: float) -> Money | None:
    """What a month's traffic from there would cost; unpriced where it was not measured."""
    series = []
    for gateway in gateways:
        try:
            (received,) = view.measure(gateway, days=EVIDENCE_DAYS)
        except Unread:
            return None
        if not received.values:
            return None
        series.append(received)
    gib = sum(each.average for each in series) / GIB * DAYS_OF_A_MONTH
    return prices.doubted(prices.monthly(view.target, "nat.gb", gib * share), Confidence.LOW)


@check(
    VpcEndpoint,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete the endpoint.",
    measures=(PROCESSED, CONNECTIONS),
    equivalent=("trusted-advisor:c2vlfg0jp6", "trusted-advisor:c2vlfg0k35"),
    cli=("aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {name} --region {region}",),
)
def vpc_interface_endpoint_idle(endpoint: VpcEndpoint, view: View, *, window_days: int = 14) -> Problems:
    """An interface or gateway load balancer endpoint has processed no bytes during the window.

    It is billed by the hour in each of its subnets. Endpoints publish nothing while nothing passes, so no
    datapoint at all means no traffic. Endpoints of type Gateway are free; those that AWS services made are
    theirs.
    """
    billed = endpoint.type in ("Interface", "GatewayLoadBalancer")
    young = endpoint.created > view.now - timedelta(days=window_days)
    if not billed or not endpoint.available or endpoint.managed or young:
        return
    (processed,) = view.measure(endpoint, PROCESSED, days=window_days)
    if any(processed.values):
        return
    if not processed.values:
        (connections,) = view.measure(endpoint, CONNECTIONS, days=window_days)
        if connections.values:
            detail = "connections were measured, but not the bytes that passed"
            raise Unread(Gap("vpc-interface-endpoint-idle", Blindness.NO_DATA, detail))
    count = len(endpoint.subnets)
    saving = prices.hourly(view.target, "vpce.az_hour", count) if count else None
    yield Problem(f"{endpoint.service}: no bytes in {window_days} days, in {count} subnets", saving=saving)
