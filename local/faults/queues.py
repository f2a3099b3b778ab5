"""Queues and topics."""

import json
from functools import partial
from typing import Any

from local.place import Place, scenario, tag_list

QUEUE, TOPIC = "sqs-queue-policy-public", "sns-topic-policy-public"


def queue(place: Place, what: str, **statement: Any) -> tuple[str, str]:
    """A queue's URL and ARN; `statement`: of its policy."""
    sqs, name = place.client("sqs"), place.name(what)
    arn = place.arn("sqs", name)
    policy = _policy(arn, {"Action": "sqs:SendMessage", **statement})
    made = sqs.create_queue(QueueName=name, Attributes={"Policy": policy}, tags=place.tags(name))
    return made["QueueUrl"], arn


def topic(place: Place, what: str, **statement: Any) -> str:
    """A topic's ARN; `statement`: of its policy, if it is not the default one."""
    sns, name = place.client("sns"), place.name(what)
    arn = sns.create_topic(Name=name, Tags=tag_list(place.tags(name)))["TopicArn"]
    if statement:
        let_in(place, arn, **statement)
    return str(arn)


def let_in(place: Place, topic: str, **statement: Any) -> None:
    place.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=_policy(topic, statement)
    )


def _policy(resource: str, statement: dict[str, Any]) -> str:
    told = {"Sid": "Senders", "Effect": "Allow", "Resource": resource, **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [told]})


@scenario(copies=2)
def queue_that_takes_from_everyone(place: Place) -> None:
    url, arn = queue(place, "orders", Principal="*")
    sqs = place.client("sqs")
    place.fails(
        QUEUE,
        resource=arn,
        mend=lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""}),
        remove=lambda: sqs.delete_queue(QueueUrl=url),
    )


@scenario()
def queue_that_takes_from_any_bucket(place: Place) -> None:
    _, arn = queue(place, "uploaded", Principal={"Service": "s3.amazonaws.com"})
    place.fails(QUEUE, resource=arn)


@scenario()
def queue_of_one_topic(place: Place) -> None:
    """As SNS's documentation had it for years."""
    source = {"ArnEquals": {"aws:SourceArn": place.arn("sns", "orders")}}
    _, arn = queue(place, "order-history", Principal="*", Condition=source)
    place.looks_like(QUEUE, resource=arn)


@scenario(copies=2)
def topic_to_which_everyone_may_subscribe(place: Place) -> None:
    by_https = {"StringEquals": {"sns:Protocol": "https"}}
    arn = topic(
        place, "prices", Principal={"AWS": "*"}, Action=["sns:Subscribe", "sns:Receive"], Condition=by_https
    )
    own = {"Principal": {"AWS": place.account.id}, "Action": "sns:Subscribe"}
    place.fails(
        TOPIC,
        resource=arn,
        mend=partial(let_in, place, arn, **own),
        remove=lambda: place.client("sns").delete_topic(TopicArn=arn),
    )


@scenario()
def topic_with_the_default_policy(place: Place) -> None:
    """It names everyone, but of one account."""
    place.looks_like(TOPIC, resource=topic(place, "alerts"))
