"""DynamoDB at the wire, on disk: one table with our keys and our index, as far as the store uses it."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Self

from orgscan.store import shard_of

PAGE_BYTES = 1 << 20
"""Of items, as JSON, that a query reads at most. DynamoDB counts without the JSON: its pages hold more."""
TABLE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS items
  (pk TEXT, sk TEXT, listed TEXT, listed_sk TEXT, item TEXT, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open ON items (listed, listed_sk) WHERE listed IS NOT NULL;
"""
INDEXED = ("listed", "listed_sk")
TERM = re.compile(
    r"(attribute_exists|attribute_not_exists|contains|begins_with)\((#?\w+)(?:, (:\w+))?\)"
    r"|(NOT )?(#?\w+) (?:=|>=) (:\w+)"
)
VERB = re.compile(r"\b(SET|ADD|DELETE) ")
ACTION = re.compile(r"(#?\w+)(?: =)?(?: if_not_exists\((#?\w+),)? (:\w+)")

Item = dict[str, Any]
"""Attribute -> {type: value}, as DynamoDB writes it."""


class Unmet(Exception):
    """The item is not as the condition wants it."""


class WireTable:
    def __init__(self, path: Path) -> None:
        self.rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.rows.executescript(TABLE)
        self._lock = Lock()
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "Query": self._query,
            "TransactWriteItems": self._transact,
        }

    def __enter__(self) -> Self:
        """One transaction of SQLite's: nobody waits for the disk."""
        self.rows.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self.rows.execute("COMMIT")

    def answer(self, operation: str, told: Mapping[str, Any]) -> tuple[int, str]:
        """HTTP status and body."""
        with self._lock:
            try:
                return 200, self._operations[operation](told)
            except Unmet:
                refused = (
                    {
                        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                        "Message": "Transaction cancelled [ConditionalCheckFailed]",
                    }
                    if operation == "TransactWriteItems"
                    else {
                        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                        "message": "The conditional request failed",
                    }
                )
                return 400, json.dumps(refused)

    def _get(self, told: Mapping[str, Any]) -> str:
        text = self._text(told["Key"])
        return f'{{"Item":{text}}}' if text else "{}"

    def _put(self, told: Mapping[str, Any]) -> str:
        self._check(told, told["Item"])
        self._store(told["Item"])
        return "{}"

    def _update(self, told: Mapping[str, Any]) -> str:
        self._check(told, told["Key"])
        text = self._text(told["Key"])
        item: Item = json.loads(text) if text else dict(told["Key"])
        before = dict(item)
        _, *sections = VERB.split(told["UpdateExpression"])
        for verb, section in zip(sections[::2], sections[1::2], strict=True):
            for name, known, word in ACTION.findall(section):
                value = before.get(_name(known, told)) or told["ExpressionAttributeValues"][word]
                _change(item, verb, _name(name, told), value)
        self._store(item)
        return json.dumps({"Attributes": item}) if told.get("ReturnValues") == "ALL_NEW" else "{}"

    def _transact(self, told: Mapping[str, Any]) -> str:
        actions = [(kind, action) for each in told["TransactItems"] for kind, action in each.items()]
        for kind, action in actions:
            self._check(action, action["Item" if kind == "Put" else "Key"])
        for kind, action in actions:
            if kind == "Put":
                self._store(action["Item"])
            elif kind == "Update":
                self._update(action)
        return "{}"

    def _query(self, told: Mapping[str, Any]) -> str:
        columns = INDEXED if "IndexName" in told else ("pk", "sk")
        values = told["ExpressionAttributeValues"]
        of_partition, *of_sort = TERM.findall(told["KeyConditionExpression"])
        partition = values[of_partition[5]]["S"]
        prefix = values[of_sort[0][2]]["S"] if of_sort else ""
        start = told.get("ExclusiveStartKey")
        found = self.rows.execute(
            # The names of columns are ours.
            f"SELECT pk, sk, {columns[1]}, item FROM items WHERE {columns[0]} = ?"  # noqa: S608
            f" AND {columns[1]} > ? AND {columns[1]} >= ? AND {columns[1]} < ? ORDER BY {columns[1]}",
            (partition, start[columns[1]]["S"] if start else "", prefix, prefix + "\U0010ffff"),
        )
        if not told.get("ScanIndexForward", True):
            # The trend: all scans, of which there are few here; the page leaves out the one it is of.
            return self._newest([text for *_, text in found], told["Limit"])
        texts: list[str] = []
        read, more = 0, ""
        for pk, sk, sort, text in found:
            texts.append(json.dumps({"sk": {"S": sk}}) if "ProjectionExpression" in told else text)
            read += len(text)
            if read > PAGE_BYTES:
                last = {"pk": pk, "sk": sk, columns[0]: partition, columns[1]: sort}
                more = f',"LastEvaluatedKey":{json.dumps({key: {"S": each} for key, each in last.items()})}'
                break
        return f'{{"Count":{len(texts)},"Items":[{",".join(texts)}]{more}}}'

    def _newest(self, texts: Sequence[str], most: int) -> str:
        return f'{{"Count":{len(texts[-most:])},"Items":[{",".join(reversed(texts[-most:]))}]}}'

    def _check(self, told: Mapping[str, Any], key: Mapping[str, Any]) -> None:
        """All terms must hold; there is no OR, and no NOT but of what is not less."""
        if "ConditionExpression" not in told:
            return
        text = self._text(key)
        item: Item = json.loads(text) if text else {}
        values = told.get("ExpressionAttributeValues", {})
        for function, of, wanted, less, name, value in TERM.findall(told["ConditionExpression"]):
            there = item.get(_name(name or of, told))
            match function:
                case "attribute_exists":
                    holds = there is not None
                case "attribute_not_exists":
                    holds = there is None
                case "contains":
                    holds = values[wanted]["S"] in (there or {}).get("SS", ())
                case _ if less:
                    holds = there is None or there["S"] < values[value]["S"]
                case _:
                    holds = there == values[value]
            if not holds:
                raise Unmet

    def _text(self, key: Mapping[str, Any]) -> str:
        where = (key["pk"]["S"], key["sk"]["S"])
        row = self.rows.execute("SELECT item FROM items WHERE pk = ? AND sk = ?", where).fetchone()
        return str(row[0]) if row else ""

    def _store(self, item: Item) -> None:
        keys = [item.get(name, {}).get("S") for name in ("pk", "sk", *INDEXED)]
        text = json.dumps(item, separators=(",", ":"))
        self.rows.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)", (*keys, text))

    def copy(self, account: str, scan: str, others: Iterable[str]) -> None:
        """What a scan left of an account, again for each of the others, under their ids."""
        rows = self.rows.execute(
            "SELECT pk, sk, listed, listed_sk, item FROM items WHERE pk = ?1 AND sk >= ?2 AND sk < ?3"
            " UNION ALL SELECT pk, sk, listed, listed_sk, item FROM items WHERE pk >= ?2 AND pk < ?3",
            (shard_of(scan, account), f"TARGET#{account}#", f"TARGET#{account}$"),
        ).fetchall()
        for other in others:
            shards = shard_of(scan, account), shard_of(scan, other)
            self.rows.executemany(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)",
                [
                    tuple(value and value.replace(*shards).replace(account, other) for value in row)
                    for row in rows
                ],
            )


def _name(word: str, told: Mapping[str, Any]) -> str:
    return str(told["ExpressionAttributeNames"][word]) if word.startswith("#") else word


def _change(item: Item, verb: str, name: str, value: Mapping[str, Any]) -> None:
    if verb == "SET":
        item[name] = value
        return
    before = set(item.get(name, {}).get("SS", ()))
    after = before | {*value["SS"]} if verb == "ADD" else before - {*value["SS"]}
    item[name] = {"SS": sorted(after)}
    if not after:
        del item[name]
