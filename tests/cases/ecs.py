"""What the checks of ECS accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.secrets import Secret
from orgscan.services.ecs.checks import (
    ecs_task_definition_env_secret,
    ecs_task_definition_health_check_missing,
    ecs_task_definition_logging_missing,
)
from orgscan.services.ecs.facts import Container, Service, TaskDefinition
from tests.cases.case import Case, cannot_tell, fails, passes

ECS = "arn:aws:ecs:eu-west-1:123456789012"
DENIED = Gap("-", Blindness.DENIED, "ecs:DescribeServices")
WEB = Container(
    name="web",
    essential=True,
    log_driver="awslogs",
    log_mode=None,
    health_check=True,
    secrets=(),
)
HELPER = replace(WEB, name="helper", essential=False)


def definition(*containers: Container) -> TaskDefinition:
    return TaskDefinition(arn=f"{ECS}:task-definition/shop:7", family="shop", containers=containers)


PASSWORD = Secret("secret-name", "container web, variable DB_PASSWORD", "0123456789abcdef")
TOKEN = Secret("github-token", "container helper, variable CI", "fedcba9876543210")
SEEN = "container web, variable DB_PASSWORD: looks like a secret (secret-name, sha256 0123456789abcdef)"
SECRET_CASES: list[Case] = [
    passes(ecs_task_definition_env_secret, definition(WEB, HELPER)),
    passes(ecs_task_definition_env_secret, definition()),
    fails(ecs_task_definition_env_secret, definition(replace(WEB, secrets=(PASSWORD,))), SEEN),
    fails(
        ecs_task_definition_env_secret,
        definition(replace(WEB, secrets=(PASSWORD,)), replace(HELPER, secrets=(TOKEN,))),
        SEEN,
        "container helper, variable CI: looks like a secret (github-token, sha256 fedcba9876543210)",
    ),
    fails(ecs_task_definition_env_secret, definition(replace(WEB, secrets=(PASSWORD, PASSWORD))), SEEN, SEEN),
]

LOST = "container web has no log driver"
LOGGING_CASES: list[Case] = [
    passes(ecs_task_definition_logging_missing, definition(WEB)),
    passes(ecs_task_definition_logging_missing, definition(replace(WEB, log_driver="awsfirelens"))),
    passes(ecs_task_definition_logging_missing, definition(replace(WEB, log_driver="splunk"))),
    passes(ecs_task_definition_logging_missing, definition(WEB, replace(HELPER, log_driver=None))),
    passes(ecs_task_definition_logging_missing, definition(replace(WEB, log_mode="non-blocking"))),
    # The mode is the awslogs driver's; FireLens has none that could stop the container.
    passes(
        ecs_task_definition_logging_missing,
        definition(replace(WEB, log_driver="awsfirelens", log_mode="blocking")),
    ),
    fails(ecs_task_definition_logging_missing, definition(replace(WEB, log_driver=None)), Problem(LOST)),
    fails(ecs_task_definition_logging_missing, definition(replace(WEB, log_driver="none")), Problem(LOST)),
    fails(
        ecs_task_definition_logging_missing,
        definition(replace(WEB, log_mode="blocking")),
        Problem(
            "container web waits whenever CloudWatch Logs does not answer (mode blocking)",
            severity=Severity.INFORMATIONAL,
        ),
    ),
    fails(
        ecs_task_definition_logging_missing,
        definition(replace(WEB, name="api", log_mode="blocking"), replace(WEB, log_driver=None)),
        LOST,
        "container api waits whenever CloudWatch Logs does not answer (mode blocking)",
    ),
]

BLIND = replace(WEB, health_check=False)
SERVICE = Service(
    arn=f"{ECS}:service/prod/web",
    name="prod/web",
    families=frozenset({"shop"}),
    target_groups=frozenset(),
    probed=False,
)
BEHIND = replace(SERVICE, arn=f"{ECS}:service/prod/api", name="prod/api", probed=True)
ALONE = "neither a load balancer nor Service Connect in front of prod/web"
HEALTH_CASES: list[Case] = [
    passes(ecs_task_definition_health_check_missing, definition(WEB), beside=[SERVICE]),
    passes(ecs_task_definition_health_check_missing, definition(BLIND)),
    passes(ecs_task_definition_health_check_missing, definition(BLIND), beside=[BEHIND]),
    passes(
        ecs_task_definition_health_check_missing,
        definition(BLIND),
        beside=[replace(SERVICE, families=frozenset({"shop-jobs"}))],
    ),
    passes(
        ecs_task_definition_health_check_missing,
        definition(WEB, replace(HELPER, health_check=False)),
        beside=[SERVICE],
    ),
    fails(
        ecs_task_definition_health_check_missing,
        definition(BLIND),
        f"no health check in web, and {ALONE}",
        beside=[SERVICE, BEHIND],
    ),
    fails(
        ecs_task_definition_health_check_missing,
        definition(BLIND, WEB, replace(BLIND, name="api")),
        f"no health check in web, api, and {ALONE}",
        beside=[replace(SERVICE, families=frozenset({"shop", "shop-old"}))],
    ),
    # Which services there are is no question to a definition that checks itself.
    passes(ecs_task_definition_health_check_missing, definition(WEB), lost={Service: DENIED}),
    cannot_tell(
        ecs_task_definition_health_check_missing,
        definition(BLIND),
        "ecs:DescribeServices",
        lost={Service: DENIED},
    ),
]

CASES = [*SECRET_CASES, *LOGGING_CASES, *HEALTH_CASES]
