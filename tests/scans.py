"""What a scan of one target saw, in a few words."""

from collections.abc import Iterable

from orgscan.coverage import Coverage, Look
from orgscan.model import Blindness, Category, Finding, Gap, Money, Severity, Target

HERE = Target("123456789012", "eu-west-1", account_name="acme-prod")
STARTED = "2026-01-15T12:00:00+00:00"
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
) -> Finding:
    return Finding(check, severity, category, target, resource, (problem,), key, saving)


def saw(
    *findings: Finding,
    clean: Iterable[str] = (),
    unread: Iterable[str] = (),
    checks: Iterable[str] = ("thing-wrong",),
    whole: bool = True,
    target: Target = HERE,
) -> Look:
    """Every check saw the findings' resources and the clean ones; `whole`: and there were no others."""
    checks = tuple(checks)
    seen = {finding.resource for finding in findings} | {*clean} | {*unread}
    return Look(
        tuple(findings),
        Coverage(
            target=target,
            planned=frozenset(checks),
            gaps={} if whole and not unread else dict.fromkeys(checks, NO),
            seen=dict.fromkeys(checks, frozenset(seen)),
            unread=dict.fromkeys(checks, frozenset(unread)),
            listed=frozenset(checks) if whole else frozenset(),
        ),
    )


def blind(*checks: str, target: Target = HERE) -> Look:
    planned = frozenset(checks or ("thing-wrong",))
    return Look((), Coverage(target=target, planned=planned, gaps=dict.fromkeys(planned, NO)))
