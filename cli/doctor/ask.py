"""Asking AWS of the ground and the hub. Every answer is a fact or a Gap; nothing raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cli.doctor.facts import (
    Blind,
    Caller,
    Ground,
    Hub,
    Instance,
    Key,
    Presents,
    Queue,
    Stack,
    StackSet,
    Started,
    Subscription,
    Word,
)
from orgscan import policy
from orgscan.errors import fact
from orgscan.model import Gap, Standing
from orgscan.policy.statement import SERVICE
from orgscan.store import FindingStore

if TYPE_CHECKING:
    from orgscan.session import Clients

T = TypeVar("T")
BOOTSTRAP_VERSION = "/cdk-bootstrap/{qualifier}/version"
TOPICS = {"findings": "FindingsTopicArn", "operations": "OperationsTopicArn"}
"""Topic -> output of the hub stack."""
SCANS = 5
"""Of how many of the newest scans the word is asked for an account."""


def asked(ask: Callable[[], T]) -> T | Gap:
    """Also of an answer that makes no sense."""
    return cast("T | Gap", fact(absent=())(ask)())


def or_none(ask: Callable[[], T], absent: str) -> T | Gap | None:
    """None: AWS says, with this code, that there is none."""
    return fact(absent=absent)(ask)()


def caller(home: Clients) -> Caller:
    """Raises what a call may raise: without it nothing can be looked at."""
    # Where no region is set this refuses; STS would answer all the same.
    region = home.get("cloudformation").meta.region_name
    told = home.get("sts").get_caller_identity()
    return Caller(told["Account"], told["Arn"], region)


def ground(home: Clients, *, organization: bool, account: str, qualifier: str | None) -> Ground:
    told = asked(lambda: _organization(home)) if organization else ("", "")
    whose, managing = (told, told) if isinstance(told, Gap) else told
    trusted = asked(lambda: _trusted(home, call_as(managing, account))) if organization else ""
    return Ground(
        organization=whose,
        management=managing,
        trusted_access=trusted,
        bootstrap=or_none(lambda: _bootstrap(home, qualifier), "ParameterNotFound") if qualifier else None,
    )


def call_as(management: str | Gap, account: str) -> str:
    """As whom StackSets are asked."""
    return "SELF" if isinstance(management, Gap) or management in ("", account) else "DELEGATED_ADMIN"


def _organization(home: Clients) -> tuple[str, str]:
    """Its id, and the account that manages it."""
    told = home.get("organizations").describe_organization()["Organization"]
    return told["Id"], told["MasterAccountId"]


def _trusted(home: Clients, as_whom: str) -> str:
    return str(home.get("cloudformation").describe_organizations_access(CallAs=as_whom)["Status"])


def _bootstrap(home: Clients, qualifier: str) -> int:
    name = BOOTSTRAP_VERSION.format(qualifier=qualifier)
    return int(home.get("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def stack(home: Clients, name: str) -> Stack | Gap | None:
    return or_none(lambda: _stack(home, name), "ValidationError")


def _stack(home: Clients, name: str) -> Stack:
    formation = home.get("cloudformation")
    (told,) = formation.describe_stacks(StackName=name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in told.get("Outputs", [])}
    return Stack(name, told["StackStatus"], outputs, asked(lambda: tuple(_resources(formation, name))))


def _resources(formation: Any, name: str) -> Iterator[tuple[str, str]]:
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=name):
        for each in page["StackResourceSummaries"]:
            yield each["ResourceType"], each.get("PhysicalResourceId", "")


def hub(home: Clients, there: Stack) -> Hub:
    return Hub(
        stack=there,
        subscriptions=asked(lambda: tuple(_subscriptions(home, there))),
        schedules=asked(lambda: tuple(_schedules(home, there.named("AWS::Scheduler::Schedule")))),
        queues=asked(lambda: tuple(_queues(home, there.named("AWS::SQS::Queue")))),
        presents=asked(lambda: _presents(home, there.named("AWS::Lambda::Function"))),
    )


def key(home: Clients, arn: str) -> Key | Gap | None:
    return or_none(lambda: _key(home, arn), "NotFoundException")


def _key(home: Clients, arn: str) -> Key:
    kms = home.get("kms")
    told = kms.describe_key(KeyId=arn)["KeyMetadata"]
    return Key(
        state=told["KeyState"],
        purpose=(told["KeySpec"], told["KeyUsage"]),
        services=asked(lambda: _let_use(kms, arn)),
    )


def _let_use(kms: Any, arn: str) -> frozenset[str] | Gap:
    told = policy.read("kms:GetKeyPolicy", kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    if isinstance(told, Gap):
        return told
    return frozenset.intersection(
        *(
            frozenset(
                service
                for statement in told.allowing(action)
                if statement.principals
                for service in statement.principals.of(SERVICE)
            )
            for action in ("kms:Decrypt", "kms:GenerateDataKey")
        )
    )


def _subscriptions(home: Clients, there: Stack) -> Iterator[Subscription]:
    pages = home.get("sns").get_paginator("list_subscriptions_by_topic")
    for topic, output in TOPICS.items():
        if arn := there.outputs.get(output):
            for page in pages.paginate(TopicArn=arn):
                for each in page["Subscriptions"]:
                    # Of one that is pending or gone, SNS says so in place of the ARN.
                    confirmed = each["SubscriptionArn"].startswith("arn:")
                    if each["SubscriptionArn"] != "Deleted":
                        yield Subscription(topic, each["Endpoint"], confirmed)


def _schedules(home: Clients, ids: list[str]) -> Iterator[Started]:
    scheduler = home.get("scheduler")
    for id_ in ids:
        pages = scheduler.get_paginator("list_schedules").paginate(NamePrefix=id_)
        found = [each for page in pages for each in page["Schedules"] if each["Name"] == id_]
        if not found:
            yield Started(id_, "", "")
        for each in found:
            told = scheduler.get_schedule(Name=id_, GroupName=each["GroupName"])
            yield Started(id_, _starts(told["Target"].get("Input", "")), told["State"])


def _starts(request: str) -> str:
    """Which schedule of orgscan.yaml it is; people may have changed what it starts with."""
    try:
        told = json.loads(request)
    except ValueError:
        return ""
    return str(told.get("schedule", "")) if isinstance(told, dict) else ""


def _queues(home: Clients, urls: list[str]) -> Iterator[Queue]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for url in urls:
        told = home.get("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        yield Queue(url.rpartition("/")[2], sum(int(told.get(name, 0)) for name in names))


def _presents(home: Clients, functions: list[str]) -> Presents | None:
    """As the first function says that is told: names and ids, no secrets."""
    for name in functions:
        told = home.get("lambda").get_function_configuration(FunctionName=name)
        variables = told.get("Environment", {}).get("Variables", {})
        if "EXTERNAL_ID" in variables:
            return Presents(variables["MEMBER_ROLE"], variables["EXTERNAL_ID"])
    return None


def stack_set(home: Clients, name: str, as_whom: str) -> StackSet | Gap | None:
    return or_none(lambda: _stack_set(home, name, as_whom), "StackSetNotFoundException")


def _stack_set(home: Clients, name: str, as_whom: str) -> StackSet:
    formation = home.get("cloudformation")
    told = formation.describe_stack_set(StackSetName=name, CallAs=as_whom)["StackSet"]
    return StackSet(
        told["StackSetName"],
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in told.get("Parameters", [])},
        told.get("AutoDeployment", {}).get("Enabled", False),
        asked(lambda: tuple(_instances(formation, name, as_whom))),
    )


def _instances(formation: Any, name: str, as_whom: str) -> Iterator[Instance]:
    pages = formation.get_paginator("list_stack_instances")
    for page in pages.paginate(StackSetName=name, CallAs=as_whom):
        for each in page["Summaries"]:
            yield Instance(
                each["Account"],
                each["Status"],
                each.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
                each.get("StatusReason", ""),
            )


def words(home: Clients, table: str, accounts: set[str]) -> dict[str, Word] | Gap:
    """Account -> what the newest scan saw that looked at it; without those that none of the last saw."""
    return asked(lambda: _words(FindingStore(home.table(table)), set(accounts)))


def _words(store: FindingStore, left: set[str]) -> dict[str, Word]:
    found: dict[str, Word] = {}
    for scan in store.finished(SCANS):
        blind: dict[str, list[Blind]] = {}
        for receipt in store.receipts(scan):
            target = receipt.target
            if target.account in left and target.standing is Standing.DUE:
                mine = blind.setdefault(target.account, [])
                mine += [Blind(target.region, each.reason, each.detail) for each in receipt.unseen]
        found |= {account: Word(scan, tuple(seen)) for account, seen in blind.items()}
        left -= blind.keys()
        if not left:
            break
    return found
