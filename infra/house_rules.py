"""What a company asks of everything that is deployed into its accounts."""

from aws_cdk import Stack, Tags
from aws_cdk import aws_iam as iam

from infra.deployment import Deployment


def keep_to(stack: Stack, rules: Deployment) -> None:
    """To be called last: it goes through what the stack has, the roles that CDK made included."""
    boundary = rules.permissions_boundary
    if boundary and not boundary.startswith("arn:"):
        boundary = stack.format_arn(service="iam", region="", resource="policy", resource_name=boundary)
    for each in stack.node.find_all():
        if isinstance(each, iam.CfnRole | iam.CfnManagedPolicy):
            each.path = rules.path
        if isinstance(each, iam.CfnRole):
            each.permissions_boundary = boundary
    for key, value in rules.tags.items():
        Tags.of(stack).add(key, value)
