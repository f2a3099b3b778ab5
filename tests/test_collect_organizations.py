"""What is seen of an organization from its management account."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import Policy, parse
from orgscan.services.organizations.collect import organizations_member_accounts
from orgscan.services.organizations.facts import MemberAccount
from orgscan.session import Clients
from tests.answers import answer, refuse

DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
}


@pytest.fixture
def organizations(aws: boto3.Session) -> Any:
    client = aws.client("organizations")
    client.create_organization(FeatureSet="ALL")
    return client


def member(organizations: Any, name: str, unit: str | None = None) -> str:
    made = organizations.create_account(AccountName=name, Email=f"{name}@acme.example")
    account: str = made["CreateAccountStatus"]["AccountId"]
    if unit:
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    return account


def seen(clients: Clients, everywhere: Target) -> dict[str, MemberAccount]:
    return {each.name: each for each in organizations_member_accounts.read(clients, everywhere)}


def test_policies_are_told_level_by_level(organizations: Any, clients: Clients, everywhere: Target) -> None:
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"][
        "Id"
    ]
    deeper = organizations.create_organizational_unit(ParentId=unit, Name="Prod")["OrganizationalUnit"]["Id"]
    top, deep = member(organizations, "top"), member(organizations, "deep", deeper)
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    policy = organizations.create_policy(
        Name="stay", Description="stay", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(DENY)
    )["Policy"]["PolicySummary"]["Id"]
    for place in (unit, top):
        organizations.attach_policy(PolicyId=policy, TargetId=place)
    found = seen(clients, everywhere)
    assert found.keys() == {"top", "deep"}  # no policy holds the management account back
    stay, full = parse(DENY), {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert [[stay in level for level in [each]] for each in found["top"].policies] == [[False], [True]]
    assert [stay in level for level in found["deep"].policies] == [False, True, False, False]
    everything = parse({"Version": "2012-10-17", "Statement": full})
    assert all(everything in level for level in found["deep"].policies)
    assert (found["deep"].id, found["deep"].all_features) == (deep, True)
    assert found["deep"].imdsv2_declared is False


def test_a_declarative_policy_of_a_unit_holds_below_it(
    organizations: Any, clients: Clients, everywhere: Target
) -> None:
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Prod")["OrganizationalUnit"]["Id"]
    member(organizations, "out")
    member(organizations, "in", unit)
    said = {"ec2_attributes": {"instance_metadata_defaults": {"http_tokens": {"@@assign": "required"}}}}
    content = {"PolicySummary": {"Id": "p-1"}, "Content": json.dumps(said)}
    answer(clients, everywhere, "organizations:ListPolicies", {"Policies": []}, {"Policies": [{"Id": "p-1"}]})
    answer(clients, everywhere, "organizations:DescribePolicy", {"Policy": content})
    answer(clients, everywhere, "organizations:ListTargetsForPolicy", {"Targets": [{"TargetId": unit}]})
    found = seen(clients, everywhere)
    assert {name: each.imdsv2_declared for name, each in found.items()} == {"in": True, "out": False}


@pytest.mark.parametrize("content", ["{}", '{"ec2_attributes": []}', '{"ec2_attributes": {"x": 1}}'])
def test_another_declaration_is_none(
    organizations: Any, clients: Clients, everywhere: Target, content: str
) -> None:
    root = organizations.list_roots()["Roots"][0]["Id"]
    member(organizations, "one")
    answer(clients, everywhere, "organizations:ListPolicies", {"Policies": []}, {"Policies": [{"Id": "p-1"}]})
    answer(clients, everywhere, "organizations:DescribePolicy", {"Policy": {"Content": content}})
    answer(clients, everywhere, "organizations:ListTargetsForPolicy", {"Targets": [{"TargetId": root}]})
    assert seen(clients, everywhere)["one"].imdsv2_declared is False


def test_what_a_policy_says_may_be_denied(organizations: Any, clients: Clients, everywhere: Target) -> None:
    member(organizations, "one")
    root = organizations.list_roots()["Roots"][0]["Id"]
    answer(clients, everywhere, "organizations:ListPolicies", {"Policies": [{"Id": "p-1"}]})
    answer(clients, everywhere, "organizations:ListTargetsForPolicy", {"Targets": [{"TargetId": root}]})
    refuse(clients, everywhere, "organizations:DescribePolicy")
    (one,) = seen(clients, everywhere).values()
    ((lost,), ()) = one.policies
    assert isinstance(lost, Gap)
    assert lost.reason is Blindness.DENIED
    assert isinstance(one.imdsv2_declared, Gap)


def test_what_is_no_policy_is_a_gap(organizations: Any, clients: Clients, everywhere: Target) -> None:
    member(organizations, "one")
    root = organizations.list_roots()["Roots"][0]["Id"]
    answer(clients, everywhere, "organizations:ListPolicies", {"Policies": [{"Id": "p-1"}]}, {"Policies": []})
    answer(clients, everywhere, "organizations:ListTargetsForPolicy", {"Targets": [{"TargetId": root}]})
    answer(clients, everywhere, "organizations:DescribePolicy", {"Policy": {"Content": "nonsense"}})
    (one,) = seen(clients, everywhere).values()
    assert [isinstance(each, Policy) for level in one.policies for each in level] == [False]


def test_closed_accounts_are_left_out(organizations: Any, clients: Clients, everywhere: Target) -> None:
    organizations.close_account(AccountId=member(organizations, "closed"))
    member(organizations, "open")
    answer(clients, everywhere, "organizations:ListPolicies", {"Policies": []})
    assert seen(clients, everywhere).keys() == {"open"}


def test_without_all_features_no_policy_is_asked_for(
    organizations: Any, clients: Clients, everywhere: Target
) -> None:
    member(organizations, "one")
    told = {"FeatureSet": "CONSOLIDATED_BILLING", "MasterAccountId": everywhere.account}
    answer(clients, everywhere, "organizations:DescribeOrganization", {"Organization": told})
    refuse(clients, everywhere, "organizations:ListPolicies")
    (one,) = seen(clients, everywhere).values()
    assert (one.all_features, one.policies) == (False, ((), ()))


def test_nothing_without_an_organization_or_outside_its_management_account(
    clients: Clients, everywhere: Target
) -> None:
    assert list(organizations_member_accounts.read(clients, everywhere)) == []
    told = {"FeatureSet": "ALL", "MasterAccountId": "999999999999"}
    answer(clients, everywhere, "organizations:DescribeOrganization", {"Organization": told})
    assert list(organizations_member_accounts.read(clients, everywhere)) == []


def test_a_denied_look_is_not_an_empty_organization(clients: Clients, everywhere: Target) -> None:
    refuse(clients, everywhere, "organizations:DescribeOrganization", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        list(organizations_member_accounts.read(clients, everywhere))


@pytest.mark.parametrize("odd", [{"MasterAccountId": ""}, {"FeatureSet": "SOME"}])
def test_an_organization_that_makes_no_sense_is_not_somebody_elses(
    clients: Clients, everywhere: Target, odd: dict[str, Any]
) -> None:
    told = {"FeatureSet": "ALL", "MasterAccountId": everywhere.account, **odd}
    answer(clients, everywhere, "organizations:DescribeOrganization", {"Organization": told})
    with pytest.raises((KeyError, ValueError)):
        list(organizations_member_accounts.read(clients, everywhere))


@pytest.mark.parametrize(
    ("told", "members"),
    [
        ({"State": "ACTIVE"}, ["a"]),
        ({"Status": "ACTIVE"}, ["a"]),
        ({"State": "CLOSED", "Status": "ACTIVE"}, []),
        ({"State": "PENDING_ACTIVATION"}, []),
    ],
)
def test_state_says_who_is_a_member_and_status_where_there_is_none(
    told: dict[str, str], members: list[str], organizations: Any, clients: Clients, everywhere: Target
) -> None:
    listed = {"Id": "222222222222", "Arn": "arn:aws:organizations::1:account/o-1/2", "Name": "a", **told}
    assert organizations
    answer(clients, everywhere, "organizations:ListAccountsForParent", {"Accounts": [listed]})
    assert [each.name for each in organizations_member_accounts.read(clients, everywhere)] == members


def test_an_account_in_no_state_ends_the_listing(
    organizations: Any, clients: Clients, everywhere: Target
) -> None:
    listed = {"Id": "222222222222", "Arn": "arn:aws:organizations::1:account/o-1/2", "Name": "a"}
    assert organizations
    answer(clients, everywhere, "organizations:ListAccountsForParent", {"Accounts": [listed]})
    with pytest.raises(KeyError):
        list(organizations_member_accounts.read(clients, everywhere))
