"""The engine's promise: every planned check has exactly one outcome, and nothing unseen is called clean."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.exceptions import ClientError
from dateutil.tz import tzlocal, tzutc
from hypothesis import given
from hypothesis import strategies as st

from orgscan.catalog import Catalog
from orgscan.check import Check, Problem, Problems, View, check
from orgscan.collector import Bookmark, Collector, Reader, collector
from orgscan.coverage import Look, Resolution
from orgscan.engine import look
from orgscan.errors import OutOfTime
from orgscan.model import (
    GLOBAL,
    Blindness,
    Category,
    Gap,
    Metric,
    Resource,
    Severity,
    Target,
    known,
)
from orgscan.session import Clients, UndeclaredCall
from orgscan.spool import Spool
from tests.scans import finding

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HERE = Target("123456789012", "eu-west-1")


class Nowhere:
    """Clients that nobody asks for anything."""

    def limit(self, _: object) -> None:
        pass

    def close(self) -> None:
        pass


NOWHERE: Any = Nowhere()
DENIED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": "User: u is not authorized to perform: x:ListThings"}},
    "ListThings",
)
LOW: dict[str, Any] = {"severity": Severity.LOW, "category": Category.SECURITY, "fix": "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Resource):
    aws_types = ("AWS::Invented::Thing",)

    color: str | Gap = "red"
    friends: tuple[str, ...] = ()

    @property
    def dimensions(self) -> dict[str, str]:
        return {"ThingId": self.arn}


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Resource):
    owner: str = ""


@check(Thing, **LOW)
def thing_red(thing: Thing) -> Problems:
    """Thing is red."""
    if known(thing.color) == "red":
        yield "it is red"


@check(Thing, also=(Other,), **LOW)
def thing_lonely(thing: Thing, view: View) -> Problems:
    """Thing is lonely."""
    if not view.related(Other, "owner", thing.arn):
        yield "nobody is near"


@check(Thing, **LOW)
def thing_breaks_the_check(_: Thing) -> Problems:
    """A check with a bug."""
    yield "found before the bug"
    raise KeyError("bug")


@check(Other, **LOW)
def other_exists(_: Other) -> Problems:
    """Other exists."""
    yield Problem("there", severity=Severity.HIGH, key="a")
    yield Problem("and there", key="b")
    yield Problem("twice", severity=Severity.CRITICAL, key="b")


CHECKS = (thing_red, thing_lonely, thing_breaks_the_check, other_exists)


def sees(kind: type[Resource], *resources: Resource, then: Exception | None = None) -> Collector[Any]:
    """A collector that yields these and then, perhaps, raises."""

    @collector(kind, calls=())
    def things(_: Reader) -> Iterator[Resource]:
        yield from resources
        if then:
            raise then

    return things


def scan(*collectors: Collector[Any], checks: tuple[Check[Any], ...] = CHECKS, **how: Any) -> Look:
    kinds = {each.resource for each in collectors}
    blanks = [sees(kind) for kind in (Thing, Other) if kind not in kinds]
    catalog = Catalog(checks, (*collectors, *blanks))
    seen = look(how.pop("target", HERE), how.pop("enter", lambda: NOWHERE), catalog, now=NOW, **how)
    assert seen
    return replace(seen, findings=tuple(seen.findings))


def closes(seen: Look, check: str, resource: str) -> Resolution | None:
    return seen.coverage.closes(finding(resource, check))


def reasons(seen: Look) -> dict[str, Blindness]:
    return {check: gap.reason for check, gap in seen.coverage.gaps.items()}


def test_a_failing_check_is_a_finding() -> None:
    seen = scan(sees(Thing, Thing(arn="t1")), checks=(thing_red,))
    assert [(f.check, f.resource, f.problems) for f in seen.findings] == [("thing-red", "t1", ("it is red",))]
    assert seen.coverage.evaluated == {"thing-red"}


def test_problems_of_one_part_are_one_finding_as_bad_as_the_worst() -> None:
    seen = scan(sees(Other, Other(arn="o1")), checks=(other_exists,))
    assert [(f.key, f.severity, f.problems) for f in seen.findings] == [
        ("a", Severity.HIGH, ("there",)),
        ("b", Severity.CRITICAL, ("and there", "twice")),
    ]


def test_what_was_seen_before_a_failure_is_judged_but_vouches_for_nothing() -> None:
    seen = scan(sees(Thing, Thing(arn="t1"), then=DENIED), checks=(thing_red,))
    assert [finding.resource for finding in seen.findings] == ["t1"]
    assert seen.coverage.gaps["thing-red"].reason is Blindness.DENIED
    assert seen.coverage.gaps["thing-red"].detail == "x:ListThings"
    assert closes(seen, "thing-red", "gone") is None


def test_a_fact_that_was_not_read_is_a_gap_of_that_resource_alone() -> None:
    lost = Gap("color", Blindness.THROTTLED, "slow down")
    seen = scan(sees(Thing, Thing(arn="t1", color=lost), Thing(arn="t2", color="blue")), checks=(thing_red,))
    assert seen.findings == ()
    assert seen.coverage.gaps["thing-red"].reason is Blindness.THROTTLED
    assert seen.coverage.gaps["thing-red"].detail == "1 of 2 resources: slow down"
    assert closes(seen, "thing-red", "t1") is None
    assert closes(seen, "thing-red", "t2") == "fixed"
    assert closes(seen, "thing-red", "t3") == "resource-deleted"


def test_a_check_that_raises_costs_its_own_outcome_and_keeps_what_it_found() -> None:
    seen = scan(sees(Thing, Thing(arn="t1")), checks=(thing_breaks_the_check, thing_red))
    assert {f.check for f in seen.findings} == {"thing-breaks-the-check", "thing-red"}
    assert reasons(seen) == {"thing-breaks-the-check": Blindness.FAULT}


def test_a_check_that_looks_at_a_kind_that_was_not_seen_cannot_vouch() -> None:
    seen = scan(sees(Thing, Thing(arn="t1")), sees(Other, then=DENIED), checks=(thing_lonely, thing_red))
    assert reasons(seen) == {"thing-lonely": Blindness.DENIED}
    assert [f.check for f in seen.findings] == ["thing-red"]


def test_related_resources_are_found_by_attribute() -> None:
    world = (sees(Thing, Thing(arn="t1"), Thing(arn="t2")), sees(Other, Other(arn="o", owner="t1")))
    assert [f.resource for f in scan(*world, checks=(thing_lonely,)).findings] == ["t2"]


def test_a_check_may_not_look_at_what_it_did_not_declare() -> None:
    @check(Thing, **LOW)
    def nosy(_: Thing, view: View) -> Problems:
        """Looks without asking."""
        yield str(view.every(Other))

    seen = scan(sees(Thing, Thing(arn="t1")), sees(Other, Other(arn="o")), checks=(nosy, thing_lonely))
    assert "nosy looks at Other" in seen.coverage.gaps["nosy"].detail


def test_a_target_that_cannot_be_entered_is_blind_for_one_reason() -> None:
    def closed() -> Clients:
        raise DENIED

    seen = scan(enter=closed)
    assert seen.findings == ()
    assert set(reasons(seen)) == {each.id for each in CHECKS}
    assert set(reasons(seen).values()) == {Blindness.DENIED}


def test_a_region_that_is_off_is_not_called_at_all() -> None:
    def never() -> Clients:
        raise AssertionError("entered a region that is off")

    off = Target("123456789012", "me-south-1", region_off=True)
    assert set(reasons(scan(target=off, enter=never)).values()) == {Blindness.REGION_OFF}


def test_a_region_that_a_policy_closes_is_one_gap_and_not_one_for_every_call() -> None:
    def forbidden(action: str) -> ClientError:
        said = f"not authorized to perform: {action} with an explicit deny in a service control policy"
        return ClientError({"Error": {"Code": "AccessDeniedException", "Message": said}}, "List")

    closed = scan(sees(Thing, then=forbidden("x:ListThings")), sees(Other, then=forbidden("x:ListOthers")))
    assert {(gap.reason, gap.detail) for gap in closed.coverage.gaps.values()} == {
        (Blindness.DENIED_BY_SCP, "every call in eu-west-1, such as x:ListOthers")
    }
    ajar = scan(sees(Thing, Thing(arn="t1")), sees(Other, then=forbidden("x:ListOthers")))
    assert ajar.coverage.gaps["other-exists"].detail == "x:ListOthers"
    assert "thing-red" in ajar.coverage.evaluated


def test_what_was_not_started_in_time_is_a_gap() -> None:
    seen = scan(sees(Thing, Thing(arn="t1")), checks=(thing_red,), seconds_left=lambda: 30.0)
    assert reasons(seen) == {"thing-red": Blindness.DEADLINE}


def test_time_running_out_in_the_middle_keeps_what_was_seen() -> None:
    left = [100.0]

    @collector(Thing, calls=())
    def things(_: Reader) -> Iterator[Thing]:
        yield Thing(arn="t1")
        left[0] = 50.0
        yield Thing(arn="t2")
        raise AssertionError("went on")

    seen = scan(things, checks=(thing_red,), seconds_left=lambda: left[0])
    assert [f.resource for f in seen.findings] == ["t1", "t2"]
    assert reasons(seen) == {"thing-red": Blindness.DEADLINE}


def test_global_and_regional_targets_answer_for_different_checks() -> None:
    @collector(Other, calls=(), once=True)
    def others(_: Reader) -> Iterator[Other]:
        yield Other(arn="o1")

    world = (sees(Thing, Thing(arn="t1")), others)
    catalog = Catalog(CHECKS, world)
    regional = look(HERE, lambda: NOWHERE, catalog, now=NOW)
    account = look(Target(HERE.account, GLOBAL), lambda: NOWHERE, catalog, now=NOW)
    assert regional
    assert account
    assert account.coverage.planned == {"other-exists"}
    assert regional.coverage.planned == {each.id for each in CHECKS} - {"other-exists"}
    assert (
        "thing-lonely" in regional.coverage.evaluated
    )  # a global kind is read where a regional check needs it


def test_thresholds_can_be_set() -> None:
    @check(Thing, **LOW)
    def thing_short(thing: Thing, *, letters: int = 1) -> Problems:
        """Its name is short."""
        if len(thing.arn) < letters:
            yield f"shorter than {letters}"

    things = sees(Thing, Thing(arn="t1"))
    assert scan(things, checks=(thing_short,)).findings == ()
    strict = scan(things, checks=(thing_short,), parameters={"thing-short": {"letters": 9}})
    assert [f.problems for f in strict.findings] == [("shorter than 9",)]


def test_metrics_of_all_checks_are_asked_for_together(aws: boto3.Session) -> None:
    calm = Metric("Things", "Calm", "Average", 3600)
    loud = Metric("Things", "Loud", "Sum", 86400)
    measured = [
        {
            "MetricName": "Calm",
            "Dimensions": [{"Name": "ThingId", "Value": "t1"}],
            "Timestamp": datetime(2026, 1, 15, hour, 30, tzinfo=UTC),
            "Value": float(hour),
        }
        for hour in (9, 10)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace="Things", MetricData=measured)

    @check(Thing, measures=(calm, loud), **LOW)
    def thing_measured(thing: Thing, view: View) -> Problems:
        """Says what was measured."""
        hours, days = view.measure(thing, days=2)
        yield f"{hours.values} of {hours.expected}, {days.values} of {days.expected}"

    @check(Thing, measures=(calm,), **LOW)
    def thing_calm(thing: Thing, view: View) -> Problems:
        """Asks for the same."""
        (hours,) = view.measure(thing, days=2)
        yield f"{hours.average}"

    calls: list[object] = []
    aws.events.register("provide-client-params.cloudwatch.GetMetricData", lambda **_: calls.append(1))
    seen = scan(
        sees(Thing, Thing(arn="t1")),
        checks=(thing_measured, thing_calm),
        enter=lambda: Clients(aws, guarded=True),
    )
    assert sorted(f.problems for f in seen.findings) == [("(10.0, 9.0) of 48, () of 2",), ("9.5",)]
    assert len(calls) == 2  # one per window alignment, hours and days


def test_a_check_may_measure_others_once_it_knows_the_first(aws: boto3.Session) -> None:
    """What it asks for later does not take away what it was told before."""
    loud = Metric("Things", "Loud", "Sum", 86400)
    measured = [
        {
            "MetricName": "Loud",
            "Dimensions": [{"Name": "ThingId", "Value": thing}],
            "Timestamp": datetime(2026, 1, 14, 9, tzinfo=UTC),
            "Value": value,
        }
        for thing, value in (("t1", 1.0), ("t2", 2.0), ("t3", 3.0))
    ]
    aws.client("cloudwatch").put_metric_data(Namespace="Things", MetricData=measured)

    @check(Thing, measures=(loud,), **LOW)
    def thing_loud(thing: Thing, view: View) -> Problems:
        """Asks about others, which nobody listed, in two steps."""
        (own,) = view.measure(thing, days=2)
        if own.values:
            (second,), (third,) = view.measure_all([Thing(arn="t2"), Thing(arn="t3")], days=2)
            (again,) = view.measure(thing, days=2)
            yield f"{own.values} {second.values} {third.values} {again == own}"

    asked: list[list[str]] = []
    aws.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.append(_things(params))
    )
    seen = scan(sees(Thing, Thing(arn="t1")), checks=(thing_loud,), enter=lambda: Clients(aws, guarded=True))
    assert [f.problems for f in seen.findings] == [("(1.0,) (2.0,) (3.0,) True",)]
    assert asked == [["t1"], ["t2", "t3"]]  # each is billed


def _things(params: dict[str, Any]) -> list[str]:
    metrics = [each["MetricStat"]["Metric"] for each in params["MetricDataQueries"]]
    return [each["Dimensions"][0]["Value"] for each in metrics]


def test_only_the_named_metrics_are_asked_for(aws: boto3.Session) -> None:
    calm, loud = (Metric("Things", name, "Sum", 86400) for name in ("Calm", "Loud"))

    @check(Thing, measures=(calm, loud), **LOW)
    def thing_loud_alone(thing: Thing, view: View) -> Problems:
        """The other one would be billed too."""
        (own,) = view.measure(thing, loud, days=2)
        yield f"{own.values}"

    asked: list[str] = []
    aws.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.extend(
            each["MetricStat"]["Metric"]["MetricName"] for each in params["MetricDataQueries"]
        ),
    )
    seen = scan(
        sees(Thing, Thing(arn="t1")), checks=(thing_loud_alone,), enter=lambda: Clients(aws, guarded=True)
    )
    assert [f.problems for f in seen.findings] == [("()",)]
    assert asked == ["Loud"]


def test_a_metric_must_be_declared(aws: boto3.Session) -> None:
    calm, loud = (Metric("Things", name, "Sum", 86400) for name in ("Calm", "Loud"))

    @check(Thing, measures=(calm,), **LOW)
    def thing_undeclared(thing: Thing, view: View) -> Problems:
        """What is not declared is not in the docs, and not in the permissions."""
        view.measure(thing, loud, days=2)
        yield "unreachable"

    seen = scan(
        sees(Thing, Thing(arn="t1")), checks=(thing_undeclared,), enter=lambda: Clients(aws, guarded=True)
    )
    (gap,) = seen.coverage.gaps.values()
    assert "measures Loud" in str(gap)


outcomes = st.sampled_from([None, DENIED, KeyError("garbage"), TimeoutError("hangs")])


@given(things=st.lists(st.sampled_from(["red", "blue", "lost"]), max_size=5), first=outcomes, second=outcomes)
def test_every_planned_check_has_exactly_one_outcome(
    things: list[str], first: Exception | None, second: Exception | None
) -> None:
    lost = Gap("color", Blindness.DENIED, "x:GetColor")
    resources = [
        Thing(arn=f"t{number}", color=lost if color == "lost" else color)
        for number, color in enumerate(things)
    ]
    seen = scan(sees(Thing, *resources, then=first), sees(Other, then=second))
    coverage = seen.coverage
    assert coverage.planned == {each.id for each in CHECKS}
    assert coverage.evaluated | coverage.gaps.keys() == coverage.planned
    assert not coverage.evaluated & coverage.gaps.keys()
    for planned in coverage.planned:  # nothing that was not judged may be closed
        for resource in resources:
            if closes(seen, planned, resource.arn) == "fixed":
                assert planned != "thing-red" or not isinstance(resource.color, Gap)


COLORS = [
    {"Arn": "t1", "Color": "red"},
    {"Arn": "t2", "Size": "hunter2"},
    {"Arn": "t3", "Color": "blue"},
    {"Arn": "gone"},
    {"Arn": "t4", "Color": "red"},
    {},
]


def shape(item: Mapping[str, str]) -> Thing | None:
    """One without a color makes no sense, and Python's words for that quote a value."""
    if item["Arn"] == "gone":
        return None
    return Thing(arn=item["Arn"], color=item["Color"] if "Color" in item else str(int(item["Size"])))


@pytest.mark.parametrize(("how", "where"), [(Reader.shaped, "collector"), (Reader.each, "pools")])
def test_one_that_makes_no_sense_costs_itself_and_no_other(how: Any, where: str) -> None:
    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        yield from how(aws, shape, COLORS)

    seen = scan(things, sees(Other, Other(arn="o")), checks=CHECKS)
    assert [f.resource for f in seen.findings if f.check == "thing-red"] == ["t1", "t4"]
    lost = seen.coverage.gaps["thing-red"]
    assert (lost.scope, lost.reason) == ("things", Blindness.FAULT)
    assert re.fullmatch(rf"ValueError at {where}\.py:\d+", lost.detail)  # the last of our frames
    # What was seen is judged as ever; all that was not may be the one.
    assert closes(seen, "thing-red", "t3") == "fixed"
    assert {closes(seen, "thing-red", each) for each in ("t2", "gone", "never seen")} == {None}
    assert "other-exists" in seen.coverage.evaluated


@pytest.mark.parametrize("how", [Reader.shaped, Reader.each])
@pytest.mark.parametrize(
    ("stop", "reason"),
    [(DENIED, Blindness.DENIED), (OutOfTime(), Blindness.DEADLINE), (UndeclaredCall("x"), Blindness.FAULT)],
)
def test_what_ends_a_listing_is_no_items_fault(stop: Exception, reason: Blindness, how: Any) -> None:
    def fail(item: str) -> Thing:
        if item == "t2":
            raise stop
        return Thing(arn=item)

    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        yield from how(aws, fail, ["t1", "t2", "t3"])

    seen = scan(things, checks=(thing_red,))
    assert [f.resource for f in seen.findings] == ["t1"]
    assert reasons(seen) == {"thing-red": reason}


def test_what_made_no_sense_is_a_gap_in_the_next_invocation_too() -> None:
    left = [100.0]

    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        if not aws.start.listing:
            yield from aws.shaped(shape, COLORS[:2])
            left[0] = 50.0
            aws.turn(Bookmark(1))
        yield from aws.shaped(shape, COLORS[2:])

    catalog, spool = Catalog((thing_red,), (things,)), Spool()
    how: dict[str, Any] = {"now": NOW, "spool": spool, "seconds_left": lambda: left[0], "resume": True}
    assert look(HERE, lambda: NOWHERE, catalog, **how) is None
    left[0] = 100.0
    seen = look(HERE, lambda: NOWHERE, catalog, **how)
    assert seen
    assert [f.resource for f in seen.findings] == ["t1", "t4"]
    assert reasons(seen) == {"thing-red": Blindness.FAULT}


def test_what_makes_no_sense_is_logged_once_however_much_it_is(caplog: pytest.LogCaptureFixture) -> None:
    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        yield from aws.shaped(shape, COLORS[1:2] * 1000)

    scan(things, checks=(thing_red,))
    (said,) = (record.getMessage() for record in caplog.records if "unreadable" in record.getMessage())
    assert "ValueError" in said
    assert "hunter2" not in caplog.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Resource):
    at: datetime


@pytest.mark.parametrize("machine", ["UTC", "Europe/Berlin"])
def test_a_moment_comes_out_of_the_spool_as_the_same_moment(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore gives moments in the zone of the machine, which in Lambda is UTC and yet not Python's UTC."""
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        zones = [UTC, tzlocal(), tzutc(), timezone(timedelta(hours=-7)), ZoneInfo("Asia/Kolkata")]
        facts = [Dated(arn=str(number), at=NOW.astimezone(zone)) for number, zone in enumerate(zones)]
        spool = Spool()
        spool.keep(Dated, facts, None)
        assert [(each.at, each.at.utcoffset()) for each in spool.every(Dated)] == [(NOW, timedelta())] * 5
    finally:
        monkeypatch.undo()
        time.tzset()


class Pages:
    """A paginator with these pages, each leading to the next."""

    def __init__(self, *pages: list[str]) -> None:
        self._pages = pages

    def paginate(self, *, start: int = 0) -> "Pages":
        self._start = start
        return self

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        yield from list(enumerate(self._pages))[self._start :]

    def _get_next_token(self, page: tuple[int, list[str]]) -> dict[str, Any]:
        return {"start": page[0] + 1 if page[0] + 1 < len(self._pages) else None}


def test_an_empty_page_is_not_the_end_of_a_listing() -> None:
    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        for first, second in ((["t1"], []), (["t3"], ["t4"])):
            for _, page in aws.pages(Pages(first, [], second, [])):
                yield from (Thing(arn=each) for each in page)

    turned: list[Bookmark] = []
    seen = things.read(NOWHERE, HERE, turn=turned.append)
    assert [each.arn for each in seen] == ["t1", "t3", "t4"]
    assert turned[3:5] == [Bookmark(1), Bookmark(1, {"start": 1})]
    for start, left in [(turned[0], ["t3", "t4"]), (turned[3], ["t3", "t4"]), (turned[4], ["t4"])]:
        assert [each.arn for each in things.read(NOWHERE, HERE, start=start)] == left
