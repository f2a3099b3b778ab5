"""What is seen of what an organization pays."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan.model import GLOBAL, Blindness, Gap, Target
from orgscan.services.cost.collect import cost_bills, cost_recommendations, cost_service_spends
from orgscan.services.cost.facts import Bill, Recommendation, ServiceSpend
from orgscan.session import Clients
from tests.answers import answer, refuse

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CE, HUB = "ce:GetCostAndUsage", "cost-optimization-hub:ListRecommendations"
ALL = [cost_bills, cost_service_spends, cost_recommendations]


def group(service: str, account: str, usd: str) -> dict[str, Any]:
    return {"Keys": [service, account], "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}}


def page(*results: list[dict[str, Any]], estimated: bool = False, more: str = "") -> Mapping[str, Any]:
    told = [{"TimePeriod": {}, "Total": {}, "Groups": each, "Estimated": estimated} for each in results]
    return {"ResultsByTime": told, **({"NextPageToken": more} if more else {})}


def asked(clients: Clients, target: Target, call: str) -> list[Mapping[str, Any]]:
    """The parameters of every request from now on."""
    service, _, operation = call.partition(":")
    client = clients.get(service, target.api_region)
    seen: list[Mapping[str, Any]] = []
    name = client.meta.service_model.service_id.hyphenize()

    def keep(params: Mapping[str, Any], **_: object) -> None:
        seen.append(dict(params))

    client.meta.events.register(f"provide-client-params.{name}.{operation}", keep)
    return seen


def test_a_bill_sums_months_pages_services_and_accounts(clients: Clients, everywhere: Target) -> None:
    requests = asked(clients, everywhere, CE)
    answer(
        clients,
        everywhere,
        CE,
        page([group("EC2", "1", "10.004"), group("S3", "2", "1.5")], more="2"),
        page([group("EC2", "2", "5")], [group("S3", "1", "0.5")], estimated=True),
    )
    (bill,) = cost_bills.read(clients, everywhere, now=NOW)
    assert bill == Bill(
        arn=everywhere.arn("ce", "bill"),
        start=date(2025, 12, 16),
        end=date(2026, 1, 15),
        services=(("EC2", 15.0), ("S3", 2.0)),
        accounts=(("1", 10.5), ("2", 6.5)),
        estimated=True,
    )
    first, second = requests
    assert first["TimePeriod"] == {"Start": "2025-12-16", "End": "2026-01-15"}
    assert first["Filter"]["Not"]["Dimensions"]["Values"] == ["Credit", "Refund", "Tax"]
    assert second == {**first, "NextPageToken": "2"}


def test_two_weeks_are_asked_and_compared(clients: Clients, everywhere: Target) -> None:
    requests = asked(clients, everywhere, CE)
    # A week that spans two months has two sums.
    answer(
        clients,
        everywhere,
        CE,
        page([group("EC2", "1", "3"), group("S3", "1", "2")]),
        page([group("EC2", "1", "4")], [group("EC2", "1", "5"), group("EKS", "2", "7")]),
    )
    spends = list(cost_service_spends.read(clients, everywhere, now=NOW))
    assert [(each.service, each.account, each.previous, each.latest) for each in spends] == [
        ("EC2", "1", 3.0, 9.0),
        ("EKS", "2", 0.0, 7.0),
        ("S3", "1", 2.0, 0.0),
    ]
    assert spends[0] == ServiceSpend(
        arn="arn:aws:ce::1:service/EC2", account="1", service="EC2", days=7, latest=9.0, previous=3.0
    )
    assert [each["TimePeriod"] for each in requests] == [
        {"Start": "2026-01-01", "End": "2026-01-08"},
        {"Start": "2026-01-08", "End": "2026-01-15"},
    ]
    assert requests[0]["Filter"]["Dimensions"]["Values"] == [
        "DiscountedUsage",
        "SavingsPlanCoveredUsage",
        "Usage",
    ]


RECOMMENDED: Mapping[str, Any] = {
    "recommendationId": "r-1",
    "accountId": "111111111111",
    "region": "eu-west-1",
    "resourceArn": "arn:aws:ec2:eu-west-1:111111111111:instance/i-1",
    "actionType": "Stop",
    "currentResourceType": "Ec2Instance",
    "estimatedMonthlySavings": 12.345,
    "estimatedSavingsPercentage": 50.0,
    "implementationEffort": "Low",
    "restartNeeded": False,
    "rollbackPossible": True,
}


def test_recommendations_of_two_pages(clients: Clients, everywhere: Target) -> None:
    purchase = {
        "recommendationId": "r-2",
        "accountId": "111111111111",
        "actionType": "PurchaseReservedInstances",
        "currentResourceType": "RdsReservedInstances",
        "estimatedMonthlySavings": 100.0,
    }
    answer(clients, everywhere, HUB, {"items": [RECOMMENDED], "nextToken": "2"}, {"items": [purchase]})
    stop, buy = cost_recommendations.read(clients, everywhere)
    assert stop == Recommendation(
        arn=RECOMMENDED["resourceArn"],
        id="r-1",
        account="111111111111",
        region="eu-west-1",
        action="Stop",
        kind="Ec2Instance",
        monthly_usd=12.35,
        percent=50.0,
        effort="Low",
        restart=False,
        reversible=True,
        purchase=False,
    )
    assert (buy.arn, buy.region, buy.percent, buy.effort, buy.purchase) == (
        everywhere.arn("cost-optimization-hub", "recommendation/r-2"),
        "",
        None,
        None,
        True,
    )


@pytest.mark.parametrize("member", ["recommendationId", "actionType", "estimatedMonthlySavings"])
def test_a_recommendation_that_makes_no_sense_costs_itself(
    clients: Clients, everywhere: Target, member: str
) -> None:
    odd = {name: value for name, value in RECOMMENDED.items() if name != member}
    answer(clients, everywhere, HUB, {"items": [odd, RECOMMENDED]})
    lost: list[Gap] = []
    assert len(list(cost_recommendations.read(clients, everywhere, spoil=lost.append))) == 1
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize("collector", ALL, ids=lambda each: each.name)
def test_who_does_not_pay_is_not_asked(clients: Clients, everywhere: Target, collector: Any) -> None:
    for call in (CE, HUB):
        refuse(clients, everywhere, call)
    member = replace(everywhere, payer=False)
    assert list(collector.read(clients, member, now=NOW)) == []
    for partition in ("aws-cn", "aws-us-gov", "aws-eusc"):
        there = Target(everywhere.account, GLOBAL, partition)
        assert list(collector.read(clients, there, now=NOW)) == []


@pytest.mark.parametrize("collector", ALL, ids=lambda each: each.name)
def test_what_is_denied_is_not_free_of_charge(clients: Clients, everywhere: Target, collector: Any) -> None:
    for call in (CE, HUB):
        refuse(clients, everywhere, call, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        list(collector.read(clients, everywhere, now=NOW))


def test_an_action_that_nobody_knows_is_not_left_out_in_silence(clients: Clients, everywhere: Target) -> None:
    answer(clients, everywhere, HUB, {"items": [{**RECOMMENDED, "actionType": "Hibernate"}]})
    lost: list[Gap] = []
    assert list(cost_recommendations.read(clients, everywhere, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]
