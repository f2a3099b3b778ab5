"""What of a scan reaches the embedded AWS, in the units that AWS bills."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from local.calls import Call
from local.iam import Caller, Gate

Item = Mapping[str, Any]
MEMBER = "orgscan-member"
READ, WRITE = 4096, 1024
"""Bytes of an item for a unit."""


@dataclass
class Meters:
    """`rows`: the table when the scan has ended, in which what its requests read is looked up."""

    requests: Counter[str] = field(default_factory=Counter)
    """'member' and 'member ce' of the accounts that are looked at; of the hub by API, and gets by object."""
    metrics: int = 0
    rows: Sequence[Item] = ()
    _puts: float = 0
    """Units of what is written whole."""
    _touched: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Key -> units for each KB of what is changed or checked in place."""
    _reads: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @contextmanager
    def reading(self, gate: Gate) -> Iterator[None]:
        before, gate.trouble, denied = gate.trouble, self._count, len(gate.denials)
        try:
            yield
        finally:
            gate.trouble = before
        # Those that were refused have asked, too.
        self.requests["member"] += sum(MEMBER in each.principal for each in gate.denials[denied:])

    def writes(self) -> float:
        sizes = {(row["pk"], row["sk"]): size(row) for row in self.rows}
        touched = sum(units * _units(sizes.get(key, 0), WRITE) for key, units in self._touched.items())
        return self._puts + touched

    def reads(self) -> float:
        return sum(self._read(name, asked) for name, asked in self._reads)

    def _count(self, caller: Caller, call: Call) -> None:
        asked = call.parameters
        if caller.role_arn.endswith(MEMBER):
            self.requests["member"] += 1
            self.requests["member ce"] += call.service == "ce"
            self.metrics += len(asked.get("MetricDataQueries", ()))
            return
        self.requests[call.name] += 1
        if call.name == "s3:GetObject":
            self.requests[f"{call.name} {asked['Key'].rpartition('/')[2]}"] += 1
        if call.service == "dynamodb":
            self._count_units(call.operation.name, asked)

    def _count_units(self, name: str, asked: Mapping[str, Any]) -> None:
        for part in asked.get("TransactItems", ()):
            for kind, what in part.items():
                if kind == "Put":
                    self._put(plain(what["Item"]), 2)
                else:
                    self._touched[_key(plain(what["Key"]))] += 2
        if name == "PutItem":
            self._put(plain(asked["Item"]), 1)
        if name in ("UpdateItem", "DeleteItem"):
            self._touched[_key(plain(asked["Key"]))] += 1
        if name in ("Query", "GetItem"):
            self._reads.append((name, asked))

    def _put(self, item: Item, units: int) -> None:
        """What carries its keys is written to the index too."""
        self._puts += (units + ("listed" in item)) * _units(size(item), WRITE)

    def _read(self, name: str, asked: Mapping[str, Any]) -> float:
        if name == "GetItem":
            found = [row for row in self.rows if _key(row) == _key(plain(asked["Key"]))]
            return _units(sum(map(size, found)), READ)
        place, *prefix = plain(asked["ExpressionAttributeValues"]).values()
        partition = "listed" if "IndexName" in asked else "pk"
        found = [row for row in self.rows if row.get(partition) == place]
        found = [row for row in found if row["sk"].startswith(tuple(prefix) or "")]
        return _units(sum(map(size, found)), READ) * (1 if asked.get("ConsistentRead") else 0.5)


def _units(bytes_: int, of: int) -> int:
    return max(1, ceil(bytes_ / of))


def _key(item: Item) -> tuple[str, str]:
    return item["pk"], item["sk"]


def plain(wire: Mapping[str, Any]) -> Item:
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in wire.items()}


def size(value: Any) -> int:
    """Bytes that DynamoDB takes it for: docs, "DynamoDB item sizes and formats"."""
    match value:
        case str():
            return len(value.encode())
        case Decimal():
            return ceil(len(value.as_tuple().digits) / 2) + 1
        case Mapping() if "pk" in value:  # an item, which is no attribute itself
            return sum(size(name) + size(each) for name, each in value.items())
        case Mapping():
            return 3 + sum(1 + size(name) + size(each) for name, each in value.items())
        case list() | set():
            return 3 + sum(1 + size(each) for each in value)
    return 1
