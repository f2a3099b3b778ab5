"""Tickets and automation hear of a scan and of each finding that it changed, at least once."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan import catalog, events, session
from orgscan.coverage import Resolution
from orgscan.events import ATTEMPTS, BYTES, ENTRIES, Sender, batches
from orgscan.line import Line, fingerprint
from orgscan.model import Category, OwnedBy, Owner, Severity, Target
from orgscan.notify import MessageRefused
from orgscan.reconcile import Change, Event, Status
from orgscan.results import FINDINGS, RESOLVED, SUMMARY, Results, Shelved
from orgscan.session import Clients
from orgscan.settings import Events
from orgscan.store import FindingStore
from tests.answers import answer

SCAN, EARLIER = "20260115T060000000Z-8f14e45f", "20260114T060000000Z-c9f0f895"
STARTED = "2026-01-15T06:00:00+00:00"
BOTH = Events(scans=True, findings=True)
CHECK = "ebs-volume-unattached"


def line(number: int = 1, change: Change = Change.NEW, **different: Any) -> Line:
    resource = f"arn:aws:ec2:eu-west-1:111111111111:volume/vol-{number:017x}"
    told: dict[str, Any] = {
        "id": fingerprint("aws", "111111111111", "eu-west-1", f"{CHECK}|{resource}"),
        "check": CHECK,
        "severity": Severity.MEDIUM,
        "category": Category.COST,
        "partition": "aws",
        "account": "111111111111",
        "account_name": "payments-prod",
        "region": "eu-west-1",
        "resource": resource,
        "key": "",
        "problems": ("attached to nothing",),
        "status": Status.RESOLVED if change is Change.RESOLVED else Status.OPEN,
        "first_seen": STARTED,
        "opened": STARTED,
        "change": change,
        "changed_in": SCAN,
        "history": (Event(STARTED, change),),
        "owner": Owner("team-data", OwnedBy.RESOURCE),
        "tags": {"owner": "team-data"},
        "saving": None,
        "resolved_because": Resolution.FIXED if change is Change.RESOLVED else None,
        "suppressed_by": "",
        "unconfirmed_since": "",
    }
    return Line(**{**told, **different})


CHANGED = (
    line(1),
    line(2, Change.REOPENED),
    line(3, Change.WORSENED),
    line(4, changed_in=EARLIER),
    line(5, Change.EASED),
    line(6, Change.SUPPRESSED, status=Status.SUPPRESSED, suppressed_by="x"),
    line(8, status=Status.SUPPRESSED, suppressed_by="x"),
)


def results(folder: Path, found: Iterable[Line], closed: Iterable[Line] = ()) -> Results:
    left = Results(Shelved(folder / SCAN))
    left.put_lines(FINDINGS, found)
    left.put_lines(RESOLVED, closed)
    told = {"scan": SCAN, "complete": True, "open": {"high": {"security": 1}}, "gaps": [{"x": "y" * 10**6}]}
    left.put_json(SUMMARY, told)
    return left


class Bus:
    """An event bus, and a queue that gets what is put on it."""

    def __init__(self, home: Clients) -> None:
        self.client, self._sqs = home.get("events"), home.get("sqs")
        self._queue = self._sqs.create_queue(QueueName="events")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self.client.put_rule(Name="all", EventPattern=json.dumps({"source": ["orgscan"]}))
        arn = asked["Attributes"]["QueueArn"]
        self.client.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn}])

    def received(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Detail type and detail, since last asked."""
        while got := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for each in got:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
                told = json.loads(each["Body"])
                yield told["detail-type"], told["detail"]


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


@pytest.fixture
def bus(home: Clients) -> Bus:
    return Bus(home)


@pytest.fixture
def store(table: Any) -> FindingStore:
    return FindingStore(table)


def sender(bus: Bus, store: FindingStore, wanted: Events = BOTH) -> Sender:
    return Sender(
        wanted=wanted,
        source="orgscan",
        client=bus.client,
        store=store,
        checks={each.id: each for each in catalog.checks()},
        wait=lambda _: None,
    )


def test_each_change_is_an_event_and_then_the_scan(bus: Bus, store: FindingStore, tmp_path: Path) -> None:
    left = results(tmp_path, CHANGED, [line(7, Change.RESOLVED)])
    assert sender(bus, store).send(SCAN, left) == 5
    told = [*bus.received()]
    assert [kind for kind, _ in told] == [
        "orgscan finding opened",
        "orgscan finding reopened",
        "orgscan finding worsened",
        "orgscan finding resolved",
        "orgscan scan finished",
    ]
    opened, scan = told[0][1], told[-1][1]
    check = next(each for each in catalog.checks() if each.id == CHECK)
    about = {"title": check.title, "fix": check.fix, "scan": SCAN, "more_problems": 0}
    assert opened == {**line(1).to_json(), **about}
    assert Line.from_json(opened) == line(1)
    assert told[3][1]["resolved_because"] == "fixed"
    assert (scan["scan"], scan["complete"], scan["open"]) == (SCAN, True, {"high": {"security": 1}})
    assert scan["more_findings"] == 0
    assert "gaps" not in scan


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (Events(), []),
        (Events(scans=True), ["orgscan scan finished"]),
        (Events(findings=True), ["orgscan finding opened"]),
    ],
)
def test_nobody_is_told_what_nobody_asked_for(
    bus: Bus, store: FindingStore, tmp_path: Path, wanted: Events, kinds: list[str]
) -> None:
    assert sender(bus, store, wanted).send(SCAN, results(tmp_path, [line()])) == len(kinds)
    assert [kind for kind, _ in bus.received()] == kinds


def test_a_check_that_is_gone_has_no_title(bus: Bus, store: FindingStore, tmp_path: Path) -> None:
    closed = line(1, Change.RESOLVED, check="retired-check")
    sender(bus, store).send(SCAN, results(tmp_path, [], [closed]))
    (_, told), _ = bus.received()
    assert (told["check"], told["title"], told["fix"]) == ("retired-check", None, None)


def test_a_scan_whose_events_were_taken_sends_none_again(
    bus: Bus, store: FindingStore, tmp_path: Path
) -> None:
    left = results(tmp_path, [line(each) for each in range(23)])
    assert sender(bus, store).send(SCAN, left) == 24
    assert sender(bus, store).send(SCAN, left) == 0
    assert Counter(kind for kind, _ in bus.received()) == {
        "orgscan finding opened": 23,
        "orgscan scan finished": 1,
    }


def taken(number: int) -> list[dict[str, str]]:
    return [{"EventId": str(each)} for each in range(number)]


LOST = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}


def test_what_was_not_taken_is_put_again_and_nothing_else(
    home: Clients, store: FindingStore, tmp_path: Path
) -> None:
    bus = Bus(home)
    put: list[list[str]] = []

    def remember(params: Mapping[str, Any], **_: object) -> None:
        put.append([json.loads(each["Detail"]).get("id", "scan") for each in params["Entries"]])

    bus.client.meta.events.register("provide-client-params.events.PutEvents", remember)
    one, two, three = (line(each) for each in (1, 2, 3))
    answers = [
        {"FailedEntryCount": 2, "Entries": [*taken(1), LOST, *taken(1), LOST]},
        {"FailedEntryCount": 1, "Entries": [LOST, *taken(1)]},
        {"FailedEntryCount": 0, "Entries": taken(1)},
    ]
    answer(home, Target("1", "eu-west-1"), "events:PutEvents", *answers)
    assert sender(bus, store).send(SCAN, results(tmp_path, [one, two, three])) == 4
    assert put == [[one.id, two.id, three.id, "scan"], [two.id, "scan"], [two.id]]
    assert store.was_sent(SCAN, events.MARK)


def test_what_is_never_taken_is_left_to_another_attempt(
    home: Clients, store: FindingStore, tmp_path: Path
) -> None:
    bus, waited = Bus(home), list[float]()
    answer(home, Target("1", "eu-west-1"), "events:PutEvents", {"FailedEntryCount": 1, "Entries": [LOST]})
    patient = replace(sender(bus, store, Events(scans=True)), wait=waited.append)
    with pytest.raises(MessageRefused, match="did not take 1 events: ThrottlingException"):
        patient.send(SCAN, results(tmp_path, []))
    assert len(waited) == ATTEMPTS - 1
    assert not store.was_sent(SCAN, events.MARK)


def test_beyond_the_most_findings_are_counted(
    bus: Bus, store: FindingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST", 12)
    left = results(tmp_path, [line(each) for each in range(20)], [line(99, Change.RESOLVED)])
    assert sender(bus, store).send(SCAN, left) == 13
    *_, (kind, scan) = bus.received()
    assert (kind, scan["more_findings"]) == ("orgscan scan finished", 9)


def test_a_finding_that_is_too_large_has_fewer_problems(
    bus: Bus, store: FindingStore, tmp_path: Path
) -> None:
    many = line(problems=tuple(f"{each:04} allows {'x' * 900}" for each in range(400)))
    tags = line(2, problems=("\U0001f600" * 9_000,) * 30, tags={"k": "\U0001f600" * 9_000})
    sender(bus, store, Events(findings=True)).send(SCAN, results(tmp_path, [many, tags]))
    (_, first), (_, second) = bus.received()
    assert (len(first["problems"]), first["more_problems"]) == (20, 380)
    assert first["tags"] == many.tags
    assert (second["problems"], second["more_problems"], second["tags"]) == ([], 30, None)


@given(st.lists(st.integers(1, 240_000), max_size=60))
def test_a_call_takes_ten_events_and_256_kb(sizes: list[int]) -> None:
    entries = [("orgscan finding opened", "x" * size) for size in sizes]
    made = [*batches(iter(entries))]
    assert [each for batch in made for each in batch] == entries
    for batch in made:
        assert 1 <= len(batch) <= ENTRIES
        assert sum(len("orgscan") + len(kind) + len(detail) for kind, detail in batch) <= BYTES
