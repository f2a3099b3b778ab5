"""How the member role comes into accounts: the StackSet, and the account that StackSets never reach."""

import json
from typing import Any

import pytest

from infra import CannotSynthesize
from infra.deployment import BODY_LIMIT, inline
from tests.stacks import Assembly, Template, synthesize

# One worker of xdist synthesizes, once.

STACK_SET, ROLE, POLICY = "AWS::CloudFormation::StackSet", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
DELEGATED: dict[str, Any] = {
    "name": "other-2",
    "role": {"name": "other-member"},
    "deployment": {"ous": ["ou-ab12-cdefgh34"], "call_as": "DELEGATED_ADMIN", "region": "eu-central-1"},
}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """A second deployment, whose hub is a delegated administrator."""
    folder = tmp_path_factory.mktemp("other")
    told = folder / "other.yaml"
    told.write_text(json.dumps(DELEGATED))
    done = synthesize(told, folder / "cdk.out")
    assert done.returncode == 0, done.stderr
    return Assembly(folder / "cdk.out")


def test_the_stack_set_holds_the_member_template_itself(hub: Template, member: Template) -> None:
    assert json.loads(hub.one(STACK_SET)["TemplateBody"]) == member.json


def test_the_stack_set_gives_the_template_what_it_asks_for(hub: Template, member: Template) -> None:
    given = {each["ParameterKey"]: each["ParameterValue"] for each in hub.one(STACK_SET)["Parameters"]}
    assert given == {"HubAccount": {"Ref": "AWS::AccountId"}, "ExternalId": "our-secret"}
    assert set(given) == set(member.json["Parameters"])


def test_the_stack_set_covers_accounts_to_come_and_no_failure_takes_the_role_from_others(
    hub: Template,
) -> None:
    told = hub.one(STACK_SET)
    assert (told["PermissionModel"], told["CallAs"]) == ("SERVICE_MANAGED", "SELF")
    assert told["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert told["ManagedExecution"] == {"Active": True}
    assert told["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert told["OperationPreferences"] == {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}
    (group,) = told["StackInstancesGroup"]
    assert group == {
        "DeploymentTargets": {"OrganizationalUnitIds": ["r-ab12", "ou-ab12-cdefgh34"]},
        "Regions": [{"Ref": "AWS::Region"}],
    }


def test_the_management_account_gets_the_same_role_from_the_hub_itself(
    hub: Template, member: Template
) -> None:
    """The parameters aside, which the hub knows."""
    (own,) = [each for each in hub.all(ROLE).values() if each.get("RoleName") == "looker"]
    text = json.dumps(member.one(ROLE))
    known = text.replace("HubAccount", "AWS::AccountId").replace('{"Ref": "ExternalId"}', '"our-secret"')
    expected = json.loads(known)
    assert len(own.pop("ManagedPolicyArns")) == len(expected.pop("ManagedPolicyArns"))
    assert own == expected
    assert [*hub.all(POLICY).values()] == [*member.all(POLICY).values()]


def test_the_role_is_renewed_before_what_asks_for_more(hub: Template) -> None:
    resources = hub.json["Resources"]
    (scan,) = [
        each["DependsOn"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Function" and each["Properties"]["Handler"] == "scan.handler"
    ]
    rolled_out = {name for name in resources if name.startswith("Members")}
    assert rolled_out
    assert rolled_out <= set(scan)


def test_a_delegated_administrator_is_an_account_like_others(other: Assembly) -> None:
    hub = other.template("Other2Hub")
    told = hub.one(STACK_SET)
    assert (told["CallAs"], told["StackSetName"]) == ("DELEGATED_ADMIN", "Other2Member")
    (group,) = told["StackInstancesGroup"]
    assert group["Regions"] == ["eu-central-1"]
    assert not [each for each in hub.all(ROLE).values() if "RoleName" in each]


def test_a_role_that_was_told_no_organization_asks_for_none(other: Assembly) -> None:
    (statement,) = other.template("Other2Member").one(ROLE)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}


def test_a_template_that_a_stack_set_would_not_take_is_refused() -> None:
    def of(size: int) -> dict[str, str]:
        return {"a": "ä" + "x" * (size - len('{"a":"\\u00e4"}'))}

    assert len(inline(of(BODY_LIMIT))) == BODY_LIMIT
    refusal = (
        "^the member role's template has 51201 bytes, and a StackSet takes 51200: leave deployment.ous empty"
    )
    with pytest.raises(CannotSynthesize, match=refusal):
        inline(of(BODY_LIMIT + 1))
