"""What the checks of load balancers and target groups accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity
from orgscan.services.ecs.facts import Service
from orgscan.services.elb.checks.use import (
    MIB,
    elbv2_load_balancer_idle,
    elbv2_load_balancer_unused,
    elbv2_target_group_all_unhealthy,
    elbv2_target_group_unused,
)
from orgscan.services.elb.facts import Action, Listener, LoadBalancer, TargetGroup
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import ago

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
DENIED = Gap("-", Blindness.DENIED, "elasticloadbalancing:DescribeSomething")
FORWARD = Action("forward")
TO_HTTPS = Action("redirect", "HTTPS", "443")
HTTP = Listener(protocol="HTTP", port=80, actions=(FORWARD,), forwarding=None, tls_policy=None)
BALANCER = LoadBalancer(
    arn=f"{ELB}:loadbalancer/app/shop/50dc6c495c0c9188",
    name="shop",
    type="application",
    internal=False,
    state="active",
    created=ago(100),
    addresses=2,
    security_groups=("sg-1",),
    listeners=(HTTP,),
)
GROUP = TargetGroup(
    arn=f"{ELB}:targetgroup/web/1",
    name="web",
    type="instance",
    load_balancers=(BALANCER.arn,),
    health_checked=True,
    targets=("healthy",),
)
EMPTY = replace(GROUP, targets=())
OTHER = replace(EMPTY, arn=f"{ELB}:targetgroup/api/2", name="api")
FOREIGN = replace(GROUP, load_balancers=(f"{ELB}:loadbalancer/app/other/1",))
NOTHING = "nothing is registered in its target groups"
REDIRECTS = replace(HTTP, actions=(TO_HTTPS,), forwarding=())

# 0.0225 USD an hour, and two addresses at 0.005, which cost the same in every region.
FULL = usd(25.53)
UNUSED_CASES: list[Case] = [
    passes(elbv2_load_balancer_unused, BALANCER, beside=[GROUP]),
    passes(elbv2_load_balancer_unused, BALANCER, beside=[EMPTY, replace(OTHER, targets=("unhealthy",))]),
    passes(elbv2_load_balancer_unused, replace(BALANCER, created=ago(6.9), listeners=())),
    fails(elbv2_load_balancer_unused, replace(BALANCER, created=ago(7), listeners=()), "it has no listener"),
    passes(elbv2_load_balancer_unused, replace(BALANCER, state="provisioning", listeners=())),
    passes(elbv2_load_balancer_unused, replace(BALANCER, state="failed", listeners=())),
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, state="active_impaired", listeners=()),
        "it has no listener",
    ),
    passes(elbv2_load_balancer_unused, replace(BALANCER, listeners=None)),
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, listeners=()),
        Problem("it has no listener", saving=FULL),
        lost={TargetGroup: DENIED},
    ),
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, type="gateway", addresses=0, listeners=()),
        Problem("it has no listener", saving=usd(10.13)),
    ),
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, type="quantum", listeners=()),
        Problem("it has no listener"),
    ),
    fails(
        elbv2_load_balancer_unused,
        BALANCER,
        Problem(f"{NOTHING} (api, web)", saving=FULL),
        beside=[EMPTY, OTHER],
    ),
    fails(
        elbv2_load_balancer_unused,
        BALANCER,
        Problem("no target group is behind it", saving=FULL),
        beside=[FOREIGN],
    ),
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, listeners=(REDIRECTS, replace(HTTP, port=81, actions=(Action("fixed-response"),)))),
        Problem(
            "its listeners only redirect or answer by themselves; no target group is behind it",
            severity=Severity.INFORMATIONAL,
            saving=usd(25.53, Confidence.LOW),
        ),
    ),
    # Rules forward, to nothing.
    fails(
        elbv2_load_balancer_unused,
        replace(BALANCER, listeners=(REDIRECTS,)),
        Problem(f"{NOTHING} (web)", saving=FULL),
        beside=[EMPTY],
    ),
    cannot_tell(elbv2_load_balancer_unused, replace(BALANCER, listeners=DENIED), "DescribeSomething"),
    cannot_tell(elbv2_load_balancer_unused, BALANCER, "DescribeSomething", lost={TargetGroup: DENIED}),
    cannot_tell(
        elbv2_load_balancer_unused,
        BALANCER,
        "DescribeSomething",
        beside=[EMPTY, replace(OTHER, targets=DENIED)],
    ),
    passes(elbv2_load_balancer_unused, BALANCER, beside=[GROUP, replace(OTHER, targets=DENIED)]),
]


def traffic(*requests: float, mib: float = 1, kind: int = 0) -> list[Series]:
    """A day per request count; the metrics of the other types of load balancers have no datapoint."""
    nothing = Series((), 7)
    found = [nothing] * 6
    found[kind] = Series(requests, 7)
    found[kind + 3] = Series((mib * MIB,) * len(requests), 7)
    return found


LITTLE = Problem("at most 99 requests and 1.0 MiB on any of 7 days", saving=usd(18.23, Confidence.MEDIUM))
SILENT = "at most 0 requests and 0.0 MiB on any of 7 days"
NETWORK = replace(BALANCER, type="network", arn=f"{ELB}:loadbalancer/net/shop/1")
NETWORK_GROUP = replace(GROUP, load_balancers=(NETWORK.arn,))
IDLE_CASES: list[Case] = [
    fails(elbv2_load_balancer_idle, BALANCER, LITTLE, beside=[GROUP], measured=traffic(99, 3)),
    passes(
        elbv2_load_balancer_idle, BALANCER, beside=[GROUP], measured=traffic(100, 3), asked=("RequestCount",)
    ),
    passes(
        elbv2_load_balancer_idle,
        BALANCER,
        beside=[GROUP],
        measured=traffic(3, 3, mib=5),
        asked=("RequestCount", "ProcessedBytes"),
    ),
    fails(
        elbv2_load_balancer_idle,
        BALANCER,
        "at most 3 requests and 4.9 MiB on any of 7 days",
        beside=[GROUP],
        measured=traffic(3, 3, mib=4.9),
    ),
    # No datapoint is no request.
    fails(elbv2_load_balancer_idle, BALANCER, SILENT, beside=[GROUP], measured=traffic()),
    passes(
        elbv2_load_balancer_idle,
        BALANCER,
        beside=[GROUP],
        measured=traffic(99),
        parameters={"max_requests_per_day": 99},
    ),
    passes(
        elbv2_load_balancer_idle,
        BALANCER,
        beside=[GROUP],
        measured=traffic(99),
        parameters={"max_mib_per_day": 1},
    ),
    passes(elbv2_load_balancer_idle, replace(BALANCER, created=ago(6.9)), beside=[GROUP]),
    fails(
        elbv2_load_balancer_idle,
        replace(BALANCER, created=ago(7)),
        LITTLE,
        beside=[GROUP],
        measured=traffic(99),
    ),
    passes(elbv2_load_balancer_idle, replace(BALANCER, state="provisioning"), beside=[GROUP]),
    # Unused, which is another check.
    passes(elbv2_load_balancer_idle, BALANCER, beside=[EMPTY], measured=traffic()),
    passes(elbv2_load_balancer_idle, BALANCER, measured=traffic()),
    fails(
        elbv2_load_balancer_idle,
        NETWORK,
        Problem("at most 12 new flows and 1.0 MiB on any of 7 days", saving=usd(18.23, Confidence.MEDIUM)),
        beside=[NETWORK_GROUP],
        measured=traffic(12, kind=1),
    ),
    passes(elbv2_load_balancer_idle, NETWORK, beside=[NETWORK_GROUP], measured=traffic(2, mib=900, kind=1)),
    passes(elbv2_load_balancer_idle, NETWORK, beside=[NETWORK_GROUP], measured=traffic(100, kind=1)),
    fails(
        elbv2_load_balancer_idle,
        replace(NETWORK, type="gateway"),
        Problem("at most 12 new flows and 1.0 MiB on any of 7 days", saving=usd(10.13, Confidence.MEDIUM)),
        beside=[NETWORK_GROUP],
        measured=traffic(12, kind=2),
    ),
    # What is busy needs no targets to be seen.
    passes(elbv2_load_balancer_idle, BALANCER, measured=traffic(9000), lost={TargetGroup: DENIED}),
    cannot_tell(
        elbv2_load_balancer_idle,
        BALANCER,
        "DescribeSomething",
        measured=traffic(9),
        lost={TargetGroup: DENIED},
    ),
    cannot_tell(
        elbv2_load_balancer_idle,
        BALANCER,
        "DescribeSomething",
        measured=traffic(9),
        beside=[replace(GROUP, targets=DENIED)],
    ),
    cannot_tell(elbv2_load_balancer_idle, BALANCER, "DescribeSomething", measured=[DENIED, *traffic()[1:]]),
    cannot_tell(elbv2_load_balancer_idle, replace(BALANCER, type="quantum"), "type quantum"),
]

LOOSE = replace(GROUP, load_balancers=(), targets=None)
SERVICE = Service(
    arn="arn:aws:ecs:eu-west-1:123456789012:service/prod/web",
    name="prod/web",
    families=frozenset({"shop"}),
    target_groups=frozenset({LOOSE.arn}),
    probed=True,
)
GROUP_CASES: list[Case] = [
    passes(elbv2_target_group_unused, GROUP),
    passes(elbv2_target_group_unused, replace(GROUP, targets=("unused",))),
    fails(elbv2_target_group_unused, LOOSE, "no load balancer uses it"),
    fails(
        elbv2_target_group_unused,
        LOOSE,
        "no load balancer uses it",
        beside=[replace(SERVICE, target_groups=frozenset({OTHER.arn}))],
    ),
    passes(elbv2_target_group_unused, LOOSE, beside=[SERVICE]),
    fails(elbv2_target_group_unused, EMPTY, "it has no targets", beside=[SERVICE]),
    # Deleted while it was read.
    passes(elbv2_target_group_unused, replace(GROUP, targets=None)),
    passes(elbv2_target_group_unused, GROUP, lost={Service: DENIED}),
    cannot_tell(elbv2_target_group_unused, LOOSE, "DescribeSomething", lost={Service: DENIED}),
    cannot_tell(elbv2_target_group_unused, replace(GROUP, targets=DENIED), "DescribeSomething"),
]


def states(*targets: str) -> TargetGroup:
    return replace(GROUP, targets=targets)


HEALTH_CASES: list[Case] = [
    passes(elbv2_target_group_all_unhealthy, GROUP),
    passes(elbv2_target_group_all_unhealthy, states("unhealthy", "healthy")),
    passes(elbv2_target_group_all_unhealthy, states()),
    passes(elbv2_target_group_all_unhealthy, LOOSE),
    passes(elbv2_target_group_all_unhealthy, states("initial", "draining", "unused")),
    passes(elbv2_target_group_all_unhealthy, replace(states("unavailable"), health_checked=False)),
    passes(elbv2_target_group_all_unhealthy, states("healthy", "pondering")),
    fails(
        elbv2_target_group_all_unhealthy,
        states("unhealthy"),
        Problem("none of 1 target is healthy (1 unhealthy)"),
    ),
    fails(
        elbv2_target_group_all_unhealthy,
        states("unhealthy", "unavailable", "unhealthy", "unhealthy.draining"),
        "none of 4 targets is healthy (2 unhealthy, 1 unavailable, 1 unhealthy.draining)",
    ),
    fails(
        elbv2_target_group_all_unhealthy,
        states("draining", "unhealthy", "initial"),
        "none of 1 target is healthy (1 unhealthy)",
    ),
    cannot_tell(elbv2_target_group_all_unhealthy, states("unhealthy", "pondering"), "do not know: pondering"),
    cannot_tell(elbv2_target_group_all_unhealthy, replace(GROUP, targets=DENIED), "DescribeSomething"),
]

CASES = [*UNUSED_CASES, *IDLE_CASES, *GROUP_CASES, *HEALTH_CASES]
