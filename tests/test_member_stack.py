"""What the member stack promises."""

import json

from orgscan import catalog, iam
from tests.stacks import Assembly, Template, listed, named

# One worker of xdist synthesizes, once.


def test_the_member_role_may_do_exactly_what_collectors_declare(member: Template) -> None:
    policies = member.all("AWS::IAM::ManagedPolicy").values()
    statements = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    assert {action for each in statements for action in listed(each["Action"])} == {
        iam.action(call) for call in catalog.calls()
    }
    assert {(each["Effect"], each["Resource"]) for each in statements} == {("Allow", "*")}


def test_the_member_role_trusts_the_hubs_functions_who_know_the_external_id(member: Template) -> None:
    role = member.one("AWS::IAM::Role")
    assert role["RoleName"] == "looker"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert named(statement["Principal"]["AWS"]) == "arn:AWS::Partition:iam::HubAccount:root"
    assert statement["Condition"]["StringEquals"] == {
        "sts:ExternalId": {"Ref": "ExternalId"},
        "aws:PrincipalOrgID": "o-a1b2c3d4e5",
    }
    trusted = [*map(named, statement["Condition"]["ArnLike"]["aws:PrincipalArn"])]
    assert trusted == [
        "arn:AWS::Partition:iam::HubAccount:role/OrgscanHub-PlanRole*",
        "arn:AWS::Partition:iam::HubAccount:role/OrgscanHub-ScanRole*",
    ]
    assert member.json["Parameters"]["ExternalId"]["Default"] == "our-secret"


def test_a_stack_set_takes_the_member_template_as_it_is(assembly: Assembly, member: Template) -> None:
    """No bootstrap, no assets, no more than its limit of 51,200 bytes."""
    assert set(member.json["Parameters"]) == {"HubAccount", "ExternalId"}
    assert set(member.json) == {"Description", "Parameters", "Resources"}
    (asset,) = json.loads((assembly.folder / "OrgscanMember.assets.json").read_text())["files"].values()
    assert asset["source"]["path"] == "OrgscanMember.template.json"
    assert len(json.dumps(member.json)) < 51_200
