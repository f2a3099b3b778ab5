"""What the SNS collector sees."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import Policy, parse
from orgscan.services.sns.collect import sns_topics
from orgscan.services.sns.facts import Topic
from orgscan.session import Clients
from tests.answers import answer, refuse

POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}]}


def test_topics_with_the_default_policy_and_another(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    sns = aws.client("sns")
    plain = sns.create_topic(Name="plain")["TopicArn"]
    opened = sns.create_topic(Name="opened", Attributes={"Policy": json.dumps(POLICY)})["TopicArn"]
    first, second = sns_topics.read(clients, target)
    assert (first.arn, first.tags) == (plain, None)
    assert isinstance(first.policy, Policy)
    assert first.policy.openings(resource=plain) == ()
    assert second == Topic(arn=opened, policy=parse(POLICY))


def test_two_pages_an_odd_topic_and_an_odd_policy(clients: Clients, target: Target) -> None:
    one, two = (target.arn("sns", name) for name in ("one", "two"))
    answer(
        clients,
        target,
        "sns:ListTopics",
        {"Topics": [{"TopicArn": one}, {}], "NextToken": "more"},
        {"Topics": [{"TopicArn": two}]},
    )
    answer(
        clients,
        target,
        "sns:GetTopicAttributes",
        {"Attributes": {"Policy": json.dumps(POLICY)}},
        {"Attributes": {}},
    )
    lost: list[Gap] = []
    first, second = sns_topics.read(clients, target, spoil=lost.append)
    assert first == Topic(arn=one, policy=parse(POLICY))
    assert isinstance(second.policy, Gap)
    assert (second.arn, second.policy.reason) == (two, Blindness.FAULT)
    assert [(each.scope, each.reason) for each in lost] == [("sns-topics", Blindness.FAULT)]


def test_a_topic_whose_attributes_are_denied_and_one_that_is_gone(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    there, gone = target.arn("sns", "there"), target.arn("sns", "gone")
    aws.client("sns").create_topic(Name="there")
    answer(clients, target, "sns:ListTopics", {"Topics": [{"TopicArn": gone}, {"TopicArn": there}]})
    assert [each.arn for each in sns_topics.read(clients, target)] == [there]
    refuse(clients, target, "sns:GetTopicAttributes", "AuthorizationError")
    denied = Gap("topic_policy", Blindness.DENIED, "sns:GetTopicAttributes")
    assert [each.policy for each in sns_topics.read(clients, target)] == [denied, denied]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "sns:ListTopics", "AuthorizationError")
    with pytest.raises(ClientError, match="sns:ListTopics"):
        list(sns_topics.read(clients, target))
