"""Findings as people and machines get them, in a few words, and the summary of the scan that left them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from orgscan import catalog
from orgscan.catalog import AnyCheck
from orgscan.coverage import Resolution
from orgscan.line import Line, fingerprint
from orgscan.model import GLOBAL, Category, Confidence, Money, OwnedBy, Owner, Severity
from orgscan.reconcile import Change, Event, Status
from orgscan.results import FINDINGS, RESOLVED, SUMMARY, Results, Shelved

SCAN = "20260115T060000000Z-8f14e45f"
STARTED, FINISHED = "2026-01-15T06:00:00+00:00", "2026-01-15T06:09:41+00:00"
BEFORE = "2025-11-03T06:00:00+00:00"


def line(check: str = "ec2-security-group-open-ssh", **different: Any) -> Line:
    """Open since this scan, if nothing else is said."""
    told: dict[str, Any] = {
        "check": check,
        "severity": Severity.HIGH,
        "category": Category.SECURITY,
        "partition": "aws",
        "account": "111111111111",
        "account_name": "payments-prod",
        "region": "eu-west-1",
        "resource": "arn:aws:ec2:eu-west-1:111111111111:security-group/sg-0a1b2c3d4e5f60718",
        "key": "",
        "problems": ("sgr-0f00ba4 allows tcp 22 from 0.0.0.0/0",),
        "status": Status.OPEN,
        "first_seen": STARTED,
        "opened": STARTED,
        "change": Change.NEW,
        "changed_in": SCAN,
        "history": (Event(STARTED, Change.NEW),),
        "owner": Owner("team-payments", OwnedBy.ACCOUNT),
        "tags": {"stage": "prod"},
        "saving": None,
        "resolved_because": None,
        "suppressed_by": "",
        "unconfirmed_since": "",
        **different,
    }
    where = f"{told['check']}#{told['resource']}#{told['key']}".encode(errors="replace").decode()
    id_ = fingerprint(told["partition"], told["account"], told["region"], where)
    return Line(**{"id": id_, **told})


OLD: Mapping[str, Any] = {
    "first_seen": BEFORE,
    "opened": BEFORE,
    "changed_in": "20251103T060000000Z-0aa1bb2c",
    "history": (Event(BEFORE, Change.NEW),),
}
BUCKET = line(
    "s3-bucket-policy-public",
    severity=Severity.CRITICAL,
    resource="arn:aws:s3:::acme-landing-zone-logs",
    problems=("anyone may s3:GetObject",),
)
SSH = line(**OLD)
ROLE = line(
    "iam-role-trust-public",
    severity=Severity.CRITICAL,
    region=GLOBAL,
    account="222222222222",
    account_name="sandbox",
    resource="arn:aws:iam::222222222222:role/ci",
    problems=("anyone may sts:AssumeRole", "no condition narrows it"),
    owner=Owner(),
    tags={},
    unconfirmed_since="2026-01-14T06:00:00+00:00",
    **OLD,
)
VOLUME = line(
    "ebs-volume-unattached",
    severity=Severity.MEDIUM,
    category=Category.COST,
    account="222222222222",
    account_name="sandbox",
    region="us-east-1",
    resource="arn:aws:ec2:us-east-1:222222222222:volume/vol-0123456789abcdef0",
    problems=("attached to nothing for 40 days",),
    owner=Owner("data@acme.example", OwnedBy.RESOURCE),
    tags={"owner": "data@acme.example"},
    saving=Money(40.0, "500 GiB of gp3 at 0.08 USD", Confidence.HIGH),
)
WEBSITE = line(
    "s3-bucket-policy-public",
    severity=Severity.CRITICAL,
    resource="arn:aws:s3:::acme-website",
    problems=("anyone may s3:GetObject",),
    status=Status.SUPPRESSED,
    suppressed_by="s3-bucket-policy-public arn:aws:s3:::acme-website",
    **OLD,
)
CLOSED = line(
    resource="arn:aws:ec2:eu-west-1:111111111111:security-group/sg-0b2",
    status=Status.RESOLVED,
    change=Change.RESOLVED,
    resolved_because=Resolution.FIXED,
    first_seen=BEFORE,
    opened=BEFORE,
    history=(Event(BEFORE, Change.NEW), Event(STARTED, Change.RESOLVED)),
)
GONE = line(
    "ebs-volume-unattached",
    severity=Severity.MEDIUM,
    category=Category.COST,
    resource="arn:aws:ec2:eu-west-1:111111111111:volume/vol-0fedcba9876543210",
    status=Status.RESOLVED,
    change=Change.RESOLVED,
    resolved_because=Resolution.RESOURCE_DELETED,
    first_seen=BEFORE,
    opened=BEFORE,
    history=(Event(BEFORE, Change.NEW), Event(STARTED, Change.RESOLVED)),
)
FOUND = (BUCKET, ROLE, SSH, VOLUME, WEBSITE)
SOLVED = (CLOSED, GONE)
CHECKS: Mapping[str, AnyCheck] = {
    check.id: check for check in catalog.checks() if check.id in {each.check for each in (*FOUND, *SOLVED)}
}

COMPLETE: Mapping[str, Any] = {
    "scan": SCAN,
    "schedule": "nightly",
    "started": STARTED,
    "finished": FINISHED,
    "complete": True,
    "coverage": 100.0,
    "accounts": 2,
    "targets": {"planned": 8, "reached": 8},
    "checks": {"planned": 620, "evaluated": 620},
    "gaps": [],
    "more_gaps": 0,
    "changes": {"new": {"critical": 1, "medium": 1}, "resolved": {"high": 1, "medium": 1}},
    "open": {"critical": {"security": 2}, "high": {"security": 1}, "medium": {"cost": 1}},
}
SUMMARIZED: Mapping[str, Any] = {
    **COMPLETE,
    "complete": False,
    "coverage": 95.1,
    "checks": {"planned": 620, "evaluated": 590},
    "gaps": [
        {"reason": "denied", "detail": "sts:AssumeRole", "checks": 25, "targets": 1},
        {"reason": "denied-by-scp", "detail": "ec2:DescribeInstances (p-closed)", "checks": 5, "targets": 2},
    ],
}
"""A scan that could not see everything."""


def shelve(
    folder: Path, found: Sequence[Line] = FOUND, solved: Sequence[Line] = SOLVED, **told: Any
) -> Results:
    """As a scan leaves its results on a disk."""
    results = Results(Shelved(folder))
    results.put_json(SUMMARY, {**SUMMARIZED, **told})
    results.put_lines(FINDINGS, found)
    results.put_lines(RESOLVED, solved)
    return results


HOSTILE = (
    "=cmd|' /C calc'!A0",
    '+HYPERLINK("http://evil.example")',
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "\uff0b1",
    " =1",
    "'=1",
    '"=1',
    "a;=1",
    "a\n=1",
    "a\n- critical",
    "<script>alert(1)</script>",
    "]]>",
    "&amp;<!--",
    "a|b\\|c`d`",
    "[x](http://evil.example)",
    "@everyone #1 http://evil.example",
    "\x00\x1b[2J\x7f\x85\x9b",
    "\u2028\u202e\ufffe\uffff",
    "\ud800",
    "\U0001f600",
    "x" * 2000,
    "\U0001f600" * 2000,
    "",
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=30)
MOMENTS = st.sampled_from([STARTED, BEFORE, "2024-02-29T23:59:59+00:00"])
LINES = st.builds(
    line,
    check=st.sampled_from([*CHECKS, "check-of-old"]),
    severity=st.sampled_from(Severity),
    category=st.sampled_from(Category),
    partition=st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-eusc"]),
    account=st.integers(0, 10**12 - 1).map("{:012}".format),
    account_name=TEXTS,
    region=st.sampled_from(["eu-west-1", GLOBAL]),
    resource=TEXTS | TEXTS.map("arn:aws:ec2:eu-west-1:111111111111:instance/{}".format),
    key=TEXTS,
    problems=st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    status=st.sampled_from(Status),
    first_seen=MOMENTS,
    opened=MOMENTS,
    history=st.sampled_from([(), (Event(BEFORE, Change.NEW), Event(STARTED, Change.WORSENED))]),
    owner=st.builds(Owner, TEXTS, st.sampled_from(OwnedBy)),
    tags=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
    saving=st.none()
    | st.builds(Money, st.floats(0, 1e6).map(lambda usd: round(usd, 2)), TEXTS, st.sampled_from(Confidence)),
    resolved_because=st.none() | st.sampled_from(Resolution),
    suppressed_by=TEXTS,
    unconfirmed_since=st.sampled_from(["", BEFORE]),
)
"""Any finding, with names that somebody chose to do harm."""
