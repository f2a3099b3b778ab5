"""Known ways from some permissions to more of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orgscan.policy.condition import Condition
from orgscan.policy.match import is_wild
from orgscan.policy.rights import allowing, is_unrestricted
from orgscan.policy.statement import Statement

USER, GROUP, ROLE, POLICY = (
    ("arn:*:iam::*:" + kind,) for kind in ("user/*", "group/*", "role/*", "policy/*")
)
INSTANCE = ("arn:*:ec2:*:*:*",)
NODE = ("arn:*:ssm:*:*:*", *INSTANCE)
SINGLE: dict[str, tuple[str, ...]] = {
    "iam:CreatePolicyVersion": POLICY,
    "iam:SetDefaultPolicyVersion": POLICY,
    "iam:AttachUserPolicy": USER,
    "iam:AttachGroupPolicy": GROUP,
    "iam:AttachRolePolicy": ROLE,
    "iam:PutUserPolicy": USER,
    "iam:PutGroupPolicy": GROUP,
    "iam:PutRolePolicy": ROLE,
    "iam:AddUserToGroup": GROUP,
    "iam:CreateAccessKey": USER,
    "iam:CreateLoginProfile": USER,
    "iam:UpdateLoginProfile": USER,
    "iam:UpdateAssumeRolePolicy": ROLE,
    "iam:DeleteRolePermissionsBoundary": ROLE,
    "iam:DeleteUserPermissionsBoundary": USER,
    "ssm:SendCommand": NODE,
    "ssm:StartSession": NODE,
    "ec2-instance-connect:SendSSHPublicKey": INSTANCE,
    "lambda:UpdateFunctionCode": ("arn:*:lambda:*:*:*",),
    "glue:UpdateDevEndpoint": ("arn:*:glue:*:*:*",),
}
"""Action -> the resources that it is about: on others, allowing it gives nothing."""
ASSUME = "sts:AssumeRole"
"""On every role only: a named one is what the action is for."""
ANY_ROLE = re.compile(r"arn:[^:]*:(?:iam|\*):[^:]*:[^:]*:(?:\*|role\*|role/\*)")
PASS = "iam:PassRole"  # noqa: S105 (an action's name)
COMBINED = (
    ("lambda", "lambda:CreateFunction", "lambda:InvokeFunction"),
    ("lambda", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    ("ec2", "ec2:RunInstances"),
    ("cloudformation", "cloudformation:CreateStack"),
    ("glue", "glue:CreateDevEndpoint"),
    ("glue", "glue:CreateJob", "glue:StartJobRun"),
    ("sagemaker", "sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"),
    ("ecs-tasks", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    ("codebuild", "codebuild:CreateProject", "codebuild:StartBuild"),
    ("states", "states:CreateStateMachine", "states:StartExecution"),
    ("datapipeline", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
)
"""The service that a role is passed to, and what starts something there."""

OWN_CREDENTIALS = frozenset({"iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"})
"""For oneself they are nothing more than one has."""
SELF = "/${aws:username}"
BOUNDED = frozenset({"iam:policyarn", "iam:permissionsboundary"})
"""Keys that leave only chosen policies to attach, or only principals that stay within a boundary."""
ADMIN_POLICIES = ("policy/AdministratorAccess", "policy/IAMFullAccess", "policy/PowerUserAccess")
PASSED_TO = "iam:passedtoservice"


@dataclass(frozen=True, slots=True)
class Escalation:
    path: str
    """'iam:PassRole + ec2:RunInstances'."""
    named_roles: bool = False
    """It passes roles by concrete ARNs only, not any role."""


def paths(
    statements: Iterable[Statement], boundary: Iterable[Statement] | None = None
) -> Iterator[Escalation]:
    """`boundary`: the permissions boundary, which must allow every action as well."""
    given = tuple(statements)
    limits = None if boundary is None else tuple(boundary)
    for action, kinds in SINGLE.items():
        if any(_escalates(each, action) for each in _allowing(given, limits, action, kinds)):
            yield Escalation(action)
    if any(_is_any_role(each) for each in _allowing(given, limits, ASSUME, ROLE)):
        yield Escalation(f"{ASSUME} on *")
    passing = _allowing(given, limits, PASS, ROLE)
    for service, *actions in COMBINED:
        passes = [each for each in passing if _passes_to(each, service)]
        if passes and all(_allowing(given, limits, action, _kinds(action)) for action in actions):
            yield Escalation(" + ".join((PASS, *actions)), all(map(_names_roles, passes)))


def _allowing(
    statements: tuple[Statement, ...],
    boundary: tuple[Statement, ...] | None,
    action: str,
    kinds: tuple[str, ...],
) -> list[Statement]:
    if boundary is not None and not any(allowing(boundary, action, kinds=kinds)):
        return []
    return list(allowing(statements, action, kinds=kinds))


def _kinds(action: str) -> tuple[str, ...]:
    return (f"arn:*:{action.partition(':')[0]}:*:*:*",)


def _escalates(statement: Statement, action: str) -> bool:
    if any(each.key in BOUNDED and _is_chosen(each) for each in statement.conditions):
        return False
    if action not in OWN_CREDENTIALS or statement.resources.outside:
        return True
    return not all(each.endswith(SELF) for each in statement.resources.patterns)


def _is_chosen(condition: Condition) -> bool:
    return condition.pins() and not any(value.endswith(ADMIN_POLICIES) for value in condition.values)


def _is_any_role(statement: Statement) -> bool:
    """Whether it reaches every role, of some account at least."""
    if statement.resources.outside or is_unrestricted(statement.resources):
        return True
    return any(map(ANY_ROLE.fullmatch, statement.resources.patterns))


def _names_roles(statement: Statement) -> bool:
    return not statement.resources.outside and not any(map(is_wild, statement.resources.patterns))


def _passes_to(statement: Statement, service: str) -> bool:
    """Whether it passes roles to a service: iam:PassedToService tells, where it must have a value."""
    return all(
        any(_is_host(value, service) for value in each.values)
        for each in statement.conditions
        if each.key == PASSED_TO and each.pins()
    )


def _is_host(value: str, service: str) -> bool:
    """Whether a service principal is this service's: 'ec2.amazonaws.com', in China 'ec2.amazonaws.com.cn'."""
    return value.lower().partition(".")[0] == service
