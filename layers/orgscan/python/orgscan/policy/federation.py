"""Identity providers that a role trusts, and how much of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from orgscan.policy.condition import Condition, demanded, pinned
from orgscan.policy.match import is_wild, literal_start
from orgscan.policy.statement import FEDERATED, Statement
from orgscan.policy.trust import named

ORGANIZATION_CLAIMS = frozenset(
    {
        *("repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref"),
        *("enterprise_id", "namespace_id", "namespace_path", "project_id", "project_path"),
        *("terraform_organization_id", "terraform_organization_name", "organization_id", "organization_slug"),
    }
)
"""Claims that are as good as a subject: they name the organization, or something of it."""
IN_SUBJECT = re.compile(
    r"system:serviceaccount:[^:*?]+:"
    r"|\{[^}*?]+\}"
    r"|(?!system:|(?:environment|ref|context|actor|workflow|event_name|base_ref|head_ref|ref_type):)"
    r"[^:/*?]+[:/][^:/*?]+[:/@]"
)
"""A subject's start with all of its organization in it: 'system:serviceaccount:namespace:' of EKS, '{uuid}'
of Bitbucket, elsewhere a label and a name ('repo:acme/', 'organization:acme:', 'org/<id>/'); some labels name
no organization."""
LABEL = re.compile(r"(?:(?:project|pipeline|workspace)[:/])?")
"""What may follow before 'anything of it'."""


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


RANK = (Subject.MISSING, Subject.WILD, Subject.ORGANIZATION, Subject.NAMED)


def federated(statements: tuple[Statement, ...]) -> Iterator[Federation]:
    for statement, provider in named(statements, FEDERATED):
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


def _provider_name(provider: str) -> str:
    """What its condition keys begin with: the ARN's part behind 'oidc-provider/'."""
    return (provider.partition("oidc-provider/")[2] or provider).lower()


def _audiences(name: str, *, saml: bool) -> set[str]:
    if saml:
        return {"saml:aud"}
    return {f"{name}:{claim}" for claim in ("aud", "oaud", "app_id")}


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
    if not organization:
        return Subject.WILD
    return Subject.ORGANIZATION if LABEL.fullmatch(start, organization.end()) else Subject.NAMED


def _claimed(value: str) -> Subject:
    if not is_wild(value):
        return Subject.NAMED if value else Subject.WILD
    organization, slash, _ = literal_start(value).partition("/")
    return Subject.ORGANIZATION if organization and slash else Subject.WILD
