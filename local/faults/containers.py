"""Clusters, task definitions and repositories."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from local.faults.balancers import GROUP_UNUSED, group
from local.place import Place, scenario

TAGS = "tag-required-key-missing"
SECRET, LOGS = "ecs-task-definition-env-secret", "ecs-task-definition-logging-missing"
HEALTH = "ecs-task-definition-health-check-missing"
ENDPOINT, CONTROL_PLANE = "eks-endpoint-public-unrestricted", "eks-control-plane-logging-incomplete"
ENCRYPTION, VERSION = "eks-secrets-not-kms-encrypted", "eks-version-unsupported-or-extended"
PUBLIC = "ecr-repository-public-policy"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
NOW = datetime.now(UTC)


def _version(name: str, status: str, *, ends_in_days: int) -> dict[str, Any]:
    standard = NOW + timedelta(days=ends_in_days)
    return {
        "clusterVersion": name,
        "clusterType": "eks",
        "versionStatus": status,
        "endOfStandardSupportDate": standard,
        "endOfExtendedSupportDate": standard + timedelta(days=365),
    }


ABSENT: Mapping[str, Any] = {
    "eks:DescribeClusterVersions": {
        "clusterVersions": [
            _version("1.34", "STANDARD_SUPPORT", ends_in_days=400),
            _version("1.32", "STANDARD_SUPPORT", ends_in_days=40),
            _version("1.30", "EXTENDED_SUPPORT", ends_in_days=-150),
            _version("1.24", "UNSUPPORTED", ends_in_days=-900),
        ]
    }
}
"""It changes with time, and not from account to account."""


def definition(place: Place, what: str, *, revisions: int = 1, **container: Any) -> tuple[str, str]:
    """A task definition's family, and the ARN of its newest revision; None leaves a member out."""
    family = place.name(what)
    made = {
        "name": "app",
        "image": f"{place.account.id}.dkr.ecr.{place.region}.amazonaws.com/{what}:1.4.2",
        "memory": 512,
        "essential": True,
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": f"/ecs/{what}"}},
        "healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost:8080/health"]},
        **container,
    }
    arn = ""
    for _ in range(revisions):
        arn = place.client("ecs").register_task_definition(
            family=family,
            containerDefinitions=[{name: value for name, value in made.items() if value is not None}],
            tags=_tags(place, family),
        )["taskDefinition"]["taskDefinitionArn"]
    return family, arn


def _tags(place: Place, name: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in place.tags(name).items()]


def service(place: Place, what: str, family: str, **more: Any) -> None:
    """In a cluster of its own."""
    ecs, name = place.client("ecs"), place.name(what)
    ecs.create_cluster(clusterName=name, tags=_tags(place, name))
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=family,
        desiredCount=2,
        tags=_tags(place, name),
        **more,
    )


def retire(place: Place, arn: str) -> None:
    place.client("ecs").deregister_task_definition(taskDefinition=arn)


@scenario(copies=2)
def password_in_the_environment(place: Place) -> None:
    environment = [
        {"name": "DB_HOST", "value": "db.acme.example"},
        {"name": "DB_PASSWORD", "value": "gr8-T4lk!ng"},
    ]
    family, arn = definition(place, "billing", environment=environment)
    place.fails(SECRET, resource=arn)
    service(place, "billing", family)


@scenario()
def password_by_reference(place: Place) -> None:
    secret = place.arn("secretsmanager", "secret:reports-db-AbCdEf")
    _, arn = definition(
        place,
        "reports",
        environment=[{"name": "LOG_LEVEL", "value": "info"}, {"name": "DB_SECRET_ARN", "value": secret}],
        secrets=[{"name": "DB_PASSWORD", "valueFrom": secret}],
    )
    place.looks_like(SECRET, LOGS, resource=arn)


@scenario(copies=2)
def container_without_logs(place: Place) -> None:
    _, arn = definition(place, "importer", logConfiguration=None)
    place.fails(LOGS, resource=arn)


@scenario()
def container_that_waits_for_its_logs(place: Place) -> None:
    options = {"awslogs-group": "/ecs/ledger", "mode": "blocking"}
    _, arn = definition(place, "ledger", logConfiguration={"logDriver": "awslogs", "options": options})
    place.fails(LOGS, resource=arn)


@scenario(copies=2)
def service_without_a_health_check(place: Place) -> None:
    family, arn = definition(place, "worker", healthCheck=None)
    service(place, "worker", family)
    place.fails(HEALTH, resource=arn)


@scenario()
def task_without_a_health_check(place: Place) -> None:
    """Nothing runs it all the time."""
    _, arn = definition(place, "nightly", healthCheck=None, revisions=2)
    place.looks_like(HEALTH, resource=arn)


@scenario()
def service_behind_a_balancer(place: Place) -> None:
    """Its group waits for the next blue/green deployment."""
    green = group(place, "front-green")
    family, arn = definition(place, "front", healthCheck=None)
    balancers = [{"targetGroupArn": green, "containerName": "app", "containerPort": 8080}]
    service(place, "front", family, loadBalancers=balancers)
    place.looks_like(HEALTH, resource=arn)
    place.looks_like(GROUP_UNUSED, resource=green)


def cluster(
    place: Place,
    what: str,
    *,
    version: str = "1.34",
    logs: tuple[str, ...] = LOG_TYPES,
    encrypted: bool = True,
    open_to: tuple[str, ...] = (),
) -> tuple[str, str]:
    """A cluster's name and ARN; private unless it is open to somebody."""
    key = {"resources": ["secrets"], "provider": {"keyArn": place.arn("kms", "alias/acme-clusters")}}
    name = place.name(what)
    made = place.client("eks").create_cluster(
        name=name,
        version=version,
        roleArn=f"arn:aws:iam::{place.account.id}:role/eks-cluster",
        resourcesVpcConfig=_network(place, open_to),
        logging=_logging(logs),
        encryptionConfig=[key] if encrypted else [],
        tags=place.tags(name),
    )
    return name, made["cluster"]["arn"]


def _network(place: Place, open_to: tuple[str, ...]) -> dict[str, Any]:
    return {
        "subnetIds": [place.subnet],
        "endpointPublicAccess": bool(open_to),
        "endpointPrivateAccess": not open_to,
        "publicAccessCidrs": [*open_to],
    }


def _logging(types: tuple[str, ...]) -> dict[str, Any]:
    off = [each for each in LOG_TYPES if each not in types]
    return {
        "clusterLogging": [
            {"types": [*types], "enabled": True},
            *([{"types": off, "enabled": False}] if off else []),
        ]
    }


def delete(place: Place, name: str) -> None:
    place.client("eks").delete_cluster(name=name)


@scenario(copies=2)
def cluster_open_to_the_world(place: Place) -> None:
    name, arn = cluster(place, "demo", open_to=("0.0.0.0/0",))
    place.fails(
        ENDPOINT,
        resource=arn,
        mend=lambda: place.client("eks").update_cluster_config(
            name=name, resourcesVpcConfig=_network(place, ())
        ),
        remove=partial(delete, place, name),
    )


@scenario()
def cluster_open_to_the_offices(place: Place) -> None:
    """Informational."""
    _, arn = cluster(place, "offices", open_to=("198.51.100.0/24",))
    place.fails(ENDPOINT, resource=arn)


@scenario()
def cluster_in_good_order(place: Place) -> None:
    _, arn = cluster(place, "main")
    place.looks_like(ENDPOINT, CONTROL_PLANE, ENCRYPTION, VERSION, resource=arn)


@scenario(copies=2)
def cluster_without_an_audit_log(place: Place) -> None:
    name, arn = cluster(place, "batch", logs=("api", "scheduler"))
    place.fails(
        CONTROL_PLANE,
        resource=arn,
        mend=lambda: place.client("eks").update_cluster_config(name=name, logging=_logging(LOG_TYPES)),
        remove=partial(delete, place, name),
    )


@scenario()
def cluster_with_plain_secrets(place: Place) -> None:
    name, arn = cluster(place, "plain", encrypted=False)
    place.fails(ENCRYPTION, resource=arn, remove=partial(delete, place, name))


@scenario(copies=2)
def cluster_in_extended_support(place: Place) -> None:
    name, arn = cluster(place, "forgotten", version="1.30")
    place.fails(VERSION, resource=arn, remove=partial(delete, place, name))


@scenario()
def cluster_that_soon_leaves_standard_support(place: Place) -> None:
    _, arn = cluster(place, "next-up", version="1.32")
    place.fails(VERSION, resource=arn)


def repository(place: Place, what: str, **statement: Any) -> tuple[str, str]:
    """A repository's name and ARN. moto's tagging API knows no repositories, so that none seems tagged."""
    ecr, name = place.client("ecr"), place.name(what)
    made = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    arn = made["repository"]["repositoryArn"]
    statement = {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": PULL, **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ecr.set_repository_policy(repositoryName=name, policyText=policy)
    place.fails(TAGS, resource=arn)
    return name, arn


@scenario(copies=2)
def repository_open_to_everyone(place: Place) -> None:
    name, arn = repository(place, "base-images")
    place.fails(
        PUBLIC,
        resource=arn,
        mend=lambda: place.client("ecr").delete_repository_policy(repositoryName=name),
    )


@scenario()
def repository_open_to_the_organization(place: Place) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1a2b3c4d5e"}}
    _, arn = repository(place, "company", Condition=condition)
    place.looks_like(PUBLIC, resource=arn)
