"""What we expect of security groups."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Gap, Resource, Severity, known
from orgscan.network import Rule, openings, opens
from orgscan.services.ec2.checks.network import entries, in_use
from orgscan.services.ec2.facts import LaunchTemplateVersion, NetworkInterface, PrefixList, SecurityGroup
from orgscan.services.elb.facts import LoadBalancer
from orgscan.services.rds.facts import DBInstance

SSH, RDP = 22, 3389
CIS = (
    "CIS AWS 3.0 5.2",
    "CIS AWS 3.0 5.3",
    "CIS AWS 5.0 5.3",
    "CIS AWS 5.0 5.4",
    "CIS AWS 6.0 6.3",
    "CIS AWS 6.0 6.4",
    "CIS AWS 7.0 6.3",
    "CIS AWS 7.0 6.4",
)
HIGH_RISK: dict[str, list[int]] = {
    "tcp": [
        *(20, 21, 23, 110, 111, 135, 137, 138, 139, 143, 389, 445, 636, 873, 1433, 1434, 1521, 2049, 2375),
        *(2376, 2379, 2483, 3000, 3306, 4333, 5000, 5432, 5500, 5601, 5900, 5985, 6379, 7199, 8020, 8080),
        *(8088, 8888, 9042, 9092, 9160, 9200, 9300, 10250, 11211, 27017, 27018, 50070),
    ],
    "udp": [111, 137, 138, 161, 389, 1434, 11211],
}
"""Protocol -> ports of databases, caches, file shares, consoles and clear-text logins."""
SERVICE_NAMES = re.compile(
    "eks-cluster-sg-|ElasticMapReduce-|GuardDutyManagedSecurityGroup-|security-group-for-(in|out)bound-nfs-d-"
    "|d-[0-9a-f]{10}_controllers"
)
"""How groups are called that AWS services make, and miss when they are gone."""
SERVICE_TAGS = ("aws:eks:", "aws:elasticmapreduce:", "GuardDutyManaged", "ManagedByAmazonSageMakerResource")
USERS: tuple[tuple[type[Resource], str], ...] = (
    (NetworkInterface, "security_groups"),
    (LaunchTemplateVersion, "security_groups"),
    (DBInstance, "security_groups"),
    (LoadBalancer, "security_groups"),
)
"""Kinds that name security groups, and the fact in which they do. Some have no interface at the moment."""
SHOW_RULES = (
    "aws ec2 describe-security-group-rules --filters Name=group-id,Values={name} --region {region} "
    "--query 'SecurityGroupRules[].[SecurityGroupRuleId, IsEgress, IpProtocol, FromPort, ToPort, CidrIpv4, "
    "CidrIpv6, PrefixListId]'"
)


def narrowed(port: int | str) -> tuple[str, ...]:
    """Commands that let known addresses in to a port, and then the world no longer."""
    return (
        (
            "aws ec2 authorize-security-group-ingress --group-id {name} --region {region} --ip-permissions "
            f"""'[{{"IpProtocol": "tcp", "FromPort": {port}, "ToPort": {port}, """
            """"IpRanges": [{"CidrIp": "<known-cidr>"}]}]'"""
        ),
        SHOW_RULES,
        (
            "aws ec2 revoke-security-group-ingress --group-id {name} --security-group-rule-ids '<rule-id>' "
            "--region {region}"
        ),
    )


def known_only(port: int | str) -> str:
    """The same in a template."""
    return f"""
        ec2.CfnSecurityGroup(
            self,
            "Group",
            group_description="<description>",
            vpc_id="<vpc-id>",
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port={port}, to_port={port}, cidr_ip="<known-cidr>"
                ),
            ],
        )
    """


@check(
    SecurityGroup,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Limit the rule to known addresses, or close the port and use Session Manager.",
    also=(NetworkInterface, PrefixList),
    maps=(*CIS, "FSBP EC2.13"),
    equivalent=(
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
        "trusted-advisor:HCP4007jGY",
    ),
    cli=narrowed(SSH),
    cdk=known_only(SSH),
)
def ec2_security_group_open_ssh(
    group: SecurityGroup, view: View, *, skip_unattached: bool = False
) -> Problems:
    """Inbound TCP 22 is open to the world.

    An open SSH port is found within minutes, and attacked from then on. Medium while no network interface
    uses the group.
    """
    found = openings(group.ingress, SSH, partial(entries, view))
    yield from _by_use(group, view, (f"port {SSH} is open to {each}" for each in found), skip_unattached)


@check(
    SecurityGroup,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Limit the rule to known addresses, or close the port and use Fleet Manager.",
    also=(NetworkInterface, PrefixList),
    maps=(*CIS, "FSBP EC2.14"),
    equivalent=(
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389",
        "trusted-advisor:HCP4007jGY",
    ),
    cli=narrowed(RDP),
    cdk=known_only(RDP),
)
def ec2_security_group_open_rdp(
    group: SecurityGroup, view: View, *, skip_unattached: bool = False
) -> Problems:
    """Inbound TCP or UDP 3389 is open to the world.

    Remote Desktop is what ransomware comes in through most often. It speaks UDP too. Medium while no network
    interface uses the group.
    """
    rules = [rule for rule in group.ingress if rule.covers(RDP, "tcp") or rule.covers(RDP, "udp")]
    found = opens(rules, partial(entries, view))
    yield from _by_use(group, view, (f"port {RDP} is open to {each}" for each in found), skip_unattached)


def _by_use(
    group: SecurityGroup,
    view: View,
    faults: Iterable[str],
    skip_unattached: bool,  # noqa: FBT001
) -> Problems:
    used: bool | Gap = True
    for fault in faults:
        used = in_use(group, view)
        if skip_unattached and used is not True:
            continue
        if used is False:
            yield Problem(f"{fault}; no network interface uses the group", severity=Severity.MEDIUM)
        else:
            yield fault
    known(used)


@check(
    SecurityGroup,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Replace the rule by rules for the ports that are needed.",
    also=(PrefixList,),
    maps=(*CIS, "FSBP EC2.18"),
    equivalent=(
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_all_ports",
        "trusted-advisor:1iG5NDGVre",
    ),
    cli=narrowed("<port>"),
    cdk=known_only('"<port>"'),
)
def ec2_security_group_open_all_ports(group: SecurityGroup, view: View) -> Problems:
    """Every inbound port is open to the world.

    The group protects nothing: whatever listens is reachable, also what is installed tomorrow. All of TCP
    or all of UDP is enough, in one rule.
    """
    for opening in opens((rule for rule in group.ingress if rule.every_port), partial(entries, view)):
        yield f"every port is open to {opening}"


@check(
    SecurityGroup,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Limit the rule to known networks or to the groups that need the service.",
    also=(PrefixList,),
    maps=("FSBP EC2.19",),
    equivalent=(
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_high_risk_tcp_ports",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_cassandra_7199_9160_8888",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_elasticsearch_kibana_9200_9300_5601",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_ftp_20_21",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_kafka_9092",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_memcached_11211",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mongodb_27017_27018",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_oracle_1521_2483",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_redis_6379",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_sql_server_1433_1434",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_telnet_23",
        "trusted-advisor:HCP4007jGY",
    ),
    cli=narrowed("<port>"),
    cdk=known_only('"<port>"'),
)
def ec2_security_group_open_high_risk_port(
    group: SecurityGroup, view: View, *, high_risk_ports: Mapping[str, Sequence[int]] = HIGH_RISK
) -> Problems:
    """A database, file sharing, cache, admin or clear-text service port is open to the world.

    Such services are made for trusted networks, and are scanned for all the time. Wide ranges count, with the
    ports that hide in them. SSH, RDP and rules that open every port have checks of their own.
    """
    risky = {
        rule: ports
        for rule in group.ingress
        if not rule.every_port and (ports := _within(rule, high_risk_ports))
    }
    for opening in opens(risky, partial(entries, view)):
        yield f"{risky[opening.rule]} open to {opening}"


def _within(rule: Rule, ports: Mapping[str, Sequence[int]]) -> str:
    """'tcp 3306', 'tcp 20, 21, 23, udp 111'; '' for none."""
    covered = {
        protocol: [str(port) for port in those if port not in (SSH, RDP) and rule.covers(port, protocol)]
        for protocol, those in ports.items()
    }
    return ", ".join(f"{protocol} {', '.join(those)}" for protocol, those in covered.items() if those)


@check(
    SecurityGroup,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Remove all its rules, and give what uses it a group of its own.",
    also=(NetworkInterface,),
    maps=("CIS AWS 3.0 5.4", "CIS AWS 5.0 5.5", "CIS AWS 6.0 6.5", "CIS AWS 7.0 6.5", "FSBP EC2.2"),
    equivalent=("prowler:ec2_securitygroup_default_restrict_traffic",),
    cli=(
        SHOW_RULES,
        (
            "aws ec2 revoke-security-group-ingress --group-id {name} --security-group-rule-ids '<rule-id>' "
            "--region {region}"
        ),
        (
            "aws ec2 revoke-security-group-egress --group-id {name} --security-group-rule-ids '<rule-id>' "
            "--region {region}"
        ),
    ),
    cdk='ec2.Vpc(self, "Vpc", restrict_default_security_group=True)',
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
    SecurityGroup,
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    fix="Delete the group.",
    also=(SecurityGroup, *(kind for kind, _ in USERS)),
    equivalent=("prowler:ec2_securitygroup_not_used",),
    cli=("aws ec2 delete-security-group --group-id {name} --region {region}",),
)
def ec2_security_group_unused(group: SecurityGroup, view: View) -> Problems:
    """A security group is attached to nothing, and nothing refers to it.

    Its rules wait for somebody to pick it by mistake. Used is also what rules of another group name, and what
    launch templates, databases and load balancers name though they have no network interface at the moment.
    Default groups cannot be deleted; those that AWS services made are theirs.
    """
    if group.name == "default" or group.owner != view.target.account or _of_a_service(group, view):
        return
    if not any(_users(group, view)):
        yield "no network interface uses it, and nothing names it"


def _users(group: SecurityGroup, view: View) -> Iterator[bool]:
    """Launch templates may name a group of the default VPC by its name."""
    for kind, attribute in USERS:
        yield bool(view.related(kind, attribute, group.id))
    yield bool(view.related(LaunchTemplateVersion, "security_groups", group.name))
    yield any(other.id != group.id for other in view.related(SecurityGroup, "names", group.id))


def _of_a_service(group: SecurityGroup, view: View) -> bool:
    return bool(SERVICE_NAMES.match(group.name)) or any(
        key.startswith(SERVICE_TAGS) for key in view.tags(group)
    )
