"""What we expect of EC2 Auto Scaling."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread
from orgscan.services.autoscaling.facts import AutoScalingGroup, ScalingPolicy, ScheduledAction

SIMPLE = "SimpleScaling"
GOOD_TYPES = ("TargetTrackingScaling", "StepScaling", "PredictiveScaling")
NODE_GROUP = "eks:nodegroup-name"
SCALED_BY_OTHERS = (
    NODE_GROUP,
    "eks:cluster-name",
    "kubernetes.io/cluster/*",
    "k8s.io/cluster-autoscaler/*",
    "karpenter.sh/*",
    "AmazonECSManaged",
    "AWSBatchServiceTag",
)
"""Tag keys of groups whose size something else than Auto Scaling sets."""


@check(
    AutoScalingGroup,
    severity=Severity.LOW,
    category=Category.RELIABILITY,
    fix="Set the health check type to ELB, with a grace period that covers the start of the application.",
    maps=("FSBP AutoScaling.1",),
    equivalent=("prowler:autoscaling_group_elb_health_check_enabled", "trusted-advisor:CLOG40CDO8"),
    cli=(
        (
            "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names={id} --query "
            "'AutoScalingGroups[].[HealthCheckType,TrafficSources]' --region {region}"
        ),
        (
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name={id} "
            "--health-check-type '<elb-or-vpc-lattice-beside-what-is-there>' --health-check-grace-period "
            "'<seconds-the-application-takes-to-start>' --region {region}"
        ),
    ),
    cdk="""
        autoscaling.CfnAutoScalingGroup(
            self,
            "Group",
            min_size="<size>",
            max_size="<size>",
            health_check_type="ELB",
            health_check_grace_period=300,
        )
    """,
)
def autoscaling_group_elb_health_check_off(group: AutoScalingGroup) -> Problems:
    """A group behind a load balancer does not ask it which instances are healthy.

    An instance that runs and no longer answers gets no more traffic, and is not replaced either. Groups
    behind VPC Lattice must ask that; one that is behind both must ask both.
    """
    asked = ", ".join(group.health_checks)
    for sources, type_, name in (
        (group.balancers, "ELB", "load balancer"),
        (group.lattices, "VPC_LATTICE", "VPC Lattice"),
    ):
        if sources and type_ not in group.health_checks:
            names = ", ".join(map(_short, sources))
            yield f"behind a {name} ({names}), with health checks of type {asked} only"


def _short(source: str) -> str:
    """'web' of an ARN that ends in ':targetgroup/web/0123456789abcdef'; a name as it is."""
    parts = source.rpartition(":")[2].split("/")
    return parts[1] if len(parts) > 1 else source


@check(
    AutoScalingGroup,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Add subnets in other Availability Zones to the group.",
    maps=("FSBP AutoScaling.2",),
    equivalent=("prowler:autoscaling_group_multiple_az",),
    cli=(
        "aws ec2 describe-subnets --query 'Subnets[].[VpcId,AvailabilityZone,SubnetId]' --region {region}",
        (
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name={id} "
            "--vpc-zone-identifier '<subnets-in-several-zones>' --region {region}"
        ),
    ),
    cdk="""
        autoscaling.CfnAutoScalingGroup(
            self,
            "Group",
            min_size="<size>",
            max_size="<size>",
            vpc_zone_identifier=["<subnet-in-one-zone>", "<subnet-in-another>"],
        )
    """,
)
def autoscaling_group_single_az(group: AutoScalingGroup, view: View, *, min_azs: int = 2) -> Problems:
    """A group spans a single Availability Zone.

    When that zone fails, so does everything in the group, and there is nowhere to start it anew.
    Informational for a group of one instance at most, and for node groups of EKS, of which there is often
    one per zone.
    """
    if len(group.zones) >= min_azs:
        return
    where = f"only in {', '.join(group.zones) or 'no zone'}"
    if group.max_size <= 1:
        yield Problem(f"{where}; of {group.max_size} instance at most", severity=Severity.INFORMATIONAL)
    elif NODE_GROUP in view.tags(group):
        yield Problem(f"{where}; a node group of EKS", severity=Severity.INFORMATIONAL)
    else:
        yield where


@check(
    AutoScalingGroup,
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    fix="Add a target tracking policy, or set the minimum and the maximum to what is needed.",
    also=(ScalingPolicy, ScheduledAction),
    cli=(
        (
            "aws autoscaling put-scaling-policy --auto-scaling-group-name={id} --policy-name cpu-50 "
            "--policy-type TargetTrackingScaling --target-tracking-configuration "
            '\'{"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, '
            '"TargetValue": 50}\' --region {region}'
        ),
    ),
    cdk="""
        autoscaling.CfnScalingPolicy(
            self,
            "Scaling",
            auto_scaling_group_name="<group>",
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=autoscaling.CfnScalingPolicy.TargetTrackingConfigurationProperty(
                target_value=50,
                predefined_metric_specification=autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="ASGAverageCPUUtilization"
                ),
            ),
        )
    """,
)
def autoscaling_group_no_dynamic_scaling(group: AutoScalingGroup, view: View) -> Problems:
    """A group that could scale has no enabled scaling policy and no schedule.

    Its minimum and maximum differ, and nothing ever moves it between them. Predictive scaling that only
    forecasts moves nothing. Informational where all there is is simple scaling, which waits out a cooldown
    after each step. Groups that EKS, ECS, AWS Batch or a Kubernetes autoscaler sizes are left to those.
    """
    if group.min_size >= group.max_size or _scaled_by_others(view.tags(group)):
        return
    if view.related(ScheduledAction, "group", group.name):
        return
    policies = view.related(ScalingPolicy, "group", group.name)
    enabled = [each for each in policies if each.enabled and not each.forecast_only]
    if any(each.type in GOOD_TYPES for each in enabled):
        return
    unknown = [each for each in enabled if each.type != SIMPLE]
    if unknown:
        detail = f"whether {unknown[0].type}, the type of {unknown[0].name}, scales the group is not known"
        raise Unread(Gap("autoscaling-group-no-dynamic-scaling", Blindness.NO_DATA, detail))
    size = f"between {group.min_size} and {group.max_size} instances"
    if enabled:
        names = ", ".join(each.name for each in enabled)
        yield Problem(f"{size} by simple scaling only: {names}", severity=Severity.INFORMATIONAL)
    else:
        idle = "".join(f"; {each.name} {_why_idle(each)}" for each in policies)
        yield f"{size}, and nothing scales it{idle}"


def _scaled_by_others(tags: Mapping[str, str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in SCALED_BY_OTHERS for key in tags)


def _why_idle(policy: ScalingPolicy) -> str:
    return "only forecasts" if policy.enabled else "is disabled"
