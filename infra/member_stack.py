"""What each account gets: one role. Deployed as a stack, or its template as a StackSet."""

from aws_cdk import CfnParameter, DefaultStackSynthesizer, Stack
from constructs import Construct

from infra.config import Config
from infra.fields import EXTERNAL_ID as ALLOWED
from infra.house_rules import keep_to
from infra.member_role import MemberRole
from orgscan.model import ACCOUNT_ID

HUB_ACCOUNT, EXTERNAL_ID = "HubAccount", "ExternalId"
"""The template's parameters."""


class MemberStack(Stack):
    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            description="orgscan: the role through which the hub looks at this account",
            # It has no assets, so an account needs no bootstrapping to get it.
            synthesizer=DefaultStackSynthesizer(
                qualifier=config.deployment.qualifier, generate_bootstrap_version_rule=False
            ),
        )
        hub_account = CfnParameter(
            self,
            HUB_ACCOUNT,
            description="The account that orgscan runs in",
            allowed_pattern=f"^{ACCOUNT_ID}$",
        )
        external_id = CfnParameter(
            self,
            EXTERNAL_ID,
            description="As role.external_id in orgscan.yaml",
            default=config.role.external_id,
            allowed_pattern=ALLOWED,
        )
        MemberRole(
            self,
            "Member",
            config=config,
            hub_account=hub_account.value_as_string,
            external_id=external_id.value_as_string,
        )
        keep_to(self, config.deployment)
