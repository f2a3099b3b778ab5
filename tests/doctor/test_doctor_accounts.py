"""`orgscan doctor`, of accounts: entered, looked at from inside, or told by the hub. Nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from orgscan.model import GLOBAL, Blindness
from orgscan.receipt import Unseen
from tests.doctor.acme import (
    ACQUIRED,
    NAMES,
    NO_WAY_IN,
    PAYMENTS,
    ROLE,
    SANDBOX,
    SECRET,
    Doctor,
    kinds,
    locked,
    presents,
    regions,
    role,
    saw,
    told,
)
from tests.doctors import HUB, SCP, Call, Refusal, World

# Entering accounts


def test_one_closed_door_among_others(doctor: Doctor, world: World) -> None:
    world.answer("sts:AssumeRole", locked(SANDBOX))
    result = doctor("--json")
    assert kinds(result) == [("error", "role-refused", SANDBOX)]
    assert "missing, or it trusts another hub or ExternalId" in result.output


def test_all_doors_closed_is_rather_the_callers_fault(doctor: Doctor, world: World) -> None:
    world.answer("sts:AssumeRole", locked(*NAMES))
    result = doctor("--json", "--account", PAYMENTS, "--account", SANDBOX)
    assert kinds(result) == [
        ("unseen", "caller-not-trusted", None),
        ("unseen", "account-unseen", PAYMENTS),
        ("unseen", "account-unseen", SANDBOX),
    ]
    assert "entered none of 2 accounts" in result.output


def test_a_door_that_is_open_to_all(doctor: Doctor, world: World) -> None:
    world.answer("sts:AssumeRole", locked(open_=SANDBOX))
    assert kinds(doctor("--json")) == [("warning", "external-id-not-asked", SANDBOX)]


def test_a_door_that_refuses_the_right_key_and_needs_none(doctor: Doctor, world: World) -> None:
    def answer(call: Call) -> Any:
        odd = call.asked["RoleArn"].split(":")[4] == SANDBOX and "ExternalId" in call.asked
        return Refusal("AccessDenied", "no") if odd else locked(open_=SANDBOX)(call)

    world.answer("sts:AssumeRole", answer)
    assert kinds(doctor("--json")) == [("error", "external-id-wrong", SANDBOX)]


def test_whether_a_door_is_open_to_all_may_remain_unknown(doctor: Doctor, world: World) -> None:
    def answer(call: Call) -> Any:
        return locked()(call) if "ExternalId" in call.asked else Refusal("Throttling", "slow down", 400)

    world.answer("sts:AssumeRole", answer)
    result = doctor("--json", "--account", SANDBOX)
    assert kinds(result) == [("unseen", "unseen", SANDBOX)]
    assert "whether the role asks for the ExternalId" in result.output


def test_throttled_is_not_refused(doctor: Doctor, world: World) -> None:
    def answer(call: Call) -> Any:
        there = call.asked["RoleArn"].split(":")[4]
        return Refusal("Unavailable", "busy", 503) if there == SANDBOX else locked()(call)

    world.answer("sts:AssumeRole", answer)
    result = doctor("--json")
    assert kinds(result) == [("unseen", "unseen", SANDBOX)]
    assert "unreachable" in result.output


def test_regions_that_are_closed(doctor: Doctor, world: World) -> None:
    world.refuse("ec2:DescribeRegions", by=SCP, account=SANDBOX, region="us-east-1")
    world.answer("ec2:DescribeRegions", regions(us_east_1="not-opted-in"), account=PAYMENTS)
    result = doctor("--json", regions=["eu-west-1", "us-east-1"])
    assert kinds(result) == [("error", "region-off", PAYMENTS), ("error", "scp-denies", SANDBOX)]
    assert "denies ec2:DescribeRegions (p-closed) in us-east-1" in result.output


def test_only_regions_in_scope_are_asked(doctor: Doctor, world: World) -> None:
    assert doctor("--account", SANDBOX).exit_code == 0
    assert len(world.asked("ec2:DescribeRegions")) == 1, (
        "which regions there are was the home region's answer"
    )
    assert doctor(regions=["us-*"]).exit_code == 0
    asked = {call.region for call in world.asked("ec2:DescribeRegions") if call.account == SANDBOX}
    assert asked == {"us-east-1", "eu-west-1"}, "the home region tells which there are"
    assert not [call for call in world.calls if call.region == "ap-south-1"]


def test_permissions_that_are_missing_and_errors_that_are_not(doctor: Doctor, world: World) -> None:
    world.refuse("s3:ListBuckets", account=SANDBOX)
    world.refuse("iam:GetAccountSummary", account=SANDBOX, by=SCP)
    world.answer("iam:GetAccountSummary", Refusal("NoSuchEntity", "none", 404), account=PAYMENTS)
    result = doctor("--json")
    assert kinds(result) == [("error", "scp-denies", SANDBOX), ("error", "permission-missing", SANDBOX)]
    assert "the role may not s3:ListBuckets in eu-west-1" in result.output


def test_somebody_elses_role_of_the_hub_may_enter(doctor: Doctor, world: World) -> None:
    world.answer("sts:GetCallerIdentity", {"Account": HUB, "Arn": f"arn:aws:iam::{HUB}:user/ci"})
    assert doctor("--role", "OrgscanHub-ScanRole-operator").exit_code == 0
    first, *_ = world.asked("sts:AssumeRole")
    assert first.asked["RoleArn"] == f"arn:aws:iam::{HUB}:role/OrgscanHub-ScanRole-operator"
    assert "ExternalId" not in first.asked


# Looking from inside

INSIDE = ("--json", "--inside", "Owner", "--account", SANDBOX)


def test_from_inside_all_is_well(doctor: Doctor, outsider: World) -> None:
    result = doctor(*INSIDE)
    assert result.exit_code == 0, result.output
    (assumed,) = outsider.asked("sts:AssumeRole")
    assert assumed.asked["RoleArn"].endswith(":role/Owner")
    assert "ExternalId" not in assumed.asked, "it is no role of ours"
    (simulated,) = outsider.asked("iam:SimulatePrincipalPolicy")
    assert "s3:GetBucketPolicy" in simulated.asked["ActionNames"]
    assert simulated.asked["ContextEntries"][0]["ContextKeyValues"] == ["eu-west-1"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Refusal("NoSuchEntity", "none", 404), "role-missing"),
        (role(external_id="another"), "external-id-wrong"),
        (role(hub=PAYMENTS), "role-trust"),
        (role("OtherHub-PlanRole*", "OtherHub-ScanRole*"), "role-trust"),
        (role("OrgscanHub-ScanRole*"), "role-trust"),
        (role(external_id=None), "external-id-not-asked"),
        (role(principal={"Service": "ec2.amazonaws.com"}), "role-trust"),
    ],
)
def test_from_inside_it_is_known_what_is_wrong(
    doctor: Doctor, outsider: World, reply: Any, kind: str
) -> None:
    outsider.answer("iam:GetRole", reply)
    result = doctor(*INSIDE)
    assert [each[1:] for each in kinds(result)] == [(kind, SANDBOX)]
    assert SECRET not in result.output


@pytest.mark.parametrize(
    "roles",
    [
        ["OrgscanHub-PlanRole*", "OrgscanHub-ScanRole*"],
        ["OrgscanHub-PlanRole1A-B2", "OrgscanHub-ScanRole3C-D4"],
        ["OrgscanHub-*"],
        ["*"],
    ],
)
def test_a_trust_in_both_functions_that_enter_is_fine(
    doctor: Doctor, outsider: World, roles: list[str]
) -> None:
    outsider.answer("iam:GetRole", role(*roles))
    assert doctor(*INSIDE).exit_code == 0


def test_what_iam_simulates(doctor: Doctor, outsider: World) -> None:
    denied = [
        {"EvalActionName": "s3:GetBucketAcl", "EvalDecision": "implicitDeny"},
        {
            "EvalActionName": "iam:GetAccountSummary",
            "EvalDecision": "explicitDeny",
            "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
        },
        {"EvalActionName": "ec2:DescribeVpcs", "EvalDecision": "allowed"},
    ]
    outsider.answer("iam:SimulatePrincipalPolicy", {"EvaluationResults": denied, "IsTruncated": False})
    result = doctor(*INSIDE)
    assert kinds(result) == [("error", "permission-missing", SANDBOX), ("error", "scp-denies", SANDBOX)]
    assert "may not s3:GetBucketAcl (simulated)" in result.output
    assert "denies iam:GetAccountSummary (simulated)" in result.output


def test_the_own_account_is_looked_at_with_own_rights(doctor: Doctor, outsider: World) -> None:
    outsider.answer("iam:GetRole", Refusal("NoSuchEntity", "none", 404))
    result = doctor("--json", "--account", HUB)
    assert kinds(result) == [("error", "role-missing", HUB)]
    assert not outsider.asked("sts:AssumeRole")


def test_a_role_inside_that_lets_nobody_in(doctor: Doctor, outsider: World) -> None:
    outsider.refuse("sts:AssumeRole")
    result = doctor(*INSIDE)
    assert kinds(result) == [("unseen", "account-unseen", SANDBOX)]
    assert "sts:AssumeRole" in result.output


def test_whoever_enters_and_looks_from_inside_is_told_both(doctor: Doctor, world: World) -> None:
    denied = {"EvalActionName": "s3:GetBucketAcl", "EvalDecision": "implicitDeny"}
    world.answer("iam:SimulatePrincipalPolicy", {"EvaluationResults": [denied], "IsTruncated": False})
    world.refuse("iam:GetAccountSummary", account=SANDBOX)
    assert kinds(doctor(*INSIDE)) == [("error", "permission-missing", SANDBOX)] * 2


def test_the_path_of_the_role_belongs_to_its_name(doctor: Doctor, world: World) -> None:
    world.answer("lambda:GetFunctionConfiguration", presents(f"of/security/{ROLE}", SECRET))
    path = {"path": "/of/security/"}
    assert doctor("--account", SANDBOX, deployment=path).exit_code == 0
    asked = {call.asked["RoleArn"] for call in world.asked("sts:AssumeRole")}
    assert asked == {f"arn:aws:iam::{SANDBOX}:role/of/security/{ROLE}"}
    assert "orgscan.yaml says" in doctor("--account", SANDBOX).output, "the path is part of what it trusts"


# What the hub saw


def test_who_may_not_enter_is_told_what_the_hub_saw(doctor: Doctor, outsider: World) -> None:
    outsider.scanned("20260101T060000000Z-1", saw(PAYMENTS, GLOBAL), saw(SANDBOX, GLOBAL, NO_WAY_IN))
    outsider.scanned(
        "20260102T060000000Z-2",
        saw(SANDBOX, "eu-west-1", Unseen(Blindness.DENIED, "s3:ListAllMyBuckets", ("a",))),
        saw(SANDBOX, "us-east-1", Unseen(Blindness.REGION_OFF, "us-east-1 is not enabled", ("a",))),
        saw(SANDBOX, GLOBAL, Unseen(Blindness.NO_DATA, "few datapoints", ("a",))),
        saw(ACQUIRED, "eu-west-1", NO_WAY_IN),
        saw(ACQUIRED, GLOBAL, NO_WAY_IN),
    )
    result = doctor("--json", "--account", PAYMENTS, "--account", SANDBOX, "--account", ACQUIRED)
    assert kinds(result) == [
        ("error", "region-off", SANDBOX),
        ("error", "permission-missing", SANDBOX),
        ("error", "role-refused", ACQUIRED),
    ]
    assert not outsider.asked("sts:AssumeRole"), "whom nobody trusts need not try"
    said = [each for each in told(result)["problems"] if each["source"]]
    assert {each["source"] for each in said} == {"scan 20260102T060000000Z-2"}
    (why,) = (each for each in told(result)["problems"] if each["kind"] == "caller-not-trusted")
    assert why["severity"] == "note"
    assert (
        f"trusts the roles OrgscanHub-PlanRole* and OrgscanHub-ScanRole* of {HUB} only, "
        "and you are assumed-role/Admin/alice" in why["problem"]
    )


@pytest.mark.usefixtures("outsider")
def test_what_no_scan_has_looked_at_is_not_well(doctor: Doctor) -> None:
    result = doctor("--json", "--account", PAYMENTS)
    assert (result.exit_code, kinds(result)) == (1, [("unseen", "account-unseen", PAYMENTS)])


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ResourceNotFoundException", "Requested resource not found"),
        ("KMSAccessDeniedException", "the key was disabled"),
    ],
)
def test_a_table_that_does_not_answer_is_told(doctor: Doctor, outsider: World, code: str, said: str) -> None:
    outsider.answer("dynamodb:Query", Refusal(code, said, 400))
    result = doctor("--json", "--account", PAYMENTS)
    assert kinds(result)[0] == ("unseen", "unseen", None)
    assert said in result.output
