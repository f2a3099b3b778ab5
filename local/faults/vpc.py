"""VPCs: what records, guards and shortens their ways; and what the internet reaches in them."""

from functools import partial
from typing import Any

from local import past
from local.faults.compute import run, stop
from local.faults.load import measure_endpoint
from local.faults.network import (
    ALL_PORTS,
    RDP,
    RISKY,
    UNUSED,
    address,
    closed_group,
    gateway,
    group,
    open_group,
    rule,
)
from local.place import Place, scenario, specified

EXPOSED = "ec2-instance-internet-exposed-admin-or-db-port"
FLOW_LOGS, ACL = "vpc-flow-logs-disabled", "ec2-network-acl-open-admin-ports"
ROOM, LOOSE = "ec2-subnet-free-ip-low", "ec2-eni-unattached"
SHORT_WAY, IDLE = "vpc-gateway-endpoint-missing", "vpc-interface-endpoint-idle"
WORLD = "0.0.0.0/0"
FIRST_ALLOWED = 100
"""The number of the entry with which AWS allows everything."""


def vpc(place: Place, what: str, *, recorded: bool = True) -> str:
    """A VPC's id; as the company wants them, unless its traffic shall not be `recorded`."""
    made = place.client("ec2").create_vpc(
        CidrBlock="10.20.0.0/16", TagSpecifications=specified("vpc", place.tags(place.name(what)))
    )["Vpc"]["VpcId"]
    past.empty_default_group(place.account.id, place.region, made)
    past.keep_vpcs(place.account.id, place.region, vpc=made)
    if not recorded:
        past.forget_traffic(place.account.id, place.region, made)
    return str(made)


def subnet(place: Place, what: str, *, of: str = "", bits: int = 24) -> str:
    """A subnet's id, in the default VPC or another."""
    number = place.book.number(f"subnet {place.account.id} {place.region}")
    cidr = f"10.20.{number}.0/{bits}" if of else f"172.31.{128 + number}.0/{bits}"
    made = place.client("ec2").create_subnet(
        VpcId=of or place.vpc,
        CidrBlock=cidr,
        AvailabilityZone=f"{place.region}a",
        TagSpecifications=specified("subnet", place.tags(place.name(what))),
    )
    return str(made["Subnet"]["SubnetId"])


def vpc_arn(place: Place, made: str) -> str:
    return place.arn("ec2", f"vpc/{made}")


@scenario(copies=2)
def vpc_without_flow_log(place: Place) -> None:
    made = vpc(place, "poc", recorded=False)
    place.fails(
        FLOW_LOGS,
        resource=vpc_arn(place, made),
        mend=partial(past.record_traffic, place.account.id, place.region, made),
        remove=lambda: place.client("ec2").delete_vpc(VpcId=made),
    )


@scenario()
def vpc_whose_flow_log_fails(place: Place) -> None:
    made = vpc(place, "unheard", recorded=False)
    past.record_traffic(place.account.id, place.region, made, delivered=False)
    place.fails(FLOW_LOGS, resource=vpc_arn(place, made))


@scenario()
def vpc_recorded_subnet_by_subnet(place: Place) -> None:
    made = vpc(place, "by-subnet", recorded=False)
    past.record_traffic(place.account.id, place.region, subnet(place, "recorded", of=made))
    place.looks_like(FLOW_LOGS, resource=vpc_arn(place, made))


@scenario(copies=2)
def default_acl_as_aws_makes_it(place: Place) -> None:
    """Everywhere else the baseline took SSH and RDP away."""
    ec2 = place.client("ec2")
    ask = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "default", "Values": ["true"]}]
    (acl,) = ec2.describe_network_acls(Filters=ask)["NetworkAcls"]
    made = acl["NetworkAclId"]
    denied = [each["RuleNumber"] for each in acl["Entries"] if each["RuleNumber"] < FIRST_ALLOWED]
    for number in denied:
        ec2.delete_network_acl_entry(NetworkAclId=made, RuleNumber=number, Egress=False)
    if denied:  # or it was planted before, in an organization of few places
        place.fails(
            ACL,
            resource=place.arn("ec2", f"network-acl/{made}"),
            mend=partial(past.close_admin_ports, place.account.id, place.region, made),
        )


def acl(place: Place, what: str, *entries: dict[str, Any]) -> tuple[str, str]:
    """A network ACL's id and ARN, with inbound entries in this order, all of them TCP."""
    ec2 = place.client("ec2")
    tags = specified("network-acl", place.tags(place.name(what)))
    made = ec2.create_network_acl(VpcId=place.vpc, TagSpecifications=tags)["NetworkAcl"]["NetworkAclId"]
    for number, entry in enumerate(entries, start=1):
        ec2.create_network_acl_entry(
            NetworkAclId=made, RuleNumber=10 * number, Protocol="6", Egress=False, **entry
        )
    return made, place.arn("ec2", f"network-acl/{made}")


def entry(action: str, first: int, last: int, cidr: str = WORLD) -> dict[str, Any]:
    source = {"Ipv6CidrBlock": cidr} if ":" in cidr else {"CidrBlock": cidr}
    return {"RuleAction": action, "PortRange": {"From": first, "To": last}, **source}


@scenario()
def acl_that_denies_too_late(place: Place) -> None:
    made, arn = acl(place, "late", entry("allow", 0, 65535, "::/0"), entry("deny", 22, 22, "::/0"))
    place.fails(ACL, resource=arn, remove=lambda: place.client("ec2").delete_network_acl(NetworkAclId=made))


@scenario()
def acl_that_denies_first(place: Place) -> None:
    _, arn = acl(place, "guarded", entry("deny", 22, 22), entry("deny", 3389, 3389), entry("allow", 0, 65535))
    place.looks_like(ACL, resource=arn)


@scenario(copies=2)
def subnet_nearly_full(place: Place) -> None:
    made = subnet(place, "pods")
    past.fill_subnet(place.account.id, place.region, made, free=20)
    place.fails(
        ROOM,
        resource=place.arn("ec2", f"subnet/{made}"),
        mend=partial(past.fill_subnet, place.account.id, place.region, made, free=200),
        remove=lambda: place.client("ec2").delete_subnet(SubnetId=made),
    )


@scenario()
def small_subnet_with_room(place: Place) -> None:
    """It never had sixteen addresses to give."""
    made = subnet(place, "attachments", bits=28)
    place.looks_like(ROOM, resource=place.arn("ec2", f"subnet/{made}"))


def way_out(place: Place, what: str) -> tuple[str, str]:
    """A VPC with a NAT gateway. Returns its id and that of the private route table."""
    ec2 = place.client("ec2")
    made = vpc(place, what)
    allocation, _ = address(place, what)
    nat, _ = gateway(
        place,
        what,
        days=60,
        mib_a_day=9000,
        allocation=allocation,
        subnet=subnet(place, f"{what}-a", of=made),
    )
    table = ec2.create_route_table(VpcId=made)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, NatGatewayId=nat)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet(place, f"{what}-b", of=made))
    return made, table


def gateway_endpoint(place: Place, made: str, table: str) -> None:
    place.client("ec2").create_vpc_endpoint(
        VpcId=made,
        ServiceName=f"com.amazonaws.{place.region}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[table],
        TagSpecifications=specified("vpc-endpoint", place.tags(place.name("s3"))),
    )


@scenario()
def objects_through_a_nat_gateway(place: Place) -> None:
    made, table = way_out(place, "data-lake")
    place.fails(
        SHORT_WAY,
        resource=vpc_arn(place, made),
        mend=partial(gateway_endpoint, place, made, table),
    )


@scenario()
def objects_through_a_gateway_endpoint(place: Place) -> None:
    made, table = way_out(place, "analytics")
    gateway_endpoint(place, made, table)
    place.looks_like(SHORT_WAY, resource=vpc_arn(place, made))


def endpoint(place: Place, service: str, *, days: float, mib_a_day: float = 0) -> tuple[str, str]:
    """An interface endpoint's id and ARN."""
    name = f"com.amazonaws.{place.region}.{service}"
    made = place.client("ec2").create_vpc_endpoint(
        VpcId=place.vpc,
        ServiceName=name,
        VpcEndpointType="Interface",
        SubnetIds=[place.subnet],
        TagSpecifications=specified("vpc-endpoint", place.tags(place.name(service))),
    )["VpcEndpoint"]
    id_ = made["VpcEndpointId"]
    past.hand_over(place.account.id, place.region, made["NetworkInterfaceIds"])
    past.age_vpc_endpoint(place.account.id, place.region, id_, days=days)
    if mib_a_day:
        measure_endpoint(place, id_, name, mib_a_day=mib_a_day)
    return id_, place.arn("ec2", f"vpc-endpoint/{id_}")


@scenario(copies=2)
def idle_endpoint(place: Place) -> None:
    made, arn = endpoint(place, "kinesis-streams", days=90)
    place.fails(
        IDLE,
        resource=arn,
        remove=lambda: place.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made]),
    )


@scenario()
def busy_endpoint(place: Place) -> None:
    _, arn = endpoint(place, "ssm", days=90, mib_a_day=40)
    place.looks_like(IDLE, resource=arn)


@scenario()
def endpoint_of_the_day_before_yesterday(place: Place) -> None:
    _, arn = endpoint(place, "logs", days=2)
    place.looks_like(IDLE, resource=arn)


def interface(place: Place, description: str) -> tuple[str, str]:
    """An unattached network interface's id and ARN."""
    made = place.client("ec2").create_network_interface(SubnetId=place.subnet, Description=description)
    id_ = made["NetworkInterface"]["NetworkInterfaceId"]
    return id_, place.arn("ec2", f"network-interface/{id_}")


@scenario(copies=2)
def forgotten_interface(place: Place) -> None:
    made, arn = interface(place, "second leg of the old firewall")
    place.fails(
        LOOSE,
        resource=arn,
        remove=lambda: place.client("ec2").delete_network_interface(NetworkInterfaceId=made),
    )


@scenario()
def forgotten_interface_with_an_address(place: Place) -> None:
    made, arn = interface(place, "floating")
    allocation, eip = address(place, "floating")
    place.client("ec2").associate_address(AllocationId=allocation, NetworkInterfaceId=made)
    place.fails(LOOSE, resource=arn)
    place.looks_like("ec2-eip-unassociated", resource=eip)


@scenario()
def interface_of_a_load_balancer(place: Place) -> None:
    _, arn = interface(place, "ELB app/shop/0123456789abcdef")
    place.looks_like(LOOSE, resource=arn)


@scenario(copies=2)
def rdp_open_to_the_world(place: Place) -> None:
    open_group(place, "desktop", rule(WORLD, ports=(3389, 3389)), checks=(RDP,))


@scenario()
def rdp_open_over_udp(place: Place) -> None:
    udp = rule("::/0", ports=(3389, 3389), protocol="udp")
    open_group(place, "desktop-udp", udp, checks=(RDP,))


@scenario()
def ports_around_rdp_open_to_the_world(place: Place) -> None:
    around = rule(WORLD, ports=(3388, 3388)), rule(WORLD, ports=(3390, 3400))
    closed_group(place, "around-rdp", *around, like=(RDP,))


@scenario()
def every_udp_port_open_to_the_world(place: Place) -> None:
    udp = rule(WORLD, ports=(1, 65535), protocol="udp")
    open_group(place, "game", udp, checks=(RDP, ALL_PORTS))


@scenario()
def ping_open_to_the_world(place: Place) -> None:
    ping = rule(WORLD, protocol="icmp", ports=(-1, -1))
    closed_group(place, "ping", ping, like=(ALL_PORTS, RISKY))


@scenario(copies=2)
def search_open_to_the_world(place: Place) -> None:
    open_group(place, "search", rule(WORLD, ports=(9200, 9200)), checks=(RISKY,))


@scenario()
def group_of_a_launch_template(place: Place) -> None:
    """Nothing runs at the moment."""
    made, arn = group(place, "burst", rule("10.0.0.0/8", ports=(443, 443)), used=True)
    place.client("ec2").create_launch_template(
        LaunchTemplateName=place.name("burst"),
        LaunchTemplateData={"SecurityGroupIds": [made]},
        TagSpecifications=specified("launch-template", place.tags("burst")),
    )
    place.looks_like(UNUSED, resource=arn)


def public_subnet(place: Place, what: str) -> str:
    """A subnet of the default VPC with a route to the internet, whose instances get public addresses."""
    ec2 = place.client("ec2")
    made = subnet(place, what)
    ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
    ask = [{"Name": "attachment.vpc-id", "Values": [place.vpc]}]
    there = ec2.describe_internet_gateways(Filters=ask)["InternetGateways"]
    if there:
        internet = there[0]["InternetGatewayId"]
    else:
        internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=place.vpc)
    table = ec2.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=internet)
    ec2.associate_route_table(RouteTableId=table, SubnetId=made)
    return made


def open_database(place: Place, what: str, *, at: str = "") -> Any:
    """An instance whose group lets the world in to PostgreSQL."""
    made, arn = group(place, what, rule(WORLD, ports=(5432, 5432)), used=True)
    place.fails(RISKY, resource=arn)
    return run(place, what, groups=(made,), subnet=at)


@scenario(copies=2)
def database_on_the_internet(place: Place) -> None:
    instance = open_database(place, "postgres", at=public_subnet(place, "postgres"))
    place.fails(
        EXPOSED,
        resource=instance.arn,
        mend=lambda: place.client("ec2").stop_instances(InstanceIds=[instance.id]),
    )


@scenario()
def open_database_without_a_way_from_the_internet(place: Place) -> None:
    """It has a public address, which nothing routes to."""
    instance = open_database(place, "postgres-inside")
    place.looks_like(EXPOSED, resource=instance.arn)


@scenario()
def stopped_database_on_the_internet(place: Place) -> None:
    instance = open_database(place, "postgres-paused", at=public_subnet(place, "postgres-paused"))
    stop(place, instance, days=2)
    place.looks_like(EXPOSED, resource=instance.arn)


@scenario()
def database_behind_an_acl(place: Place) -> None:
    ec2, at = place.client("ec2"), public_subnet(place, "postgres-guarded")
    guard, _ = acl(place, "postgres-guarded", entry("deny", 5432, 5432), entry("allow", 1024, 3000))
    ask = [{"Name": "association.subnet-id", "Values": [at]}]
    (now,) = ec2.describe_network_acls(Filters=ask)["NetworkAcls"]
    (association,) = (each for each in now["Associations"] if each["SubnetId"] == at)
    ec2.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=guard
    )
    instance = open_database(place, "postgres-guarded", at=at)
    place.looks_like(EXPOSED, resource=instance.arn)
