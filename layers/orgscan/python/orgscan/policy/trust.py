"""Whom policies of roles and resources let in by name: other accounts, services."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from orgscan.policy.condition import (
    ACCOUNT,
    ARNS,
    EXTERNAL_ID,
    ORGANIZATION,
    RESTRICTING,
    SOURCE,
    account_of,
    demanded,
    pinned,
)
from orgscan.policy.match import Names
from orgscan.policy.public import Opening, closes, open_actions, opening, within
from orgscan.policy.statement import AWS, CANONICAL, SERVICE, Statement

TRUST_KEYS = frozenset(
    {
        *ORGANIZATION,
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourceaccount",
        "aws:sourcearn",
    }
)
"""What makes a trust in everyone a trust in somebody."""
CALLER_ACCOUNTS = frozenset(
    {
        *ARNS,
        "aws:principalaccount",
        "aws:sourceaccount",
        "aws:sourceowner",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
    }
)
"""Keys whose values name the accounts that 'everyone' is narrowed to."""
EVENT_TOKEN = "lambda:eventsourcetoken"  # noqa: S105 (a key's name)
DELETED = re.compile(r"A[A-Z]{2}A[A-Z0-9]{12,}")
"""The unique id that is left of a user or role that was named and then deleted."""
LOG_DELIVERY = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
"""The canonical id of S3's own log delivery."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An account that an Allow names."""

    account: str
    principal: str
    """As written: the account, an ARN of it, or the condition's value."""
    actions: tuple[str, ...]
    """As written; ('*',) for all but some."""
    sid: str = ""
    has_external_id: bool = False
    restricted_to_org: bool = False
    has_source: bool = False
    """aws:SourceArn, aws:SourceAccount and their like."""
    has_mfa: bool = False

    @property
    def protected(self) -> bool:
        """Whether something more than the account's name is asked for."""
        return self.has_external_id or self.restricted_to_org or self.has_source or self.has_mfa


@dataclass(frozen=True, slots=True)
class ServiceGrant:
    """A service that an Allow names, which acts for whoever asks it unless it is bound."""

    service: str
    actions: tuple[str, ...]
    sid: str = ""
    bound: bool = False
    """To a source: aws:SourceArn, aws:SourceAccount and their like, or Alexa's lambda:EventSourceToken."""


def trusts_everyone(statements: tuple[Statement, ...]) -> Iterator[Opening]:
    """Where a trust policy lets everyone in. An Allow with NotPrincipal always does, whatever is asked."""
    for statement in statements:
        if statement.allows and statement.principals and statement.principals.anyone:
            actions = open_actions(statement, statements, TRUST_KEYS)
            if actions and (statement.principals.outside or not pinned(statement.conditions, TRUST_KEYS)):
                yield opening(statement, actions)


def external(statements: tuple[Statement, ...], own: Container[str]) -> Iterator[Grant]:
    for statement in statements:
        for account, principal in _accounts(statement, statements):
            if account not in own and not _is_denied(statement, statements, AWS, principal):
                yield _grant(account, principal, statement, perimeter=_perimeter(statement, statements))


def services(statements: tuple[Statement, ...]) -> Iterator[ServiceGrant]:
    for statement, service in named(statements, SERVICE):
        bound = bool(pinned(statement.conditions, SOURCE | {EVENT_TOKEN}))
        yield ServiceGrant(service, statement.actions.shown, statement.sid, bound)


def deleted(statements: tuple[Statement, ...]) -> Iterator[str]:
    return (principal for _, principal in named(statements, AWS) if DELETED.fullmatch(principal))


def canonical(statements: tuple[Statement, ...]) -> Iterator[str]:
    return (principal for _, principal in named(statements, CANONICAL) if principal != LOG_DELIVERY)


def named(statements: tuple[Statement, ...], kind: str) -> Iterator[tuple[Statement, str]]:
    """The principals of a kind that an Allow names and no Deny takes back."""
    for statement in statements:
        if statement.allows and statement.principals:
            for principal in statement.principals.of(kind):
                if not _is_denied(statement, statements, kind, principal):
                    yield statement, principal


def _is_denied(allow: Statement, statements: tuple[Statement, ...], kind: str, principal: str) -> bool:
    """Whether one Deny without conditions takes all of an Allow back from a principal."""
    return any(
        deny.denies
        and not deny.conditions
        and deny.principals is not None
        and deny.principals.include(kind, principal)
        and within(allow.actions, deny.actions)
        and within(allow.resources, deny.resources)
        for deny in statements
    )


def _accounts(statement: Statement, statements: tuple[Statement, ...]) -> Iterator[tuple[str, str]]:
    """(account, how it is named), each once."""
    if not statement.allows or not statement.principals:
        return
    written = [*statement.principals.of(AWS)]
    if statement.principals.anyone:
        required = demanded(statement.conditions)
        held = [each for each in statement.conditions if each.key in CALLER_ACCOUNTS]
        written += (value for each in held if each.pins(required=required) for value in each.values)
        written += (principal for deny in statements for principal in _spared(deny, statement.actions))
    for principal in dict.fromkeys(written):
        account = principal if ACCOUNT.fullmatch(principal) else account_of(principal)
        if account:
            yield account, principal


def _spared(deny: Statement, actions: Names) -> Iterator[str]:
    """Whom a Deny that takes everyone back leaves in: what is named is named there."""
    if not closes(deny, RESTRICTING) or not any(map(deny.actions.touch, actions.shown)):
        return
    if deny.principals and deny.principals.outside:
        yield from (value for kind, value in deny.principals.named if kind == AWS)
    for condition in deny.conditions:
        if condition.key in CALLER_ACCOUNTS:
            yield from condition.values


def _perimeter(allow: Statement, statements: tuple[Statement, ...]) -> bool:
    """Whether one Deny keeps all outside of an organization from what is allowed, AWS's services aside."""
    return any(
        deny.denies
        and deny.principals is not None
        and deny.principals.everyone
        and any(each.key in ORGANIZATION for each in deny.conditions)
        and all(
            each.spares_services or (each.key in ORGANIZATION and each.pins_by_denial())
            for each in deny.conditions
        )
        and within(allow.actions, deny.actions)
        and within(allow.resources, deny.resources)
        for deny in statements
    )


def _grant(account: str, principal: str, statement: Statement, *, perimeter: bool) -> Grant:
    conditions = statement.conditions
    return Grant(
        account=account,
        principal=principal,
        actions=statement.actions.shown,
        sid=statement.sid,
        has_external_id=bool(pinned(conditions, {EXTERNAL_ID})),
        restricted_to_org=perimeter or bool(pinned(conditions, ORGANIZATION)),
        has_source=bool(pinned(conditions, SOURCE)),
        has_mfa=any(each.demands_mfa for each in conditions),
    )
