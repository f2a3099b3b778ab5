"""Whom policies of roles and resources let in by name: other accounts, services, identity providers."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import StrEnum

from orgscan.policy.condition import (
    ACCOUNT,
    ARNS,
    EXTERNAL_ID,
    ORGANIZATION,
    SOURCE,
    Condition,
    account_of,
    demanded,
    pinned,
)
from orgscan.policy.match import is_wild, literal_start
from orgscan.policy.public import Opening, open_actions, opening, within
from orgscan.policy.statement import AWS, CANONICAL, FEDERATED, SERVICE, Statement

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


class Subject(StrEnum):
    """What a trust asks of the subject of an identity provider's token."""

    MISSING = "missing"
    WILD = "wild"
    """A wildcard where the organization (or namespace) should stand."""
    ORGANIZATION = "organization"
    """Everything of one organization."""
    NAMED = "named"

    @property
    def unrestricted(self) -> bool:
        return self in (Subject.MISSING, Subject.WILD)


@dataclass(frozen=True, slots=True)
class Federation:
    """An identity provider that an Allow names."""

    provider: str
    """As written: an ARN or a name."""
    host: str
    """'token.actions.githubusercontent.com'; '' for SAML."""
    actions: tuple[str, ...]
    sid: str = ""
    subject: Subject = Subject.MISSING
    subjects: tuple[str, ...] = ()
    """The values that decided `subject`."""
    has_audience: bool = False

    @property
    def is_saml(self) -> bool:
        return not self.host


def trusts_everyone(statements: tuple[Statement, ...]) -> Iterator[Opening]:
    """Where a trust policy lets everyone in. An Allow with NotPrincipal always does, whatever is asked."""
    for statement in statements:
        if statement.allows and statement.principals and statement.principals.anyone:
            actions = open_actions(statement, statements)
            if actions and (statement.principals.outside or not pinned(statement.conditions, TRUST_KEYS)):
                yield opening(statement, actions)


def external(statements: tuple[Statement, ...], own: Container[str]) -> Iterator[Grant]:
    for statement in statements:
        for account, principal in _accounts(statement):
            if account not in own and not _is_denied(statement, statements, AWS, principal):
                yield _grant(account, principal, statement)


def services(statements: tuple[Statement, ...]) -> Iterator[ServiceGrant]:
    for statement, service in _named(statements, SERVICE):
        bound = bool(pinned(statement.conditions, SOURCE | ORGANIZATION | {EVENT_TOKEN}))
        yield ServiceGrant(service, statement.actions.shown, statement.sid, bound)


def deleted(statements: tuple[Statement, ...]) -> Iterator[str]:
    return (principal for _, principal in _named(statements, AWS) if DELETED.fullmatch(principal))


def canonical(statements: tuple[Statement, ...]) -> Iterator[str]:
    return (principal for _, principal in _named(statements, CANONICAL) if principal != LOG_DELIVERY)


def federated(statements: tuple[Statement, ...]) -> Iterator[Federation]:
    for statement, provider in _named(statements, FEDERATED):
        name = _provider_name(provider)
        host = "" if ":saml-provider/" in provider else name.partition("/")[0]
        subject, subjects = _subject(name, statement.conditions) if host else (Subject.NAMED, ())
        yield Federation(
            provider=provider,
            host=host,
            actions=statement.actions.shown,
            sid=statement.sid,
            subject=subject,
            subjects=subjects,
            has_audience=bool(pinned(statement.conditions, _audiences(name, saml=not host))),
        )


def _named(statements: tuple[Statement, ...], kind: str) -> Iterator[tuple[Statement, str]]:
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


def _accounts(statement: Statement) -> Iterator[tuple[str, str]]:
    """(account, how it is named), each once."""
    if not statement.allows or not statement.principals:
        return
    named = statement.principals.of(AWS)
    if statement.principals.anyone:
        required = demanded(statement.conditions)
        held = [each for each in statement.conditions if each.key in CALLER_ACCOUNTS]
        named += tuple(value for each in held if each.pins(required=required) for value in each.values)
    for principal in dict.fromkeys(named):
        account = principal if ACCOUNT.fullmatch(principal) else account_of(principal)
        if account:
            yield account, principal


def _grant(account: str, principal: str, statement: Statement) -> Grant:
    conditions = statement.conditions
    return Grant(
        account=account,
        principal=principal,
        actions=statement.actions.shown,
        sid=statement.sid,
        has_external_id=bool(pinned(conditions, {EXTERNAL_ID})),
        restricted_to_org=bool(pinned(conditions, ORGANIZATION)),
        has_source=bool(pinned(conditions, SOURCE)),
        has_mfa=any(each.demands_mfa for each in conditions),
    )


# Identity providers


def _provider_name(provider: str) -> str:
    """What its condition keys begin with: the ARN's part behind 'oidc-provider/'."""
    return (provider.partition("oidc-provider/")[2] or provider).lower()


def _audiences(name: str, *, saml: bool) -> set[str]:
    if saml:
        return {"saml:aud"}
    return {f"{name}:{claim}" for claim in ("aud", "oaud", "app_id")}


ORGANIZATION_CLAIMS = frozenset(
    {
        *("repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref"),
        *("enterprise_id", "namespace_id", "namespace_path", "project_id", "project_path"),
        *("terraform_organization_id", "terraform_organization_name", "organization_id", "organization_slug"),
    }
)
"""Claims that are as good as a subject: they name the organization, or something of it."""
IN_SUBJECT = re.compile(
    r"(?:repo|repository|job_workflow_ref|project_path|group_path|org):?/?[^/:*?]+[/@]"
    r"|(?:organization|repository_owner|repository_owner_id|repository_id|enterprise|namespace_id"
    r"|project_id|organization_id|workspace):[^:*?]+:"
    r"|system:serviceaccount:[^:*?]+:"
    r"|\{[^}*?]+\}"
)
"""A subject's start with its organization: GitHub, GitLab, CircleCI; Terraform, Buildkite; EKS; Bitbucket."""
STRUCTURED = re.compile(
    r"repo|repository|job_workflow_ref|project_path|group_path|org/|organization|enterprise|workspace"
    r"|namespace_id|project_id|system:|\{",
)
RANK = (Subject.MISSING, Subject.WILD, Subject.ORGANIZATION, Subject.NAMED)


def _subject(name: str, conditions: tuple[Condition, ...]) -> tuple[Subject, tuple[str, ...]]:
    """All conditions must hold, so the narrowest decides; any of its values is enough, so the widest does."""
    required = demanded(conditions)
    found: tuple[Subject, tuple[str, ...]] = (Subject.MISSING, ())
    for each in conditions:
        provider, _, claim = each.key.rpartition(":")
        asks = each.operator in ("stringequals", "stringequalsignorecase", "stringlike")
        if provider != name or not asks or (each.optional and each.key not in required) or not each.values:
            continue
        if claim == "sub":
            subject = min((_scope(value) for value in each.values), key=RANK.index)
        elif claim in ORGANIZATION_CLAIMS:
            subject = min((_claimed(value) for value in each.values), key=RANK.index)
        else:
            continue
        if RANK.index(subject) > RANK.index(found[0]):
            found = subject, each.values
    return found


def _scope(subject: str) -> Subject:
    if not is_wild(subject):
        return Subject.NAMED if subject else Subject.WILD
    start = literal_start(subject)
    organization = IN_SUBJECT.match(start)
    if organization:
        rest = subject[organization.end() :]
        return Subject.ORGANIZATION if not rest.strip("*?:/") else Subject.NAMED
    return Subject.WILD if not start or STRUCTURED.match(start) else Subject.NAMED


def _claimed(value: str) -> Subject:
    if not is_wild(value):
        return Subject.NAMED if value else Subject.WILD
    organization, slash, _ = literal_start(value).partition("/")
    return Subject.ORGANIZATION if organization and slash else Subject.WILD
