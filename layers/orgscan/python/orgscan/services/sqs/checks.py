"""What we expect of SQS."""

from orgscan.check import Problem, Problems, check
from orgscan.model import Category, Severity, known
from orgscan.policy.words import listed, opened
from orgscan.services.sqs.facts import Queue


@check(
    Queue,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Name the senders the policy is meant for, or require aws:SourceArn, aws:SourceAccount or the like.",
    maps=("FSBP SQS.3",),
    equivalent=("prowler:sqs_queues_not_publicly_accessible",),
    cli=(
        (
            "aws sqs get-queue-attributes --queue-url https://sqs.{region}.{suffix}/{account}/{name} "
            "--attribute-names Policy --region {region}"
        ),
        (
            "aws sqs set-queue-attributes --queue-url https://sqs.{region}.{suffix}/{account}/{name} "
            "--attributes 'file://<policy-that-names-senders>' --region {region}"
        ),
    ),
    cdk="""
        sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=["<queue-url>"],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "<account>"},
                        "Action": "sqs:SendMessage",
                        "Resource": "<queue>",
                    }
                ],
            },
        )
    """,
)
def sqs_queue_policy_public(queue: Queue) -> Problems:
    """The queue policy lets anyone send, receive or manage messages.

    Strangers read what the queue carries, take it away, or feed their own to whatever works it off. Medium
    where a service is let in without aws:SourceArn or aws:SourceAccount: it then sends on behalf of any
    account (confused deputy).
    """
    policy = known(queue.policy)
    if policy is None:
        return
    yield from opened(policy, queue.arn)
    for grant in policy.services():
        if not grant.bound:
            text = f"the policy allows {grant.service} {listed(grant.actions)} on behalf of any account"
            yield Problem(text, severity=Severity.MEDIUM)
