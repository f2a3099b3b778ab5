"""What one scan left: a folder of files, the same in the bucket of a deployment and on a disk.

summary.json            what it came to: `report.describe`
findings.jsonl.gz       every open or suppressed finding of what was scanned, worst first: `line.Line`
resolved.jsonl.gz       the findings that this scan closed
compliance.json         framework by framework, control by control
tags.json               tag compliance by account and owner
rollup.json             counts by account, check, owner and age: what history adds up
report.html             all of it, for people
plan.json, targets.json what the scan set out to do: `plans.put`
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from orgscan.errors import code_of
from orgscan.line import Line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCANS = "scans/"
"""Under which the bucket holds a folder per scan."""
WORK = "work/"
"""Under which it holds what a scan puts away for its own later steps."""
SUMMARY, COMPLIANCE, TAGS, ROLLUP = "summary.json", "compliance.json", "tags.json", "rollup.json"
FINDINGS, RESOLVED = "findings.jsonl.gz", "resolved.jsonl.gz"
REPORT = "report.html"
LEVEL = 6
"""Of compression: half the time of the highest, for some percent more bytes."""
TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8", ".gz": "application/gzip"}


class NoSuchResult(Exception):
    """The scan left no such file; the text is where it should be."""


class Folder(Protocol):
    """Files by name."""

    @property
    def address(self) -> str:
        """For people."""

    def get(self, name: str) -> bytes:
        """Raises NoSuchResult."""

    def put(self, name: str, body: bytes | IO[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Bucketed:
    """In the bucket of a deployment."""

    s3: S3Client
    bucket: str
    scan: str

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/{self.key('')}"

    def key(self, name: str) -> str:
        return f"{SCANS}{self.scan}/{name}"

    def get(self, name: str) -> bytes:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=self.key(name))["Body"].read()
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            raise NoSuchResult(f"{self.address}{name}") from error

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        kind = TYPES[name[name.rindex(".") :]]
        # In one piece: several at once would be several in memory.
        self.s3.put_object(Bucket=self.bucket, Key=self.key(name), Body=body, ContentType=kind)


@dataclass(frozen=True, slots=True)
class Shelved:
    """On a disk."""

    path: Path

    @property
    def address(self) -> str:
        return f"{self.path}/"

    def get(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError as missing:
            raise NoSuchResult(f"{self.address}{name}") from missing

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(body if isinstance(body, bytes) else body.read())


@dataclass(frozen=True, slots=True)
class Results:
    """Of one scan. Everything is read when it is asked for, and never kept."""

    folder: Folder

    def put_json(self, name: str, value: Any, *, indent: int | None = None) -> None:
        self.folder.put(name, json.dumps(value, indent=indent).encode())

    def json(self, name: str) -> Any:
        """Raises NoSuchResult."""
        return json.loads(self.folder.get(name))

    @property
    def summary(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.json(SUMMARY)
        return told

    def put_lines(self, name: str, lines: Iterable[Line]) -> int:
        """As gzip JSON Lines, streamed. Returns their number."""
        count = 0
        with TemporaryFile() as file:
            with gzip.open(file, "wb", LEVEL) as packed, TextIOWrapper(packed, encoding="utf-8") as text:
                for count, each in enumerate(lines, start=1):  # noqa: B007 (it is the answer)
                    text.write(json.dumps(each.to_json()) + "\n")
            file.seek(0)
            self.folder.put(name, file)
        return count

    def findings(self) -> Iterator[Line]:
        """Open and suppressed, worst first. Raises NoSuchResult."""
        return self._lines(FINDINGS)

    def resolved(self) -> Iterator[Line]:
        """Those that this scan closed. Raises NoSuchResult."""
        return self._lines(RESOLVED)

    def _lines(self, name: str) -> Iterator[Line]:
        body = self.folder.get(name)
        with gzip.open(io.BytesIO(body), "rt", encoding="utf-8") as text:
            for each in text:
                yield Line.from_json(json.loads(each))
