"""What a scan of one target saw, in a few words."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from orgscan.collector import Collector
from orgscan.coverage import Coverage, Look, Reach
from orgscan.gather import Gathering
from orgscan.model import Blindness, Category, Finding, Gap, Money, Resource, Severity, Target
from orgscan.reconcile import place
from orgscan.session import Clients
from orgscan.spool import Spool

HERE = Target("123456789012", "eu-west-1", account_name="acme-prod")
STARTED = "2026-01-15T12:00:00+00:00"
NOW = datetime.fromisoformat(STARTED)
NO = Gap("things", Blindness.DENIED, "x:ListThings")


def finding(  # noqa: PLR0913 (each is one word of a scenario)
    resource: str = "arn:r1",
    check: str = "thing-wrong",
    *,
    severity: Severity = Severity.HIGH,
    category: Category = Category.SECURITY,
    key: str = "",
    target: Target = HERE,
    saving: Money | None = None,
    problem: str = "it is wrong",
    tags: Mapping[str, str] | None = None,
) -> Finding:
    return Finding(check, severity, category, target, resource, (problem,), key, saving, tags)


def saw(
    *findings: Finding,
    clean: Iterable[str] = (),
    unread: Iterable[str] = (),
    checks: Iterable[str] = ("thing-wrong",),
    whole: bool = True,
    target: Target = HERE,
    reach: Reach | None = None,
) -> Look:
    """Every check saw the findings' resources and the clean ones; `whole`: and there were no others."""
    checks = tuple(checks)
    seen = {finding.resource for finding in findings} | {*clean} | {*unread}
    return Look(
        tuple(sorted(findings, key=place)),
        Coverage(
            target=target,
            planned=frozenset(checks),
            gaps={} if whole and not unread else dict.fromkeys(checks, NO),
            seen=dict.fromkeys(checks, frozenset(seen)),
            unread=dict.fromkeys(checks, frozenset(unread)),
            listed=frozenset(checks) if whole else frozenset(),
            reach=reach or Reach(),
        ),
    )


def blind(*checks: str, target: Target = HERE) -> Look:
    planned = frozenset(checks or ("thing-wrong",))
    return Look((), Coverage(target=target, planned=planned, gaps=dict.fromkeys(planned, NO)))


def spooled(
    kinds: Iterable[type[Resource]],
    resources: Iterable[Resource] = (),
    lost: Mapping[type[Resource], Gap] | None = None,
) -> Spool:
    """What was collected of these kinds."""
    spool = Spool()
    resources = list(resources)
    for kind in kinds:
        spool.keep(kind, [each for each in resources if isinstance(each, kind)], None)
        spool.end(kind, (lost or {}).get(kind))
    return spool


def read(
    clients: Clients, target: Target, collector: Collector[Resource], now: datetime = NOW
) -> tuple[list[Resource], Gap | None]:
    """What one collector sees, and why that may not be all."""
    spool = Spool()
    gathering = Gathering(spool, clients, target, now, lambda: float("inf"), salt="", resume=False)
    assert gathering.run([collector])
    return list(spool.every(collector.resource)), spool.gap(collector.resource)
