"""Asking politely: every call to a member account waits for its turn before it is made.

What the account's own software does through the same APIs must not be throttled because we look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from threading import Lock

from orgscan.errors import OutOfTime

# fmt: off
RATES: dict[int, tuple[str, ...]] = {
    20: ("s3", "sqs"),
    15: ("kms", "sns"),
    10: ("cloudwatch", "ec2", "ecs", "secretsmanager", "securityhub:BatchImportFindings"),
    8: ("dynamodb", "ecr", "lambda", "ecs:DescribeTaskDefinition", "organizations:ListTagsForResource"),
    5: (
        "autoscaling", "docdb", "elb", "elbv2", "events", "iam", "identitystore", "kinesis", "neptune", "rds",
        "s3control", "sso-admin", "sts", "account:GetAlternateContact", "ec2:DescribeInstanceAttribute",
    ),
    4: (
        "acm", "application-autoscaling", "backup", "eks", "glue", "guardduty", "ssm",
        "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeNetworkInterfaces",
        "elbv2:DescribeLoadBalancerAttributes", "elbv2:DescribeTargetHealth", "logs:DescribeLogGroups",
    ),
    3: (
        "accessanalyzer", "acm-pca", "bedrock", "cloudfront", "codebuild", "codecommit", "config", "dms",
        "efs", "elasticache", "fsx", "logs", "redshift", "redshift-serverless", "resourcegroupstaggingapi",
        "sagemaker", "securityhub", "stepfunctions", "transfer", "wafv2",
        "ec2:DescribeImages", "ec2:DescribeSnapshots", "elbv2:DescribeRules", "ssm:DescribeParameters",
    ),
    2: (
        "apigateway", "apigatewayv2", "budgets", "cloudformation", "cloudtrail", "compute-optimizer",
        "cost-optimization-hub", "dax", "dlm", "emr", "health", "inspector2", "macie2", "network-firewall",
        "opensearch", "organizations", "route53", "savingsplans", "workspaces",
        "iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport",
    ),
    1: ("account", "ce", "route53domains", "service-quotas", "sagemaker:ListApps"),
}
# fmt: on
"""Calls per second -> services, and operations that differ.

Conservative starting values per account and region, not AWS's quotas.
"""
UNKNOWN = 3
"""Calls per second of a service that is not in the table."""

_RATE = {name: per_second for per_second, names in RATES.items() for name in names}


def rate(call: str) -> float:
    """Calls per second of 'ec2:DescribeVolumes': its own, or else its service's."""
    return _RATE.get(call, _RATE.get(call.partition(":")[0], UNKNOWN))


class Pace:
    """How fast one account may be asked. One per set of clients.

    Each region and operation has a rate of its own, of which one second's worth may be used at once.
    `polite` divides all rates: 2 is half as fast.
    """

    def __init__(
        self,
        polite: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._polite = polite
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._spent: dict[tuple[str, str], float] = {}
        """Until when the turns that were given out last, at the rate of the call."""

    def wait(self, region: str, call: str, *, most: float = inf) -> None:
        """Return when the call ('ec2:DescribeVolumes') may be made, in the order of asking.

        Raises OutOfTime at once, and takes no turn, when that is later than `most` seconds from now.
        """
        # Whoever waits has its moment already: threads wake one by one, and none sleeps with the lock.
        rest = self._reserve(region, call, most)
        if rest > 0:
            self._sleep(rest)

    def _reserve(self, region: str, call: str, most: float) -> float:
        """Take the next turn; seconds until it comes."""
        speed = rate(call) / self._polite
        ahead = max(1.0, speed) - 1
        with self._lock:
            now = self._clock()
            spent = max(now, self._spent.get((region, call), now))
            rest = max(0.0, spent - ahead / speed - now)
            if rest > most:
                raise OutOfTime
            self._spent[region, call] = spent + 1 / speed
        return rest
