"""How we learn about SNS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.policy import Policy, read
from orgscan.services.sns.facts import Topic

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import TopicTypeDef

    from orgscan.model import Gap


@collector(Topic, calls=("sns:ListTopics", "sns:GetTopicAttributes"))
def sns_topics(aws: Reader) -> Iterator[Topic]:
    sns: SNSClient = aws.client("sns")
    for page in aws.pages(sns.get_paginator("list_topics")):
        yield from aws.each(partial(_topic, sns), page["Topics"])


def _topic(sns: SNSClient, topic: TopicTypeDef) -> Topic | None:
    arn = topic["TopicArn"]
    policy = topic_policy(sns, arn)
    return None if policy is None else Topic(arn=arn, policy=policy)


@fact(absent="NotFound")
def topic_policy(sns: SNSClient, topic: str) -> Policy | Gap:
    """None of a topic that was deleted since it was listed."""
    return read("topic_policy", sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
