"""Accounts that join, leave and are suspended: told once, by whoever looked, and to whom it concerns."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orgscan import session
from orgscan.describe import MOVES, describe
from orgscan.links import Links
from orgscan.membership import Move, by_word
from orgscan.messages import Message, of_scan
from orgscan.model import GLOBAL, Standing
from orgscan.organization import CannotPlan
from orgscan.plan import Plan
from orgscan.plans import PlanStore
from orgscan.present.mail import mail
from orgscan.report import Reporter
from orgscan.results import Bucketed, Results
from orgscan.session import Clients
from orgscan.settings import Configuration, Route, Scope
from orgscan.summary import summarise
from tests.planning import (
    ALWAYS,
    EU,
    EXECUTION,
    ONCE,
    REGIONAL,
    STARTED,
    Answers,
    account,
    page,
    planner,
    refusal,
    store,
)
from tests.receipts import FINISHED, RESULTS, plan, receipt
from tests.twins import RegionsTwin, S3Twin, TableTwin

BUCKET = "results"
CHECKS = [ONCE, REGIONAL]
"""So few that a day is short, and yet all targets are due."""
EVERYONE = (Route(name="all"),)
FIRST_DAY = STARTED.replace(hour=12) - timedelta(days=30)


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


class Days:
    """An organization over some days: on each, a scan is planned and perhaps reported."""

    def __init__(self, home: Clients) -> None:
        self.home = home
        self.table, self.s3 = TableTwin(), S3Twin(BUCKET)
        s3: Any = self.s3
        self.plans = PlanStore(s3, BUCKET)
        self.answers = Answers().serve(home.get("organizations"), "ListAccounts")
        self.day = 0

    def plan(self, *told: Any, scope: Scope = EU, **request: Any) -> Plan:
        """The next day, these are the accounts: numbers, or what Organizations says of them."""
        self.day += 1
        self.answers.append(page(Accounts=[known(each) for each in told]))
        made, targets = planner(self.home, scope, inside, table=self.table).plan(
            {"checks": CHECKS, **request},
            started=STARTED + timedelta(days=self.day),
            execution=EXECUTION,
        )
        assert made.schedule == ""
        self.plans.put(made, targets)
        return made

    def report(self, made: Plan, routes: Sequence[Route] = EVERYONE) -> list[Message]:
        s3: Any = self.s3
        kept = store(self.table)
        configuration = Configuration(routes=tuple(routes))
        planned = planner(self.home, EU).catalog
        reporter = Reporter(kept, self.plans, s3, BUCKET, planned, configuration, lambda: kept)
        reporter.report(made.scan, finished=datetime(2026, 1, 30, tzinfo=UTC))
        return list(of_scan(Results(Bucketed(s3, BUCKET, made.scan))))

    def scan(self, *told: Any, **how: Any) -> list[str]:
        """What the mail says of accounts."""
        return said(self.report(self.plan(*told, **how)))

    def summary(self, made: Plan) -> Any:
        return json.loads(self.s3.snapshot()[BUCKET, f"scans/{made.scan}/summary.json"])


def inside(_: str) -> Any:
    """An account that says which regions it has enabled."""
    return SimpleNamespace(get=lambda _: RegionsTwin({"eu-west-1": ALWAYS}))


def known(told: Any) -> Any:
    return account(told, f"acme-{told}", State="ACTIVE") if isinstance(told, int) else told


def suspended(number: int) -> Any:
    return account(number, f"acme-{number}", State="SUSPENDED")


def joined(number: int, when: datetime) -> Any:
    return {**known(number), "JoinedTimestamp": when.timestamp()}


def said(messages: Sequence[Message]) -> list[str]:
    """The section of accounts, without its heading's word."""
    sections = [part for message in messages for part in message.body.split("\n\n")]
    (*found,) = (part.splitlines() for part in sections if part.startswith("ACCOUNTS: "))
    return found[0] if found else []


@pytest.fixture
def days(home: Clients) -> Days:
    return Days(home)


def test_whom_the_first_scan_meets_has_not_joined(days: Days) -> None:
    assert days.scan(1, 2, suspended(3)) == []
    assert days.scan(1, 2, suspended(3)) == []


def test_who_joined_left_and_was_suspended_is_told_once(days: Days) -> None:
    days.scan(1, 2, 3)
    assert days.scan(1, suspended(3), 4, 5) == [
        "ACCOUNTS: 2 joined, 1 left, 1 suspended",
        "  joined: acme-4, acme-5",
        "  left: acme-2",
        "  suspended: acme-3",
    ]
    assert days.scan(1, suspended(3), 4, 5) == []


def test_a_life_from_invitation_to_the_end(days: Days) -> None:
    days.scan(1)
    states = ["PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "ACTIVE", "PENDING_CLOSURE", "CLOSED", "ON_LOAN"]
    told = [days.scan(1, account(2, "two", State=state)) for state in states]
    assert [lines[1] for lines in told] == [
        "  joined: two",
        "  activated: two",
        "  suspended: two",
        "  activated: two",
        "  closing: two",
        "  closed: two",
        "  on loan: two",
    ]
    assert days.scan(1)[1] == "  left: two"
    assert days.scan(1, 2)[1] == "  joined: acme-2"


def test_an_account_of_which_aws_tells_no_state_has_not_changed(days: Days) -> None:
    days.scan(1, 2)
    assert days.scan(1, account(2, "acme-2"), account(3, "acme-3")) == []
    assert days.scan(1, 2, 3) == ["ACCOUNTS: 1 joined", "  joined: acme-3"]


def test_it_is_a_reason_for_a_mail_and_its_subject(days: Days) -> None:
    days.scan(1, 2)
    days.scan(1, 2)
    (message,) = days.report(days.plan(1, 2, suspended(3)))
    assert message.subject == "[orgscan] INCOMPLETE: account changes (1 joined) in 2 accounts"


def test_a_report_that_is_repeated_tells_the_same(days: Days) -> None:
    days.scan(1, 2)
    made = days.plan(1)
    first = days.report(made)
    assert said(first) == ["ACCOUNTS: 1 left", "  left: acme-2"]
    assert days.report(made) == first
    assert days.report(days.plan(1)) == []


def test_a_plan_that_is_made_again_is_the_same(days: Days) -> None:
    """Of the first scan too: nobody joined because an attempt before had begun to remember."""
    for told in [(1, 2), (1, 3)]:
        made = days.plan(*told)
        days.day -= 1
        assert days.plan(*told) == made
        days.report(made)
    assert [move.word for move in made.moves] == ["joined", "left"]


def test_a_first_plan_that_died_half_way_makes_nobody_join(days: Days) -> None:
    def die(_: str, call: Any) -> None:
        if ":state" in call.get("ExpressionAttributeValues", ()):
            raise TimeoutError

    half = TableTwin()
    half.after = die
    days.table = half
    with pytest.raises(TimeoutError):
        days.plan(1, 2, 3)
    half.after = None
    assert days.plan(1, 2, 3).moves == ()
    assert [move.account for move in days.plan(1, 2, 3, 4).moves] == [f"{4:012}"]


def test_a_change_that_no_report_told_is_told_by_the_next_scan(days: Days) -> None:
    days.scan(1, 2)
    days.plan(1)  # and its report never comes
    assert days.scan(1) == ["ACCOUNTS: 1 left", "  left: acme-2"]


def test_of_two_scans_that_overlap_one_tells(days: Days) -> None:
    days.scan(1, 2)
    early, late = days.plan(1, 3), days.plan(1, 3, 4)
    assert said(days.report(late))[0] == "ACCOUNTS: 2 joined, 1 left"
    assert said(days.report(early)) == []
    assert days.scan(1, 3, 4) == []


def test_the_word_of_an_older_scan_does_not_undo_a_newer_one(days: Days) -> None:
    """It was suspended, that was told, it was active again, that was told: then the first report wakes up."""
    days.scan(1, 2)
    early = days.plan(1, suspended(2))
    assert days.scan(1, suspended(2))[1] == "  suspended: acme-2"
    assert days.scan(1, 2)[1] == "  activated: acme-2"
    assert said(days.report(early)) == []
    assert days.scan(1, 2) == []


def test_a_scan_that_tells_nobody_leaves_it_for_the_next(days: Days) -> None:
    days.scan(1, 2)
    made = days.plan(1, notify=False)
    assert days.report(made) == []
    assert days.summary(made)["account_changes"] == [
        {"account": f"{2:012}", "name": "acme-2", "change": "left"}
    ]
    assert days.scan(1) == ["ACCOUNTS: 1 left", "  left: acme-2"]


@pytest.mark.parametrize("request_", [{"accounts": [f"{1:012}"]}, {"ous": ["r-ab12"]}])
def test_a_scan_of_some_accounts_neither_tells_nor_remembers(
    days: Days, request_: dict[str, Any], home: Clients
) -> None:
    inside = [page(Accounts=[known(1)]), page(OrganizationalUnits=[])]
    Answers(inside[:1] * 2).serve(home.get("organizations"), "ListAccountsForParent")
    Answers(inside[1:] * 2).serve(home.get("organizations"), "ListOrganizationalUnitsForParent")
    assert days.plan(1, **request_).moves == ()  # a first scan that is none of the organization
    days.scan(1, 2)
    assert days.plan(1, 3, **request_).moves == ()
    assert days.scan(1, 3)[0] == "ACCOUNTS: 1 joined, 1 left"


def test_a_scan_of_some_regions_or_checks_has_asked_for_all_accounts(days: Days) -> None:
    days.scan(1, 2, regions=[GLOBAL])
    assert days.scan(1, regions=[GLOBAL]) == ["ACCOUNTS: 1 left", "  left: acme-2"]


def test_an_organization_that_cannot_be_listed_tells_nothing_and_nobody_has_left(days: Days) -> None:
    days.scan(1, 2)
    before = days.table.snapshot()
    for broken in (refusal("AccessDeniedException", "not authorized"), page(), (200, b'{"Accou')):
        days.answers.append(broken)
        with pytest.raises(CannotPlan):
            planner(days.home, EU, table=days.table).plan({}, started=STARTED, execution=EXECUTION)
    assert days.table.snapshot() == before
    assert days.scan(1, 2) == []


def test_who_comes_into_the_scope_has_not_joined_the_organization(days: Days) -> None:
    listed = replace(EU, accounts=(f"{1:012}",))
    days.scan(1, joined(2, FIRST_DAY), scope=listed)
    assert days.scan(1, joined(2, FIRST_DAY)) == []
    assert days.scan(1, suspended(2))[1] == "  suspended: acme-2"  # it is known from then on
    late = joined(3, STARTED + timedelta(days=3))
    assert days.scan(1, suspended(2), late)[1] == "  joined: acme-3"


def test_who_is_excluded_is_not_told_of(days: Days) -> None:
    without = replace(EU, exclude_accounts=(f"{2:012}", f"{3:012}"))
    days.scan(1, 2)
    assert days.scan(1, suspended(2), 3, scope=without) == []
    assert days.scan(1, scope=without) == []


def test_an_account_that_is_listed_by_id_and_left_is_told_once(days: Days) -> None:
    listed = replace(EU, accounts=(f"{1:012}", f"{2:012}", f"{9:012}"))
    assert days.scan(1, 2, scope=listed) == []
    assert days.scan(1, scope=listed) == ["ACCOUNTS: 1 left", "  left: acme-2"]
    assert days.scan(1, scope=listed) == []


def test_an_account_that_was_suspended_and_then_left_is_told_twice(days: Days) -> None:
    """Even when nothing of it was open any more, so that it was forgotten in between."""
    days.scan(1, 2)
    assert days.scan(1, suspended(2))[1] == "  suspended: acme-2"
    assert [each.regions for each in store(days.table).remembered() if int(each.account) == 2] == [set()]
    assert days.scan(1)[1] == "  left: acme-2"


def test_without_an_organization_there_is_nothing_to_tell(days: Days) -> None:
    static = Scope(organization=False, accounts=(f"{1:012}", f"{2:012}"), regions=EU.regions)
    for scope in (static, replace(static, accounts=static.accounts[:1])):
        made, targets = planner(days.home, scope, table=days.table).plan(
            {"checks": CHECKS}, started=STARTED, execution=EXECUTION
        )
        assert made.moves == ()
    assert {each.standing for each in targets} == {Standing.DUE, Standing.OUT_OF_SCOPE}


def test_a_table_of_the_version_before_knows_no_states_and_nobody_joins(days: Days) -> None:
    days.scan(1, 2)
    older = TableTwin()
    for row in days.table.snapshot().values():
        if row["pk"] == "ACCOUNTS":
            older.put_item(Item={name: row[name] for name in ("pk", "sk", "account_name", "regions")})
    days.table = older
    assert days.scan(1, 2, 3) == []
    assert days.scan(1, 2) == ["ACCOUNTS: 1 left", "  left: acme-3"]


def test_a_route_hears_of_its_accounts(days: Days) -> None:
    days.scan(1)
    routes = [Route(name=str(number), accounts=(f"{number:012}",)) for number in (1, 2, 3)]
    messages = days.report(days.plan(1, suspended(2), suspended(3)), routes)
    assert {message.route: said([message])[1] for message in messages if said([message])} == {
        "2": "  joined: acme-2",
        "3": "  joined: acme-3",
    }


def move(number: int, now: str = "ACTIVE", name: str = "") -> Move:
    return Move(f"{number:012}", name or f"acme-{number}", "" if now == "ACTIVE" else "ACTIVE", now, "")


def test_thousands_that_joined_are_a_line_and_a_hundred_in_the_summary() -> None:
    moved = [move(number) for number in range(3000)]
    summary = summarise(plan(), [receipt()], finished=FINISHED, moves=moved)
    told = describe(summary)
    assert (len(told["account_changes"]), told["more_account_changes"]) == (MOVES, 3000 - MOVES)
    assert (
        "  joined: acme-0, acme-1, acme-2, acme-3, acme-4, acme-5 and 2,994 more"
        in mail(summary, Links(results=RESULTS)).body
    )


def test_no_name_forges_a_count_or_a_line() -> None:
    forged = "x\n\nACCOUNTS: 99 left\u2028, 7 suspended"
    lines = mail(
        summarise(plan(), [receipt()], finished=FINISHED, moves=[move(1, name=forged)]),
        Links(results=RESULTS),
    ).body.splitlines()
    assert [line for line in lines if line.startswith("ACCOUNTS")] == ["ACCOUNTS: 1 joined"]


def test_what_happened_most_is_not_what_is_told_first() -> None:
    told = by_word([move(1, "SUSPENDED"), move(2, "ODD"), move(3, "LEFT"), move(4)])
    assert list(told) == ["joined", "left", "suspended", "odd"]
