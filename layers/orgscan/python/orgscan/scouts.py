"""Whether a policy closes a whole region, found out with a few calls that are due anyway.

One collector goes ahead of all others. Only when a service control policy explicitly denies its call, a
second one of another service goes, and a third; when the same policy denies all of them, nobody else goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Target

REGION = "region"
"""The scope of a gap that is one for all of a region."""
WAIT_S = 5.0
"""How long the others wait for one that went ahead: a service that hangs keeps nobody from the rest."""
ENOUGH = 3
"""Services, each denied by the same policy, that stand for all."""
SERVICES = (
    # Policies that close regions spare neither; those that close services spare one of the two.
    *("ec2", "logs"),
    # Policies that close regions spare what works without them, such as these (AWS Control Tower does): where
    # one of these answers, everything is looked at.
    *("kms", "acm", "accessanalyzer", "config", "resourcegroupstaggingapi", "cloudwatch"),
    *("lambda", "rds", "sns", "sqs", "dynamodb", "ecs"),
)
"""Who goes ahead, in this order, as far as they are asked at all."""


def scouts(collectors: Sequence[AnyCollector], target: Target) -> Sequence[AnyCollector]:
    """Of each service the one that asks least; none where they would be all there are, or too few."""
    if target.once or len(collectors) <= ENOUGH:
        return ()
    found: dict[str, AnyCollector] = {}
    for each in sorted(collectors, key=lambda each: (len(each.calls), each.name)):
        services = {call.partition(":")[0] for call in each.calls}
        if len(services) == 1 and not each.once:
            found.setdefault(services.pop(), each)
    ahead = [found[service] for service in SERVICES if service in found]
    return ahead[:ENOUGH] if len(ahead) >= ENOUGH else ()


def one_policy(denied_by: Sequence[str | None]) -> bool:
    """Whether so many were denied, by one policy as far as AWS names it."""
    named = {policy for policy in denied_by if policy}
    return len(denied_by) >= ENOUGH and None not in denied_by and len(named) <= 1


def closed(target: Target, reason: Blindness, example: str) -> Gap:
    return Gap(REGION, reason, f"every call in {target.region}, such as {example}")
