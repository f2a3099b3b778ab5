"""What we expect of load balancers and target groups: that somebody uses them, and that something answers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Confidence, Gap, Metric, Money, Severity, Target, Unread, known
from orgscan.services.ecs.facts import Service
from orgscan.services.elb.facts import LoadBalancer, TargetGroup

DAY = 86400
MIB = 1024 * 1024
NAMESPACES = {"application": "AWS/ApplicationELB", "network": "AWS/NetworkELB", "gateway": "AWS/GatewayELB"}
"""By type of load balancer; their prices are named after the types too."""
ARRIVALS = {
    kind: Metric(NAMESPACES[kind], name, "Sum", DAY)
    for kind, name in (
        ("application", "RequestCount"),
        ("network", "NewFlowCount"),
        ("gateway", "NewFlowCount"),
    )
}
MOVED = {kind: Metric(name, "ProcessedBytes", "Sum", DAY) for kind, name in NAMESPACES.items()}
"""By type: what arrives, and the bytes that pass. Other namespaces know nothing of it."""
NOT_YET = ("provisioning", "failed")
"""States in which a load balancer does not work, or never will."""
ANSWERS_ITSELF = ("redirect", "fixed-response")
DOWN = ("unhealthy", "unhealthy.draining", "unavailable")
NEITHER = ("initial", "draining", "unused")
"""States that say nothing: it was just registered or removed, or nothing is sent to its zone."""
IDLE_BALANCERS = "trusted-advisor:hjLMh88uM8"


@check(
    LoadBalancer,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Delete the load balancer.",
    also=(TargetGroup,),
    equivalent=(IDLE_BALANCERS,),
    cli=(
        "aws elbv2 describe-listeners --load-balancer-arn {arn} --region {region}",
        "aws elbv2 delete-load-balancer --load-balancer-arn {arn} --region {region}",
    ),
)
def elbv2_load_balancer_unused(balancer: LoadBalancer, view: View, *, min_age_days: int = 7) -> Problems:
    """A load balancer has no listener, or nothing is registered behind it.

    It is billed by the hour, and so are its public addresses. One that only redirects or answers by itself
    works without targets: informational. Lambda functions and load balancers count as targets; that none is
    healthy is another check's matter.
    """
    if balancer.state in NOT_YET or balancer.created > view.now - timedelta(days=min_age_days):
        return
    listeners = known(balancer.listeners)
    if listeners is None:
        return
    price = _with_addresses(balancer, view.target)
    if not listeners:
        yield Problem("it has no listener", saving=price)
        return
    groups = view.related(TargetGroup, "load_balancers", balancer.arn)
    if _registered(groups):
        return
    if groups:
        names = ", ".join(sorted(each.name for each in groups))
        yield Problem(f"nothing is registered in its target groups ({names})", saving=price)
    elif all(action.type in ANSWERS_ITSELF for each in listeners for action in each.actions):
        yield Problem(
            "its listeners only redirect or answer by themselves; no target group is behind it",
            severity=Severity.INFORMATIONAL,
            saving=prices.doubted(price, Confidence.LOW),
        )
    else:
        yield Problem("no target group is behind it", saving=price)


def _registered(groups: Sequence[TargetGroup]) -> bool:
    """Whether any group has a target, in whatever state; Unread when that cannot be told."""
    if any(each.targets and not isinstance(each.targets, Gap) for each in groups):
        return True
    for each in groups:
        known(each.targets)
    return False


def _with_addresses(balancer: LoadBalancer, target: Target) -> Money | None:
    addresses = [prices.public_ipv4(target)] * balancer.addresses
    return prices.total([_alone(balancer, target), *addresses])


def _alone(balancer: LoadBalancer, target: Target) -> Money | None:
    """Without what it is billed for by its traffic."""
    if balancer.type not in NAMESPACES:
        return None
    return prices.hourly(target, f"elb.{balancer.type}_hour")


@check(
    LoadBalancer,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Merge it into another load balancer, by rules for its host names, or delete it.",
    also=(TargetGroup,),
    measures=(*ARRIVALS.values(), *MOVED.values()),
    equivalent=(IDLE_BALANCERS,),
    cli=(
        "aws elbv2 describe-listeners --load-balancer-arn {arn} --region {region}",
        (
            "aws elbv2 create-rule --listener-arn '<of-another-load-balancer>' --priority '<number>' "
            "--conditions 'Field=host-header,Values=<host-name>' --actions "
            "'Type=forward,TargetGroupArn=<target-group>' --region {region}"
        ),
        (
            "aws elbv2 delete-load-balancer --load-balancer-arn '<this-one-once-nobody-asks-it>' --region "
            "{region}"
        ),
    ),
)
def elbv2_load_balancer_idle(
    balancer: LoadBalancer,
    view: View,
    *,
    window_days: int = 7,
    max_requests_per_day: int = 100,
    max_mib_per_day: float = 5,
) -> Problems:
    """A load balancer with targets receives almost no traffic.

    Requests, or new flows of a network or gateway load balancer, and bytes are below their limits on every
    day: few connections that last can carry much. Nothing is published when nothing arrives, so that no
    datapoint means none. Those without targets are reported as unused.
    """
    if balancer.state in NOT_YET or balancer.created > view.now - timedelta(days=window_days):
        return
    if balancer.type not in NAMESPACES:
        detail = f"load balancers of type {balancer.type} are not known to us"
        raise Unread(Gap("elbv2-load-balancer-idle", Blindness.NO_DATA, detail))
    (arrived,) = view.measure(balancer, ARRIVALS[balancer.type], days=window_days)
    most = max(arrived.values, default=0)
    if most >= max_requests_per_day:
        return
    (moved,) = view.measure(balancer, MOVED[balancer.type], days=window_days)
    mib = max(moved.values, default=0) / MIB
    if mib >= max_mib_per_day:
        return
    if not _registered(view.related(TargetGroup, "load_balancers", balancer.arn)):
        return
    what = "requests" if balancer.type == "application" else "new flows"
    yield Problem(
        f"at most {most:.0f} {what} and {mib:.1f} MiB on any of {window_days} days",
        saving=prices.doubted(_alone(balancer, view.target), Confidence.MEDIUM),
    )


@check(
    TargetGroup,
    severity=Severity.INFORMATIONAL,
    category=Category.OPERATIONS,
    fix="Delete the target group.",
    also=(Service,),
    cli=(
        "aws elbv2 describe-target-health --target-group-arn {arn} --region {region}",
        "aws elbv2 delete-target-group --target-group-arn {arn} --region {region}",
    ),
)
def elbv2_target_group_unused(group: TargetGroup, view: View) -> Problems:
    """A target group belongs to no load balancer, or has no targets.

    It is left over, or what should be in it is not. One that an ECS service names is spared while no load
    balancer uses it: blue/green deployments put it back. Those of CodeDeploy's other deployments cannot be
    told from leftovers.
    """
    if not group.load_balancers:
        if not view.related(Service, "target_groups", group.arn):
            yield "no load balancer uses it"
    elif known(group.targets) == ():
        yield "it has no targets"


@check(
    TargetGroup,
    severity=Severity.HIGH,
    category=Category.RELIABILITY,
    fix="Repair the targets, or the health check if they are well.",
    cli=(
        (
            "aws elbv2 describe-target-health --target-group-arn {arn} --query "
            "'TargetHealthDescriptions[].[Target.Id, Target.Port, TargetHealth.Reason, "
            "TargetHealth.Description]' --region {region}"
        ),
        (
            "aws elbv2 modify-target-group --target-group-arn {arn} --health-check-path "
            "'<path-that-answers>' --region {region}"
        ),
    ),
    cdk="""
        elasticloadbalancingv2.CfnTargetGroup(
            self, "Targets", port=80, protocol="HTTP", vpc_id="<vpc>", health_check_path="<path>"
        )
    """,
)
def elbv2_target_group_all_unhealthy(group: TargetGroup) -> Problems:
    """A target group in use has targets, but none is healthy.

    What is sent to it fails, or goes to targets that are known to be ill. Targets that were just registered,
    are being removed or get nothing sent are not counted, and groups without health checks (Lambda) pass.
    """
    states = known(group.targets) or ()
    if not group.health_checked or "healthy" in states:
        return
    unknown = sorted({*states} - {*DOWN, *NEITHER})
    if unknown:
        detail = f"targets in states that we do not know: {', '.join(unknown)}"
        raise Unread(Gap("elbv2-target-group-all-unhealthy", Blindness.NO_DATA, detail))
    down = [each for each in states if each in DOWN]
    if down:
        yield f"none of {_counted(down)} is healthy ({', '.join(_kinds(down))})"


def _counted(targets: list[str]) -> str:
    return f"{len(targets)} targets" if len(targets) > 1 else "1 target"


def _kinds(states: list[str]) -> Iterator[str]:
    yield from (f"{states.count(each)} {each}" for each in dict.fromkeys(states))
