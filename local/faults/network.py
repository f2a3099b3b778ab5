"""Security groups, addresses and NAT gateways."""

from functools import cache
from typing import Any

from local import past
from local.faults.compute import run, stop
from local.faults.load import measure_gateway
from local.place import Act, Place, scenario, specified

SSH, RDP = "ec2-security-group-open-ssh", "ec2-security-group-open-rdp"
ALL_PORTS = "ec2-security-group-open-all-ports"
RISKY, UNUSED = "ec2-security-group-open-high-risk-port", "ec2-security-group-unused"


def rule(*sources: str, ports: tuple[int, int] | None = (22, 22), protocol: str = "tcp") -> dict[str, Any]:
    """Sources are CIDRs, prefix lists ('pl-') or groups ('sg-')."""
    bounds = {"FromPort": ports[0], "ToPort": ports[1]} if ports else {}
    return {
        "IpProtocol": protocol,
        **bounds,
        "IpRanges": [{"CidrIp": each} for each in sources if "." in each],
        "Ipv6Ranges": [{"CidrIpv6": each} for each in sources if ":" in each],
        "PrefixListIds": [{"PrefixListId": each} for each in sources if each.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": each} for each in sources if each.startswith("sg-")],
    }


def group(place: Place, what: str, *ingress: dict[str, Any], used: bool = False) -> tuple[str, str]:
    """A security group's id and ARN. `used`: something will be in it or name it."""
    made, arn, remove = _group(place, what, *ingress)
    if not used:
        place.fails(UNUSED, resource=arn, remove=remove)
    return made, arn


def _group(place: Place, what: str, *ingress: dict[str, Any]) -> tuple[str, str, Act]:
    """With the way to delete it, which several faults can take together."""
    ec2, name = place.client("ec2"), place.name(what)
    made = ec2.create_security_group(
        GroupName=name,
        Description="planted",
        VpcId=place.vpc,
        TagSpecifications=specified("security-group", place.tags(name)),
    )["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(ingress))
    remove = cache(lambda: ec2.delete_security_group(GroupId=made))
    return made, place.arn("ec2", f"security-group/{made}"), remove


def open_group(place: Place, what: str, *ingress: dict[str, Any], checks: tuple[str, ...] = (SSH,)) -> str:
    """A group that lets in what it should not, and that nothing uses. Returns its id."""
    made, arn, remove = _group(place, what, *ingress)
    ec2 = place.client("ec2")

    def mend() -> None:
        ec2.revoke_security_group_ingress(GroupId=made, IpPermissions=list(ingress))

    place.fails(UNUSED, resource=arn, remove=remove)
    # What would cure several at once cures none alone.
    place.fails(*checks, resource=arn, mend=mend if len(checks) == 1 else None, remove=remove)
    return made


def closed_group(place: Place, what: str, *ingress: dict[str, Any], like: tuple[str, ...] = (SSH,)) -> str:
    """A group that only seems to let something in. Returns its ARN."""
    _, arn = group(place, what, *ingress)
    place.looks_like(*like, resource=arn)
    return arn


def prefix_list(place: Place, what: str, *cidrs: str) -> str:
    made = place.client("ec2").create_managed_prefix_list(
        PrefixListName=place.name(what),
        AddressFamily="IPv4",
        MaxEntries=len(cidrs),
        Entries=[{"Cidr": cidr} for cidr in cidrs],
    )
    return str(made["PrefixList"]["PrefixListId"])


def address(place: Place, what: str) -> tuple[str, str]:
    """An elastic address's allocation id and ARN."""
    tags = place.tags(place.name(what))
    made = place.client("ec2").allocate_address(
        Domain="vpc", TagSpecifications=specified("elastic-ip", tags)
    )["AllocationId"]
    return made, place.arn("ec2", f"elastic-ip/{made}")


def gateway(
    place: Place, what: str, *, days: float, mib_a_day: float, allocation: str = "", subnet: str = ""
) -> tuple[str, str]:
    """A NAT gateway's id and ARN; private unless it gets an address."""
    public = {"AllocationId": allocation} if allocation else {}
    made = place.client("ec2").create_nat_gateway(
        SubnetId=subnet or place.subnet,
        ConnectivityType="public" if allocation else "private",
        TagSpecifications=specified("natgateway", place.tags(place.name(what))),
        **public,
    )["NatGateway"]
    id_ = made["NatGatewayId"]
    interfaces = [each["NetworkInterfaceId"] for each in made["NatGatewayAddresses"]]
    past.hand_over(place.account.id, place.region, interfaces)
    past.age_nat_gateway(place.account.id, place.region, id_, days=days)
    measure_gateway(place, id_, mib_a_day=mib_a_day)
    return id_, place.arn("ec2", f"natgateway/{id_}")


@scenario(copies=3)
def ssh_open_to_the_world(place: Place) -> None:
    open_group(place, "bastion", rule("0.0.0.0/0"), rule("0.0.0.0/0", ports=(443, 443)))


@scenario()
def ssh_open_to_the_ipv6_world(place: Place) -> None:
    open_group(place, "ipv6", rule("::/0"))


@scenario()
def everything_open_to_the_world(place: Place) -> None:
    everything = rule("0.0.0.0/0", protocol="-1", ports=None)
    open_group(place, "temporary", everything, checks=(SSH, RDP, ALL_PORTS))


@scenario()
def ssh_open_to_both_halves_of_the_world(place: Place) -> None:
    open_group(place, "halves", rule("0.0.0.0/1", "128.0.0.0/1"))


@scenario()
def low_ports_open_on_an_instance(place: Place) -> None:
    """In a network without a way from the internet."""
    made, arn = group(place, "appliance", rule("0.0.0.0/0", ports=(0, 1024)), used=True)
    place.fails(SSH, RISKY, resource=arn)
    run(place, "appliance", groups=(made,))


@scenario()
def ssh_open_through_a_prefix_list(place: Place) -> None:
    everyone = prefix_list(place, "partners", "10.0.0.0/8", "0.0.0.0/0")
    open_group(place, "partners", rule(everyone))


@scenario()
def ssh_open_in_a_group_with_a_hostile_name(place: Place) -> None:
    open_group(place, "=HYPERLINK(http://evil.example)", rule("0.0.0.0/0"))


@scenario(copies=2)
def ssh_open_to_the_company(place: Place) -> None:
    closed_group(place, "internal", rule("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@scenario()
def ssh_open_to_a_prefix_list_of_offices(place: Place) -> None:
    offices = prefix_list(place, "offices", "198.51.100.0/24", "203.0.113.0/24")
    closed_group(place, "offices", rule(offices))


@scenario(copies=2)
def https_open_to_the_world(place: Place) -> None:
    closed_group(place, "web", rule("0.0.0.0/0", "::/0", ports=(443, 443)))


@scenario()
def ports_around_ssh_open_to_the_world(place: Place) -> None:
    low, high = rule("0.0.0.0/0", ports=(0, 21)), rule("0.0.0.0/0", ports=(23, 1024))
    place.fails(RISKY, resource=closed_group(place, "around", low, high))


@scenario()
def port_22_open_for_other_protocols(place: Place) -> None:
    ping = rule("0.0.0.0/0", protocol="icmp", ports=(-1, -1))
    closed_group(place, "other-protocols", rule("0.0.0.0/0", protocol="udp"), ping)


@scenario()
def ssh_open_to_half_of_the_world(place: Place) -> None:
    closed_group(place, "half", rule("0.0.0.0/1"))


@scenario()
def ssh_open_to_another_group(place: Place) -> None:
    jump, arn = group(place, "jump", rule("203.0.113.7/32"), used=True)
    place.looks_like(UNUSED, resource=arn)
    closed_group(place, "behind-jump", rule(jump))


@scenario(copies=3)
def default_group_with_rules(place: Place) -> None:
    """As AWS makes it; everywhere else the baseline took the rules away."""
    ec2 = place.client("ec2")
    ask = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=ask)["SecurityGroups"]
    if default["IpPermissionsEgress"]:
        return  # planted before, in an organization of few places
    made, outward = default["GroupId"], [rule("0.0.0.0/0", protocol="-1", ports=None)]
    ec2.authorize_security_group_egress(GroupId=made, IpPermissions=outward)
    place.fails(
        "ec2-security-group-default-allows-traffic",
        resource=place.arn("ec2", f"security-group/{made}"),
        mend=lambda: ec2.revoke_security_group_egress(GroupId=made, IpPermissions=outward),
    )


@scenario(copies=3)
def forgotten_address(place: Place) -> None:
    made, arn = address(place, "old-frontend")
    place.fails(
        "ec2-eip-unassociated",
        resource=arn,
        remove=lambda: place.client("ec2").release_address(AllocationId=made),
    )


@scenario()
def address_of_an_instance(place: Place) -> None:
    made, arn = address(place, "frontend")
    instance = run(place, "frontend")
    place.client("ec2").associate_address(AllocationId=made, InstanceId=instance.id)
    place.looks_like("ec2-eip-unassociated", resource=arn)


@scenario()
def address_of_a_stopped_instance(place: Place) -> None:
    """Not lost, though it costs."""
    made, arn = address(place, "paused")
    instance = run(place, "paused")
    place.client("ec2").associate_address(AllocationId=made, InstanceId=instance.id)
    stop(place, instance, days=3)
    place.looks_like("ec2-eip-unassociated", resource=arn)


@scenario(copies=2)
def idle_gateway(place: Place) -> None:
    made, arn = gateway(place, "old-network", days=60, mib_a_day=0)
    place.fails(
        "ec2-nat-gateway-idle",
        resource=arn,
        remove=lambda: place.client("ec2").delete_nat_gateway(NatGatewayId=made),
    )


@scenario()
def busy_gateway(place: Place) -> None:
    allocation, eip = address(place, "egress")
    _, arn = gateway(place, "egress", days=60, mib_a_day=800, allocation=allocation)
    place.looks_like("ec2-nat-gateway-idle", resource=arn)
    place.looks_like("ec2-eip-unassociated", resource=eip)


@scenario()
def gateway_of_the_day_before_yesterday(place: Place) -> None:
    _, arn = gateway(place, "new-network", days=2, mib_a_day=0)
    place.looks_like("ec2-nat-gateway-idle", resource=arn)
