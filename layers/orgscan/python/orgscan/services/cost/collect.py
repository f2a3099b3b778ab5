"""How we learn about what an organization pays: in the account that pays, once.

Cost Explorer bills 0.01 USD per request: three of them in a scan, more only where an answer has many pages.
Neither service exists in other partitions; GovCloud is billed through an account of the commercial one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.services.cost.facts import Bill, Recommendation, ServiceSpend

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_ce.type_defs import ExpressionTypeDef, GroupDefinitionTypeDef, ResultByTimeTypeDef
    from mypy_boto3_cost_optimization_hub import CostOptimizationHubClient
    from mypy_boto3_cost_optimization_hub.type_defs import RecommendationTypeDef

BILL_DAYS, SPEND_DAYS = 30, 7
ACTIONS = words(
    "Delete",
    "MigrateToGraviton",
    "PurchaseReservedInstances",
    "PurchaseSavingsPlans",
    "Rightsize",
    "ScaleIn",
    "Stop",
    "Upgrade",
)
METRIC = "UnblendedCost"
NO_SPEND = ["Credit", "Refund", "Tax"]
USAGE = ["DiscountedUsage", "SavingsPlanCoveredUsage", "Usage"]
"""Record types of what is used, not of fees and their negations."""
GROUPS: Sequence[GroupDefinitionTypeDef] = [
    {"Type": "DIMENSION", "Key": "SERVICE"},
    {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"},
]


@collector(Bill, calls=("ce:GetCostAndUsage",), once=True)
def cost_bills(aws: Reader) -> Iterator[Bill]:
    if not _pays(aws):
        return
    end = aws.now.date()
    start = end - timedelta(days=BILL_DAYS)
    kinds: ExpressionTypeDef = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": NO_SPEND}}}
    services: dict[str, float] = defaultdict(float)
    accounts: dict[str, float] = defaultdict(float)
    estimated = False
    for result in _results(aws.client("ce"), start, end, kinds):
        estimated = estimated or result["Estimated"]
        for (service, account), usd in _groups(result):
            services[service] += usd
            accounts[account] += usd
    yield Bill(
        arn=aws.target.arn("ce", "bill"),
        start=start,
        end=end,
        services=_dearest_first(services),
        accounts=_dearest_first(accounts),
        estimated=estimated,
    )


@collector(ServiceSpend, calls=("ce:GetCostAndUsage",), once=True)
def cost_service_spends(aws: Reader) -> Iterator[ServiceSpend]:
    if not _pays(aws):
        return
    end = aws.now.date()
    middle = end - timedelta(days=SPEND_DAYS)
    kinds: ExpressionTypeDef = {"Dimensions": {"Key": "RECORD_TYPE", "Values": USAGE}}
    spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for number, (first, last) in enumerate(((middle - timedelta(days=SPEND_DAYS), middle), (middle, end))):
        for result in _results(aws.client("ce"), first, last, kinds):
            for group, usd in _groups(result):
                spent[group][number] += usd
    for (service, account), (previous, latest) in sorted(spent.items()):
        yield ServiceSpend(
            arn=f"arn:{aws.target.partition}:ce::{account}:service/{service}",
            account=account,
            service=service,
            days=SPEND_DAYS,
            latest=round(latest, 2),
            previous=round(previous, 2),
        )


def _pays(aws: Reader) -> bool:
    return aws.target.payer and aws.target.partition == "aws"


def _results(
    ce: CostExplorerClient, start: date, end: date, kinds: ExpressionTypeDef
) -> Iterator[ResultByTimeTypeDef]:
    """By month, which for a few days are one or two sums: the fewest groups, and so the fewest pages."""
    more: dict[str, str] = {}
    while True:
        page = ce.get_cost_and_usage(
            TimePeriod={"Start": start.isoformat(), "End": end.isoformat()},
            Granularity="MONTHLY",
            Metrics=[METRIC],
            GroupBy=GROUPS,
            Filter=kinds,
            **more,
        )
        yield from page["ResultsByTime"]
        if not page.get("NextPageToken"):
            return
        more = {"NextPageToken": page["NextPageToken"]}


def _groups(result: ResultByTimeTypeDef) -> Iterator[tuple[tuple[str, str], float]]:
    for group in result["Groups"]:
        service, account = group["Keys"]
        yield (service, account), float(group["Metrics"][METRIC]["Amount"].strip())  # a text, always


def _dearest_first(usd: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(((name, round(each, 2)) for name, each in usd.items()), key=lambda x: (-x[1], x[0])))


@collector(Recommendation, calls=("cost-optimization-hub:ListRecommendations",), once=True)
def cost_recommendations(aws: Reader) -> Iterator[Recommendation]:
    if not _pays(aws):
        return
    hub: CostOptimizationHubClient = aws.client("cost-optimization-hub")
    for page in aws.pages(hub.get_paginator("list_recommendations")):
        yield from aws.shaped(partial(_recommendation, aws), page["items"])


def _recommendation(aws: Reader, told: RecommendationTypeDef) -> Recommendation:
    id_ = told["recommendationId"]
    action = ACTIONS[told["actionType"]]
    return Recommendation(
        arn=told.get("resourceArn") or aws.target.arn("cost-optimization-hub", f"recommendation/{id_}"),
        id=id_,
        account=told["accountId"],
        region=told.get("region", ""),
        action=action,
        kind=told["currentResourceType"],
        monthly_usd=round(told["estimatedMonthlySavings"], 2),
        percent=told.get("estimatedSavingsPercentage"),
        effort=told.get("implementationEffort"),
        restart=bool(told.get("restartNeeded")),
        reversible=bool(told.get("rollbackPossible")),
        purchase=action.startswith("Purchase"),
    )
