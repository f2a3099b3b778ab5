"""What we know about what an organization pays."""

from dataclasses import dataclass
from datetime import date

from orgscan.model import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill(Resource):
    """Of all accounts together, without credits, refunds and taxes."""

    aws_types = ()

    start: date
    end: date
    """The day after the last."""
    services: tuple[tuple[str, float], ...]
    """USD by service, the dearest first."""
    accounts: tuple[tuple[str, float], ...]
    """USD by linked account, the dearest first."""
    estimated: bool
    """AWS may still correct it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpend(Resource):
    """What one account used of one service, without fees, which are due on a month's first day."""

    aws_types = ()

    account: str
    service: str
    days: int
    latest: float
    """USD in the last full days."""
    previous: float
    """USD in as many days before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation(Resource):
    """Of Cost Optimization Hub. Its ARN is that of the resource, where it is about one."""

    aws_types = ()

    id: str
    account: str
    region: str
    action: str
    """'Rightsize', 'Stop', 'PurchaseSavingsPlans'."""
    kind: str
    """Of the resource: 'Ec2Instance'."""
    monthly_usd: float
    """That AWS estimates to be saved."""
    percent: float | None
    effort: str | None
    restart: bool
    reversible: bool
    purchase: bool
    """A commitment, not a change of a resource."""
