"""What we expect of what an organization pays."""

from collections.abc import Iterator, Sequence

from orgscan.check import Problem, Problems, check
from orgscan.model import Category, Confidence, Money, Severity
from orgscan.services.cost.facts import Bill, Recommendation, ServiceSpend

LOW_USD = 20
"""Per month, from which a saving is more than low."""
CLASSES = {
    "Delete": "idle",
    "MigrateToGraviton": "modernise",
    "PurchaseReservedInstances": "commitment",
    "PurchaseSavingsPlans": "commitment",
    "Rightsize": "oversized",
    "ScaleIn": "oversized",
    "Stop": "idle",
    "Upgrade": "modernise",
}


@check(
    Bill,
    severity=Severity.INFORMATIONAL,
    category=Category.INVENTORY,
    fix="Nothing to fix: read it beside the savings.",
    equivalent=(),
)
def cost_service_spend_report(bill: Bill, *, top: int = 5) -> Problems:
    """What the organization spent in the last thirty days, by service and by account.

    Information, no fault: unblended cost without credits, refunds and taxes, in the account that pays.
    Cost Explorer bills each scan about 0.03 USD for this and for `cost-service-spend-spike`.
    """
    total = sum(usd for _, usd in bill.services)
    days = (bill.end - bill.start).days
    if not bill.services:
        return
    so_far = ", estimated" if bill.estimated else ""
    yield f"{total:,.2f} USD in {days} days{so_far}"
    yield f"by service: {_shares(bill.services, total, top)}"
    yield f"by account: {_shares(bill.accounts, total, top)}"


def _shares(parts: Sequence[tuple[str, float]], total: float, top: int) -> str:
    return ", ".join(_share(parts, total, top))


def _share(parts: Sequence[tuple[str, float]], total: float, top: int) -> Iterator[str]:
    for name, usd in parts[:top]:
        percent = f" ({usd / total:.0%})" if total > 0 else ""
        yield f"{name} {usd:,.2f}{percent}"
    rest = sum(usd for _, usd in parts[top:])
    if len(parts) > top:
        yield f"{len(parts) - top} others {rest:,.2f}"


@check(
    ServiceSpend,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Find the usage type that grew in Cost Explorer, and who needs it.",
    equivalent=(),
    cli=(
        (
            "aws ce get-cost-and-usage --time-period 'Start=<two-weeks-ago>,End=<today>' --granularity "
            "DAILY --metrics UnblendedCost --group-by Type=DIMENSION,Key=LINKED_ACCOUNT "
            'Type=DIMENSION,Key=USAGE_TYPE --filter \'{"Dimensions": {"Key": "SERVICE", "Values": '
            '["{id}"]}}\' --region {region}'
        ),
    ),
)
def cost_service_spend_spike(
    spend: ServiceSpend,
    *,
    max_ratio: float = 1.3,
    min_usd: float = 50,
    ignore_services: Sequence[str] = ["Tax", "AWS Support (Business)"],
) -> Problems:
    """What an account spends on a service grew beyond the limits from one week to the next.

    The last seven full days against the seven before, usage alone: fees that are due once a month are no
    growth. A new service grows from nothing. Both the growth in USD and its ratio must pass their limit.
    """
    growth = spend.latest - spend.previous
    if spend.service in ignore_services or growth <= min_usd or spend.latest <= max_ratio * spend.previous:
        return
    ratio = f"{spend.latest / spend.previous:.1f} times as much" if spend.previous > 0 else "from nothing"
    yield (
        f"{spend.service} in {spend.account}: {spend.latest:,.2f} USD in {spend.days} days, "
        f"{spend.previous:,.2f} in the {spend.days} before ({ratio}); "
        f"{growth * 30 / spend.days:,.2f} USD more per month"
    )


@check(
    Recommendation,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Apply the recommendations in the order of what they save and of their effort.",
    equivalent=(),
    cli=(
        (
            "aws cost-optimization-hub list-recommendations --query "
            "'items[?actionType==`\"{key}\"`].[recommendationId, resourceArn, estimatedMonthlySavings]' "
            "--region {region}"
        ),
        (
            "aws cost-optimization-hub get-recommendation --recommendation-id '<recommendation>' --region "
            "{region}"
        ),
    ),
)
def cost_optimization_hub_recommendation(
    recommendation: Recommendation,
    *,
    min_saving: float = 5,
    high_at: float = 500,
    action_types: Sequence[str] = sorted(CLASSES),
) -> Problems:
    """Cost Optimization Hub recommends a change or a purchase that saves money.

    High from `high_at` USD per month, low below 20. Only purchases count in the total of savings: what a
    change of a resource saves may be in another finding of that resource, which counts once.
    """
    usd = recommendation.monthly_usd
    if recommendation.action not in action_types or usd < min_saving:
        return
    severity = Severity.HIGH if usd >= high_at else Severity.LOW if usd < LOW_USD else None
    saving = Money(usd, "Cost Optimization Hub", Confidence.MEDIUM) if recommendation.purchase else None
    yield Problem(_told(recommendation), severity=severity, key=recommendation.action, saving=saving)


def _told(recommendation: Recommendation) -> str:
    where = ", ".join(filter(None, (recommendation.account, recommendation.region)))
    percent = "" if recommendation.percent is None else f" ({recommendation.percent:.0f}%)"
    parts = [
        f"{recommendation.action} {recommendation.kind} in {where}",
        CLASSES.get(recommendation.action, "other"),
        f"AWS estimates {recommendation.monthly_usd:,.2f} USD per month{percent}",
    ]
    if recommendation.effort:
        parts.append(f"effort {recommendation.effort}")
    if recommendation.restart:
        parts.append("needs a restart")
    if not recommendation.reversible:
        parts.append("cannot be undone")
    return "; ".join(parts)
