"""What we expect of SNS."""

from orgscan.check import Problems, check
from orgscan.model import Category, Severity, known
from orgscan.policy.words import opened
from orgscan.services.sns.facts import Topic


@check(
    Topic,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Name the principals the policy is meant for, or require aws:SourceAccount or aws:PrincipalOrgID.",
    maps=("FSBP SNS.4",),
    equivalent=("prowler:sns_topics_not_publicly_accessible",),
    cli=(
        "aws sns get-topic-attributes --topic-arn {arn} --query Attributes --region {region}",
        (
            "aws sns set-topic-attributes --topic-arn {arn} --attribute-name Policy --attribute-value "
            "'file://<policy-that-names-principals>' --region {region}"
        ),
    ),
    cdk="""
        sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=["<topic>"],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "<account>"},
                        "Action": "sns:Publish",
                        "Resource": "<topic>",
                    }
                ],
            },
        )
    """,
)
def sns_topic_policy_public(topic: Topic) -> Problems:
    """The topic policy lets anyone publish, subscribe or manage the topic.

    A stranger who subscribes reads every message; one who publishes speaks in the owner's name. The default
    policy names everyone too, but only of the topic's own account (AWS:SourceOwner): it passes. sns:Endpoint
    and sns:Protocol say where messages go, not who asks, and narrow nothing.
    """
    yield from opened(known(topic.policy), topic.arn)
