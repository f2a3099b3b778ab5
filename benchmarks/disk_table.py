"""The worker's side of the table, kept on disk, so that what is measured is the worker's memory."""

import pickle
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PAGE = 500
"""Items of an answer; DynamoDB's pages of 1 MB hold about as many findings."""


class DiskTable:
    name = "findings"

    def __init__(self, path: Path) -> None:
        self._items = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._items.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._items.execute("CREATE TABLE items (pk, sk, item, PRIMARY KEY (pk, sk)) WITHOUT ROWID")
        self.meta = SimpleNamespace(client=SimpleNamespace(transact_write_items=self._transact))
        self.writes = 0
        self.requests = 0

    def get_item(self, *, Key: Mapping[str, str], **_: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        self.requests += 1
        row = self._items.execute("SELECT item FROM items WHERE pk = ? AND sk = ?", (Key["pk"], Key["sk"]))
        found = row.fetchone()
        return {"Item": pickle.loads(found[0])} if found else {}  # noqa: S301 (our own)

    def put_item(self, *, Item: Mapping[str, Any], **_: Any) -> None:  # noqa: N803
        """Whatever its condition: one worker alone meets nobody."""
        self.requests += 1
        self.writes += 1
        values = (Item["pk"], Item["sk"], pickle.dumps(Item))
        self._items.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", values)

    def query(self, *, ExclusiveStartKey: Any = None, **how: Any) -> dict[str, Any]:  # noqa: N803
        self.requests += 1
        of_key, begins = how["KeyConditionExpression"].get_expression()["values"]
        pk, prefix = of_key.get_expression()["values"][1], begins.get_expression()["values"][1]
        after = ExclusiveStartKey["sk"] if ExclusiveStartKey else ""
        rows = self._items.execute(
            "SELECT item FROM items WHERE pk = ? AND sk > ? AND sk >= ? AND sk < ? ORDER BY sk LIMIT ?",
            (pk, after, prefix, prefix + "\U0010ffff", PAGE),
        ).fetchall()
        found = [pickle.loads(item) for (item,) in rows]  # noqa: S301
        more = {"LastEvaluatedKey": {"sk": found[-1]["sk"]}} if len(found) == PAGE else {}
        return {"Items": found, **more}

    def _transact(self, *, TransactItems: Any) -> None:  # noqa: N803
        self.requests += 1
        for each in TransactItems:
            if "Put" in each:
                self.put_item(Item=each["Put"]["Item"])
                self.requests -= 1
