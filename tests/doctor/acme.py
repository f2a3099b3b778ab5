"""An organization of five, deployed and healthy, and what can be wrong with each part of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from typer.testing import Result

from orgscan import catalog
from orgscan.model import Blindness, Target
from orgscan.receipt import Receipt, Unseen
from tests.doctors import HUB, Call, Refusal, World, session_of
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
OPERATOR = "assumed-role/OrgscanHub-ScanRole-operator/alice"
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
    "AWS::KMS::Key": ["1234abcd"],
}
UNCONFIRMED = "subscription-unconfirmed"
NO_WAY_IN = Unseen(Blindness.DENIED, "sts:AssumeRole", ("a", "b"))
Doctor = Callable[..., Result]


def well(world: World) -> World:
    """An organization of five in the management account, deployed and healthy."""
    world.answer("organizations:DescribeOrganization", organization(HUB))
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
    world.answer("kms:DescribeKey", key())
    world.answer("kms:GetKeyPolicy", key_policy())
    world.answer("ec2:DescribeRegions", regions())
    world.answer("sts:AssumeRole", locked())
    world.answer("iam:GetRole", role())
    world.answer("iam:SimulatePrincipalPolicy", {"EvaluationResults": [], "IsTruncated": False})
    return world


def undeployed(world: World) -> None:
    none = Refusal("ValidationError", "Stack with id OrgscanHub does not exist", 400)
    world.answer("cloudformation:DescribeStacks", none)
    world.answer("cloudformation:DescribeStackSet", Refusal("StackSetNotFoundException", "no", 404))


def organization(management: str) -> Any:
    return {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": management}}


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


def key(state: str = "Enabled", spec: str = "SYMMETRIC_DEFAULT", usage: str = "ENCRYPT_DECRYPT") -> Any:
    return {"KeyMetadata": {"KeyId": "1234abcd", "KeyState": state, "KeySpec": spec, "KeyUsage": usage}}


def key_policy(*services: str, actions: Iterable[str] = ("kms:Decrypt", "kms:GenerateDataKey*")) -> Any:
    """IAM decides, and `services` may use it; without any: those that the hub needs."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "kms:*"}
    principals = [*(services or ("logs.eu-west-1.amazonaws.com", "cloudwatch.amazonaws.com"))]
    let = {"Effect": "Allow", "Principal": {"Service": principals}, "Action": [*actions]}
    statements = [{**each, "Resource": "*"} for each in (root, let)]
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


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


def role(*roles: str, external_id: str | None = SECRET, hub: str = HUB, principal: Any = None) -> Any:
    """`roles`: of the hub, which it trusts; without any: those that enter."""
    trusted = [
        f"arn:aws:iam::{hub}:role/{each}"
        for each in roles or ("OrgscanHub-PlanRole*", "OrgscanHub-ScanRole*")
    ]
    condition: dict[str, Any] = {"ArnLike": {"aws:PrincipalArn": trusted}}
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
