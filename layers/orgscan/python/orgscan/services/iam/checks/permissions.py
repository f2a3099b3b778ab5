"""Who may do everything, and who is there for nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Gap, Severity, Unread, known
from orgscan.policy import Admin
from orgscan.services.iam.facts import (
    ADMINISTRATOR,
    RESERVED,
    SERVICE_LINKED,
    Authorization,
    ManagedPolicy,
    Principal,
)

ADMIN_POLICIES = [ADMINISTRATOR, "IAMFullAccess", "PowerUserAccess"]
ALLOWED_ROLES = ["AWSReservedSSO_*", "AWSControlTower*", "*break-glass*", "OrganizationAccountAccessRole"]
STAND_BY = ["*break-glass*", "OrganizationAccountAccessRole", "AWSControlTower*"]
CONTROLS = ("CIS AWS 3.0 1.16", "CIS AWS 5.0 1.15", "CIS AWS 6.0 2.15", "CIS AWS 7.0 2.14")
EVERYTHING = "allows every action on every resource"


def _of_each(*commands: str) -> tuple[str, ...]:
    """The same commands for users, groups and roles."""
    return tuple(
        f"{kind}: aws iam {command.replace('KIND', kind)} --region {{region}}"
        for kind in ("user", "group", "role")
        for command in commands
    )


@check(
    Authorization,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Attach a policy limited to the job instead, with a permissions boundary.",
    maps=CONTROLS,
    equivalent=(
        "prowler:iam_aws_attached_policy_no_administrative_privileges",
        "prowler:iam_user_administrator_access_policy",
        "prowler:iam_group_administrator_access_policy",
        "prowler:iam_role_administratoraccess_policy",
    ),
    cli=_of_each(
        "attach-KIND-policy --KIND-name={name} --policy-arn '<arn-of-what-the-job-needs>'",
        "detach-KIND-policy --KIND-name={name} --policy-arn arn:{partition}:iam::aws:policy/'<policy>'",
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
            managed_policy_arns=["<arn-of-what-the-job-needs>"],
            permissions_boundary="<arn-of-the-boundary>",
        )
    """,
)
def iam_principal_aws_admin_policy_attached(
    entry: Authorization,
    *,
    admin_policy_arns: Sequence[str] = ADMIN_POLICIES,
    allowed_role_patterns: Sequence[str] = ALLOWED_ROLES,
) -> Problems:
    """A user, group or role carries an AWS managed administrator policy.

    Whoever takes over such a principal has the account. Critical for users, whose credentials last.
    Service-linked roles and `allowed_role_patterns` (globs over role names) are excepted;
    `admin_policy_arns` takes ARNs or names of AWS managed policies.
    """
    if not isinstance(entry, Principal) or entry.service_linked:
        return
    if entry.kind == "role" and _matches(entry, allowed_role_patterns):
        return
    severity = Severity.CRITICAL if entry.kind == "user" else None
    for policy in entry.attached(admin_policy_arns):
        yield Problem(f"{policy} is attached", severity)


@check(
    Authorization,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Replace the wildcard statement by the actions that CloudTrail shows in use.",
    maps=(*CONTROLS, "FSBP IAM.1"),
    equivalent=("prowler:iam_customer_attached_policy_no_administrative_privileges",),
    cli=(
        "aws iam list-entities-for-policy --policy-arn {arn} --region {region}",
        (
            "aws iam create-policy-version --policy-arn {arn} --policy-document "
            "'file://<narrower-policy>' --set-as-default --region {region}"
        ),
    ),
    cdk="""
        iam.CfnManagedPolicy(
            self,
            "Policy",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ["<action-in-use>"], "Resource": ["<arn>"]}],
            },
        )
    """,
)
def iam_policy_full_admin_customer_managed(entry: Authorization) -> Problems:
    """A customer managed policy that is attached grants every action on every resource.

    Whoever takes over a principal that has it has the account. A statement counts whatever other statements
    deny, unless they deny everything. One level less where it asks for MFA, a network or some callers; low
    where the policy is used as a permissions boundary only, which grants nothing. Unattached ones pass.
    """
    if not isinstance(entry, ManagedPolicy) or not entry.own or not (entry.attachments or entry.bounds):
        return
    admin = known(entry.document).is_admin()
    if admin:
        severity = Severity.HIGH if entry.attachments else Severity.LOW
        use = (
            f"attached to {entry.attachments:,}" if entry.attachments else "used as permissions boundary only"
        )
        yield Problem(f"{_said(admin)}; {use}", _lowered(severity, admin))


@check(
    Authorization,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Delete the inline policy and grant what the job needs.",
    maps=(*CONTROLS, "FSBP IAM.1"),
    equivalent=("prowler:iam_inline_policy_no_administrative_privileges",),
    cli=_of_each(
        "get-KIND-policy --KIND-name={name} --policy-name={key} --query PolicyDocument",
        "attach-KIND-policy --KIND-name={name} --policy-arn '<arn-of-what-the-job-needs>'",
        "delete-KIND-policy --KIND-name={name} --policy-name={key}",
    ),
    cdk="""
        iam.CfnRolePolicy(
            self,
            "Policy",
            role_name="<role-name>",
            policy_name="<policy-name>",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ["<action-in-use>"], "Resource": ["<arn>"]}],
            },
        )
    """,
)
def iam_inline_policy_full_admin(entry: Authorization) -> Problems:
    """A user, group or role has an inline policy that grants full administration.

    No list of policies shows it, so it is easily forgotten. Each inline policy is a finding of its own.
    One level less where the statement asks for MFA, a network or some callers. Service-linked roles are
    excepted.
    """
    if not isinstance(entry, Principal) or entry.service_linked:
        return
    unread: Gap | None = None
    for policy in entry.inline:
        if isinstance(policy.document, Gap):
            unread = policy.document
        elif admin := policy.document.is_admin():
            text = f"inline policy {policy.name}: {_said(admin)}"
            yield Problem(text, _lowered(Severity.CRITICAL, admin), key=policy.name)
    if unread:
        raise Unread(unread)


@check(
    Authorization,
    severity=Severity.LOW,
    category=Category.SECURITY,
    fix="Delete the role; a stand-by role gets a name that `allow_patterns` knows.",
    also=(Authorization,),
    cli=(
        (
            "aws iam attach-role-policy --role-name={name} --policy-arn "
            "arn:{partition}:iam::aws:policy/AWSDenyAll --region {region}"
        ),
        (
            "aws iam list-attached-role-policies --role-name={name} --query "
            "'AttachedPolicies[].PolicyArn' --region {region}"
        ),
        "aws iam detach-role-policy --role-name={name} --policy-arn '<each-policy-arn>' --region {region}",
        "aws iam list-role-policies --role-name={name} --query PolicyNames --region {region}",
        (
            "aws iam delete-role-policy --role-name={name} --policy-name '<each-policy-name>' "
            "--region {region}"
        ),
        (
            "aws iam list-instance-profiles-for-role --role-name={name} --query "
            "'InstanceProfiles[].InstanceProfileName' --region {region}"
        ),
        (
            "aws iam remove-role-from-instance-profile --role-name={name} --instance-profile-name "
            "'<each-profile>' --region {region}"
        ),
        "aws iam delete-role --role-name={name} --region {region}",
    ),
)
def iam_role_unused(
    entry: Authorization, view: View, *, max_days: int = 365, allow_patterns: Sequence[str] = STAND_BY
) -> Problems:
    """A role has not been assumed within the allowed days.

    Nobody would miss it, and nobody watches it. AWS remembers 400 days of use: a role of which it knows none
    must be older than `max_days` itself. Medium where the role is an administrator. Roles of AWS's services
    and of Identity Center are excepted, and `allow_patterns` (globs over names). What Lambda functions and
    other services refer to is not looked up: deleting a role breaks them.
    """
    if not isinstance(entry, Principal) or entry.kind != "role" or _matches(entry, allow_patterns):
        return
    if entry.path.startswith((SERVICE_LINKED, RESERVED)):
        return
    since: datetime = entry.used or entry.created
    if (view.now - since).days <= max_days:
        return
    yield f"last used on {since:%Y-%m-%d}" if entry.used else f"made on {since:%Y-%m-%d}, no use is known"
    if entry.profiles:
        yield f"it is in the instance profile {', '.join(entry.profiles)}"
    for source in _administers(entry, view):
        yield Problem(f"it is an administrator by {source}", Severity.MEDIUM)


def _administers(role: Principal, view: View) -> Iterator[str]:
    """The policies that make it one. Unread, at the end, when some could not be seen."""
    yield from role.attached([ADMINISTRATOR])
    unread: Gap | None = None
    documents = [(f"inline policy {each.name}", each.document) for each in role.inline]
    for arn in role.policies:
        documents += [
            (policy.name, policy.document)
            for policy in view.related(Authorization, "arn", arn)
            if isinstance(policy, ManagedPolicy) and policy.own
        ]
    for name, document in documents:
        if isinstance(document, Gap):
            unread = document
        elif document.is_admin():
            yield name
    if unread:
        raise Unread(unread)


def _matches(role: Principal, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(role.name, pattern) for pattern in patterns)


def _said(admin: Admin) -> str:
    """Which statement it is, and what it asks for."""
    which = f"statement {admin.sid}" if admin.sid else "a statement"
    return f"{which} {EVERYTHING}{f', asking for {admin.narrowed}' if admin.narrowed else ''}"


def _lowered(severity: Severity, admin: Admin) -> Severity:
    """One level less for an administrator only from somewhere, with MFA or the like."""
    return list(Severity)[max(0, severity.rank - 1)] if admin.lowered else severity
