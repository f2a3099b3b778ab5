"""What scans found, and what they came to, target by target: in a form that Athena reads.

Two objects per scan, of gzip JSON Lines, under the day on which it started, UTC: the findings of what it
looked at, with those it closed, and a row of each receipt. The newest receipt of a target says which scan's
findings stand there.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from orgscan.inventory import Packed
from orgscan.line import Line
from orgscan.meter import AMOUNTS, GB_SECONDS
from orgscan.model import Severity
from orgscan.plan import Plan
from orgscan.receipt import Receipt
from orgscan.reconcile import Change
from orgscan.results import LEVEL

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FINDINGS, RECEIPTS = "findings/", "receipts/"
"""Under which they lie, by day."""

OF_SCANS = {
    "scan": "string",
    "schedule": "string",  # null: none, somebody asked
    "seen_at": "string",  # when the scan started
}
OF_FINDINGS = {
    "id": "string",
    "check": "string",
    "severity": "string",
    "category": "string",
    "partition": "string",
    "account": "string",
    "account_name": "string",
    "region": "string",
    "resource": "string",
    "key": "string",
    "problems": "array<string>",
    "status": "string",
    "first_seen": "string",
    "opened": "string",
    "change": "string",
    "changed_in": "string",
    "history": "string",  # JSON
    "owner": "string",
    "owned_by": "string",
    "tags": "map<string,string>",
    "monthly_usd": "double",
    "basis": "string",
    "confidence": "string",
    "resolved_because": "string",
    "suppressed_by": "string",
    "unconfirmed_since": "string",
    **OF_SCANS,
}
"""Name of a member -> its type in Hive. Every row has all of them."""
OF_RECEIPTS = {
    "partition": "string",
    "account": "string",
    "account_name": "string",
    "region": "string",
    "standing": "string",
    "planned": "bigint",
    "evaluated": "bigint",
    "unseen": "array<struct<reason:string,detail:string,checks:array<string>>>",
    "newly_blind": "array<string>",
    "resources": "bigint",
    **{f"open_{severity}": "bigint" for severity in reversed(Severity)},
    "suppressed": "bigint",
    **{f"changed_{change}": "bigint" for change in Change},
    "monthly_usd": "double",
    "unpriced": "bigint",
    "unconfirmed": "bigint",
    "unconfirmed_since": "string",
    "kept": "bigint",
    **{name: "double" if name == GB_SECONDS else "bigint" for name in AMOUNTS},
    **OF_SCANS,
}
"""Likewise."""

Row = Mapping[str, Any]


@dataclass
class Archive:
    """One scan's. Everything that is written may be written again, and is the same."""

    s3: S3Client
    bucket: str
    plan: Plan
    wanted: bool = True
    """False: nothing is written."""
    _packer: Any = field(default_factory=lambda: zlib.compressobj(LEVEL, wbits=31))
    _file: IO[bytes] = field(default_factory=TemporaryFile)
    _findings: Packed = field(init=False)
    _receipts: bytearray = field(default_factory=bytearray)
    """Packed: some dozens of bytes each, while a scan lists all its targets in memory anyway."""

    def __post_init__(self) -> None:
        self._findings = Packed(self._file)

    def watch(self, receipts: Iterable[Receipt]) -> Iterator[Receipt]:
        """The same receipts, noted as they pass."""
        for each in receipts:
            if self.wanted:
                row = json.dumps(receipt_row(each, self.plan), separators=(",", ":"), allow_nan=False)
                self._receipts += self._packer.compress(f"{row}\n".encode("ascii"))
            yield each

    def close(self) -> None:
        """Nothing more will pass."""
        self._findings.close()
        self._file.close()

    def begin(self) -> None:
        """Forget the findings that have passed: they are going to pass again."""
        self._findings.close()  # or it would write its end there when it is gone
        self._file.seek(0)
        self._file.truncate()
        self._findings = Packed(self._file)

    def noting(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same findings, noted as they pass."""
        for line in lines:
            if self.wanted:
                self._findings.add(finding_row(line, self.plan))
            yield line

    def put(self) -> None:
        """Once all have passed. The findings come first: receipts make them count."""
        if not self.wanted:
            return
        self._findings.close()
        self._file.seek(0)
        self._put(FINDINGS, self._file)
        self._put(RECEIPTS, bytes(self._receipts + self._packer.flush()))

    def _put(self, folder: str, body: bytes | IO[bytes]) -> None:
        self.s3.put_object(
            Bucket=self.bucket, Key=key(folder, self.plan), Body=body, ContentType="application/gzip"
        )


def key(folder: str, plan: Plan) -> str:
    return f"{folder}dt={plan.started[:10]}/{plan.scan}.jsonl.gz"


def finding_row(line: Line, plan: Plan) -> Row:
    told = line.to_json()
    return {**told, "history": json.dumps(told["history"], separators=(",", ":")), **_of_scan(plan)}


def receipt_row(receipt: Receipt, plan: Plan) -> Row:
    target = receipt.target
    opened, changed = Counter[str](), Counter[str]()
    for (severity, _), count in receipt.open.items():
        opened[severity] += count
    for (change, *_), count in receipt.changed.items():
        changed[change] += count
    return {
        "partition": target.partition,
        "account": target.account,
        "account_name": target.account_name,
        "region": target.region,
        "standing": target.standing,
        "planned": receipt.planned,
        "evaluated": receipt.evaluated,
        "unseen": [asdict(each) for each in receipt.unseen],
        "newly_blind": receipt.newly_blind,
        "resources": sum(receipt.resources.values()),
        **{f"open_{severity}": opened[severity] for severity in reversed(Severity)},
        "suppressed": sum(receipt.suppressed.values()),
        **{f"changed_{change}": changed[change] for change in Change},
        "monthly_usd": float(receipt.monthly_usd),
        "unpriced": receipt.unpriced,
        "unconfirmed": receipt.unconfirmed,
        "unconfirmed_since": receipt.unconfirmed_since or None,
        "kept": receipt.kept,
        **asdict(receipt.spent),
        **_of_scan(plan),
    }


def _of_scan(plan: Plan) -> Row:
    return {"scan": plan.scan, "schedule": plan.schedule or None, "seen_at": plan.started}
