"""How we learn about CloudWatch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.services.cloudwatch.facts import Alarm, Watched

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        CompositeAlarmTypeDef,
        DimensionTypeDef,
        MetricAlarmTypeDef,
        MetricDataQueryOutputTypeDef,
    )

MINUTE = 60
STATES = words("OK", "ALARM", "INSUFFICIENT_DATA")
CHILD = re.compile(r'\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"((?:[^"\\]|\\.)*)"|([^)"]*?))\s*\)')
"""In a rule: 'ALARM("too hot") OR OK(up)', with names or ARNs."""
QUERY = re.compile(r"\bSEARCH\s*\(|\bSELECT\b|\bINSIGHT_RULE_METRIC\s*\(", re.IGNORECASE)
"""An expression that chooses its metrics by itself."""


@collector(Alarm, calls=("cloudwatch:DescribeAlarms",))
def cloudwatch_alarms(aws: Reader) -> Iterator[Alarm]:
    cloudwatch: CloudWatchClient = aws.client("cloudwatch")
    listing = cloudwatch.get_paginator("describe_alarms")
    # Composite alarms are told to those alone who ask.
    for page in aws.pages(
        listing, AlarmTypes=["MetricAlarm", "CompositeAlarm"], PaginationConfig={"PageSize": 100}
    ):
        yield from aws.shaped(partial(_metric_alarm, aws), page["MetricAlarms"])
        yield from aws.shaped(_composite_alarm, page["CompositeAlarms"])


def _metric_alarm(aws: Reader, alarm: MetricAlarmTypeDef) -> Alarm:
    queries = alarm.get("Metrics") or []
    periods = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
    return Alarm(
        arn=alarm["AlarmArn"],
        name=alarm["AlarmName"],
        actions=tuple(alarm.get("AlarmActions", [])),
        actions_enabled=alarm["ActionsEnabled"],
        state=STATES[alarm["StateValue"]],
        # The other one also moves when the state's reason changes.
        since=alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"],
        missing=alarm.get("TreatMissingData") or "missing",
        watched=_queried(aws, queries)
        if queries
        else (Watched(namespace=alarm["Namespace"], dimensions=_named(alarm["Dimensions"])),),
        high_resolution=min([alarm.get("Period", MINUTE), *periods]) < MINUTE,
    )


def _queried(aws: Reader, queries: Iterable[MetricDataQueryOutputTypeDef]) -> tuple[Watched, ...] | None:
    found = []
    for query in queries:
        elsewhere = query.get("AccountId", aws.target.account) != aws.target.account
        if elsewhere or QUERY.search(query.get("Expression", "")):
            return None
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            found.append(
                Watched(namespace=metric["Namespace"], dimensions=_named(metric.get("Dimensions", [])))
            )
    return tuple(found) or None


def _named(dimensions: Iterable[DimensionTypeDef]) -> Mapping[str, str]:
    return {each["Name"]: each["Value"] for each in dimensions}


def _composite_alarm(alarm: CompositeAlarmTypeDef) -> Alarm:
    return Alarm(
        arn=alarm["AlarmArn"],
        name=alarm["AlarmName"],
        actions=tuple(alarm.get("AlarmActions", [])),
        actions_enabled=alarm["ActionsEnabled"],
        state=STATES[alarm["StateValue"]],
        since=alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"],
        children=tuple(dict.fromkeys(_children(alarm["AlarmRule"]))),
    )


def _children(rule: str) -> Iterator[str]:
    for quoted, plain in CHILD.findall(rule):
        name = re.sub(r"\\(.)", r"\1", quoted) or plain
        # Children are of the same account and region, whether by name or by ARN.
        yield name.split(":alarm:", 1)[1] if name.startswith("arn:") else name
