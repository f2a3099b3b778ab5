"""E-mail subscriptions of the embedded AWS: what SNS would have sent, kept in a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from moto.sns.models import Subscription

_FOOTER = """

--
If you wish to stop receiving notifications from this topic, please click or visit the link below to \
unsubscribe:
https://sns.{region}.amazonaws.com/unsubscribe.html?SubscriptionArn={subscription}&Endpoint={endpoint}

Please do not reply directly to this email. If you have any questions or comments regarding this email, \
please contact us at https://aws.amazon.com/support
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One delivered e-mail; its reader does not see the `attributes`, by which subscriptions filter."""

    to: str
    subject: str
    body: str
    attributes: Mapping[str, str]


def install(patch: pytest.MonkeyPatch, mail: list[Mail]) -> None:
    """Moto drops e-mail. Nobody subscribes in another way here, and every address counts as confirmed."""

    def publish(self: Any, message: str, _: str, *, subject: str, message_attributes: Any, **__: Any) -> None:
        policy = self._filter_policy_matcher
        if policy is None or policy.matches(message_attributes, message):
            region = self.topic.sns_backend.region_name
            footer = _FOOTER.format(region=region, subscription=self.arn, endpoint=self.endpoint)
            values = {name: str(each["Value"]) for name, each in message_attributes.items()}
            mail.append(Mail(self.endpoint, subject, message + footer, values))

    patch.setattr(Subscription, "publish", publish)
