"""What the IAM checks accept and reject."""

from dataclasses import replace
from datetime import datetime, timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.policy import parse
from orgscan.services.iam.checks.permissions import iam_principal_aws_admin_policy_attached
from orgscan.services.iam.checks.users import (
    iam_password_policy_min_length_short,
    iam_root_access_key_present,
    iam_root_mfa_disabled,
    iam_root_used_recently,
    iam_user_access_key_not_rotated,
    iam_user_access_key_unused,
    iam_user_console_access_unused,
    iam_user_console_mfa_missing,
)
from orgscan.services.iam.facts import (
    AccessKey,
    Authorization,
    Credentials,
    ManagedPolicy,
    PasswordPolicy,
    Principal,
    RootCredentials,
    RootUser,
    User,
)
from tests.cases.case import NOW, Case, cannot_tell, fails, passes

HERE = "arn:aws:iam::123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ROOT = RootUser(arn=f"{HERE}:root", mfa=True, password=True, keys=0)
NO_KEYS = (AccessKey(1, active=False, rotated=None), AccessKey(2, active=False, rotated=None))
ROOT_ROW = RootCredentials(arn=ROOT.arn, keys=NO_KEYS, password_used=None)
ANN = User(
    arn=f"{HERE}:user/ann",
    password=True,
    mfa=True,
    keys=NO_KEYS,
    created=NOW - timedelta(days=1000),
    password_used=NOW - timedelta(days=1),
    password_changed=NOW - timedelta(days=700),
)
NO_MFA = replace(ANN, mfa=False)
ROBOT = replace(ANN, arn=f"{HERE}:user/robot", password=False, mfa=False)
PRINCIPAL = Principal(
    arn=ANN.arn, kind="user", name="ann", path="/", created=NOW, policies=(), groups=("staff",)
)
ADMIN_USER = replace(PRINCIPAL, policies=(ADMIN,))
GROUP = Principal(arn=f"{HERE}:group/staff", kind="group", name="staff", path="/", created=NOW)
ROLE = Principal(
    arn=f"{HERE}:role/deploy", kind="role", name="deploy", path="/", created=NOW, policies=(ADMIN,)
)
MANAGED = ManagedPolicy(
    arn=f"{HERE}:policy/staff", name="staff", document=parse({"Statement": []}), attachments=1, bounds=0
)
POLICY = PasswordPolicy(arn=f"{HERE}:password-policy", min_length=14)
DENIED = Gap("iam-authorizations", Blindness.DENIED, "iam:GetAccountAuthorizationDetails")
NOT_READY = Gap("iam-credentials", Blindness.FAULT, "ReportNotReady")


def ago(days: float | None) -> datetime | None:
    return None if days is None else NOW - timedelta(days=days)


def key(days: float | None, number: int = 1, *, active: bool = True, used: float | None = None) -> AccessKey:
    return AccessKey(number, active=active, rotated=ago(days), used=ago(used))


ROOT_CASES: list[Case] = [
    passes(iam_root_mfa_disabled, ROOT),
    fails(iam_root_mfa_disabled, replace(ROOT, mfa=False), "root has no MFA device"),
    passes(iam_root_mfa_disabled, replace(ROOT, mfa=False, password=False)),
]

ROOT_KEY_CASES: list[Case] = [
    passes(iam_root_access_key_present, ROOT),
    passes(iam_root_access_key_present, replace(ROOT, password=False, mfa=False)),
    fails(iam_root_access_key_present, replace(ROOT, keys=1), Problem("root has access keys")),
    fails(iam_root_access_key_present, replace(ROOT, keys=2, password=False), "root has access keys"),
]

ROOT_USE_CASES: list[Case] = [
    passes(iam_root_used_recently, ROOT_ROW),
    passes(iam_root_used_recently, replace(ROOT_ROW, password_used=ago(7))),
    fails(
        iam_root_used_recently,
        replace(ROOT_ROW, password_used=NOW - timedelta(days=7) + timedelta(seconds=60)),
        Problem("root signed in on 2026-01-08 12:01 UTC"),
    ),
    # After the scan began.
    fails(
        iam_root_used_recently,
        replace(ROOT_ROW, password_used=NOW + timedelta(seconds=30)),
        "root signed in on 2026-01-15 12:00 UTC",
    ),
    fails(
        iam_root_used_recently,
        replace(ROOT_ROW, password_used=ago(300), keys=(key(900, used=100), key(900, 2, used=2))),
        "root used access key 2 on 2026-01-13 12:00 UTC",
    ),
    # A key that is off now was on when it was used.
    fails(
        iam_root_used_recently,
        replace(ROOT_ROW, keys=(key(900, active=False, used=1),)),
        "root used access key 1 on 2026-01-14 12:00 UTC",
    ),
    passes(iam_root_used_recently, ANN),
    passes(iam_root_used_recently, replace(ROOT_ROW, password_used=ago(2)), parameters={"max_days": 2}),
    fails(
        iam_root_used_recently,
        replace(ROOT_ROW, password_used=ago(29)),
        "root signed in on 2025-12-17 12:00 UTC",
        parameters={"max_days": 30},
    ),
]

KEY_USE_CASES: list[Case] = [
    passes(iam_user_access_key_unused, ANN),
    passes(iam_user_access_key_unused, replace(ANN, keys=(key(400, used=45), key(45, 2)))),
    passes(iam_user_access_key_unused, replace(ANN, keys=(key(400, used=45.9),))),
    fails(
        iam_user_access_key_unused,
        replace(ANN, keys=(key(400, used=46), key(46, 2))),
        Problem("active access key 1 was last used on 2025-11-30", key="1"),
        Problem("active access key 2 was never used and made on 2025-11-30", key="2"),
    ),
    passes(iam_user_access_key_unused, replace(ANN, keys=(key(400, used=300, active=False),))),
    # Root's keys are another check's.
    passes(iam_user_access_key_unused, replace(ROOT_ROW, keys=(key(400, used=300),))),
    passes(iam_user_access_key_unused, replace(ANN, keys=(key(None, used=3),))),
    fails(
        iam_user_access_key_unused,
        replace(ANN, keys=(key(400, used=8),)),
        "active access key 1 was last used on 2026-01-07",
        parameters={"max_days": 7},
    ),
    Case(
        iam_user_access_key_unused,
        replace(ANN, keys=(key(None), key(100, 2))),
        ("active access key 2 was never used and made on 2025-10-07",),
        unread="no date for an active key",
    ),
]

CONSOLE_USE_CASES: list[Case] = [
    passes(iam_user_console_access_unused, ANN),
    passes(iam_user_console_access_unused, replace(ANN, password_used=ago(45))),
    fails(
        iam_user_console_access_unused,
        replace(ANN, password_used=ago(46)),
        Problem("console password last used on 2025-11-30"),
    ),
    passes(iam_user_console_access_unused, replace(ANN, password_used=ago(460), password=False)),
    fails(
        iam_user_console_access_unused,
        replace(ANN, password_used=None, password_changed=ago(46)),
        "console password never used, and set on 2025-11-30",
    ),
    # One that was set anew is given time, and so is a new user.
    passes(iam_user_console_access_unused, replace(ANN, password_used=None, password_changed=ago(45))),
    passes(
        iam_user_console_access_unused,
        replace(ANN, password_used=None, password_changed=None, created=NOW - timedelta(days=45)),
    ),
    cannot_tell(
        iam_user_console_access_unused,
        replace(ANN, password_used=None, password_changed=None),
        "no date for the password",
    ),
    passes(iam_user_console_access_unused, ROOT_ROW),
    passes(iam_user_console_access_unused, replace(ANN, password_used=ago(80)), parameters={"max_days": 80}),
]

CONSOLE = "console password without an MFA device"
MFA_CASES: list[Case] = [
    passes(iam_user_console_mfa_missing, ANN),
    passes(iam_user_console_mfa_missing, ROOT_ROW),
    passes(iam_user_console_mfa_missing, ROBOT, lost={Authorization: DENIED}),
    fails(iam_user_console_mfa_missing, NO_MFA, Problem(CONSOLE), beside=[PRINCIPAL, GROUP]),
    fails(iam_user_console_mfa_missing, NO_MFA, CONSOLE),
    fails(
        iam_user_console_mfa_missing,
        NO_MFA,
        Problem(CONSOLE),
        Problem("AdministratorAccess is attached to the user", severity=Severity.CRITICAL),
        beside=[ADMIN_USER, GROUP],
    ),
    fails(
        iam_user_console_mfa_missing,
        NO_MFA,
        Problem(CONSOLE),
        Problem("AdministratorAccess is attached to its group staff", severity=Severity.CRITICAL),
        beside=[PRINCIPAL, replace(GROUP, policies=(ADMIN,))],
    ),
    # A role or policy that happens to have the group's name is not the group.
    fails(
        iam_user_console_mfa_missing,
        NO_MFA,
        CONSOLE,
        beside=[PRINCIPAL, GROUP, replace(ROLE, name="staff"), replace(MANAGED, policies=(ADMIN,))],
    ),
    # A policy of the account's own that has AWS's name is not AWS's.
    fails(
        iam_user_console_mfa_missing,
        NO_MFA,
        CONSOLE,
        beside=[replace(PRINCIPAL, policies=(f"{HERE}:policy/AdministratorAccess",))],
    ),
    # That it fails is known even where its weight is not.
    Case(
        iam_user_console_mfa_missing,
        NO_MFA,
        (CONSOLE,),
        lost={Authorization: DENIED},
        unread="iam:GetAccountAuthorizationDetails",
    ),
]

KEY_CASES: list[Case] = [
    passes(iam_user_access_key_not_rotated, ANN),
    passes(iam_user_access_key_not_rotated, replace(ANN, keys=(key(90.5), key(2, 2)))),
    passes(iam_user_access_key_not_rotated, replace(ANN, keys=(key(400, active=False), key(2, 2)))),
    fails(
        iam_user_access_key_not_rotated,
        replace(ANN, keys=(key(91), key(365, 2))),
        Problem("active access key 1 was last rotated on 2025-10-16", key="1"),
        Problem("active access key 2 was last rotated on 2025-01-15", key="2"),
    ),
    fails(
        iam_user_access_key_not_rotated,
        replace(ANN, keys=(key(3), key(366, 2))),
        Problem("active access key 2 was last rotated on 2025-01-14", severity=Severity.HIGH, key="2"),
    ),
    fails(
        iam_user_access_key_not_rotated,
        replace(ANN, keys=(key(31),)),
        Problem("active access key 1 was last rotated on 2025-12-15", severity=Severity.HIGH, key="1"),
        parameters={"max_days": 7, "high_days": 30},
    ),
    Case(
        iam_user_access_key_not_rotated,
        replace(ANN, keys=(AccessKey(1, active=True, rotated=None), key(100, 2))),
        ("active access key 2 was last rotated on 2025-10-07",),
        unread="no date for an active key",
    ),
]

ATTACHED = "AdministratorAccess is attached"
ADMIN_CASES: list[Case] = [
    passes(iam_principal_aws_admin_policy_attached, PRINCIPAL),
    passes(iam_principal_aws_admin_policy_attached, MANAGED),
    fails(iam_principal_aws_admin_policy_attached, ROLE, Problem(ATTACHED)),
    fails(iam_principal_aws_admin_policy_attached, ADMIN_USER, Problem(ATTACHED, severity=Severity.CRITICAL)),
    fails(
        iam_principal_aws_admin_policy_attached,
        replace(GROUP, policies=("arn:aws:iam::aws:policy/PowerUserAccess", ADMIN)),
        Problem(ATTACHED),
        Problem("PowerUserAccess is attached"),
    ),
    fails(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, policies=("arn:aws-cn:iam::aws:policy/IAMFullAccess",)),
        "IAMFullAccess is attached",
    ),
    passes(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, policies=(f"{HERE}:policy/AdministratorAccess",)),
    ),
    passes(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, policies=("arn:aws:iam::aws:policy/AdministratorAccess-Amplify",)),
    ),
    passes(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, name="AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/"),
    ),
    passes(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, name="AWSReservedSSO_Admin_0f", path="/aws-reserved/sso.amazonaws.com/"),
    ),
    passes(iam_principal_aws_admin_policy_attached, replace(ROLE, name="AWSControlTowerExecution")),
    passes(iam_principal_aws_admin_policy_attached, replace(ROLE, name="the-break-glass-role")),
    passes(iam_principal_aws_admin_policy_attached, replace(ROLE, name="OrganizationAccountAccessRole")),
    # The patterns are about roles.
    fails(
        iam_principal_aws_admin_policy_attached,
        replace(ADMIN_USER, name="OrganizationAccountAccessRole"),
        ATTACHED,
    ),
    fails(
        iam_principal_aws_admin_policy_attached,
        replace(ROLE, name="OrganizationAccountAccessRole", policies=(f"{HERE}:policy/all",)),
        f"{HERE}:policy/all is attached",
        parameters={"admin_policy_arns": [f"{HERE}:policy/all"], "allowed_role_patterns": ["ci-*"]},
    ),
]

PASSWORD_CASES: list[Case] = [
    passes(iam_password_policy_min_length_short, POLICY),
    passes(
        iam_password_policy_min_length_short, replace(POLICY, min_length=20), lost={Credentials: NOT_READY}
    ),
    fails(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=13),
        "passwords of 13 characters are allowed, fewer than 14",
        lost={Credentials: NOT_READY},
    ),
    fails(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=None),
        "no password policy is set, so AWS's default of 8 characters applies",
    ),
    passes(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=8),
        parameters={"min_length": 8},
    ),
    passes(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=None),
        parameters={"skip_if_no_password_users": True},
        beside=[ROBOT],
    ),
    fails(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=8),
        "passwords of 8 characters are allowed, fewer than 14",
        parameters={"skip_if_no_password_users": True},
        beside=[ROBOT, ANN],
    ),
    cannot_tell(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=8),
        "ReportNotReady",
        parameters={"skip_if_no_password_users": True},
        lost={Credentials: NOT_READY},
    ),
    cannot_tell(
        iam_password_policy_min_length_short,
        replace(
            POLICY, min_length=Gap("password_min_length", Blindness.DENIED, "iam:GetAccountPasswordPolicy")
        ),
        "iam:GetAccountPasswordPolicy",
    ),
]

CASES = [
    *ROOT_CASES,
    *ROOT_KEY_CASES,
    *ROOT_USE_CASES,
    *MFA_CASES,
    *KEY_CASES,
    *KEY_USE_CASES,
    *CONSOLE_USE_CASES,
    *ADMIN_CASES,
    *PASSWORD_CASES,
]
