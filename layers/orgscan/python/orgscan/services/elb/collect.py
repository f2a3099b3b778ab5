"""How we learn about Elastic Load Balancing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.services.elb.facts import Action, Listener, LoadBalancer, TargetGroup, TlsPolicy

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import (
        ActionOutputTypeDef,
        ListenerTypeDef,
        LoadBalancerTypeDef,
        SslPolicyTypeDef,
        TargetGroupTypeDef,
    )

GATEWAY = "gateway"
TLS = ("HTTPS", "TLS")
TYPES = words("application", "network", GATEWAY)
SCHEMES = words("internal", "internet-facing")
STATES = words("active", "provisioning", "active_impaired", "failed")
PROTOCOLS = words("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
ACTIONS = words(
    "forward",
    "authenticate-oidc",
    "authenticate-cognito",
    "jwt-validation",
    "redirect",
    "fixed-response",
)
NO_PUBLIC_IPV4 = "dualstack-without-public-ipv4"


@collector(
    LoadBalancer,
    calls=("elbv2:DescribeLoadBalancers", "elbv2:DescribeListeners", "elbv2:DescribeRules"),
)
def elbv2_load_balancers(aws: Reader) -> Iterator[LoadBalancer]:
    elb: ElasticLoadBalancingv2Client = aws.client("elbv2")
    for page in aws.pages(elb.get_paginator("describe_load_balancers")):
        yield from aws.each(partial(_load_balancer, elb), page["LoadBalancers"])


def _load_balancer(elb: ElasticLoadBalancingv2Client, balancer: LoadBalancerTypeDef) -> LoadBalancer:
    type_ = TYPES[balancer["Type"]]
    internal = SCHEMES[balancer.get("Scheme", "internet-facing")] == "internal"
    private = internal or type_ == GATEWAY or balancer.get("IpAddressType") == NO_PUBLIC_IPV4
    return LoadBalancer(
        arn=balancer["LoadBalancerArn"],
        name=balancer["LoadBalancerName"],
        type=type_,
        internal=internal,
        state=STATES[balancer["State"]["Code"]],
        created=balancer["CreatedTime"],
        addresses=0 if private else len(balancer["AvailabilityZones"]),
        security_groups=tuple(balancer.get("SecurityGroups", [])),
        listeners=load_balancer_listeners(elb, balancer["LoadBalancerArn"], type_),
    )


@fact(absent="LoadBalancerNotFound")
def load_balancer_listeners(elb: ElasticLoadBalancingv2Client, arn: str, kind: str) -> tuple[Listener, ...]:
    pages = elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    return tuple(_listener(elb, each, kind) for page in pages for each in page["Listeners"])


def _listener(elb: ElasticLoadBalancingv2Client, listener: ListenerTypeDef, kind: str) -> Listener:
    # A gateway load balancer's has neither: it takes all IP packets.
    protocol = "" if kind == GATEWAY else PROTOCOLS[listener["Protocol"]]
    actions = tuple(map(_action, listener["DefaultActions"]))
    quiet = protocol == "HTTP" and all(each.type != "forward" for each in actions)
    return Listener(
        protocol=protocol,
        port=0 if kind == GATEWAY else listener["Port"],
        actions=actions,
        forwarding=forwarding_rules(elb, listener["ListenerArn"]) if quiet else None,
        tls_policy=listener["SslPolicy"] if protocol in TLS else None,
    )


def _action(action: ActionOutputTypeDef) -> Action:
    redirect = action.get("RedirectConfig", {})
    return Action(action["Type"], redirect.get("Protocol", ""), redirect.get("Port", ""))


@fact(absent="ListenerNotFound")
def forwarding_rules(elb: ElasticLoadBalancingv2Client, listener: str) -> tuple[str, ...]:
    """The default rule is the listener's own actions; it has no number."""
    pages = elb.get_paginator("describe_rules").paginate(ListenerArn=listener)
    return tuple(
        rule["Priority"]
        for page in pages
        for rule in page["Rules"]
        if any(ACTIONS[action["Type"]] == "forward" for action in rule["Actions"])
    )


@collector(TargetGroup, calls=("elbv2:DescribeTargetGroups", "elbv2:DescribeTargetHealth"))
def elbv2_target_groups(aws: Reader) -> Iterator[TargetGroup]:
    elb: ElasticLoadBalancingv2Client = aws.client("elbv2")
    for page in aws.pages(elb.get_paginator("describe_target_groups")):
        yield from aws.each(partial(_target_group, elb), page["TargetGroups"])


def _target_group(elb: ElasticLoadBalancingv2Client, group: TargetGroupTypeDef) -> TargetGroup:
    arn = group["TargetGroupArn"]
    balancers = tuple(dict.fromkeys(group["LoadBalancerArns"]))
    return TargetGroup(
        arn=arn,
        name=group["TargetGroupName"],
        type=group["TargetType"],
        load_balancers=balancers,
        health_checked=group["HealthCheckEnabled"],
        targets=target_states(elb, arn) if balancers else None,
    )


@fact(absent="TargetGroupNotFound")
def target_states(elb: ElasticLoadBalancingv2Client, group: str) -> tuple[str, ...]:
    described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return tuple(each["TargetHealth"]["State"] for each in described)


@collector(TlsPolicy, calls=("elbv2:DescribeSSLPolicies",))
def elbv2_tls_policies(aws: Reader) -> Iterator[TlsPolicy]:
    elb: ElasticLoadBalancingv2Client = aws.client("elbv2")
    for page in aws.pages(elb.get_paginator("describe_ssl_policies")):
        yield from aws.shaped(partial(_tls_policy, aws), page["SslPolicies"])


def _tls_policy(aws: Reader, policy: SslPolicyTypeDef) -> TlsPolicy:
    return TlsPolicy(
        # AWS gives it none: it is the same for everybody.
        arn=aws.target.arn("elasticloadbalancing", f"ssl-policy/{policy['Name']}"),
        name=policy["Name"],
        protocols=tuple(policy["SslProtocols"]),
        ciphers=tuple(each["Name"] for each in policy["Ciphers"]),
    )
