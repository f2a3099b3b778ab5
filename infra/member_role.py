"""The role that a scan assumes in an account: what the collectors declare, and nothing else."""

import json
from collections.abc import Iterator

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import Config
from infra.nag import acknowledge, wildcard
from orgscan import catalog
from orgscan.iam import action

POLICY_LIMIT = 6_144
"""Characters of a managed policy, white space not counted."""


class MemberRole(Construct):
    def __init__(
        self, scope: Construct, id: str, *, config: Config, hub_account: str, external_id: str
    ) -> None:
        super().__init__(scope, id)
        in_hub = f"arn:{Stack.of(self).partition}:iam::{hub_account}:role{config.deployment.path}"
        trusted = [f"{in_hub}{each}*" for each in config.hub_roles]
        known = {"sts:ExternalId": external_id}
        if config.role.organization_id:
            known["aws:PrincipalOrgID"] = config.role.organization_id
        actions = sorted({*map(action, catalog.calls())})
        policies = [self._policy(number, part) for number, part in enumerate(_parts(actions), 1)]
        self.role = iam.Role(
            self,
            "Role",
            role_name=config.role.name,
            description="Lets orgscan look; made from the API calls that its collectors declare",
            # The account with a condition: a role named as principal would have to exist first, and be gone
            # for good when it is replaced.
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(hub_account),
                {"StringEquals": known, "ArnLike": {"aws:PrincipalArn": trusted}},
            ),
            managed_policies=policies,
        )

    def _policy(self, number: int, actions: list[str]) -> iam.ManagedPolicy:
        statement = iam.PolicyStatement(actions=actions, resources=["*"])
        policy = iam.ManagedPolicy(
            self, f"Look{number}", description="What orgscan's collectors read", statements=[statement]
        )
        acknowledge(policy, "A scan looks at everything, and its actions only look", wildcard("*"))
        acknowledge(policy, "Parameters are searched for secrets; no value is kept", "CKV_AWS_108")
        return policy


def _parts(actions: list[str]) -> Iterator[list[str]]:
    """As few lists as fit into a policy each."""
    part: list[str] = []
    for each in actions:
        if len(_document([*part, each])) > POLICY_LIMIT:
            yield part
            part = []
        part.append(each)
    yield part


def _document(actions: list[str]) -> str:
    statement = {"Action": actions, "Effect": "Allow", "Resource": "*"}
    return json.dumps({"Statement": [statement], "Version": "2012-10-17"}, separators=(",", ":"))
