"""What scans cost: the arithmetic that the estimate and every summary share."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import scan_workflow
from orgscan import cost, plans, prices
from orgscan.cost import CONSTANTS, Scale, Size, expected, lines, standing, usage
from orgscan.figures import OPEN, UNSEEN
from orgscan.meter import Meter, Spent
from tests.stacks import Template, definition

SMALL = Scale(accounts=1, targets=2, inventories=2)
SPENT = Spent(calls=200, invocations=4, gb_seconds=20.0)


def test_one_scan_worked_out_by_hand() -> None:
    used = usage(replace(SMALL, messages=1), replace(SPENT, metrics=100, cost_queries=3, plans_read=2))
    assert (used.invocations, used.transitions, used.groups) == (5, 1 + 6, 1)
    assert (used.s3_puts, used.s3_gets) == (2 + 11 + 2, 2 + 4 + 1)
    # 7 x 0.025/1000; 1/10^6 and 20/80 x 0.06/3600; 20 x 0.0000133334; 3 x 0.01; 100 x 0.01/1000
    told = {line.name: round(line.usd, 7) for line in lines(used)}
    assert told["Step Functions"] == 0.000175
    assert told["Express"] == 0.0000052
    assert told["Lambda, arm64"] == 0.0002667
    assert told["Cost Explorer*"] == 0.03
    assert told["Metrics read*"] == 0.001
    assert used.usd == pytest.approx(sum(line.usd for line in lines(used)))


def test_a_further_invocation_costs_what_it_does() -> None:
    """A child of its own with three states, its checkpoint written and read."""
    one, two = usage(SMALL, SPENT), usage(SMALL, replace(SPENT, invocations=5))
    assert two.transitions - one.transitions == 4
    assert (two.s3_puts - one.s3_puts, two.s3_gets - one.s3_gets) == (1, 1)


def test_events_cost_what_they_are_made_of_and_an_invocation_that_messages_need_too() -> None:
    quiet, events = usage(SMALL, SPENT), usage(replace(SMALL, events=True), SPENT)
    assert (events.invocations - quiet.invocations, events.s3_gets - quiet.s3_gets) == (1, 1 + 3)
    told, both = (usage(replace(SMALL, messages=2, events=events), SPENT) for events in (False, True))
    assert (both.invocations - told.invocations, both.s3_gets - told.s3_gets) == (0, 3)


def test_workers_that_died_make_nothing_cheaper_than_none() -> None:
    used = usage(SMALL, Spent())
    assert (used.transitions, used.s3_puts) == (7, 15)


SPENDINGS = st.builds(
    Spent,
    **{each.name: st.integers(0, 10**6) for each in fields(Spent) if each.name != "gb_seconds"},
    gb_seconds=st.floats(0, 10**6).map(lambda each: round(each, 3)),
)


@given(SPENDINGS, SPENDINGS, SPENDINGS)
def test_spending_adds_up_in_any_order(one: Spent, two: Spent, three: Spent) -> None:
    left, right = one + two + three, one + (three + two)
    assert replace(left, gb_seconds=0.0) == replace(right, gb_seconds=0.0)
    assert left.gb_seconds == pytest.approx(right.gb_seconds, abs=0.01)
    assert one + Spent() == one


def test_a_meter_tells_what_an_invocation_spent() -> None:
    meter = Meter()
    for call in ("ec2:DescribeVolumes", "ec2:DescribeVolumes", "ce:GetCostAndUsage"):
        meter.asked(call)
    meter.refused("ec2:DescribeVolumes")
    meter.measured(7)
    assert meter.spent(2.5, 2048) == Spent(
        calls=3, throttled=1, metrics=7, cost_queries=1, invocations=1, gb_seconds=5.0
    )


SIZES: dict[str, Any] = {
    "accounts": 200,
    "regions": 34,
    "resources": 5000,
    "findings": 600,
    "changes": 20_000,
    "unseen": 500,
    "routes": 30,
    "seconds": 50.0,
    "memory_mib": 4096,
}


@pytest.mark.parametrize("name", SIZES)
def test_more_of_anything_costs_more(name: str) -> None:
    size = Size(accounts=100, regions=17)
    assert expected(replace(size, **{name: SIZES[name]})).usd > expected(size).usd


def test_a_month_is_its_scans_and_what_stands() -> None:
    size = Size(accounts=100, regions=17, schedules=2)
    told = {line.name: line for line in standing(size)}
    assert told["Alarms"].usd == pytest.approx(13 * 0.10)
    assert told["Key"].usd == 1.0
    receipts, findings = 1800 * 30 * 400 / 30.42 * 2500, size.kept * 860
    assert told["Table"].amount == pytest.approx((receipts + findings) / 10**9, rel=0.001)
    without = standing(replace(size, inventory_days=0))
    assert [line.amount for line in without if line.name == "Inventory"] == [0]


def test_resolved_findings_are_read_as_long_as_they_are_kept() -> None:
    size = Size(accounts=10, regions=4)
    assert size.kept == 50 * 6 + 200 / 2 * 30 * 400 / (730 / 24) // 1
    assert replace(size, resolved=7).kept == 307
    assert expected(size).reads > expected(replace(size, resolved=0)).reads + 5000


def test_where_nobody_can_look_nothing_is_asked() -> None:
    size = Size(accounts=10, regions=4)
    blind = expected(replace(size, blind=size.targets, unseen=5000))
    assert (blind.calls, blind.metrics) == (0, 0)
    assert blind.writes > expected(size).writes


def test_every_constant_says_how_it_is_known() -> None:
    assert len({each.name for each in CONSTANTS}) == len(CONSTANTS)
    declared = [each for each in vars(cost).values() if isinstance(each, cost.Constant)]
    assert {*declared} == {*CONSTANTS}
    assert {each.known for each in CONSTANTS} == {cost.RUN, cost.EMPTY, cost.DEFINED, cost.SUPPOSED}


def test_prices_are_of_the_table_that_is_dated() -> None:
    assert prices.listed_when() == "us-east-1 list price of 2026-01"
    with pytest.raises(KeyError):
        prices.listed("states.transition_1001")


# What is deployed


def test_functions_and_workflow_are_of_the_kind_that_is_priced(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    assert all(functions[each]["Architectures"] == ["arm64"] for each in ("Plan", "Scan", "Report", "Notify"))
    states = definition(hub)["States"]
    group, each = (states[name]["ItemProcessor"] for name in ("EachGroup", "EachTarget"))
    assert group["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    assert cost.GROUP.value == plans.GROUP
    # 64 MB for as long as a fifth of the functions, with 1 GB each, take.
    assert cost.EXPRESS.value == 64 / 1024 / max(scan_workflow.AT_ONCE)
    assert each["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    # Of a target in the second round its start, and Scan, AllSeen, Seen; of a further part less.
    assert sorted(each["States"]) == ["AllSeen", "Scan", "Seen"]
    assert cost.STATES_PART.value == len(each["States"]) + 1
    # Plan, EachGroup, Report, AllTold, AnyNews, and one of Notify and NoNews; not EachTarget.
    assert cost.STATES_ELSE.value == len(states) - 2


def test_alarms_and_metrics_are_those_of_the_stack(hub: Template) -> None:
    alarms = hub.all("AWS::CloudWatch::Alarm")
    assert len([name for name in alarms if "NoScan" not in name]) == cost.ALARMS
    of_report = len(OPEN) + len(UNSEEN) + 5
    others, of_workers = 4, 5
    assert of_report + others + 2 * of_workers == cost.METRIC_HOURS


def test_memory_of_what_plans_and_reports_is_that_of_the_stack(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    assert functions["Plan"]["MemorySize"] == cost.PLAN_MIB
    assert functions["Report"]["MemorySize"] == cost.REPORT_MIB
