"""Topics of the embedded AWS: what was published, and what SNS would have mailed, kept in lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from moto.sns.models import Subscription, Topic

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


@dataclass(frozen=True, slots=True)
class Published:
    """One message, whoever reads its topic."""

    topic: str
    """Its name."""
    subject: str | None
    body: str
    attributes: Mapping[str, str]


def install(patch: pytest.MonkeyPatch, mail: list[Mail], published: list[Published]) -> None:
    """Moto drops e-mail. Nobody subscribes in another way here, and every address counts as confirmed."""

    def deliver(self: Any, message: str, _: str, *, subject: str, message_attributes: Any, **__: Any) -> None:
        policy = self._filter_policy_matcher
        if policy is None or policy.matches(message_attributes, message):
            region = self.topic.sns_backend.region_name
            footer = _FOOTER.format(region=region, subscription=self.arn, endpoint=self.endpoint)
            mail.append(Mail(self.endpoint, subject, message + footer, _values(message_attributes)))

    send = Topic.publish

    def publish(self: Any, message: str, subject: str | None = None, **told: Any) -> Any:
        values = _values(told.get("message_attributes") or {})
        published.append(Published(self.name, subject, message, values))
        return send(self, message, subject=subject, **told)

    patch.setattr(Subscription, "publish", deliver)
    patch.setattr(Topic, "publish", publish)


def _values(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(each["Value"]) for name, each in attributes.items()}
