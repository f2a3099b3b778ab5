"""What the CloudWatch Logs checks accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity
from orgscan.services.lambda_.facts import Function
from orgscan.services.logs.checks import cloudwatch_log_group_no_retention, cloudwatch_log_group_unused
from orgscan.services.logs.facts import GIB, LogGroup
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, ago
from tests.cases.lambda_ import FUNCTION

GROUP = LogGroup(
    arn="arn:aws:logs:eu-west-1:123456789012:log-group:/acme/shop",
    name="/acme/shop",
    created=ago(100),
    stored_bytes=50 * GIB,
    retention_days=30,
)
FOREVER = replace(GROUP, retention_days=None)
KEEPS = "events are kept for ever, 50.0 GiB so far"
RETENTION_CASES: list[Case] = [
    passes(cloudwatch_log_group_no_retention, GROUP),
    fails(cloudwatch_log_group_no_retention, FOREVER, Problem(KEEPS, saving=usd(1.17, Confidence.LOW))),
    fails(
        cloudwatch_log_group_no_retention,
        replace(FOREVER, stored_bytes=51 * GIB),
        Problem(KEEPS.replace("50.0", "51.0"), severity=Severity.MEDIUM, saving=usd(1.19, Confidence.LOW)),
    ),
    fails(
        cloudwatch_log_group_no_retention,
        replace(FOREVER, stored_bytes=0),
        Problem(KEEPS.replace("50.0", "0.0"), saving=usd(0.0, Confidence.LOW)),
    ),
    fails(
        cloudwatch_log_group_no_retention,
        GROUP,
        Problem("events are kept for 30 days, policy demands 31"),
        parameters={"min_days": 31},
    ),
    passes(cloudwatch_log_group_no_retention, GROUP, parameters={"min_days": 30}),
    passes(cloudwatch_log_group_no_retention, FOREVER, parameters={"keep_forever": ["/acme/*"]}),
    fails(cloudwatch_log_group_no_retention, FOREVER, KEEPS, parameters={"keep_forever": ["/acme"]}),
    passes(cloudwatch_log_group_no_retention, replace(FOREVER, protected=True)),
    passes(cloudwatch_log_group_no_retention, replace(FOREVER, delivery=True)),
    passes(
        cloudwatch_log_group_no_retention,
        replace(GROUP, delivery=True, retention_days=2),
        parameters={"min_days": 90},
    ),
]

SILENCE = Series((), 60)
STALE = "nothing received in 60 days, 50.0 GiB stored"
OF_FUNCTION = replace(GROUP, name="/aws/lambda/resize")
AT_EDGE = replace(GROUP, name="/aws/lambda/us-east-1.redirect")
RESIZE = replace(FUNCTION, arn="arn:aws:lambda:eu-west-1:123456789012:function:resize", name="resize")
UNUSED_CASES: list[Case] = [
    passes(cloudwatch_log_group_unused, GROUP, measured=[Series((0.0, 12.0), 60)]),
    fails(cloudwatch_log_group_unused, GROUP, Problem(STALE, saving=usd(1.67)), measured=[SILENCE]),
    fails(cloudwatch_log_group_unused, GROUP, STALE, measured=[Series((0.0,) * 60, 60)]),
    fails(
        cloudwatch_log_group_unused,
        replace(GROUP, stored_bytes=0, created=ago(60)),
        Problem("empty, created 2025-11-16", saving=usd(0.0)),
    ),
    passes(cloudwatch_log_group_unused, replace(GROUP, stored_bytes=0, created=ago(59))),
    passes(cloudwatch_log_group_unused, replace(GROUP, created=ago(59))),
    fails(
        cloudwatch_log_group_unused,
        OF_FUNCTION,
        f"{STALE}; function resize does not exist any more",
        measured=[SILENCE],
    ),
    fails(cloudwatch_log_group_unused, OF_FUNCTION, STALE, beside=[RESIZE], measured=[SILENCE]),
    fails(cloudwatch_log_group_unused, OF_FUNCTION, STALE, lost={Function: DENIED}, measured=[SILENCE]),
    fails(cloudwatch_log_group_unused, AT_EDGE, STALE, measured=[SILENCE]),
    passes(cloudwatch_log_group_unused, replace(GROUP, delivery=True, stored_bytes=0)),
    passes(cloudwatch_log_group_unused, GROUP, parameters={"max_days": 101}),
    cannot_tell(
        cloudwatch_log_group_unused,
        GROUP,
        "GetMetricData",
        measured=[Gap("metrics", Blindness.DENIED, "cloudwatch:GetMetricData")],
    ),
]

CASES = [*RETENTION_CASES, *UNUSED_CASES]
