"""Who is in the organization, and who of them a scope or a request means."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from orgscan import catalog, session
from orgscan.organization import Account, CannotPlan
from orgscan.request import InvalidScanRequest
from orgscan.session import Clients
from orgscan.settings import Scope
from tests.planning import EU, STATIC, Answers, account, names, page, places, plan, planner, refusal


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


@pytest.fixture
def organization(home: Clients) -> dict[str, str]:
    """Name -> id. Root (master): Production (shop): EU (pay, and old, which is suspended); Sandbox (play)."""
    client = home.get("organizations")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    ids = {"root": root}
    for parent, unit in [("root", "Production"), ("Production", "EU"), ("root", "Sandbox")]:
        made = client.create_organizational_unit(ParentId=ids[parent], Name=unit)
        ids[unit] = made["OrganizationalUnit"]["Id"]
    for unit, name in [("Production", "shop"), ("EU", "pay"), ("EU", "old"), ("Sandbox", "play")]:
        made = client.create_account(Email=f"{name}@example.com", AccountName=name)
        ids[name] = made["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=ids[name], SourceParentId=root, DestinationParentId=ids[unit])
    client.close_account(AccountId=ids["old"])
    for name, stage in [("shop", "prod"), ("pay", "prod"), ("play", "dev")]:
        client.tag_resource(
            ResourceId=ids[name], Tags=[{"Key": "stage", "Value": stage}, {"Key": "owner", "Value": name}]
        )
    return ids


def test_everyone_active_is_planned_and_the_others_are_reported(
    home: Clients, organization: dict[str, str]
) -> None:
    made, targets = plan(planner(home, EU))
    assert names(targets) == ["master", "pay", "play", "shop"]
    assert made.skipped == (Account(organization["old"], "old", "SUSPENDED"),)
    assert (made.accounts, made.planned) == (4, len(targets)) == (4, 8)
    assert made.checks == tuple(check.id for check in catalog.checks())


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ({"ous": ("Production",)}, ["pay", "shop"]),
        ({"ous": ("EU", "Sandbox")}, ["pay", "play"]),
        ({"ous": ("root",)}, ["master", "pay", "play", "shop"]),
        ({"account_tags": {"stage": "prod"}}, ["pay", "shop"]),
        ({"account_tags": {"stage": "prod", "owner": "pay"}}, ["pay"]),
        ({"accounts": ("shop", "play")}, ["play", "shop"]),
        ({"exclude_accounts": ("shop", "play")}, ["master", "pay"]),
        ({"ous": ("Production",), "exclude_accounts": ("pay",)}, ["shop"]),
    ],
)
def test_a_scope_narrows(
    home: Clients, organization: dict[str, str], scope: Mapping[str, Any], found: list[str]
) -> None:
    known: dict[str, Any] = {
        field: value if isinstance(value, dict) else tuple(organization[each] for each in value)
        for field, value in scope.items()
    }
    assert names(plan(planner(home, replace(EU, **known)))[1]) == found


def test_a_listed_account_that_has_left_is_reported(home: Clients, organization: dict[str, str]) -> None:
    scope = replace(EU, accounts=(organization["pay"], "999999999999"))
    made, targets = plan(planner(home, scope))
    assert names(targets) == ["pay"]
    assert made.skipped == (Account("999999999999", "", "NOT IN THE ORGANIZATION"),)
    excluded, _ = plan(planner(home, replace(scope, exclude_accounts=("999999999999",))))
    assert excluded.skipped == ()


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"accounts": ["shop", "play"]}, ["shop"]),
        ({"ous": ["EU"]}, ["pay"]),
        ({"account_tags": {"stage": "prod"}}, ["pay", "shop"]),
    ],
)
def test_a_request_narrows_the_scope_and_never_widens_it(
    home: Clients, organization: dict[str, str], request_: Mapping[str, Any], found: list[str]
) -> None:
    inside = replace(EU, ous=(organization["Production"],))
    asked: dict[str, Any] = {
        field: value if isinstance(value, dict) else [organization[each] for each in value]
        for field, value in request_.items()
    }
    if "play" in request_.get("accounts", ()):
        with pytest.raises(
            InvalidScanRequest, match=rf'^accounts\[1\]: "{organization["play"]}" must be an account in'
        ):
            plan(planner(home, inside), **asked)
        asked["accounts"].pop()
    assert names(plan(planner(home, inside), **asked)[1]) == found


def test_a_page_without_accounts_is_not_the_last(home: Clients) -> None:
    pages = Answers(
        [
            page(Accounts=[account(2, State="ACTIVE")], NextToken="a"),
            page(Accounts=[], NextToken="b"),
            page(NextToken="c"),
            page(Accounts=[account(1, State="ACTIVE")]),
        ]
    ).serve(home.get("organizations"), "ListAccounts")
    assert names(plan(planner(home, EU))[1]) == ["account-1", "account-2"]
    assert [json.loads(request).get("NextToken") for request in pages.requests] == [None, "a", "b", "c"]


def test_an_answer_that_broke_off_is_not_the_last_page(home: Clients) -> None:
    """Or the accounts after it would be forgotten without a word."""
    accounts = Answers([page(Accounts=[account(1, State="ACTIVE")], NextToken="more"), (200, b'{"Accou')])
    accounts.serve(home.get("organizations"), "ListAccounts")
    with pytest.raises(CannotPlan, match="accounts cannot be listed"):
        plan(planner(home, EU))


def test_state_is_believed_before_status(home: Clients) -> None:
    told = [
        account(1, State="ACTIVE"),
        account(2, Status="ACTIVE"),
        account(3, State="PENDING_CLOSURE", Status="ACTIVE"),
        account(4, State="ACTIVE", Status="SUSPENDED"),
        account(5, Status="SUSPENDED"),
        account(6),
    ]
    Answers([page(Accounts=told)]).serve(home.get("organizations"), "ListAccounts")
    made, targets = plan(planner(home, EU))
    assert names(targets) == ["account-1", "account-2", "account-4"]
    assert [(each.name, each.state) for each in made.skipped] == [
        ("account-3", "PENDING_CLOSURE"),
        ("account-5", "SUSPENDED"),
        ("account-6", "UNKNOWN"),
    ]


def test_without_organizations_the_listed_accounts_are_planned_and_nobody_else_is_asked(
    home: Clients,
) -> None:
    asked = Answers().serve(home.get("organizations"), "*")
    made, targets = plan(planner(home, replace(STATIC, exclude_accounts=("222222222222",))))
    assert places(targets) == ["1 global", "1 eu-west-1"]
    assert (made.accounts, asked.requests) == (1, [])


def test_an_organization_that_does_not_answer_is_explained(home: Clients) -> None:
    denied = (
        "User: arn:aws:sts::1:assumed-role/plan/plan is not authorized to perform: organizations:ListAccounts"
    )
    Answers([refusal("AccessDeniedException", denied)]).serve(home.get("organizations"), "ListAccounts")
    with pytest.raises(CannotPlan) as failed:
        plan(planner(home, EU))
    assert str(failed.value) == (
        "the organization's accounts cannot be listed (denied: organizations:ListAccounts)."
        " Deploy orgscan in the management account or a delegated administrator,"
        " or set accounts.organization to false and list accounts.ids in orgscan.yaml."
    )


def test_a_unit_that_cannot_be_read_is_not_guessed(home: Clients, organization: dict[str, str]) -> None:
    denied = "User: u is not authorized to perform: organizations:ListAccountsForParent"
    Answers([refusal("AccessDeniedException", denied)]).serve(
        home.get("organizations"), "ListAccountsForParent"
    )
    with pytest.raises(
        CannotPlan, match=r"cannot be selected .*\(denied: organizations:ListAccountsForParent\)"
    ):
        plan(planner(home, replace(EU, ous=(organization["EU"],))))


def test_an_unknown_unit_is_named(home: Clients, organization: dict[str, str]) -> None:
    unknown = "ou-zzzz-99999999"
    with pytest.raises(
        InvalidScanRequest, match=rf"^ous: {unknown} is not a unit or root of this organization$"
    ):
        plan(planner(home, EU), ous=[organization["EU"], unknown])
    with pytest.raises(CannotPlan, match=rf"^accounts.ous in orgscan.yaml: {unknown} is not"):
        plan(planner(home, replace(EU, ous=(unknown,))))


def test_a_request_for_suspended_accounts_alone_is_refused(
    home: Clients, organization: dict[str, str]
) -> None:
    with pytest.raises(InvalidScanRequest, match="no active account is left"):
        plan(planner(home, EU), accounts=[organization["old"]])


def test_planning_again_is_planning_the_same(home: Clients, organization: dict[str, str]) -> None:
    asked = {"ous": [organization["root"]], "regions": ["eu-*", "global"]}
    assert plan(planner(home, Scope()), **asked) == plan(planner(home, Scope()), **asked)
