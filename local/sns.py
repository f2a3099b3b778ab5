"""E-mail subscriptions of the embedded AWS: what SNS would have sent, kept in a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.sns.models import Subscription

from local.patching import Patch

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


def install(patch: Patch, mail: list[Mail]) -> None:
    """Deliver what moto drops. Every address counts as confirmed."""
    original = Subscription.publish

    def publish(self: Any, message: str, message_id: str, **options: Any) -> None:
        if self.protocol != "email":
            original(self, message, message_id, **options)
            return
        attributes = options.get("message_attributes") or {}
        policy = self._filter_policy_matcher
        if policy is not None and not policy.matches(attributes, message):
            return
        if options.get("message_structure") == "json":
            message = self._parse_message_structure(message, "email")
        region = self.topic.sns_backend.region_name
        footer = _FOOTER.format(region=region, subscription=self.arn, endpoint=self.endpoint)
        subject = options.get("subject") or "AWS Notification Message"
        values = {name: str(attribute["Value"]) for name, attribute in attributes.items()}
        mail.append(Mail(self.endpoint, subject, message + footer, values))

    patch(Subscription, "publish", publish)
