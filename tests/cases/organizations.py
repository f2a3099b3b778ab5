"""What the checks of an organization accept and reject."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orgscan.model import Blindness, Gap
from orgscan.policy import Policy, parse
from orgscan.services.organizations.checks import GUARDRAILS, organizations_scp_guardrail_missing
from orgscan.services.organizations.facts import MemberAccount
from tests.cases.case import Case, cannot_tell, fails, passes


def scp(*statements: Mapping[str, Any]) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": [{"Resource": "*", **each} for each in statements]})


def deny(*actions: str, **condition: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"Effect": "Deny", "Action": list(actions)}
    return {**told, "Condition": condition} if condition else told


FULL = scp({"Effect": "Allow", "Action": "*"})
LEAVE = deny("organizations:LeaveOrganization")
TRAIL = deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")
GUARDDUTY = deny("guardduty:DeleteDetector", "guardduty:Disassociate*")
TOKENS = deny("ec2:RunInstances", StringNotEquals={"ec2:MetadataHttpTokens": "required"})
ROOT = deny("*", StringLike={"aws:PrincipalArn": "arn:aws:iam::*:root"})
ALL = scp(LEAVE, TRAIL, GUARDDUTY, TOKENS, ROOT)
MISSING = "nothing on its way from the root sets: "
DENIED = Gap("policy-content", Blindness.DENIED, "organizations:DescribePolicy")

ACCOUNT = MemberAccount(
    arn="arn:aws:organizations::123456789012:account/o-abcdefghij/111111111111",
    id="111111111111",
    name="shop",
    all_features=True,
    policies=((FULL, ALL), (FULL,), (FULL,)),
    imdsv2_declared=False,
)


def under(*levels: tuple[Policy | Gap, ...], declared: bool | Gap = False) -> MemberAccount:
    return replace(ACCOUNT, policies=levels, imdsv2_declared=declared)


def one(statement: Mapping[str, Any]) -> MemberAccount:
    return under((FULL, scp(statement)), (FULL,))


def without(*guardrails: str) -> str:
    return MISSING + ", ".join(each for each in GUARDRAILS if each not in guardrails)


def only(guardrail: str, statement: Mapping[str, Any]) -> Case:
    """Such a policy sets this guardrail and no other."""
    return fails(organizations_scp_guardrail_missing, one(statement), without(guardrail))


def none(statement: Mapping[str, Any]) -> Case:
    return fails(organizations_scp_guardrail_missing, one(statement), without())


CASES: list[Case] = [
    passes(organizations_scp_guardrail_missing, ACCOUNT),
    # Wherever on the way.
    passes(organizations_scp_guardrail_missing, under((FULL,), (FULL,), (FULL, ALL))),
    passes(
        organizations_scp_guardrail_missing,
        under((FULL, scp(LEAVE, ROOT)), (FULL, scp(TRAIL, GUARDDUTY, TOKENS))),
    ),
    fails(organizations_scp_guardrail_missing, under((FULL,), (FULL,)), without()),
    fails(organizations_scp_guardrail_missing, under((), ()), without()),
    only("deny-leave-organization", LEAVE),
    only("deny-leave-organization", deny("organizations:*")),
    only("protect-cloudtrail", TRAIL),
    none(deny("cloudtrail:StopLogging")),
    only("protect-guardduty", GUARDDUTY),
    only(
        "protect-guardduty",
        deny("guardduty:DeleteDetector", "guardduty:DisassociateFromAdministratorAccount"),
    ),
    only("require-imdsv2", TOKENS),
    none(deny("ec2:RunInstances", StringEquals={"ec2:MetadataHttpTokens": "optional"})),
    none(deny("ec2:RunInstances", StringNotEquals={"ec2:MetadataHttpTokens": "optional"})),
    # It spares every region but one.
    none(
        deny(
            "ec2:RunInstances",
            StringNotEquals={"ec2:MetadataHttpTokens": "required", "aws:RequestedRegion": "eu-west-1"},
        )
    ),
    only("deny-root-user", ROOT),
    only("deny-root-user", deny("*", ArnLike={"aws:PrincipalArn": ["arn:aws:iam::*:root"]})),
    none(deny("*", StringLike={"aws:PrincipalArn": "arn:aws:iam::*:user/*"})),
    none(deny("s3:*", StringLike={"aws:PrincipalArn": "arn:aws:iam::*:root"})),
    # The team that may is spared.
    only(
        "protect-cloudtrail",
        {**TRAIL, "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security"}}},
    ),
    # Only in some regions, or only for some callers: no guardrail.
    none({**TRAIL, "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}),
    none({**TRAIL, "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/dev"}}}),
    none({**TRAIL, "Resource": "arn:aws:cloudtrail:*:*:trail/main"}),
    # A level that allows little denies the rest, but not what root may do.
    fails(
        organizations_scp_guardrail_missing,
        under((FULL,), (scp({"Effect": "Allow", "Action": ["s3:*", "ec2:*"]}),)),
        f"{MISSING}require-imdsv2, deny-root-user",
    ),
    passes(
        organizations_scp_guardrail_missing,
        under((FULL, scp(LEAVE, TRAIL, GUARDDUTY, ROOT)), declared=True),
    ),
    fails(
        organizations_scp_guardrail_missing,
        replace(ACCOUNT, all_features=False, policies=()),
        "the organization has consolidated billing only, so that it has no service control policies",
    ),
    passes(
        organizations_scp_guardrail_missing,
        one(LEAVE),
        parameters={"required_guardrails": ["deny-leave-organization"]},
    ),
    fails(
        organizations_scp_guardrail_missing,
        one(LEAVE),
        f"{MISSING}s3:PutAccountPublicAccessBlock",
        parameters={"required_guardrails": ["deny-leave-organization", "s3:PutAccountPublicAccessBlock"]},
    ),
    passes(
        organizations_scp_guardrail_missing,
        one(deny("s3:PutAccount*")),
        parameters={"required_guardrails": ["s3:PutAccountPublicAccessBlock"]},
    ),
    # What could not be read may be what is missing; not where all is set without it.
    passes(organizations_scp_guardrail_missing, under((FULL, ALL, DENIED))),
    cannot_tell(organizations_scp_guardrail_missing, under((FULL, DENIED)), "organizations:DescribePolicy"),
    cannot_tell(
        organizations_scp_guardrail_missing,
        under((FULL, scp(LEAVE, TRAIL, GUARDDUTY, ROOT)), declared=DENIED),
        "organizations:DescribePolicy",
    ),
    fails(
        organizations_scp_guardrail_missing,
        under((FULL, scp(TRAIL, GUARDDUTY, ROOT)), declared=DENIED),
        f"{MISSING}deny-leave-organization, require-imdsv2",
    ),
]
