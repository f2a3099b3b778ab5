"""Known ways from some permissions to more of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orgscan.policy.condition import Condition
from orgscan.policy.match import is_wild
from orgscan.policy.rights import allowing, is_unrestricted
from orgscan.policy.statement import Statement

SINGLE = (
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:AttachUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:PutUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:AddUserToGroup",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:UpdateAssumeRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ec2-instance-connect:SendSSHPublicKey",
    "lambda:UpdateFunctionCode",
    "glue:UpdateDevEndpoint",
)
ASSUME = "sts:AssumeRole"
"""On every role only: a named one is what the action is for."""
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
SELF = ("${aws:username}", "${aws:userid}")
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
    for action in SINGLE:
        if any(_escalates(each, action) for each in _allowing(given, limits, action)):
            yield Escalation(action)
    if any(_is_any_role(each) for each in _allowing(given, limits, ASSUME)):
        yield Escalation(f"{ASSUME} on *")
    passing = _allowing(given, limits, PASS)
    for service, *actions in COMBINED:
        passes = [each for each in passing if _passes_to(each, service)]
        if passes and all(_allowing(given, limits, action) for action in actions):
            yield Escalation(" + ".join((PASS, *actions)), all(map(_names_roles, passes)))


def _allowing(
    statements: tuple[Statement, ...], boundary: tuple[Statement, ...] | None, action: str
) -> list[Statement]:
    if boundary is not None and not any(allowing(boundary, action)):
        return []
    return list(allowing(statements, action))


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
    return any(each.rpartition(":")[2] in ("*", "role*", "role/*") for each in statement.resources.patterns)


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
