"""What the functions say of themselves: log lines and metrics of one small scan."""

import json
from dataclasses import asdict, replace
from typing import Any

import boto3
import pytest

from orgscan import session
from orgscan.figures import COMPLETED, COVERAGE, DROP, MISSING, OPEN, PLANNED, REACHED, SECONDS, UNSEEN
from orgscan.messages import Channel, Message
from orgscan.meter import CALLS, THROTTLES, Meter
from orgscan.model import Blindness, Severity, Target
from orgscan.notify import MessageRefused
from orgscan.results import FINDINGS, RESOLVED, SUMMARY, Bucketed, Results
from orgscan.session import Clients
from orgscan.settings import CHAT, Events, topic_name
from orgscan.store import FindingStore
from orgscan.work import Worker
from tests.answers import refuse
from tests.conftest import ACCOUNT
from tests.handlers import (
    CHECKS,
    REGIONS,
    Context,
    Handlers,
    Line,
    in_first_round,
    inside,
    listed,
    ready,
    scan,
)
from tests.test_events import Bus
from tests.test_events import line as finding
from tests.test_notify import Topic


@pytest.fixture
def functions(
    aws: boto3.Session, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Handlers:
    return ready(aws, table, monkeypatch, capsys)


def lines(functions: Handlers, message: str) -> list[Line]:
    return [line for line in functions.lines if line["message"] == message]


def dimensions(**named: str) -> frozenset[tuple[str, str]]:
    return frozenset(named.items())


def result(scan: str, name: str) -> Any:
    body = boto3.client("s3").get_object(Bucket="results", Key=f"scans/{scan}/{name}")["Body"]
    return json.load(body)


def test_a_finished_scan_is_measured_by_schedule(functions: Handlers) -> None:
    for _ in range(3):
        boto3.client("ec2").allocate_address(Domain="vpc")
    scan(functions)
    told = {name: (where, unit, value) for name, where, unit, value in functions.measured()}
    mine, all_ = dimensions(service="report", schedule="daily"), dimensions(service="report")
    assert told[COMPLETED] == (mine, "Count", 1)
    assert told[COVERAGE] == (mine, "Percent", 100)
    assert (told[PLANNED], told[REACHED]) == ((mine, "Count", 2), (mine, "Count", 2))
    assert (told[SECONDS][:2], told[SECONDS][2] > 0) == ((mine, "Seconds"), True)
    assert {severity: told[name] for severity, name in OPEN.items()} == {
        severity: (mine, "Count", 3 if severity is Severity.LOW else 0) for severity in Severity
    }
    assert {told[name] for name in UNSEEN.values()} == {(mine, "Count", 0)}
    assert {name: told[name] for name in (DROP, MISSING)} == dict.fromkeys(
        (DROP, MISSING), (all_, "Count", 0)
    )


def test_the_summary_has_what_all_functions_spent(functions: Handlers, table: Any) -> None:
    boto3.client("ec2").allocate_address(Domain="vpc")
    scan(functions)
    name = "20260115T060000123Z-15444444"
    told = result(name, "summary.json")
    left = list(FindingStore(table).receipts(name))
    calls = [line["calls"] for line in lines(functions, "scanned")]
    assert [each.spent.calls for each in left] == calls
    used = told["cost"]
    # Planning asks the account once for its regions.
    assert (used["calls"], used["throttled"]) == (sum(calls) + 1, 0)
    # Plan, two targets, Report, and Notify, which has news.
    assert (used["invocations"], used["transitions"], used["groups"]) == (5, 1 + 6, 1)
    assert (used["s3_puts"], used["s3_gets"]) == (2 + 11 + 2, 2 + 4 + 1)  # each cold start reads the plan
    assert used["gb_seconds"] > sum(each.spent.gb_seconds for each in left)
    assert 0 < used["usd"] < 0.02
    mail = result(name, "messages.json")
    *_, last = mail[0]["body"].split("\n\n")
    assert " ".join(last.split()) == (
        f"Cost of this scan: {used['calls']} API calls, {used['gb_seconds']:,.0f} GB-seconds, about 0.01 USD"
    )


def test_what_a_person_asked_for_is_nobodys_schedule(functions: Handlers) -> None:
    scan(functions, schedule="")
    (where,) = {where for name, where, _, _ in functions.measured() if name == COVERAGE}
    assert where == dimensions(service="report", schedule="by hand")


def test_a_worker_that_told_nothing_is_counted_and_coverage_drops(functions: Handlers) -> None:
    assert scan(functions, 15)[DROP] == 0
    told = scan(functions, 16, dead=["eu-west-2"])
    assert (told[COVERAGE], told[DROP], told[MISSING]) == (50, 50, 1)
    assert (told[PLANNED], told[REACHED], told[UNSEEN[Blindness.FAULT]]) == (2, 1, 2)
    before = len(functions.metrics)
    functions.invoke("report", scan="20260116T060000123Z-16444444")
    again = {name: value for name, _, _, value in functions.measured(before)}
    assert {**again, SECONDS: told[SECONDS]} == told, "a report that is repeated says the same"


def test_a_report_without_time_comes_back_and_says_nothing_yet(functions: Handlers) -> None:
    functions.patch.setattr(Context, "left", 500_000)
    event = {"request": {"checks": CHECKS}, "started": "2026-01-15T06:00:00Z", "execution": "15444444"}
    plan = functions.invoke("plan", **event)
    before = len(functions.metrics)
    answer = {"scan": plan["scan"], "done": False, "last": True, "left": 0}
    assert functions.invoke("report", scan=plan["scan"], last=True) == answer
    assert [name for name, *_ in functions.measured(before)] == ["ReportsContinued"]
    assert lines(functions, "to be continued")
    functions.patch.setattr(Context, "left", 900_000)
    answer = functions.invoke("report", scan=plan["scan"])
    assert (answer["done"], answer["planned"], answer["reached"]) == (True, 2, 0)


def test_what_the_first_round_has_no_time_for_is_left_to_the_second(functions: Handlers, table: Any) -> None:
    event = {"request": {"checks": CHECKS}, "started": "2026-01-15T06:00:00Z", "execution": "15444444"}
    plan = functions.invoke("plan", **event)
    (group,) = listed(plan)
    before = len(functions.metrics)
    for target in group["targets"]:
        asked = {"scan": plan["scan"], "target": target, "part": 0, **in_first_round(seconds=80)}
        assert functions.invoke("scan", **asked) == {**asked, "done": False}
    assert [name for name, *_ in functions.measured(before)] == ["TargetsContinued"] * 2
    assert not list(FindingStore(table).receipts(plan["scan"])), "nobody was asked anything"
    answer = functions.invoke("report", scan=plan["scan"], last=False)
    assert listed(answer) == group["targets"]
    assert answer == {
        "scan": plan["scan"],
        "done": False,
        "last": True,
        "left": 2,
        "targets": f"work/{plan['scan']}/left.json",
    }
    for target in listed(answer):
        assert functions.invoke("scan", scan=plan["scan"], target=target, part=1)["done"]
    told = functions.invoke("report", scan=plan["scan"], last=True)
    assert (told["done"], told["reached"]) == (True, 2)


def test_time_of_the_round_is_what_a_worker_has(functions: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, bool]] = []

    def look(*told: Any, short: bool) -> None:
        *_, seconds_left = told
        seen.append((seconds_left(), short))

    monkeypatch.setattr(Worker, "scan", look)
    event = {"request": {"checks": CHECKS}, "started": "2026-01-15T06:00:00Z", "execution": "15444444"}
    plan = functions.invoke("plan", **event)
    (group,) = listed(plan)
    asked = {"scan": plan["scan"], "target": group["targets"][0], "part": 0}
    functions.invoke("scan", **asked, **in_first_round())
    functions.invoke("scan", **asked, **in_first_round(seconds=5000))
    functions.invoke("scan", **asked)
    (first, short), (long, _), (second, whole) = seen
    assert (short, whole) == (True, False)
    assert first <= 270
    assert second > 800, "Lambda's"
    assert 800 < long < 900, "never more than Lambda's"


def test_coverage_is_compared_within_a_schedule(functions: Handlers) -> None:
    scan(functions, 15)
    assert scan(functions, 16, dead=REGIONS, schedule="weekly")[DROP] == 0
    assert scan(functions, 17, dead=REGIONS, schedule="")[DROP] == 0
    assert scan(functions, 18, dead=["eu-west-1"])[DROP] == 50


def test_what_is_not_seen_is_logged_with_its_reason_where_it_was(functions: Handlers) -> None:
    def deny(clients: Clients, _: Meter) -> None:
        refuse(clients, Target(ACCOUNT, "eu-west-1"), "ec2:DescribeVolumes", "UnauthorizedOperation")

    inside(functions, deny)
    told = scan(functions)
    assert (told[COVERAGE], told[UNSEEN[Blindness.DENIED]]) == (75, 1)
    (line,) = lines(functions, "not seen")
    where = {"account": ACCOUNT, "region": "eu-west-1", "scan": "20260115T060000123Z-15444444"}
    what = {"reason": "denied", "detail": "ec2:DescribeVolumes", "checks": 1, "level": "WARNING"}
    assert {**line, **where, **what} == line


def test_a_target_says_how_long_it_took_and_how_often_it_asked(functions: Handlers, table: Any) -> None:
    def throttle(_: Clients, meter: Meter) -> None:
        meter.asked("ec2:DescribeVolumes")
        meter.refused("ec2:DescribeVolumes")

    inside(functions, throttle)
    functions.invoke("plan", request={"checks": CHECKS}, started="2026-01-15T06:00:00Z", execution="8f14e45f")
    target = {"account": ACCOUNT, "region": "eu-west-1", "name": "", "off": False, "standing": "due"}
    functions.invoke(
        "scan",
        scan="20260115T060000000Z-8f14e45f",
        target={**target, "payer": False, "unscanned": None},
        part=0,
    )
    (line,) = lines(functions, "scanned")
    assert {**line, "part": 0, "calls": 3, "refused": 1, "planned": 2, "evaluated": 2} == line
    assert line["seconds"] > 0
    (refusal,) = lines(functions, "throttled")
    assert {**refusal, "api": "ec2:DescribeVolumes", "times": 1, "account": ACCOUNT} == refusal
    (left,) = FindingStore(table).receipts("20260115T060000000Z-8f14e45f")
    assert (left.spent.calls, left.spent.throttled, left.spent.plans_read) == (3, 1, 1)
    # Each look at the clock takes two seconds, and the last is later than the receipt.
    assert 0 < left.spent.gb_seconds < line["seconds"]
    assert left.spent.gb_seconds % 2 == 0, "1024 MB for whole seconds"
    told = {name: (where, value) for name, where, _, value in functions.measured()}
    everywhere = dimensions(service="scan")
    assert (told[CALLS], told[THROTTLES]) == ((everywhere, 3), (everywhere, 1))


# Telling


TELLING = "20260115T060000123Z-15444444"


def telling(functions: Handlers, wanted: Events) -> Topic:
    """A finished scan with one message for each channel, and whoever reads the mails."""
    functions.configuration = replace(functions.configuration, events=wanted)
    home = session.here()
    topic = Topic(home, "findings")
    Topic(home, topic_name("orgscan", CHAT, "all"))
    messages = [Message("all", "s", "b"), Message("all", "s", "{}", Channel.CHAT, {"kind": "changes"})]
    bucket = Bucketed(home.get("s3"), "results", TELLING)
    bucket.put("messages.json", json.dumps([asdict(each) for each in messages]).encode())
    left = Results(bucket)
    left.put_lines(FINDINGS, [finding(changed_in=TELLING)])
    left.put_lines(RESOLVED, [])
    left.put_json(SUMMARY, {"scan": TELLING})
    return topic


def test_notifying_tells_topics_and_the_bus(functions: Handlers) -> None:
    topic = telling(functions, Events(scans=True, findings=True))
    mails, bus = topic.all(), Bus(session.here())
    assert functions.invoke("notify", scan=TELLING) == {"sent": 2, "events": 2}
    assert functions.invoke("notify", scan=TELLING) == {"sent": 0, "events": 0}
    assert [body for _, _, body in topic.told(mails)] == ["b"]
    assert [kind for kind, _ in bus.received()] == ["orgscan finding opened", "orgscan scan finished"]
    told = {name: value for name, _, _, value in functions.measured()}
    assert told.keys() == {"MessagesSent", "EventsSent"}


def test_without_events_nothing_else_is_read(functions: Handlers) -> None:
    telling(functions, Events())
    boto3.client("s3").delete_object(Bucket="results", Key=f"scans/{TELLING}/{FINDINGS}")
    assert functions.invoke("notify", scan=TELLING) == {"sent": 2, "events": 0}


def test_what_one_topic_refuses_keeps_no_event_from_its_readers(functions: Handlers) -> None:
    topic, bus = telling(functions, Events(scans=True)), Bus(session.here())
    topic.sns.delete_topic(TopicArn=topic.arn)
    for _ in range(2):
        with pytest.raises(MessageRefused, match="NotFound"):
            functions.invoke("notify", scan=TELLING)
    assert [kind for kind, _ in bus.received()] == ["orgscan scan finished"]
