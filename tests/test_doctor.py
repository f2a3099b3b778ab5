"""`orgscan doctor`: each thing that stands in a scan's way is told with its fix, and nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cli.doctor.examine import Report
from cli.doctor.facts import Caller
from cli.doctor.problem import Problem, error, note, warning
from cli.doctor.show import as_json, lines
from cli.doctor.visit import CALLS, PROBES, UNPROBED
from cli.main import app
from orgscan import catalog
from orgscan.model import GLOBAL, Blindness, Target
from orgscan.receipt import Receipt, Unseen
from tests.doctors import HUB, SCP, Call, Refusal, World, session_of
from tests.goldens import golden
from tests.receipts import receipt

PAYMENTS, SANDBOX, ACQUIRED, LEGACY = ("222222222222", "333333333333", "444444444444", "555555555555")
NAMES = {
    HUB: "acme-management",
    PAYMENTS: "acme-payments",
    SANDBOX: "acme-sandbox",
    ACQUIRED: "acme-acquired [red]<crm>[/red]\x1b[31m\u202e" + "x" * 60,
    LEGACY: "acme-legacy",
}
SECRET = "what-only-we-know"
ROLE = "orgscan-member"
OPERATOR = "assumed-role/OrgscanHub-operator/alice"
QUEUE = f"https://sqs.eu-west-1.amazonaws.com/{HUB}/OrgscanHub-DeadLetters"
FEW = ("ebs-volume-unattached", "iam-root-mfa-disabled", "s3-bucket-policy-public")
"""Checks: making clients of thirty services takes its time."""
DECIDED: dict[str, Any] = {
    "checks": {"off": sorted(catalog.everything().ids(without=FEW))},
    "regions": ["eu-west-1"],
    "role": {"external_id": SECRET},
    "schedules": [{"name": "daily", "expression": "rate(1 day)"}],
    "routes": [{"name": "all", "emails": ["ada@acme.example"]}],
}
RESOURCES = {
    "AWS::Scheduler::Schedule": ["OrgscanHub-daily"],
    "AWS::SQS::Queue": [QUEUE],
    "AWS::Lambda::Function": ["OrgscanHub-Report", "OrgscanHub-Scan"],
}
UNCONFIRMED = "subscription-unconfirmed"
NO_WAY_IN = Unseen(Blindness.DENIED, "sts:AssumeRole", ("a", "b"))
Doctor = Callable[..., Result]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*options: str, **decided: Any) -> Result:
        (tmp_path / "orgscan.yaml").write_text(yaml.safe_dump({**DECIDED, **decided}))
        return CliRunner().invoke(app, ["doctor", *options])

    return run


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """All is well, and the caller is one whom member roles trust."""
    return well(World(monkeypatch, OPERATOR))


def well(world: World) -> World:
    """An organization of five in the management account, deployed and healthy."""
    world.answer("organizations:DescribeOrganization", {"Organization": {"MasterAccountId": HUB}})
    world.answer("organizations:ListAccounts", {"Accounts": [*map(account, NAMES)]})
    world.answer("cloudformation:DescribeOrganizationsAccess", {"Status": "ENABLED"})
    world.answer("ssm:GetParameter", {"Parameter": {"Value": "21"}})
    world.answer("cloudformation:DescribeStacks", status("UPDATE_COMPLETE"))
    listed = [
        {"ResourceType": kind, "PhysicalResourceId": name}
        for kind, each in RESOURCES.items()
        for name in each
    ]
    world.answer("cloudformation:ListStackResources", {"StackResourceSummaries": listed})
    world.answer("cloudformation:DescribeStackSet", stack_set())
    members = [each for each in NAMES if each != HUB]
    world.answer("cloudformation:ListStackInstances", {"Summaries": [*map(instance, members)]})
    world.answer("sns:ListSubscriptionsByTopic", subscriptions("arn:aws:sns:eu-west-1:1:topic:1"))
    world.answer("scheduler:ListSchedules", {"Schedules": [{"Name": "OrgscanHub-daily", "GroupName": "g"}]})
    world.answer("scheduler:GetSchedule", schedule("ENABLED"))
    world.answer("sqs:GetQueueAttributes", waiting(0))
    world.answer("lambda:GetFunctionConfiguration", functions)
    world.answer("ec2:DescribeRegions", regions())
    world.answer("sts:AssumeRole", locked())
    world.answer("iam:GetRole", role())
    world.answer("iam:SimulatePrincipalPolicy", {"EvaluationResults": [], "IsTruncated": False})
    return world


def account(id_: str) -> Mapping[str, str]:
    arn = f"arn:aws:organizations::{HUB}:account/o-1/{id_}"
    return {"Id": id_, "Name": NAMES[id_], "State": "SUSPENDED" if id_ == LEGACY else "ACTIVE", "Arn": arn}


def outputs() -> Any:
    for name in ("FindingsTopicArn", "OperationsTopicArn"):
        yield {"OutputKey": name, "OutputValue": f"arn:aws:sns:eu-west-1:{HUB}:{name}"}
    yield {"OutputKey": "TableName", "OutputValue": "findings"}


def stack_set(external_id: str = SECRET, *, hub: str = HUB, joins: bool = True) -> Any:
    given = {"HubAccount": hub, "ExternalId": external_id}
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    return {
        "StackSet": {
            "StackSetName": ROLE,
            "Parameters": parameters,
            "AutoDeployment": {"Enabled": joins},
        }
    }


def instance(id_: str, status: str = "CURRENT", detail: str = "SUCCEEDED", reason: str = "") -> Any:
    if id_ == LEGACY:
        status, detail = "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT"
    told = {"Account": id_, "Status": status, "StackInstanceStatus": {"DetailedStatus": detail}}
    return {**told, "StatusReason": reason} if reason else told


def subscriptions(*arns: str, email: str = "ada@acme.example") -> Any:
    return {
        "Subscriptions": [{"SubscriptionArn": arn, "Endpoint": email, "Protocol": "email"} for arn in arns]
    }


def schedule(state: str, name: str = "daily") -> Any:
    return {"State": state, "Target": {"Input": json.dumps({"schedule": name})}}


def waiting(number: int) -> Any:
    return {"Attributes": {"ApproximateNumberOfMessages": str(number)}}


def presents(role: str, external_id: str) -> Any:
    return {"Environment": {"Variables": {"MEMBER_ROLE": role, "EXTERNAL_ID": external_id}}}


def status(now: str) -> Any:
    return {"Stacks": [{"StackName": "OrgscanHub", "StackStatus": now, "Outputs": [*outputs()]}]}


def functions(call: Call) -> Any:
    """Only what scans presents something."""
    if not call.asked["FunctionName"].endswith("Scan"):
        return {"Environment": {"Variables": {"TABLE": "findings"}}}
    return presents(ROLE, SECRET)


def regions(**off: str) -> Any:
    names = ("eu-west-1", "us-east-1", "ap-south-1")
    return {
        "Regions": [
            {"RegionName": name, "OptInStatus": off.get(name.replace("-", "_"), "opt-in-not-required")}
            for name in names
        ]
    }


def locked(*shut: str, open_: str = "") -> Callable[[Call], Any]:
    """Roles that ask for our ExternalId; `shut` accounts let nobody in, `open_` anybody."""

    def answer(call: Call) -> Any:
        there = call.asked["RoleArn"].split(":")[4]
        if not call.asked["RoleArn"].endswith(ROLE):
            return session_of(call)
        if there not in shut and (call.asked.get("ExternalId") == SECRET or there == open_):
            return session_of(call)
        return Refusal("AccessDenied", "User: u is not authorized to perform: sts:AssumeRole on resource: r")

    return answer


def role(
    external_id: str | None = SECRET, *, hub: str = HUB, roles: str = "OrgscanHub-*", principal: Any = None
) -> Any:
    condition: dict[str, Any] = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{hub}:role/{roles}"}}
    if external_id:
        condition["StringEquals"] = {"sts:ExternalId": external_id}
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": principal or {"AWS": f"arn:aws:iam::{hub}:root"},
        "Condition": condition,
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Role": {"Arn": f"arn:aws:iam::1:role/{ROLE}", "AssumeRolePolicyDocument": json.dumps(trust)}}


def saw(account: str, region: str, *unseen: Unseen) -> Receipt:
    return receipt(Target(account, region), unseen=unseen)


def told(result: Result) -> dict[str, Any]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    whole: dict[str, Any] = json.loads(result.stdout)
    return whole


def kinds(result: Result) -> list[tuple[str, str, str | None]]:
    """Severity, kind, account: all but notes."""
    return [
        (each["severity"], each["kind"], each["account"])
        for each in told(result)["problems"]
        if each["severity"] != "note"
    ]


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


def undeployed(world: World) -> None:
    none = Refusal("ValidationError", "Stack with id OrgscanHub does not exist", 400)
    world.answer("cloudformation:DescribeStacks", none)
    world.answer("cloudformation:DescribeStackSet", Refusal("StackSetNotFoundException", "no", 404))


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
    world.answer("organizations:DescribeOrganization", {"Organization": {"MasterAccountId": PAYMENTS}})
    result = doctor("--json")
    assert "delegated" in [each["kind"] for each in told(result)["problems"]]
    for name in ("DescribeOrganizationsAccess", "DescribeStackSet", "ListStackInstances"):
        assert {call.asked["CallAs"] for call in world.asked(f"cloudformation:{name}")} == {"DELEGATED_ADMIN"}


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
    assert doctor("--role", "OrgscanHub-operator").exit_code == 0
    first, *_ = world.asked("sts:AssumeRole")
    assert first.asked["RoleArn"] == f"arn:aws:iam::{HUB}:role/OrgscanHub-operator"
    assert "ExternalId" not in first.asked


# Looking from inside


@pytest.fixture
def outsider(monkeypatch: pytest.MonkeyPatch) -> World:
    """All is well, and the caller is nobody whom member roles trust."""
    world = well(World(monkeypatch))
    world.answer("sts:AssumeRole", locked(*NAMES))
    return world


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
        (role("another"), "external-id-wrong"),
        (role(hub=PAYMENTS), "role-trust"),
        (role(roles="OtherHub-*"), "role-trust"),
        (role(None), "external-id-not-asked"),
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


@pytest.mark.parametrize("roles", ["OrgscanHub-*", "OrgscanHub-ScanRole1", "*"])
def test_a_trust_in_all_or_one_of_the_hubs_roles_is_fine(doctor: Doctor, outsider: World, roles: str) -> None:
    outsider.answer("iam:GetRole", role(roles=roles))
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
        f"trusts the roles OrgscanHub-* of {HUB} only, and you are assumed-role/Admin/alice" in why["problem"]
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
