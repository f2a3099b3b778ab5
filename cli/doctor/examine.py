"""Everything in its order: the caller, the ground, the hub, the accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cli.doctor import ask, judge_accounts, judge_hub, judge_key
from cli.doctor.facts import Caller, Hub, Inside, StackSet, Visit, Word
from cli.doctor.judge_accounts import Expected
from cli.doctor.problem import Problem, Severity, error, unseen
from cli.doctor.visit import SESSION, UNPROBED, Visitor, needed, visit_all
from orgscan import session
from orgscan.errors import NO_ANSWER, gap
from orgscan.model import Gap
from orgscan.organization import Account, CannotPlan, Organization, UnknownUnit, within
from orgscan.settings import Scope

if TYPE_CHECKING:
    from infra.config import Config
    from orgscan.session import Clients

STACK_SET = "AWS::CloudFormation::StackSet"


class CannotLook(Exception):
    """Nothing can be said of anything; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    accounts: tuple[str, ...] = ()
    """Only these; empty: all in scope."""
    role: str | None = None
    """Of the caller's account: enters accounts in the hub's place."""
    inside: str | None = None
    """Of the accounts: looks at the member role there."""
    stack_set: str | None = None
    deployed: bool = False
    """The hub must be there."""


@dataclass(slots=True)
class Report:
    caller: Caller
    stack: str
    status: str = ""
    """Of the hub stack; empty: it is not there."""
    accounts: int = 0
    problems: list[Problem] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    """How it was looked, and what was not asked."""

    @property
    def well(self) -> bool:
        return all(each.severity is Severity.NOTE for each in self.problems)


def examine(config: Config, options: Options, home: Clients | None = None) -> Report:
    """Raises CannotLook without credentials that AWS accepts."""
    home, caller = _caller(home)
    told = Report(caller, config.stack("hub"))
    scope = config.runtime().scope
    qualifier = config.deployment.qualifier
    there = ask.ground(home, organization=scope.organization, account=caller.account, qualifier=qualifier)
    told.problems += judge_hub.ground(there, caller.account, config)
    everyone = _accounts(home, scope, options.accounts, told)
    told.accounts = len(everyone)
    deployed = _hub(home, config, options, told)
    for key in [config.deployment.key] if config.deployment.key else _made(deployed):
        told.problems += judge_key.key(key, ask.key(home, key))
    name = options.stack_set or _stack_set_name(deployed, config)
    rollout = ask.stack_set(home, name, ask.call_as(there.management, caller.account))
    told.problems += judge_hub.stack_set(rollout, name, config, caller.account, deployed=deployed is not None)
    visits = _visits(home, config, options, told, everyone) if deployed else []
    words = _words(home, deployed, visits, told)
    visits = [replace(each, word=words.get(each.account.id)) for each in visits]
    told.problems += _of_accounts(visits, config, told.caller)
    _add(told, judge_hub.states(everyone))
    if isinstance(rollout, StackSet) and scope.organization:
        managing = there.management if isinstance(there.management, str) else ""
        _add(told, judge_hub.instances(rollout, everyone, managing, _entered(visits)))
    order = list(Severity)
    told.problems.sort(key=lambda each: (order.index(each.severity), bool(each.account)))
    return told


def _caller(home: Clients | None) -> tuple[Clients, Caller]:
    try:
        home = home or session.here()
        return home, ask.caller(home)
    except NO_ANSWER as trouble:
        found = gap("sts:GetCallerIdentity", trouble)
        raise CannotLook(
            f"AWS does not know who asks ({found.reason}: {found.detail}). "
            "Sign in, and set AWS_PROFILE and AWS_DEFAULT_REGION to the hub's account and region."
        ) from trouble


def _accounts(home: Clients, scope: Scope, only: Collection[str], told: Report) -> list[Account]:
    """Those in scope, in any state; only the named ones, if any are."""
    if not scope.organization:
        everyone = [Account(each, "") for each in scope.accounts if each not in scope.exclude_accounts]
    else:
        everyone = _of_organization(home, scope, told) or [Account(each, "") for each in only]
    strangers = sorted({*only} - {each.id for each in everyone})
    if strangers:
        raise CannotLook(f"--account: not in the scope of orgscan.yaml: {', '.join(strangers)}")
    return [each for each in everyone if not only or each.id in only]


def _of_organization(home: Clients, scope: Scope, told: Report) -> list[Account]:
    organization = Organization(home.get("organizations"))
    try:
        everyone = organization.accounts()
        return organization.select(everyone, within(scope))
    except CannotPlan as cannot:
        why = gap("organizations", cannot.__cause__) if isinstance(cannot.__cause__, Exception) else None
        told.problems.append(
            error(
                "organization-closed",
                f"Organizations does not list the accounts ({why.reason}: {why.detail})"
                if why
                else str(cannot),
                "Deploy into the management account or a delegated administrator of the organization, "
                "or set accounts.organization to false and list accounts.ids.",
            )
        )
    except UnknownUnit as unknown:
        told.problems.append(error("unit-unknown", f"accounts.ous: {unknown}", "Correct orgscan.yaml."))
    return []


def _hub(home: Clients, config: Config, options: Options, told: Report) -> Hub | None:
    there = ask.stack(home, told.stack)
    match there:
        case Gap():
            told.problems.append(unseen(f"the stack {told.stack}", there))
            return None
        case None:
            where = told.caller
            told.problems.append(
                judge_hub.missing(told.stack, where.account, where.region, expected=options.deployed)
            )
            told.ways.append("what accounts let in is only looked at once the hub is deployed")
            return None
    told.status = there.status
    found = ask.hub(home, there)
    told.problems += judge_hub.hub(found, config)
    return found


def _made(deployed: Hub | None) -> list[str]:
    """The id of the key that the hub's stack made, if it made one."""
    return deployed.stack.named("AWS::KMS::Key") if deployed else []


def _stack_set_name(deployed: Hub | None, config: Config) -> str:
    """The hub's own, where it has one, whose id is 'name:uuid'; else what it would be named."""
    own = deployed.stack.named(STACK_SET) if deployed else []
    return own[0].partition(":")[0] if own else config.stack("member")


def _visits(
    home: Clients,
    config: Config,
    options: Options,
    told: Report,
    everyone: Iterable[Account],
) -> list[Visit]:
    services, actions = needed(config.checks.off)
    visitor = Visitor(
        home=home,
        own=told.caller.account,
        role=config.member_role,
        external_id=config.role.external_id,
        asker=_asker(home, config, options, told.caller),
        inside=options.inside,
        patterns=config.regions,
        services=services,
        actions=actions,
        polite=config.limits.polite,
    )
    active = [each for each in everyone if each.active]
    visits = visit_all(visitor, active)
    told.ways += _ways(visits, visitor)
    return visits


def _asker(home: Clients, config: Config, options: Options, caller: Caller) -> Clients | None:
    """Whom member roles trust: the role that was asked for, or whoever runs this, or nobody."""
    if options.role is None:
        return home if caller.role.startswith(config.hub_roles) else None
    try:
        return session.assume(home, caller.account, role=options.role, external_id=None, session_name=SESSION)
    except NO_ANSWER as trouble:
        found = gap("role", trouble)
        raise CannotLook(
            f"--role: {options.role} of {caller.account} cannot be assumed ({found.reason}: {found.detail})"
        ) from trouble


def _words(home: Clients, deployed: Hub | None, visits: Sequence[Visit], told: Report) -> dict[str, Word]:
    """Of the accounts into which nobody could look now."""
    left = {each.account.id for each in visits} - {*_entered(visits)}
    if deployed is None or not left:
        return {}
    table = deployed.stack.outputs.get("TableName", "")
    found = ask.words(home, table, left)
    if isinstance(found, Gap):
        told.problems.append(unseen(f"what scans saw (table {table})", found))
        return {}
    return found


def _of_accounts(visits: Sequence[Visit], config: Config, caller: Caller) -> Iterator[Problem]:
    expected = Expected(caller.account, config.role.name, config.role.external_id, config.hub_roles)
    shut_out = judge_accounts.nobody_entered(visits)
    if shut_out:
        yield judge_accounts.doubt(visits, caller, config.role.name)
    elif any(each.entry is None and not isinstance(each.inside, Inside) for each in visits):
        yield judge_accounts.untried(caller, expected)
    for visit in visits:
        for each in judge_accounts.account(visit, expected, believe_refusal=not shut_out):
            yield _of(visit.account, each)


def _entered(visits: Iterable[Visit]) -> list[str]:
    return [each.account.id for each in visits if each.entry and each.entry.refused is None]


def _add(told: Report, problems: Iterable[tuple[Account, Problem]]) -> None:
    told.problems += [_of(account, each) for account, each in problems]


def _of(account: Account, problem: Problem) -> Problem:
    return replace(problem, account=account.id, account_name=account.name)


def _ways(visits: Sequence[Visit], visitor: Visitor) -> Iterator[str]:
    entered = len(_entered(visits))
    if visitor.asker:
        yield f"entered {entered} of {len(visits)} accounts through {visitor.role}"
    if entered:
        yield (
            "in each of them asked every region in scope whether it answers (ec2:DescribeRegions), and one "
            f"region one call of each of {len(visitor.services)} services; other permissions were not probed"
        )
        for service, why in UNPROBED.items():
            yield f"not probed: {service} ({why})"
    inside = sum(1 for each in visits if each.inside and not isinstance(each.inside, Gap))
    if inside:
        some = "1 account" if inside == 1 else f"{inside:,} accounts"
        yield (
            f"looked from inside at the role of {some}, and had IAM simulate "
            f"{len(visitor.actions)} actions in one region; conditions of policies may decide otherwise"
        )
