"""What we know about EC2 Auto Scaling."""

from dataclasses import dataclass

from orgscan.model import Resource, Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoScalingGroup(Taggable):
    aws_types = ("AWS::AutoScaling::AutoScalingGroup",)

    name: str
    min_size: int
    max_size: int
    zones: tuple[str, ...]
    health_checks: tuple[str, ...]
    """'EC2', 'ELB', 'EBS', 'VPC_LATTICE'."""
    balancers: tuple[str, ...] = ()
    """Classic load balancers by name, and target groups of the others by ARN."""
    lattices: tuple[str, ...] = ()
    """VPC Lattice target groups that send it traffic."""
    images: tuple[str, ...] = ()
    """Those that it names itself instead of leaving it to a template."""
    pinned: tuple[str, ...] = ()
    """Versions of launch templates that it names by number: 'lt-1:3'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy(Resource):
    aws_types = ("AWS::AutoScaling::ScalingPolicy",)

    group: str
    name: str
    type: str
    enabled: bool
    forecast_only: bool = False
    """Of predictive scaling: it foretells the load and leaves the group as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAction(Resource):
    aws_types = ("AWS::AutoScaling::ScheduledAction",)

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchConfiguration(Resource):
    aws_types = ("AWS::AutoScaling::LaunchConfiguration",)

    image: str
