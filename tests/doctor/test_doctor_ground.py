"""`orgscan doctor`, before the deployment: each thing that stands in its way is told with its fix."""

from __future__ import annotations

from typing import Any

import pytest

from cli.doctor.visit import CALLS, PROBES, UNPROBED
from orgscan import catalog
from tests.doctor.acme import (
    DECIDED,
    PAYMENTS,
    SECRET,
    Doctor,
    kinds,
    organization,
    stack_set,
    told,
    undeployed,
)
from tests.doctors import HUB, Refusal, World


@pytest.mark.usefixtures("world")
def test_all_is_well(doctor: Doctor) -> None:
    result = doctor("--json")
    assert result.exit_code == 0, result.output
    assert [each["kind"] for each in told(result)["problems"]] == ["account-not-active"]
    assert told(result)["well"] is True


def test_one_call_of_each_service_is_made(doctor: Doctor, world: World) -> None:
    assert doctor("--account", PAYMENTS, checks={}).exit_code == 0
    asked = {call.name for call in world.calls if call.account == PAYMENTS}
    assert asked >= {f"{service}:{operation}" for service, (operation, *_) in PROBES.items()}
    assert {call.name for call in world.calls if call.account == PAYMENTS} <= set(CALLS)
    assert not world.asked("dynamodb:Query"), "whoever gets in needs no older word"


def test_nothing_is_changed_and_the_external_id_never_shown(doctor: Doctor, world: World) -> None:
    world.answer("cloudformation:DescribeStackSet", stack_set("another"))
    result = doctor()
    assert SECRET not in result.output + doctor("--json").output
    verbs = {call.name.partition(":")[2] for call in world.calls}
    changing = {each for each in verbs if not each.startswith(("Describe", "Get", "List"))}
    assert changing == {"AssumeRole", "SimulatePrincipalPolicy"}


def test_every_service_is_probed_by_a_call_that_collectors_declare_or_it_is_said_why_not() -> None:
    assert {call.partition(":")[0] for call in catalog.calls()} == PROBES.keys() | UNPROBED.keys()
    assert not PROBES.keys() & UNPROBED.keys()
    assert {f"{service}:{operation}" for service, (operation, *_) in PROBES.items()} <= catalog.calls()


# Before the deployment


def test_before_the_deployment_the_ground_is_looked_at(doctor: Doctor, world: World) -> None:
    undeployed(world)
    result = doctor("--json")
    assert result.exit_code == 0, result.output
    assert not world.asked("sts:AssumeRole")
    assert told(result)["stack_status"] is None
    missing = doctor("--json", "--deployed")
    assert (missing.exit_code, kinds(missing)) == (1, [("error", "not-deployed", None)])


@pytest.mark.parametrize(
    ("call", "reply", "kind"),
    [
        ("ssm:GetParameter", Refusal("ParameterNotFound", "", 400), "bootstrap-missing"),
        ("ssm:GetParameter", {"Parameter": {"Value": "5"}}, "bootstrap-old"),
        ("cloudformation:DescribeOrganizationsAccess", {"Status": "DISABLED"}, "trusted-access"),
        ("organizations:ListAccounts", Refusal("AccessDeniedException", "no", 400), "organization-closed"),
        (
            "organizations:ListAccounts",
            Refusal("AWSOrganizationsNotInUseException", "no", 400),
            "organization-closed",
        ),
    ],
)
def test_what_the_ground_lacks(doctor: Doctor, world: World, call: str, reply: Any, kind: str) -> None:
    undeployed(world)
    world.answer(call, reply)
    result = doctor("--json")
    assert (result.exit_code, kinds(result)) == (1, [("error", kind, None)])


def test_the_bootstrap_is_looked_for_under_its_qualifier_and_not_where_none_is_wanted(
    doctor: Doctor, world: World
) -> None:
    world.answer("ssm:GetParameter", Refusal("ParameterNotFound", "", 400))
    result = doctor("--json", deployment={"qualifier": "acme1"})
    assert [call.asked["Name"] for call in world.asked("ssm:GetParameter")] == [
        "/cdk-bootstrap/acme1/version"
    ]
    (fix,) = [each["fix"] for each in told(result)["problems"] if each["kind"] == "bootstrap-missing"]
    assert fix == (
        "npx --yes aws-cdk@2 bootstrap --qualifier acme1 --toolkit-stack-name CDKToolkit-acme1 "
        "aws://<account>/<region>"
    )
    assert "bootstrap-missing" not in doctor("--json", deployment={"qualifier": None}).stdout
    assert len(world.asked("ssm:GetParameter")) == 1


def test_a_delegated_administrator_asks_stack_sets_as_one(doctor: Doctor, world: World) -> None:
    world.answer("organizations:DescribeOrganization", organization(PAYMENTS))
    result = doctor("--json")
    assert "delegated" in [each["kind"] for each in told(result)["problems"]]
    for name in ("DescribeOrganizationsAccess", "DescribeStackSet", "ListStackInstances"):
        assert {call.asked["CallAs"] for call in world.asked(f"cloudformation:{name}")} == {"DELEGATED_ADMIN"}


def test_member_roles_that_ask_for_another_organization(doctor: Doctor, world: World) -> None:
    undeployed(world)
    role = DECIDED["role"]
    wrong = doctor("--json", role={**role, "organization_id": "o-zzzzzzzzzz"})
    assert kinds(wrong) == [("error", "organization-id", None)]
    assert doctor("--json", role={**role, "organization_id": "o-a1b2c3d4e5"}).exit_code == 0


def test_a_static_list_asks_organizations_nothing(doctor: Doctor, world: World) -> None:
    result = doctor("--json", accounts={"organization": False, "ids": [PAYMENTS]})
    assert result.exit_code == 0, result.output
    assert not [call for call in world.calls if call.name.startswith("organizations:")]
    assert told(result)["accounts"] == 1


def test_a_unit_that_is_gone(doctor: Doctor, world: World) -> None:
    world.answer("organizations:ListAccountsForParent", Refusal("ParentNotFoundException", "no", 400))
    result = doctor("--json", accounts={"ous": ["ou-ab12-cdefgh34"]})
    assert kinds(result) == [("error", "unit-unknown", None)]


# Exit code 2: nothing can be looked at


def test_wrong_configuration_is_refused(doctor: Doctor, world: World) -> None:
    result = doctor(regions=["eu-nowhere-1"])
    assert result.exit_code == 2
    assert "eu-nowhere-1" in result.stderr
    assert not world.calls


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "ThrottlingException"])
def test_credentials_that_aws_does_not_know(doctor: Doctor, world: World, code: str) -> None:
    world.answer("sts:GetCallerIdentity", Refusal(code, "The security token is no good"))
    result = doctor()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "AWS does not know who asks" in result.stderr
    assert code in result.stderr


def test_no_region_and_no_profile_are_no_tracebacks(
    doctor: Doctor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    result = doctor()
    assert (result.exit_code, world.calls) == (2, [])
    assert "You must specify a region" in result.stderr
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = doctor()
    assert result.exit_code == 2
    assert "nobody" in result.stderr


def test_a_role_that_cannot_be_assumed(doctor: Doctor, world: World) -> None:
    world.refuse("sts:AssumeRole")
    result = doctor("--role", "operator")
    assert result.exit_code == 2
    assert f"--role: operator of {HUB} cannot be assumed" in result.stderr


@pytest.mark.parametrize(
    ("id_", "said"), [("12", "'12' is not an account"), ("999999999999", "not in the scope of orgscan.yaml")]
)
def test_accounts_that_are_none(doctor: Doctor, world: World, id_: str, said: str) -> None:
    result = doctor("--account", id_)
    assert (result.exit_code, world.asked("sts:AssumeRole")) == (2, [])
    assert said in " ".join(result.stderr.split())
