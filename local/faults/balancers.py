"""Load balancers, and the target groups behind them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from local import past
from local.faults.load import measure_balancer
from local.place import Place, scenario, tag_list

UNUSED, IDLE = "elbv2-load-balancer-unused", "elbv2-load-balancer-idle"
GROUP_UNUSED, UNHEALTHY = "elbv2-target-group-unused", "elbv2-target-group-all-unhealthy"
HTTP, WEAK = "elbv2-listener-http-not-redirected", "elbv2-listener-weak-tls-policy"
STRONG_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}
MAINTENANCE = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}


@dataclass(frozen=True, slots=True)
class Balancer:
    """With the target group that its listeners forward to."""

    arn: str
    group: str


def balancer(place: Place, what: str, *, kind: str = "application", days: float = 0) -> str:
    """An internal load balancer's ARN; nobody judges the use of one that is new. `what`: a short name."""
    elb, name = place.client("elbv2"), place.name(what)
    made = elb.create_load_balancer(
        Name=name, Type=kind, Scheme="internal", Subnets=[place.subnet], Tags=tag_list(place.tags(name))
    )["LoadBalancers"][0]["LoadBalancerArn"]
    past.age_balancer(place.account.id, place.region, made, days=days)
    return str(made)


def group(place: Place, what: str, *targets: str, protocol: str = "HTTP") -> str:
    """A target group of IP addresses."""
    elb, name = place.client("elbv2"), place.name(what)
    made = elb.create_target_group(
        Name=name,
        TargetType="ip",
        Protocol=protocol,
        Port=8080,
        VpcId=place.vpc,
        Tags=tag_list(place.tags(name)),
    )["TargetGroups"][0]["TargetGroupArn"]
    if targets:
        elb.register_targets(TargetGroupArn=made, Targets=[{"Id": each} for each in targets])
    return str(made)


def forward(group: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group}


def listen(
    place: Place,
    arn: str,
    action: dict[str, Any],
    *,
    protocol: str = "HTTPS",
    port: int = 443,
    policy: str = "",
) -> str:
    """A listener's ARN."""
    tls = {
        "SslPolicy": policy or STRONG_POLICY,
        "Certificates": [{"CertificateArn": f"arn:aws:iam::{place.account.id}:server-certificate/acme"}],
    }
    made = place.client("elbv2").create_listener(
        LoadBalancerArn=arn,
        Protocol=protocol,
        Port=port,
        DefaultActions=[action],
        **(tls if protocol in ("HTTPS", "TLS") else {}),
    )
    return str(made["Listeners"][0]["ListenerArn"])


def at_work(place: Place, what: str, *, days: float = 0, kind: str = "application") -> Balancer:
    """A load balancer with a listener and a target."""
    made = balancer(place, what, days=days, kind=kind)
    application = kind == "application"
    behind = group(place, f"{what}-tg", "172.31.7.7", protocol="HTTP" if application else "TCP")
    listen(place, made, forward(behind), protocol="HTTPS" if application else "TCP")
    return Balancer(made, behind)


def delete(place: Place, made: Balancer) -> None:
    elb = place.client("elbv2")
    elb.delete_load_balancer(LoadBalancerArn=made.arn)
    elb.delete_target_group(TargetGroupArn=made.group)


@scenario(copies=2)
def balancer_without_a_listener(place: Place) -> None:
    made = balancer(place, "old-front", days=60)
    place.fails(
        UNUSED,
        resource=made,
        remove=lambda: place.client("elbv2").delete_load_balancer(LoadBalancerArn=made),
    )


@scenario()
def balancer_without_targets(place: Place) -> None:
    made, behind = balancer(place, "old-shop", days=60), group(place, "old-shop-tg")
    listen(place, made, forward(behind))
    place.fails(UNUSED, resource=made)
    place.fails(GROUP_UNUSED, resource=behind)
    place.looks_like(IDLE, resource=made)
    place.looks_like(UNHEALTHY, resource=behind)


@scenario()
def balancer_that_only_redirects(place: Place) -> None:
    """It works, which makes it informational."""
    made = balancer(place, "moved", days=60)
    listen(place, made, TO_HTTPS, protocol="HTTP", port=80)
    place.fails(UNUSED, resource=made)


@scenario()
def balancer_of_yesterday(place: Place) -> None:
    made = balancer(place, "new-front", days=1)
    place.looks_like(UNUSED, resource=made)


@scenario(copies=2)
def idle_balancer(place: Place) -> None:
    made = at_work(place, "old-api", days=60)
    measure_balancer(place, made.arn, arrivals_a_day=12, mib_a_day=0.1)
    place.fails(IDLE, resource=made.arn, remove=partial(delete, place, made))
    place.looks_like(UNUSED, resource=made.arn)


@scenario()
def balancer_that_nobody_calls(place: Place) -> None:
    """No request, no datapoint."""
    place.fails(IDLE, resource=at_work(place, "silent", days=60, kind="network").arn)


@scenario()
def busy_balancer(place: Place) -> None:
    made = at_work(place, "shop", days=60)
    measure_balancer(place, made.arn, arrivals_a_day=80_000, mib_a_day=900)
    place.looks_like(IDLE, resource=made.arn)
    place.looks_like(WEAK, HTTP, resource=made.arn)
    place.looks_like(GROUP_UNUSED, UNHEALTHY, resource=made.group)


@scenario()
def balancer_of_a_few_long_connections(place: Place) -> None:
    made = at_work(place, "replica", days=60, kind="network")
    measure_balancer(place, made.arn, arrivals_a_day=3, mib_a_day=4_000, namespace="AWS/NetworkELB")
    place.looks_like(IDLE, resource=made.arn)


@scenario(copies=2)
def forgotten_target_group(place: Place) -> None:
    made = group(place, "old-green", "172.31.7.8")
    place.fails(
        GROUP_UNUSED,
        resource=made,
        remove=lambda: place.client("elbv2").delete_target_group(TargetGroupArn=made),
    )


@scenario(copies=2)
def unhealthy_targets(place: Place) -> None:
    made = at_work(place, "checkout")
    past.set_target_health(place.account.id, place.region, made.group, healthy=False)
    place.fails(
        UNHEALTHY,
        resource=made.group,
        mend=lambda: past.set_target_health(place.account.id, place.region, made.group, healthy=True),
        remove=partial(delete, place, made),
    )


@scenario(copies=2)
def http_without_redirect(place: Place) -> None:
    made, behind = balancer(place, "intranet"), group(place, "intranet-tg", "172.31.7.9")
    listener = listen(place, made, forward(behind), protocol="HTTP", port=80)
    place.fails(
        HTTP,
        resource=made,
        key="80",
        mend=lambda: _redirect(place, made, behind, listener),
        remove=partial(delete, place, Balancer(made, behind)),
    )


def _redirect(place: Place, made: str, behind: str, listener: str) -> None:
    listen(place, made, forward(behind))
    place.client("elbv2").modify_listener(ListenerArn=listener, DefaultActions=[TO_HTTPS])


@scenario()
def http_that_some_rules_forward(place: Place) -> None:
    made, behind = balancer(place, "legacy"), group(place, "legacy-tg", "172.31.7.10")
    listener = listen(place, made, TO_HTTPS, protocol="HTTP", port=8080)
    place.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/soap/*"]}],
        Actions=[forward(behind)],
    )
    place.fails(HTTP, resource=made, key="8080")


@scenario()
def http_that_redirects_or_answers(place: Place) -> None:
    made = balancer(place, "tidy")
    listen(place, made, TO_HTTPS, protocol="HTTP", port=80)
    listen(place, made, MAINTENANCE, protocol="HTTP", port=8080)
    place.looks_like(HTTP, resource=made)


@scenario(copies=2)
def outdated_tls(place: Place) -> None:
    made = at_work(place, "partner")
    listener = listen(place, made.arn, forward(made.group), port=8443, policy="ELBSecurityPolicy-2016-08")
    place.fails(
        WEAK,
        resource=made.arn,
        key="8443",
        mend=lambda: place.client("elbv2").modify_listener(ListenerArn=listener, SslPolicy=STRONG_POLICY),
        remove=partial(delete, place, made),
    )


@scenario()
def outdated_tls_of_a_network_balancer(place: Place) -> None:
    made = at_work(place, "sensors", kind="network")
    policy = "ELBSecurityPolicy-TLS-1-2-2017-01"
    listen(place, made.arn, forward(made.group), protocol="TLS", port=8883, policy=policy)
    place.fails(WEAK, resource=made.arn, key="8883")
