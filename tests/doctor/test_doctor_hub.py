"""`orgscan doctor`, of what was deployed: the hub, its key and the stacks in accounts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doctor.acme import (
    NAMES,
    PAYMENTS,
    ROLE,
    SANDBOX,
    SECRET,
    UNCONFIRMED,
    Doctor,
    instance,
    key,
    key_policy,
    kinds,
    locked,
    presents,
    schedule,
    stack_set,
    status,
    subscriptions,
    told,
    undeployed,
    waiting,
)
from tests.doctors import HUB, Refusal, World

# The deployed hub


def test_it_is_narrowed_to_accounts(doctor: Doctor, world: World) -> None:
    world.answer("sts:AssumeRole", locked(SANDBOX))
    assert doctor("--account", PAYMENTS).exit_code == 0
    assert doctor("--account", PAYMENTS, "--account", SANDBOX).exit_code == 1


@pytest.mark.parametrize(
    ("call", "reply", "severity", "kind"),
    [
        ("scheduler:GetSchedule", schedule("DISABLED"), "error", "schedule-disabled"),
        ("scheduler:ListSchedules", {"Schedules": []}, "error", "schedule-gone"),
        ("sqs:GetQueueAttributes", waiting(3), "error", "dead-letters"),
        ("sns:ListSubscriptionsByTopic", subscriptions("PendingConfirmation"), "error", UNCONFIRMED),
        ("sns:ListSubscriptionsByTopic", subscriptions("Deleted"), "error", "subscription-missing"),
        ("sns:ListSubscriptionsByTopic", subscriptions(), "error", "subscription-missing"),
        ("cloudformation:DescribeStackSet", stack_set("other"), "error", "stack-set-parameter"),
        ("cloudformation:DescribeStackSet", stack_set(hub=PAYMENTS), "error", "stack-set-parameter"),
        ("cloudformation:DescribeStackSet", stack_set(joins=False), "warning", "stack-set-manual"),
        ("lambda:GetFunctionConfiguration", presents(ROLE, "other"), "error", "hub-external-id"),
        ("lambda:GetFunctionConfiguration", presents("other", SECRET), "error", "hub-role"),
        ("lambda:GetFunctionConfiguration", {}, "error", "hub-incomplete"),
        ("cloudformation:DescribeStacks", status("ROLLBACK_COMPLETE"), "error", "stack-failed"),
        ("cloudformation:DescribeStacks", status("UPDATE_IN_PROGRESS"), "warning", "stack-busy"),
    ],
)
def test_what_is_wrong_with_the_hub(
    doctor: Doctor, world: World, call: str, reply: Any, severity: str, kind: str
) -> None:
    world.answer(call, reply)
    result = doctor("--json", "--account", PAYMENTS)
    assert result.exit_code == 1
    assert {*kinds(result)} >= {(severity, kind, None)}
    assert {each[1] for each in kinds(result)} <= {kind, "schedule-missing"}


def test_a_schedule_that_was_never_deployed_and_one_that_is_no_longer_wanted(
    doctor: Doctor, world: World
) -> None:
    world.answer("scheduler:GetSchedule", schedule("ENABLED", "nightly"))
    found = kinds(doctor("--json"))
    assert found == [("error", "schedule-missing", None), ("warning", "schedule-unknown", None)]


@pytest.mark.parametrize(
    "call",
    [
        "organizations:DescribeOrganization",
        "cloudformation:DescribeOrganizationsAccess",
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "cloudformation:DescribeStackSet",
        "cloudformation:ListStackInstances",
        "ssm:GetParameter",
        "sns:ListSubscriptionsByTopic",
        "scheduler:ListSchedules",
        "scheduler:GetSchedule",
        "sqs:GetQueueAttributes",
        "lambda:GetFunctionConfiguration",
    ],
)
def test_what_may_not_be_asked_is_not_well(doctor: Doctor, world: World, call: str) -> None:
    world.refuse(call)
    result = doctor("--json", "--account", PAYMENTS)
    assert result.exit_code == 1
    assert ("unseen", "unseen", None) in kinds(result)
    assert "denied" in result.output


@pytest.mark.parametrize(
    "call",
    [
        "organizations:DescribeOrganization",
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackSet",
        "cloudformation:ListStackInstances",
        "ssm:GetParameter",
        "sns:ListSubscriptionsByTopic",
        "scheduler:GetSchedule",
        "sqs:GetQueueAttributes",
        "sts:AssumeRole",
        "ec2:DescribeRegions",
        "iam:GetRole",
        "dynamodb:Query",
    ],
)
def test_an_answer_that_makes_no_sense_is_not_well(doctor: Doctor, world: World, call: str) -> None:
    if call in ("iam:GetRole", "dynamodb:Query"):
        world.answer("sts:AssumeRole", locked(*NAMES))
    world.answer(call, {"Nonsense": True})
    result = doctor("--json", "--account", HUB if call == "iam:GetRole" else PAYMENTS)
    assert result.exit_code == 1
    assert "fault" in result.output


# Its key

OWN_KEY = f"arn:aws:kms:eu-west-1:{HUB}:key/mrk-{0:032x}"


@pytest.mark.parametrize(
    ("call", "reply", "found"),
    [
        ("kms:DescribeKey", key("Disabled"), ["key-unusable"]),
        ("kms:DescribeKey", key("PendingDeletion"), ["key-unusable"]),
        ("kms:DescribeKey", key(spec="RSA_2048"), ["key-unsuitable"]),
        ("kms:DescribeKey", key(spec="HMAC_256", usage="GENERATE_VERIFY_MAC"), ["key-unsuitable"]),
        ("kms:DescribeKey", Refusal("NotFoundException", "no", 400), ["key-missing"]),
        ("kms:DescribeKey", Refusal("AccessDeniedException", "no", 400), ["unseen"]),
        ("kms:GetKeyPolicy", Refusal("AccessDeniedException", "no", 400), ["unseen"]),
        ("kms:GetKeyPolicy", {"Policy": "none"}, ["unseen"]),
        ("kms:GetKeyPolicy", key_policy("cloudwatch.amazonaws.com"), ["key-closed-to-logs"]),
        ("kms:GetKeyPolicy", key_policy("logs.amazonaws.com"), ["key-closed-to-cloudwatch"]),
        (
            "kms:GetKeyPolicy",
            key_policy(actions=["kms:Decrypt"]),
            ["key-closed-to-logs", "key-closed-to-cloudwatch"],
        ),
    ],
)
@pytest.mark.parametrize("own", [None, OWN_KEY])
def test_what_is_wrong_with_the_key(
    doctor: Doctor, world: World, call: str, reply: Any, found: list[str], own: str | None
) -> None:
    world.answer(call, reply)
    result = doctor("--json", deployment={"key": own})
    assert result.exit_code == 1
    assert [kind for _, kind, _ in kinds(result)] == found
    asked = own or "1234abcd"
    assert {each.asked["KeyId"] for each in world.asked("kms:DescribeKey")} == {asked}
    assert all(asked in each["problem"] for each in told(result)["problems"] if each["kind"] in found)


def test_a_key_of_ones_own_is_looked_at_before_the_deployment(doctor: Doctor, world: World) -> None:
    undeployed(world)
    assert doctor("--json", deployment={"key": OWN_KEY}).exit_code == 0
    world.answer("kms:GetKeyPolicy", key_policy("logs.amazonaws.com"))
    result = doctor("--json", deployment={"key": OWN_KEY})
    assert kinds(result) == [("error", "key-closed-to-cloudwatch", None)]
    assert doctor("--json").exit_code == 0, "there is no other key yet"


# Stack instances


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("FAILED", "stack-instance-failed"),
        ("CANCELLED", "stack-instance-failed"),
        ("INOPERABLE", "stack-instance-inoperable"),
        ("RUNNING", None),
    ],
)
def test_stack_instances(doctor: Doctor, world: World, detail: str, kind: str | None) -> None:
    status = "INOPERABLE" if detail == "INOPERABLE" else "OUTDATED"
    failed = instance(SANDBOX, status, detail, "Account 3 should have 'X' role")
    world.answer("cloudformation:ListStackInstances", {"Summaries": [failed, instance(PAYMENTS)]})
    result = doctor("--json")
    assert kinds(result) == ([("error", kind, SANDBOX)] if kind else [])
    assert "should have 'X' role" in result.output or not kind


def test_one_failed_instance_of_an_account_among_several(doctor: Doctor, world: World) -> None:
    several = [instance(SANDBOX, "OUTDATED", "FAILED"), instance(SANDBOX), instance(PAYMENTS)]
    world.answer("cloudformation:ListStackInstances", {"Summaries": several})
    assert kinds(doctor("--json")) == [("error", "stack-instance-failed", SANDBOX)]


def test_an_account_without_instance_is_told_unless_its_role_works_or_it_is_the_management_account(
    doctor: Doctor, world: World
) -> None:
    world.answer("cloudformation:ListStackInstances", {"Summaries": [instance(PAYMENTS)]})
    world.answer("sts:AssumeRole", locked(SANDBOX, HUB))
    missing = [each[2] for each in kinds(doctor("--json")) if each[1] == "stack-instance-missing"]
    assert missing == [SANDBOX]
