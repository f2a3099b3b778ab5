"""How we learn about IAM."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orgscan.collector import Reader, collector
from orgscan.errors import Told, fact
from orgscan.policy import read
from orgscan.services.iam.facts import (
    AccessKey,
    Authorization,
    Credentials,
    InlinePolicy,
    ManagedPolicy,
    PasswordPolicy,
    Principal,
    RootCredentials,
    RootUser,
    User,
    is_own,
)

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import (
        GroupDetailTypeDef,
        ManagedPolicyDetailTypeDef,
        PolicyDetailTypeDef,
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
    """From the account's summary, which is never hours old as the credential report is."""
    iam: IAMClient = aws.client("iam")
    summary = iam.get_account_summary()["SummaryMap"]
    yield RootUser(
        arn=aws.target.arn("iam", "root"),
        mfa=summary["AccountMFAEnabled"] == 1,
        password=aws.target.partition != "aws-us-gov" and summary.get("AccountPasswordPresent", 1) == 1,
        keys=summary["AccountAccessKeysPresent"],
    )


@collector(Credentials, calls=("iam:GenerateCredentialReport", "iam:GetCredentialReport"), once=True)
def iam_credentials(aws: Reader) -> Iterator[Credentials]:
    yield from aws.shaped(_credentials, csv.DictReader(_credential_report(aws.client("iam")).splitlines()))


def _credentials(row: Mapping[str, str]) -> Credentials:
    keys = (_key(row, 1), _key(row, 2))
    password_used = _moment(row["password_last_used"])
    if row["user"] == ROOT:
        return RootCredentials(arn=row["arn"], keys=keys, password_used=password_used)
    return User(
        arn=row["arn"],
        keys=keys,
        password_used=password_used,
        password=FLAG[row["password_enabled"].lower()],
        mfa=FLAG[row["mfa_active"].lower()],
        created=datetime.fromisoformat(row["user_creation_time"]),
        password_changed=_moment(row["password_last_changed"]),
    )


def _credential_report(iam: IAMClient) -> str:
    for wait in WAITS_S:
        if iam.generate_credential_report()["State"] == "COMPLETE":
            return iam.get_credential_report()["Content"].decode()
        time.sleep(wait)
    raise ReportNotReady(f"no credential report after {sum(WAITS_S):.0f} seconds")


def _key(row: Mapping[str, str], number: int) -> AccessKey:
    return AccessKey(
        number,
        active=FLAG[row[f"access_key_{number}_active"].lower()],
        rotated=_moment(row[f"access_key_{number}_last_rotated"]),
        used=_moment(row[f"access_key_{number}_last_used_date"]),
    )


def _moment(text: str) -> datetime | None:
    """'N/A', 'no_information' and 'not_supported' all mean that there is no date."""
    return datetime.fromisoformat(text) if text[:1].isdigit() else None


@collector(Authorization, calls=("iam:GetAccountAuthorizationDetails",), once=True)
def iam_authorizations(aws: Reader) -> Iterator[Authorization]:
    """Principals and policies in one listing, without a filter: that would add all of AWS's own policies."""
    iam: IAMClient = aws.client("iam")
    for page in aws.pages(iam.get_paginator("get_account_authorization_details")):
        # Each is there even when it is empty.
        yield from aws.shaped(_user, page["UserDetailList"])
        yield from aws.shaped(_group, page["GroupDetailList"])
        yield from aws.shaped(_role, page["RoleDetailList"])
        yield from aws.shaped(_managed_policy, page["Policies"])


def _user(user: UserDetailTypeDef) -> Principal:
    # A user without inline policies comes without the list of them.
    inline = _inline(user.get("UserPolicyList", ()))
    groups = tuple(user["GroupList"])
    return Principal(kind="user", name=user["UserName"], groups=groups, inline=inline, **_shared(user))


def _group(group: GroupDetailTypeDef) -> Principal:
    inline = _inline(group.get("GroupPolicyList", ()))
    return Principal(kind="group", name=group["GroupName"], inline=inline, **_shared(group))


def _role(role: RoleDetailTypeDef) -> Principal:
    return Principal(
        kind="role",
        name=role["RoleName"],
        inline=_inline(role["RolePolicyList"]),
        trust=read("AssumeRolePolicyDocument", role["AssumeRolePolicyDocument"]),
        used=role.get("RoleLastUsed", {}).get("LastUsedDate"),
        profiles=tuple(each["InstanceProfileName"] for each in role["InstanceProfileList"]),
        **_shared(role),
    )


def _shared(detail: UserDetailTypeDef | GroupDetailTypeDef | RoleDetailTypeDef) -> dict[str, Any]:
    """What the listing says in one way of users, groups and roles."""
    boundary: Any = detail.get("PermissionsBoundary", {})
    return {
        "arn": detail["Arn"],
        "path": detail["Path"],
        "created": detail["CreateDate"],
        "policies": tuple(each["PolicyArn"] for each in detail["AttachedManagedPolicies"]),
        "boundary": boundary.get("PermissionsBoundaryArn"),
    }


def _inline(listed: Iterable[PolicyDetailTypeDef]) -> tuple[InlinePolicy, ...]:
    return tuple(
        InlinePolicy(each["PolicyName"], read("PolicyDocument", each["PolicyDocument"])) for each in listed
    )


def _managed_policy(policy: ManagedPolicyDetailTypeDef) -> ManagedPolicy | None:
    arn, attachments = policy["Arn"], policy["AttachmentCount"]
    bounds = policy.get("PermissionsBoundaryUsageCount", 0)
    if not (is_own(arn) or attachments or bounds):
        return None
    (version,) = (each for each in policy["PolicyVersionList"] if each["IsDefaultVersion"])
    return ManagedPolicy(
        arn=arn,
        name=arn.rpartition("/")[2],
        document=read("PolicyVersionList", version["Document"]),
        attachments=attachments,
        bounds=bounds,
    )


@collector(PasswordPolicy, calls=("iam:GetAccountPasswordPolicy",), once=True)
def iam_password_policies(aws: Reader) -> Iterator[PasswordPolicy]:
    yield PasswordPolicy(
        arn=aws.target.arn("iam", "password-policy"), min_length=password_min_length(aws.client("iam"))
    )


@fact(absent="NoSuchEntity")
def password_min_length(iam: IAMClient) -> int:
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    return policy.get("MinimumPasswordLength", 6)  # what IAM sets when a policy is made without it
