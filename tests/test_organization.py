"""Who is in the organization, and who of them a scope or a request means."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from orgscan import catalog, session
from orgscan.organization import CALLS, Account, CannotPlan, Organization, Selection
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


def test_ten_thousand_accounts_are_all_read_whatever_pages_are_empty_between(home: Clients) -> None:
    told = [account(number, State="ACTIVE") for number in range(10_000)]
    pages: list[dict[str, Any]] = []
    for start in range(0, len(told), 250):
        pages += [{"Accounts": told[start : start + 250]}, *[{"Accounts": []}] * (start % 2000 == 0)]
    tokens = [{"NextToken": f"{number}"} for number in range(1, len(pages))]
    served = Answers(page(**each, **token) for each, token in zip(pages, [*tokens, {}], strict=True))
    served.serve(home.get("organizations"), "ListAccounts")
    organization = Organization(home.get("organizations"))
    everyone = organization.accounts()
    assert [int(each.id) for each in everyone] == list(range(10_000))
    assert len(served.requests) == len(pages) == 45
    excluded = {f"{number:012}" for number in range(0, 10_000, 2)}
    chosen = organization.select(everyone, Selection(exclude=excluded))
    assert [int(each.id) for each in chosen] == list(range(1, 10_000, 2))
    assert len(served.requests) == len(pages) == 45


def test_units_are_read_to_the_bottom_whatever_pages_they_come_in(home: Clients) -> None:
    """Production (1), in it Shop (none), in it EU (2, 3), beside it US (4); somewhere else are 5 and 6."""
    client = home.get("organizations")
    top, shop, eu, us = (f"ou-ab12-0000000{number}" for number in range(4))
    everyone = page(Accounts=[account(number, State="ACTIVE") for number in range(1, 7)])
    Answers([everyone]).serve(client, "ListAccounts")
    inside = [
        page(Accounts=[], NextToken="a"),
        page(Accounts=[account(1)]),
        page(Accounts=[]),
        page(Accounts=[account(2)], NextToken="b"),
        page(Accounts=[account(3)]),
        page(Accounts=[account(4)]),
    ]
    accounts = Answers(inside).serve(client, "ListAccountsForParent")
    units = [
        page(OrganizationalUnits=[{"Id": shop}]),
        page(OrganizationalUnits=[{"Id": eu}], NextToken="c"),
        page(OrganizationalUnits=[]),
        page(OrganizationalUnits=[], NextToken="d"),
        page(OrganizationalUnits=[{"Id": us}]),
        page(OrganizationalUnits=[]),
    ]
    parents = Answers(units).serve(client, "ListOrganizationalUnitsForParent")
    _, targets = plan(planner(home, replace(EU, ous=(top,))))
    assert names(targets) == ["account-1", "account-2", "account-3", "account-4"]
    assert [json.loads(request)["ParentId"] for request in accounts.requests] == [top, top, shop, eu, eu, us]
    assert (accounts, parents) == ([], [])


def test_a_tag_on_a_later_page_is_a_tag(home: Clients) -> None:
    Answers([page(Accounts=[account(1, State="ACTIVE"), account(2, State="ACTIVE")])]).serve(
        home.get("organizations"), "ListAccounts"
    )
    tags = [
        page(Tags=[{"Key": "owner", "Value": "ada"}], NextToken="a"),
        page(Tags=[{"Key": "stage", "Value": "prod"}]),
        page(Tags=[{"Key": "stage", "Value": "Prod"}]),
    ]
    Answers(tags).serve(home.get("organizations"), "ListTagsForResource")
    assert names(plan(planner(home, replace(EU, account_tags={"stage": "prod"})))[1]) == ["account-1"]


@pytest.mark.parametrize("included", ["accounts", "ous", "account_tags"])
def test_an_exclusion_beats_every_way_to_include(
    home: Clients, organization: dict[str, str], included: str
) -> None:
    pay = organization["pay"]
    named: dict[str, Any] = {
        "accounts": (pay, organization["shop"]),
        "ous": (organization["Production"],),
        "account_tags": {"stage": "prod"},
    }
    only: dict[str, Any] = {included: named[included]}
    scope = replace(EU, exclude_accounts=(pay,), **only)
    made, targets = plan(planner(home, scope))
    assert names(targets) == ["shop"]
    assert pay in made.members, "who is excluded is no stranger to the others"
    with pytest.raises(InvalidScanRequest, match=rf'"{pay}" must be an account in the configured scope'):
        plan(planner(home, scope), accounts=[pay])


def test_all_that_planning_asks_a_delegated_administrator_may_ask() -> None:
    """As AWS's own model says; what is kept for the management account does not say so."""
    service = botocore.session.get_session().get_service_model("organizations")
    may = {
        f"organizations:{name}"
        for name in service.operation_names
        if "delegated administrator" in service.operation_model(name).documentation
    }
    assert set(CALLS) <= may
    assert "organizations:CreateAccount" not in may


def test_a_member_that_may_list_plans_the_whole_organization(home: Clients) -> None:
    """Deployed in the delegated administrator 2: the management account 1 is one of those that it scans."""
    arn = "arn:aws:organizations::000000000001:account/o-abcdefghij/{:012}"
    told = [account(number, State="ACTIVE", Arn=arn.format(number)) for number in (1, 2, 3)]
    Answers([page(Accounts=told)]).serve(home.get("organizations"), "ListAccounts")
    _, targets = plan(planner(home, EU))
    assert {(int(each.account), each.payer) for each in targets} == {(1, True), (2, False), (3, False)}


def test_an_account_without_an_organization_is_told_what_to_set(home: Clients) -> None:
    unused = refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    Answers([unused]).serve(home.get("organizations"), "ListAccounts")
    with pytest.raises(CannotPlan, match=r"not a member of an organization.*set accounts.organization to"):
        plan(planner(home, EU))


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
        account(7, State="ON_LOAN", Status="ACTIVE"),
    ]
    Answers([page(Accounts=told)]).serve(home.get("organizations"), "ListAccounts")
    made, targets = plan(planner(home, EU))
    assert names(targets) == ["account-1", "account-2", "account-4"]
    assert [(each.name, each.state) for each in made.skipped] == [
        ("account-3", "PENDING_CLOSURE"),
        ("account-5", "SUSPENDED"),
        ("account-6", "UNKNOWN"),
        ("account-7", "ON_LOAN"),
    ]


def test_without_organizations_the_listed_accounts_are_planned_and_nobody_else_is_asked(
    home: Clients,
) -> None:
    asked = Answers().serve(home.get("organizations"), "*")
    scoped = planner(home, replace(STATIC, exclude_accounts=("222222222222",)))
    made, targets = plan(scoped, accounts=["111111111111"])
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
