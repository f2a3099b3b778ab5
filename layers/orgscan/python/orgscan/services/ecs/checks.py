"""What we expect of ECS."""

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity
from orgscan.services.ecs.facts import Service, TaskDefinition

NEW_REVISION = (
    "aws ecs describe-task-definition --task-definition {arn} --query taskDefinition --region {region}",
    "aws ecs register-task-definition --cli-input-json 'file://<corrected-definition>' --region {region}",
    (
        "aws ecs update-service --cluster '<cluster>' --service '<service>' --task-definition "
        "'<new-revision>' --region {region}"
    ),
)
"""Commands that correct a task definition and run it: a revision never changes."""


@check(
    TaskDefinition,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Put the value into Secrets Manager or Parameter Store, name it under `secrets`, and change it.",
    maps=("FSBP ECS.8",),
    equivalent=("prowler:ecs_task_definitions_no_environment_secrets",),
    cli=(
        (
            "aws secretsmanager create-secret --name '<secret>' --secret-string 'file://<its-new-value>' "
            "--region {region}"
        ),
        *NEW_REVISION,
    ),
    cdk="""
        ecs.CfnTaskDefinition(
            self,
            "Task",
            container_definitions=[
                ecs.CfnTaskDefinition.ContainerDefinitionProperty(
                    name="<container>",
                    image="<image>",
                    secrets=[
                        ecs.CfnTaskDefinition.SecretProperty(
                            name="<variable>", value_from="<arn-of-the-secret>"
                        )
                    ],
                )
            ],
        )
    """,
)
def ecs_task_definition_env_secret(definition: TaskDefinition) -> Problems:
    """A container definition passes a credential as a plain environment variable.

    Whoever may describe task definitions reads it, for as long as the revision exists, whether a service runs
    it or not. Only rule, place and a salted digest of the value are kept. References under `secrets` pass.
    """
    for container in definition.containers:
        for secret in container.secrets:
            yield f"{secret.location}: looks like a secret ({secret.rule}, sha256 {secret.digest})"


@check(
    TaskDefinition,
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    fix="Give each container a log driver: awslogs, or awsfirelens.",
    maps=("FSBP ECS.9",),
    equivalent=(
        "prowler:ecs_task_definitions_logging_enabled",
        "prowler:ecs_task_definitions_logging_block_mode",
        "trusted-advisor:Amazon ECS AWSLogs driver in blocking mode",
    ),
    cli=NEW_REVISION,
    cdk="""
        ecs.CfnTaskDefinition(
            self,
            "Task",
            container_definitions=[
                ecs.CfnTaskDefinition.ContainerDefinitionProperty(
                    name="<container>",
                    image="<image>",
                    log_configuration=ecs.CfnTaskDefinition.LogConfigurationProperty(
                        log_driver="awslogs",
                        options={
                            "awslogs-group": "<log-group>",
                            "awslogs-region": "<region>",
                            "awslogs-stream-prefix": "<prefix>",
                            "mode": "non-blocking",
                        },
                    ),
                )
            ],
        )
    """,
)
def ecs_task_definition_logging_missing(definition: TaskDefinition) -> Problems:
    """An essential container has no log configuration.

    What it writes is lost with the task. An awslogs driver in blocking mode, which stops the container when
    CloudWatch does not answer, is informational.
    """
    essential = [each for each in definition.containers if each.essential]
    for container in essential:
        if container.log_driver in (None, "none"):
            yield f"container {container.name} has no log driver"
    for container in essential:
        if (container.log_driver, container.log_mode) == ("awslogs", "blocking"):
            text = (
                f"container {container.name} waits whenever CloudWatch Logs does not answer (mode blocking)"
            )
            yield Problem(text, severity=Severity.INFORMATIONAL)


@check(
    TaskDefinition,
    severity=Severity.LOW,
    category=Category.RELIABILITY,
    fix="Add a health check to the container, or put the service behind a load balancer.",
    also=(Service,),
    cli=NEW_REVISION,
    cdk="""
        ecs.CfnTaskDefinition(
            self,
            "Task",
            container_definitions=[
                ecs.CfnTaskDefinition.ContainerDefinitionProperty(
                    name="<container>",
                    image="<image>",
                    health_check=ecs.CfnTaskDefinition.HealthCheckProperty(
                        command=["CMD-SHELL", "<command>"]
                    ),
                )
            ],
        )
    """,
)
def ecs_task_definition_health_check_missing(definition: TaskDefinition, view: View) -> Problems:
    """An essential container of a service has no health check of any kind.

    A container that hangs but does not exit is never replaced. A health check by the service's load balancer,
    by Service Connect or by VPC Lattice is enough. What no service runs (scheduled and one-off tasks) is
    skipped.
    """
    unchecked = [each.name for each in definition.containers if each.essential and not each.health_check]
    if not unchecked:
        return
    services = view.related(Service, "families", definition.family)
    blind = sorted(each.name for each in services if not each.probed)
    if blind:
        yield (
            f"no health check in {', '.join(unchecked)}, and neither a load balancer nor Service Connect in "
            f"front of {', '.join(blind)}"
        )
