"""What we expect of IAM."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.services.iam.facts import ADMINISTRATOR, PasswordPolicy, Principal, RootUser, User

ADMIN_POLICIES = [ADMINISTRATOR, "IAMFullAccess", "PowerUserAccess"]
ALLOWED_ROLES = ["AWSReservedSSO_*", "AWSControlTower*", "*break-glass*", "OrganizationAccountAccessRole"]
SERVICE_LINKED = "/aws-service-role/"


@check(
    RootUser,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Register a FIDO or hardware key on root, or delete root's credentials from the management account.",
    maps=("CIS AWS 3.0 1.5", "CIS AWS 5.0 1.4", "CIS AWS 6.0 2.4", "CIS AWS 7.0 2.5", "FSBP IAM.9"),
    equivalent=("prowler:iam_root_mfa_enabled", "trusted-advisor:7DAFEmoDos"),
)
def iam_root_mfa_disabled(root: RootUser) -> Problems:
    """The root user can sign in without a second factor.

    Root can do everything and no policy limits it; its password alone must not be enough. An account whose
    root has no password passes.
    """
    if root.password and not root.mfa:
        yield "root has no MFA device"


@check(
    User,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Enrol an MFA device, or delete the login profile.",
    also=(Principal,),
    maps=(
        "CIS AWS 3.0 1.10",
        "CIS AWS 5.0 1.9",
        "CIS AWS 6.0 2.9",
        "CIS AWS 7.0 2.10",
        "FSBP IAM.5",
        "FSBP IAM.19",
    ),
    equivalent=("prowler:iam_user_mfa_enabled_console_access", "prowler:iam_administrator_access_with_mfa"),
)
def iam_user_console_mfa_missing(user: User, view: View) -> Problems:
    """An IAM user has a console password and no MFA device.

    A guessed or phished password is then enough. Critical where AdministratorAccess is attached to the user
    or to one of its groups.
    """
    if user.password and not user.mfa:
        yield "console password without an MFA device"
        for source in _administers(user, view):
            yield Problem(f"{ADMINISTRATOR} is attached to {source}", severity=Severity.CRITICAL)


def _administers(user: User, view: View) -> Iterator[str]:
    for principal in view.related(Principal, "arn", user.arn):
        if any(principal.attached([ADMINISTRATOR])):
            yield "the user"
        for name in principal.groups:
            groups = (found for found in view.related(Principal, "name", name) if found.kind == "group")
            if any(any(group.attached([ADMINISTRATOR])) for group in groups):
                yield f"its group {name}"


@check(
    User,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Replace the key by a role; where that is impossible, make a new key and delete this one.",
    maps=("CIS AWS 3.0 1.14", "CIS AWS 5.0 1.13", "CIS AWS 6.0 2.13", "CIS AWS 7.0 2.12", "FSBP IAM.3"),
    equivalent=("prowler:iam_rotate_access_key_90_days", "trusted-advisor:DqdJqYeRm5"),
)
def iam_user_access_key_not_rotated(
    user: User, view: View, *, max_days: int = 90, high_days: int = 365
) -> Problems:
    """An active access key is older than the rotation period.

    The longer a key lives, the more places hold a copy of it. Above `high_days` it is high.
    """
    active = [key for key in user.keys if key.active]
    for key in active:
        days = (view.now - key.rotated).days if key.rotated else 0
        if days > max_days:
            severity = Severity.HIGH if days > high_days else None
            # A date, not an age: what does not change from scan to scan is not written again.
            since = f"active access key {key.number} was last rotated on {key.rotated:%Y-%m-%d}"
            yield Problem(since, severity, key=str(key.number))
    if any(key.rotated is None for key in active):
        detail = f"the credential report has no date for an active key of {user.arn}"
        raise Unread(Gap("iam-user-access-key-not-rotated", Blindness.NO_DATA, detail))


@check(
    Principal,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Attach a policy limited to the job instead, with a permissions boundary.",
    maps=("CIS AWS 3.0 1.16", "CIS AWS 5.0 1.15", "CIS AWS 6.0 2.15", "CIS AWS 7.0 2.14"),
    equivalent=(
        "prowler:iam_aws_attached_policy_no_administrative_privileges",
        "prowler:iam_user_administrator_access_policy",
        "prowler:iam_group_administrator_access_policy",
        "prowler:iam_role_administratoraccess_policy",
    ),
)
def iam_principal_aws_admin_policy_attached(
    principal: Principal,
    *,
    admin_policy_arns: Sequence[str] = ADMIN_POLICIES,
    allowed_role_patterns: Sequence[str] = ALLOWED_ROLES,
) -> Problems:
    """A user, group or role carries an AWS managed administrator policy.

    Whoever takes over such a principal has the account. Critical for users, whose credentials last.
    Service-linked roles and `allowed_role_patterns` (globs over role names) are excepted;
    `admin_policy_arns` takes ARNs or names of AWS managed policies.
    """
    if principal.kind == "role" and _excepted(principal, allowed_role_patterns):
        return
    severity = Severity.CRITICAL if principal.kind == "user" else None
    for policy in principal.attached(admin_policy_arns):
        yield Problem(f"{policy} is attached", severity)


def _excepted(role: Principal, patterns: Sequence[str]) -> bool:
    if role.path.startswith(SERVICE_LINKED):
        return True
    return any(fnmatchcase(role.name, pattern) for pattern in patterns)


@check(
    PasswordPolicy,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Set an account password policy with the required minimum length.",
    also=(User,),
    maps=(
        "CIS AWS 3.0 1.8",
        "CIS AWS 5.0 1.7",
        "CIS AWS 6.0 2.7",
        "CIS AWS 7.0 2.8",
        "FSBP IAM.7",
        "FSBP IAM.10",
    ),
    equivalent=("prowler:iam_password_policy_minimum_length_14", "trusted-advisor:Yw2K9puPzl"),
)
def iam_password_policy_min_length_short(
    policy: PasswordPolicy, view: View, *, min_length: int = 14, skip_if_no_password_users: bool = False
) -> Problems:
    """The account's password policy is absent or allows passwords shorter than the minimum.

    Short passwords are guessed. With `skip_if_no_password_users`, an account passes in which no IAM user
    has a password.
    """
    length = known(policy.min_length)
    if length is not None and length >= min_length:
        return
    if skip_if_no_password_users and not any(user.password for user in view.every(User)):
        return
    if length is None:
        yield "no password policy is set, so AWS's default of 8 characters applies"
    else:
        yield f"passwords of {length} characters are allowed, fewer than {min_length}"
