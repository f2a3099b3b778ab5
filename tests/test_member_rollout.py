"""How the member role comes into accounts: the StackSet, and the account that StackSets never reach."""

import json
from typing import Any

import pytest

from infra import CannotSynthesize
from infra.deployment import BODY_LIMIT, inline
from tests.stacks import Assembly, Template, granted, keys, named, synthesize

# One worker of xdist synthesizes, once.

STACK_SET, ROLE, POLICY = "AWS::CloudFormation::StackSet", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DELEGATED: dict[str, Any] = {
    "name": "other-2",
    "routes": [{"name": "data-lake", "emails": ["data@example.com"], "chat": True, "machine": True}],
    "role": {"name": "other-member"},
    "deployment": {
        "ous": ["ou-ab12-cdefgh34"],
        "call_as": "DELEGATED_ADMIN",
        "region": "eu-central-1",
        "qualifier": "acme1",
        "key": KEY,
        "path": "/security/scans/",
        "permissions_boundary": "teams/edge",
        "tags": {"team": "sécurité", "cost:center": "12"},
    },
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
    (own,) = [{**each} for each in hub.all(ROLE).values() if each.get("RoleName") == "looker"]
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
    hub = other.template("Other-2Hub")
    told = hub.one(STACK_SET)
    assert (told["CallAs"], told["StackSetName"]) == ("DELEGATED_ADMIN", "Other-2Member")
    (group,) = told["StackInstancesGroup"]
    assert group["Regions"] == ["eu-central-1"]
    assert not [each for each in hub.all(ROLE).values() if "RoleName" in each]


def test_a_role_that_was_told_no_organization_asks_for_none(other: Assembly) -> None:
    (statement,) = other.template("Other-2Member").one(ROLE)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}


def test_every_role_keeps_to_the_rules_of_the_house(other: Assembly) -> None:
    boundary = "arn:AWS::Partition:iam::AWS::AccountId:policy/teams/edge"
    for stack, count in (("Other-2Hub", 5), ("Other-2Member", 1)):
        template = other.template(stack)
        roles = template.all(ROLE).values()
        assert len(roles) >= count
        assert {(each["Path"], named(each["PermissionsBoundary"])) for each in roles} == {
            ("/security/scans/", boundary)
        }
    policies = other.template("Other-2Member").all(POLICY).values()
    assert {each["Path"] for each in policies} == {"/security/scans/"}


def test_hub_and_member_role_find_each_other_under_a_path(other: Assembly) -> None:
    hub, member = other.template("Other-2Hub"), other.template("Other-2Member")
    (statement,) = member.one(ROLE)["AssumeRolePolicyDocument"]["Statement"]
    trusted = [*map(named, statement["Condition"]["ArnLike"]["aws:PrincipalArn"])]
    in_hub = "arn:AWS::Partition:iam::HubAccount:role/security/scans/"
    assert trusted == [f"{in_hub}Other-2Hub-PlanRole*", f"{in_hub}Other-2Hub-ScanRole*"]
    assert {name for name in hub.all(ROLE) if name in ("PlanRole", "ScanRole")} == {"PlanRole", "ScanRole"}
    role = "security/scans/other-member"
    for name in ("Plan", "Scan"):
        assert hub.all("AWS::Lambda::Function")[name]["Environment"]["Variables"]["MEMBER_ROLE"] == role
        reached = granted(hub, f"{name}RoleDefaultPolicy")[f"arn:AWS::Partition:iam::*:role/{role}"]
        assert reached == {"sts:AssumeRole"}


def test_the_hub_asks_for_the_bootstrap_that_was_named(other: Assembly) -> None:
    """And the member for none."""
    hub, member = other.template("Other-2Hub"), other.template("Other-2Member")
    assert hub.json["Parameters"]["BootstrapVersion"]["Default"] == "/cdk-bootstrap/acme1/version"
    code = {json.dumps(each["Code"]["S3Bucket"]) for each in hub.all("AWS::Lambda::Function").values()}
    assert code == {'{"Fn::Sub": "cdk-acme1-assets-${AWS::AccountId}-${AWS::Region}"}'}
    assert "hnb659fds" not in hub.text + member.text
    assert "BootstrapVersion" not in member.text


def test_a_key_of_ones_own_encrypts_all_that_is_kept(other: Assembly) -> None:
    """None is made, and every function may use it."""
    hub = other.template("Other-2Hub")
    assert not hub.all("AWS::KMS::Key")
    assert keys(hub) == [KEY] * 12
    for name in ("Plan", "Scan", "Report", "Notify"):
        assert "kms:GenerateDataKey" in granted(hub, f"{name}RoleDefaultPolicy")[KEY]
    assert granted(hub, "WorkflowMachineRoleDefaultPolicy")[KEY] == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_everything_carries_the_tags(other: Assembly) -> None:
    """What can carry any: not policies, layers, schedules and tables of a catalog."""
    tags = [{"Key": "cost:center", "Value": "12"}, {"Key": "team", "Value": "sécurité"}]
    hub, member = other.template("Other-2Hub"), other.template("Other-2Member")
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", STACK_SET)
    listed = (*map(hub.one, kinds), *hub.all("AWS::Lambda::Function").values(), member.one(ROLE))
    assert all(each["Tags"] == tags for each in listed)
    assert json.loads(hub.one(STACK_SET)["TemplateBody"]) == member.json


def test_two_deployments_share_no_name(assembly: Assembly, other: Assembly) -> None:
    """Whatever is not named here gets its name from its stack's."""
    first = names(assembly, "OrgscanHub", "OrgscanMember")
    second = names(other, "Other-2Hub", "Other-2Member")
    queries = {name for kind, name in first if kind == "AWS::Logs::QueryDefinition"}
    assert {name.partition("/")[0] for name in queries} == {"orgscan"}
    assert {each for each in first if each[1] not in queries} == {
        ("AWS::SNS::Topic", "orgscan-chat-cost"),
        ("AWS::SNS::Topic", "orgscan-machine-data-lake"),
        ("AWS::Athena::WorkGroup", "orgscan"),
        ("AWS::CloudFormation::StackSet", "OrgscanMember"),
        ("AWS::Glue::Database", "orgscan"),
        ("AWS::IAM::Role", "looker"),
        ("stack", "OrgscanHub"),
        ("stack", "OrgscanMember"),
    }
    assert {kind for kind, _ in first} == {kind for kind, _ in second}
    assert not first & second


def names(assembly: Assembly, *stacks: str) -> set[tuple[str, str]]:
    """Kind and name of what CloudFormation does not name.

    An inline policy has its name within its role, a table within its database, a saved query within its
    workgroup; metrics are AWS's.
    """
    found = {("stack", stack) for stack in stacks}
    for stack in stacks:
        for each in assembly.template(stack).json["Resources"].values():
            told = {**each.get("Properties", {}), **each.get("Properties", {}).get("DatabaseInput", {})}
            found |= {
                (each["Type"], value)
                for key, value in told.items()
                if key.endswith("Name") and isinstance(value, str)
                if each["Type"] not in ("AWS::IAM::Policy", "AWS::Athena::NamedQuery") and key != "MetricName"
            }
    return found


def test_a_template_that_a_stack_set_would_not_take_is_refused() -> None:
    def of(size: int) -> dict[str, str]:
        return {"a": "ä" + "x" * (size - len('{"a":"\\u00e4"}'))}

    assert len(inline(of(BODY_LIMIT))) == BODY_LIMIT
    refusal = (
        "^the member role's template has 51201 bytes, and a StackSet takes 51200: leave deployment.ous empty"
    )
    with pytest.raises(CannotSynthesize, match=refusal):
        inline(of(BODY_LIMIT + 1))
