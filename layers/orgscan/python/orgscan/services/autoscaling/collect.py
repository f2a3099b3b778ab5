"""How we learn about EC2 Auto Scaling."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.autoscaling.facts import (
    AutoScalingGroup,
    LaunchConfiguration,
    ScalingPolicy,
    ScheduledAction,
)

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import (
        AutoScalingGroupTypeDef,
        LaunchConfigurationTypeDef,
        LaunchTemplateSpecificationTypeDef,
        PaginatorConfigTypeDef,
        ScalingPolicyTypeDef,
        ScheduledUpdateGroupActionTypeDef,
        TrafficSourceIdentifierTypeDef,
    )

PAGE: PaginatorConfigTypeDef = {"PageSize": 100}
"""The most that Auto Scaling allows; it gives 50 where nothing is said."""
GOING = "Delete in progress"


@collector(AutoScalingGroup, calls=("autoscaling:DescribeAutoScalingGroups",))
def autoscaling_groups(aws: Reader) -> Iterator[AutoScalingGroup]:
    client: AutoScalingClient = aws.client("autoscaling")
    listing = client.get_paginator("describe_auto_scaling_groups")
    for page in aws.pages(listing, PaginationConfig=PAGE):
        yield from aws.shaped(partial(_group, aws), page["AutoScalingGroups"])


def _group(aws: Reader, group: AutoScalingGroupTypeDef) -> AutoScalingGroup | None:
    if group.get("Status") == GOING:
        return None
    sources = group.get("TrafficSources", [])
    lattices = [each["Identifier"] for each in sources if _is_lattice(each)]
    balancers = [
        *group["LoadBalancerNames"],
        *group["TargetGroupARNs"],
        *(each["Identifier"] for each in sources if not _is_lattice(each)),
    ]
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = mixed.get("Overrides", [])
    templates = [
        group.get("LaunchTemplate"),
        mixed.get("LaunchTemplateSpecification"),
        *(each.get("LaunchTemplateSpecification") for each in overrides),
    ]
    return AutoScalingGroup(
        arn=group["AutoScalingGroupARN"],
        tags=aws.tags(group.get("Tags")),
        name=group["AutoScalingGroupName"],
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        zones=tuple(group["AvailabilityZones"]),
        health_checks=tuple(each.strip() for each in group["HealthCheckType"].split(",")),
        balancers=tuple(dict.fromkeys(balancers)),
        lattices=tuple(lattices),
        images=tuple(each["ImageId"] for each in overrides if each.get("ImageId")),
        pinned=tuple(filter(None, map(_pinned, templates))),
    )


def _is_lattice(source: TrafficSourceIdentifierTypeDef) -> bool:
    """The type may be left out where the ARN tells it."""
    return source.get("Type") == "vpc-lattice" or ":vpc-lattice:" in source["Identifier"]


def _pinned(template: LaunchTemplateSpecificationTypeDef | None) -> str | None:
    """None for the latest version, and for the default one, which is also meant where none is named."""
    if not template or not template.get("Version", "$Default").isdigit():
        return None
    return f"{template['LaunchTemplateId']}:{template['Version']}"


@collector(ScalingPolicy, calls=("autoscaling:DescribePolicies",))
def autoscaling_policies(aws: Reader) -> Iterator[ScalingPolicy]:
    client: AutoScalingClient = aws.client("autoscaling")
    for page in aws.pages(client.get_paginator("describe_policies"), PaginationConfig=PAGE):
        yield from aws.shaped(_policy, page["ScalingPolicies"])


def _policy(policy: ScalingPolicyTypeDef) -> ScalingPolicy:
    mode = policy.get("PredictiveScalingConfiguration", {}).get("Mode")
    return ScalingPolicy(
        arn=policy["PolicyARN"],
        group=policy["AutoScalingGroupName"],
        name=policy["PolicyName"],
        type=policy["PolicyType"],
        enabled=policy["Enabled"],
        # Which is what it does where no mode is named.
        forecast_only=policy["PolicyType"] == "PredictiveScaling" and mode != "ForecastAndScale",
    )


@collector(ScheduledAction, calls=("autoscaling:DescribeScheduledActions",))
def autoscaling_scheduled_actions(aws: Reader) -> Iterator[ScheduledAction]:
    client: AutoScalingClient = aws.client("autoscaling")
    for page in aws.pages(client.get_paginator("describe_scheduled_actions"), PaginationConfig=PAGE):
        yield from aws.shaped(_action, page["ScheduledUpdateGroupActions"])


def _action(action: ScheduledUpdateGroupActionTypeDef) -> ScheduledAction:
    return ScheduledAction(arn=action["ScheduledActionARN"], group=action["AutoScalingGroupName"])


@collector(LaunchConfiguration, calls=("autoscaling:DescribeLaunchConfigurations",))
def autoscaling_launch_configurations(aws: Reader) -> Iterator[LaunchConfiguration]:
    client: AutoScalingClient = aws.client("autoscaling")
    listing = client.get_paginator("describe_launch_configurations")
    for page in aws.pages(listing, PaginationConfig=PAGE):
        yield from aws.shaped(_configuration, page["LaunchConfigurations"])


def _configuration(configuration: LaunchConfigurationTypeDef) -> LaunchConfiguration:
    return LaunchConfiguration(arn=configuration["LaunchConfigurationARN"], image=configuration["ImageId"])
