"""What people and machines read of `orgscan doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.doctor.examine import Report
from cli.doctor.facts import Caller
from cli.doctor.problem import Problem, error, note, warning
from cli.doctor.show import as_json, lines
from tests.doctor.acme import (
    ACQUIRED,
    DECIDED,
    LEGACY,
    OPERATOR,
    PAYMENTS,
    ROLE,
    SANDBOX,
    Doctor,
    instance,
    locked,
    presents,
    regions,
    schedule,
    stack_set,
    status,
    subscriptions,
    waiting,
)
from tests.doctors import HUB, SCP, Refusal, World
from tests.goldens import golden

# What people read


@pytest.fixture
def ill(outsider: World) -> World:
    """One of each problem, and names that want to be more than names."""
    outsider.answer("sts:GetCallerIdentity", {"Account": HUB, "Arn": f"arn:aws:sts::{HUB}:{OPERATOR}"})
    outsider.answer("sts:AssumeRole", locked(ACQUIRED, open_=PAYMENTS))
    outsider.refuse("ec2:DescribeRegions", by=SCP, account=SANDBOX, region="us-east-1")
    outsider.answer("ec2:DescribeRegions", regions(us_east_1="not-opted-in"), account=PAYMENTS)
    outsider.refuse("s3:ListBuckets", account=SANDBOX)
    outsider.refuse("iam:GetAccountSummary", account=SANDBOX)
    failed = instance(SANDBOX, "OUTDATED", "FAILED", "Account 333333333333 should have a role \x1b[2J")
    missing = [instance(PAYMENTS), failed, instance(LEGACY)]
    outsider.answer("cloudformation:ListStackInstances", {"Summaries": missing})
    outsider.answer("cloudformation:DescribeStackSet", stack_set("another", joins=False))
    outsider.answer("cloudformation:DescribeOrganizationsAccess", {"Status": "DISABLED"})
    outsider.answer("ssm:GetParameter", Refusal("ParameterNotFound", "", 400))
    outsider.answer("sns:ListSubscriptionsByTopic", subscriptions("PendingConfirmation"))
    outsider.answer("scheduler:GetSchedule", schedule("DISABLED"))
    outsider.answer("sqs:GetQueueAttributes", waiting(2))
    outsider.answer("lambda:GetFunctionConfiguration", presents(ROLE, "another"))
    outsider.answer("cloudformation:DescribeStacks", status("UPDATE_ROLLBACK_COMPLETE"))
    return outsider


@pytest.mark.usefixtures("ill")
def test_golden_of_an_organization_with_everything(doctor: Doctor) -> None:
    weekly = {"name": "weekly", "expression": "rate(7 days)"}
    result = doctor(schedules=[*DECIDED["schedules"], weekly], regions=["eu-west-1", "us-east-1"])
    assert result.exit_code == 1
    golden("cli/doctor.txt", result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert not {each for each in result.stdout if not each.isprintable()} - {"\n"}
    assert "[red]" in result.stdout, "a name is no markup"


@pytest.mark.usefixtures("outsider")
def test_golden_before_any_scan_seen_by_nobody_special(doctor: Doctor) -> None:
    result = doctor()
    assert result.exit_code == 1
    golden("cli/doctor_outsider.txt", result.stdout)


def report(problems: Iterable[Problem]) -> Report:
    caller = Caller(HUB, f"arn:aws:sts::{HUB}:{OPERATOR}", "eu-west-1")
    return Report(caller, "OrgscanHub", "UPDATE_COMPLETE", 500, [*problems])


def test_what_many_accounts_share_is_told_once() -> None:
    shut = error("role-refused", "no way in", "Let it in.")
    many = [replace(shut, account=f"{number:012}", account_name=f"team-{number}") for number in range(300)]
    text = [str(line) for line in lines(report(many))]
    assert len(text) < 15
    assert "and 292 more" in " ".join(text)
    assert text[-1] == "300 errors"
    assert len(as_json(report(many))["problems"]) == 300


@given(st.text(), st.text(), st.text(), st.integers(40, 120))
def test_no_name_and_no_answer_of_aws_gets_out_of_its_lines(
    name: str, problem: str, fix: str, width: int
) -> None:
    told = replace(error("kind", problem, fix), account="1" * 12, account_name=name)
    for line in lines(report([told]), width):
        assert len(line.plain) <= width
        assert line.plain.isprintable()


def test_nothing_but_notes_is_well() -> None:
    assert report([]).well
    assert report([note("n", "n", "f")]).well
    assert not report([note("n", "n", "f"), warning("w", "w", "f")]).well
    assert str([*lines(report([]))][-1]) == "all is well"
