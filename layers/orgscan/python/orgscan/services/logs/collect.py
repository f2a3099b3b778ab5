"""How we learn about CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.logs.facts import LogGroup

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import LogGroupTypeDef


@collector(LogGroup, calls=("logs:DescribeLogGroups",))
def logs_log_groups(aws: Reader) -> Iterator[LogGroup]:
    logs: CloudWatchLogsClient = aws.client("logs")
    for page in aws.pages(logs.get_paginator("describe_log_groups"), PaginationConfig={"PageSize": 50}):
        yield from aws.shaped(_log_group, page["logGroups"])


def _log_group(group: LogGroupTypeDef) -> LogGroup:
    return LogGroup(
        # `arn` ends in ':*', by which neither tags nor people know the group.
        arn=group.get("logGroupArn") or group["arn"].removesuffix(":*"),
        name=group["logGroupName"],
        created=datetime.fromtimestamp(group["creationTime"] / 1000, UTC),
        stored_bytes=group["storedBytes"],
        retention_days=group.get("retentionInDays"),
        delivery=group.get("logGroupClass") == "DELIVERY",
        protected=group.get("deletionProtectionEnabled", False),
    )
