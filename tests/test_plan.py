"""From a scope and a request to targets: which regions accounts use, what is off, what is asked."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orgscan import catalog, session
from orgscan.membership import Remembered
from orgscan.model import GLOBAL, Category, Standing, Target
from orgscan.organization import Account, CannotPlan
from orgscan.plan import Plan, scan_id
from orgscan.plans import GROUP, PlanStore
from orgscan.request import InvalidScanRequest
from orgscan.session import Clients
from orgscan.settings import NotifySettings, Scope
from tests.planning import (
    ALWAYS,
    EU,
    EXECUTION,
    OFF,
    ON,
    ONCE,
    REGIONAL,
    STARTED,
    STATIC,
    Answers,
    account,
    page,
    places,
    plan,
    planner,
    regions,
    store,
)
from tests.twins import S3Twin, TableTwin, refusal

DENIED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}}, "AssumeRole"
)
REFUSED = (
    b"<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
    b"<Message>not authorized to perform: ec2:DescribeRegions</Message></Error></Errors></Response>"
)


KEY_GONE = "User: arn:aws:sts::111111111111:assumed-role/p is not authorized to perform: kms:Decrypt"


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


def test_what_is_well_formed_and_not_there_is_named_at_once(home: Clients) -> None:
    with pytest.raises(InvalidScanRequest) as refused:
        plan(
            planner(home, replace(STATIC, regions=("eu-*",))),
            accounts=["000000000000"],
            regions=["eu-west-1", "mars-1", "us-east-1", "us-*", "moon-*"],
            checks=["no-such-check"],
        )
    assert str(refused.value).split("; ") == [
        'accounts[0]: "000000000000" must be an account in the configured scope',
        "regions[1]: \"mars-1\" must be a region of this partition, a glob such as 'eu-*', or 'global'",
        'regions[2]: "us-east-1" must be within the configured scope',
        'regions[3]: "us-*" must be within the configured scope',
        "regions[4]: \"moon-*\" must be a region of this partition, a glob such as 'eu-*', or 'global'",
        'checks[0]: "no-such-check" must be the id of a check that is switched on',
    ]


def test_a_refused_request_touches_no_account(home: Clients) -> None:
    def nobody(account: str) -> Clients:
        raise AssertionError(account)

    for request in (
        {"regions": ["mars-1"]},
        {"checks": [REGIONAL], "categories": ["tagging"]},
        {"ous": ["r-ab12"]},
    ):
        with pytest.raises(InvalidScanRequest):
            plan(planner(home, STATIC, nobody), **request)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (
            {"ous": ["r-ab12"]},
            "input: ous and account_tags need accounts.organization in orgscan.yaml",
        ),
        (
            {"checks": [REGIONAL], "categories": ["tagging"]},
            f'input: no check is left to scan with {{"checks": ["{REGIONAL}"], "categories": ["tagging"]}}',
        ),
        (
            {"checks": [ONCE], "regions": ["*"]},
            f'input: no account and region is left to scan with {{"checks": ["{ONCE}"], "regions": ["*"]}}',
        ),
    ],
)
def test_a_request_that_leaves_nothing_is_refused(
    home: Clients, request_: Mapping[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidScanRequest) as refused:
        plan(planner(home, STATIC), **request_)
    assert str(refused.value) == problem


def test_a_check_that_is_off_is_not_planned_and_cannot_be_asked_for(home: Clients) -> None:
    made = planner(home, STATIC, off=(REGIONAL,))
    assert REGIONAL not in plan(made)[0].checks
    with pytest.raises(
        InvalidScanRequest, match=rf'"{REGIONAL}" must be the id of a check that is switched on'
    ):
        plan(made, checks=[REGIONAL])


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (("enabled",), ["af-south-1", "eu-west-1", "us-east-1"]),
        (("eu-*",), ["eu-west-1"]),
        (("eu-*", "us-*"), ["eu-west-1", "us-east-1"]),
        (("*-1",), ["af-south-1", "eu-west-1", "us-east-1"]),
        (("eu-west-1", "ap-east-1"), ["ap-east-1 off", "eu-west-1"]),
        (("ap-*", "us-east-1"), ["us-east-1"]),
    ],
)
def test_regions_are_those_the_account_enabled_and_those_named(
    home: Clients, patterns: tuple[str, ...], found: list[str]
) -> None:
    answer = regions(us_east_1=ALWAYS, eu_west_1=ALWAYS, af_south_1=ON, ap_east_1=OFF)
    Answers([answer] * 2).serve(home.get("ec2"), "DescribeRegions")
    only = replace(STATIC, accounts=("111111111111",), regions=patterns)
    _, targets = plan(planner(home, only), checks=[REGIONAL])
    assert [f"{each.region}{' off' * each.region_off}" for each in targets] == found


def test_a_region_named_by_a_request_is_reported_where_it_is_off(home: Clients) -> None:
    answer = regions(us_east_1=ALWAYS, ap_east_1=OFF)
    Answers([answer] * 3).serve(home.get("ec2"), "DescribeRegions")
    _, targets = plan(planner(home, replace(STATIC, regions=("enabled",))), regions=["ap-east-1"])
    assert [(each.region, each.region_off) for each in targets] == [("ap-east-1", True)] * 2


def test_an_account_that_cannot_be_entered_gets_the_default_regions_and_none_is_off(home: Clients) -> None:
    def enter(account: str) -> Clients:
        if account == "222222222222":
            raise DENIED
        return home

    told = regions(us_east_1=ALWAYS, af_south_1=ON, ap_east_1=OFF)
    Answers([told] * 2).serve(home.get("ec2"), "DescribeRegions")
    scope = replace(STATIC, regions=("enabled", "ap-east-1"))
    _, targets = plan(planner(home, scope, enter), checks=[REGIONAL])
    assert [(each.account[0], each.region, each.region_off) for each in targets] == [
        ("1", "af-south-1", False),
        ("1", "ap-east-1", True),
        ("2", "ap-east-1", False),
        ("1", "us-east-1", False),
        ("2", "us-east-1", False),
    ]


def test_targets_come_region_by_region_and_what_an_account_has_once_comes_first(home: Clients) -> None:
    """So that a worker can use its clients for the next one."""
    told = regions(us_east_1=ALWAYS, af_south_1=ON)
    Answers([told] * 3).serve(home.get("ec2"), "DescribeRegions")
    _, targets = plan(planner(home, replace(STATIC, regions=("enabled",))))
    assert places(targets) == [
        f"{account} {region}" for region in ("global", "af-south-1", "us-east-1") for account in (1, 2)
    ]


def test_a_region_in_the_configuration_that_does_not_exist_is_named(home: Clients) -> None:
    with pytest.raises(CannotPlan, match=r"^regions in orgscan.yaml: no such region: eu-west-9$"):
        plan(planner(home, replace(STATIC, regions=("eu-west-1", "eu-west-9", "moon-*"))))


def test_a_hub_that_cannot_list_regions_is_explained(home: Clients) -> None:
    Answers([(403, REFUSED)]).serve(home.get("ec2"), "DescribeRegions")
    with pytest.raises(CannotPlan, match=r"^regions cannot be listed \(denied: ec2:DescribeRegions\)$"):
        plan(planner(home, STATIC))


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ["1 global", "2 global", "1 eu-west-1", "2 eu-west-1"]),
        ({"regions": ["eu-west-1"]}, ["1 eu-west-1", "2 eu-west-1"]),
        ({"regions": ["eu-*", "global"]}, ["1 global", "2 global", "1 eu-west-1", "2 eu-west-1"]),
        ({"regions": ["*"]}, ["1 eu-west-1", "2 eu-west-1"]),
        ({"regions": ["global"]}, ["1 global", "2 global"]),
        ({"checks": [ONCE]}, ["1 global", "2 global"]),
        ({"checks": [REGIONAL]}, ["1 eu-west-1", "2 eu-west-1"]),
        ({"checks": [ONCE, REGIONAL], "accounts": ["222222222222"]}, ["2 global", "2 eu-west-1"]),
        ({"categories": ["reliability"]}, ["1 eu-west-1", "2 eu-west-1"]),
    ],
)
def test_what_has_no_region_is_looked_at_once_per_account(
    home: Clients, request_: Mapping[str, Any], found: list[str]
) -> None:
    made, targets = plan(planner(home, STATIC), **request_)
    assert places(targets) == found
    assert made.planned == len(found)


def test_global_is_planned_once_however_many_regions(home: Clients) -> None:
    _, targets = plan(planner(home, replace(STATIC, regions=("enabled", "eu-*", "eu-west-1"))))
    assert [each.region for each in targets].count(GLOBAL) == 2
    assert len(set(targets)) == len(targets) > 30


def test_the_plan_says_what_was_asked(home: Clients) -> None:
    made, _ = plan(
        planner(home, STATIC, schedules=("nightly",)),
        schedule="nightly",
        notify=False,
        categories=["tagging"],
    )
    assert made == Plan(
        scan="20260115T060000123Z-8f14e45f",
        started="2026-01-15T06:00:00+00:00",
        schedule="nightly",
        notify=False,
        partition="aws",
        checks=tuple(each.id for each in catalog.everything().checks if each.category is Category.TAGGING),
        skipped=(),
        accounts=2,
        planned=len(plan(planner(home, STATIC), categories=["tagging"])[1]),
        retiring=(Category.TAGGING,),
        members=STATIC.accounts,
    )


class Members:
    """An organization whose members come and go, planned scan by scan over one table."""

    def __init__(self, home: Clients) -> None:
        self.home = home
        self.table = TableTwin()
        self.store = store(self.table)
        self.answers = Answers().serve(home.get("organizations"), "ListAccounts")

    def plan(
        self, *numbers: int, scope: Scope = EU, suspended: tuple[int, ...] = (), **request: Any
    ) -> dict[str, Standing]:
        """Who is planned, 'account region' -> standing, when these are the members."""
        told = [account(number, State="ACTIVE") for number in numbers]
        told += [account(number, State="SUSPENDED") for number in suspended]
        self.answers.append(page(Accounts=told))
        made, targets = plan(planner(self.home, scope, table=self.table), **request)
        assert (made.planned, made.absent) == (
            sum(each.standing is Standing.DUE for each in targets),
            sum(each.standing is not Standing.DUE for each in targets),
        )
        return {f"{int(each.account)} {each.region}": each.standing for each in targets}


SCAN = scan_id(STARTED, EXECUTION)
DUE, LEFT, OUT = Standing.DUE, Standing.LEFT, Standing.OUT_OF_SCOPE


def test_an_account_that_left_is_planned_until_nothing_of_it_is_left(home: Clients) -> None:
    members = Members(home)
    assert members.plan(1, 2) == dict.fromkeys(["1 global", "2 global", "1 eu-west-1", "2 eu-west-1"], DUE)
    left = {"1 global": DUE, "1 eu-west-1": DUE, "2 global": LEFT, "2 eu-west-1": LEFT}
    assert members.plan(1) == left
    assert members.plan(1) == left
    members.store.forget(Target(f"{2:012}", "eu-west-1"), SCAN)
    assert members.plan(1) == {"1 global": DUE, "1 eu-west-1": DUE, "2 global": LEFT}
    assert members.plan(1, 2)["2 eu-west-1"] is DUE  # it came back


def test_what_is_no_longer_in_scope_is_told_apart_from_who_left(home: Clients) -> None:
    members = Members(home)
    members.plan(1, 2)
    narrower = Scope(regions=("eu-west-1",), exclude_accounts=(f"{2:012}",))
    assert members.plan(1, 2, scope=narrower)["2 eu-west-1"] is OUT
    assert members.plan(1, 2, scope=Scope(regions=("us-east-1",)))["1 eu-west-1"] is OUT


def test_a_suspended_account_has_not_left(home: Clients) -> None:
    members = Members(home)
    members.plan(1, 2)
    told = members.plan(1, suspended=(2,))
    assert (told["2 global"], told["2 eu-west-1"]) == (OUT, OUT)


@pytest.mark.parametrize(
    "request_", [{"accounts": [f"{1:012}"]}, {"regions": ["eu-west-1"]}, {"account_tags": {"stage": "prod"}}]
)
def test_a_scan_of_some_accounts_or_regions_says_nothing_of_the_others(
    home: Clients, request_: dict[str, Any]
) -> None:
    members = Members(home)
    members.plan(1, 2)
    tags = [page(Tags=[{"Key": "stage", "Value": "prod"}])]
    Answers(tags).serve(home.get("organizations"), "ListTagsForResource")
    assert set(members.plan(1, **request_).values()) == {DUE}


def test_a_scan_of_some_checks_ends_nothing_where_it_has_nothing_to_ask(home: Clients) -> None:
    members = Members(home)
    members.plan(1, 2)
    assert members.plan(1, checks=[ONCE]) == {"1 global": DUE, "2 global": LEFT, "2 eu-west-1": LEFT}


def test_without_an_organization_nobody_leaves(home: Clients) -> None:
    table = TableTwin()
    plan(planner(home, STATIC, table=table))
    fewer = replace(STATIC, accounts=STATIC.accounts[:1])
    _, targets = plan(planner(home, fewer, table=table))
    assert {each.standing for each in targets} == {DUE, OUT}


def test_where_an_account_that_does_not_answer_was_scanned_before_is_still_due(home: Clients) -> None:
    def closed(_: str) -> Clients:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")

    table = TableTwin()
    first = Remembered("111111111111", "", frozenset({"eu-west-1", "me-south-1"}))
    store(table).remember(first)
    one = Scope(organization=False, accounts=("111111111111",))
    _, targets = plan(planner(home, one, closed, table=table))
    assert {each.region for each in targets if each.standing is DUE} >= {"me-south-1", "eu-west-1"}


def test_planning_an_unchanged_organization_again_writes_nothing(home: Clients) -> None:
    members = Members(home)
    members.plan(1, 2)
    before = members.table.snapshot()
    members.plan(1, 2)
    assert members.table.snapshot() == before


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2099, 1, 1)), st.integers(1, 10**10))  # noqa: DTZ001
def test_scan_ids_sort_by_start(started: datetime, later: int) -> None:
    first, second = started.replace(tzinfo=UTC), started.replace(tzinfo=UTC) + timedelta(milliseconds=later)
    assert scan_id(first, "ffffffff") < scan_id(second, "00000000")
    assert scan_id(first, EXECUTION) == scan_id(first, EXECUTION)
    assert scan_id(first, "aaaaaaaa") != scan_id(first, "bbbbbbbb")


def test_a_plan_survives_the_bucket(home: Clients) -> None:
    told = [account(1, State="ACTIVE"), account(2, State="SUSPENDED")]
    Answers([page(Accounts=told)]).serve(home.get("organizations"), "ListAccounts")
    s3 = home.get("s3")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    plans = PlanStore(s3, "plans")
    made, targets = plan(planner(home, Scope(regions=("eu-west-1",))))
    off = replace(
        targets[0], region="ap-east-1", region_off=True, payer=False, unscanned=("eu-west-3", "us-east-1")
    )
    unsaid = replace(targets[0], region="global", unscanned=None)
    targets = [*targets, unsaid]
    key = plans.put(made, [*targets, off])
    assert plans.get(made.scan) == made
    assert made.skipped == (Account(f"{2:012}", "account-2", "SUSPENDED"),)
    back = list(plans.targets(made))
    assert back == [*targets, off]
    # Two targets are equal when they are the same place, whatever else is known of it.
    assert [asdict(each) for each in back] == [asdict(each) for each in [*targets, off]]
    assert key == f"work/{made.scan}/groups.json"
    told = json.load(s3.get_object(Bucket="plans", Key=f"scans/{made.scan}/targets.json")["Body"])
    assert json.load(s3.get_object(Bucket="plans", Key=key)["Body"]) == [{"targets": told}]
    assert told[-1] == {
        "account": off.account,
        "region": "ap-east-1",
        "name": off.account_name,
        "off": True,
        "standing": "due",
        "payer": False,
        "unscanned": ["eu-west-3", "us-east-1"],
    }


def test_a_plan_keeps_whether_it_is_a_digest_and_older_ones_are_none(home: Clients) -> None:
    s3 = home.get("s3")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    plans = PlanStore(s3, "plans")
    made, targets = plan(planner(home, STATIC), digest=True)
    plans.put(made, targets)
    assert plans.get(made.scan).digest
    key = f"scans/{made.scan}/plan.json"
    told = json.load(s3.get_object(Bucket="plans", Key=key)["Body"])
    del told["digest"]
    s3.put_object(Bucket="plans", Key=key, Body=json.dumps(told).encode())
    assert plans.get(made.scan) == replace(made, digest=False)


def test_a_list_of_targets_is_one_of_json_whatever_names_are_in_it(home: Clients) -> None:
    """And one that an earlier version wrote, in a single line, is read as well."""
    s3 = home.get("s3")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    plans = PlanStore(s3, "plans")
    made, _ = plan(planner(home, STATIC))
    hostile = ("},{", "]", "[\n", ",\r\n", "\u2028", '"]}')
    targets = [Target(f"{number:012}", "eu-west-1", account_name=name) for number, name in enumerate(hostile)]
    plans.put(made, iter(targets))
    key = f"scans/{made.scan}/targets.json"
    body = s3.get_object(Bucket="plans", Key=key)["Body"].read()
    told = json.loads(body)
    assert [each["name"] for each in told] == list(hostile)
    assert len(body.splitlines()) == len(targets) + 2
    for separators in ((",", ":"), (", ", ": ")):
        s3.put_object(Bucket="plans", Key=key, Body=json.dumps(told, separators=separators).encode())
        assert [each.account_name for each in plans.targets(made)] == list(hostile)


@pytest.mark.parametrize("size", [1, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 2 * GROUP + 1])
def test_every_target_is_in_one_group_and_no_group_is_larger_than_five_minutes_allow(
    home: Clients, size: int
) -> None:
    s3 = home.get("s3")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    plans = PlanStore(s3, "plans")
    made, _ = plan(planner(home, STATIC))
    targets = [Target(f"{number:012}", "eu-west-1", account_name='"]},{') for number in range(size)]
    groups = json.load(s3.get_object(Bucket="plans", Key=plans.put(made, iter(targets)))["Body"])
    assert [each for group in groups for each in group["targets"]] == json.load(
        s3.get_object(Bucket="plans", Key=f"scans/{made.scan}/targets.json")["Body"]
    )
    assert [len(group["targets"]) for group in groups[:-1]] == [GROUP] * (len(groups) - 1)
    assert 0 < len(groups[-1]["targets"]) <= GROUP
    assert list(plans.targets(made)) == targets


def test_what_is_left_for_the_second_round_is_listed_like_targets(home: Clients) -> None:
    s3 = home.get("s3")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    plans = PlanStore(s3, "plans")
    made, targets = plan(planner(home, Scope(organization=False, accounts=("1" * 12,), regions=("eu-*",))))
    assert len(targets) > 2
    plans.put(made, targets)
    key, count = plans.put_left(made, iter(targets[1:]))
    assert (key, count) == (f"work/{made.scan}/left.json", len(targets) - 1)
    told = json.load(s3.get_object(Bucket="plans", Key=f"scans/{made.scan}/targets.json")["Body"])
    assert json.load(s3.get_object(Bucket="plans", Key=key)["Body"]) == told[1:]
    assert plans.put_left(made, iter(())) == ("", 0)


def test_who_pays_is_the_account_that_manages_the_organization(home: Clients) -> None:
    arn = "arn:aws:organizations::{management}:account/o-abcdefghij/{account}"
    told = [
        account(number, State="ACTIVE", Arn=arn.format(management=f"{1:012}", account=f"{number:012}"))
        for number in (1, 2)
    ]
    Answers([page(Accounts=told)]).serve(home.get("organizations"), "ListAccounts")
    made, targets = plan(planner(home, EU))
    assert {(int(each.account), each.payer) for each in targets} == {(1, True), (2, False)}
    assert made.members == (f"{1:012}", f"{2:012}")


def test_without_an_organization_everyone_may_be_asked_what_an_organization_has_once(home: Clients) -> None:
    made, targets = plan(planner(home, STATIC))
    assert {each.payer for each in targets} == {True}
    assert made.members == STATIC.accounts


def test_enabled_regions_that_no_scan_looks_at_are_told_once_per_account(home: Clients) -> None:
    own = [regions(eu_west_1=ALWAYS, us_east_1=ALWAYS, me_south_1=ON, ap_east_1=OFF)] * 2
    Answers([regions(eu_west_1=ALWAYS, us_east_1=ALWAYS, me_south_1=OFF, ap_east_1=OFF), *own]).serve(
        home.get("ec2"), "DescribeRegions"
    )
    # A request for a part of the scope does not make the rest of it unwatched.
    scope = replace(STATIC, regions=("eu-*", "us-*"))
    _, targets = plan(planner(home, scope), regions=["global", "eu-west-1"])
    assert {(each.region, each.unscanned) for each in targets} == {
        ("global", ("me-south-1",)),
        ("eu-west-1", ()),
    }


def test_an_account_that_does_not_say_which_regions_are_on_has_no_list_of_those_that_nobody_scans(
    home: Clients,
) -> None:
    """An empty one would close what was found there."""
    told = regions(eu_west_1=ALWAYS, us_east_1=ALWAYS)
    Answers([told, (403, REFUSED), told]).serve(home.get("ec2"), "DescribeRegions")
    _, targets = plan(planner(home, replace(STATIC, regions=("eu-*",))), regions=["global"])
    assert sorted(str(each.unscanned) for each in targets) == ["('us-east-1',)", "None"]


def test_a_setting_that_the_stack_forgot_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = NotifySettings(table="findings", bucket="results", topic="arn:t", name="orgscan")
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    assert NotifySettings.from_environment() == settings
    monkeypatch.delenv("TOPIC")
    with pytest.raises(KeyError, match="TOPIC"):
        NotifySettings.from_environment()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            refusal("ResourceNotFoundException", "Requested resource not found", "GetItem"),
            "fault: GetItem: ResourceNotFoundException: Requested resource not found",
        ),
        (refusal("AccessDeniedException", KEY_GONE, "GetItem"), "denied: kms:Decrypt"),
    ],
)
def test_a_table_that_is_gone_or_locked_ends_the_plan_and_says_what_to_do(
    home: Clients, monkeypatch: pytest.MonkeyPatch, error: ClientError, said: str
) -> None:
    table = TableTwin()

    def get_item(**_: object) -> None:
        raise error

    monkeypatch.setattr(table, "get_item", get_item)
    with pytest.raises(CannotPlan) as told:
        plan(planner(home, STATIC, table=table))
    assert str(told.value) == (
        f"the table of findings cannot be used ({said}). docs/operating.md says how to get it back:"
        " When the hub has lost something."
    )
    assert table.writes == 0


def test_a_bucket_that_is_locked_ends_the_plan_and_says_what_to_do(home: Clients) -> None:
    s3: Any = S3Twin("results")

    def locked(name: str, _: object) -> None:
        raise refusal("AccessDenied", KEY_GONE, name)

    s3.before = locked
    planned, targets = plan(planner(home, STATIC))
    with pytest.raises(CannotPlan, match=r"^the bucket results cannot be used \(denied: kms:Decrypt\)"):
        PlanStore(s3, "results").put(planned, targets)


def test_the_manual_has_the_section_that_plans_name() -> None:
    manual = (Path(__file__).parents[1] / "docs/operating.md").read_text()
    assert "\n## When the hub has lost something\n" in manual
