"""How we learn about SQS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap, Target
from orgscan.policy import read
from orgscan.services.sqs.facts import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
"""In SQS's older words, which botocore prefers, and in its newer ones."""


@collector(Queue, calls=("sqs:ListQueues", "sqs:GetQueueAttributes"))
def sqs_queues(aws: Reader) -> Iterator[Queue]:
    sqs: SQSClient = aws.client("sqs")
    # Without a page size, ListQueues ends silently after 1,000 queues.
    for page in aws.pages(sqs.get_paginator("list_queues"), PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_queue, sqs, aws.target), page.get("QueueUrls", ()))


def _queue(sqs: SQSClient, target: Target, url: str) -> Queue | None:
    """Its own policy may keep us from its attributes, but a queue's name is the end of its URL."""
    attributes = queue_attributes(sqs, url)
    if attributes is None:
        return None
    if isinstance(attributes, Gap):
        return Queue(arn=target.arn("sqs", url.rpartition("/")[2]), policy=attributes)
    policy = attributes.get("Policy")
    return Queue(arn=attributes["QueueArn"], policy=read("queue_policy", policy) if policy else None)


@fact(absent=GONE)
def queue_attributes(sqs: SQSClient, url: str) -> Mapping[QueueAttributeNameType, str]:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
