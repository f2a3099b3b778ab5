"""What we know about ECS."""

from dataclasses import dataclass

from orgscan.model import Taggable
from orgscan.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One of a task definition. The values of its environment are never read into a fact."""

    name: str
    essential: bool
    """The task stops with it."""
    log_driver: str | None
    """None: it says nothing of logs."""
    log_mode: str | None
    """'blocking' or 'non-blocking', when the driver cannot keep up; None: as the account's default says."""
    health_check: bool
    secrets: tuple[Secret, ...]
    """Of the environment; located by variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition(Taggable):
    """The newest active revision of a family: what the next task will run."""

    aws_types = ()

    family: str
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Taggable):
    aws_types = ("AWS::ECS::Service",)

    name: str
    """Within its cluster: 'shop/web'."""
    families: frozenset[str]
    """Of the task definitions that it runs: several while it deploys."""
    target_groups: frozenset[str]
    """ARNs of those that it puts its tasks into, or takes turns with."""
    probed: bool
    """Something besides the containers' own health checks asks its tasks: a load balancer, Service Connect or
    VPC Lattice."""


def family_of(definition: str) -> str:
    """From an ARN, or from 'family:revision'."""
    return definition.rpartition("/")[2].partition(":")[0]
