"""What cdk-nag objects to and we decided, each with its reason."""

from typing import cast

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Counts for the construct and everything in it."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule in rules))


def wildcard(resource: str) -> str:
    """The rule against wildcards in policies, for one resource: '*', '<Bucket.Arn>/scans/*'."""
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def logical_id(construct: IConstruct) -> str:
    """The name of a construct's main resource in the template, as it stands in cdk-nag's findings."""
    stack = Stack.of(construct)
    return str(stack.resolve(stack.get_logical_id(cast("CfnElement", construct.node.default_child))))
