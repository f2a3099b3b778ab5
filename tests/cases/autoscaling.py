"""What the checks of Auto Scaling groups accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.autoscaling.checks import (
    autoscaling_group_elb_health_check_off,
    autoscaling_group_no_dynamic_scaling,
    autoscaling_group_single_az,
)
from orgscan.services.autoscaling.facts import AutoScalingGroup, ScalingPolicy, ScheduledAction
from tests.cases.case import Case, cannot_tell, fails, passes

ARN = "arn:aws:autoscaling:eu-west-1:123456789012"
TARGETS = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
LATTICE = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-0123456789abcdef0"
DENIED = Gap("-", Blindness.DENIED, "autoscaling:DescribeSomething")

GROUP = AutoScalingGroup(
    arn=f"{ARN}:autoScalingGroup:1:autoScalingGroupName/web",
    tags={},
    name="web",
    min_size=2,
    max_size=6,
    zones=("eu-west-1a", "eu-west-1b"),
    health_checks=("EC2",),
)
BALANCED = replace(GROUP, balancers=(TARGETS,))
HEALTH_CASES: list[Case] = [
    passes(autoscaling_group_elb_health_check_off, GROUP),
    passes(autoscaling_group_elb_health_check_off, replace(BALANCED, health_checks=("ELB",))),
    passes(autoscaling_group_elb_health_check_off, replace(BALANCED, health_checks=("EBS", "ELB"))),
    fails(
        autoscaling_group_elb_health_check_off,
        BALANCED,
        Problem("behind a load balancer (web), with health checks of type EC2 only"),
    ),
    fails(
        autoscaling_group_elb_health_check_off,
        replace(GROUP, balancers=("classic",), health_checks=("EC2", "EBS")),
        "behind a load balancer (classic), with health checks of type EC2, EBS only",
    ),
    passes(
        autoscaling_group_elb_health_check_off,
        replace(GROUP, lattices=(LATTICE,), health_checks=("EC2", "VPC_LATTICE")),
    ),
    fails(
        autoscaling_group_elb_health_check_off,
        replace(GROUP, lattices=(LATTICE,), health_checks=("ELB",)),
        "behind a VPC Lattice (tg-0123456789abcdef0), with health checks of type ELB only",
    ),
    fails(
        autoscaling_group_elb_health_check_off,
        replace(BALANCED, lattices=(LATTICE,), health_checks=("VPC_LATTICE",)),
        "behind a load balancer (web), with health checks of type VPC_LATTICE only",
    ),
]

ONE_ZONE = replace(GROUP, zones=("eu-west-1a",))
ZONE_CASES: list[Case] = [
    passes(autoscaling_group_single_az, GROUP),
    fails(autoscaling_group_single_az, ONE_ZONE, Problem("only in eu-west-1a")),
    fails(autoscaling_group_single_az, replace(ONE_ZONE, max_size=2), "only in eu-west-1a"),
    fails(
        autoscaling_group_single_az,
        replace(ONE_ZONE, min_size=0, max_size=1),
        Problem("only in eu-west-1a; of 1 instance at most", severity=Severity.INFORMATIONAL),
    ),
    fails(
        autoscaling_group_single_az,
        replace(ONE_ZONE, tags={"eks:nodegroup-name": "workers-a"}),
        Problem("only in eu-west-1a; a node group of EKS", severity=Severity.INFORMATIONAL),
    ),
    fails(
        autoscaling_group_single_az,
        GROUP,
        "only in eu-west-1a, eu-west-1b",
        parameters={"min_azs": 3},
    ),
    passes(autoscaling_group_single_az, ONE_ZONE, parameters={"min_azs": 1}),
]


def policy(
    type_: str, name: str = "cpu", *, enabled: bool = True, forecast_only: bool = False
) -> ScalingPolicy:
    return ScalingPolicy(
        arn=f"{ARN}:scalingPolicy:1:autoScalingGroupName/web:policyName/{name}",
        group="web",
        name=name,
        type=type_,
        enabled=enabled,
        forecast_only=forecast_only,
    )


TRACKING = policy("TargetTrackingScaling")
SIMPLE = policy("SimpleScaling", "more")
FORECAST = policy("PredictiveScaling", "forecast", forecast_only=True)
SCHEDULE = ScheduledAction(arn=f"{ARN}:scheduledUpdateGroupAction:1", group="web")
STUCK = "between 2 and 6 instances, and nothing scales it"
BY_HAND = Problem("between 2 and 6 instances by simple scaling only: more", severity=Severity.INFORMATIONAL)
SCALING_CASES: list[Case] = [
    fails(autoscaling_group_no_dynamic_scaling, GROUP, Problem(STUCK)),
    fails(
        autoscaling_group_no_dynamic_scaling,
        replace(GROUP, min_size=5),
        "between 5 and 6 instances, and nothing scales it",
    ),
    passes(autoscaling_group_no_dynamic_scaling, replace(GROUP, min_size=6)),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[TRACKING]),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[policy("StepScaling")]),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[policy("PredictiveScaling")]),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[SCHEDULE]),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[SIMPLE, TRACKING]),
    fails(autoscaling_group_no_dynamic_scaling, GROUP, STUCK, beside=[replace(TRACKING, group="api")]),
    fails(autoscaling_group_no_dynamic_scaling, GROUP, STUCK, beside=[replace(SCHEDULE, group="api")]),
    fails(
        autoscaling_group_no_dynamic_scaling,
        GROUP,
        f"{STUCK}; cpu is disabled; forecast only forecasts",
        beside=[replace(TRACKING, enabled=False), FORECAST],
    ),
    fails(autoscaling_group_no_dynamic_scaling, GROUP, BY_HAND, beside=[SIMPLE, FORECAST]),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[SIMPLE, SCHEDULE]),
    *(
        passes(autoscaling_group_no_dynamic_scaling, replace(GROUP, tags={key: "x"}))
        for key in (
            "eks:nodegroup-name",
            "kubernetes.io/cluster/main",
            "k8s.io/cluster-autoscaler/enabled",
            "AmazonECSManaged",
            "AWSBatchServiceTag",
            "karpenter.sh/nodepool",
        )
    ),
    fails(autoscaling_group_no_dynamic_scaling, replace(GROUP, tags={"kubernetes.io/role": "x"}), STUCK),
    cannot_tell(autoscaling_group_no_dynamic_scaling, GROUP, "NewScaling", beside=[policy("NewScaling")]),
    cannot_tell(
        autoscaling_group_no_dynamic_scaling, GROUP, "NewScaling", beside=[SIMPLE, policy("NewScaling")]
    ),
    passes(autoscaling_group_no_dynamic_scaling, GROUP, beside=[policy("NewScaling", "new"), TRACKING]),
    *(
        cannot_tell(autoscaling_group_no_dynamic_scaling, GROUP, "DescribeSomething", lost={kind: DENIED})
        for kind in (ScalingPolicy, ScheduledAction)
    ),
    passes(autoscaling_group_no_dynamic_scaling, replace(GROUP, min_size=6), lost={ScalingPolicy: DENIED}),
]

CASES = [*HEALTH_CASES, *ZONE_CASES, *SCALING_CASES]
