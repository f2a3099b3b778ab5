"""What the SNS check accepts and rejects."""

from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap
from orgscan.policy import parse
from orgscan.services.sns.checks import sns_topic_policy_public
from orgscan.services.sns.facts import Topic
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes

ARN = f"arn:aws:sns:eu-west-1:{ACCOUNT}:prices"


def topic(**statement: Any) -> Topic:
    said = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sns:Subscribe", "Resource": ARN}
    return Topic(arn=ARN, policy=parse({"Statement": [{**said, **statement}]}))


CASES: list[Case] = [
    fails(sns_topic_policy_public, topic(), Problem("the policy allows everyone sns:Subscribe")),
    # The default policy.
    passes(
        sns_topic_policy_public,
        topic(
            Sid="__default_statement_ID",
            Action=["SNS:Publish", "SNS:Subscribe", "SNS:AddPermission"],
            Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
        ),
    ),
    fails(
        sns_topic_policy_public,
        topic(Condition={"StringEquals": {"sns:Protocol": "https"}}),
        "the policy allows everyone sns:Subscribe (not narrowed by sns:Protocol)",
    ),
    fails(
        sns_topic_policy_public,
        topic(Sid="Staff", Condition={"StringLike": {"sns:Endpoint": "*@acme.example"}}),
        "the policy allows everyone sns:Subscribe (statement Staff, not narrowed by sns:Endpoint)",
    ),
    passes(
        sns_topic_policy_public,
        topic(Condition={"StringEquals": {"sns:Protocol": "https", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    ),
    passes(sns_topic_policy_public, topic(Principal={"AWS": ACCOUNT})),
    passes(sns_topic_policy_public, topic(Principal={"Service": "events.amazonaws.com"})),
    passes(sns_topic_policy_public, topic(Effect="Deny")),
    cannot_tell(
        sns_topic_policy_public,
        Topic(arn=ARN, policy=Gap("topic_policy", Blindness.DENIED, "sns:GetTopicAttributes")),
        "sns:GetTopicAttributes",
    ),
]
