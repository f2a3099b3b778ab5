"""What we expect of people's credentials: the root user's, and those of IAM users."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.services.iam.facts import (
    ADMINISTRATOR,
    AccessKey,
    Authorization,
    Credentials,
    PasswordPolicy,
    Principal,
    RootCredentials,
    RootUser,
    User,
)

UNUSED = ("CIS AWS 3.0 1.12", "CIS AWS 5.0 1.11", "CIS AWS 6.0 2.11", "CIS AWS 7.0 2.11")


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
    root has no password passes, and so does one of GovCloud, where nobody signs in as root.
    """
    if root.password and not root.mfa:
        yield "root has no MFA device"


@check(
    RootUser,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Move what uses root's keys to roles, then delete the keys.",
    maps=("CIS AWS 3.0 1.4", "CIS AWS 5.0 1.3", "CIS AWS 6.0 2.3", "CIS AWS 7.0 2.4", "FSBP IAM.4"),
    equivalent=("prowler:iam_no_root_access_key",),
)
def iam_root_access_key_present(root: RootUser) -> Problems:
    """The account's root user has an access key.

    Who finds the key can do everything, and no policy limits it.
    """
    if root.keys:
        yield "root has access keys"


@check(
    Credentials,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Use a role for the task, and keep root for the few tasks that only root can do.",
    maps=("CIS AWS 3.0 1.7", "CIS AWS 5.0 1.6", "CIS AWS 6.0 2.6", "CIS AWS 7.0 2.7"),
    equivalent=("prowler:iam_avoid_root_usage",),
    cli=(
        (
            "aws cloudtrail lookup-events --lookup-attributes "
            "AttributeKey=Username,AttributeValue=root --query 'Events[].[EventTime, EventSource, "
            "EventName]' --region {region}"
        ),
    ),
)
def iam_root_used_recently(row: Credentials, view: View, *, max_days: int = 7) -> Problems:
    """The root user signed in or used an access key within the recent window.

    Nothing that is done daily needs root, so either a habit is bad or somebody broke in. The credential
    report that says it may be four hours old.
    """
    if not isinstance(row, RootCredentials):
        return
    uses = {"signed in": row.password_used}
    uses |= {f"used access key {key.number}": key.used for key in row.keys}
    dated = [(used, how) for how, used in uses.items() if used]
    if dated:
        used, how = max(dated)
        if view.now - used < timedelta(days=max_days):
            yield f"root {how} on {used:%Y-%m-%d %H:%M} UTC"


@check(
    Credentials,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Enrol an MFA device, or delete the login profile.",
    also=(Authorization,),
    maps=(
        "CIS AWS 3.0 1.10",
        "CIS AWS 5.0 1.9",
        "CIS AWS 6.0 2.9",
        "CIS AWS 7.0 2.10",
        "FSBP IAM.5",
        "FSBP IAM.19",
    ),
    equivalent=("prowler:iam_user_mfa_enabled_console_access", "prowler:iam_administrator_access_with_mfa"),
    cli=(
        (
            "aws iam create-virtual-mfa-device --virtual-mfa-device-name={name} --outfile "
            "'<picture>.png' --bootstrap-method QRCodePNG --region {region}"
        ),
        (
            "aws iam enable-mfa-device --user-name={name} --serial-number "
            "arn:{partition}:iam::{account}:mfa/{name} --authentication-code1 '<code>' "
            "--authentication-code2 '<next-code>' --region {region}"
        ),
    ),
)
def iam_user_console_mfa_missing(row: Credentials, view: View) -> Problems:
    """An IAM user has a console password and no MFA device.

    A guessed or phished password is then enough. Critical where AdministratorAccess is attached to the user
    or to one of its groups.
    """
    if isinstance(row, User) and row.password and not row.mfa:
        yield "console password without an MFA device"
        for source in _administers(row, view):
            yield Problem(f"{ADMINISTRATOR} is attached to {source}", severity=Severity.CRITICAL)


def _administers(user: User, view: View) -> Iterator[str]:
    for principal in view.related(Authorization, "arn", user.arn):
        if not isinstance(principal, Principal):
            continue
        if any(principal.attached([ADMINISTRATOR])):
            yield "the user"
        for name in principal.groups:
            if any(any(group.attached([ADMINISTRATOR])) for group in groups_named(name, view)):
                yield f"its group {name}"


def groups_named(name: str, view: View) -> Iterator[Principal]:
    """One, or none where it could not be seen; other entries may have its name."""
    for found in view.related(Authorization, "name", name):
        if isinstance(found, Principal) and found.kind == "group":
            yield found


@check(
    Credentials,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Replace the key by a role; where that is impossible, make a new key and delete this one.",
    maps=("CIS AWS 3.0 1.14", "CIS AWS 5.0 1.13", "CIS AWS 6.0 2.13", "CIS AWS 7.0 2.12", "FSBP IAM.3"),
    equivalent=("prowler:iam_rotate_access_key_90_days", "trusted-advisor:DqdJqYeRm5"),
    cli=(
        (
            "aws iam list-access-keys --user-name={name} --query 'AccessKeyMetadata[].[AccessKeyId, "
            "CreateDate, Status]' --region {region}"
        ),
        "aws iam create-access-key --user-name={name} --region {region}",
        (
            "aws iam update-access-key --user-name={name} --access-key-id '<access-key-id>' --status "
            "Inactive --region {region}"
        ),
        "aws iam delete-access-key --user-name={name} --access-key-id '<access-key-id>' --region {region}",
    ),
    cdk="""
        iam.CfnAccessKey(self, "Key", user_name="<user-name>", serial="<one-more-than-before>")
    """,
)
def iam_user_access_key_not_rotated(
    row: Credentials, view: View, *, max_days: int = 90, high_days: int = 365
) -> Problems:
    """An active access key is older than the rotation period.

    The longer a key lives, the more places hold a copy of it. Above `high_days` it is high.
    """
    active = _active_keys(row)
    for key in active:
        days = (view.now - key.rotated).days if key.rotated else 0
        if days > max_days:
            severity = Severity.HIGH if days > high_days else None
            # A date, not an age: what does not change from scan to scan is not written again.
            since = f"active access key {key.number} was last rotated on {key.rotated:%Y-%m-%d}"
            yield Problem(since, severity, key=str(key.number))
    if any(key.rotated is None for key in active):
        raise _undated("iam-user-access-key-not-rotated", row)


def _active_keys(row: Credentials) -> list[AccessKey]:
    """A user's: no key of root's may be there at all."""
    return [key for key in row.keys if key.active] if isinstance(row, User) else []


def _undated(check_id: str, row: Credentials) -> Unread:
    detail = f"the credential report has no date for an active key of {row.arn}"
    return Unread(Gap(check_id, Blindness.NO_DATA, detail))


@check(
    Credentials,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Deactivate the key, and delete it when nobody misses it.",
    maps=(*UNUSED, "FSBP IAM.8", "FSBP IAM.22"),
    equivalent=("prowler:iam_user_accesskey_unused",),
    cli=(
        (
            "aws iam list-access-keys --user-name={name} --query 'AccessKeyMetadata[].[AccessKeyId, "
            "CreateDate, Status]' --region {region}"
        ),
        "aws iam get-access-key-last-used --access-key-id '<access-key-id>' --region {region}",
        (
            "aws iam update-access-key --user-name={name} --access-key-id '<access-key-id>' --status "
            "Inactive --region {region}"
        ),
        "aws iam delete-access-key --user-name={name} --access-key-id '<access-key-id>' --region {region}",
    ),
)
def iam_user_access_key_unused(row: Credentials, view: View, *, max_days: int = 45) -> Problems:
    """An active access key has not been used within the allowed days.

    Who steals a key that nobody uses is not noticed. A key that was never used counts from when it was made.
    """
    active = _active_keys(row)
    for key in active:
        since = key.used or key.rotated
        if since and _is_older(since, max_days, view):
            said = "was last used" if key.used else "was never used and made"
            yield Problem(f"active access key {key.number} {said} on {since:%Y-%m-%d}", key=str(key.number))
    if any(key.used is None and key.rotated is None for key in active):
        raise _undated("iam-user-access-key-unused", row)


@check(
    Credentials,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Delete the login profile of the dormant user.",
    maps=(*UNUSED, "FSBP IAM.8", "FSBP IAM.22"),
    equivalent=("prowler:iam_user_console_access_unused",),
    cli=("aws iam delete-login-profile --user-name={name} --region {region}",),
)
def iam_user_console_access_unused(row: Credentials, view: View, *, max_days: int = 45) -> Problems:
    """A console password has not been used within the allowed days.

    The account of somebody who left waits for who guesses the password. A password that was never used
    counts from when it was set, and from when the user was made.
    """
    if not isinstance(row, User) or not row.password:
        return
    since = row.password_used or max(row.created, row.password_changed or row.created)
    if row.password_used is None and row.password_changed is None and _is_older(since, max_days, view):
        detail = f"the credential report has no date for the password of {row.arn}"
        raise Unread(Gap("iam-user-console-access-unused", Blindness.NO_DATA, detail))
    if _is_older(since, max_days, view):
        said = "last used" if row.password_used else "never used, and set"
        yield f"console password {said} on {since:%Y-%m-%d}"


def _is_older(since: datetime, days: int, view: View) -> bool:
    return (view.now - since).days > days


@check(
    PasswordPolicy,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Set an account password policy with the required minimum length.",
    also=(Credentials,),
    maps=(
        "CIS AWS 3.0 1.8",
        "CIS AWS 5.0 1.7",
        "CIS AWS 6.0 2.7",
        "CIS AWS 7.0 2.8",
        "FSBP IAM.7",
        "FSBP IAM.10",
    ),
    equivalent=("prowler:iam_password_policy_minimum_length_14", "trusted-advisor:Yw2K9puPzl"),
    cli=(
        "aws iam get-account-password-policy --region {region}",
        (
            "aws iam update-account-password-policy --minimum-password-length 14 "
            "--require-lowercase-characters --require-uppercase-characters --require-numbers "
            "--require-symbols --allow-users-to-change-password --password-reuse-prevention 24 "
            "--region {region}"
        ),
    ),
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
    if skip_if_no_password_users and not any(
        isinstance(row, User) and row.password for row in view.every(Credentials)
    ):
        return
    if length is None:
        yield "no password policy is set, so AWS's default of 8 characters applies"
    else:
        yield f"passwords of {length} characters are allowed, fewer than {min_length}"
