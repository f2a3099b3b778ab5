"""Who answers for accounts and which units they are in: what planning asks, remembers and goes without."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan import ownership, session
from orgscan.membership import Remembered
from orgscan.model import NOBODY, OwnedBy, Owner, Standing, Target
from orgscan.organization import Account, Organization
from orgscan.ownership import (
    CONTACTS,
    LAST_SECONDS,
    LATER,
    MOST_ACCOUNTS,
    SECONDS,
    WALK_SECONDS,
    OwnersUnread,
    Registrar,
)
from orgscan.plan import Plan
from orgscan.plans import PlanStore, target
from orgscan.session import Clients
from orgscan.settings import Route, Scope
from tests.answers import answer, refuse
from tests.conftest import ACCOUNT
from tests.planning import ALWAYS, EU, EXECUTION, ONCE, REGIONAL, STARTED, planner, store
from tests.receipts import plan as planned
from tests.twins import RegionsTwin, S3Twin, TableTwin
from tests.twins import refusal as refused

HERE = Target(ACCOUNT, "eu-west-1")
TAGS, CONTACT = "organizations:ListTagsForResource", "account:GetAlternateContact"


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


class Acme:
    """An organization that is planned day by day.

    Root (master): Workloads, whose owner is maps (shop, whose own is ada): Prod (pay); Sandbox (play, whose
    contact for operations is olga; idle, whose one for security is sam; toy).
    """

    def __init__(self, home: Clients) -> None:
        self.home = home
        self.client = client = home.get("organizations")
        self.table = TableTwin()
        self.asked: Counter[str] = Counter()
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        self.ids = {"root": root, "master": ACCOUNT}
        for parent, unit in [("root", "Workloads"), ("Workloads", "Prod"), ("root", "Sandbox")]:
            made = client.create_organizational_unit(ParentId=self.ids[parent], Name=unit)
            self.ids[unit] = made["OrganizationalUnit"]["Id"]
        places = {"shop": "Workloads", "pay": "Prod", "play": "Sandbox", "idle": "Sandbox", "toy": "Sandbox"}
        for name, unit in places.items():
            made = client.create_account(Email=f"{name}@example.com", AccountName=name)
            self.ids[name] = made["CreateAccountStatus"]["AccountId"]
            self.move(name, "root", unit)
        self.tag("Workloads", "maps")
        self.tag("shop", "ada", key="owner")
        self.contact("play", "OPERATIONS", "olga@acme.example")
        self.contact("play", "SECURITY", "sam@acme.example")
        self.contact("idle", "SECURITY", "sam@acme.example")
        for service in ("organizations", "account", "sts"):
            home.get(service).meta.events.register(f"before-parameter-build.{service}", self._count)

    def _count(self, model: Any, **_: object) -> None:
        self.asked[model.name] += 1

    def move(self, name: str, old: str, new: str) -> None:
        self.client.move_account(
            AccountId=self.ids[name], SourceParentId=self.ids[old], DestinationParentId=self.ids[new]
        )

    def tag(self, name: str, owner: str, key: str = "Owner") -> None:
        self.client.tag_resource(ResourceId=self.ids[name], Tags=[{"Key": key, "Value": owner}])

    def untag(self, name: str) -> None:
        self.client.untag_resource(ResourceId=self.ids[name], TagKeys=["Owner", "owner"])

    def contact(self, name: str, kind: str, address: str) -> None:
        which = {} if name == "master" else {"AccountId": self.ids[name]}
        self.home.get("account").put_alternate_contact(
            AlternateContactType=kind,
            EmailAddress=address,
            Name="Somebody",
            PhoneNumber="1",
            Title="-",
            **which,
        )

    def plan(
        self, day: int = 0, scope: Scope = EU, request: Mapping[str, Any] | None = None, **configured: Any
    ) -> tuple[Plan, Sequence[Target]]:
        self.asked.clear()
        configured = {"account_owners": True, **configured}
        made = planner(self.home, scope, inside, table=self.table, **configured)
        return made.plan(
            {"checks": [ONCE], **(request or {})}, started=STARTED + timedelta(days=day), execution=EXECUTION
        )

    def owners(self, day: int = 0, **how: Any) -> dict[str, str]:
        return owners(self.plan(day, **how)[1])

    def unread(self, day: int = 0, **how: Any) -> tuple[OwnersUnread, ...]:
        return self.plan(day, **how)[0].owners_unread


def inside(_: str) -> Any:
    return SimpleNamespace(get=lambda _: RegionsTwin({"eu-west-1": ALWAYS}))


def owners(targets: Sequence[Target]) -> dict[str, str]:
    """Account's name -> whose it is, and who says so."""
    return {each.account_name: f"{each.owner.name} {each.owner.by}".strip() for each in targets}


EVERYONE = {
    "master": "nobody",
    "shop": "ada account-tag",
    "pay": "maps ou-tag",
    "play": "olga@acme.example alternate-contact",
    "idle": "sam@acme.example alternate-contact",
    "toy": "nobody",
}


@pytest.fixture
def acme(home: Clients) -> Acme:
    return Acme(home)


def test_the_closest_word_says_who_answers_for_an_account(acme: Acme) -> None:
    assert acme.owners() == EVERYONE
    assert acme.unread() == ()


def test_a_closer_unit_is_heard_before_those_above_it(acme: Acme) -> None:
    acme.tag("root", "board")
    acme.tag("Prod", "payments")
    assert acme.owners() == {
        "master": "board ou-tag",
        "shop": "ada account-tag",
        "pay": "payments ou-tag",
        **dict.fromkeys(["play", "idle", "toy"], "board ou-tag"),
    }


def test_the_keys_of_the_tags_are_those_that_people_chose(acme: Acme) -> None:
    acme.tag("toy", "games", key="Team")
    found = acme.owners(owner_tags=("team",))
    assert (found["toy"], found["shop"], found["pay"]) == ("games account-tag", "nobody", "nobody")


def test_targets_know_the_units_above_their_account_from_the_top(acme: Acme) -> None:
    _, targets = acme.plan()
    ids = acme.ids
    assert {each.account_name: each.ous for each in targets} == {
        "master": (ids["root"],),
        "shop": (ids["root"], ids["Workloads"]),
        "pay": (ids["root"], ids["Workloads"], ids["Prod"]),
        **dict.fromkeys(["play", "idle", "toy"], (ids["root"], ids["Sandbox"])),
    }


def test_the_hubs_own_contact_is_asked_for_without_an_id(acme: Acme) -> None:
    acme.contact("master", "OPERATIONS", "hub@acme.example")
    bodies: list[Any] = []
    acme.home.get("account").meta.events.register(
        "before-send.account.GetAlternateContact",
        lambda request, **_: bodies.append(json.loads(request.body)),
    )
    assert acme.owners()["master"] == "hub@acme.example alternate-contact"
    asked = [(each.get("AccountId"), each["AlternateContactType"]) for each in bodies]
    assert set(asked) == {
        (None, "OPERATIONS"),
        (acme.ids["play"], "OPERATIONS"),
        *((acme.ids[name], kind) for name in ("idle", "toy") for kind in CONTACTS),
    }
    assert len(asked) == len(set(asked))


def test_a_delegated_administrator_does_not_ask_for_the_management_accounts_contact(acme: Acme) -> None:
    """Which only that may."""
    acme.contact("master", "OPERATIONS", "hub@acme.example")
    answer(acme.home, HERE, "sts:GetCallerIdentity", {"Account": acme.ids["toy"]})
    assert acme.owners()["master"] == "nobody"


def test_an_account_is_asked_once_a_day_and_units_in_every_scan(acme: Acme) -> None:
    acme.plan()
    assert acme.asked["ListTagsForResource"] == 4 + 6
    acme.tag("shop", "bob", key="owner")
    acme.tag("Workloads", "atlas")
    acme.tag("Sandbox", "games")
    acme.move("pay", "Prod", "Sandbox")
    same_day = {**dict.fromkeys(["pay", "play", "idle", "toy"], "games ou-tag"), "shop": "ada account-tag"}
    assert acme.owners() == {**same_day, "master": "nobody"}
    assert acme.asked["ListTagsForResource"] == 3  # nobody is in Prod any more
    assert acme.asked["GetAlternateContact"] == acme.asked["GetCallerIdentity"] == 0
    assert acme.owners(day=1) == {**same_day, "shop": "bob account-tag", "master": "nobody"}


def test_what_planning_remembers_is_written_once_a_day(acme: Acme) -> None:
    acme.plan()
    before = acme.table.snapshot()
    acme.plan()
    assert acme.table.snapshot() == before
    row = before["ACCOUNTS", acme.ids["shop"]]
    assert (row["owner_name"], row["owned_by"], row["owner_read"]) == ("ada", "account-tag", "2026-01-15")
    assert {each.account: each.owner for each in store(acme.table).remembered()}[ACCOUNT] == NOBODY


def test_who_loses_the_units_word_is_asked_at_once(acme: Acme) -> None:
    acme.contact("pay", "OPERATIONS", "pia@acme.example")
    assert acme.owners()["pay"] == "maps ou-tag"
    acme.untag("Workloads")
    assert acme.owners()["pay"] == "pia@acme.example alternate-contact"
    assert acme.asked["GetAlternateContact"] == 1
    acme.plan()
    assert acme.asked["GetAlternateContact"] == 0


def test_an_account_that_is_no_longer_tagged_is_its_units(acme: Acme) -> None:
    acme.plan()
    acme.untag("shop")
    assert acme.owners(day=1)["shop"] == "maps ou-tag"


def test_a_tree_that_may_not_be_read_leaves_no_units_and_the_owners_that_were_known(acme: Acme) -> None:
    acme.plan()
    refuse(acme.home, HERE, "organizations:ListRoots")
    made, targets = acme.plan(day=1)
    assert owners(targets) == EVERYONE
    assert {each.ous for each in targets} == {()}
    assert made.owners_unread == (OwnersUnread(6, "denied: organizations:ListRoots"),)


def test_without_a_tree_and_a_past_units_are_passed_over(acme: Acme) -> None:
    acme.contact("pay", "OPERATIONS", "pia@acme.example")
    refuse(acme.home, HERE, "organizations:ListRoots")
    assert acme.owners() == {**EVERYONE, "pay": "pia@acme.example alternate-contact"}


def test_a_branch_that_does_not_answer_costs_what_is_in_it_and_what_comes_after(acme: Acme) -> None:
    """Root and Workloads have answered, Prod does not, and Sandbox is not asked any more."""
    down = ClientError({"Error": {"Code": "ServiceException", "Message": "no"}}, "ListAccountsForParent")

    def fail(params: Mapping[str, str], **_: object) -> None:
        if params["ParentId"] == acme.ids["Prod"]:
            raise down

    acme.client.meta.events.register("before-parameter-build.organizations.ListAccountsForParent", fail)
    made, targets = acme.plan()
    above = {each.account_name: len(each.ous) for each in targets}
    assert above == {"master": 1, "shop": 2, "pay": 0, "play": 0, "idle": 0, "toy": 0}
    assert [each.accounts for each in made.owners_unread] == [4]


def test_tags_that_may_not_be_read_leave_the_owners_that_were_known(acme: Acme) -> None:
    acme.plan()
    refuse(acme.home, HERE, TAGS)
    made, targets = acme.plan(day=1)
    assert owners(targets) == EVERYONE
    assert {len(each.ous) for each in targets} == {1, 2, 3}
    assert made.owners_unread == (OwnersUnread(6, f"denied: {TAGS}"),)
    assert acme.asked["GetAlternateContact"] == 0


def test_contacts_that_may_not_be_read_are_nobody_and_cost_the_plan_nothing(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without trusted access for Account Management."""
    monkeypatch.setattr(ownership, "AT_ONCE", 1)
    refuse(acme.home, HERE, CONTACT, "AccessDeniedException")
    made, targets = acme.plan()
    assert owners(targets) == {**EVERYONE, "play": "nobody", "idle": "nobody"}
    assert made.owners_unread == (OwnersUnread(4, f"denied: {CONTACT}"),)
    assert acme.asked["GetAlternateContact"] == 1, "once denied, it is not asked again"
    acme.plan()
    assert acme.asked["GetAlternateContact"] == 0, "nor on the same day"


def test_a_contact_that_may_no_longer_be_read_is_still_the_contact(acme: Acme) -> None:
    acme.plan()
    refuse(acme.home, HERE, CONTACT, "AccessDeniedException")
    assert acme.owners(day=1) == EVERYONE


@pytest.mark.parametrize("broken", [{}, {"AlternateContact": {}}])
def test_an_answer_without_a_contact_names_nobody(acme: Acme, broken: dict[str, Any]) -> None:
    answer(acme.home, HERE, CONTACT, broken)
    made, targets = acme.plan()
    assert owners(targets)["play"] == "nobody"
    assert bool(made.owners_unread) is not bool(broken), "one that broke off is none"


def test_the_name_counts_where_a_contact_has_no_address(acme: Acme) -> None:
    answer(acme.home, HERE, CONTACT, {"AlternateContact": {"EmailAddress": " ", "Name": "Ops\nteam"}})
    assert acme.owners()["toy"] == "Ops team alternate-contact"


def test_a_hub_that_does_not_know_itself_asks_for_no_contact(acme: Acme) -> None:
    refuse(acme.home, HERE, "sts:GetCallerIdentity")
    assert acme.unread() == (OwnersUnread(4, "sts:GetCallerIdentity did not answer"),)
    assert acme.asked["GetAlternateContact"] == 0


def test_what_looks_secret_is_not_kept(acme: Acme) -> None:
    token = "ghp_" + "Ab1" * 12
    answer(acme.home, HERE, TAGS, {"Tags": [{"Key": "Owner", "Value": f"ada {token}"}]})
    made, targets = acme.plan()
    assert set(owners(targets).values()) == {"ada (hidden: github-token) account-tag"}
    assert token not in str((made, targets, acme.table.snapshot()))


def test_who_is_out_of_scope_keeps_owner_and_units_and_who_left_its_owner(acme: Acme) -> None:
    everywhere = {"checks": [ONCE, REGIONAL]}
    acme.plan(request=everywhere)
    narrower = replace(EU, exclude_accounts=(acme.ids["shop"], acme.ids["pay"]))
    acme.client.remove_account_from_organization(AccountId=acme.ids["pay"])
    _, targets = acme.plan(scope=narrower, request=everywhere)
    told = {each.account_name: each for each in targets if each.standing is not Standing.DUE}
    assert owners([*told.values()]) == {name: EVERYONE[name] for name in ("shop", "pay")}
    assert (told["pay"].standing, told["pay"].ous) == (Standing.LEFT, ())
    assert told["shop"].ous == (acme.ids["root"], acme.ids["Workloads"])


def test_only_the_accounts_of_the_scan_are_asked_and_units_until_they_are_found(acme: Acme) -> None:
    assert acme.owners(request={"accounts": [acme.ids["shop"]]}) == {"shop": "ada account-tag"}
    assert acme.asked["ListTagsForResource"] == 3
    assert acme.asked["ListAccountsForParent"] == 2


def test_what_selecting_has_read_is_not_read_again(acme: Acme) -> None:
    request = {"ous": [acme.ids["root"]], "account_tags": {"owner": "ada"}}
    assert acme.owners(request=request) == {"shop": "ada account-tag"}
    assert acme.asked["ListAccountsForParent"] == acme.asked["ListOrganizationalUnitsForParent"] == 4
    assert acme.asked["ListTagsForResource"] == 2 + 6


def test_owners_that_nobody_wants_are_not_read(acme: Acme) -> None:
    made, targets = acme.plan(account_owners=False)
    assert {(each.owner, each.ous) for each in targets} == {(NOBODY, ())}
    assert made.owners_unread == ()
    assert dict(acme.asked) == {"ListAccounts": 1}


def test_units_are_read_for_a_route_that_names_some(acme: Acme) -> None:
    routes = (Route(name="prod", ous=(acme.ids["Prod"],)),)
    _, targets = acme.plan(account_owners=False, routes=routes)
    assert {each.account_name for each in targets if acme.ids["Prod"] in each.ous} == {"pay"}
    assert acme.asked.keys() == {
        *("ListAccounts", "ListRoots", "ListAccountsForParent", "ListOrganizationalUnitsForParent")
    }
    refuse(acme.home, HERE, "organizations:ListRoots")
    made, targets = acme.plan(account_owners=False, routes=routes)
    assert {each.ous for each in targets} == {()}
    assert made.owners_unread == (OwnersUnread(6, "denied: organizations:ListRoots"),)


def test_without_an_organization_only_the_hub_has_a_contact(acme: Acme) -> None:
    acme.contact("master", "SECURITY", "hub@acme.example")
    static = Scope(organization=False, accounts=(ACCOUNT, acme.ids["play"]), regions=EU.regions)
    _, targets = acme.plan(scope=static)
    assert {each.account: each.owner for each in targets} == {
        ACCOUNT: Owner("hub@acme.example", OwnedBy.CONTACT),
        acme.ids["play"]: NOBODY,
    }
    assert dict(acme.asked) == {"GetCallerIdentity": 1, "GetAlternateContact": 2}
    acme.plan(scope=static)
    assert dict(acme.asked) == {}


def test_a_plan_with_owners_survives_the_bucket_and_one_without_is_read(acme: Acme) -> None:
    s3: Any = S3Twin("plans")
    plans = PlanStore(s3, "plans")
    refuse(acme.home, HERE, CONTACT)
    made, targets = acme.plan()
    plans.put(made, targets)
    assert plans.get(made.scan) == made
    assert made.owners_unread
    back = [*plans.targets(made)]
    assert [asdict(each) for each in back] == [asdict(each) for each in targets]
    older = {
        **dict.fromkeys(["account", "region", "name"], "a"),
        "off": False,
        "standing": "due",
        "payer": True,
        "unscanned": [],
    }
    read = target(older, made)
    assert (read.ous, read.owner) == ((), NOBODY)


def test_a_plan_of_an_earlier_version_has_read_everything() -> None:
    s3: Any = S3Twin("plans")
    told = asdict(planned())
    del told["owners_unread"]
    s3.put_object(Bucket="plans", Key=f"scans/{planned().scan}/plan.json", Body=json.dumps(told).encode())
    assert PlanStore(s3, "plans").get(planned().scan).owners_unread == ()


# Of ten thousand accounts

ROOT = "r-ab12"


class Clock:
    """Stands still, but for those who sleep and for every call."""

    def __init__(self, call: float = 0.0) -> None:
        self.now, self.call = 1000.0, call

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Large:
    """Clients of a hub in an organization of 100 units, all below the root, of 100 accounts each.

    Pages are as large as AWS makes them. No account is tagged, and none has a contact.
    """

    partition = "aws"

    def __init__(self, clock: Clock, units: int = 100, each: int = 100) -> None:
        self.clock = clock
        self.asked: Counter[str] = Counter()
        self.tagged: list[str] = []
        self.units = {
            f"ou-ab12-{unit:08}": [f"{unit * each + number:012}" for number in range(each)]
            for unit in range(units)
        }
        self.accounts = [Account(id_, "") for ids in self.units.values() for id_ in ids]
        self.tags: dict[str, str] = {}

    def get(self, service: str) -> Any:
        if service == "organizations":
            return SimpleNamespace(get_paginator=self._paginator)
        if service == "account":
            return SimpleNamespace(get_alternate_contact=self._contact)
        return SimpleNamespace(get_caller_identity=lambda: {"Account": ACCOUNT})

    def _paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **asked: self._pages(operation, **asked))

    def _pages(self, operation: str, ParentId: str = "", ResourceId: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803 (boto3's names)
        if operation == "list_roots":
            return self._cut(operation, "Roots", [ROOT])
        if operation == "list_tags_for_resource":
            self.tagged.append(ResourceId)
            name = self.tags.get(ResourceId)
            tags = [{"Key": "Owner", "Value": name}] if name else []
            return self._cut(operation, "Tags", tags)
        if operation == "list_accounts_for_parent":
            return self._cut(operation, "Accounts", self.units.get(ParentId, []))
        return self._cut(operation, "OrganizationalUnits", [*self.units] if ParentId == ROOT else [])

    def _cut(self, operation: str, field: str, told: Sequence[Any]) -> Iterator[dict[str, Any]]:
        rows = [{"Id": each} if isinstance(each, str) else each for each in told]
        for start in range(0, max(1, len(rows)), 20):
            self.asked[operation] += 1
            self.clock.now += self.clock.call
            yield {field: rows[start : start + 20]}

    def _contact(self, **asked: str) -> Any:
        self.asked["get_alternate_contact"] += 1
        assert asked["AccountId"] != ACCOUNT
        raise refused("ResourceNotFoundException", "none", "GetAlternateContact")


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, so that a clock can tell the time."""
    monkeypatch.setattr(ownership, "AT_ONCE", 1)


def registrar(large: Large, **how: Any) -> Registrar:
    home: Any = large
    organization = Organization(home.get("organizations"))
    clock = large.clock
    return Registrar(
        home=home, organization=organization, keys=("Owner",), clock=clock, sleep=clock.sleep, **how
    )


def test_calls_for_units_grow_with_units_and_pages_not_with_accounts() -> None:
    large = Large(Clock())
    census = registrar(large).units(large.accounts, ())
    assert len(census.above) == 10_000
    assert census.above[f"{1234:012}"] == (ROOT, "ou-ab12-00000012")
    assert dict(large.asked) == {
        "list_roots": 1,
        "list_accounts_for_parent": 1 + 100 * 5,
        "list_organizational_units_for_parent": 5 + 100,
    }


@pytest.mark.usefixtures("in_turn")
def test_a_scan_asks_so_many_accounts_at_a_pace_and_for_so_long() -> None:
    clock = Clock()
    large = Large(clock)
    large.tags = {each.id: "ada" for each in large.accounts}
    began = clock.now
    census = registrar(large).census(large.accounts, (), {}, "2026-01-15")
    assert clock.now - began <= SECONDS
    # Eight a second and the first at once; the root and the units are among them.
    assert large.asked["list_tags_for_resource"] == pytest.approx(8 * SECONDS + 8, abs=1)
    assert len(census.learned) == large.asked["list_tags_for_resource"] - 101
    assert census.unread == (OwnersUnread(10_000 - len(census.learned), LATER),)
    assert large.asked["get_alternate_contact"] == 0


@pytest.mark.usefixtures("in_turn")
def test_who_was_not_asked_for_longest_is_asked_first_until_all_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "MOST_ACCOUNTS", 30)
    large = Large(Clock(), units=2, each=50)
    known: dict[str, Remembered] = {}
    asked: list[list[str]] = []
    for day in range(4):
        large.tagged.clear()
        census = registrar(large).census(large.accounts, (), known, f"2026-01-{day + 10}")
        for id_, owner in census.learned.items():
            known[id_] = Remembered(id_, "", frozenset(), owner=owner, owner_read=f"2026-01-{day + 10}")
        asked.append([each for each in large.tagged if each not in large.units and each != ROOT])
        never = max(0, 100 - 30 * (day + 1))
        assert census.unread == ((OwnersUnread(never, LATER),) if never else ())
    assert [len(each) for each in asked] == [30] * 4
    assert [each for day in asked for each in day][:100] == [each.id for each in large.accounts]
    assert asked[3][10:] == asked[0][:20]
    assert MOST_ACCOUNTS == 1000  # as documented


@pytest.mark.usefixtures("in_turn")
def test_what_was_not_asked_again_keeps_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "MOST_ACCOUNTS", 1)
    large = Large(Clock(), units=1, each=3)
    before = [Owner("ada", OwnedBy.ACCOUNT), Owner("ops", OwnedBy.CONTACT), Owner("maps", OwnedBy.UNIT)]
    known = {
        each.id: Remembered(each.id, "", frozenset(), owner=owner, owner_read=f"2026-01-0{number + 1}")
        for number, (each, owner) in enumerate(zip(large.accounts, before, strict=True))
    }
    census = registrar(large).census(large.accounts, (), known, "2026-01-15")
    # The first was asked and is nobody's now. Nothing above the last names anybody any more.
    assert [*census.owners.values()] == [NOBODY, before[1], NOBODY]
    assert census.unread == ()


@pytest.mark.usefixtures("in_turn")
def test_a_walk_that_takes_too_long_ends_and_says_so() -> None:
    large = Large(Clock(call=0.5))
    began = large.clock.now
    census = registrar(large).units(large.accounts, ())
    assert WALK_SECONDS <= large.clock.now - began < WALK_SECONDS + 5
    missing = 10_000 - len(census.above)
    assert 0 < missing < 10_000
    assert census.unread == (OwnersUnread(missing, "deadline: the invocation's time ran out"),)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(("left", "asked"), [(LAST_SECONDS + 10, 88), (LAST_SECONDS, 0)])
def test_owners_are_what_planning_goes_without_when_its_own_time_is_short(left: float, asked: int) -> None:
    clock = Clock()
    large = Large(clock, units=1, each=200)
    large.tags = {each.id: "ada" for each in large.accounts}
    end = clock.now + left
    census = registrar(large, seconds_left=lambda: end - clock.now).census(
        large.accounts, (), {}, "2026-01-15"
    )
    assert large.asked["list_tags_for_resource"] == pytest.approx(asked, abs=1)
    assert sum(each.accounts for each in census.unread) == 200 - len(census.learned)
    assert bool(census.above) is bool(asked)


@pytest.mark.usefixtures("in_turn")
def test_who_was_read_before_and_did_not_get_a_turn_is_not_unread() -> None:
    large = Large(Clock(), units=1, each=200)
    end = large.clock.now + LAST_SECONDS + 10
    known = {
        each.id: Remembered(each.id, "", frozenset(), owner_read="2026-01-14") for each in large.accounts
    }
    made = registrar(large, seconds_left=lambda: end - large.clock.now)
    census = made.census(large.accounts, (), known, "2026-01-15")
    assert 0 < len(census.learned) < 200
    assert census.unread == ()


def test_causes_are_few_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "CAUSES", 1)
    files = [
        ownership._File(Account(f"{number:012}", ""), NOBODY, "", "", why)
        for number, why in enumerate(["a", "b", "b", "c", ""])
    ]
    assert ownership._unread(files, {}) == (OwnersUnread(2, "b"), OwnersUnread(2, "other causes"))


@pytest.mark.usefixtures("in_turn")
def test_a_polite_hub_asks_slower() -> None:
    clock = Clock()
    large = Large(clock, units=1, each=30)
    large.tags = {each.id: "ada" for each in large.accounts}
    registrar(large, polite=8.0).census(large.accounts, (), {}, "2026-01-15")
    assert clock.now - 1000.0 == pytest.approx(31)


@pytest.mark.usefixtures("in_turn")
def test_nobody_waits_for_a_turn_that_comes_too_late() -> None:
    large = Large(Clock(), units=1, each=30)
    registrar(large, polite=100.0).census(large.accounts, (), {}, "2026-01-15")
    assert large.clock.now - 1000.0 <= SECONDS
