"""Auto Scaling groups. Their instances are elsewhere: none of them runs any."""

from typing import Any

from local import past
from local.place import Place, scenario, specified, tag_list

HEALTH, SCALING = "autoscaling-group-elb-health-check-off", "autoscaling-group-no-dynamic-scaling"
ZONES = "autoscaling-group-single-az"


def group(place: Place, what: str, *, most: int = 0, zones: str = "ab", **more: Any) -> tuple[str, str]:
    """A group's name and ARN: of up to `most` instances, in the zones with these letters."""
    client, name = place.client("autoscaling"), place.name(what)
    tags: dict[str, str] = place.tags(name, **more.pop("tags", {}))
    client.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=most,
        DesiredCapacity=0,
        AvailabilityZones=[f"{place.region}{letter}" for letter in zones],
        LaunchTemplate={"LaunchTemplateName": template(place), "Version": "$Latest"},
        Tags=[{**tag, "PropagateAtLaunch": False} for tag in tag_list(tags)],
        **more,
    )
    (made,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return name, str(made["AutoScalingGroupARN"])


def template(place: Place) -> str:
    """The launch template of all groups here."""
    name = f"groups-{place.region}"
    if place.book.number(f"{place.account.id} {name}") == 1:
        place.client("ec2").create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={
                "ImageId": "ami-0a1b2c3d4e5f60718",
                "MetadataOptions": {"HttpTokens": "required"},
            },
            TagSpecifications=specified("launch-template", place.tags(name)),
        )
    return name


def schedule(place: Place, name: str) -> None:
    place.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName=name, ScheduledActionName=name, MinSize=0, MaxSize=2, Recurrence="0 6 * * 1-5"
    )
    past.complete_scaling(place.account.id, place.region)


def track(place: Place, name: str, *, enabled: bool = True) -> None:
    """A policy; switched off otherwise than by PutScalingPolicy, of which moto forgets it."""
    cpu = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
    place.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=name,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={**cpu, "TargetValue": 60.0},
    )
    past.complete_scaling(place.account.id, place.region, disabled=() if enabled else (name,))


@scenario(copies=2)
def group_that_does_not_ask_its_balancer(place: Place) -> None:
    name, arn = group(place, "storefront")
    past.balance(place.account.id, place.region, name)
    place.fails(
        HEALTH,
        resource=arn,
        mend=lambda: place.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=name, HealthCheckType="ELB"
        ),
    )


@scenario()
def group_that_asks_its_balancer(place: Place) -> None:
    name, arn = group(place, "checkout", HealthCheckType="ELB")
    past.balance(place.account.id, place.region, name)
    place.looks_like(HEALTH, ZONES, SCALING, resource=arn)


@scenario(copies=2)
def group_in_one_zone(place: Place) -> None:
    name, arn = group(place, "workers", most=2, zones="a")
    schedule(place, name)
    place.fails(
        ZONES,
        resource=arn,
        mend=lambda: place.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=name, AvailabilityZones=[f"{place.region}a", f"{place.region}b"]
        ),
    )


@scenario(copies=2)
def group_that_nothing_scales(place: Place) -> None:
    name, arn = group(place, "api", most=4)
    place.fails(
        SCALING,
        resource=arn,
        mend=lambda: schedule(place, name),
        remove=lambda: place.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=name),
    )


@scenario()
def group_whose_policy_is_switched_off(place: Place) -> None:
    name, arn = group(place, "search", most=4)
    track(place, name, enabled=False)
    place.fails(SCALING, resource=arn)


@scenario()
def group_that_follows_its_load(place: Place) -> None:
    name, arn = group(place, "feed", most=4)
    track(place, name)
    place.looks_like(SCALING, resource=arn)


@scenario()
def group_that_ecs_scales(place: Place) -> None:
    _, arn = group(place, "containers", most=4, tags={"AmazonECSManaged": "true"})
    place.looks_like(SCALING, resource=arn)
