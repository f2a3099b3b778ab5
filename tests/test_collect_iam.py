"""What the IAM collectors see."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from orgscan.model import GLOBAL, Blindness, Gap, Target
from orgscan.services.iam import collect
from orgscan.services.iam.collect import (
    ReportNotReady,
    iam_password_policies,
    iam_principals,
    iam_root_users,
    iam_users,
)
from orgscan.services.iam.facts import AccessKey, PasswordPolicy, Principal, RootUser, User
from orgscan.session import Clients
from tests.answers import answer, refuse

HERE = "arn:aws:iam::123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_2_active,access_key_2_last_rotated"
)
ROOT_ROW = f"<root_account>,{HERE}:root,2020-01-01T00:00:00+00:00,not_supported,no_information,"
ROOT_ROW += "not_supported,not_supported,false,true,N/A,false,N/A"
ANN_ROW = f"ann,{HERE}:user/ann,2020-01-01T00:00:00+00:00,TRUE,no_information,N/A,N/A,true,"
ANN_ROW += "true,2024-02-29T12:00:00+00:00,true,no_information"


NOBODY: dict[str, list[Any]] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": []}


def user(name: str) -> dict[str, Any]:
    arn = f"{HERE}:user/{name}"
    return {"Arn": arn, "UserName": name, "Path": "/", "GroupList": [], "AttachedManagedPolicies": []}


@pytest.fixture
def aws() -> Iterator[boto3.Session]:
    """An AWS that knows AWS's own policies, which take a moment to load."""
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
    ann, robot = iam_users.read(clients, everywhere)
    none = (AccessKey(1, active=False, rotated=None), AccessKey(2, active=False, rotated=None))
    assert ann == User(arn=f"{HERE}:user/people/ann", password=True, mfa=False, keys=none)
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
        AccessKey(1, active=True, rotated=datetime(2024, 2, 29, 12, tzinfo=UTC)),
        AccessKey(2, active=True, rotated=None),
    )
    assert list(iam_users.read(clients, everywhere)) == [
        User(arn=f"{HERE}:user/ann", password=True, mfa=True, keys=keys)
    ]


def test_a_report_that_never_gets_ready_is_not_an_empty_one(clients: Clients, everywhere: Target) -> None:
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "INPROGRESS"})
    with pytest.raises(ReportNotReady):
        list(iam_users.read(clients, everywhere))


@pytest.mark.parametrize("code", ["ReportNotPresent", "ReportExpired", "ReportInProgress", "AccessDenied"])
def test_a_report_that_cannot_be_read_is_not_an_empty_one(
    clients: Clients, everywhere: Target, code: str
) -> None:
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "COMPLETE"})
    refuse(clients, everywhere, "iam:GetCredentialReport", code)
    with pytest.raises(ClientError, match=code):
        list(iam_users.read(clients, everywhere))


def test_principals_with_their_policies_and_groups(
    aws: boto3.Session, clients: Clients, everywhere: Target
) -> None:
    iam = aws.client("iam")
    iam.create_group(GroupName="admins", Path="/ops/")
    iam.attach_group_policy(GroupName="admins", PolicyArn=ADMIN)
    iam.create_user(UserName="ann")
    iam.add_user_to_group(UserName="ann", GroupName="admins")
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="deploy", PolicyArn=ADMIN)
    assert list(iam_principals.read(clients, everywhere)) == [
        Principal(arn=f"{HERE}:user/ann", kind="user", name="ann", path="/", policies=(), groups=("admins",)),
        Principal(
            arn=f"{HERE}:group/ops/admins", kind="group", name="admins", path="/ops/", policies=(ADMIN,)
        ),
        Principal(arn=f"{HERE}:role/deploy", kind="role", name="deploy", path="/", policies=(ADMIN,)),
    ]


def test_principals_of_two_pages(clients: Clients, everywhere: Target) -> None:
    deploy = {
        "Arn": f"{HERE}:role/deploy",
        "RoleName": "deploy",
        "Path": "/",
        "AttachedManagedPolicies": [],
    }
    ann = user("ann")
    answer(
        clients,
        everywhere,
        "iam:GetAccountAuthorizationDetails",
        {**NOBODY, "UserDetailList": [ann], "IsTruncated": True, "Marker": "more"},
        {**NOBODY, "RoleDetailList": [deploy], "IsTruncated": False},
    )
    assert [seen.name for seen in iam_principals.read(clients, everywhere)] == ["ann", "deploy"]


@pytest.mark.parametrize("kind", sorted(NOBODY))
def test_principals_that_are_not_listed_are_not_none(clients: Clients, everywhere: Target, kind: str) -> None:
    listed = {name: those for name, those in NOBODY.items() if name != kind}
    answer(clients, everywhere, "iam:GetAccountAuthorizationDetails", listed)
    with pytest.raises(KeyError, match=kind):
        list(iam_principals.read(clients, everywhere))


@pytest.mark.parametrize("kind", ["User", "Group", "Role"])
@pytest.mark.parametrize("member", ["AttachedManagedPolicies", "Path"])
def test_a_principal_that_makes_no_sense_costs_itself(
    clients: Clients, everywhere: Target, kind: str, member: str
) -> None:
    listed = [{**user(name), f"{kind}Name": name} for name in ("ann", "odd", "ben")]
    del listed[1][member]
    answer(clients, everywhere, "iam:GetAccountAuthorizationDetails", {**NOBODY, f"{kind}DetailList": listed})
    lost: list[Gap] = []
    seen = iam_principals.read(clients, everywhere, spoil=lost.append)
    assert [(each.name, each.kind) for each in seen] == [("ann", kind.lower()), ("ben", kind.lower())]
    assert [(each.scope, each.reason) for each in lost] == [("iam-principals", Blindness.FAULT)]


def test_a_row_of_the_report_that_breaks_off_costs_itself(clients: Clients, everywhere: Target) -> None:
    broken = ANN_ROW.replace("ann", "ben").rpartition(",true,no_information")[0]
    report = f"{HEADER}\n{ROOT_ROW}\n{broken}\n{ANN_ROW}".encode()
    answer(clients, everywhere, "iam:GenerateCredentialReport", {"State": "COMPLETE"})
    answer(clients, everywhere, "iam:GetCredentialReport", {"Content": report})
    lost: list[Gap] = []
    seen = iam_users.read(clients, everywhere, spoil=lost.append)
    assert [each.arn for each in seen] == [f"{HERE}:user/ann"]
    assert [(each.scope, each.reason) for each in lost] == [("iam-users", Blindness.FAULT)]


def test_the_root_user(clients: Clients, everywhere: Target) -> None:
    root = RootUser(arn=f"{HERE}:root", mfa=False, password=True)
    assert list(iam_root_users.read(clients, everywhere)) == [root]
    summary = {"AccountMFAEnabled": 0, "AccountPasswordPresent": 0}
    answer(clients, everywhere, "iam:GetAccountSummary", {"SummaryMap": summary})
    assert [root.password for root in iam_root_users.read(clients, everywhere)] == [False]


def test_govcloud_has_no_root_user_to_judge(clients: Clients) -> None:
    assert list(iam_root_users.read(clients, Target("123456789012", GLOBAL, "aws-us-gov"))) == []


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
