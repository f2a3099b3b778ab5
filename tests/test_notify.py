"""Messages reach their readers at most once, however often sending is tried."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from orgscan import session
from orgscan.messages import Channel, Message
from orgscan.notify import ROUTE, MessageRefused, Topics, send
from orgscan.session import Clients
from orgscan.settings import topic_name
from orgscan.store import FindingStore

SCAN = "20260115T060000000Z-8f14e45f"
COST = Message(
    "cost", "[orgscan] 3 new (12 accounts)", "COMPLETE: 100.0% of 50 checks evaluated\n\nNEW: 3 medium\n"
)
PAGER = Message("pager", "[orgscan] 1 new critical (12 accounts)", "COMPLETE: 100.0%\n")
FILTERS = {"kind": "changes", "severity": "critical", "verdict": "complete", "schedule": "daily"}
CHAT = Message("pager", PAGER.subject, '{"version": "1.0"}', Channel.CHAT, FILTERS)
DATA = Message("pager", PAGER.subject, '{"schema": 1}', Channel.MACHINE, FILTERS)
REFUSED = Message("broken", "too long " * 12, "SNS refuses this subject.\n")


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


class Topic:
    """An SNS topic, and a queue for each route's readers."""

    def __init__(self, home: Clients, name: str = "messages") -> None:
        self.sns, self._sqs = home.get("sns"), home.get("sqs")
        self.arn = self.sns.create_topic(Name=name)["TopicArn"]

    def all(self) -> str:
        """A queue that gets everything. Returns its URL."""
        queue: str = self._sqs.create_queue(QueueName=f"all-{self.arn.rpartition(':')[2]}")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])
        return queue

    def readers(self, *routes: str, **wanted: list[str]) -> str:
        """Returns the queue's URL."""
        queue: str = self._sqs.create_queue(QueueName="-".join(routes))["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        self.sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=asked["Attributes"]["QueueArn"],
            Attributes={"FilterPolicy": json.dumps({ROUTE: list(routes), **wanted})},
        )
        return queue

    def received(self, queue: str) -> list[tuple[str, str, str]]:
        """Route, subject and body, as they arrived since last asked."""
        return [(told[ROUTE], subject, body) for told, subject, body in self.told(queue)]

    def told(self, queue: str) -> list[tuple[dict[str, str], str, str]]:
        """All attributes, subject and body; a subject that is missing is empty."""
        got = self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in got:
            self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        bodies = [json.loads(each["Body"]) for each in got]
        return [
            (
                {name: value["Value"] for name, value in each["MessageAttributes"].items()},
                each.get("Subject") or "",
                each["Message"],
            )
            for each in bodies
        ]


@pytest.fixture
def topic(home: Clients) -> Topic:
    return Topic(home)


@pytest.fixture
def store(table: Any) -> FindingStore:
    return FindingStore(table)


def tell(topic: Topic, store: FindingStore, *messages: Message, scan: str = SCAN) -> int:
    return send(messages, sns=topic.sns, topics=Topics(topic.arn, "orgscan"), store=store, scan=scan)


def test_a_message_arrives_as_it_was_written(topic: Topic, store: FindingStore) -> None:
    queue = topic.readers("cost", "pager")
    assert tell(topic, store, COST, PAGER) == 2
    assert sorted(topic.received(queue)) == [(each.route, each.subject, each.body) for each in (COST, PAGER)]


def test_readers_get_their_route_only(topic: Topic, store: FindingStore) -> None:
    cost, pager = topic.readers("cost"), topic.readers("pager")
    tell(topic, store, COST)
    assert topic.received(cost) == [(COST.route, COST.subject, COST.body)]
    assert topic.received(pager) == []


def test_a_retry_sends_nothing_twice(topic: Topic, store: FindingStore) -> None:
    queue = topic.readers("cost", "pager")
    assert tell(topic, store, COST) == 1
    assert tell(topic, store, COST, PAGER) == 1
    assert tell(topic, store, COST, PAGER) == 0
    assert [route for route, _, _ in topic.received(queue)] == ["cost", "pager"]


def test_the_next_scan_is_told_again(topic: Topic, store: FindingStore) -> None:
    assert tell(topic, store, COST) == 1
    assert tell(topic, store, COST, scan="20260116T060000000Z-c9f0f895") == 1


def test_nothing_to_tell_is_not_told(topic: Topic, store: FindingStore) -> None:
    assert tell(topic, store) == 0


def test_a_refused_message_may_be_tried_again(topic: Topic, store: FindingStore) -> None:
    queue = topic.readers("cost")
    with pytest.raises(MessageRefused, match="NotFound"):
        send([COST], sns=topic.sns, topics=Topics(f"{topic.arn}-gone", "orgscan"), store=store, scan=SCAN)
    assert tell(topic, store, COST) == 1
    assert [route for route, _, _ in topic.received(queue)] == ["cost"]


def test_a_refused_message_keeps_no_other_from_its_readers(topic: Topic, store: FindingStore) -> None:
    queue = topic.readers("pager")
    for _ in range(2):
        with pytest.raises(MessageRefused, match="Subject"):
            tell(topic, store, REFUSED, PAGER)
    assert [route for route, _, _ in topic.received(queue)] == ["pager"]


def test_a_message_that_may_have_been_sent_is_not_sent_again(topic: Topic, store: FindingStore) -> None:
    queue = topic.readers("cost")

    def lost(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://sns")

    topic.sns.meta.events.register("after-call.sns.Publish", lost)
    with pytest.raises(ReadTimeoutError):
        tell(topic, store, COST)
    topic.sns.meta.events.unregister("after-call.sns.Publish", lost)
    assert tell(topic, store, COST) == 0
    assert [route for route, _, _ in topic.received(queue)] == ["cost"]


# Chats and machines


def test_each_format_reaches_its_own_topic_and_no_other(
    home: Clients, topic: Topic, store: FindingStore
) -> None:
    chats, machines = (Topic(home, topic_name("orgscan", each.channel, "pager")) for each in (CHAT, DATA))
    mails, read, taken = topic.all(), chats.all(), machines.all()
    assert tell(topic, store, PAGER, CHAT, DATA) == 3
    assert topic.told(mails) == [({ROUTE: "pager"}, PAGER.subject, PAGER.body)]
    told = {ROUTE: "pager", **FILTERS}
    assert len(told) == 5
    assert chats.told(read) == [(told, "", CHAT.body)]
    assert machines.told(taken) == [(told, "", DATA.body)]


def test_each_channel_is_tried_again_for_itself(home: Clients, topic: Topic, store: FindingStore) -> None:
    mails = topic.all()
    for _ in range(2):
        with pytest.raises(MessageRefused, match="NotFound"):
            tell(topic, store, PAGER, CHAT)
    read = (chats := Topic(home, topic_name("orgscan", "chat", "pager"))).all()
    assert tell(topic, store, PAGER, CHAT) == 1
    assert [body for _, _, body in chats.told(read)] == [CHAT.body]
    assert [body for _, _, body in topic.told(mails)] == [PAGER.body]


def test_readers_filter_by_every_attribute(topic: Topic, store: FindingStore) -> None:
    worst = topic.readers("pager", severity=["critical"], kind=["changes"], verdict=["complete"])
    other = topic.readers("pager", "cost", severity=["low"])
    tell(topic, store, Message("pager", "s", "b", attributes=FILTERS))
    assert [told for told, _, _ in topic.told(worst)] == [{ROUTE: "pager", **FILTERS}]
    assert topic.told(other) == []


def test_what_was_put_away_as_json_finds_its_topic(topic: Topic) -> None:
    """Read back, a channel is a word."""
    topics = Topics(topic.arn, "orgscan")
    for message in (PAGER, CHAT, DATA):
        again = Message(**json.loads(json.dumps(asdict(message))))
        assert (topics.of(again), again.mark) == (topics.of(message), message.mark)
