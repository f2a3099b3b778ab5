"""How we learn about IAM."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import Told, fact
from orgscan.services.iam.facts import AccessKey, PasswordPolicy, Principal, RootUser, User

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import (
        AttachedPolicyTypeDef,
        GroupDetailTypeDef,
        RoleDetailTypeDef,
        UserDetailTypeDef,
    )

WAITS_S = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 6.4)
"""IAM needs seconds to write a credential report: about 20 in all before we give up."""
ROOT = "<root_account>"
FLAG = {"true": True, "false": False}


class ReportNotReady(Told):
    """IAM is still writing the credential report."""


@collector(RootUser, calls=("iam:GetAccountSummary",), once=True)
def iam_root_users(aws: Reader) -> Iterator[RootUser]:
    """None in GovCloud, whose accounts have no root user that can sign in."""
    if aws.target.partition == "aws-us-gov":
        return
    iam: IAMClient = aws.client("iam")
    summary = iam.get_account_summary()["SummaryMap"]
    yield RootUser(
        arn=aws.target.arn("iam", "root"),
        mfa=summary["AccountMFAEnabled"] == 1,
        password=summary.get("AccountPasswordPresent", 1) == 1,
    )


@collector(User, calls=("iam:GenerateCredentialReport", "iam:GetCredentialReport"), once=True)
def iam_users(aws: Reader) -> Iterator[User]:
    yield from aws.shaped(_user, csv.DictReader(_credential_report(aws.client("iam")).splitlines()))


def _user(row: Mapping[str, str]) -> User | None:
    if row["user"] == ROOT:
        return None
    return User(
        arn=row["arn"],
        password=FLAG[row["password_enabled"].lower()],
        mfa=FLAG[row["mfa_active"].lower()],
        keys=(_key(row, 1), _key(row, 2)),
    )


def _credential_report(iam: IAMClient) -> str:
    for wait in WAITS_S:
        if iam.generate_credential_report()["State"] == "COMPLETE":
            return iam.get_credential_report()["Content"].decode()
        time.sleep(wait)
    raise ReportNotReady(f"no credential report after {sum(WAITS_S):.0f} seconds")


def _key(row: Mapping[str, str], number: int) -> AccessKey:
    rotated = row[f"access_key_{number}_last_rotated"]
    # 'N/A', 'no_information' and 'not_supported' all mean that there is no date.
    known = rotated[:1].isdigit()
    return AccessKey(
        number,
        active=FLAG[row[f"access_key_{number}_active"].lower()],
        rotated=datetime.fromisoformat(rotated) if known else None,
    )


@collector(Principal, calls=("iam:GetAccountAuthorizationDetails",), once=True)
def iam_principals(aws: Reader) -> Iterator[Principal]:
    iam: IAMClient = aws.client("iam")
    details = iam.get_paginator("get_account_authorization_details")
    for page in aws.pages(details, Filter=["User", "Group", "Role"]):
        # Each is there even when it is empty.
        yield from aws.shaped(_principal_user, page["UserDetailList"])
        yield from aws.shaped(_principal_group, page["GroupDetailList"])
        yield from aws.shaped(_principal_role, page["RoleDetailList"])


def _principal_user(user: UserDetailTypeDef) -> Principal:
    return Principal(
        arn=user["Arn"],
        kind="user",
        name=user["UserName"],
        path=user["Path"],
        policies=_policies(user["AttachedManagedPolicies"]),
        groups=tuple(user["GroupList"]),
    )


def _principal_group(group: GroupDetailTypeDef) -> Principal:
    return Principal(
        arn=group["Arn"],
        kind="group",
        name=group["GroupName"],
        path=group["Path"],
        policies=_policies(group["AttachedManagedPolicies"]),
    )


def _principal_role(role: RoleDetailTypeDef) -> Principal:
    return Principal(
        arn=role["Arn"],
        kind="role",
        name=role["RoleName"],
        path=role["Path"],
        policies=_policies(role["AttachedManagedPolicies"]),
    )


def _policies(attached: Sequence[AttachedPolicyTypeDef]) -> tuple[str, ...]:
    return tuple(policy["PolicyArn"] for policy in attached)


@collector(PasswordPolicy, calls=("iam:GetAccountPasswordPolicy",), once=True)
def iam_password_policies(aws: Reader) -> Iterator[PasswordPolicy]:
    yield PasswordPolicy(
        arn=aws.target.arn("iam", "password-policy"), min_length=password_min_length(aws.client("iam"))
    )


@fact(absent="NoSuchEntity")
def password_min_length(iam: IAMClient) -> int:
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    return policy.get("MinimumPasswordLength", 6)  # what IAM sets when a policy is made without it
