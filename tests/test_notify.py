"""Messages reach their readers at most once, however often sending is tried."""

import json
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from orgscan import session
from orgscan.notify import ROUTE, MessageRefused, send
from orgscan.report import Message
from orgscan.session import Clients
from orgscan.store import FindingStore

SCAN = "20260115T060000000Z-8f14e45f"
COST = Message(
    "cost", "[orgscan] 3 new (12 accounts)", "COMPLETE: 100.0% of 50 checks evaluated\n\nNEW: 3 medium\n"
)
PAGER = Message("pager", "[orgscan] 1 new critical (12 accounts)", "COMPLETE: 100.0%\n")
REFUSED = Message("broken", "too long " * 12, "SNS refuses this subject.\n")


@pytest.fixture
def home(aws: object) -> Clients:
    assert aws  # simulated
    return session.here()


class Topic:
    """An SNS topic, and a queue for each route's readers."""

    def __init__(self, home: Clients) -> None:
        self.sns, self._sqs = home.get("sns"), home.get("sqs")
        self.arn = self.sns.create_topic(Name="messages")["TopicArn"]

    def readers(self, *routes: str) -> str:
        """Returns the queue's URL."""
        queue: str = self._sqs.create_queue(QueueName="-".join(routes))["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        self.sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=asked["Attributes"]["QueueArn"],
            Attributes={"FilterPolicy": json.dumps({ROUTE: list(routes)})},
        )
        return queue

    def received(self, queue: str) -> list[tuple[str, str, str]]:
        """Route, subject and body, as they arrived since last asked."""
        got = self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in got:
            self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        told = [json.loads(each["Body"]) for each in got]
        return [
            (each["MessageAttributes"][ROUTE]["Value"], each["Subject"], each["Message"]) for each in told
        ]


@pytest.fixture
def topic(home: Clients) -> Topic:
    return Topic(home)


@pytest.fixture
def store(table: Any) -> FindingStore:
    return FindingStore(table)


def tell(topic: Topic, store: FindingStore, *messages: Message, scan: str = SCAN) -> int:
    return send(messages, sns=topic.sns, topic=topic.arn, store=store, scan=scan)


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
        send([COST], sns=topic.sns, topic=f"{topic.arn}-gone", store=store, scan=SCAN)
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
