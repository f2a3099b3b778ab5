"""What the IAM collectors see."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.emulator import few_managed_policies
from orgscan.model import GLOBAL, Blindness, Gap, Target
from orgscan.policy import parse
from orgscan.services.iam import collect
from orgscan.services.iam.collect import (
    ReportNotReady,
    iam_authorizations,
    iam_credentials,
    iam_password_policies,
    iam_root_users,
)
from orgscan.services.iam.facts import (
    AccessKey,
    InlinePolicy,
    ManagedPolicy,
    PasswordPolicy,
    Principal,
    RootCredentials,
    RootUser,
    User,
)
from orgscan.session import Clients
from tests.answers import answer, refuse

HERE = "arn:aws:iam::123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date"
)
ROOT_ROW = f"<root_account>,{HERE}:root,2020-01-01T00:00:00+00:00,not_supported,2024-05-01T08:00:00+00:00,"
ROOT_ROW += "not_supported,not_supported,false,true,N/A,2023-01-01T00:00:00+00:00,false,N/A,N/A"
ANN_ROW = f"ann,{HERE}:user/ann,2020-01-01T00:00:00+00:00,TRUE,no_information,2021-01-01T00:00:00+00:00,"
ANN_ROW += "N/A,true,true,2024-02-29T12:00:00+00:00,2024-03-01T00:00:00+00:00,true,no_information,N/A"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

NOBODY: dict[str, list[Any]] = {
    "UserDetailList": [],
    "GroupDetailList": [],
    "RoleDetailList": [],
    "Policies": [],
}
NOTHING = {"Version": "2012-10-17", "Statement": []}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ALL = {"Version": "2012-10-17", "Statement": [EVERYTHING]}
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = {"Version": "2012-10-17", "Statement": [LAMBDA]}


def user(name: str) -> dict[str, Any]:
    arn = f"{HERE}:user/{name}"
    return {
        "Arn": arn,
        "UserName": name,
        "Path": "/",
        "CreateDate": LONG_AGO,
        "GroupList": [],
        "AttachedManagedPolicies": [],
    }


def role(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Arn": f"{HERE}:role/{name}",
        "RoleName": name,
        "Path": "/",
        "CreateDate": LONG_AGO,
        "AssumeRolePolicyDocument": quote(json.dumps(TRUST)),
        "RolePolicyList": [],
        "InstanceProfileList": [],
        "AttachedManagedPolicies": [],
        **more,
    }


def managed(arn: str, attachments: int, bounds: int) -> dict[str, Any]:
    """With an older version, which says something else."""
    versions = [
        {"VersionId": "v2", "IsDefaultVersion": True, "Document": quote(json.dumps(ALL))},
        {"VersionId": "v1", "IsDefaultVersion": False, "Document": quote(json.dumps(NOTHING))},
    ]
    counts = {"AttachmentCount": attachments, "PermissionsBoundaryUsageCount": bounds}
    return {"Arn": arn, "PolicyVersionList": versions, **counts}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """An AWS that knows some of AWS's own policies."""
    few_managed_policies(monkeypatch)
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield boto3.Session(region_name="eu-west-1")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "WAITS_S", (0, 0, 0))


def test_users_as_the_credential_report_has_them(
    aws: boto3.Session, clients: Clients, everywhere: Target
) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="ann", Path="/people/")
    iam.create_login_profile(UserName="ann", Password="long enough")
    iam.create_user(UserName="robot")
    for status in ("Active", "Inactive"):
        key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
        iam.update_access_key(UserName="robot", AccessKeyId=key, Status=status)
    ann, robot = iam_credentials.read(clients, everywhere)
    none = (AccessKey(1, active=False, rotated=None), AccessKey(2, active=False, rotated=None))
    assert isinstance(ann, User)
    assert isinstance(robot, User)
    assert (ann.arn, ann.password, ann.mfa, ann.keys) == (f"{HERE}:user/people/ann", True, False, none)
    assert ann.password_used is None
    assert ann.created.tzinfo
    assert ann.password_changed == ann.created
    assert (robot.password, [key.active for key in robot.keys]) == (False, [True, False])
    assert all(key.rotated and key.rotated.tzinfo for key in robot.keys)


def test_the_report_is_polled_and_its_words_for_nothing_are_no_dates(
    clients: Clients, everywhere: Target
) -> None:
    answer(
        clients,
        everywhere,
        "iam:GenerateCredentialReport",
        {"State": "STARTED"},
        {"State": "INPROGRESS"},
        {"State": "COMPLETE"},
    )
    report = f"{HEADER}\n{ROOT_ROW}\n{ANN_ROW}".encode()
    answer(clients, everywhere, "iam:GetCredentialReport", {"Content": report})
    keys = (
        AccessKey(
            1,
            active=True,
            rotated=datetime(2024, 2, 29, 12, tzinfo=UTC),
            used=datetime(2024, 3, 1, tzinfo=UTC),
        ),
        AccessKey(2, active=True, rotated=None),
    )
    of_root = (
        AccessKey(1, active=True, rotated=None, used=datetime(2023, 1, 1, tzinfo=UTC)),
        AccessKey(2, active=False, rotated=None),
    )
    assert list(iam_credentials.read(clients, everywhere)) == [
        RootCredentials(arn=f"{HERE}:root", keys=of_root, password_used=datetime(2024, 5, 1, 8, tzinfo=UTC)),
        User(
            arn=f"{HERE}:user/ann",
            password=True,
            mfa=True,
            keys=keys,
            created=LONG_AGO,
            password_used=None,
            password_changed=datetime(2021, 1, 1, tzinfo=UTC),
        ),
    ]


def test_a_report_that_never_gets_ready_is_not_an_empty_one(clients: Clients, everywhere: Target) -> None:
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "INPROGRESS"})
    with pytest.raises(ReportNotReady):
        list(iam_credentials.read(clients, everywhere))


@pytest.mark.parametrize("code", ["ReportNotPresent", "ReportExpired", "ReportInProgress", "AccessDenied"])
def test_a_report_that_cannot_be_read_is_not_an_empty_one(
    clients: Clients, everywhere: Target, code: str
) -> None:
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "COMPLETE"})
    refuse(clients, everywhere, "iam:GetCredentialReport", code)
    with pytest.raises(ClientError, match=code):
        list(iam_credentials.read(clients, everywhere))


def test_principals_and_policies(aws: boto3.Session, clients: Clients, everywhere: Target) -> None:
    iam = aws.client("iam")
    iam.create_group(GroupName="admins", Path="/ops/")
    iam.attach_group_policy(GroupName="admins", PolicyArn=ADMIN)
    iam.put_group_policy(GroupName="admins", PolicyName="more", PolicyDocument=json.dumps(ALL))
    iam.create_user(UserName="ann")
    iam.add_user_to_group(UserName="ann", GroupName="admins")
    own = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(ALL))["Policy"]["Arn"]
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=own)
    iam.attach_role_policy(RoleName="deploy", PolicyArn=ADMIN)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="deploy")
    inline = (InlinePolicy("more", parse(ALL)),)
    seen = list(iam_authorizations.read(clients, everywhere))
    assert [replace(each, created=LONG_AGO) for each in seen if isinstance(each, Principal)] == [
        Principal(
            arn=f"{HERE}:user/ann", kind="user", name="ann", path="/", created=LONG_AGO, groups=("admins",)
        ),
        Principal(
            arn=f"{HERE}:group/ops/admins",
            kind="group",
            name="admins",
            path="/ops/",
            created=LONG_AGO,
            policies=(ADMIN,),
            inline=inline,
        ),
        Principal(
            arn=f"{HERE}:role/deploy",
            kind="role",
            name="deploy",
            path="/",
            created=LONG_AGO,
            policies=(ADMIN,),
            boundary=own,
            trust=parse(TRUST),
            profiles=("web",),
        ),
    ]
    assert seen[3:] == [
        ManagedPolicy(arn=ADMIN, name="AdministratorAccess", document=parse(ALL), attachments=2, bounds=0),
        ManagedPolicy(arn=own, name="own", document=parse(ALL), attachments=0, bounds=0),
    ]


def test_principals_and_policies_of_two_pages(clients: Clients, everywhere: Target) -> None:
    own, aws_own = f"{HERE}:policy/team/own", "arn:aws:iam::aws:policy/job-function/Billing"
    used = datetime(2025, 1, 1, tzinfo=UTC)
    answer(
        clients,
        everywhere,
        "iam:GetAccountAuthorizationDetails",
        {**NOBODY, "UserDetailList": [user("ann")], "IsTruncated": True, "Marker": "more"},
        {
            **NOBODY,
            "RoleDetailList": [role("deploy", RoleLastUsed={"LastUsedDate": used})],
            # What AWS has and nobody uses is none of the account's; what only bounds somebody is.
            "Policies": [managed(own, 0, 0), managed(aws_own, 0, 1), managed(ADMIN, 0, 0)],
            "IsTruncated": False,
        },
    )
    ann, deploy, first, second = iam_authorizations.read(clients, everywhere)
    assert ann.name == "ann"
    assert isinstance(deploy, Principal)
    assert deploy.used == used
    assert [first, second] == [
        ManagedPolicy(arn=own, name="own", document=parse(ALL), attachments=0, bounds=0),
        ManagedPolicy(arn=aws_own, name="Billing", document=parse(ALL), attachments=0, bounds=1),
    ]


def test_a_policy_that_is_none_costs_one_fact(clients: Clients, everywhere: Target) -> None:
    broken = {"PolicyName": "job", "PolicyDocument": "{"}
    of_nobody = {
        **managed(f"{HERE}:policy/own", 1, 0),
        "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": True, "Document": quote('{"Statement": "?"}')}
        ],
    }
    deploy = role("deploy", AssumeRolePolicyDocument="{}", RolePolicyList=[broken])
    listed = {**NOBODY, "RoleDetailList": [deploy], "Policies": [of_nobody]}
    answer(clients, everywhere, "iam:GetAccountAuthorizationDetails", listed)
    principal, policy = iam_authorizations.read(clients, everywhere)
    assert isinstance(principal, Principal)
    assert isinstance(policy, ManagedPolicy)
    facts = (principal.trust, principal.inline[0].document, policy.document)
    assert [isinstance(each, Gap) and each.reason for each in facts] == [Blindness.FAULT] * 3


@pytest.mark.parametrize("kind", sorted(NOBODY))
def test_principals_that_are_not_listed_are_not_none(clients: Clients, everywhere: Target, kind: str) -> None:
    listed = {name: those for name, those in NOBODY.items() if name != kind}
    answer(clients, everywhere, "iam:GetAccountAuthorizationDetails", listed)
    with pytest.raises(KeyError, match=kind):
        list(iam_authorizations.read(clients, everywhere))


@pytest.mark.parametrize("kind", ["User", "Group", "Role"])
@pytest.mark.parametrize("member", ["AttachedManagedPolicies", "CreateDate", "Path"])
def test_a_principal_that_makes_no_sense_costs_itself(
    clients: Clients, everywhere: Target, kind: str, member: str
) -> None:
    listed = [{**user(name), **role(name), f"{kind}Name": name} for name in ("ann", "odd", "ben")]
    del listed[1][member]
    answer(clients, everywhere, "iam:GetAccountAuthorizationDetails", {**NOBODY, f"{kind}DetailList": listed})
    lost: list[Gap] = []
    seen = iam_authorizations.read(clients, everywhere, spoil=lost.append)
    assert [(each.name, isinstance(each, Principal) and each.kind) for each in seen] == [
        ("ann", kind.lower()),
        ("ben", kind.lower()),
    ]
    assert [(each.scope, each.reason) for each in lost] == [("iam-authorizations", Blindness.FAULT)]


def test_a_row_of_the_report_that_breaks_off_costs_itself(clients: Clients, everywhere: Target) -> None:
    broken = ANN_ROW.replace("ann", "ben").rpartition(",true,no_information")[0]
    dateless = ANN_ROW.replace("ann", "cy").replace("2020-01-01T00:00:00+00:00", "N/A")
    report = f"{HEADER}\n{ROOT_ROW}\n{broken}\n{dateless}\n{ANN_ROW}".encode()
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "COMPLETE"})
    answer(clients, everywhere, "iam:GetCredentialReport", {"Content": report})
    lost: list[Gap] = []
    seen = iam_credentials.read(clients, everywhere, spoil=lost.append)
    assert [each.arn for each in seen] == [f"{HERE}:root", f"{HERE}:user/ann"]
    assert [(each.scope, each.reason) for each in lost] == [("iam-credentials", Blindness.FAULT)] * 2


def test_the_root_user(clients: Clients, everywhere: Target) -> None:
    root = RootUser(arn=f"{HERE}:root", mfa=False, password=True, keys=0)
    assert list(iam_root_users.read(clients, everywhere)) == [root]
    summary = {"AccountMFAEnabled": 0, "AccountPasswordPresent": 0, "AccountAccessKeysPresent": 1}
    answer(clients, everywhere, "iam:GetAccountSummary", {"SummaryMap": summary})
    assert [(root.password, root.keys) for root in iam_root_users.read(clients, everywhere)] == [(False, 1)]


def test_a_summary_without_roots_keys_is_not_one_of_none(clients: Clients, everywhere: Target) -> None:
    answer(clients, everywhere, "iam:GetAccountSummary", {"SummaryMap": {"AccountMFAEnabled": 1}})
    with pytest.raises(KeyError, match="AccountAccessKeysPresent"):
        list(iam_root_users.read(clients, everywhere))


def test_nobody_signs_in_as_root_in_govcloud(clients: Clients) -> None:
    target = Target("123456789012", GLOBAL, "aws-us-gov")
    summary = {"AccountMFAEnabled": 0, "AccountPasswordPresent": 1, "AccountAccessKeysPresent": 1}
    answer(clients, target, "iam:GetAccountSummary", {"SummaryMap": summary})
    (root,) = iam_root_users.read(clients, target)
    assert root == RootUser(arn="arn:aws-us-gov:iam::123456789012:root", mfa=False, password=False, keys=1)


def test_the_password_policy(aws: boto3.Session, clients: Clients, everywhere: Target) -> None:
    arn = f"{HERE}:password-policy"
    assert list(iam_password_policies.read(clients, everywhere)) == [PasswordPolicy(arn=arn, min_length=None)]
    aws.client("iam").update_account_password_policy(MinimumPasswordLength=12)
    assert list(iam_password_policies.read(clients, everywhere)) == [PasswordPolicy(arn=arn, min_length=12)]
    refuse(clients, everywhere, "iam:GetAccountPasswordPolicy")
    denied = Gap("password_min_length", Blindness.DENIED, "iam:GetAccountPasswordPolicy")
    assert list(iam_password_policies.read(clients, everywhere)) == [
        PasswordPolicy(arn=arn, min_length=denied)
    ]
