"""Whom a finding reaches: one route that keeps it, and all that take copies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan.model import NOBODY, Category, Finding, OwnedBy, Owner, Severity, Target
from orgscan.receipt import Tally
from orgscan.reconcile import Change, Record, Status, Step
from orgscan.routing import Routing
from orgscan.settings import Route
from tests.scans import HERE, STARTED, finding, saw

UNIT, OTHER = "ou-ab12-cdefgh34", "ou-ab12-zyxwvu98"
PROD = replace(HERE, ous=("r-ab12", UNIT), owner=Owner("platform", OwnedBy.ACCOUNT))
REST = Route(name="rest")


def owned(name: str) -> Finding:
    owner = Owner(name, OwnedBy.RESOURCE) if name else NOBODY
    return replace(finding(), owner=owner)


@pytest.mark.parametrize(
    ("route", "found", "reached"),
    [
        (Route(name="r", minimum_severity=Severity.CRITICAL), finding(), False),
        (Route(name="r", minimum_severity=Severity.HIGH), finding(), True),
        (Route(name="r", categories=(Category.COST,)), finding(), False),
        (Route(name="r", accounts=(HERE.account,)), finding(), True),
        (Route(name="r", accounts=("999999999999",)), finding(), False),
        (Route(name="r", ous=(UNIT,)), finding(), True),
        (Route(name="r", ous=("r-ab12",)), finding(), True),
        (Route(name="r", ous=(OTHER,)), finding(), False),
        (Route(name="r", owners=("shop-*",)), owned("Shop-Web"), True),
        (Route(name="r", owners=("shop",)), owned("shop-web"), False),
        (Route(name="r", owners=("a[bc]",)), owned("ab"), False),
        (Route(name="r", owners=("a[bc]",)), owned("A[BC]"), True),
        (Route(name="r", owners=("",)), owned(""), True),
        (Route(name="r", owners=("",)), owned("shop"), False),
        (Route(name="r", owners=("*",), ous=(OTHER,)), owned("shop"), False),
    ],
)
def test_a_route_wants_what_all_its_words_hold_for(route: Route, found: Finding, *, reached: bool) -> None:
    assert Routing([route]).of(found, PROD) == (["r"] if reached else [])


def test_the_first_that_wants_it_keeps_it_and_copies_take_nothing_away() -> None:
    all_, urgent = Route(name="all", copy=True), Route(name="urgent", minimum_severity=Severity.HIGH)
    routing = Routing([all_, urgent, REST])
    assert routing.of(finding(), PROD) == ["urgent", "all"]
    assert routing.of(finding(severity=Severity.LOW), PROD) == ["rest", "all"]


def test_an_account_of_unknown_units_is_in_none_of_them() -> None:
    routing = Routing([Route(name="unit", ous=(UNIT,)), REST])
    assert routing.of(finding(), replace(PROD, ous=())) == ["rest"]


def test_a_resources_own_word_comes_before_its_accounts() -> None:
    routing = Routing()
    assert routing.owner(finding(tags={"owner": "shop"}), PROD) == Owner("shop", OwnedBy.RESOURCE)
    assert routing.owner(finding(tags={"owner": " "}), PROD) == PROD.owner
    assert routing.owner(finding(), PROD) == PROD.owner
    assert routing.owner(finding(), replace(PROD, owner=NOBODY)) == NOBODY


ROUTES = st.builds(
    Route,
    name=st.just(""),
    minimum_severity=st.sampled_from(Severity),
    categories=st.sets(st.sampled_from(Category), max_size=2).map(tuple),
    accounts=st.sets(st.sampled_from([HERE.account, "999999999999"]), max_size=1).map(tuple),
    ous=st.sets(st.sampled_from([UNIT, OTHER]), max_size=1).map(tuple),
    owners=st.sets(st.sampled_from(["", "shop*", "*"]), max_size=2).map(tuple),
    copy=st.booleans(),
)
FOUND = st.builds(
    lambda severity, category, owner, number: replace(
        finding(f"arn:{number}", severity=severity, category=category),
        owner=Owner(owner, OwnedBy.RESOURCE) if owner else NOBODY,
    ),
    st.sampled_from(Severity),
    st.sampled_from(Category),
    st.sampled_from(["", "shop", "Shop-Web", "data"]),
    st.integers(0, 99),
)


def left(findings: Sequence[Finding], routing: Routing, target: Target) -> Tally:
    tally = Tally("1", target, routing)
    for each in findings:
        record = Record(each, Status.OPEN, STARTED, "1", Change.NEW)
        tally.add(Step(None, record, found=True), due=True)
    return tally


@given(st.lists(FOUND, max_size=12), st.lists(ROUTES, max_size=5))
def test_every_finding_reaches_exactly_one_route_where_the_last_wants_all(
    findings: list[Finding], routes: list[Route]
) -> None:
    """And a receipt counts each where it goes: the parts of the routes that keep are the whole."""
    named = [replace(route, name=f"route-{number}") for number, route in enumerate(routes)]
    routing, keeping = Routing([*named, REST]), {each.name for each in (*named, REST) if not each.copy}
    for each in findings:
        assert len(keeping.intersection(routing.of(each, PROD))) == 1
    receipt = left(findings, routing, PROD).receipt(saw().coverage, ())
    kept = [part for name, part in receipt.parts.items() if name in keeping]
    assert sum((Counter(part.open) for part in kept), Counter()) == receipt.open
    assert sum((Counter(part.changed) for part in kept), Counter()) == receipt.changed
    for part in receipt.parts.values():
        assert sum(part.changed.values()) >= len(part.notable)
