"""How we learn about ECS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.model import Blindness, Gap
from orgscan.secrets import find_named
from orgscan.services.ecs.facts import Container, Service, TaskDefinition, family_of

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        ContainerDefinitionOutputTypeDef,
        DescribeServicesResponseTypeDef,
        KeyValuePairTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
    )

DRIVERS = words(
    "awsfirelens",
    "awslogs",
    "fluentd",
    "gelf",
    "journald",
    "json-file",
    "none",
    "splunk",
    "syslog",
)
PER_CALL = 10
"""The most services that one call describes."""
NONE_LEFT = "Unable to describe task definition"
"""What ECS says to a family whose last revision was deregistered, under a code that means anything."""


@collector(TaskDefinition, calls=("ecs:ListTaskDefinitionFamilies", "ecs:DescribeTaskDefinition"))
def ecs_task_definitions(aws: Reader) -> Iterator[TaskDefinition]:
    """One call per family, answered by its newest active revision; there may be thousands of others."""
    ecs: ECSClient = aws.client("ecs")
    for page in aws.pages(ecs.get_paginator("list_task_definition_families"), status="ACTIVE"):
        yield from aws.each(partial(_task_definition, aws, ecs), page["families"])


def _task_definition(aws: Reader, ecs: ECSClient, family: str) -> TaskDefinition | None:
    """None once it is deregistered. The list has nothing but names: not described is a gap of the list."""
    described = task_definition_description(ecs, family)
    if isinstance(described, Gap):
        aws.spoil(described)
        return None
    if described is None:
        return None
    return TaskDefinition(
        arn=described["taskDefinitionArn"],
        family=described["family"],
        containers=tuple(_container(aws, each) for each in described["containerDefinitions"]),
    )


@fact(absent=())
def task_definition_description(ecs: ECSClient, family: str) -> TaskDefinitionTypeDef | None:
    try:
        return ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    except ClientError as error:
        if NONE_LEFT in str(error):
            return None
        raise


def _container(aws: Reader, container: ContainerDefinitionOutputTypeDef) -> Container:
    name, logs = container["name"], container.get("logConfiguration")
    return Container(
        name=name,
        essential=container.get("essential", True),
        log_driver=DRIVERS[logs["logDriver"]] if logs else None,
        log_mode=logs.get("options", {}).get("mode") if logs else None,
        # Docker's way to say that the image's own check shall not run either.
        health_check=container.get("healthCheck", {}).get("command", ["NONE"])[:1] != ["NONE"],
        secrets=tuple(
            secret
            for variable in container.get("environment", [])
            for secret in _secrets(aws, name, variable)
        ),
    )


def _secrets(aws: Reader, container: str, variable: KeyValuePairTypeDef) -> Iterable[Any]:
    name = variable.get("name", "")
    location = f"container {container}, variable {name}"
    return find_named(name, variable.get("value", ""), location=location, salt=aws.salt)


@collector(Service, calls=("ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"))
def ecs_services(aws: Reader) -> Iterator[Service]:
    ecs: ECSClient = aws.client("ecs")
    for page in aws.pages(ecs.get_paginator("list_clusters")):
        for services in aws.each(partial(_services, aws, ecs), page["clusterArns"]):
            yield from aws.shaped(_service, services)


def _services(aws: Reader, ecs: ECSClient, cluster: str) -> list[ServiceTypeDef]:
    """All of a cluster; none once it is deleted."""
    answers = services_of_cluster(ecs, cluster) or ()
    if isinstance(answers, Gap):
        aws.spoil(answers)
        return []
    for answer in answers:
        for failure in answer.get("failures", []):
            if failure.get("reason") != "MISSING":  # deleted since it was listed
                detail = f"DescribeServices: {failure.get('arn')}: {failure.get('reason')}"
                aws.spoil(Gap(aws.name, Blindness.FAULT, detail))
    return [service for answer in answers for service in answer["services"]]


@fact(absent="ClusterNotFoundException")
def services_of_cluster(ecs: ECSClient, cluster: str) -> tuple[DescribeServicesResponseTypeDef, ...]:
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster, PaginationConfig={"PageSize": 100})
    arns = [arn for page in pages for arn in page["serviceArns"]]
    return tuple(
        ecs.describe_services(cluster=cluster, services=arns[start : start + PER_CALL])
        for start in range(0, len(arns), PER_CALL)
    )


def _service(service: ServiceTypeDef) -> Service | None:
    if service["status"] == "INACTIVE":
        return None
    # Where something else than ECS deploys, the task sets say what the service itself does not.
    parts: list[Mapping[str, Any]] = [service, *service.get("deployments", []), *service.get("taskSets", [])]
    balancers = [each for part in parts for each in part.get("loadBalancers", [])]
    definitions = [part["taskDefinition"] for part in parts if part.get("taskDefinition")]
    return Service(
        arn=service["serviceArn"],
        name=f"{service['clusterArn'].rpartition('/')[2]}/{service['serviceName']}",
        families=frozenset(map(family_of, definitions)),
        target_groups=frozenset(arn for each in balancers for arn in _target_groups(each)),
        probed=bool(balancers) or any(map(_meshed, parts)),
    )


def _target_groups(balancer: Mapping[str, Any]) -> Iterator[str]:
    """None for a classic load balancer. The second belongs to the other colour of a blue/green deployment."""
    for arn in (
        balancer.get("targetGroupArn"),
        balancer.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
    ):
        if arn:
            yield arn


def _meshed(deployment: Mapping[str, Any]) -> bool:
    connected = deployment.get("serviceConnectConfiguration", {}).get("enabled")
    return bool(connected or deployment.get("vpcLatticeConfigurations"))
