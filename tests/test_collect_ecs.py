"""What the ECS collectors see."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.secrets import find_named
from orgscan.services.ecs.collect import ecs_services, ecs_task_definitions
from orgscan.services.ecs.facts import Container, Service, TaskDefinition, family_of
from orgscan.session import Clients
from tests.answers import answer, refuse

ECS = "arn:aws:ecs:eu-west-1:123456789012"
PASSWORD = "gr8-T4lk!ng"
APP = {"name": "app", "image": "shop:1", "memory": 64}


def register(aws: boto3.Session, family: str, *containers: dict[str, Any]) -> str:
    made = aws.client("ecs").register_task_definition(family=family, containerDefinitions=list(containers))
    return str(made["taskDefinition"]["taskDefinitionArn"])


def test_all_facts_of_the_newest_revision(aws: boto3.Session, clients: Clients, target: Target) -> None:
    register(aws, "shop", {**APP, "essential": False})
    arn = register(
        aws,
        "shop",
        {
            **APP,
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
            "logConfiguration": {"logDriver": "awslogs", "options": {"mode": "blocking"}},
            "environment": [{"name": "DB_PASSWORD", "value": PASSWORD}, {"name": "LEVEL", "value": "info"}],
        },
        {
            **APP,
            "name": "helper",
            "essential": False,
            "healthCheck": {"command": ["NONE"]},
            "logConfiguration": {"logDriver": "awsfirelens"},
        },
    )
    (found,) = ecs_task_definitions.read(clients, target, salt="s")
    location = "container app, variable DB_PASSWORD"
    assert found == TaskDefinition(
        arn=arn,
        family="shop",
        containers=(
            Container(
                name="app",
                essential=True,
                log_driver="awslogs",
                log_mode="blocking",
                health_check=True,
                secrets=tuple(find_named("DB_PASSWORD", PASSWORD, location=location, salt="s")),
            ),
            Container(
                name="helper",
                essential=False,
                log_driver="awsfirelens",
                log_mode=None,
                health_check=False,
                secrets=(),
            ),
        ),
    )
    assert len(found.containers[0].secrets) == 1
    assert PASSWORD not in repr(found)


def test_a_container_that_says_little(aws: boto3.Session, clients: Clients, target: Target) -> None:
    register(aws, "shop", APP)
    (found,) = ecs_task_definitions.read(clients, target)
    assert found.containers == (
        Container(name="app", essential=True, log_driver=None, log_mode=None, health_check=False, secrets=()),
    )


def test_families_of_two_pages_and_one_that_is_gone(clients: Clients, target: Target) -> None:
    definition = {"taskDefinitionArn": f"{ECS}:task-definition/one:1", "family": "one"}
    answer(
        clients,
        target,
        "ecs:ListTaskDefinitionFamilies",
        {"families": ["one", "odd"], "nextToken": "more"},
        {"families": ["two"]},
    )
    answer(
        clients,
        target,
        "ecs:DescribeTaskDefinition",
        {"taskDefinition": {**definition, "containerDefinitions": [{"name": "app"}]}},
        {"taskDefinition": {**definition, "containerDefinitions": [{"image": "nameless"}]}},
        {"taskDefinition": {**definition, "family": "two", "containerDefinitions": []}},
    )
    lost: list[Gap] = []
    found = ecs_task_definitions.read(clients, target, spoil=lost.append)
    assert [each.family for each in found] == ["one", "two"]
    assert [gap.reason for gap in lost] == [Blindness.FAULT]


@pytest.mark.parametrize(
    ("message", "gaps"),
    [
        ("Unable to describe task definition.", 0),
        # The same code also means that somebody may not do this.
        ("You do not have permission.", 1),
    ],
)
def test_a_family_without_revisions(clients: Clients, target: Target, message: str, gaps: int) -> None:
    answer(clients, target, "ecs:ListTaskDefinitionFamilies", {"families": ["one"]})
    client = clients.get("ecs", target.region)
    error = ClientError({"Error": {"Code": "ClientException", "Message": message}}, "DescribeTaskDefinition")

    def refused(**_: object) -> None:
        raise error

    client.meta.events.register_first("before-call.ecs.DescribeTaskDefinition", refused)
    lost: list[Gap] = []
    assert list(ecs_task_definitions.read(clients, target, spoil=lost.append)) == []
    assert len(lost) == gaps


def test_definitions_that_nobody_may_read(aws: boto3.Session, clients: Clients, target: Target) -> None:
    register(aws, "shop", APP)
    refuse(clients, target, "ecs:DescribeTaskDefinition", "AccessDeniedException")
    lost: list[Gap] = []
    assert list(ecs_task_definitions.read(clients, target, spoil=lost.append)) == []
    assert lost == [
        Gap("task_definition_description", Blindness.DENIED, "ecs:DescribeTaskDefinition"),
    ]
    refuse(clients, target, "ecs:ListTaskDefinitionFamilies", "AccessDeniedException")
    with pytest.raises(ClientError):
        list(ecs_task_definitions.read(clients, target))


def test_the_services_of_all_clusters(aws: boto3.Session, clients: Clients, target: Target) -> None:
    ecs = aws.client("ecs")
    register(aws, "shop", APP)
    for cluster in ("prod", "empty"):
        ecs.create_cluster(clusterName=cluster)
    for number in range(11):  # one more than one call describes
        ecs.create_service(cluster="prod", serviceName=f"web-{number:02}", taskDefinition="shop")
    found = sorted(ecs_services.read(clients, target), key=lambda each: each.name)
    assert found[0] == Service(
        arn=f"{ECS}:service/prod/web-00",
        name="prod/web-00",
        families=frozenset({"shop"}),
        target_groups=frozenset(),
        probed=False,
    )
    assert [each.name for each in found] == [f"prod/web-{number:02}" for number in range(11)]


def described(**more: Any) -> dict[str, Any]:
    return {
        "serviceArn": f"{ECS}:service/prod/web",
        "serviceName": "web",
        "clusterArn": f"{ECS}:cluster/prod",
        "status": "ACTIVE",
        "taskDefinition": f"{ECS}:task-definition/shop:7",
        **more,
    }


def one_service(aws: boto3.Session, target: Target, *services: dict[str, Any]) -> list[Service]:
    clients = Clients(aws, guarded=True)
    answer(clients, target, "ecs:ListClusters", {"clusterArns": [f"{ECS}:cluster/prod"]})
    answer(clients, target, "ecs:ListServices", {"serviceArns": [f"{ECS}:service/prod/web"]})
    answer(clients, target, "ecs:DescribeServices", {"services": list(services)})
    return list(ecs_services.read(clients, target))


def test_what_probes_a_service(aws: boto3.Session, target: Target) -> None:
    def probed(**more: Any) -> tuple[bool, set[str]]:
        (service,) = one_service(aws, target, described(**more))
        return service.probed, {*service.target_groups}

    blue_green = {"targetGroupArn": "blue", "advancedConfiguration": {"alternateTargetGroupArn": "green"}}
    assert probed() == (False, set())
    assert probed(loadBalancers=[blue_green]) == (True, {"blue", "green"})
    assert probed(loadBalancers=[{"loadBalancerName": "classic"}]) == (True, set())
    assert probed(taskSets=[{"loadBalancers": [{"targetGroupArn": "blue"}]}]) == (True, {"blue"})
    assert probed(deployments=[{"serviceConnectConfiguration": {"enabled": True}}]) == (True, set())
    assert probed(deployments=[{"serviceConnectConfiguration": {"enabled": False}}]) == (False, set())
    assert probed(deployments=[{"vpcLatticeConfigurations": [{"portName": "web"}]}]) == (True, set())


def test_what_a_service_runs(aws: boto3.Session, target: Target) -> None:
    parts = {
        "deployments": [{"taskDefinition": f"{ECS}:task-definition/old:2"}],
        "taskSets": [{"taskDefinition": f"{ECS}:task-definition/green:1"}, {}],
    }
    (service,) = one_service(aws, target, described(**parts))
    assert service.families == {"shop", "old", "green"}
    bare = described()
    del bare["taskDefinition"]
    assert [each.families for each in one_service(aws, target, bare)] == [frozenset()]
    assert one_service(aws, target, described(status="INACTIVE")) == []
    assert len(one_service(aws, target, described(status="DRAINING"))) == 1
    assert [family_of(each) for each in ("shop:7", "shop")] == ["shop", "shop"]


def test_services_that_were_not_described(clients: Clients, target: Target) -> None:
    lost: list[Gap] = []
    answer(
        clients,
        target,
        "ecs:ListClusters",
        {"clusterArns": ["one"], "nextToken": "more"},
        {"clusterArns": []},
    )
    answer(clients, target, "ecs:ListServices", {"serviceArns": ["a", "b", "c"]})
    failures = [{"arn": "a", "reason": "MISSING"}, {"arn": "b", "reason": "TIRED"}]
    answer(
        clients,
        target,
        "ecs:DescribeServices",
        {"services": [described(), {"status": "ACTIVE"}], "failures": failures},
    )
    assert len(list(ecs_services.read(clients, target, spoil=lost.append))) == 1
    assert [gap.detail for gap in lost if "TIRED" in gap.detail] == ["DescribeServices: b: TIRED"]
    assert len(lost) == 2


def test_clusters_that_are_gone_or_denied(aws: boto3.Session, clients: Clients, target: Target) -> None:
    answer(clients, target, "ecs:ListClusters", {"clusterArns": [f"{ECS}:cluster/gone"]})
    lost: list[Gap] = []
    assert list(ecs_services.read(clients, target, spoil=lost.append)) == []
    assert lost == []
    clients = Clients(aws, guarded=True)
    aws.client("ecs").create_cluster(clusterName="prod")
    refuse(clients, target, "ecs:ListServices", "AccessDeniedException")
    assert list(ecs_services.read(clients, target, spoil=lost.append)) == []
    assert lost == [Gap("services_of_cluster", Blindness.DENIED, "ecs:ListServices")]
    refuse(clients, target, "ecs:ListClusters", "AccessDeniedException")
    with pytest.raises(ClientError):
        list(ecs_services.read(clients, target))
