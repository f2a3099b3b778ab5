"""What of an instance the internet really reaches."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from orgscan.check import Problems, View, check
from orgscan.model import Blindness, Category, Gap, Resource, Severity, Unread
from orgscan.network import (
    Opening,
    answers,
    lets_in,
    opens,
    routed_publicly,
    through_gateway,
)
from orgscan.services.ec2.checks.network import entries
from orgscan.services.ec2.checks.security_groups import HIGH_RISK, RDP, SSH
from orgscan.services.ec2.facts import Instance, NetworkInterface, PrefixList, RouteTable, SecurityGroup
from orgscan.services.ec2.facts_network import NetworkAcl

R = TypeVar("R", bound=Resource)
ADMIN_OR_DB: dict[str, list[int]] = {
    "tcp": sorted([SSH, RDP, *HIGH_RISK["tcp"]]),
    "udp": sorted([RDP, *HIGH_RISK["udp"]]),
}
CHECK = "ec2-instance-internet-exposed-admin-or-db-port"
IPV4, IPV6 = "0.0.0.0/0", "::/0"


@check(
    Instance,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Remove the rule that lets the world in, or the public address.",
    also=(NetworkInterface, RouteTable, SecurityGroup, NetworkAcl, PrefixList),
    equivalent=(
        "prowler:ec2_instance_port_ssh_exposed_to_internet",
        "prowler:ec2_instance_port_rdp_exposed_to_internet",
        "prowler:ec2_instance_port_cifs_exposed_to_internet",
        "prowler:ec2_instance_port_cassandra_exposed_to_internet",
        "prowler:ec2_instance_port_elasticsearch_kibana_exposed_to_internet",
        "prowler:ec2_instance_port_ftp_exposed_to_internet",
        "prowler:ec2_instance_port_kafka_exposed_to_internet",
        "prowler:ec2_instance_port_kerberos_exposed_to_internet",
        "prowler:ec2_instance_port_ldap_exposed_to_internet",
        "prowler:ec2_instance_port_memcached_exposed_to_internet",
        "prowler:ec2_instance_port_mongodb_exposed_to_internet",
        "prowler:ec2_instance_port_mysql_exposed_to_internet",
        "prowler:ec2_instance_port_oracle_exposed_to_internet",
        "prowler:ec2_instance_port_postgresql_exposed_to_internet",
        "prowler:ec2_instance_port_redis_exposed_to_internet",
        "prowler:ec2_instance_port_sqlserver_exposed_to_internet",
        "prowler:ec2_instance_port_telnet_exposed_to_internet",
    ),
    cli=(
        (
            "aws ec2 describe-security-group-rules --filters Name=group-id,Values='<group-id>' "
            "--query 'SecurityGroupRules[?!IsEgress].[SecurityGroupRuleId, IpProtocol, FromPort, "
            "ToPort, CidrIpv4, CidrIpv6, PrefixListId]' --region {region}"
        ),
        (
            "aws ec2 revoke-security-group-ingress --group-id '<group-id>' --security-group-rule-ids "
            "'<rule-id>' --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnSecurityGroup(
            self,
            "Group",
            group_description="<description>",
            vpc_id="<vpc-id>",
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port="<port>", to_port="<port>", cidr_ip="<known-cidr>"
                ),
            ],
        )
    """,
)
def ec2_instance_internet_exposed_admin_or_db_port(
    instance: Instance, view: View, *, high_risk_ports: Mapping[str, Sequence[int]] = ADMIN_OR_DB
) -> Problems:
    """The internet reaches an instance on an administration, database or clear-text port.

    Not only an open rule: a public address, a route to an internet gateway, a security group and the network
    ACL all let it in, and answers out. What the instance listens on is not known. Stopped instances are not
    reachable.
    """
    if instance.state in ("stopped", "stopping"):
        return
    unread = None
    for interface in view.related(NetworkInterface, "instance", instance.id):
        try:
            yield from _exposed(interface, view, high_risk_ports)
        except Unread as lost:
            unread = lost  # another interface may be exposed all the same
    if unread:
        raise unread


def _exposed(interface: NetworkInterface, view: View, ports: Mapping[str, Sequence[int]]) -> Iterator[str]:
    addresses = _public(interface)
    opened, unread = _opened(interface, view) if addresses else ([], None)
    if opened or unread:
        routes = _route_table(interface, view).routes
        reached = through_gateway(routes, partial(entries, view))
        ways = [(group, each) for group, each in opened if each.world in reached and each.world in addresses]
        for group, opening in ways:
            acl = _acl(interface, view)
            for what, entry in _passing(opening, acl, ports):
                yield (
                    f"{what} reachable at {addresses[opening.world]} from {opening} of {group}, "
                    f"{interface.subnet}, entry {entry} of {acl.id}"
                )
        if unread and any(world in reached for world in addresses):
            raise unread


def _public(interface: NetworkInterface) -> dict[str, str]:
    """World -> the addresses at which it can reach the interface."""
    found = {IPV4: interface.public_ips, IPV6: tuple(filter(routed_publicly, interface.ipv6))}
    return {world: ", ".join(those) for world, those in found.items() if those}


def _opened(interface: NetworkInterface, view: View) -> tuple[list[tuple[str, Opening]], Unread | None]:
    """What the groups let in, each with the group's id, and what could not be read of them."""
    found: list[tuple[str, Opening]] = []
    unread = None
    for id_ in interface.security_groups:
        try:
            seen = _seen(view.related(SecurityGroup, "id", id_), id_, interface)
            # One by one: what comes before something unread is certain.
            for opening in opens(seen.ingress, partial(entries, view)):
                found.append((id_, opening))  # noqa: PERF401
        except Unread as lost:
            unread = lost
    return found, unread


def _route_table(interface: NetworkInterface, view: View) -> RouteTable:
    """The subnet's own, or else the main one of the VPC."""
    own = view.related(RouteTable, "subnets", interface.subnet)
    main = [each for each in view.related(RouteTable, "vpc", interface.vpc) if each.main]
    return _seen([*own, *main], f"the route table of {interface.subnet}", interface)


def _acl(interface: NetworkInterface, view: View) -> NetworkAcl:
    seen = view.related(NetworkAcl, "subnets", interface.subnet)
    return _seen(seen, f"the network ACL of {interface.subnet}", interface)


def _seen(found: Sequence[R], what: str, interface: NetworkInterface) -> R:
    if not found:
        detail = f"{what} guards {interface.id}, but cannot be seen from this account"
        raise Unread(Gap(CHECK, Blindness.NO_DATA, detail))
    return found[0]


def _passing(
    opening: Opening, acl: NetworkAcl, ports: Mapping[str, Sequence[int]]
) -> Iterator[tuple[str, int]]:
    """Ports that rule and ACL let in, as 'tcp 22, 3389', each with the number of the entry that does."""
    for protocol, those in ports.items():
        open_by: dict[int, list[str]] = {}
        if answers(acl.egress, opening.world, protocol):
            for port in those:
                entry = lets_in(acl.ingress, opening.world, port, protocol)
                if entry and opening.rule.covers(port, protocol):
                    open_by.setdefault(entry.number, []).append(str(port))
        for number, passed in open_by.items():
            yield f"{protocol} {', '.join(passed)}", number
