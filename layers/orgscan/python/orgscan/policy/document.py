"""A policy: read once, asked often. Pure, and as plain as a fact must be."""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orgscan.model import Blindness, Gap
from orgscan.policy import escalate, federation, public, reading, rights, trust
from orgscan.policy.escalate import Escalation
from orgscan.policy.federation import Federation
from orgscan.policy.match import ANYTHING
from orgscan.policy.public import Opening
from orgscan.policy.reading import Malformed
from orgscan.policy.rights import Admin, Denial
from orgscan.policy.statement import Statement
from orgscan.policy.trust import Grant, ServiceGrant


@dataclass(frozen=True, slots=True)
class Policy:
    """Of an identity, a resource, a role's trust or an organization: one language, other questions."""

    statements: tuple[Statement, ...]

    # Resources and trust

    def openings(self, *, resource: str | None = None, also: Collection[str] = ()) -> tuple[Opening, ...]:
        """Where everyone is let in.

        `resource`: only as far as it concerns this ARN or what is in it ('<arn>/*'). `also`: condition keys
        that narrow everyone here besides those that always do ('aws:ResourceOrgID' at a VPC endpoint).
        """
        return tuple(public.openings(self.statements, resource=resource, also=also))

    def external(self, own: Container[str]) -> tuple[Grant, ...]:
        """The accounts that Allows name, but for our own: as principals, or as what narrows 'everyone'."""
        return tuple(trust.external(self.statements, own))

    def services(self) -> tuple[ServiceGrant, ...]:
        """The services that Allows name, and whether each is bound to a source (confused deputy)."""
        return tuple(trust.services(self.statements))

    def federated(self) -> tuple[Federation, ...]:
        """The identity providers that Allows name, and what of a subject each asks for."""
        return tuple(federation.federated(self.statements))

    def trusts_everyone(self) -> tuple[Opening, ...]:
        """Where a trust policy lets everyone in; fewer conditions help than for a resource."""
        return tuple(trust.trusts_everyone(self.statements))

    def deleted(self) -> tuple[str, ...]:
        """The unique ids (AIDA..., AROA...) that are left of principals that were deleted."""
        return tuple(dict.fromkeys(trust.deleted(self.statements)))

    def canonical(self) -> tuple[str, ...]:
        """Canonical ids of S3 that Allows name, whose accounts nobody can tell; not S3's log delivery."""
        return tuple(dict.fromkeys(trust.canonical(self.statements)))

    def denies_insecure_transport(self, resource: str, *, strict: bool = True) -> bool:
        """Whether everyone's plain HTTP to an ARN, and for a bucket to its objects, is denied.

        `strict`: for every action; otherwise, of a bucket, s3:GetObject and s3:PutObject are enough.
        """
        return rights.denies_insecure_transport(self.statements, resource, strict=strict)

    # Identities and organizations

    def is_admin(self) -> Admin | None:
        """Whether a statement allows every action on every resource. Only a Deny of all that undoes it."""
        return rights.admin(self.statements)

    def whole_services(self) -> tuple[str, ...]:
        """The services of which every action is allowed on every resource: ('s3',)."""
        return tuple(dict.fromkeys(rights.whole_services(self.statements)))

    def allowing(self, action: str, resource: str | None = None) -> tuple[Statement, ...]:
        """The Allows of an action on an ARN or pattern ('*': everything), or, None, on anything at all.

        Whatever their conditions are; what a Deny without conditions takes back is left out.
        """
        return tuple(rights.allowing(self.statements, action, resource))

    def allows(self, action: str, resource: str = ANYTHING) -> bool:
        return bool(self.allowing(action, resource))

    def denials(self, action: str, resource: str = ANYTHING) -> tuple[Denial, ...]:
        """The Denies of all that an action and a resource (patterns too) stand for, with their conditions."""
        return tuple(rights.denials(self.statements, action, resource))


def parse(document: str | Mapping[str, Any]) -> Policy:
    """Malformed: this is no policy."""
    return Policy(reading.statements(document))


def read(scope: str, document: str | Mapping[str, Any]) -> Policy | Gap:
    """For collectors: what is no policy costs this one fact."""
    try:
        return parse(document)
    except Malformed as error:
        return Gap(scope, Blindness.FAULT, f"{type(error).__name__}: {error}")


def allows(policies: Iterable[Policy], action: str, resource: str = ANYTHING) -> bool:
    """Whether the policies together allow an action, whatever the conditions of the Allow."""
    return any(rights.allowing(_all(policies), action, resource))


def escalations(policies: Iterable[Policy], *, boundary: Policy | None = None) -> tuple[str, ...]:
    """The known paths to more permissions that the policies of one identity together allow."""
    return tuple(each.path for each in escalation_paths(policies, boundary=boundary))


def escalation_paths(policies: Iterable[Policy], *, boundary: Policy | None = None) -> tuple[Escalation, ...]:
    return tuple(escalate.paths(_all(policies), boundary.statements if boundary else None))


def _all(policies: Iterable[Policy]) -> tuple[Statement, ...]:
    return tuple(statement for policy in policies for statement in policy.statements)
