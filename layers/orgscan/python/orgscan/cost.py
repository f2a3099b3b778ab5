"""What a scan costs: what it counted, or what it would count in an organization of some size, times prices.

Both go through the same arithmetic, so that the estimate and the measurement cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from orgscan import prices
from orgscan.meter import Spent

KIB, GB = 1024, 10**9
HOUR_S = 3600
READ_BYTES, WRITE_BYTES = 4 * KIB, KIB
"""Of an item that one unit of DynamoDB reads, consistently, and writes. A transaction takes two to write."""
DAYS = prices.HOURS / 24
"""In a month."""
RUN, EMPTY = "embedded AWS, 2026-11", "embedded AWS, empty account, 2026-11"
DEFINED, SUPPOSED = "as deployed", "assumed, not measured"


class Constant(NamedTuple):
    """What one scan has more or less of than another only by its size."""

    name: str
    value: float
    unit: str
    known: str
    """From where."""


UNUSED = Constant("region_resources", 34, "resources, region that nobody uses", EMPTY)
CALLS_REGION = Constant("region_calls", 58, "API calls, region that nobody uses", EMPTY)
CALLS_GLOBAL = Constant("global_calls", 58, "API calls, account's global part", EMPTY)
CALLS_RESOURCE = Constant("resource_calls", 0.6, "API calls, further resource", RUN)
METRICS = Constant("resource_metrics", 0.115, "metrics read, further resource", RUN)
COST_QUERIES = Constant("scan_cost_queries", 3, "requests to Cost Explorer, scan", EMPTY)
SECONDS = Constant("target_seconds", 2, "seconds, target", SUPPOSED)
SECONDS_ELSE = Constant("scan_seconds", 180, "seconds to plan and report, scan", SUPPOSED)
GROUP = Constant("group_targets", 20, "targets, group of the first round", DEFINED)
STATES_GROUP = Constant("group_transitions", 1, "transition, group: its start", SUPPOSED)
EXPRESS = Constant("express_share", 1 / 80, "GB-seconds of a group, GB-second of its functions", SUPPOSED)
STATES_PART = Constant("part_transitions", 4, "transitions, further invocation", DEFINED)
STATES_ELSE = Constant("scan_transitions", 6, "transitions, scan", DEFINED)
FINDING = Constant("finding_bytes", 860, "bytes, finding", RUN)
RECEIPT = Constant("receipt_bytes", 2500, "bytes, target's receipt", RUN)
TOLD = Constant("change_bytes", 230, "bytes of a receipt, change", RUN)
CHECK = Constant("check_bytes", 28, "bytes, name of a check not evaluated", RUN)
SUMMARY = Constant("summary_bytes", 4000, "bytes, scan's summary", RUN)
ACCOUNT = Constant("account_bytes", 190, "bytes, account remembered", RUN)
INVENTORY = Constant("inventory_bytes", 60, "bytes of inventory, resource", RUN)
LOGS = Constant("target_log_bytes", 3000, "bytes of log, target", RUN)
LOGS_ELSE = Constant("scan_log_bytes", 4600, "bytes of log, scan", RUN)
KMS = Constant("target_kms", 1, "requests to KMS, target", SUPPOSED)
CONSTANTS = (
    *(UNUSED, CALLS_REGION, CALLS_GLOBAL, CALLS_RESOURCE, METRICS, COST_QUERIES, SECONDS, SECONDS_ELSE),
    *(GROUP, STATES_GROUP, EXPRESS, STATES_PART, STATES_ELSE, FINDING, RECEIPT, TOLD, CHECK, SUMMARY),
    *(ACCOUNT, INVENTORY, LOGS, LOGS_ELSE, KMS),
)

PLAN_MIB, REPORT_MIB = 1024, 1769
"""Memory of the functions that plan and report; that of the one that scans is configured."""
PARTITIONS = 60
"""Of the index that Report lists findings from: ten for each severity, and for what is accepted."""
PASSES = 2
"""Of Report over all receipts: to see who told nothing, and to add up."""
PUTS_ELSE, GETS_ELSE = 11, 4
"""Objects that Plan and Report write; lists, plans and parts of the page that they and the workflow read."""
ARCHIVED = 2
"""Likewise, written by Report for Athena; none without an inventory."""
OF_EVENTS = 3
"""Objects that events are made of."""
METRIC_HOURS = 22 * 1 + 5 * 2
"""Of custom metrics, each of which is billed by the hours with a value: workers send theirs in two."""
ALARMS = 11
"""And one for each schedule."""
KEPT_DAYS, INVENTORY_DAYS = 400, 90
"""Receipts, and by default the inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a scan was about, so far as its cost depends on it."""

    accounts: int
    targets: int
    """With those that nobody looks at any more."""
    findings: int = 0
    """Open or suppressed in the whole organization."""
    kept: int = 0
    """Findings in the table, of those targets, resolved ones too."""
    changes: int = 0
    """Of them, changed by the scan."""
    unseen: int = 0
    """Checks times targets that were not evaluated."""
    messages: int = 0
    events: bool = False
    """Whether Notify tells EventBridge of it."""
    inventories: int = 0
    """Targets that wrote one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What somebody pays for, of one scan. DynamoDB in units, of which a request may take several."""

    calls: int
    throttled: int
    gb_seconds: float
    invocations: int
    transitions: int
    groups: int
    """Express executions."""
    writes: float
    reads: float
    s3_puts: int
    s3_gets: int
    log_bytes: float
    metric_hours: int
    traces: int
    kms: float
    metrics: float
    cost_queries: int
    mails: int

    @property
    def usd(self) -> float:
        """Of everybody involved: what is marked * is billed to the accounts that were looked at."""
        return sum(line.usd for line in lines(self))


class Line(NamedTuple):
    """Of a bill."""

    name: str
    amount: float
    unit: str
    usd: float


def usage(scale: Scale, spent: Spent) -> Usage:
    """`spent`: by planning, by all workers and by reporting, one invocation of the first and the last."""
    parts = max(0, spent.invocations - 2 - scale.targets)
    archived = ARCHIVED if scale.inventories else 0
    notified = bool(scale.messages) or scale.events
    groups = ceil(scale.targets / GROUP.value)
    return Usage(
        calls=spent.calls,
        throttled=spent.throttled,
        gb_seconds=spent.gb_seconds,
        invocations=spent.invocations + notified,
        transitions=round(groups * STATES_GROUP.value + parts * STATES_PART.value + STATES_ELSE.value),
        groups=groups,
        writes=_writes(scale),
        reads=_reads(scale),
        s3_puts=scale.inventories + parts + PUTS_ELSE + archived,
        s3_gets=spent.plans_read + parts + GETS_ELSE + notified + scale.events * OF_EVENTS,
        log_bytes=scale.targets * LOGS.value + LOGS_ELSE.value,
        metric_hours=METRIC_HOURS,
        traces=scale.targets,
        kms=scale.targets * KMS.value,
        metrics=spent.metrics,
        cost_queries=spent.cost_queries,
        mails=scale.messages,
    )


def _writes(scale: Scale) -> float:
    """A claim and a receipt of each target, what changed, and a few of the scan."""
    names = scale.unseen * CHECK.value / WRITE_BYTES
    # Twice in the target's state, before and after, which is put once and updated in a transaction.
    claims = (1 + 2) * (scale.targets + 2 * names)
    receipts = 2 * (_receipts(scale) / WRITE_BYTES + scale.targets / 2)
    # An item of its own, likewise in the index. The receipt's transaction takes 98 of them with it; what the
    # others cost besides, a condition for 99, is left out.
    findings = scale.changes * (2 + 1)
    return claims + receipts + findings + SUMMARY.value / WRITE_BYTES + 2 + scale.messages


def _reads(scale: Scale) -> float:
    """Of each target its findings, in whole units; for the report all receipts, some times, and findings."""
    known = scale.kept * FINDING.value / READ_BYTES
    listed = scale.findings * FINDING.value / READ_BYTES / 2
    receipts = PASSES * _receipts(scale) / READ_BYTES
    return scale.targets * 0.5 + known + receipts + listed + PARTITIONS / 4 + _planned(scale)


def _planned(scale: Scale) -> float:
    return max(1, scale.accounts * ACCOUNT.value / READ_BYTES)


def _receipts(scale: Scale) -> float:
    """Bytes of all."""
    own = scale.targets * RECEIPT.value
    return own + scale.unseen * CHECK.value + scale.changes * TOLD.value


def lines(usage: Usage) -> Sequence[Line]:
    """The bill of one scan, at the list prices of the table's region."""
    return [
        _line("Step Functions", usage.transitions, "transitions", "states.transition_1000", 1000),
        _express(usage),
        _line("Lambda, arm64", usage.gb_seconds, "GB-seconds", "lambda.gb_second_arm"),
        _line("Lambda requests", usage.invocations, "requests", "lambda.request_per_million", 10**6),
        _line("DynamoDB writes", usage.writes, "units", "ddb.wru_million", 10**6),
        _line("DynamoDB reads", usage.reads, "units", "ddb.rru_million", 10**6),
        _line("S3 writes", usage.s3_puts, "requests", "s3.put_1000", 1000),
        _line("S3 reads", usage.s3_gets, "requests", "s3.get_1000", 1000),
        _line("Logs", usage.log_bytes / 10**6, "MB", "logs.ingest_gb", 1000),
        _line("Custom metrics", usage.metric_hours, "hours", "cw.metric_month", prices.HOURS),
        _line("X-Ray", usage.traces, "traces", "xray.trace_million", 10**6),
        _line("KMS", usage.kms, "requests", "kms.per_10k_requests", 10**4),
        _line("Mail", usage.mails, "messages", "sns.email_100k", 10**5),
        _line("Metrics read*", usage.metrics, "metrics", "cw.read_1000", 1000),
        _line("Cost Explorer*", usage.cost_queries, "requests", "cost_explorer.request"),
    ]


def _express(usage: Usage) -> Line:
    """Requests, and the time of 64 MB each."""
    started = _line("Express", usage.groups, "executions", "states.express_million", 10**6)
    lasted = _line("", usage.gb_seconds * EXPRESS.value, "GB-seconds", "states.express_gb_hour", HOUR_S)
    return started._replace(usd=started.usd + lasted.usd)


def _line(name: str, amount: float, unit: str, key: str, per: float = 1) -> Line:
    return Line(name, amount, unit, amount * float(prices.listed(key)) / per)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """An organization, as one would describe it before the first scan."""

    accounts: int
    regions: int
    """Of each account."""
    resources: int = 50
    """In a region of an account, on average; one that nobody uses has its network."""
    findings: int = 6
    """Open in a target, on average."""
    changes: int = 200
    """Findings that a scan opens, closes or changes."""
    resolved: int | None = None
    """Kept in the table besides; None: half of what changes while they are kept."""
    blind: int = 0
    """Targets that cannot be looked into: without a role, or in a region that is off."""
    unseen: int = 0
    """Checks times targets that this costs."""
    scans: float = 30.0
    """A month."""
    routes: int = 1
    events: bool = False
    schedules: int = 1
    seconds: float = SECONDS.value
    memory_mib: int = 1024
    concurrency: int = 50
    inventory_days: int = INVENTORY_DAYS
    """0: none is written."""

    @property
    def targets(self) -> int:
        return self.accounts * (self.regions + 1)

    @property
    def open(self) -> int:
        return self.targets * self.findings

    @property
    def kept(self) -> int:
        """Open and resolved findings in the table."""
        if self.resolved is None:
            return self.open + round(self.changes / 2 * self.scans * KEPT_DAYS / DAYS)
        return self.open + self.resolved


def expected(size: Size) -> Usage:
    """Of one scan, when findings have been kept for as long as they will be."""
    seen = 1 - size.blind / size.targets
    in_regions = size.accounts * size.regions * seen
    further = in_regions * max(0, size.resources - UNUSED.value)
    calls = in_regions * CALLS_REGION.value + size.accounts * seen * CALLS_GLOBAL.value
    hub = SECONDS_ELSE.value * (PLAN_MIB + REPORT_MIB) / 2
    spent = Spent(
        calls=round(calls + further * CALLS_RESOURCE.value),
        metrics=round(further * METRICS.value),
        cost_queries=round(COST_QUERIES.value),
        invocations=size.targets + 2,
        gb_seconds=(size.targets * size.seconds * size.memory_mib + hub) / KIB,
        plans_read=min(size.targets, size.concurrency),
    )
    scale = Scale(
        accounts=size.accounts,
        targets=size.targets,
        findings=size.open,
        kept=size.kept,
        changes=size.changes,
        unseen=size.unseen,
        messages=size.routes if size.changes else 0,
        events=size.events,
        inventories=size.targets if size.inventory_days else 0,
    )
    return usage(scale, spent)


def standing(size: Size) -> Sequence[Line]:
    """What a month costs besides its scans, likewise."""
    receipts = size.targets * size.scans * KEPT_DAYS / DAYS * RECEIPT.value
    table = (receipts + size.kept * FINDING.value) / GB
    resources = size.accounts * size.regions * size.resources
    inventory = resources * size.scans * size.inventory_days / DAYS * INVENTORY.value / GB
    return [
        _line("Alarms", ALARMS + size.schedules, "alarms", "cw.alarm_standard"),
        _line("Key", 1, "keys", "kms.key_month"),
        _line("Table", table, "GB", "ddb.storage_gb"),
        _line("Table's backup", table, "GB", "ddb.pitr_gb"),
        _line("Inventory", inventory, "GB", "s3.standard"),
        _line("Scheduler", size.scans, "starts", "scheduler.million", 10**6),
    ]
