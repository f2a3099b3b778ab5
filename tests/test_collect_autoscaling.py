"""What the Auto Scaling collectors see."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import past
from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Target
from orgscan.services.autoscaling import collect
from orgscan.services.autoscaling.facts import (
    AutoScalingGroup,
    LaunchConfiguration,
    ScalingPolicy,
    ScheduledAction,
)
from orgscan.session import Clients
from tests.answers import answer, refuse

ARN = "arn:aws:autoscaling:eu-west-1:123456789012"


@pytest.fixture
def autoscaling(aws: boto3.Session) -> Any:
    return aws.client("autoscaling")


@pytest.fixture
def template(aws: boto3.Session) -> str:
    made = aws.client("ec2").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-12345678"}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def make(autoscaling: Any, template: str, name: str = "web", version: str = "1") -> None:
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=0,
        AvailabilityZones=["eu-west-1a", "eu-west-1b"],
        LaunchTemplate={"LaunchTemplateId": template, "Version": version},
        HealthCheckType="ELB",
        Tags=[{"Key": "Owner", "Value": "ann", "PropagateAtLaunch": False}],
    )


def test_a_group(autoscaling: Any, template: str, clients: Clients, target: Target) -> None:
    make(autoscaling, template)
    (group,) = collect.autoscaling_groups.read(clients, target)
    assert group == AutoScalingGroup(
        arn=autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["AutoScalingGroupARN"],
        tags={"Owner": "ann"},
        name="web",
        min_size=0,
        max_size=4,
        zones=("eu-west-1a", "eu-west-1b"),
        health_checks=("ELB",),
        pinned=(f"{template}:1",),
    )


@pytest.mark.parametrize("version", ["$Latest", "$Default"])
def test_a_version_that_moves_is_not_pinned(
    autoscaling: Any, template: str, clients: Clients, target: Target, version: str
) -> None:
    make(autoscaling, template, version=version)
    (group,) = collect.autoscaling_groups.read(clients, target)
    assert group.pinned == ()


def test_groups_of_two_pages(
    autoscaling: Any, template: str, clients: Clients, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make(autoscaling, template, name=f"web-{number}")
    monkeypatch.setattr(collect, "PAGE", {"PageSize": 2})
    assert [each.name for each in collect.autoscaling_groups.read(clients, target)] == [
        "web-0",
        "web-1",
        "web-2",
    ]


GROUP: dict[str, Any] = {
    "AutoScalingGroupName": "web",
    "AutoScalingGroupARN": f"{ARN}:autoScalingGroup:1:autoScalingGroupName/web",
    "MinSize": 1,
    "MaxSize": 2,
    "AvailabilityZones": ["eu-west-1a"],
    "HealthCheckType": "EC2, EBS",
    "LoadBalancerNames": [],
    "TargetGroupARNs": [],
}


def seen(clients: Clients, target: Target, *groups: Any) -> list[AutoScalingGroup]:
    answer(clients, target, "autoscaling:DescribeAutoScalingGroups", {"AutoScalingGroups": groups})
    return list(collect.autoscaling_groups.read(clients, target, spoil=lambda _: None))


def test_all_that_sends_traffic_to_a_group(clients: Clients, target: Target) -> None:
    sources = [
        {"Identifier": "arn:targetgroup/web/1", "Type": "elbv2"},
        {"Identifier": "classic", "Type": "elb"},
        {"Identifier": "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-1", "Type": "vpc-lattice"},
        {"Identifier": "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-2"},
        {"Identifier": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1"},
    ]
    listed = {
        **GROUP,
        "TargetGroupARNs": ["arn:targetgroup/web/1"],
        "LoadBalancerNames": ["classic"],
        "TrafficSources": sources,
    }
    (group,) = seen(clients, target, listed)
    assert group.balancers == (
        "classic",
        "arn:targetgroup/web/1",
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1",
    )
    assert [each.rpartition("/")[2] for each in group.lattices] == ["tg-1", "tg-2"]
    assert group.health_checks == ("EC2", "EBS")


def test_all_that_a_group_launches(clients: Clients, target: Target) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "3"},
            "Overrides": [
                {"InstanceType": "m5.large"},
                {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "12"}},
                {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-3"}},
                {"ImageId": "ami-1"},
            ],
        }
    }
    (group,) = seen(clients, target, {**GROUP, "MixedInstancesPolicy": policy})
    assert (group.pinned, group.images) == (("lt-1:3", "lt-2:12"), ("ami-1",))


def test_a_group_that_is_being_deleted_is_gone(clients: Clients, target: Target) -> None:
    assert seen(clients, target, {**GROUP, "Status": "Delete in progress"}) == []


def test_an_odd_group_costs_itself(clients: Clients, target: Target) -> None:
    odd = [{name: GROUP[name] for name in GROUP if name != left_out} for left_out in GROUP]
    answer(clients, target, "autoscaling:DescribeAutoScalingGroups", {"AutoScalingGroups": [*odd, GROUP]})
    lost: list[Gap] = []
    (group,) = collect.autoscaling_groups.read(clients, target, spoil=lost.append)
    assert group.name == "web"
    assert [(each.scope, each.reason) for each in lost] == [
        ("autoscaling-groups", Blindness.FAULT) for _ in odd
    ]


def test_what_scales_a_group(autoscaling: Any, template: str, clients: Clients, target: Target) -> None:
    make(autoscaling, template)
    autoscaling.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50.0,
        },
    )
    autoscaling.put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledActionName="night", MinSize=0, MaxSize=1, Recurrence="0 0 * * *"
    )
    past.complete_scaling(target.account, target.region)
    (policy,) = collect.autoscaling_policies.read(clients, target)
    assert policy == ScalingPolicy(
        arn=policy.arn, group="web", name="cpu", type="TargetTrackingScaling", enabled=True
    )
    assert policy.arn.endswith(":autoScalingGroupName/web:policyName/cpu")
    (action,) = collect.autoscaling_scheduled_actions.read(clients, target)
    assert action == ScheduledAction(arn=action.arn, group="web")
    assert action.arn.startswith(f"{ARN}:scheduledUpdateGroupAction:")


POLICY: dict[str, Any] = {
    "AutoScalingGroupName": "web",
    "PolicyName": "cpu",
    "PolicyARN": f"{ARN}:scalingPolicy:1:autoScalingGroupName/web:policyName/cpu",
    "PolicyType": "PredictiveScaling",
    "Enabled": True,
}


@pytest.mark.parametrize("mode", [None, "ForecastOnly", "ForecastAndScale"])
def test_a_forecast_scales_only_where_it_says_so(clients: Clients, target: Target, mode: str | None) -> None:
    configuration = {"MetricSpecifications": [], **({"Mode": mode} if mode else {})}
    listed = [
        {**POLICY, "PredictiveScalingConfiguration": configuration},
        {**POLICY, "PolicyType": "StepScaling"},
    ]
    answer(clients, target, "autoscaling:DescribePolicies", {"ScalingPolicies": listed})
    predictive, step = collect.autoscaling_policies.read(clients, target)
    assert predictive.forecast_only is (mode != "ForecastAndScale")
    assert not step.forecast_only


def test_an_odd_policy_costs_itself(clients: Clients, target: Target) -> None:
    """One that does not say whether it is enabled among them."""
    odd = [{name: POLICY[name] for name in POLICY if name != left_out} for left_out in POLICY]
    answer(clients, target, "autoscaling:DescribePolicies", {"ScalingPolicies": [*odd, POLICY]})
    lost: list[Gap] = []
    assert len(list(collect.autoscaling_policies.read(clients, target, spoil=lost.append))) == 1
    assert [(each.scope, each.reason) for each in lost] == [
        ("autoscaling-policies", Blindness.FAULT) for _ in odd
    ]


def test_a_launch_configuration(autoscaling: Any, clients: Clients, target: Target) -> None:
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="old", ImageId="ami-12345678", InstanceType="m5.large"
    )
    (configuration,) = collect.autoscaling_launch_configurations.read(clients, target)
    assert configuration == LaunchConfiguration(arn=configuration.arn, image="ami-12345678")
    assert configuration.arn.startswith(f"{ARN}:launchConfiguration:")


@pytest.mark.parametrize(
    ("collector", "call"),
    [
        (collect.autoscaling_groups, "autoscaling:DescribeAutoScalingGroups"),
        (collect.autoscaling_policies, "autoscaling:DescribePolicies"),
        (collect.autoscaling_scheduled_actions, "autoscaling:DescribeScheduledActions"),
        (collect.autoscaling_launch_configurations, "autoscaling:DescribeLaunchConfigurations"),
    ],
)
def test_a_denied_listing_is_not_an_empty_one(
    collector: AnyCollector, call: str, clients: Clients, target: Target
) -> None:
    refuse(clients, target, call)
    with pytest.raises(ClientError, match=call):
        list(collector.read(clients, target))
