"""Messages -> SNS, each at most once, however often the function is retried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orgscan.messages import Channel, Message
from orgscan.settings import topic_name
from orgscan.store import FindingStore

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ROUTE = "route"
"""The message attribute that subscriptions filter on."""


class MessageRefused(Exception):
    """AWS refused at least one message, which is not marked as sent: another attempt may send it.

    It has a name of its own because what botocore raises is named after each refusal, and Step Functions
    retries by name.
    """


@dataclass(frozen=True, slots=True)
class Topics:
    """Where messages go: mails to one topic of all routes, everything else to a topic of its route."""

    mails: str
    """The topic's ARN."""
    deployment: str
    """Its name, with which those of the other topics begin."""

    def of(self, message: Message) -> str:
        """The ARN of a message's topic."""
        if message.channel == Channel.MAIL:
            return self.mails
        name = topic_name(self.deployment, message.channel, message.route)
        return f"{self.mails.rpartition(':')[0]}:{name}"


def send(
    messages: Iterable[Message], *, sns: SNSClient, topics: Topics, store: FindingStore, scan: str
) -> int:
    """How many were sent. Raises MessageRefused when SNS refused one, which a retry may then send.

    One that is refused keeps no other from its readers.
    """
    sent = 0
    refused: ClientError | None = None
    for message in messages:
        if not store.first_to_send(scan, message.mark):
            continue
        try:
            _publish(message, sns, topics)
        except ClientError as error:
            # Refused is certainly not sent; behind a lost connection it may have been, and stays marked.
            store.unsent(scan, message.mark)
            refused = error
        else:
            sent += 1
    if refused:
        raise MessageRefused(str(refused)) from refused
    return sent


def _publish(message: Message, sns: SNSClient, topics: Topics) -> None:
    attributes = {ROUTE: message.route, **message.attributes}
    told: Any = {"Subject": message.subject} if message.channel == Channel.MAIL else {}
    sns.publish(
        TopicArn=topics.of(message),
        Message=message.body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
        **told,
    )
