"""What the IAM checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.iam.checks import (
    iam_password_policy_min_length_short,
    iam_principal_aws_admin_policy_attached,
    iam_root_mfa_disabled,
    iam_user_access_key_not_rotated,
    iam_user_console_mfa_missing,
)
from orgscan.services.iam.facts import AccessKey, PasswordPolicy, Principal, RootUser, User
from tests.cases.case import NOW, Case, cannot_tell, fails, passes

HERE = "arn:aws:iam::123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ROOT = RootUser(arn=f"{HERE}:root", mfa=True, password=True)
NO_KEYS = (AccessKey(1, active=False, rotated=None), AccessKey(2, active=False, rotated=None))
ANN = User(arn=f"{HERE}:user/ann", password=True, mfa=True, keys=NO_KEYS)
NO_MFA = replace(ANN, mfa=False)
ROBOT = replace(ANN, arn=f"{HERE}:user/robot", password=False, mfa=False)
PRINCIPAL = Principal(arn=ANN.arn, kind="user", name="ann", path="/", policies=(), groups=("staff",))
ADMIN_USER = replace(PRINCIPAL, policies=(ADMIN,))
GROUP = Principal(arn=f"{HERE}:group/staff", kind="group", name="staff", path="/", policies=())
ROLE = Principal(arn=f"{HERE}:role/deploy", kind="role", name="deploy", path="/", policies=(ADMIN,))
POLICY = PasswordPolicy(arn=f"{HERE}:password-policy", min_length=14)
DENIED = Gap("iam-principals", Blindness.DENIED, "iam:GetAccountAuthorizationDetails")
NOT_READY = Gap("iam-users", Blindness.FAULT, "ReportNotReady")


def key(days: float, number: int = 1, *, active: bool = True) -> AccessKey:
    return AccessKey(number, active=active, rotated=NOW - timedelta(days=days))


ROOT_CASES: list[Case] = [
    passes(iam_root_mfa_disabled, ROOT),
    fails(iam_root_mfa_disabled, replace(ROOT, mfa=False), "root has no MFA device"),
    passes(iam_root_mfa_disabled, replace(ROOT, mfa=False, password=False)),
]

CONSOLE = "console password without an MFA device"
MFA_CASES: list[Case] = [
    passes(iam_user_console_mfa_missing, ANN),
    passes(iam_user_console_mfa_missing, ROBOT, lost={Principal: DENIED}),
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
    # A role that happens to have the group's name is not the group.
    fails(
        iam_user_console_mfa_missing, NO_MFA, CONSOLE, beside=[PRINCIPAL, GROUP, replace(ROLE, name="staff")]
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
        lost={Principal: DENIED},
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
    passes(iam_password_policy_min_length_short, replace(POLICY, min_length=20), lost={User: NOT_READY}),
    fails(
        iam_password_policy_min_length_short,
        replace(POLICY, min_length=13),
        "passwords of 13 characters are allowed, fewer than 14",
        lost={User: NOT_READY},
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
        lost={User: NOT_READY},
    ),
    cannot_tell(
        iam_password_policy_min_length_short,
        replace(
            POLICY, min_length=Gap("password_min_length", Blindness.DENIED, "iam:GetAccountPasswordPolicy")
        ),
        "iam:GetAccountPasswordPolicy",
    ),
]

CASES = [*ROOT_CASES, *MFA_CASES, *KEY_CASES, *ADMIN_CASES, *PASSWORD_CASES]
