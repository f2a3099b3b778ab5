"""What scans came to, in a few words: plans and receipts made by hand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orgscan.model import Category, Finding, OwnedBy, Owner, Severity, Target
from orgscan.organization import Account
from orgscan.plan import Plan
from orgscan.receipt import Notable, Part, Receipt, Unseen
from orgscan.reconcile import Change
from orgscan.routing import Routing
from orgscan.settings import Route

FINISHED = "2026-01-15T06:09:41+00:00"
RESULTS = "s3://acme-orgscan-results/scans/20260115T060000000Z-8f14e45f/"
PROD = Target("111111111111", "eu-west-1", account_name="payments-prod")
SANDBOX = Target("222222222222", "us-east-1", account_name="sandbox")


def plan(*skipped: Account, schedule: str = "nightly", **different: Any) -> Plan:
    told: dict[str, Any] = {
        "scan": "20260115T060000000Z-8f14e45f",
        "started": "2026-01-15T06:00:00+00:00",
        "schedule": schedule,
        "notify": True,
        "partition": "aws",
        "checks": (),
        "skipped": skipped,
        "accounts": 2,
        "planned": 2,
    }
    return Plan(**{**told, **different})


def notable(  # noqa: PLR0913 (each is one word of a scenario)
    check: str = "ec2-security-group-open-ssh",
    severity: Severity = Severity.HIGH,
    category: Category = Category.SECURITY,
    *,
    change: Change = Change.NEW,
    resource: str = "arn:aws:ec2:eu-west-1:111111111111:security-group/sg-0a1b2c3d4e5f60718",
    problem: str = "sgr-0f00ba4 allows tcp 22 from 0.0.0.0/0",
    monthly_usd: float | None = None,
    because: str = "",
    owner: str = "",
    opened: str = "2026-01-15T06:00:00+00:00",
) -> Notable:
    problems = (problem,)
    return Notable(change, check, severity, category, resource, problems, monthly_usd, because, owner, opened)


def receipt(
    target: Target = PROD,
    *changes: Notable,
    planned: int = 25,
    unseen: Iterable[Unseen] = (),
    more: int = 0,
    **different: Any,
) -> Receipt:
    """`more`: changes like the first that are counted and not told in detail."""
    changed = Counter((each.change, each.severity, each.category, each.check) for each in changes)
    for each in changes[:1]:
        changed[each.change, each.severity, each.category, each.check] += more
    told: dict[str, Any] = {
        "scan": "20260115T060000000Z-8f14e45f",
        "target": target,
        "planned": planned,
        "unseen": tuple(unseen),
        "newly_blind": (),
        "resources": {},
        "tagged": {},
        "open": {},
        "changed": changed,
        "notable": changes,
        "monthly_usd": 0.0,
        "unpriced": 0,
        "unconfirmed": 0,
        "unconfirmed_since": "",
        "suppressed": {},
        "found": {},
        "suppressed_by": {},
    }
    return Receipt(**{**told, **different})


def routed(left: Receipt, *routes: Route) -> Receipt:
    """As a worker leaves it that knows these routes; each copies, and money goes with findings of cost."""
    return replace(left, parts={route.name: _part(left, replace(route, copy=True)) for route in routes})


def _part(left: Receipt, route: Route) -> Part:
    routing = Routing([route])

    def reached(severity: Severity, category: Category, owner: str = "") -> bool:
        of = Owner(owner, OwnedBy.RESOURCE)
        found = Finding("x", severity, category, left.target, "arn", (), owner=of)
        return bool(routing.of(found, left.target))

    cost = reached(Severity.CRITICAL, Category.COST)
    return Part(
        open={kind: number for kind, number in left.open.items() if reached(*kind)},
        suppressed={kind: number for kind, number in left.suppressed.items() if reached(*kind)},
        changed={kind: number for kind, number in left.changed.items() if reached(*kind[1:3])},
        notable=tuple(each for each in left.notable if reached(each.severity, each.category, each.owner)),
        monthly_usd=left.monthly_usd if cost else 0.0,
        unpriced=left.unpriced if cost else 0,
    )
