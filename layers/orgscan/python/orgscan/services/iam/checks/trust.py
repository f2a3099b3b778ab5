"""Whom a role may let in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity, known
from orgscan.policy import Grant, Names, Policy, Subject
from orgscan.services.iam.facts import Authorization, Principal

MULTI_TENANT = [
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "api.bitbucket.org",
    "oidc.circleci.com",
    "agent.buildkite.com",
]
EKS = "oidc.eks."
ID_DIGITS = 12
WHAT_IT_LACKS = {
    Subject.MISSING: "without asking for a subject",
    Subject.WILD: "for any organization's subject",
}
NEW_TRUST = (
    "aws iam get-role --role-name={name} --query Role.AssumeRolePolicyDocument --region {region}",
    (
        "aws iam update-assume-role-policy --role-name={name} --policy-document 'file://<new-trust-policy>' "
        "--region {region}"
    ),
)


@check(
    Authorization,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Name the trusted principals in the trust policy, or require aws:PrincipalOrgID.",
    cli=NEW_TRUST,
    cdk="""
        iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "<arn-of-who-is-trusted>"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
        )
    """,
)
def iam_role_trust_public(entry: Authorization) -> Problems:
    """A role trust policy lets any AWS principal assume the role.

    Every AWS customer can then act as the role. Conditions on the caller's organization, account or ARN, or
    on the source, make it somebody's; a concrete sts:ExternalId alone is only a password that is written
    down in many places: high. An Allow with NotPrincipal lets everyone in, whatever its conditions are.
    """
    trust = _trust(entry)
    for opening in trust.trusts_everyone() if trust else ():
        severity = Severity.HIGH if opening.external_id else None
        despite = f", asking only for {opening.narrowed}" if opening.narrowed else ""
        yield Problem(f"{_statement(opening.sid)} lets everyone in{despite}", severity)


@check(
    Authorization,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Agree on an ExternalId with the third party and require it in the trust policy.",
    cli=NEW_TRUST,
    cdk="""
        iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "<arn-of-the-third-party>"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": "<external-id>"}},
                    }
                ],
            },
        )
    """,
)
def iam_role_trust_external_account_no_external_id(
    entry: Authorization, view: View, *, trusted_account_ids: Sequence[str] = []
) -> Problems:
    """A role trusts a third-party account without an ExternalId or other confused deputy protection.

    Another customer of the third party can make it act in this account. Organization, source or MFA
    conditions protect as well. Accounts of the organization and `trusted_account_ids` are excepted.
    """
    excepted = _own(view) | _ids(trusted_account_ids)
    for grant in _external(entry, excepted):
        if not grant.protected and _assumes(grant.actions, "sts:AssumeRole"):
            yield f"{_statement(grant.sid)} trusts {grant.principal} without asking for an ExternalId"


@check(
    Authorization,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Remove the trust, or register the account as known.",
    cli=NEW_TRUST,
    cdk="""
        iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "<arn-of-who-is-trusted>"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
        )
    """,
)
def iam_role_trust_unknown_account(
    entry: Authorization,
    view: View,
    *,
    trusted_account_ids: Sequence[str] = [],
    known_vendor_accounts: Mapping[str, str] = {},
) -> Problems:
    """A role can be assumed from an account that is neither in the organization nor on the allow list.

    Nobody here can tell who sits in that account. `known_vendor_accounts` maps ids to names. Of a principal
    that was deleted only a unique id is left, which nobody can hold again: that trust is stale. Without an
    organization, the accounts in scope are the known ones.
    """
    excepted = _own(view) | _ids(trusted_account_ids) | _ids(known_vendor_accounts)
    for grant in _external(entry, excepted):
        yield f"{_statement(grant.sid)} trusts {grant.principal} of the unknown account {grant.account}"
    trust = _trust(entry)
    for principal in trust.deleted() if trust else ():
        yield f"stale principal: {principal} is what is left of one that was deleted"


@check(
    Authorization,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Require the provider's sub claim to name your organization and repository.",
    cli=NEW_TRUST,
    cdk="""
        iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Federated": "<arn-of-the-provider>"},
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Condition": {"StringLike": {"<host>:sub": "repo:<organization>/<repository>:*"}},
                    }
                ],
            },
        )
    """,
)
def iam_role_trust_oidc_subject_unrestricted(
    entry: Authorization, *, multi_tenant_hosts: Sequence[str] = MULTI_TENANT
) -> Problems:
    """A role trusts an identity provider of many tenants without restricting the subject.

    Every customer of GitHub, GitLab and the like gets tokens of the same provider, so any of them can assume
    the role. The subject (or a claim that says as much) must name an organization; ForAllValues holds for a
    token without the claim. High for a provider of EKS, whose tenants are one cluster's service accounts.
    """
    trust = _trust(entry)
    for federation in trust.federated() if trust else ():
        eks = federation.host.startswith(EKS)
        concerned = eks or federation.host in multi_tenant_hosts
        if (
            concerned
            and federation.subject.unrestricted
            and _assumes(federation.actions, "sts:AssumeRoleWithWebIdentity")
        ):
            asked = f" ({', '.join(federation.subjects)})" if federation.subjects else ""
            text = (
                f"{_statement(federation.sid)} trusts {federation.host} {WHAT_IT_LACKS[federation.subject]}"
            )
            yield Problem(f"{text}{asked}", Severity.HIGH if eks else None)


def _trust(entry: Authorization) -> Policy | None:
    """None: nobody assumes it."""
    if not isinstance(entry, Principal) or entry.trust is None:
        return None
    return known(entry.trust)


def _external(entry: Authorization, excepted: frozenset[str]) -> Iterator[Grant]:
    trust = _trust(entry)
    return iter(trust.external(excepted) if trust else ())


def _own(view: View) -> frozenset[str]:
    return view.accounts | {view.target.account}


def _ids(written: Iterable[object]) -> frozenset[str]:
    """Of accounts; YAML makes a number of one that nobody quoted."""
    return frozenset(str(each).zfill(ID_DIGITS) for each in written)


def _assumes(actions: tuple[str, ...], action: str) -> bool:
    return Names(actions, caseless=True).touch(action)


def _statement(sid: str) -> str:
    return f"statement {sid}" if sid else "a statement"
