"""What cdk-nag and checkov object to and we decided, each with its reason."""

from typing import Any, cast

from aws_cdk import Acknowledgment, CfnElement, CfnResource, Stack, Validations
from constructs import IConstruct

CHECKOV = "CKV_"
"""What the ids of checkov's rules begin with."""


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """cdk-nag's rules for the construct and everything in it; checkov's for its main resource."""
    of_nag = [rule for rule in rules if not rule.startswith(CHECKOV)]
    if of_nag:
        Validations.of(construct).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule in of_nag))
    of_checkov = [{"id": rule, "comment": reason} for rule in rules if rule.startswith(CHECKOV)]
    if of_checkov:
        resource = cast("CfnResource", construct.node.default_child)
        known: Any = resource.get_metadata("checkov") or {"skip": []}
        resource.add_metadata("checkov", {"skip": [*known["skip"], *of_checkov]})


def wildcard(resource: str) -> str:
    """The rule against wildcards in policies, for one resource: '*', '<Bucket.Arn>/scans/*'."""
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def logical_id(construct: IConstruct) -> str:
    """The name of a construct's main resource in the template, as it stands in cdk-nag's findings."""
    stack = Stack.of(construct)
    return str(stack.resolve(stack.get_logical_id(cast("CfnElement", construct.node.default_child))))
