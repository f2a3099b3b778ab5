"""What a scan came to: for everyone, and for a route only what concerns it."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan import catalog
from orgscan.digest import EXAMPLES
from orgscan.meter import Spent
from orgscan.model import GLOBAL, NOBODY, Blindness, Category, OwnedBy, Owner, Severity, Standing, Target
from orgscan.organization import Account
from orgscan.receipt import Notable, Receipt, Unseen
from orgscan.reconcile import Change
from orgscan.settings import Route
from orgscan.summary import ScanSummary, summarise
from tests.receipts import FINISHED, PROD, SANDBOX, notable, plan, receipt, routed

ALL = tuple(check.id for check in catalog.checks())
PLAN = plan(checks=ALL)
MONEY = Route(name="money", categories=(Category.COST,))
RESILIENCE = Route(name="resilience", categories=(Category.RELIABILITY,))
PAGER = Route(name="pager", minimum_severity=Severity.HIGH)
PROD_ONLY = Route(name="prod", accounts=(PROD.account,))
EVERYTHING = Route(name="everything")
VOLUME = notable("ebs-volume-unattached", Severity.MEDIUM, Category.COST, monthly_usd=40.0)


def due(*, once: bool, category: Category | None = None) -> tuple[str, ...]:
    planned = catalog.everything().planned(once=once)
    return tuple(check.id for check in planned if category in (None, check.category))


def of(*left: Receipt, route: Route | None = None) -> ScanSummary:
    left = tuple(routed(each, route) for each in left) if route else left
    return summarise(PLAN, left, finished=FINISHED, route=route)


def test_receipts_add_up() -> None:
    denied = [Unseen(Blindness.DENIED, "sts:AssumeRole", ("a", "b"))]
    summary = of(
        receipt(PROD, notable(), more=4, planned=20, open={(Severity.HIGH, Category.SECURITY): 5}),
        receipt(
            SANDBOX,
            VOLUME,
            planned=10,
            unseen=denied,
            newly_blind=("a",),
            open={(Severity.HIGH, Category.SECURITY): 1},
            monthly_usd=40.0,
            unpriced=2,
            unconfirmed=3,
            resources={"Volume": 7},
        ),
    )
    assert (summary.units, summary.evaluated, summary.coverage, summary.complete) == (30, 28, 93.3, False)
    assert (summary.accounts, summary.targets, summary.reached) == ({PROD.account, SANDBOX.account}, 2, 2)
    assert [(reason, blind.units, blind.targets) for reason, blind in summary.gaps()] == [
        ((Blindness.DENIED, "sts:AssumeRole"), 2, {SANDBOX})
    ]
    assert summary.open == {(Severity.HIGH, Category.SECURITY): 6}
    assert summary.by_severity(Change.NEW) == {Severity.HIGH: 5, Severity.MEDIUM: 1}
    assert (summary.monthly_usd, summary.unpriced, summary.unconfirmed, summary.newly_blind) == (
        40.0,
        2,
        3,
        1,
    )
    assert summary.resources == {"Volume": 7}


def test_what_it_cost_is_the_whole_scans_and_no_news() -> None:
    left = (
        receipt(PROD, spent=Spent(calls=5, invocations=1, gb_seconds=1.5), kept=3),
        receipt(SANDBOX, spent=Spent(calls=7, throttled=1, invocations=2, gb_seconds=2.5), kept=4),
    )
    plan = replace(PLAN, spent=Spent(calls=1, invocations=1))
    for route in (None, PROD_ONLY):
        summary = summarise(plan, left, finished=FINISHED, route=route)
        assert summary.spent == Spent(calls=13, throttled=1, invocations=4, gb_seconds=4.0)
        assert (summary.kept, summary.news) == (7, False)


def test_a_scan_that_looked_at_nothing_is_not_complete() -> None:
    assert (of().complete, of().coverage) == (False, 0.0)
    lost = [Unseen(Blindness.FAULT, "crash", ("a",))]
    blind = of(receipt(planned=1, unseen=lost))
    assert (blind.complete, blind.coverage, blind.reached, blind.targets) == (False, 0.0, 0, 1)


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_coverage_is_one_hundred_only_when_complete(planned: int, lost: int) -> None:
    missed = min(planned, lost)
    summary = ScanSummary(PLAN, FINISHED, units=planned, evaluated=planned - missed)
    assert (summary.coverage == 100) == summary.complete == (missed == 0)
    assert 0 <= summary.coverage <= 100


def test_two_accounts_of_one_name_are_two() -> None:
    lost = [Unseen(Blindness.DENIED, "sts:AssumeRole", ("a",))]
    twins = [Target(account, "eu-west-1", account_name="dev") for account in ("1" * 12, "2" * 12)]
    summary = of(*(receipt(twin, unseen=lost) for twin in twins))
    assert [len(blind.targets) for _, blind in summary.gaps()] == [2]


def test_a_route_hears_of_its_accounts_only() -> None:
    skipped = [
        Account(PROD.account, "payments-prod", "SUSPENDED"),
        Account(SANDBOX.account, "sandbox", "SUSPENDED"),
    ]
    left = [
        routed(receipt(PROD, notable(), planned=20), PROD_ONLY),
        routed(receipt(SANDBOX, VOLUME, planned=10, monthly_usd=40.0, unconfirmed=1), PROD_ONLY),
    ]
    summary = summarise(plan(*skipped), left, finished=FINISHED, route=PROD_ONLY)
    assert (summary.accounts, summary.targets, summary.units) == ({PROD.account}, 1, 20)
    assert summary.by_severity(Change.NEW) == {Severity.HIGH: 1}
    assert (summary.monthly_usd, summary.unconfirmed) == (0.0, 0)
    assert summary.skipped == (skipped[0],)


def test_a_route_hears_of_its_categories_only() -> None:
    here, once = due(once=False), due(once=True)
    assert not due(once=True, category=Category.RELIABILITY), (
        "the case below needs a target without any of it"
    )
    lost = [
        Unseen(
            Blindness.DENIED,
            "ec2:DescribeVolumes",
            ("ebs-volume-no-recent-snapshot", "ebs-volume-unencrypted"),
        )
    ]
    snapshots = notable("ebs-volume-no-recent-snapshot", Severity.MEDIUM, Category.RELIABILITY)
    root = Target(PROD.account, GLOBAL)
    summary = of(
        receipt(
            PROD,
            notable(),
            snapshots,
            planned=len(here),
            unseen=lost,
            newly_blind=lost[0].checks,
        ),
        receipt(root, planned=len(once), unseen=[Unseen(Blindness.DENIED, "iam:ListUsers", once)]),
        route=RESILIENCE,
    )
    planned = len(due(once=False, category=Category.RELIABILITY))
    assert (summary.units, summary.evaluated, summary.targets) == (planned, planned - 1, 1)
    assert [blind.units for _, blind in summary.gaps()] == [1]
    assert summary.newly_blind == 1
    assert summary.by_severity(Change.NEW) == {Severity.MEDIUM: 1}
    assert list(summary.told) == [(Change.NEW, Severity.MEDIUM, "ebs-volume-no-recent-snapshot")]


def test_a_route_hears_of_its_severities_only() -> None:
    left = receipt(
        PROD,
        notable(),
        VOLUME,
        open={(Severity.MEDIUM, Category.COST): 9},
        monthly_usd=99.0,
        unpriced=1,
    )
    summary = of(left, route=PAGER)
    assert summary.by_severity(Change.NEW) == {Severity.HIGH: 1}
    assert not summary.open
    assert summary.by_severity(Change.NEW) == {Severity.HIGH: 1}
    assert summary.units == left.planned, "a check may find worse than it declares"


@pytest.mark.parametrize(
    ("left", "route", "news"),
    [
        (receipt(), EVERYTHING, False),
        (receipt(PROD, notable()), EVERYTHING, True),
        (receipt(PROD, notable(change=Change.RESOLVED)), EVERYTHING, True),
        (receipt(PROD, notable(change=Change.EASED)), EVERYTHING, False),
        (receipt(newly_blind=("a",)), EVERYTHING, True),
        (receipt(PROD, notable()), MONEY, False),
        (receipt(newly_blind=("iam-root-mfa-disabled",)), MONEY, False),
        (receipt(newly_blind=("ebs-volume-unattached",)), MONEY, True),
        (receipt(SANDBOX, notable(), newly_blind=("a",)), PROD_ONLY, False),
        (receipt(PROD, VOLUME), PAGER, False),
        (receipt(PROD, changed={(Change.NEW, Severity.HIGH, Category.SECURITY, "a"): 0}), EVERYTHING, False),
    ],
)
def test_what_is_news(left: Receipt, route: Route, *, news: bool) -> None:
    assert of(left, route=route).news is news


def test_examples_are_few_and_from_many_accounts() -> None:
    crowded = receipt(PROD, *(notable(resource=f"arn:{number}") for number in range(9)), more=400)
    summary = of(crowded, receipt(SANDBOX, notable(resource="arn:z")))
    (told,) = summary.told.values()
    assert [(each.target, each.notable.resource) for each in told] == [
        (PROD, "arn:0"),
        (SANDBOX, "arn:z"),
        (PROD, "arn:1"),
    ]
    assert summary.count(Change.NEW) == 410


def test_examples_of_waste_are_the_costliest() -> None:
    def volume(usd: float) -> Notable:
        return notable(
            "ebs-volume-unattached", Severity.MEDIUM, Category.COST, resource=f"{usd}", monthly_usd=usd
        )

    summary = of(receipt(PROD, volume(9), volume(80), volume(70), volume(60)), receipt(SANDBOX, volume(1)))
    (told,) = summary.told.values()
    assert [each.notable.monthly_usd for each in told] == [80, 70, 60]


CHANGES = st.builds(
    notable,
    st.sampled_from(["a-check", "b-check"]),
    st.sampled_from(Severity),
    st.sampled_from(Category),
    change=st.sampled_from(Change),
    resource=st.sampled_from("xyz"),
    monthly_usd=st.none() | st.sampled_from([1.0, 2.5]),
)
LEFT = st.builds(
    lambda account, changes, opened: receipt(
        Target(account, "eu-west-1"), *changes, planned=len(due(once=False)), open=opened
    ),
    st.sampled_from(["1" * 12, "2" * 12]),
    st.lists(CHANGES, max_size=6),
    st.dictionaries(st.tuples(st.sampled_from(Severity), st.sampled_from(Category)), st.integers(1, 99)),
)


@given(st.lists(LEFT, max_size=6))
def test_routes_that_share_everything_out_leave_nothing_out_and_count_nothing_twice(
    left: list[Receipt],
) -> None:
    whole = of(*left)
    parts = [of(*left, route=Route(name=category, categories=(category,))) for category in Category]
    assert sum(part.units for part in parts) == whole.units
    assert sum((part.open for part in parts), Counter()) == whole.open
    assert sum((part.changes for part in parts), Counter()) == whole.changes


def test_a_route_that_a_worker_did_not_know_hears_of_all_of_its_target() -> None:
    summary = summarise(PLAN, [receipt(PROD, notable(), VOLUME)], finished=FINISHED, route=MONEY)
    assert summary.count(Change.NEW) == 2, "told too much is not told nothing"


def test_what_could_not_be_seen_is_told_to_whose_account_it_is() -> None:
    team = Route(name="team", owners=("team-*",), ous=("ou-ab12-cdefgh34",))
    mine = replace(PROD, owner=Owner("Team-Shop", OwnedBy.ACCOUNT), ous=("r-ab12", "ou-ab12-cdefgh34"))
    for target, units in ((mine, 25), (replace(mine, ous=()), 0), (replace(mine, owner=NOBODY), 0)):
        assert of(receipt(target, newly_blind=("a",)), route=team).units == units


@given(st.lists(LEFT, max_size=6))
def test_examples_belong_to_what_is_counted(left: list[Receipt]) -> None:
    summary = of(*left)
    for cause, told in summary.told.items():
        assert 0 < len(told) <= EXAMPLES
        assert len(told) <= summary.changes[cause]


@pytest.mark.parametrize("route", [None, MONEY])
def test_what_nobody_looks_at_counts_neither_as_seen_nor_as_missing(route: Route | None) -> None:
    gone = replace(SANDBOX, standing=Standing.LEFT)
    seen = receipt(PROD, planned=len(due(once=False)))
    resolved = replace(VOLUME, change=Change.RESOLVED, because="account-left")
    summary = of(seen, receipt(gone, resolved, planned=0), route=route)
    alone = of(seen, route=route)
    assert (summary.units, summary.evaluated, summary.targets, summary.accounts) == (
        alone.units,
        alone.evaluated,
        alone.targets,
        alone.accounts,
    )
    assert summary.count(Change.RESOLVED) == 1
