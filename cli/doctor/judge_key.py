"""What is wrong with the KMS key that encrypts all that the hub keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.facts import Key
from cli.doctor.problem import Problem, error, unseen
from orgscan.model import Gap

MEND = {
    "Disabled": "aws kms enable-key --key-id {key}",
    "PendingDeletion": "aws kms cancel-key-deletion --key-id {key}; aws kms enable-key --key-id {key}",
}
"""State of a key -> what makes it usable again."""
NEEDED = {
    "logs": "CloudWatch Logs may not use {key}: the log groups of the hub cannot be made",
    "cloudwatch": "CloudWatch may not use {key}: no alarm reaches anybody",
}
"""Service that uses the key in nobody's name -> what comes of it when it may not."""


def key(arn: str, told: Key | Gap | None) -> Iterator[Problem]:
    match told:
        case Gap():
            yield unseen(f"the KMS key {arn}", told)
        case None:
            yield error(
                "key-missing",
                f"there is no KMS key {arn}",
                "Before the first deployment: correct deployment.key. After it: docs/operating.md, "
                "'When the hub has lost something'.",
            )
        case _:
            if told.state != "Enabled":
                fix = MEND.get(told.state, "aws kms describe-key --key-id {key} says more")
                yield error("key-unusable", f"the KMS key {arn} is {told.state}", fix.format(key=arn))
            if told.purpose != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
                yield error(
                    "key-unsuitable",
                    f"the KMS key {arn} is {' for '.join(told.purpose)}; "
                    "the hub needs SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT",
                    "Name another one in deployment.key.",
                )
            yield from _policy(arn, told.services)


def _policy(arn: str, services: frozenset[str] | Gap) -> Iterator[Problem]:
    if isinstance(services, Gap):
        yield unseen(f"the policy of the KMS key {arn}", services)
        return
    # 'logs.eu-west-1.amazonaws.com' as well as 'logs.amazonaws.com'
    found = {each.partition(".")[0] for each in services}
    for service, outcome in NEEDED.items():
        if service not in found:
            yield error(
                f"key-closed-to-{service}",
                outcome.format(key=arn),
                "aws kms put-key-policy, with what docs/deploy.md asks for under 'A key of your own'",
            )
