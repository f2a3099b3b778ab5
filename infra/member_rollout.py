"""The member role in every account: a StackSet, and this account where StackSets never come."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import App, CfnStackSet, Stack
from constructs import Construct

from infra.config import Config
from infra.deployment import inline
from infra.member_role import MemberRole
from infra.member_stack import EXTERNAL_ID, HUB_ACCOUNT, MemberStack


class MemberRollout(Construct):
    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(scope, id)
        here, told = Stack.of(self), config.deployment
        given = {HUB_ACCOUNT: here.account, EXTERNAL_ID: config.role.external_id}
        self.stack_set = CfnStackSet(
            self,
            "StackSet",
            stack_set_name=config.stack("member"),
            description="The role through which orgscan looks at accounts",
            permission_model="SERVICE_MANAGED",
            call_as=told.call_as,
            auto_deployment=CfnStackSet.AutoDeploymentProperty(
                enabled=True, retain_stacks_on_account_removal=False
            ),
            managed_execution={"Active": True},
            capabilities=["CAPABILITY_NAMED_IAM"],
            template_body=self._body(config),
            parameters=[
                CfnStackSet.ParameterProperty(parameter_key=key, parameter_value=value)
                for key, value in given.items()
            ],
            stack_instances_group=[
                CfnStackSet.StackInstancesProperty(
                    deployment_targets=CfnStackSet.DeploymentTargetsProperty(
                        organizational_unit_ids=[*dict.fromkeys(told.ous)]
                    ),
                    regions=[told.region or here.region],
                )
            ],
            # All accounts at once, since IAM counts in each of them. And however many refuse it: an account
            # without the role is a gap in the next report, no reason to take it away from the others.
            operation_preferences=CfnStackSet.OperationPreferencesProperty(
                max_concurrent_percentage=100, failure_tolerance_percentage=100
            ),
        )
        if told.call_as == "SELF":
            MemberRole(
                self, "Own", config=config, hub_account=here.account, external_id=config.role.external_id
            )

    def _body(self, config: Config) -> str:
        """The member stack's template, as it lies in the cloud assembly too."""
        with TemporaryDirectory() as folder:
            app = App(outdir=folder, context=self.node.get_all_context(), analytics_reporting=False)
            stack = MemberStack(app, config.stack("member"), config=config)
            app.synth()
            return inline(json.loads((Path(folder) / stack.template_file).read_text()))
