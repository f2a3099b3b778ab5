"""Questions about a scan that its log lines answer, saved in CloudWatch Logs Insights."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

LEVELS = '["WARNING", "ERROR", "CRITICAL"]'
# What Lambda and Python write where a handler could not: those lines are no JSON.
BROKEN = r"/^\[ERROR\]|Task timed out|Runtime exited|signal: killed/"

TIME_AND_CALLS = (
    "sum(seconds) as took, count(*) as invocations, sum(calls) as api_calls, sum(refused) as throttles"
)
SLOWEST = (
    "filter ispresent(seconds)",
    f"stats {TIME_AND_CALLS} by account, region, scan",
    "sort took desc",
    "limit 25",
)
SCANNING: dict[str, Sequence[str]] = {
    "The slowest targets": SLOWEST,
    "What was denied": (
        'filter reason in ["denied", "denied-by-scp"]',
        "stats sum(checks) as lost, count_distinct(region) as regions by account, detail, reason, scan",
        "sort lost desc",
        "limit 1000",
    ),
    "What was throttled": (
        'filter message = "throttled"',
        "stats sum(times) as refusals, count(*) as invocations by api, account, region",
        "sort refusals desc",
        "limit 100",
    ),
    "One account": (
        "fields @timestamp, level, region, message, reason, detail, collector, check, trace, scan",
        'filter account = "111122223333"',
        "sort @timestamp desc",
        "limit 1000",
    ),
}
"""Title -> the query's commands; over the log of the function that scans."""
EVERYWHERE: dict[str, Sequence[str]] = {
    "What failed": (
        "fields @timestamp, service, level, scan, account, region, message, reason, detail, collector, check",
        f"filter level in {LEVELS} or @message like {BROKEN}",
        "sort @timestamp desc",
        "limit 1000",
    ),
}
"""Likewise, over the logs of all functions."""


class SavedQueries(Construct):
    def __init__(
        self, scope: Construct, id: str, *, name: str, scan: logs.ILogGroup, others: Iterable[logs.ILogGroup]
    ) -> None:
        """`name`: of the folder they are in."""
        super().__init__(scope, id)
        for groups, queries in (([scan], SCANNING), ([scan, *others], EVERYWHERE)):
            for title, commands in queries.items():
                logs.CfnQueryDefinition(
                    self,
                    title.title().replace(" ", ""),
                    name=f"{name}/{title}",
                    query_string="\n| ".join(commands),
                    log_group_names=[group.log_group_name for group in groups],
                )
