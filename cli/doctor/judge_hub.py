"""What is wrong with the ground, and with what was deployed on it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from cli.doctor.facts import Ground, Hub, Instance, Presents, Queue, Stack, StackSet, Started, Subscription
from cli.doctor.problem import Problem, error, note, unseen, warning
from orgscan.model import Gap
from orgscan.organization import Account

if TYPE_CHECKING:
    from infra.config import Config
    from infra.routes import Route

BOOTSTRAP = 6
"""The oldest version of the CDK bootstrap that the hub's template accepts."""
DEFAULT = "hnb659fds"
"""The qualifier that CDK takes when nobody chooses one."""
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
ON_ITS_WAY = ("PENDING", "RUNNING")
DEPLOY = "make deploy"


def ground(told: Ground, caller: str, config: Config) -> Iterator[Problem]:
    """`caller`: the account in which doctor runs."""
    match told.management:
        case Gap():
            yield unseen("who manages the organization", told.management)
        case managing if managing not in ("", caller):
            yield note(
                "delegated",
                f"this account is a delegated administrator; {managing} manages the organization",
                "Nothing to do, but StackSets never reach the management account: give it the member stack.",
            )
    match told.trusted_access:
        case Gap():
            yield unseen("trusted access of StackSets", told.trusted_access)
        case state if state not in ("", "ENABLED"):
            yield error(
                "trusted-access",
                f"StackSets may not deploy into the organization (trusted access: {state})",
                "In the management account: aws cloudformation activate-organizations-access",
            )
    expected = config.role.organization_id
    if expected and isinstance(told.organization, str) and told.organization not in ("", expected):
        yield error(
            "organization-id",
            f"this account is in the organization {told.organization}, and member roles ask for {expected}: "
            "no account lets the hub in",
            "Correct role.organization_id in orgscan.yaml, and update the member stacks.",
        )
    if config.deployment.qualifier:
        yield from _bootstrap(told.bootstrap, config.deployment.qualifier)


def _bootstrap(version: int | Gap | None, qualifier: str) -> Iterator[Problem]:
    own = (
        ""
        if qualifier == DEFAULT
        else f"--qualifier {qualifier} --toolkit-stack-name CDKToolkit-{qualifier} "
    )
    fix = f"npx --yes aws-cdk@2 bootstrap {own}aws://<account>/<region>"
    match version:
        case Gap():
            yield unseen("CDK's bootstrap", version)
        case None:
            yield error("bootstrap-missing", "CDK is not bootstrapped in this account and region", fix)
        case old if old < BOOTSTRAP:
            yield error("bootstrap-old", f"CDK's bootstrap is version {old}; {BOOTSTRAP} is needed", fix)


def missing(stack: str, caller: str, region: str, *, expected: bool) -> Problem:
    """There is no hub stack."""
    say = error if expected else note
    return say(
        "not-deployed",
        f"there is no stack {stack} in account {caller}, region {region}",
        f"{DEPLOY}; if it is elsewhere, use that account's credentials and set AWS_DEFAULT_REGION",
    )


def hub(told: Hub, config: Config) -> Iterator[Problem]:
    yield from _stack(told.stack)
    yield from _presents(told.presents, config)
    match told.schedules:
        case Gap():
            yield unseen("schedules", told.schedules)
        case schedules:
            yield from _schedules(schedules, [each.name for each in config.schedules])
    match told.subscriptions:
        case Gap():
            yield unseen("subscriptions of the topics", told.subscriptions)
        case subscriptions:
            yield from _subscriptions(subscriptions, config.routes)
    match told.queues:
        case Gap():
            yield unseen("dead letters", told.queues)
        case queues:
            yield from _dead_letters(queues)


def _stack(stack: Stack) -> Iterator[Problem]:
    if isinstance(stack.resources, Gap):
        yield unseen(f"the resources of {stack.name}", stack.resources)
    if stack.status.endswith("_IN_PROGRESS"):
        yield warning(
            "stack-busy", f"{stack.name} is {stack.status}", "Wait until it is deployed, and ask again."
        )
    elif stack.status not in DONE:
        events = f"aws cloudformation describe-stack-events --stack-name {stack.name}"
        yield error("stack-failed", f"{stack.name} is {stack.status}", f"{events} says why; then {DEPLOY}")


def _presents(told: Presents | Gap | None, config: Config) -> Iterator[Problem]:
    match told:
        case Gap():
            yield unseen("what the deployed functions present to accounts", told)
        case None:
            yield error("hub-incomplete", "no function of the hub says which role it assumes", DEPLOY)
        case _:
            if told.role != config.member_role:
                yield error(
                    "hub-role",
                    f"the deployed hub assumes {told.role}, orgscan.yaml says {config.member_role}",
                    f"{DEPLOY}, and update the member stacks",
                )
            if told.external_id != config.role.external_id:
                yield error(
                    "hub-external-id",
                    "the deployed hub presents another ExternalId than role.external_id in orgscan.yaml",
                    f"{DEPLOY}, and update the member stacks",
                )


def _schedules(deployed: Iterable[Started], wanted: Collection[str]) -> Iterator[Problem]:
    found = set()
    for each in deployed:
        found.add(each.name)
        if not each.state:
            yield error(
                "schedule-gone",
                f"the schedule {each.id} was deleted outside of CloudFormation",
                f"Rename it in orgscan.yaml, and {DEPLOY}: CloudFormation then makes a new one.",
            )
        elif each.state != "ENABLED":
            yield error(
                "schedule-disabled",
                f"the schedule {each.name or each.id} is {each.state}: it starts no scan",
                f"Enable {each.id} in EventBridge Scheduler, or take it out of orgscan.yaml.",
            )
        elif each.name not in wanted:
            yield warning("schedule-unknown", f"orgscan.yaml has no schedule {each.name or each.id}", DEPLOY)
    for name in wanted:
        if name not in found:
            yield error("schedule-missing", f"the schedule {name} of orgscan.yaml is not deployed", DEPLOY)
    if not wanted:
        yield note(
            "no-schedule", "orgscan.yaml has no schedules: scans start by hand", "Add one to `schedules`."
        )


def _subscriptions(there: Collection[Subscription], routes: Iterable[Route]) -> Iterator[Problem]:
    wanted = {("findings", email) for route in routes for email in route.emails}
    wanted |= {("operations", email) for route in [*routes][:1] for email in route.emails}
    by_address: dict[tuple[str, str], bool] = {}
    for each in there:
        place = (each.topic, each.address)
        by_address[place] = by_address.get(place, False) or each.confirmed
    for topic, email in sorted(wanted):
        confirmed = by_address.get((topic, email))
        if confirmed is None:
            yield error(
                "subscription-missing",
                f"{email} is not subscribed to {topic}: never confirmed within two days, or unsubscribed",
                f"Take it out of `routes`, {DEPLOY}, put it in again, {DEPLOY}; then confirm the mail.",
            )
        elif not confirmed:
            yield error(
                "subscription-unconfirmed",
                f"{email} has not confirmed its subscription to {topic}, so it gets nothing",
                "Follow the link in the mail from no-reply@sns.amazonaws.com, within two days.",
            )
    if not wanted:
        yield warning(
            "no-route", "orgscan.yaml has no routes: nobody is told anything", "Add one to `routes`."
        )


def _dead_letters(queues: Iterable[Queue]) -> Iterator[Problem]:
    for queue in queues:
        if queue.waiting:
            some = "1 request waits" if queue.waiting == 1 else f"{queue.waiting:,} requests wait"
            yield error(
                "dead-letters",
                f"{some} in the dead letter queue {queue.name}: scans that could not be started",
                "Read them (the attributes name the error), mend it, start the scans, purge the queue.",
            )


def stack_set(
    told: StackSet | Gap | None, name: str, config: Config, hub_account: str, *, deployed: bool
) -> Iterator[Problem]:
    """The set itself; `instances` tells of its accounts."""
    match told:
        case Gap():
            yield unseen(f"the StackSet {name}", told)
        case None if deployed:
            yield note(
                "stack-set-missing",
                f"there is no StackSet {name}: how accounts get the role cannot be told",
                "If it has another name: --stack-set NAME.",
            )
        case StackSet():
            if isinstance(told.instances, Gap):
                yield unseen(f"the instances of the StackSet {name}", told.instances)
            yield from _parameters(told, config, hub_account)
            if not told.joins:
                yield warning(
                    "stack-set-manual",
                    f"the StackSet {name} does not reach accounts that join later",
                    f"aws cloudformation update-stack-set --stack-set-name {name} --use-previous-template "
                    "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false",
                )


def _parameters(told: StackSet, config: Config, hub_account: str) -> Iterator[Problem]:
    wanted = {"HubAccount": hub_account, "ExternalId": config.role.external_id}
    for parameter, value in wanted.items():
        given = told.parameters.get(parameter)
        if given is not None and given != value:
            whose = f"{given}, not this account" if parameter == "HubAccount" else "not as in orgscan.yaml"
            yield error(
                "stack-set-parameter",
                f"{parameter} of the StackSet {told.name} is {whose}: no role of it lets the hub in",
                f"Update the StackSet {told.name} with the right {parameter}.",
            )


def instances(
    told: StackSet, accounts: Iterable[Account], management: str, entered: Collection[str]
) -> Iterator[tuple[Account, Problem]]:
    """Of each account that shall be scanned. `entered`: those whose role is known to work."""
    if isinstance(told.instances, Gap):
        return
    by_account: dict[str, list[Instance]] = defaultdict(list)
    for each in told.instances:
        by_account[each.account].append(each)
    for account in accounts:
        if mine := by_account.get(account.id):
            yield from ((account, found) for each in mine for found in _instance(told.name, each))
        elif account.active and account.id not in (management, *entered):
            yield (
                account,
                warning(
                    "stack-instance-missing",
                    f"the StackSet {told.name} has no instance in the account",
                    "Add its organizational unit to the StackSet's targets, or give it the member stack.",
                ),
            )


def _instance(name: str, told: Instance) -> Iterator[Problem]:
    because = f": {told.reason}" if told.reason else ""
    if told.status == "CURRENT" or told.detail == "SKIPPED_SUSPENDED_ACCOUNT":
        return
    if told.detail in ON_ITS_WAY:
        yield note("stack-instance-busy", f"its stack of {name} is {told.detail}", "Wait, and ask again.")
    elif told.status == "INOPERABLE":
        yield error(
            "stack-instance-inoperable",
            f"its stack of {name} is INOPERABLE{because}",
            "aws cloudformation delete-stack-instances --retain-stacks ..., delete the stack, add it again",
        )
    else:
        yield error(
            "stack-instance-failed",
            f"its stack of {name} is {told.status} {told.detail}".rstrip() + because,
            "Mend what the reason names; then aws cloudformation update-stack-instances ...",
        )


def states(accounts: Iterable[Account]) -> Iterator[tuple[Account, Problem]]:
    """Accounts that no scan enters."""
    for account in accounts:
        if not account.active:
            yield (
                account,
                note(
                    "account-not-active",
                    f"the account is {account.state}, so it is not scanned",
                    "Nothing to do; accounts.exclude in orgscan.yaml takes it out of the reports.",
                ),
            )
