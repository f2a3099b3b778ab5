"""What policies of identities and organizations allow and deny."""

from typing import Any

import pytest

from orgscan.policy import Admin, Denial, Escalation, Policy, allows, escalation_paths, escalations, parse
from orgscan.policy.escalate import COMBINED, PASS, SINGLE
from tests.policies import OTHER, OWN, Sample, allow, answers, deny, expected, policy

ANY = "*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NETWORK = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
SELF = "arn:aws:iam::*:user/${aws:username}"
EVERY = (*SINGLE, "sts:AssumeRole on *", *(" + ".join((PASS, *rest)) for _, *rest in COMBINED))
OF_IAM = (*(path for path in EVERY if path.startswith("iam:") and "+" not in path),)
LAMBDA = "iam:PassRole + lambda:CreateFunction + lambda:InvokeFunction"
EVENTS = "iam:PassRole + lambda:CreateFunction + lambda:CreateEventSourceMapping"
EC2 = "iam:PassRole + ec2:RunInstances"


def sample(name: str, *statements: Any, **told: Any) -> Sample:
    return Sample(name=name, document=policy(*statements), **told)


def given(action: Any, resource: Any = ANY, condition: Any = None) -> dict[str, Any]:
    return allow(action, resource) | ({"Condition": condition} if condition else {})


def taken(action: Any, resource: Any = ANY, condition: Any = None) -> dict[str, Any]:
    return deny(action, resource) | ({"Condition": condition} if condition else {})


def without(*, action: Any = None, resource: Any = None) -> dict[str, Any]:
    """An Allow of all but some actions, or on all but some resources."""
    statement = {"Effect": "Allow", "Action": ANY, "Resource": ANY}
    if action:
        statement |= {"NotAction": action}
        del statement["Action"]
    if resource:
        statement |= {"NotResource": resource}
        del statement["Resource"]
    return statement


def admin(condition: Any = None) -> dict[str, Any]:
    return given(ANY, ANY, condition)


IDENTITIES = (
    # Administrators
    sample("AdministratorAccess", admin(), admin="yes", paths=EVERY),
    sample("with a colon", given("*:*"), admin="yes", paths=EVERY),
    sample("with more stars", given(["s3:Get*", "**"]), admin="yes", paths=EVERY),
    sample("with all ARNs", given(ANY, "arn:aws:*:*:*:*"), admin="yes", paths=EVERY),
    sample("with all ARNs of any partition", given(ANY, ["arn:*"]), admin="yes", paths=EVERY),
    sample("with nothing left out", without(action="nothing"), admin="yes", paths=EVERY),
    sample("of IAM", given("iam:*"), whole=("iam",), paths=OF_IAM),
    sample("of one bucket", given(ANY, "arn:aws:s3:::b/*")),
    sample("of all buckets", given(ANY, "arn:aws:s3:::*")),
    sample(
        "of an account's roles",
        given(ANY, f"arn:aws:iam::{OWN}:role/*"),
        paths=tuple(
            path
            for path in EVERY
            if path
            in (
                "sts:AssumeRole on *",
                "iam:AttachRolePolicy",
                "iam:PutRolePolicy",
                "iam:UpdateAssumeRolePolicy",
                "iam:DeleteRolePermissionsBoundary",
            )
        ),
    ),
    sample(
        "PowerUserAccess",
        without(action=["iam:*", "organizations:*", "account:*"]),
        given(["account:GetAccountInformation", "iam:CreateServiceLinkedRole", "iam:ListRoles"]),
        paths=tuple(path for path in EVERY if not path.startswith("iam:")),
    ),
    sample("all but one harmless action", without(action="s3:DeleteBucket"), paths=EVERY),
    sample("all but one bucket", without(resource="arn:aws:s3:::b"), paths=EVERY),
    sample(
        "all but IAM's resources",
        without(resource="arn:aws:iam::*"),
        paths=(*(path for path in EVERY if path in SINGLE and not path.startswith("iam:")),),
    ),
    sample("with MFA", admin(MFA), admin="lowered", paths=EVERY),
    sample(
        "with recent MFA",
        admin({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}),
        admin="lowered",
        paths=EVERY,
    ),
    sample(
        "with MFA, unless keys are used",
        admin({"BoolIfExists": {"aws:MultiFactorAuthPresent": True}}),
        admin="yes",
        paths=EVERY,
    ),
    sample("without MFA", admin({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), admin="yes", paths=EVERY),
    sample("from a network", admin(NETWORK), admin="lowered", paths=EVERY),
    sample("from anywhere", admin({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), admin="yes", paths=EVERY),
    sample("from a VPC", admin({"StringEquals": {"aws:SourceVpc": "vpc-1"}}), admin="lowered", paths=EVERY),
    sample(
        "for some time",
        admin({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}),
        admin="lowered",
        paths=EVERY,
    ),
    sample(
        "of one's own account",
        admin({"StringEquals": {"aws:ResourceAccount": OWN}}),
        admin="yes",
        paths=EVERY,
    ),
    sample(
        "in one region",
        admin({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        admin="lowered",
        paths=EVERY,
    ),
    sample("of what has a tag", admin({"StringEquals": {"aws:ResourceTag/team": "red"}}), paths=EVERY),
    sample(
        "of what has any tag", admin({"StringLike": {"aws:ResourceTag/team": "*"}}), admin="yes", paths=EVERY
    ),
    sample("of instances with a tag", admin({"StringEquals": {"ec2:ResourceTag/team": "red"}}), paths=EVERY),
    sample("of grants for services", admin({"Bool": {"kms:GrantIsForAWSResource": "true"}}), paths=EVERY),
    sample("with MFA, and without", admin(MFA), admin(), admin="yes", paths=EVERY),
    sample("undone", admin(), taken(ANY)),
    sample("undone oddly", admin(), taken("*:*", "**"), paths=()),
    sample(
        "undone without MFA",
        admin(),
        taken(ANY, ANY, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        admin="yes",
        paths=EVERY,
    ),
    sample(
        "undone in part",
        admin(),
        taken("iam:*"),
        admin="yes",
        paths=tuple(path for path in EVERY if not path.startswith("iam:")),
    ),
    sample("undone on a bucket", admin(), taken(ANY, "arn:aws:s3:::b"), admin="yes", paths=EVERY),
    sample("nothing but a Deny", taken(ANY)),
    sample("ViewOnlyAccess", given(["s3:List*", "ec2:Describe*", "iam:Get*"])),
    # Whole services
    sample("two services", given(["S3:*", "sqs:**", "sns:Publish"]), whole=("s3", "sqs")),
    sample("a service on some", given("s3:*", "arn:aws:s3:::b")),
    sample("a service on its ARNs", given("dynamodb:*", "arn:aws:*:*:*:*"), whole=("dynamodb",)),
    sample("all but a service", without(action="s3:*"), paths=EVERY),
    # Escalation
    *(sample(f"alone: {action}", given(action.upper()), paths=(action,)) for action in SINGLE),
    *(
        sample(f"combined: {rest}", given([PASS, *rest]), paths=(" + ".join((PASS, *rest)),))
        for _, *rest in COMBINED
    ),
    *(sample(f"incomplete: {rest}", given(rest)) for _, *rest in COMBINED),
    sample(
        "wildcards",
        given(["iam:Put*Policy"]),
        paths=("iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy"),
    ),
    sample("odd wildcards", given("i?m:*accesskey"), paths=("iam:CreateAccessKey",)),
    sample("one letter too few", given("iam:CreateAccessKe")),
    sample(
        "in two statements",
        given(PASS),
        given(["lambda:Create*"]),
        given("lambda:invokefunction"),
        paths=(LAMBDA, EVENTS),
    ),
    sample("every role", given("sts:AssumeRole"), paths=("sts:AssumeRole on *",)),
    sample(
        "every role of an account",
        given("sts:*", f"arn:aws:iam::{OTHER}:role/*"),
        paths=("sts:AssumeRole on *",),
    ),
    sample("a role", given("sts:AssumeRole", f"arn:aws:iam::{OTHER}:role/app")),
    sample("roles of a name", given("sts:AssumeRole", f"arn:aws:iam::{OTHER}:role/app-*")),
    sample("every bucket is no role", given(["s3:*", "sts:AssumeRole"], "arn:aws:s3:::*")),
    sample(
        "all but a role",
        without(resource=f"arn:aws:iam::{OTHER}:role/app") | {"Action": "sts:AssumeRole"},
        paths=("sts:AssumeRole on *",),
    ),
    sample("one's own keys", given(["iam:CreateAccessKey", "iam:UpdateLoginProfile"], SELF)),
    sample(
        "keys of who has one's name at the end",
        given("iam:CreateAccessKey", "arn:aws:iam::*:user/*${aws:username}"),
        paths=("iam:CreateAccessKey",),
    ),
    sample(
        "one's own keys, and others'",
        given("iam:CreateAccessKey", [SELF, "arn:aws:iam::*:user/ci"]),
        paths=("iam:CreateAccessKey",),
    ),
    sample("one's own rights", given("iam:PutUserPolicy", SELF), paths=("iam:PutUserPolicy",)),
    sample(
        "all but one's own keys",
        without(resource=SELF) | {"Action": "iam:CreateAccessKey"},
        paths=("iam:CreateAccessKey",),
    ),
    sample(
        "on users, not on roles",
        given(["iam:PutUserPolicy", "iam:PutRolePolicy"], "arn:aws:iam::*:user/*"),
        paths=("iam:PutUserPolicy",),
    ),
    sample(
        "within a boundary",
        given(
            ["iam:PutRolePolicy", "iam:AttachRolePolicy"],
            ANY,
            {"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{OWN}:policy/limit"}},
        ),
    ),
    sample(
        "within any boundary",
        given("iam:PutRolePolicy", ANY, {"StringLike": {"iam:PermissionsBoundary": "*"}}),
        paths=("iam:PutRolePolicy",),
    ),
    sample(
        "within a boundary, if any",
        given(
            "iam:PutRolePolicy",
            ANY,
            {"StringEqualsIfExists": {"iam:PermissionsBoundary": f"arn:aws:iam::{OWN}:policy/limit"}},
        ),
        paths=("iam:PutRolePolicy",),
    ),
    sample(
        "chosen policies",
        given(
            "iam:AttachUserPolicy",
            ANY,
            {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}},
        ),
    ),
    sample(
        "chosen badly",
        given(
            "iam:AttachUserPolicy",
            ANY,
            {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}},
        ),
        paths=("iam:AttachUserPolicy",),
    ),
    sample("with MFA only", given("iam:AttachUserPolicy", ANY, MFA), paths=("iam:AttachUserPolicy",)),
    sample(
        "passed to instances",
        given([PASS], ANY, {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
        given(["ec2:RunInstances", "lambda:*"], "arn:aws:*:*:*:x*"),
        paths=("lambda:UpdateFunctionCode", EC2),
    ),
    sample(
        "passed to functions or instances",
        given(
            [PASS],
            ANY,
            {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "EC2.amazonaws.com.cn"]}},
        ),
        given(["ec2:RunInstances", "lambda:CreateFunction", "lambda:InvokeFunction"]),
        paths=(LAMBDA, EC2),
    ),
    sample(
        "passed to whom it may be",
        given([PASS], ANY, {"StringLike": {"iam:PassedToService": "*"}}),
        given("ec2:RunInstances"),
        paths=(EC2,),
    ),
    sample(
        "passed to containers",
        given([PASS], ANY, {"StringLike": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
        given(["ec2:RunInstances", "ecs:*"], "*"),
        whole=("ecs",),
        paths=("iam:PassRole + ecs:RegisterTaskDefinition + ecs:RunTask",),
    ),
    sample("denied", given("iam:CreateAccessKey"), taken("iam:*")),
    sample("denied in other case", given("iam:CreateAccessKey"), taken("IAM:createaccesskey")),
    sample(
        "denied sometimes",
        given("iam:CreateAccessKey"),
        taken("iam:*", ANY, NETWORK),
        paths=("iam:CreateAccessKey",),
    ),
    sample(
        "denied elsewhere",
        given("iam:CreateAccessKey"),
        taken("iam:*", "arn:aws:iam::*:user/admin"),
        paths=("iam:CreateAccessKey",),
    ),
    sample(
        "denied there",
        given("iam:CreateAccessKey", "arn:aws:iam::*:user/x"),
        taken("iam:*", "arn:aws:iam::*:user/*"),
    ),
    sample(
        "denied in one of two places",
        given("iam:CreateAccessKey", ["arn:aws:iam::*:user/x", "arn:aws:iam::*:user/y"]),
        taken("iam:*", "arn:aws:iam::*:user/x"),
        paths=("iam:CreateAccessKey",),
    ),
    sample(
        "denied where it matters",
        given("iam:CreateAccessKey", ["arn:aws:iam::*:user/x", "arn:aws:s3:::b"]),
        taken("iam:*", "arn:aws:iam::*:user/x"),
    ),
    sample(
        "all denied but some",
        given(["iam:CreateAccessKey", "s3:GetObject"]),
        {"Effect": "Deny", "NotAction": ["s3:*", "sts:*"], "Resource": ANY},
    ),
    sample("part of a path denied", given(["iam:PassRole", "ec2:RunInstances"]), taken("ec2:Run*")),
)


@pytest.mark.parametrize("one", IDENTITIES, ids=lambda one: one.name)
def test_what_policies_of_identities_allow(one: Sample) -> None:
    assert answers(one) == expected(one)


def test_an_administrators_statement_is_named() -> None:
    found = parse(policy(admin() | {"Sid": "all", "Condition": MFA})).is_admin()
    assert found == Admin("all", lowered=True, narrowed="aws:MultiFactorAuthPresent")


def identity(*statements: Any) -> Policy:
    return parse(policy(*statements))


def test_the_policies_of_an_identity_act_together() -> None:
    parts = [
        identity(given(PASS)),
        identity(given("lambda:CreateFunction")),
        identity(given("lambda:Invoke*")),
    ]
    assert [escalations([part]) for part in parts] == [(), (), ()]
    assert escalations(parts) == escalations(iter(parts[::-1])) == (LAMBDA,)
    assert escalations([*parts, identity(taken("lambda:*"))]) == ()
    assert escalations([]) == ()


def test_a_boundary_must_allow_it_too() -> None:
    rights = [identity(given(["iam:CreateAccessKey", PASS, "ec2:RunInstances"]))]
    assert escalations(rights, boundary=identity(admin())) == ("iam:CreateAccessKey", EC2)
    assert escalations(rights, boundary=identity(given(["ec2:*", "iam:PassRole"]))) == (EC2,)
    assert escalations(rights, boundary=identity(given("iam:*"))) == ("iam:CreateAccessKey",)
    assert escalations(rights, boundary=identity(admin(), taken("iam:PassRole"))) == ("iam:CreateAccessKey",)
    assert escalations(rights, boundary=parse({"Statement": []})) == ()


@pytest.mark.parametrize(
    ("roles", "named"),
    [
        (f"arn:aws:iam::{OWN}:role/app", True),
        ([f"arn:aws:iam::{OWN}:role/app", f"arn:aws:iam::{OWN}:role/web"], True),
        ([f"arn:aws:iam::{OWN}:role/app", f"arn:aws:iam::{OWN}:role/*"], False),
        (f"arn:aws:iam::{OWN}:role/app-?", False),
        (ANY, False),
    ],
)
def test_roles_that_are_passed_by_name(roles: Any, named: bool) -> None:  # noqa: FBT001 (a table's column)
    rights = identity(given(PASS, roles), given("ec2:RunInstances"))
    assert escalation_paths([rights]) == (Escalation(EC2, named_roles=named),)


def test_named_roles_next_to_any_role() -> None:
    rights = identity(given(PASS, f"arn:aws:iam::{OWN}:role/app"), given(PASS), given("ec2:RunInstances"))
    assert escalation_paths([rights]) == (Escalation(EC2),)
    spared = {"Effect": "Allow", "Action": PASS, "NotResource": f"arn:aws:iam::{OWN}:role/app"}
    assert escalation_paths([identity(spared, given("ec2:RunInstances"))]) == (Escalation(EC2),)


@pytest.mark.parametrize(
    ("statements", "action", "resource", "expected_"),
    [
        ([given("s3:*")], "s3:GetObject", "*", True),
        ([given("s3:*")], "S3:getobject", "arn:aws:s3:::b", True),
        ([given("s3:*", "arn:aws:s3:::b")], "s3:GetObject", "*", False),
        ([given("s3:*", "arn:aws:s3:::b*")], "s3:GetObject", "arn:aws:s3:::bb", True),
        ([given("s3:*", "arn:aws:s3:::b")], "s3:GetObject", "arn:aws:s3:::c", False),
        ([given("s3:*")], "sqs:SendMessage", "*", False),
        ([without(action="s3:*")], "s3:GetObject", "*", False),
        ([without(action="s3:*")], "sqs:SendMessage", "*", True),
        ([without(resource="arn:aws:s3:::b")], "s3:GetObject", "arn:aws:s3:::b", False),
        ([without(resource="arn:aws:s3:::b")], "s3:GetObject", "arn:aws:s3:::c", True),
        ([without(resource="arn:aws:s3:::b")], "s3:GetObject", "*", False),
        ([given("s3:*"), taken("s3:Get*")], "s3:GetObject", "*", False),
        ([given("s3:*"), taken("s3:Get*", "arn:aws:s3:::b")], "s3:GetObject", "*", True),
        ([given("s3:*"), taken("s3:Get*", "arn:aws:s3:::b")], "s3:GetObject", "arn:aws:s3:::b", False),
        ([given("s3:*"), taken("s3:*", "*", NETWORK)], "s3:GetObject", "*", True),
        ([given("s3:*", "*", MFA)], "s3:GetObject", "*", True),
        ([taken("s3:*")], "s3:GetObject", "*", False),
        ([], "s3:GetObject", "*", False),
    ],
)
def test_allows(statements: list[Any], action: str, resource: str, expected_: bool) -> None:  # noqa: FBT001
    assert identity(*statements).allows(action, resource) is expected_
    assert allows(map(identity, statements), action, resource) is expected_


def test_allowing_shows_the_statements() -> None:
    named = given(PASS, f"arn:aws:iam::{OWN}:role/app") | {"Sid": "named"}
    bound = given("iam:*", ANY, {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}) | {
        "Sid": "bound"
    }
    rights = identity(named, bound, given("s3:*"))
    assert [each.sid for each in rights.allowing(PASS)] == ["named", "bound"]
    assert [each.sid for each in rights.allowing(PASS, ANY)] == ["bound"]
    (found,) = rights.allowing(PASS, ANY)
    assert found.keys == {"iam:passedtoservice"}


def test_guardrails_of_organizations() -> None:
    """The Denies that an organization wants, as AWS's examples write them."""
    required = {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}
    root = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}
    regions = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
    scp = identity(
        given(ANY),
        taken("organizations:LeaveOrganization"),
        taken("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", required),
        taken(ANY, ANY, root),
        taken(["cloudtrail:StopLogging", "cloudtrail:Delete*"]),
        {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": ANY,
            "Condition": regions,
            "Sid": "regions",
        },
    )

    def conditions(action: str, resource: str = ANY) -> list[list[tuple[str, str, tuple[str, ...]]]]:
        return [
            [(each.operator, each.key, each.values) for each in denial.conditions]
            for denial in scp.denials(action, resource)
        ]

    by_root = [("stringlike", "aws:principalarn", ("arn:aws:iam::*:root",))]
    by_region = [("stringnotequals", "aws:requestedregion", ("eu-west-1", "eu-central-1"))]
    by_tokens = [("stringnotequals", "ec2:metadatahttptokens", ("required",))]
    assert conditions("organizations:LeaveOrganization") == [[], by_root, by_region]
    assert conditions("cloudtrail:DeleteTrail") == [by_root, [], by_region]
    assert conditions("guardduty:DeleteDetector") == [by_root, by_region]
    assert conditions("ec2:RunInstances") == [by_root, by_region]
    instances = "arn:aws:ec2:*:*:instance/*"
    assert conditions("ec2:RunInstances", instances) == [by_tokens, by_root, by_region]
    assert conditions("iam:CreateUser") == [by_root]
    assert conditions(ANY) == conditions("*:*") == [by_root]
    assert scp.denials("s3:GetObject")[-1] == Denial("regions", scp.statements[-1].conditions)
    assert not scp.allows("organizations:LeaveOrganization")
    assert scp.allows("ec2:RunInstances")
    assert identity(taken("*:*")).denials(ANY) == (Denial(),)


def test_all_but_some_leaves_the_others() -> None:
    rights = identity(without(action="iam:Put*"))
    assert rights.allowing("iam:*")
    assert rights.allowing("iam:P*")
    assert not rights.allowing("iam:PutRole*")
