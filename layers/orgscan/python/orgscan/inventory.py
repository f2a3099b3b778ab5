"""What there is: every resource that a scan collected of a target, in a form that Athena reads.

One object per target and scan, of gzip JSON Lines. It holds a record for each resource, and one for each type
that was listed, which says whether all of it was seen: only then does what is not there not exist.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from gzip import GzipFile
from math import isfinite
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from orgscan.errors import OutOfTime
from orgscan.model import Gap, Resource, Taggable, TagRecord, Target
from orgscan.results import LEVEL
from orgscan.sight import Sight
from orgscan.spool import CHUNK, Spool

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "inventory/"
"""Under which it lies, by day: the day on which the scan started, UTC."""

COLUMNS = {
    "record": "string",  # 'resource', or 'listing': that a type was listed
    "type": "string",
    "arn": "string",
    "id": "string",
    "name": "string",
    "account": "string",
    "account_name": "string",
    "region": "string",
    "tags": "map<string,string>",
    "facts": "string",  # JSON: each kind of resource has its own
    "complete": "boolean",
    "reason": "string",  # a Blindness
    "detail": "string",
    "resources": "bigint",
    "scan": "string",
    "seen_at": "string",
}
"""Name of a record's member -> its type in Hive. Every record has all of them."""

OF_RESOURCES = ("type", "arn", "id", "name", "account", "account_name", "region", "tags", "facts")
OF_LISTINGS = ("type", "account", "account_name", "region", "complete", "reason", "detail", "resources")
OF_BOTH = ("scan", "seen_at")

LAST_S = 10.0
"""What sending the object takes at the end of an invocation."""

IN_ONE_PIECE = 8 << 20
"""Bytes. What uploads in parts starts a dozen threads, also for what has but one."""

AS_IT_IS = frozenset({str, int, bool, type(None)})
"""Types that JSON has too."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inventory:
    """One scan's share of the inventory. Everything that is written may be written again, and is the same."""

    s3: S3Client
    bucket: str
    scan: str
    started: str
    """ISO 8601 UTC."""

    def put(
        self,
        target: Target,
        kinds: Iterable[type[Resource]],
        spool: Spool,
        *,
        seconds_left: Callable[[], float] = lambda: float("inf"),
    ) -> None:
        """What was collected of these kinds. Raises OutOfTime before anything is sent."""
        with TemporaryFile() as file:
            write(self._timed(self.records(target, kinds, spool), seconds_left), file)
            size = file.tell()
            file.seek(0)
            if size > IN_ONE_PIECE:
                self.s3.upload_fileobj(file, self.bucket, self.key(target))
            else:
                self.s3.put_object(Bucket=self.bucket, Key=self.key(target), Body=file)

    def key(self, target: Target) -> str:
        place = f"account={target.account}/region={target.region}"
        return f"{FOLDER}dt={self.started[:10]}/{place}/{self.scan}.jsonl.gz"

    def records(self, target: Target, kinds: Iterable[type[Resource]], spool: Spool) -> Iterator[Record]:
        """By type and ARN, so that a repetition that sees the same writes the same."""
        everywhere = {
            "account": target.account,
            "account_name": target.account_name,
            "region": target.region,
            "scan": self.scan,
            "seen_at": self.started,
        }
        sight = Sight(target, datetime.fromisoformat(self.started), spool)
        for kind in sorted(kinds, key=lambda kind: kind.aws_types):
            counted: Counter[str] = Counter()
            for resource in spool.by_arn(kind):
                counted[resource.aws_type] += 1
                yield _whole({**everywhere, **_resource(resource, sight)})
            for aws_type in kind.aws_types:
                listing = _listing(spool.gap(kind))
                yield _whole({**everywhere, **listing, "type": aws_type, "resources": counted[aws_type]})

    def _timed(self, records: Iterable[Record], seconds_left: Callable[[], float]) -> Iterator[Record]:
        for number, record in enumerate(records):
            if number % CHUNK == 0 and seconds_left() < LAST_S:
                raise OutOfTime
            yield record


def write(records: Iterable[Record], file: IO[bytes]) -> None:
    """As gzip JSON Lines. The same records are the same bytes, whenever they are written."""
    packed = Packed(file)
    for record in records:
        packed.add(record)
    packed.close()


class Packed:
    """Likewise, one by one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._packed = GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0)

    def add(self, record: Record) -> None:
        self._packed.write(f"{_json(record)}\n".encode("ascii"))

    def close(self) -> None:
        """The file is whole, and stays open."""
        self._packed.close()


def _whole(told: Record) -> Record:
    return {name: told.get(name) for name in COLUMNS}


def _listing(lost: Gap | None) -> Record:
    if lost is None:
        return {"record": "listing", "complete": True}
    return {"record": "listing", "complete": False, "reason": lost.reason.value, "detail": lost.detail}


def _resource(resource: Resource, sight: Sight) -> Record:
    tags = sight.tags(resource)
    facts = _facts(resource)
    facts.pop("arn")
    # Of what can carry tags and whose tags nobody could read, the reason stands among the facts.
    if tags is None and isinstance(resource, Taggable):
        facts["tags"] = sight.spool.gap(TagRecord)
    else:
        facts.pop("tags", None)
    # A name that could not be read is no name: it stays a fact.
    known = {name: facts.pop(name) for name in ("id", "name") if isinstance(facts.get(name), str)}
    return {
        "record": "resource",
        "type": resource.aws_type,
        "arn": resource.arn,
        "id": known.get("id", _last(resource.arn)),
        "name": known.get("name", (tags or {}).get("Name")),
        "tags": tags,
        "facts": _json(_plain(facts)),
    }


def _facts(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in _names(of.__class__)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _last(arn: str) -> str:
    """What an ARN says behind account and kind: 'i-1', 'team/robot'."""
    return re.split("[:/]", arn.split(":", 5)[-1], maxsplit=1)[-1]


def _plain(fact: Any) -> Any:
    """A fact as JSON has it, whatever it is. Sets are sorted, for they have no order of their own."""
    if type(fact) in AS_IT_IS:  # most are, which saves half of the time
        return fact
    if isinstance(fact, Gap):
        return {"unread": f"{fact.reason}: {fact.detail}"}
    if is_dataclass(fact):
        fact = _facts(fact)
    match fact:
        case Mapping():
            return {str(_plain(name)): _plain(value) for name, value in fact.items()}
        case AbstractSet():
            return sorted(map(_plain, fact), key=_json)
        case list() | tuple():
            return [_plain(each) for each in fact]
    return _plain_value(fact)


def _plain_value(fact: Any) -> bool | float | str | None:
    match fact:
        case Enum():
            return _plain_value(fact.value)
        case float() if not isfinite(fact):
            return str(fact)  # of which JSON knows nothing
        case None | bool() | int() | float() | str():
            return fact
        case date():  # also with a time
            return fact.isoformat()
        case timedelta():
            return fact.total_seconds()
    return f"({type(fact).__name__})"  # facts are made of nothing else; if one is, its words may be a secret


def _json(value: Any) -> str:
    """On one line and in ASCII, whatever somebody called a thing."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
