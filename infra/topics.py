"""Who hears of findings, and who of trouble with orgscan itself."""

from collections import defaultdict
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.routes import Route
from orgscan.settings import CHAT, MACHINE, topic_name


class Topics(Construct):
    """Findings and alarms never mix, nor do mails, what chats read and what machines read."""

    def __init__(
        self, scope: Construct, id: str, *, key: kms.IKey, deployment: str, routes: Sequence[Route]
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        self._deployment = deployment
        self.findings = sns.Topic(self, "Findings", master_key=key, enforce_ssl=True)
        self.operations = sns.Topic(self, "Operations", master_key=key, enforce_ssl=True)
        # TLS only needs a policy; it takes the place of the default one, which would let CloudWatch in.
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.operations.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        for email, names in _by_email(routes).items():
            wanted = sns.SubscriptionFilter.string_filter(allowlist=names)
            self.findings.add_subscription(
                subscriptions.EmailSubscription(email, filter_policy={"route": wanted})
            )
        for email in _by_email(routes[:1]):
            self.operations.add_subscription(subscriptions.EmailSubscription(email))
        self.of_routes = {
            (channel, route.name): self._of_route(channel, route)
            for route in routes
            for channel, wanted in ((CHAT, route.chat), (MACHINE, route.machine))
            if wanted
        }
        """Channel, route -> a topic of its own."""

    def _of_route(self, channel: str, route: Route) -> sns.Topic:
        """Who reads it subscribes: SNS decrypts what it delivers, so no reader needs the key.

        Its name is ours, so that the function that sends can tell it, and who subscribed finds it again.
        """
        name = topic_name(self._deployment, channel, route.name)
        words = f"{channel}-{route.name}".title().replace("-", "")
        return sns.Topic(self, words, topic_name=name, master_key=self._key, enforce_ssl=True)


def _by_email(routes: Sequence[Route]) -> dict[str, list[str]]:
    """E-mail -> its routes. SNS knows an address once per topic: one subscription must want them all."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for route in routes:
        for email in dict.fromkeys(route.emails):
            names[email].append(route.name)
    return names
