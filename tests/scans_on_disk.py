"""A few scans of a small organization, as they leave their folders: for all who read results.

week(tmp_path)                      # three scans, one of them of one account only
write(tmp_path, told("20260116T060000000Z-aaaaaaaa", day(16), [line(...)]))
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orgscan import catalog
from orgscan.coverage import Resolution
from orgscan.line import Line, fingerprint
from orgscan.model import NOBODY, Confidence, Money, OwnedBy, Owner, Severity
from orgscan.reconcile import Change, Event, Status
from orgscan.results import FINDINGS as OPEN
from orgscan.results import RESOLVED, ROLLUP, SUMMARY, Folder, Results, Shelved

NAMES = {
    "111111111111": "acme-payments-prod",
    "222222222222": "acme-shop-dev",
    "333333333333": "acme-sandbox [red]<b>=1+1\x1b[31m\x07",
}
"""The last one is hostile."""
UPPER = (7, 30, 90, 365)
"""Days, of the buckets of ages."""
BLIND = {"reason": "denied", "detail": "sts:AssumeRole", "checks": 30, "targets": 6}


def day(number: int) -> str:
    """Of January 2026, at six."""
    return f"2026-01-{number:02}T06:00:00+00:00"


def scan_id(number: int) -> str:
    return f"202601{number:02}T060000123Z-{number:02}f14e45"


def line(  # noqa: PLR0913 (each is a word of a finding)
    check: str,
    resource: str,
    *problems: str,
    account: str = "111111111111",
    region: str = "eu-west-1",
    severity: Severity | None = None,
    opened: int = 1,
    history: Sequence[tuple[int, Change]] = (),
    owner: Owner = NOBODY,
    tags: Mapping[str, str] | None = None,
    usd: float | None = None,
    **more: Any,
) -> Line:
    """Of a check that exists; `resource` without the ARN's beginning, opened on a day of January."""
    about = next(each for each in catalog.checks() if each.id == check)
    service, _, rest = resource.partition(":")
    arn = f"arn:aws:{service}:{'' if region == 'global' else region}:{account}:{rest}"
    events = [Event(day(when), change) for when, change in history or [(opened, Change.NEW)]]
    made = Line(
        id=fingerprint("aws", account, region, f"{check}#{arn}#{more.get('key', '')}"),
        check=check,
        severity=severity or about.severity,
        category=about.category,
        partition="aws",
        account=account,
        account_name=NAMES.get(account, ""),
        region=region,
        resource=arn,
        key="",
        problems=problems or ("it is wrong",),
        status=Status.OPEN,
        first_seen=events[0].when,
        opened=day(opened),
        change=events[-1].change,
        changed_in=scan_id(int(events[-1].when[8:10])),
        history=tuple(events),
        owner=owner,
        tags=tags,
        saving=None if usd is None else Money(usd, "list price of us-east-1", Confidence.HIGH),
        resolved_because=None,
        suppressed_by="",
        unconfirmed_since="",
    )
    return replace(made, **more)


def resolved(line: Line, on: int, because: Resolution = Resolution.FIXED) -> Line:
    history = (*line.history, Event(day(on), Change.RESOLVED))
    return replace(
        line,
        status=Status.RESOLVED,
        change=Change.RESOLVED,
        changed_in=scan_id(on),
        history=history,
        resolved_because=because,
    )


@dataclass(frozen=True)
class Left:
    """What one scan left."""

    scan: str
    started: str
    open: Sequence[Line]
    """And suppressed."""
    resolved: Sequence[Line] = ()
    schedule: str = "daily"
    coverage: float = 97.5
    gaps: Sequence[Mapping[str, Any]] = (BLIND,)
    targets: Sequence[tuple[str, str]] | None = None
    """Account and region; None: the folder does not tell, as those of one machine."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Of the summary."""

    @property
    def summary(self) -> dict[str, Any]:
        planned = 1200
        changed = [each for each in (*self.open, *self.resolved) if each.changed_in == self.scan]
        changes = {
            change: counts
            for change in Change
            if (counts := _by_severity(each for each in changed if each.change is change))
        }
        return {
            "scan": self.scan,
            "schedule": self.schedule,
            "started": self.started,
            "finished": self.started.replace("06:00:00", "06:07:30"),
            "complete": not self.gaps,
            "coverage": self.coverage,
            "coverage_before": 97.5,
            "accounts": len({account for account, _ in self.targets or ()}) or 3,
            "skipped": [],
            "account_changes": [],
            "more_account_changes": 0,
            "targets": {"planned": len(self.targets or ()) or 18, "reached": 16},
            "checks": {"planned": planned, "evaluated": int(planned * self.coverage / 100)},
            "gaps": [*self.gaps],
            "more_gaps": 0,
            "open": _nested(each for each in self.open if each.status is Status.OPEN),
            "changes": changes,
            "newly_blind": 0,
            "unconfirmed": sum(bool(each.unconfirmed_since) for each in self.open),
            "unconfirmed_since": None,
            "suppressed": _nested(each for each in self.open if each.status is Status.SUPPRESSED),
            "suppressions": [],
            "monthly_usd": round(sum(each.saving.monthly_usd for each in self.open if each.saving), 2),
            "unpriced": 1,
            "cost": {"calls": 4161, "gb_seconds": 204.0, "throttled": 0, "usd": 0.0612},
            **self.more,
        }

    @property
    def rollup(self) -> dict[str, Any]:
        lines = [each for each in self.open if each.status is Status.OPEN]
        accounts: dict[str, Any] = {}
        for each in lines:
            told = accounts.setdefault(
                each.account, {"name": each.account_name, "open": {}, "monthly_usd": 0.0}
            )
            told["open"][each.severity] = told["open"].get(each.severity, 0) + 1
            told["monthly_usd"] += each.saving.monthly_usd if each.saving else 0.0
        ages: dict[str, Counter[str]] = {}
        for each in lines:
            ages.setdefault(each.severity, Counter())[self._bucket(each)] += 1
        closed: dict[str, dict[str, int]] = {}
        for each in self.resolved:
            told = closed.setdefault(each.severity, {"findings": 0, "days": 0})
            told["findings"] += 1
            told["days"] += self._days(each)
        return {
            "accounts": accounts,
            "checks": _counted(lines, "check"),
            "owners": _counted(lines, "owner"),
            "ages": ages,
            "resolved": closed,
        }

    def _bucket(self, line: Line) -> str:
        return next((str(upper) for upper in UPPER if self._days(line) <= upper), "older")

    def _days(self, line: Line) -> int:
        return (datetime.fromisoformat(self.started) - datetime.fromisoformat(line.opened)).days


def _by_severity(lines: Iterable[Line]) -> dict[str, int]:
    counts = Counter(each.severity for each in lines)
    return {severity.value: counts[severity] for severity in reversed(Severity) if counts[severity]}


def _nested(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for each in lines:
        inner = nested.setdefault(each.severity.value, {})
        inner[each.category.value] = inner.get(each.category.value, 0) + 1
    return nested


def _counted(lines: Iterable[Line], what: str) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for each in lines:
        inner = counts.setdefault(each.check if what == "check" else each.owner.name, {})
        inner[each.severity.value] = inner.get(each.severity.value, 0) + 1
    return counts


def put(folder: Folder, left: Left) -> None:
    results = Results(folder)
    results.put_json(SUMMARY, left.summary, indent=1)
    results.put_json(ROLLUP, left.rollup)
    results.put_lines(OPEN, left.open)
    results.put_lines(RESOLVED, left.resolved)
    folder.put("report.html", f"<!doctype html><title>{left.scan}</title>".encode())
    if left.targets is not None:
        told = [{"account": account, "region": region} for account, region in left.targets]
        folder.put("targets.json", json.dumps(told).encode())
        folder.put("plan.json", json.dumps({"checks": [check.id for check in catalog.checks()]}).encode())


def write(folder: Path, *left: Left) -> Path:
    for each in left:
        put(Shelved(folder / each.scan), each)
    return folder


def now() -> datetime:
    """When the last scan of a week began."""
    return datetime.fromisoformat(day(15)).astimezone(UTC)


ADA = Owner("ada@acme.example", OwnedBy.RESOURCE)
SHOP = Owner("shop [red]\x1b[2J=cmd()", OwnedBy.ACCOUNT)
"""Hostile."""
PUBLIC = line(
    "s3-bucket-policy-public",
    "s3:acme-open-trail",
    "the policy allows everyone s3:GetObject",
    opened=2,
    owner=ADA,
    tags={"Owner": "ada@acme.example", "stage": "prod"},
)
ROOT_KEY = line(
    "iam-root-access-key-present", "iam:root", "root has access keys", account="222222222222", region="global"
)
VOLUMES = [
    line(
        "ebs-volume-unattached",
        f"ec2:volume/vol-0a1b2c3d4e5f{number:05}",
        f"attached to nothing, {number * 10} GiB",
        account="222222222222",
        region=("eu-west-1", "us-east-1")[number % 2],
        opened=number,
        owner=SHOP,
        usd=number * 4.4,
        tags={"stage": "dev"},
    )
    for number in range(3, 9)
]
HOSTILE = line(
    "s3-bucket-versioning-disabled",
    "s3:=HYPERLINK(1)|`$(id)`\x1b]0;owned\x07\nforged  critical  line",
    "versioning \x1b[31mis off\nand [bold]more[/bold] | <script>alert(1)</script>",
    account="333333333333",
    opened=5,
    owner=Owner("@SUM(1)\x1b[8m", OwnedBy.RESOURCE),
    tags={"=1+1": "\x1b[0m"},
)
WORSE = line(
    "acm-certificate-expiring",
    "acm:certificate/3c3f8494-bef0-4b89-a4ae-869820a1b2c3",
    "shop.acme.example: expires on 2026-01-20",
    severity=Severity.HIGH,
    opened=10,
    history=[(10, Change.NEW), (15, Change.WORSENED)],
)
ACCEPTED = line(
    "s3-bucket-versioning-disabled",
    "s3:acme-cache",
    "versioning is off",
    opened=1,
    history=[(1, Change.NEW), (13, Change.SUPPRESSED)],
    status=Status.SUPPRESSED,
    suppressed_by="0a1b2c3d4e5f",
)
BACK = line(
    "sqs-queue-policy-public",
    "sqs:orders",
    "the policy allows everyone sqs:SendMessage",
    opened=15,
    history=[(2, Change.NEW), (9, Change.RESOLVED), (15, Change.REOPENED)],
)
FRESH = line(
    "rds-instance-public", "rds:db:ledger", "reachable from 0.0.0.0/0 at port 5432", opened=15, owner=ADA
)
MENDED = line("ecr-repository-public-policy", "ecr:repository/base", "everyone may pull", opened=4)
DELETED = line("ebs-volume-unattached", "ec2:volume/vol-gone", "attached to nothing", opened=6, usd=8.0)
UNSEEN = line(
    "iam-user-access-key-not-rotated",
    "iam:user/bob",
    "AKIA... is 400 days old",
    account="333333333333",
    region="global",
    opened=3,
)


def week(folder: Path) -> Path:
    """The 13th and 15th looked at everything, the 14th at one account; the 12th has not ended."""
    (folder / scan_id(12)).mkdir(parents=True)
    eased = replace(
        WORSE, severity=Severity.LOW, change=Change.NEW, changed_in=scan_id(10), history=WORSE.history[:1]
    )
    steady = [PUBLIC, ROOT_KEY, *VOLUMES, HOSTILE, ACCEPTED]
    of_one = [PUBLIC, eased, ACCEPTED]
    return write(
        folder,
        Left(scan_id(13), day(13), [*steady, eased, MENDED, DELETED, UNSEEN]),
        Left(
            scan_id(14),
            day(14),
            of_one,
            [resolved(MENDED, 14), resolved(DELETED, 14, Resolution.RESOURCE_DELETED)],
            schedule="",
            coverage=100.0,
            gaps=(),
            targets=[("111111111111", "eu-west-1"), ("111111111111", "global")],
        ),
        Left(
            scan_id(15),
            day(15),
            [*steady, WORSE, BACK, FRESH, replace(UNSEEN, unconfirmed_since=day(15))],
            coverage=96.0,
            gaps=(BLIND, {"reason": "throttled", "detail": "DescribeVolumes", "checks": 18, "targets": 3}),
        ),
    )
