"""What the collectors of load balancers see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.elb.collect import elbv2_load_balancers, elbv2_target_groups, elbv2_tls_policies
from orgscan.services.elb.facts import Action, Listener, TargetGroup, TlsPolicy
from orgscan.session import Clients
from tests.answers import answer, refuse

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
BORN = datetime(2026, 1, 2, tzinfo=UTC)
TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}
HTTPS = Action("redirect", "HTTPS", "443")


def make(aws: boto3.Session, **more: Any) -> tuple[str, str]:
    """A load balancer's ARN, and that of a target group."""
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    balancer = elb.create_load_balancer(
        Name="shop", Subnets=[each["SubnetId"] for each in subnets], **{"Type": "application", **more}
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="web", TargetType="ip", Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"]
    )["TargetGroups"][0]["TargetGroupArn"]
    return balancer, group


def test_all_facts_of_a_load_balancer(aws: boto3.Session, clients: Clients, target: Target) -> None:
    balancer, group = make(aws, SecurityGroups=["sg-1"])
    elb = aws.client("elbv2")
    forward: Any = [{"Type": "forward", "TargetGroupArn": group}]
    redirect: Any = [TO_HTTPS]
    listen: dict[str, Any] = {"LoadBalancerArn": balancer, "Protocol": "HTTP"}
    elb.create_listener(Port=80, DefaultActions=forward, **listen)
    quiet = elb.create_listener(Port=8080, DefaultActions=redirect, **listen)["Listeners"][0]["ListenerArn"]
    elb.create_listener(
        Port=443,
        DefaultActions=forward,
        SslPolicy="ELBSecurityPolicy-2016-08",
        **{**listen, "Protocol": "HTTPS"},
    )
    for priority, actions in ((10, forward), (20, redirect)):
        elb.create_rule(
            ListenerArn=quiet,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
            Actions=actions,
        )
    (found,) = elbv2_load_balancers.read(clients, target)
    assert (found.arn, found.name, found.type) == (balancer, "shop", "application")
    assert (found.internal, found.state, found.addresses) == (False, "active", 2)
    assert (found.security_groups, found.tags) == (("sg-1",), None)
    assert found.created.tzinfo
    assert found.dimensions == {"LoadBalancer": balancer.partition(":loadbalancer/")[2]}
    assert found.dimensions["LoadBalancer"].startswith("app/shop/")
    assert found.listeners == (
        Listener(protocol="HTTP", port=80, actions=(Action("forward"),), forwarding=None, tls_policy=None),
        Listener(protocol="HTTP", port=8080, actions=(HTTPS,), forwarding=("10",), tls_policy=None),
        Listener(
            protocol="HTTPS",
            port=443,
            actions=(Action("forward"),),
            forwarding=None,
            tls_policy="ELBSecurityPolicy-2016-08",
        ),
    )


def listed(name: str, **more: Any) -> dict[str, Any]:
    return {
        "LoadBalancerArn": f"{ELB}:loadbalancer/net/{name}/1",
        "LoadBalancerName": name,
        "Type": "network",
        "Scheme": "internet-facing",
        "State": {"Code": "active"},
        "CreatedTime": BORN,
        "AvailabilityZones": [{}, {}, {}],
        **more,
    }


def test_load_balancers_of_two_pages_and_an_odd_one(clients: Clients, target: Target) -> None:
    answer(
        clients,
        target,
        "elbv2:DescribeLoadBalancers",
        {"LoadBalancers": [listed("one"), listed("odd", State={})], "NextMarker": "more"},
        {"LoadBalancers": [listed("two")]},
    )
    lost: list[Gap] = []
    found = list(elbv2_load_balancers.read(clients, target, spoil=lost.append))
    # moto knows none of them: they were deleted since they were listed.
    assert [(each.name, each.listeners, each.created) for each in found] == [
        ("one", None, BORN),
        ("two", None, BORN),
    ]
    assert [gap.reason for gap in lost] == [Blindness.FAULT]


def test_what_public_addresses_a_load_balancer_has(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    def addresses(**more: Any) -> int:
        clients = Clients(aws, guarded=True)
        answer(clients, target, "elbv2:DescribeLoadBalancers", {"LoadBalancers": [listed("one", **more)]})
        (found,) = elbv2_load_balancers.read(clients, target)
        return found.addresses

    assert addresses() == 3
    assert addresses(IpAddressType="dualstack") == 3
    assert addresses(IpAddressType="dualstack-without-public-ipv4") == 0
    assert addresses(Scheme="internal") == 0
    gateway = listed("one", Type="gateway")
    del gateway["Scheme"]
    clients = Clients(aws, guarded=True)
    answer(clients, target, "elbv2:DescribeLoadBalancers", {"LoadBalancers": [gateway]})
    assert [each.addresses for each in elbv2_load_balancers.read(clients, target)] == [0]


def listeners(aws: boto3.Session, target: Target, *found: dict[str, Any], **more: Any) -> Any:
    clients = Clients(aws, guarded=True)
    answer(clients, target, "elbv2:DescribeLoadBalancers", {"LoadBalancers": [listed("one", **more)]})
    pages = [{"Listeners": [each], "NextMarker": "more"} for each in found]
    del pages[-1]["NextMarker"]
    answer(clients, target, "elbv2:DescribeListeners", *pages)
    (balancer,) = elbv2_load_balancers.read(clients, target)
    return balancer.listeners


def test_listeners_of_two_pages(aws: boto3.Session, target: Target) -> None:
    tls = {
        "ListenerArn": "l-1",
        "Protocol": "TLS",
        "Port": 8883,
        "SslPolicy": "P",
        "DefaultActions": [{"Type": "forward"}],
    }
    tcp = {**tls, "ListenerArn": "l-2", "Protocol": "TCP", "Port": 22}
    found = listeners(aws, target, tls, tcp)
    assert [(each.protocol, each.port, each.tls_policy) for each in found] == [
        ("TLS", 8883, "P"),
        ("TCP", 22, None),
    ]


def test_a_gateways_listener_has_neither_protocol_nor_port(aws: boto3.Session, target: Target) -> None:
    bare = {"ListenerArn": "l-1", "DefaultActions": [{"Type": "forward"}]}
    (found,) = listeners(aws, target, bare, Type="gateway")
    assert (found.protocol, found.port) == ("", 0)
    assert isinstance(listeners(aws, target, bare), Gap)
    assert isinstance(listeners(aws, target, {**bare, "Port": 80}), Gap)


def test_a_tls_listener_that_does_not_say_how_it_encrypts(aws: boto3.Session, target: Target) -> None:
    secret = {"ListenerArn": "l-1", "Protocol": "TLS", "Port": 443, "DefaultActions": [{"Type": "forward"}]}
    found = listeners(aws, target, secret)
    assert isinstance(found, Gap)
    assert (found.scope, found.reason) == ("load_balancer_listeners", Blindness.FAULT)


def test_what_of_load_balancers_is_denied(aws: boto3.Session, clients: Clients, target: Target) -> None:
    balancer, _ = make(aws)
    aws.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[TO_HTTPS],
    )
    refuse(clients, target, "elbv2:DescribeRules")
    (found,) = elbv2_load_balancers.read(clients, target)
    assert isinstance(found.listeners, tuple)
    assert found.listeners[0].forwarding == Gap("forwarding_rules", Blindness.DENIED, "elbv2:DescribeRules")
    refuse(clients, target, "elbv2:DescribeListeners")
    (found,) = elbv2_load_balancers.read(clients, target)
    assert found.listeners == Gap("load_balancer_listeners", Blindness.DENIED, "elbv2:DescribeListeners")
    refuse(clients, target, "elbv2:DescribeLoadBalancers")
    with pytest.raises(ClientError):
        list(elbv2_load_balancers.read(clients, target))


def test_a_listener_that_is_gone_forwards_nothing(aws: boto3.Session, target: Target) -> None:
    gone = {
        "ListenerArn": f"{ELB}:listener/app/one/1/2",
        "Protocol": "HTTP",
        "Port": 80,
        "DefaultActions": [TO_HTTPS],
    }
    (found,) = listeners(aws, target, gone, Type="application")
    assert found.forwarding is None


def test_target_groups_and_the_states_of_their_targets(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    balancer, group = make(aws)
    elb = aws.client("elbv2")
    (loose,) = elbv2_target_groups.read(clients, target)
    assert loose == TargetGroup(
        arn=group, name="web", type="ip", load_balancers=(), health_checked=True, targets=None
    )
    for port in (80, 81):
        elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
    (empty,) = elbv2_target_groups.read(clients, target)
    assert (empty.load_balancers, empty.targets) == ((balancer,), ())
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}, {"Id": "10.0.0.2"}])
    (full,) = elbv2_target_groups.read(clients, target)
    assert full.targets == ("healthy", "healthy")
    refuse(clients, target, "elbv2:DescribeTargetHealth")
    (blind,) = elbv2_target_groups.read(clients, target)
    assert blind.targets == Gap("target_states", Blindness.DENIED, "elbv2:DescribeTargetHealth")


def test_target_groups_of_two_pages_and_an_odd_one(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    def item(name: str, *balancers: str) -> dict[str, Any]:
        return {
            "TargetGroupArn": f"{ELB}:targetgroup/{name}/0123456789abcdef",
            "TargetGroupName": name,
            "TargetType": "lambda",
            "HealthCheckEnabled": False,
            "LoadBalancerArns": list(balancers),
        }

    odd = item("odd")
    del odd["LoadBalancerArns"]
    answer(
        clients,
        target,
        "elbv2:DescribeTargetGroups",
        {"TargetGroups": [item("one"), odd], "NextMarker": "more"},
        {"TargetGroups": [item("gone", "a-balancer")]},
    )
    lost: list[Gap] = []
    found = list(elbv2_target_groups.read(clients, target, spoil=lost.append))
    assert [(each.name, each.health_checked, each.targets) for each in found] == [
        ("one", False, None),
        ("gone", False, None),
    ]
    assert [gap.reason for gap in lost] == [Blindness.FAULT]
    clients = Clients(aws, guarded=True)
    refuse(clients, target, "elbv2:DescribeTargetGroups")
    with pytest.raises(ClientError):
        list(elbv2_target_groups.read(clients, target))


def test_what_security_policies_accept(aws: boto3.Session, clients: Clients, target: Target) -> None:
    (old,) = (
        each for each in elbv2_tls_policies.read(clients, target) if each.name == "ELBSecurityPolicy-2016-08"
    )
    assert old.protocols == ("TLSv1.2", "TLSv1.1", "TLSv1")
    assert "AES128-SHA" in old.ciphers
    odd = {"Name": "odd"}
    new = {"Name": "new", "SslProtocols": ["TLSv1.3"], "Ciphers": [{"Name": "TLS_AES_128_GCM_SHA256"}]}
    newer = {**new, "Name": "newer"}
    answer(
        clients,
        target,
        "elbv2:DescribeSSLPolicies",
        {"SslPolicies": [odd, new], "NextMarker": "more"},
        {"SslPolicies": [newer]},
    )
    lost: list[Gap] = []
    assert list(elbv2_tls_policies.read(clients, target, spoil=lost.append)) == [
        TlsPolicy(
            arn=f"{ELB}:ssl-policy/{name}",
            name=name,
            protocols=("TLSv1.3",),
            ciphers=("TLS_AES_128_GCM_SHA256",),
        )
        for name in ("new", "newer")
    ]
    assert len(lost) == 1
    clients = Clients(aws, guarded=True)
    refuse(clients, target, "elbv2:DescribeSSLPolicies")
    with pytest.raises(ClientError):
        list(elbv2_tls_policies.read(clients, target))


@pytest.mark.parametrize("odd", [{"State": {"Code": "thinking"}}, {"Scheme": "semi"}, {"Type": "quantum"}])
def test_words_that_nobody_knows_cost_their_load_balancer(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    answer(clients, target, "elbv2:DescribeLoadBalancers", {"LoadBalancers": [listed("odd", **odd)]})
    lost: list[Gap] = []
    assert list(elbv2_load_balancers.read(clients, target, spoil=lost.append)) == []
    assert [gap.reason for gap in lost] == [Blindness.FAULT]


def test_a_listener_of_a_protocol_that_nobody_knows_is_a_gap(clients: Clients, target: Target) -> None:
    answer(clients, target, "elbv2:DescribeLoadBalancers", {"LoadBalancers": [listed("one")]})
    odd = {"ListenerArn": "arn:l", "Protocol": "HTTP4", "Port": 80, "DefaultActions": []}
    answer(clients, target, "elbv2:DescribeListeners", {"Listeners": [odd]})
    (found,) = elbv2_load_balancers.read(clients, target)
    assert isinstance(found.listeners, Gap)
