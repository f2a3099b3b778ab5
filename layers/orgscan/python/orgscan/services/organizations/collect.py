"""How we learn about an organization: in its management account, from the top down."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from orgscan.collector import Reader, collector, words
from orgscan.errors import code_of, fact
from orgscan.model import ACCOUNT_ID, Gap, account_state
from orgscan.policy import Policy, read
from orgscan.services.organizations.facts import MemberAccount

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.literals import PolicyTypeType

SCP: PolicyTypeType = "SERVICE_CONTROL_POLICY"
EC2: PolicyTypeType = "DECLARATIVE_POLICY_EC2"
FEATURES = words("ALL", "CONSOLIDATED_BILLING")
STATES = words("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
T = TypeVar("T")
IMDS = ("ec2_attributes", "instance_metadata_defaults", "http_tokens", "@@assign")
"""Where a declarative policy says how instance metadata answers."""
NOT_IN_USE = "AWSOrganizationsNotInUseException"


@collector(
    MemberAccount,
    calls=(
        "organizations:DescribeOrganization",
        "organizations:DescribePolicy",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListPolicies",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
    ),
    once=True,
)
def organizations_member_accounts(aws: Reader) -> Iterator[MemberAccount]:
    """None outside the management account. Its own is left out: no policy holds it back.

    Units and policies are asked, not accounts one by one: of those there may be ten thousand.
    """
    client: OrganizationsClient = aws.client("organizations")
    organization = _described(client) if aws.target.payer else None
    if organization is None or _number(organization["MasterAccountId"]) != aws.target.account:
        return
    all_features = FEATURES[organization["FeatureSet"]] == "ALL"
    control = _attached(client, SCP, _control_policy) if all_features else {}
    declared = declarations(client) if all_features else {}
    for page in client.get_paginator("list_roots").paginate():
        for root in page["Roots"]:
            for path, account in _below(client, (root["Id"],)):
                if account["Id"] != aws.target.account and STATES[account_state(account)] == "ACTIVE":
                    yield MemberAccount(
                        arn=account["Arn"],
                        id=account["Id"],
                        name=account["Name"],
                        all_features=all_features,
                        policies=tuple(tuple(control.get(each, ())) for each in path),
                        imdsv2_declared=_imdsv2(declared, path),
                    )


def _described(client: OrganizationsClient) -> Mapping[str, Any] | None:
    try:
        return client.describe_organization()["Organization"]
    except ClientError as error:
        if code_of(error) != NOT_IN_USE:
            raise
        return None


def _number(text: str) -> str:
    """An account's id, or ValueError: what is none must not pass for that of another account."""
    if not re.fullmatch(ACCOUNT_ID, text):
        raise ValueError
    return text


def _below(client: OrganizationsClient, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every account under the last of these units, with the ids on the way down to it."""
    parent = path[-1]
    for accounts in client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent):
        for account in accounts["Accounts"]:
            yield (*path, account["Id"]), account
    units = client.get_paginator("list_organizational_units_for_parent")
    for page in units.paginate(ParentId=parent):
        for unit in page["OrganizationalUnits"]:
            yield from _below(client, (*path, unit["Id"]))


def _attached(
    client: OrganizationsClient, kind: PolicyTypeType, content: Callable[[OrganizationsClient, str], T]
) -> Mapping[str, Sequence[T]]:
    """Root, unit or account -> what the policies of a kind say that are attached to it."""
    found: dict[str, list[T]] = defaultdict(list)
    for page in client.get_paginator("list_policies").paginate(Filter=kind):
        for policy in page["Policies"]:
            says = content(client, policy["Id"])
            for targets in client.get_paginator("list_targets_for_policy").paginate(PolicyId=policy["Id"]):
                for target in targets["Targets"]:
                    found[target["TargetId"]].append(says)
    return found


def _control_policy(client: OrganizationsClient, policy: str) -> Policy | Gap:
    said = policy_content(client, policy)
    return said if isinstance(said, Gap) else read("service-control-policy", said or "")


@fact(absent="InvalidInputException")
def declarations(client: OrganizationsClient) -> Mapping[str, Sequence[bool | Gap]]:
    """None where Organizations does not know policies of this type, as in some partitions."""
    return _attached(client, EC2, _declares_imdsv2)


def _declares_imdsv2(client: OrganizationsClient, policy: str) -> bool | Gap:
    said = policy_content(client, policy)
    return said if isinstance(said, Gap) else _assigned(json.loads(said or "{}"), IMDS) == "required"


def _assigned(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


@fact(absent=())
def policy_content(client: OrganizationsClient, policy: str) -> str:
    return client.describe_policy(PolicyId=policy)["Policy"]["Content"]


def _imdsv2(declared: Mapping[str, Sequence[bool | Gap]] | Gap | None, path: Iterable[str]) -> bool | Gap:
    """Whether some policy on the way says so; otherwise why that is not certain."""
    if isinstance(declared, Gap):
        return declared
    said = [each for unit in path for each in (declared or {}).get(unit, ())]
    gaps = [each for each in said if isinstance(each, Gap)]
    return True if True in said else gaps[0] if gaps else False
