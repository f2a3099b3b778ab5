"""What the checks of what an organization pays accept and reject."""

from dataclasses import replace
from datetime import date

from orgscan.check import Problem
from orgscan.model import Confidence, Money, Severity
from orgscan.services.cost.checks import (
    cost_optimization_hub_recommendation,
    cost_service_spend_report,
    cost_service_spend_spike,
)
from orgscan.services.cost.facts import Bill, Recommendation, ServiceSpend
from tests.cases.case import ACCOUNT, Case, fails, passes

BILL = Bill(
    arn=f"arn:aws:ce::{ACCOUNT}:bill",
    start=date(2025, 12, 16),
    end=date(2026, 1, 15),
    services=(("Amazon EC2", 1234.5), ("Amazon S3", 300.0), ("AWS Lambda", 0.5)),
    accounts=(("111111111111", 1000.0), ("222222222222", 535.0)),
    estimated=False,
)
BILLS: list[Case] = [
    passes(cost_service_spend_report, replace(BILL, services=(), accounts=())),
    fails(
        cost_service_spend_report,
        BILL,
        "1,535.00 USD in 30 days",
        "by service: Amazon EC2 1,234.50 (80%), Amazon S3 300.00 (20%), AWS Lambda 0.50 (0%)",
        "by account: 111111111111 1,000.00 (65%), 222222222222 535.00 (35%)",
    ),
    fails(
        cost_service_spend_report,
        replace(BILL, estimated=True),
        "1,535.00 USD in 30 days, estimated",
        "by service: Amazon EC2 1,234.50 (80%), 2 others 300.50",
        "by account: 111111111111 1,000.00 (65%), 1 others 535.00",
        parameters={"top": 1},
    ),
    # Credits that outweigh the rest leave no shares to speak of.
    fails(
        cost_service_spend_report,
        replace(BILL, services=(("Amazon EC2", -5.0),), accounts=(("111111111111", -5.0),)),
        "-5.00 USD in 30 days",
        "by service: Amazon EC2 -5.00",
        "by account: 111111111111 -5.00",
    ),
]

SPEND = ServiceSpend(
    arn="arn:aws:ce::111111111111:service/Amazon EC2",
    account="111111111111",
    service="Amazon EC2",
    days=7,
    latest=300.0,
    previous=200.0,
)
GREW = (
    "Amazon EC2 in 111111111111: 300.00 USD in 7 days, 200.00 in the 7 before (1.5 times as much); "
    "428.57 USD more per month"
)
SPENDS: list[Case] = [
    fails(cost_service_spend_spike, SPEND, GREW),
    passes(cost_service_spend_spike, replace(SPEND, latest=260.0)),  # 1.3 times is not above 1.3
    fails(
        cost_service_spend_spike,
        replace(SPEND, latest=260.01),
        "Amazon EC2 in 111111111111: 260.01 USD in 7 days, 200.00 in the 7 before (1.3 times as much); "
        "257.19 USD more per month",
    ),
    passes(cost_service_spend_spike, replace(SPEND, latest=150.0, previous=100.0)),  # 50 is not above 50
    passes(cost_service_spend_spike, replace(SPEND, latest=100.0, previous=300.0)),
    fails(
        cost_service_spend_spike,
        replace(SPEND, latest=70.0, previous=0.0),
        "Amazon EC2 in 111111111111: 70.00 USD in 7 days, 0.00 in the 7 before (from nothing); "
        "300.00 USD more per month",
    ),
    passes(cost_service_spend_spike, replace(SPEND, service="Tax")),
    passes(cost_service_spend_spike, SPEND, parameters={"min_usd": 100}),
    passes(cost_service_spend_spike, SPEND, parameters={"max_ratio": 1.5}),
    passes(cost_service_spend_spike, SPEND, parameters={"ignore_services": ["Amazon EC2"]}),
    fails(
        cost_service_spend_spike,
        replace(SPEND, service="Tax"),
        GREW.replace("Amazon EC2", "Tax"),
        parameters={"ignore_services": []},
    ),
]

STOP = Recommendation(
    arn="arn:aws:ec2:eu-west-1:111111111111:instance/i-1",
    id="rec-1",
    account="111111111111",
    region="eu-west-1",
    action="Stop",
    kind="Ec2Instance",
    monthly_usd=120.0,
    percent=100.0,
    effort="Low",
    restart=False,
    reversible=True,
    purchase=False,
)
STOPPED = (
    "Stop Ec2Instance in 111111111111, eu-west-1; idle; AWS estimates {usd} USD per month (100%); effort Low"
)
PURCHASE = replace(
    STOP,
    arn=f"arn:aws:cost-optimization-hub::{ACCOUNT}:recommendation/rec-2",
    region="",
    action="PurchaseSavingsPlans",
    kind="ComputeSavingsPlans",
    monthly_usd=900.0,
    percent=None,
    effort=None,
    reversible=False,
    purchase=True,
)


def stop(usd: float, severity: Severity | None) -> Case:
    problem = Problem(STOPPED.format(usd=f"{usd:,.2f}"), severity=severity, key="Stop")
    return fails(cost_optimization_hub_recommendation, replace(STOP, monthly_usd=usd), problem)


HUB: list[Case] = [
    stop(120, None),
    stop(500, Severity.HIGH),
    stop(499.99, None),
    stop(20, None),
    stop(19.99, Severity.LOW),
    stop(5, Severity.LOW),
    passes(cost_optimization_hub_recommendation, replace(STOP, monthly_usd=4.99)),
    # A commitment is no resource that another finding could be about: it counts.
    fails(
        cost_optimization_hub_recommendation,
        PURCHASE,
        Problem(
            "PurchaseSavingsPlans ComputeSavingsPlans in 111111111111; commitment; AWS estimates 900.00 USD "
            "per month; cannot be undone",
            severity=Severity.HIGH,
            key="PurchaseSavingsPlans",
            saving=Money(900.0, "Cost Optimization Hub", Confidence.MEDIUM),
        ),
    ),
    fails(
        cost_optimization_hub_recommendation,
        replace(STOP, action="Rightsize", restart=True),
        "Rightsize Ec2Instance in 111111111111, eu-west-1; oversized; AWS estimates 120.00 USD per month "
        "(100%); effort Low; needs a restart",
    ),
    # What AWS invents next year is told when somebody asks for it.
    passes(cost_optimization_hub_recommendation, replace(STOP, action="Hibernate")),
    fails(
        cost_optimization_hub_recommendation,
        replace(STOP, action="Hibernate"),
        "Hibernate Ec2Instance in 111111111111, eu-west-1; other; AWS estimates 120.00 USD per month "
        "(100%); effort Low",
        parameters={"action_types": ["Hibernate"]},
    ),
    passes(cost_optimization_hub_recommendation, STOP, parameters={"action_types": ["Delete"]}),
    passes(cost_optimization_hub_recommendation, STOP, parameters={"min_saving": 121}),
]

CASES: list[Case] = [*BILLS, *SPENDS, *HUB]
