"""What the SQS collector sees."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import parse
from orgscan.services.sqs.collect import sqs_queues
from orgscan.services.sqs.facts import Queue
from orgscan.session import Clients
from tests.answers import answer, refuse

POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"


def test_queues_with_and_without_a_policy(aws: boto3.Session, clients: Clients, target: Target) -> None:
    assert list(sqs_queues.read(clients, target)) == []
    sqs = aws.client("sqs")
    sqs.create_queue(QueueName="open", Attributes={"Policy": json.dumps(POLICY)}, tags={"Owner": "ann"})
    sqs.create_queue(QueueName="plain")
    assert list(sqs_queues.read(clients, target)) == [
        Queue(arn=target.arn("sqs", "open"), policy=parse(POLICY), tags=None),
        Queue(arn=target.arn("sqs", "plain"), policy=None, tags=None),
    ]


def test_two_pages_and_queues_that_tell_nothing(clients: Clients, target: Target) -> None:
    """A queue's ARN is known even where its own policy keeps us out."""
    answer(
        clients,
        target,
        "sqs:ListQueues",
        {"QueueUrls": [f"{URL}one"], "NextToken": "more"},
        {"QueueUrls": [f"{URL}two.fifo"]},
    )
    refuse(clients, target, "sqs:GetQueueAttributes")
    denied = Gap("queue_attributes", Blindness.DENIED, "sqs:GetQueueAttributes")
    assert [(each.arn, each.policy) for each in sqs_queues.read(clients, target)] == [
        (target.arn("sqs", "one"), denied),
        (target.arn("sqs", "two.fifo"), denied),
    ]


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_queue_that_is_gone_by_now(clients: Clients, target: Target, code: str) -> None:
    answer(clients, target, "sqs:ListQueues", {"QueueUrls": [f"{URL}one"]})
    refuse(clients, target, "sqs:GetQueueAttributes", code)
    assert list(sqs_queues.read(clients, target)) == []


def test_what_moto_says_of_a_queue_that_is_gone(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("sqs").create_queue(QueueName="there")
    answer(clients, target, "sqs:ListQueues", {"QueueUrls": [f"{URL}gone", f"{URL}there"]})
    assert [each.arn for each in sqs_queues.read(clients, target)] == [target.arn("sqs", "there")]


def test_odd_attributes_cost_their_queue_and_an_odd_policy_itself(clients: Clients, target: Target) -> None:
    answer(clients, target, "sqs:ListQueues", {"QueueUrls": [f"{URL}one", f"{URL}two", f"{URL}three"]})
    arns = [target.arn("sqs", name) for name in ("two", "three")]
    answer(
        clients,
        target,
        "sqs:GetQueueAttributes",
        {"Attributes": {"Policy": json.dumps(POLICY)}},
        {"Attributes": {"QueueArn": arns[0], "Policy": "all of it"}},
        {"Attributes": {"QueueArn": arns[1], "Policy": ""}},
    )
    lost: list[Gap] = []
    assert list(sqs_queues.read(clients, target, spoil=lost.append)) == [
        Queue(arn=arns[0], policy=Gap("queue_policy", Blindness.FAULT, "Malformed: not JSON")),
        Queue(arn=arns[1], policy=None),
    ]
    assert [(each.scope, each.reason) for each in lost] == [("sqs-queues", Blindness.FAULT)]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "sqs:ListQueues")
    with pytest.raises(ClientError, match="sqs:ListQueues"):
        list(sqs_queues.read(clients, target))
