"""What the checks of policies, and of roles that nobody uses, accept and reject."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.policy import Policy, parse
from orgscan.services.iam.checks.escalation import iam_policy_privilege_escalation
from orgscan.services.iam.checks.permissions import (
    iam_inline_policy_full_admin,
    iam_policy_full_admin_customer_managed,
    iam_role_unused,
)
from orgscan.services.iam.facts import Authorization, InlinePolicy, ManagedPolicy, Principal
from tests.cases.case import NOW, Case, cannot_tell, fails, passes

HERE = "arn:aws:iam::123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def allow(*actions: str, resource: object = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions), "Effect": "Deny", **more}


def document(*statements: dict[str, Any]) -> Policy:
    return parse({"Statement": list(statements)})


def inline(*statements: dict[str, Any], name: str = "job") -> InlinePolicy:
    return InlinePolicy(name, document(*statements))


def managed(name: str, *statements: dict[str, Any], owner: str = "123456789012") -> ManagedPolicy:
    arn = f"arn:aws:iam::{owner}:policy/{name}"
    return ManagedPolicy(arn=arn, name=name, document=document(*statements), attachments=2, bounds=0)


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
UNREADABLE = Gap("PolicyDocument", Blindness.FAULT, "Malformed: not JSON")
DENIED = Gap("iam-authorizations", Blindness.DENIED, "iam:GetAccountAuthorizationDetails")
ROLE = Principal(
    arn=f"{HERE}:role/deploy",
    kind="role",
    name="deploy",
    path="/",
    created=NOW - timedelta(days=1000),
    used=NOW - timedelta(days=1),
)
USER = Principal(arn=f"{HERE}:user/ann", kind="user", name="ann", path="/", created=NOW, groups=("staff",))
GROUP = Principal(arn=f"{HERE}:group/x/staff", kind="group", name="staff", path="/x/", created=NOW)
LINKED = replace(ROLE, name="AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/")
ALL = managed("all", allow("*"))
ASKING = "asking for aws:MultiFactorAuthPresent"
EVERYTHING = "allows every action on every resource"

MANAGED_CASES: list[Case] = [
    passes(iam_policy_full_admin_customer_managed, managed("read", allow("s3:Get*"))),
    fails(
        iam_policy_full_admin_customer_managed,
        ALL,
        Problem(f"a statement {EVERYTHING}; attached to 2", Severity.HIGH),
    ),
    fails(
        iam_policy_full_admin_customer_managed,
        managed("all", allow("*", Sid="Everything"), deny("iam:*")),
        f"statement Everything {EVERYTHING}; attached to 2",
    ),
    passes(iam_policy_full_admin_customer_managed, replace(ALL, attachments=0)),
    fails(
        iam_policy_full_admin_customer_managed,
        replace(ALL, attachments=0, bounds=1),
        Problem(f"a statement {EVERYTHING}; used as permissions boundary only", Severity.LOW),
    ),
    fails(
        iam_policy_full_admin_customer_managed,
        replace(ALL, document=document(allow("*", Condition=MFA))),
        Problem(
            f"a statement {EVERYTHING}, asking for aws:MultiFactorAuthPresent; attached to 2", Severity.MEDIUM
        ),
    ),
    fails(
        iam_policy_full_admin_customer_managed,
        replace(ALL, attachments=0, bounds=1, document=document(allow("*", Condition=MFA))),
        Problem(
            f"a statement {EVERYTHING}, {ASKING}; used as permissions boundary only",
            Severity.INFORMATIONAL,
        ),
    ),
    passes(iam_policy_full_admin_customer_managed, managed("nat", allow("*", resource="arn:aws:s3:::b/*"))),
    passes(iam_policy_full_admin_customer_managed, managed("AdministratorAccess", allow("*"), owner="aws")),
    passes(iam_policy_full_admin_customer_managed, replace(ROLE, inline=(inline(allow("*")),))),
    cannot_tell(iam_policy_full_admin_customer_managed, replace(ALL, document=UNREADABLE), "not JSON"),
    passes(iam_policy_full_admin_customer_managed, replace(ALL, document=UNREADABLE, attachments=0)),
]

INLINE_CASES: list[Case] = [
    passes(iam_inline_policy_full_admin, ROLE),
    passes(iam_inline_policy_full_admin, ALL),
    passes(iam_inline_policy_full_admin, replace(USER, inline=(inline(allow("s3:*")),))),
    fails(
        iam_inline_policy_full_admin,
        replace(
            ROLE,
            inline=(inline(allow("*")), inline(allow("ec2:*"), name="b"), inline(allow("*:*"), name="c")),
        ),
        Problem(f"inline policy job: a statement {EVERYTHING}", Severity.CRITICAL, key="job"),
        Problem(f"inline policy c: a statement {EVERYTHING}", Severity.CRITICAL, key="c"),
    ),
    fails(
        iam_inline_policy_full_admin,
        replace(GROUP, inline=(inline(allow("*", Condition=MFA)),)),
        Problem(
            f"inline policy job: a statement {EVERYTHING}, asking for aws:MultiFactorAuthPresent",
            Severity.HIGH,
            key="job",
        ),
    ),
    passes(iam_inline_policy_full_admin, replace(LINKED, inline=(inline(allow("*")),))),
    Case(
        iam_inline_policy_full_admin,
        replace(ROLE, inline=(InlinePolicy("a", UNREADABLE), inline(allow("*")))),
        (f"inline policy job: a statement {EVERYTHING}",),
        unread="not JSON",
    ),
]


def unused(days: float) -> Principal:
    return replace(ROLE, used=NOW - timedelta(days=days))


LAST = "last used on 2025-01-14"
UNUSED_CASES: list[Case] = [
    passes(iam_role_unused, ROLE),
    passes(iam_role_unused, unused(365.9)),
    fails(iam_role_unused, unused(366), Problem(LAST)),
    passes(iam_role_unused, replace(ROLE, used=None, created=NOW - timedelta(days=365))),
    fails(
        iam_role_unused,
        replace(ROLE, used=None, created=NOW - timedelta(days=366)),
        "made on 2025-01-14, no use is known",
    ),
    fails(
        iam_role_unused,
        replace(unused(366), profiles=("web", "batch")),
        LAST,
        "it is in the instance profile web, batch",
    ),
    fails(
        iam_role_unused,
        replace(unused(366), policies=(ADMIN,)),
        Problem(LAST),
        Problem("it is an administrator by AdministratorAccess", Severity.MEDIUM),
    ),
    fails(
        iam_role_unused,
        replace(unused(366), policies=(ALL.arn,), inline=(inline(allow("*")),)),
        LAST,
        Problem("it is an administrator by inline policy job", Severity.MEDIUM),
        Problem("it is an administrator by all", Severity.MEDIUM),
        beside=[ALL],
    ),
    Case(
        iam_role_unused,
        replace(unused(366), policies=(ALL.arn,)),
        (LAST,),
        lost={Authorization: DENIED},
        unread="iam:GetAccountAuthorizationDetails",
    ),
    Case(
        iam_role_unused,
        replace(unused(366), inline=(InlinePolicy("a", UNREADABLE),)),
        (LAST,),
        unread="not JSON",
    ),
    passes(iam_role_unused, replace(unused(366), path="/aws-service-role/x.amazonaws.com/")),
    passes(iam_role_unused, replace(unused(366), path="/aws-reserved/sso.amazonaws.com/eu-west-1/")),
    passes(iam_role_unused, replace(unused(366), name="acme-break-glass")),
    passes(iam_role_unused, replace(unused(366), name="AWSControlTowerExecution")),
    passes(iam_role_unused, replace(USER, created=NOW - timedelta(days=900))),
    fails(iam_role_unused, unused(31), "last used on 2025-12-15", parameters={"max_days": 30}),
    fails(
        iam_role_unused,
        replace(unused(366), name="acme-break-glass"),
        LAST,
        parameters={"allow_patterns": ["ci-*"]},
    ),
]

WRITER = managed("writer", allow("iam:CreatePolicyVersion"))
START = managed("start", allow("ec2:RunInstances"))
PASSER = replace(ROLE, inline=(inline(allow("iam:PassRole")),))
AUTHOR = managed(
    "AWSLambda_FullAccess",
    allow("lambda:*"),
    allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
    owner="aws",
)
BY_LAMBDA = (
    "lambda:UpdateFunctionCode, iam:PassRole + lambda:CreateFunction + lambda:InvokeFunction, "
    "iam:PassRole + lambda:CreateFunction + lambda:CreateEventSourceMapping"
)
BOUNDARY = replace(managed("boundary", allow("s3:*", "ec2:*")), attachments=0, bounds=1)
ESCALATION_CASES: list[Case] = [
    passes(iam_policy_privilege_escalation, ROLE),
    passes(iam_policy_privilege_escalation, managed("read", allow("iam:Get*", "iam:List*", "sts:Get*"))),
    fails(iam_policy_privilege_escalation, WRITER, Problem("it allows iam:CreatePolicyVersion")),
    fails(
        iam_policy_privilege_escalation,
        WRITER,
        "it allows iam:CreatePolicyVersion",
        beside=[replace(ROLE, policies=(WRITER.arn,)), WRITER],
    ),
    # Its only principal is bounded, or denied by another policy.
    passes(
        iam_policy_privilege_escalation,
        WRITER,
        beside=[replace(ROLE, policies=(WRITER.arn,), boundary=BOUNDARY.arn), WRITER, BOUNDARY],
    ),
    passes(
        iam_policy_privilege_escalation,
        WRITER,
        beside=[replace(ROLE, policies=(WRITER.arn,), inline=(inline(deny("iam:*")),)), WRITER],
    ),
    fails(
        iam_policy_privilege_escalation,
        WRITER,
        "it allows iam:CreatePolicyVersion",
        beside=[
            replace(ROLE, policies=(WRITER.arn,), boundary=BOUNDARY.arn),
            replace(GROUP, policies=(WRITER.arn,)),
            WRITER,
            BOUNDARY,
        ],
    ),
    passes(iam_policy_privilege_escalation, replace(WRITER, attachments=0)),
    passes(iam_policy_privilege_escalation, AUTHOR),
    passes(iam_policy_privilege_escalation, ALL),
    fails(
        iam_policy_privilege_escalation,
        managed("passes", allow("iam:PassRole", resource=f"{HERE}:role/web"), allow("ec2:*")),
        Problem("it allows iam:PassRole + ec2:RunInstances, passing named roles only", Severity.MEDIUM),
    ),
    fails(
        iam_policy_privilege_escalation,
        managed(
            "mixed",
            allow("iam:PassRole", resource=f"{HERE}:role/web"),
            allow("ec2:RunInstances", "ssm:StartSession"),
        ),
        Problem("it allows ssm:StartSession"),
        Problem("it allows iam:PassRole + ec2:RunInstances, passing named roles only", Severity.MEDIUM),
    ),
    # Principals: of each policy that is not judged elsewhere, then of all together.
    fails(
        iam_policy_privilege_escalation,
        replace(ROLE, inline=(inline(allow("iam:putrolepolicy")), inline(allow("s3:*"), name="b"))),
        Problem("inline policy job allows iam:PutRolePolicy", key="job"),
    ),
    passes(iam_policy_privilege_escalation, replace(ROLE, policies=(WRITER.arn,)), beside=[WRITER]),
    fails(
        iam_policy_privilege_escalation,
        replace(PASSER, policies=(START.arn,)),
        Problem("its policies together allow iam:PassRole + ec2:RunInstances"),
        beside=[START],
    ),
    fails(
        iam_policy_privilege_escalation,
        replace(ROLE, policies=(AUTHOR.arn,)),
        Problem(f"AWSLambda_FullAccess allows {BY_LAMBDA}"),
        beside=[AUTHOR],
    ),
    passes(
        iam_policy_privilege_escalation,
        replace(ROLE, policies=(AUTHOR.arn,)),
        beside=[AUTHOR],
        parameters={"include_aws_managed": False},
    ),
    passes(
        iam_policy_privilege_escalation,
        replace(PASSER, policies=(START.arn,), boundary=BOUNDARY.arn),
        beside=[START, BOUNDARY],
    ),
    passes(
        iam_policy_privilege_escalation,
        replace(PASSER, policies=(START.arn, managed("no", deny("iam:PassRole")).arn)),
        beside=[START, managed("no", deny("iam:PassRole"))],
    ),
    passes(
        iam_policy_privilege_escalation,
        replace(
            ROLE,
            inline=(
                inline(allow("iam:PutRolePolicy"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}),
            ),
        ),
    ),
    # A Deny under a condition may not hold.
    fails(
        iam_policy_privilege_escalation,
        replace(PASSER, inline=(inline(allow("iam:PutUserPolicy"), deny("iam:*", Condition=MFA)),)),
        Problem("inline policy job allows iam:PutUserPolicy", key="job"),
    ),
    # What a group allows is said of the group; what it adds to the user's own, of the user.
    passes(
        iam_policy_privilege_escalation,
        USER,
        beside=[replace(GROUP, inline=(inline(allow("iam:PassRole", "ec2:RunInstances")),))],
    ),
    passes(
        iam_policy_privilege_escalation,
        USER,
        beside=[
            replace(
                GROUP, inline=(inline(allow("iam:PassRole")), inline(allow("ec2:RunInstances"), name="b"))
            )
        ],
    ),
    fails(
        iam_policy_privilege_escalation,
        replace(USER, inline=(inline(allow("ec2:RunInstances")),)),
        Problem("its policies together allow iam:PassRole + ec2:RunInstances"),
        beside=[replace(GROUP, inline=(inline(allow("iam:PassRole")),))],
    ),
    fails(
        iam_policy_privilege_escalation,
        replace(GROUP, inline=(inline(allow("iam:AddUserToGroup")),)),
        Problem("inline policy job allows iam:AddUserToGroup", key="job"),
    ),
    # Administrators have nothing to gain.
    passes(iam_policy_privilege_escalation, replace(ROLE, inline=(inline(allow("*")),))),
    passes(
        iam_policy_privilege_escalation,
        replace(PASSER, policies=(ADMIN, START.arn)),
        beside=[managed("AdministratorAccess", allow("*"), owner="aws"), START],
    ),
    # What an AWS managed administrator policy allows is said of it.
    passes(
        iam_policy_privilege_escalation,
        replace(ROLE, policies=("arn:aws:iam::aws:policy/PowerUserAccess",)),
        beside=[managed("PowerUserAccess", allow("ssm:*", "lambda:*"), owner="aws")],
    ),
    passes(iam_policy_privilege_escalation, replace(LINKED, inline=(inline(allow("iam:PutRolePolicy")),))),
    # Every action, but on nothing that changes who may do what.
    passes(
        iam_policy_privilege_escalation,
        replace(ROLE, inline=(inline(allow("*", resource="arn:aws:s3:::b/*")),)),
    ),
    fails(
        iam_policy_privilege_escalation,
        managed("attach", allow("iam:Attach*", resource=["arn:aws:s3:::b", f"{HERE}:role/*"])),
        "it allows iam:AttachRolePolicy",
    ),
    passes(
        iam_policy_privilege_escalation,
        WRITER,
        parameters={"ignored_paths": ["iam:CreatePolicyVersion"]},
    ),
    cannot_tell(iam_policy_privilege_escalation, replace(WRITER, document=UNREADABLE), "not JSON"),
    cannot_tell(
        iam_policy_privilege_escalation,
        replace(PASSER, policies=(START.arn,)),
        "start is in use and was not listed",
    ),
    cannot_tell(
        iam_policy_privilege_escalation,
        replace(ROLE, inline=(InlinePolicy("a", UNREADABLE), inline(allow("iam:PutRolePolicy")))),
        "not JSON",
    ),
    cannot_tell(iam_policy_privilege_escalation, WRITER, "iam:GetAccount", lost={Authorization: DENIED}),
]

CASES = [*MANAGED_CASES, *INLINE_CASES, *UNUSED_CASES, *ESCALATION_CASES]
