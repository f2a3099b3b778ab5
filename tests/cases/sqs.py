"""What the SQS check accepts and rejects."""

from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.policy import parse
from orgscan.services.sqs.checks import sqs_queue_policy_public
from orgscan.services.sqs.facts import Queue
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes

ARN = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"


def queue(*statements: dict[str, Any]) -> Queue:
    said = ({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ARN, **each} for each in statements)
    return Queue(arn=ARN, policy=parse({"Statement": [*said]}))


EVERYONE = {"Principal": "*"}
S3 = {"Principal": {"Service": "s3.amazonaws.com"}}
BY_S3 = "the policy allows s3.amazonaws.com sqs:SendMessage on behalf of any account"

CASES: list[Case] = [
    passes(sqs_queue_policy_public, Queue(arn=ARN, policy=None)),
    passes(sqs_queue_policy_public, queue({"Principal": {"AWS": "999999999999"}})),
    fails(
        sqs_queue_policy_public,
        queue({**EVERYONE, "Sid": "Senders"}),
        Problem("the policy allows everyone sqs:SendMessage (statement Senders)"),
    ),
    fails(
        sqs_queue_policy_public,
        queue({"Principal": {"AWS": "*"}, "Action": "sqs:*", "Resource": "*"}),
        "the policy allows everyone sqs:*",
    ),
    fails(
        sqs_queue_policy_public,
        queue({**EVERYONE, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        "the policy allows everyone sqs:SendMessage (not narrowed by aws:SecureTransport)",
    ),
    passes(
        sqs_queue_policy_public,
        queue({**EVERYONE, "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}}}),
    ),
    fails(
        sqs_queue_policy_public,
        queue({**EVERYONE, "Condition": {"ArnLike": {"aws:SourceArn": "*"}}}),
        "the policy allows everyone sqs:SendMessage (not narrowed by aws:SourceArn)",
    ),
    # As the CDK's enforce_ssl does.
    passes(
        sqs_queue_policy_public,
        queue(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ),
    ),
    fails(sqs_queue_policy_public, queue(S3), Problem(BY_S3, severity=Severity.MEDIUM)),
    passes(
        sqs_queue_policy_public,
        queue({**S3, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}),
    ),
    passes(
        sqs_queue_policy_public,
        queue({**S3, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:uploads"}}}),
    ),
    fails(
        sqs_queue_policy_public,
        queue(S3, EVERYONE),
        Problem("the policy allows everyone sqs:SendMessage"),
        Problem(BY_S3, severity=Severity.MEDIUM),
    ),
    passes(sqs_queue_policy_public, queue({**EVERYONE, "Resource": f"{ARN}-of-another"})),
    cannot_tell(
        sqs_queue_policy_public,
        Queue(arn=ARN, policy=Gap("queue_attributes", Blindness.DENIED, "sqs:GetQueueAttributes")),
        "sqs:GetQueueAttributes",
    ),
]
