"""Messages -> SNS, each at most once, however often the function is retried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orgscan.report import Message
from orgscan.store import FindingStore

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ROUTE = "route"
"""The message attribute that subscriptions filter on."""


class MessageRefused(Exception):
    """SNS refused at least one message, of which none is marked as sent: another attempt may send it.

    It has a name of its own because what botocore raises is named after each refusal, and Step Functions
    retries by name.
    """


def send(messages: Iterable[Message], *, sns: SNSClient, topic: str, store: FindingStore, scan: str) -> int:
    """How many were sent. Raises MessageRefused when SNS refused one, which a retry may then send.

    One that is refused keeps no other from its readers.
    """
    sent = 0
    refused: ClientError | None = None
    for message in messages:
        if not store.first_to_send(scan, message.route):
            continue
        try:
            sns.publish(
                TopicArn=topic,
                Subject=message.subject,
                Message=message.body,
                MessageAttributes={ROUTE: {"DataType": "String", "StringValue": message.route}},
            )
        except ClientError as error:
            # Refused is certainly not sent; behind a lost connection it may have been, and stays marked.
            store.unsent(scan, message.route)
            refused = error
        else:
            sent += 1
    if refused:
        raise MessageRefused(str(refused)) from refused
    return sent
