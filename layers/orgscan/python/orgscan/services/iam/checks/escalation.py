"""Who can get more permissions than were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.policy import Escalation, Names, Policy, Statement, escalation_paths
from orgscan.policy.escalate import ASSUME, COMBINED, PASS, SINGLE
from orgscan.policy.match import literal_start
from orgscan.services.iam.checks.permissions import ADMIN_POLICIES
from orgscan.services.iam.checks.users import groups_named
from orgscan.services.iam.facts import Authorization, ManagedPolicy, Principal, is_named

CHECK = "iam-policy-privilege-escalation"
ACTIONS = {
    action.lower()
    for action in (*SINGLE, ASSUME, PASS, *(action for _, *those in COMBINED for action in those))
}
REMEMBERED = 512
"""Policies: a few are attached everywhere, and AWS's own are long."""


@dataclass(frozen=True, slots=True)
class Source:
    """A policy that somebody has."""

    words: str
    policy: Policy
    told: bool = False
    """What it allows alone is said elsewhere: of the managed policy, the group or the administrator."""
    key: str = ""
    """An inline policy's name."""


@check(
    Authorization,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Remove the action, restrict its Resource, or set a permissions boundary.",
    also=(Authorization,),
    equivalent=(
        "prowler:iam_policy_allows_privilege_escalation",
        "prowler:iam_inline_policy_allows_privilege_escalation",
    ),
    cli=(
        (
            "policy: aws iam create-policy-version --policy-arn {arn} --policy-document "
            "'file://<narrower-policy>' --set-as-default --region {region}"
        ),
        (
            "user: aws iam put-user-permissions-boundary --user-name={name} --permissions-boundary "
            "'<arn-of-the-boundary>' --region {region}"
        ),
        (
            "role: aws iam put-role-permissions-boundary --role-name={name} --permissions-boundary "
            "'<arn-of-the-boundary>' --region {region}"
        ),
        (
            "group: aws iam put-group-policy --group-name={name} --policy-name '<policy-name>' "
            "--policy-document 'file://<narrower-policy>' --region {region}"
        ),
    ),
    cdk="""
        iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "<service>"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            permissions_boundary="<arn-of-the-boundary>",
        )
    """,
)
def iam_policy_privilege_escalation(
    entry: Authorization,
    view: View,
    *,
    include_aws_managed: bool = True,
    ignored_paths: Sequence[str] = [],
) -> Problems:
    """A policy or the union of policies on one principal allows a known privilege escalation path.

    Who may change policies, or start something with a mightier role, may do what that role may. A customer
    managed policy is judged where it is attached; what inline and AWS's policies allow, and what only all
    policies of a principal (and its groups) together allow, is said of the principal. Denies without
    conditions and permissions boundaries are subtracted. Medium where only named roles can be passed.
    Administrators have nothing to gain and are reported as such; service-linked roles are excepted.
    `ignored_paths` are written as they are reported ('iam:PassRole + ec2:RunInstances').
    """
    judge = _Judge(view, include_aws_managed)
    if isinstance(entry, ManagedPolicy):
        found = judge.of_policy(entry)
    elif isinstance(entry, Principal) and not entry.service_linked:
        found = judge.of_principal(entry)
    else:
        return
    for key, subject, paths in found:
        asked = [each for each in paths if each.path not in ignored_paths]
        for named in (False, True):
            if those := [each.path for each in asked if each.named_roles == named]:
                how = f"{', '.join(those)}{', passing named roles only' if named else ''}"
                yield Problem(f"{subject} {how}", Severity.MEDIUM if named else None, key=key)


@dataclass(frozen=True, slots=True)
class _Judge:
    view: View
    include_aws_managed: bool

    def of_policy(self, policy: ManagedPolicy) -> Iterator[tuple[str, str, list[Escalation]]]:
        """What one of its principals can indeed do; (key, words, paths)."""
        if not policy.own or not policy.attachments:
            return
        document = _relevant(known(policy.document))
        alone = () if _is_admin(document) else _paths((document,))
        if alone:
            left = self._left({each.path for each in alone}, policy)
            yield "", "it allows", [each for each in alone if each.path in left]

    def of_principal(self, principal: Principal) -> Iterator[tuple[str, str, list[Escalation]]]:
        sources = self._sources(principal)
        if any(_is_admin(source.policy) for source in sources):
            return
        left = {each.path: each for each in self._effective(principal, sources)}
        told: set[str] = set()
        for source in sources:
            alone = [left[each.path] for each in _paths((source.policy,)) if each.path in left]
            told |= {each.path for each in alone}
            if alone and not source.told:
                yield source.key, f"{source.words} allows", alone
        for group in self._groups(principal):
            told |= {each.path for each in self._effective(group)}
        together = [each for path, each in left.items() if path not in told]
        if together:
            yield "", "its policies together allow", together

    def _left(self, paths: set[str], policy: ManagedPolicy) -> set[str]:
        """Those that some principal with the policy can go; all where none is listed."""
        found: set[str] = set()
        holders = self.view.related(Authorization, "policies", policy.arn)
        for holder in holders:
            if isinstance(holder, Principal) and not paths <= found:
                found |= {each.path for each in self._effective(holder)}
        return paths & found if holders else paths

    def _effective(self, principal: Principal, sources: Sequence[Source] = ()) -> tuple[Escalation, ...]:
        boundary = self._listed(principal.boundary) if principal.boundary else None
        policies = tuple(source.policy for source in sources or self._sources(principal))
        return _paths(policies, _relevant(known(boundary.document)) if boundary else None)

    def _sources(self, principal: Principal) -> list[Source]:
        """Its policies and its groups'. Unread when one cannot be seen: nor is then what it denies."""
        found = [
            Source(f"inline policy {each.name}", _relevant(known(each.document)), key=each.name)
            for each in principal.inline
        ]
        for arn in principal.policies:
            managed = self._listed(arn)
            if managed.own or self.include_aws_managed:
                told = managed.own or any(is_named(arn, name) for name in ADMIN_POLICIES)
                found.append(Source(managed.name, _relevant(known(managed.document)), told=told))
        for group in self._groups(principal):
            found += [replace(source, told=True) for source in self._sources(group)]
        return found

    def _groups(self, principal: Principal) -> Iterator[Principal]:
        for name in principal.groups:
            yield from groups_named(name, self.view)

    def _listed(self, arn: str) -> ManagedPolicy:
        for each in self.view.related(Authorization, "arn", arn):
            if isinstance(each, ManagedPolicy):
                return each
        raise Unread(Gap(CHECK, Blindness.NO_DATA, f"{arn} is in use and was not listed"))


@lru_cache(REMEMBERED)
def _paths(policies: tuple[Policy, ...], boundary: Policy | None = None) -> tuple[Escalation, ...]:
    return escalation_paths(policies, boundary=boundary)


@lru_cache(REMEMBERED)
def _is_admin(policy: Policy) -> bool:
    return policy.is_admin() is not None


@lru_cache(REMEMBERED)
def _relevant(policy: Policy) -> Policy:
    """What can concern an escalation: AWS's reading policies name a thousand actions that cannot."""
    return Policy(tuple(_shortened(policy.statements)))


def _shortened(statements: Iterable[Statement]) -> Iterator[Statement]:
    for each in statements:
        if each.actions.outside:
            yield each
        elif patterns := tuple(pattern for pattern in each.actions.patterns if _may_match(pattern)):
            yield replace(each, actions=Names(patterns, caseless=each.actions.caseless))


def _may_match(pattern: str) -> bool:
    start = literal_start(pattern.lower())
    return any(action.startswith(start) for action in ACTIONS)
