"""What an organization has once, in the account that manages it: guardrails, bills and recommendations."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from local.place import Place, Planted, scenario

GUARDRAIL = "organizations-scp-guardrail-missing"
SPIKE, REPORT = "cost-service-spend-spike", "cost-service-spend-report"
HUB = "cost-optimization-hub-recommendation"
ABSENT: Mapping[str, Any] = {
    # moto has it, but only with a queue of answers that no account of its own fills.
    "ce:GetCostAndUsage": {"ResultsByTime": []},
    # moto does not know this type of policy.
    "organizations:ListPolicies": lambda asked: (
        {"Policies": []} if asked["Filter"] == "DECLARATIVE_POLICY_EC2" else None
    ),
    "cost-optimization-hub:ListRecommendations": {"items": []},
}

_GUARDRAILS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": [
                "cloudtrail:DeleteTrail",
                "cloudtrail:StopLogging",
                "guardduty:DeleteDetector",
                "guardduty:Disassociate*",
                "organizations:LeaveOrganization",
            ],
            "Resource": "*",
        },
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
        },
        {
            "Effect": "Deny",
            "Action": "ec2:RunInstances",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
        },
    ],
}
_SERVICES = (("Amazon Elastic Compute Cloud - Compute", 812.4), ("Amazon Simple Storage Service", 97.15))


def guard(organizations: Any, units: Iterable[str]) -> None:
    """Attach what every account must be held back from."""
    policy = organizations.create_policy(
        Name="guardrails",
        Description="What nobody does",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(_GUARDRAILS),
    )["Policy"]["PolicySummary"]["Id"]
    for unit in units:
        organizations.attach_policy(PolicyId=policy, TargetId=unit)


def unguarded(place: Place, account: str) -> None:
    """The account is under no guardrails."""
    told = place.client("organizations").describe_account(AccountId=account)["Account"]
    place.fails(GUARDRAIL, resource=told["Arn"])


@scenario(once=True, payer=True)
def a_month_of_bills(place: Place) -> None:
    """And one service that grew: training in somebody's sandbox."""
    account = place.account.id

    def spent(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        start, end = (date.fromisoformat(asked["TimePeriod"][name]) for name in ("Start", "End"))
        days, is_latest = (end - start).days, end >= datetime.now(UTC).date() - timedelta(days=1)
        usd = {name: each * days for name, each in _SERVICES}
        usd["Amazon SageMaker"] = 640.0 if is_latest else 12.5
        usd["Tax"] = 0.0
        groups = [
            {"Keys": [name, account], "Metrics": {"UnblendedCost": {"Amount": str(each), "Unit": "USD"}}}
            for name, each in usd.items()
        ]
        period = {"Start": str(start), "End": str(end)}
        return {"ResultsByTime": [{"TimePeriod": period, "Total": {}, "Groups": groups, "Estimated": True}]}

    place.answers("ce:GetCostAndUsage", spent)
    place.fails(REPORT, resource=place.arn("ce", "bill"))
    place.fails(SPIKE, resource=f"arn:aws:ce::{account}:service/Amazon SageMaker")
    for name, _ in _SERVICES:
        place.looks_like(SPIKE, resource=f"arn:aws:ce::{account}:service/{name}")


@scenario(once=True, payer=True)
def recommendations(place: Place) -> None:
    def recommendation(number: int, action: str, kind: str, usd: float, **more: Any) -> dict[str, Any]:
        return {
            "recommendationId": f"rec-{number}",
            "accountId": place.account.id,
            "actionType": action,
            "currentResourceType": kind,
            "estimatedMonthlySavings": usd,
            "estimatedSavingsPercentage": 31.0,
            "implementationEffort": "Low",
            "restartNeeded": False,
            "rollbackPossible": True,
            **more,
        }

    database = f"arn:aws:rds:us-east-1:{place.account.id}:db:recommended"
    small = f"arn:aws:lambda:us-east-1:{place.account.id}:function:recommended"
    place.answers(
        "cost-optimization-hub:ListRecommendations",
        {
            "items": [
                recommendation(
                    1, "Rightsize", "RdsDbInstance", 210.0, resourceArn=database, region="us-east-1"
                ),
                recommendation(2, "PurchaseSavingsPlans", "ComputeSavingsPlans", 640.0),
                recommendation(3, "Rightsize", "LambdaFunction", 1.2, resourceArn=small, region="us-east-1"),
            ]
        },
    )
    plan = place.arn("cost-optimization-hub", "recommendation/rec-2")
    place.fails(HUB, resource=database, key="Rightsize")
    place.fails(HUB, resource=plan, key="PurchaseSavingsPlans")
    place.looks_like(HUB, resource=small)


def unseen(place: Place) -> Planted | None:
    """What the scan itself must say of a place that it cannot see."""
    account, region = place.account.id, place.region
    if place.why_blind == "denied":
        if region != "global":
            return None
        return Planted(
            account, region, "organizations-member-scan-role-missing", place.arn("account", "account")
        )
    return Planted(account, region, "account-region-not-scanned", place.arn("account", f"region/{region}"))


UNWATCHED = "eu-west-3"
"""A region in which something runs, and which no scan of ours is asked to look at."""


@scenario(once=True)
def instance_where_nobody_looks(place: Place) -> None:
    ec2 = place.clients("ec2", place.account.id, UNWATCHED)
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    resource = f"arn:aws:account:{UNWATCHED}:{place.account.id}:region/{UNWATCHED}"
    place.fails("account-unexpected-region-resources", resource=resource)


@scenario(once=True)
def bare_security_group_where_nobody_looks(place: Place) -> None:
    """Furniture that costs nothing and runs nothing."""
    region = "eu-north-1"
    ec2 = place.clients("ec2", place.account.id, region)
    ec2.create_security_group(
        GroupName="left-over",
        Description="left over",
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": "left-over"}]}
        ],
    )
    resource = f"arn:aws:account:{region}:{place.account.id}:region/{region}"
    place.looks_like("account-unexpected-region-resources", resource=resource)
