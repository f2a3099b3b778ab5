"""DynamoDB: one table, with the keys and the index of ours."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from boto3.dynamodb.conditions import ConditionBase
from botocore.exceptions import ClientError

from tests.twins.calls import Watched, accepts, refusal
from tests.twins.expressions import NAMES, VALUES, Change, Term, changes, condition
from tests.twins.items import (
    INDEX,
    INDEX_KEYS,
    KEYS,
    Invalid,
    Item,
    Kept,
    Where,
    is_key,
    where,
    where_of,
)

Row = tuple[str, str, str]
"""A sort key, and where its item is."""
Outcome = tuple[Where, Kept | None, Kept | None]
"""Of a write: the item before and after."""

TRANSACTION_BYTES = 4 * 1024 * 1024
MOST_ACTIONS = 100
FAILED = "The conditional request failed"
CONDITION = {"ConditionExpression", NAMES, VALUES}
ACTIONS = {
    "ConditionCheck": {"TableName", "Key", "ConditionExpression"},
    "Put": {"TableName", "Item"},
    "Update": {"TableName", "Key", "UpdateExpression"},
}
"""Of a transaction -> the arguments it needs."""


class Unmet(Exception):
    """The item is not as the condition wants it."""


class TableTwin(Watched):
    """What `boto3.resource("dynamodb").Table` offers, as far as the store uses it.

    Items are in the index at once, where DynamoDB takes a moment. `page` items stand for the megabyte that a
    query reads at most; a page that is just full says that more may follow, as DynamoDB's with a limit does.
    """

    name = "findings"

    def __init__(self, *, page: int = 100) -> None:
        super().__init__()
        self.page = page
        self.meta = SimpleNamespace(client=SimpleNamespace(transact_write_items=self._transact))
        self._items: dict[Where, Kept] = {}
        self._orders = {None: Order(KEYS), INDEX: Order(INDEX_KEYS)}

    def snapshot(self) -> dict[Where, Item]:
        """Everything in it, to be compared."""
        return {where: self._items[where].told() for where in sorted(self._items)}

    def get_item(self, **call: Any) -> dict[str, Any]:
        accepts("GetItem", call, {"Key"}, {"ConsistentRead"})
        self.reads += 1
        with _answering("GetItem"):
            item = self._items.get(where(call["Key"]))
        return {} if item is None else {"Item": item.told()}

    def put_item(self, **call: Any) -> dict[str, Any]:
        accepts("PutItem", call, {"Item"}, CONDITION)
        return self._write("PutItem", call)

    def delete_item(self, **call: Any) -> dict[str, Any]:
        accepts("DeleteItem", call, {"Key"})
        return self._write("DeleteItem", call)

    def update_item(self, **call: Any) -> dict[str, Any]:
        accepts("UpdateItem", call, {"Key", "UpdateExpression"}, CONDITION | {"ReturnValues"})
        if call.get("ReturnValues", "ALL_NEW") != "ALL_NEW":
            raise NotImplementedError(call["ReturnValues"])
        self._write("UpdateItem", call)
        if "ReturnValues" not in call:
            return {}
        return {"Attributes": self._items[where(call["Key"])].told()}

    def query(self, **call: Any) -> dict[str, Any]:
        accepts(
            "Query",
            call,
            {"KeyConditionExpression"},
            (
                "IndexName",
                "ConsistentRead",
                "ExclusiveStartKey",
                "ProjectionExpression",
                "ExpressionAttributeNames",
                "ScanIndexForward",
                "Limit",
            ),
        )
        self.reads += 1
        order = self._orders[call.get("IndexName")]
        with _answering("Query"):
            if "IndexName" in call and call.get("ConsistentRead"):
                raise Invalid("Consistent reads are not supported on global secondary indexes")
            rows = order.asked(call["KeyConditionExpression"], call.get("ExclusiveStartKey"))
        if not call.get("ScanIndexForward", True):
            if "ExclusiveStartKey" in call:
                raise NotImplementedError("pages of what is read backwards")
            rows = rows[::-1]
        size = min(self.page, call.get("Limit", self.page))
        listed = [self._items[pk, sk].told() for _, pk, sk in rows[:size]]
        more = (
            {"LastEvaluatedKey": {name: listed[-1][name] for name in order.names}}
            if len(listed) == size
            else {}
        )
        if wanted := call.get("ProjectionExpression"):
            names = [call.get("ExpressionAttributeNames", {}).get(word, word) for word in wanted.split(", ")]
            listed = [{name: row[name] for name in names if name in row} for row in listed]
        return {"Items": listed, **more}

    def _write(self, operation: str, call: Mapping[str, Any]) -> dict[str, Any]:
        self._starts(operation, call)
        with _answering(operation):
            outcome = self._outcome(Write.of(operation, call))
        self._store(outcome)
        self._ends(operation, call)
        return {}

    def _transact(self, **call: Any) -> dict[str, Any]:
        accepts("TransactWriteItems", call, {"TransactItems"})
        actions = [action for each in call["TransactItems"] for action in each.items()]
        for kind, arguments in actions:
            accepts(f"a transaction's {kind}", arguments, ACTIONS.get(kind, {""}), CONDITION)
            text = isinstance(arguments.get("ConditionExpression", ""), str)
            if arguments["TableName"] != self.name or not text:
                raise NotImplementedError("another table, or a condition that is no text")
        self._starts("TransactWriteItems", call)
        with _answering("TransactWriteItems"):
            outcomes = self._outcomes(actions)
        for outcome in outcomes:
            self._store(outcome)
        self._ends("TransactWriteItems", call)
        return {}

    def _outcomes(self, actions: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Outcome]:
        if len(actions) > MOST_ACTIONS:
            raise Invalid("'transactItems': Member must have length less than or equal to 100")
        writes = [Write.of(kind, arguments) for kind, arguments in actions]
        if len({write.where for write in writes}) < len(writes):
            raise Invalid("Transaction request cannot include multiple operations on one item")
        outcomes: list[Outcome] = []
        reasons: list[dict[str, str]] = []
        for write in writes:
            try:
                outcomes.append(self._outcome(write))
            except Unmet:
                reasons.append({"Code": "ConditionalCheckFailed", "Message": FAILED})
            except Invalid as invalid:
                reasons.append({"Code": "ValidationError", "Message": str(invalid)})
            else:
                reasons.append({"Code": "None"})
        if len(outcomes) < len(writes):
            raise _cancelled(reasons)
        if sum(item.size for _, old, new in outcomes if (item := new or old)) > TRANSACTION_BYTES:
            raise Invalid("The items of a transaction exceed 4 MB")
        return outcomes

    def _outcome(self, write: "Write") -> Outcome:
        old = self._items.get(write.where)
        return write.where, old, write.outcome(old)

    def _store(self, outcome: Outcome) -> None:
        where, old, new = outcome
        if new is None:
            self._items.pop(where, None)
        else:
            self._items[where] = new
        for order in self._orders.values():
            order.move(old, new)


class Order:
    """Where the items of each partition stand, by sort key. Python compares text as its UTF-8 bytes."""

    def __init__(self, keys: Mapping[str, int]) -> None:
        self._keys = keys
        self._partition, self._sort = keys
        self.names = {*keys, *KEYS}
        self._rows: dict[str, list[Row]] = {}

    def move(self, old: Item | None, new: Item | None) -> None:
        was, now = self._place(old), self._place(new)
        if was == now:
            return
        if was:
            rows = self._rows[was[0]]
            del rows[bisect_left(rows, was[1])]
        if now:
            insort(self._rows.setdefault(now[0], []), now[1])

    def asked(self, told: ConditionBase, start: Mapping[str, str] | None) -> list[Row]:
        """What a key condition means, behind the last key of the page before. It may be gone by now."""
        parts = told.get_expression()
        terms: dict[tuple[str, str], Any] = {}
        for part in parts["values"] if parts["operator"] == "AND" else (told,):
            term = part.get_expression()
            terms[term["values"][0].name, term["operator"]] = term["values"][1]
        if not terms.keys() <= {(self._partition, "="), (self._sort, "begins_with"), (self._sort, "<")}:
            raise NotImplementedError([*terms])
        if (self._partition, "=") not in terms:
            raise Invalid(f"Query condition missed key schema element: {self._partition}")
        for (name, _), value in terms.items():
            is_key(name, value, self._keys[name])
        rows = self._rows.get(terms[self._partition, "="], [])
        prefix = terms.get((self._sort, "begins_with"), "")
        low = bisect_left(rows, prefix, key=itemgetter(0))
        high = bisect_right(rows, prefix, low, key=lambda row: row[0][: len(prefix)])
        if end := terms.get((self._sort, "<")):
            high = min(high, bisect_left(rows, end, key=itemgetter(0)))
        if start:
            low = max(low, bisect_right(rows, (start[self._sort], start["pk"], start["sk"])))
        return rows[low:high]

    def _place(self, item: Item | None) -> tuple[str, Row] | None:
        """The partition and the row. Items without the attributes are not in an index."""
        if item is None or self._partition not in item or self._sort not in item:
            return None
        return item[self._partition], (item[self._sort], item["pk"], item["sk"])


@dataclass(frozen=True, slots=True)
class Write:
    """What a writing call, or one action of a transaction, does to one item."""

    kind: str
    where: Where
    item: Kept | None
    condition: Sequence[Term]
    changes: Sequence[Change]

    @classmethod
    def of(cls, kind: str, call: Mapping[str, Any]) -> "Write":
        """Raises Invalid for what is wrong whatever the table holds."""
        kind = kind.removesuffix("Item")
        if kind == "Put":
            item = Kept(call["Item"])
            at = where_of(item)
            item.fits("Item size has exceeded the maximum allowed size")
            return cls(kind, at, item, condition(call), ())
        changed = changes(call) if kind == "Update" else ()
        return cls(kind, where(call["Key"]), None, condition(call), changed)

    def outcome(self, old: Kept | None) -> Kept | None:
        """The item afterwards. Raises Unmet, and Invalid for what is wrong with what the table holds."""
        if not all(term.holds(old or {}) for term in self.condition):
            raise Unmet
        if self.kind == "ConditionCheck":
            return old
        if self.kind != "Update":
            return self.item
        changed = dict(old or zip(KEYS, self.where, strict=True))
        for change in self.changes:
            change.apply(changed, old or {})
        new = Kept(changed)
        new.fits("Item size to update has exceeded the maximum allowed size")
        return new


def _cancelled(reasons: Sequence[Mapping[str, str]]) -> ClientError:
    """A reason for each action, 'None' for the blameless."""
    said = ", ".join(each["Code"] for each in reasons)
    return refusal(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{said}]",
        "TransactWriteItems",
        CancellationReasons=reasons,
    )


@contextmanager
def _answering(operation: str) -> Iterator[None]:
    try:
        yield
    except Invalid as invalid:
        raise refusal("ValidationException", str(invalid), operation) from invalid
    except Unmet as unmet:
        raise refusal("ConditionalCheckFailedException", FAILED, operation) from unmet
