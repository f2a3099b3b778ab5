"""What trends and top fixes are made of: every open finding counts once in each of its views."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orgscan.fixes import removed, top_fixes
from orgscan.line import Line
from orgscan.model import Category, Confidence, Money, OwnedBy, Owner, Severity
from orgscan.reconcile import Change, Record, Status
from orgscan.rollup import OWNERS, TOP_FIXES, Rollup
from tests.scans import HERE, finding

NOW = datetime(2026, 1, 15, 6, tzinfo=UTC)


def line(  # noqa: PLR0913 (each is one word of a scenario)
    check: str = "thing-wrong",
    severity: Severity = Severity.HIGH,
    *,
    owner: str = "",
    days: float = 0,
    usd: float | None = None,
    resource: str = "arn:r1",
    status: Status = Status.OPEN,
    account: str = HERE.account,
) -> Line:
    saving = None if usd is None else Money(usd, "list price", Confidence.HIGH)
    category = Category.SECURITY if usd is None else Category.COST
    found = finding(
        resource,
        check,
        severity=severity,
        category=category,
        saving=saving,
        target=replace(HERE, account=account),
    )
    found = replace(found, owner=Owner(owner, OwnedBy.RESOURCE) if owner else Owner())
    since = (NOW - timedelta(days=days)).isoformat()
    return Line.of(Record(found, status, since, "1", Change.NEW))


def rolled(*lines: Line, resolved: Sequence[Line] = ()) -> Rollup:
    rollup = Rollup(NOW)
    assert [*rollup.watch(lines)] == [*lines]
    assert [*rollup.resolving(resolved)] == [*resolved]
    return rollup


def test_ages_end_with_their_day() -> None:
    told = rolled(*(line(days=days) for days in (0, 7, 7.1, 30, 90, 91, 365, 366))).to_json()
    assert told["ages"] == {"high": {"7": 2, "30": 2, "90": 1, "365": 2, "older": 1}}


def test_a_resource_saves_once_however_many_checks_find_it() -> None:
    told = rolled(
        line("idle", usd=40.0), line("old", usd=25.0), line("idle", usd=1.5, resource="arn:r2")
    ).to_json()
    assert told["accounts"][HERE.account]["monthly_usd"] == 41.5


def test_what_is_accepted_is_in_no_count() -> None:
    assert rolled(line(status=Status.SUPPRESSED)).to_json()["checks"] == {}


def test_how_long_it_took_is_counted_from_when_it_was_opened_last() -> None:
    told = rolled(resolved=[line(days=2), line(days=4), line(severity=Severity.LOW, days=1)]).to_json()
    assert told["resolved"] == {"high": {"findings": 2, "days": 6.0}, "low": {"findings": 1, "days": 1.0}}


def test_owners_without_end_are_told_as_many() -> None:
    rollup = rolled(*(line(owner=f"owner-{number}") for number in range(OWNERS + 5)), line(owner="owner-3"))
    told = rollup.to_json()
    assert (len(told["owners"]), told["more_owners"], rollup.unowned) == (OWNERS, 5, 0)
    assert next(iter(told["owners"])) == "owner-3"


LINES = st.lists(
    st.builds(
        line,
        st.sampled_from("abcdefghijkl"),
        st.sampled_from(Severity),
        owner=st.sampled_from(["", "shop", "data"]),
        days=st.floats(0, 900),
        usd=st.none() | st.floats(0, 99).map(lambda usd: round(usd, 2)),
        resource=st.sampled_from(["arn:1", "arn:2"]),
        status=st.sampled_from([Status.OPEN, Status.OPEN, Status.SUPPRESSED]),
        account=st.sampled_from(["1" * 12, "2" * 12]),
    ),
    max_size=30,
)


@given(LINES)
def test_every_view_counts_the_same_findings(lines: list[Line]) -> None:
    rollup = rolled(*lines)
    told = rollup.to_json()
    opened = Counter(each.severity for each in lines if each.status is Status.OPEN)
    views = {
        "accounts": [each["open"] for each in told["accounts"].values()],
        "checks": [*told["checks"].values()],
        "owners": [*told["owners"].values()],
        "ages": [{severity: sum(counts.values())} for severity, counts in told["ages"].items()],
    }
    for counts in views.values():
        assert sum(map(Counter, counts), Counter()) == opened
    assert rollup.unowned == sum(each.status is Status.OPEN and not each.owner.name for each in lines)


@given(LINES)
def test_no_other_causes_take_more_of_the_worst_away(lines: list[Line]) -> None:
    rollup = rolled(*lines)
    causes = rollup.sums.causes
    first = [each["check"] for each in rollup.top_fixes()]
    assert first == [*top_fixes(causes, TOP_FIXES)]
    if causes:
        worst = next(iter(removed(causes, first)))
        others = sorted((causes[check].findings[worst] for check in causes), reverse=True)[:TOP_FIXES]
        assert removed(causes, first)[worst][0] == sum(others)
