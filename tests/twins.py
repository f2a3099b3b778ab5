"""AWS in memory, for tests that run thousands of scans: fast, and the same as the real thing in what we use.

test_twins holds them to moto, and to AWS where moto is laxer. What a twin does not know it does not guess:
it raises NotImplementedError.

`before` and `after` let a test in at every write: raise there, and the worker dies between two writes; call
there, and another worker runs in between.
"""

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from hashlib import md5
from io import BytesIO
from operator import ge, gt, itemgetter, le, lt
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Required, TypedDict, Unpack

from boto3.dynamodb.conditions import (
    Attr,
    AttributeExists,
    AttributeNotExists,
    BeginsWith,
    ComparisonCondition,
    ConditionBase,
    Contains,
    Equals,
    GreaterThan,
    GreaterThanEquals,
    Key,
    LessThan,
    LessThanEquals,
    NotEquals,
)
from boto3.dynamodb.types import DYNAMODB_CONTEXT
from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

Item = dict[str, Any]
Where = tuple[str, str]
"""An item's pk and sk."""
Row = tuple[str, str, str]
"""A sort key, and where its item is."""
Hook = Callable[[str, Mapping[str, Any]], None]
"""Gets the name of a writing call, and its arguments."""


def refusal(code: str, message: str = "", operation: str = "", **more: Any) -> ClientError:
    """As botocore raises what AWS answered."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(answer | more, operation)


def cancelled(*reasons: str, **messages: str) -> ClientError:
    """A transaction that DynamoDB cancelled: a reason for each of its actions, 'None' for the blameless."""
    said = ", ".join(reasons)
    told = {"ConditionalCheckFailed": FAILED, **messages}
    return refusal(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{said}]",
        "TransactWriteItems",
        CancellationReasons=[
            {"Code": each, "Message": told[each]} if each in told else {"Code": each} for each in reasons
        ],
    )


class Watched:
    """A client whose calls are counted, and whose writes can be met."""

    def __init__(self) -> None:
        self.reads = 0
        """Calls, whatever came of them."""
        self.writes = 0
        self.before: Hook | None = None
        """Called before a write does anything. What it raises, the write raises."""
        self.after: Hook | None = None
        """Called when a write has taken effect, and before its caller hears of it."""

    def _starts(self, name: str, call: Mapping[str, Any]) -> None:
        if self.before:
            self.before(name, call)
        self.writes += 1

    def _ends(self, name: str, call: Mapping[str, Any]) -> None:
        if self.after:
            self.after(name, call)


# DynamoDB

ITEM_BYTES = 400 * 1024
TRANSACTION_BYTES = 4 * 1024 * 1024
ACTIONS = 100
KEYS = {"pk": 2048, "sk": 1024}
"""Attribute -> bytes at most."""
INDEX = "open"
INDEX_KEYS = {"listed": 2048, "listed_sk": 1024}

FAILED = "The conditional request failed"
INVALID = "One or more parameter values were invalid: "
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute"
    " cannot contain an empty string value. Key: {}"
)
EMPTY_INDEX_KEY = (
    "One or more parameter values are not valid. A value specified for a secondary index key"
    " is not supported. The AttributeValue for a key attribute cannot contain an empty string value."
    f" IndexName: {INDEX}, IndexKey: {{}}"
)
LONG_HASH = INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
LONG_RANGE = INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
NOT_THE_KEY = "The provided key element does not match the schema"
OPERAND = (
    "Invalid UpdateExpression: Incorrect operand type for operator or function;"
    " operator: {}, operand type: {}"
)
WRONG_TYPE = "An operand in the update expression has an incorrect data type"
OVERLAP = (
    "Invalid UpdateExpression: Two document paths overlap with each other;"
    " must remove or rewrite one of these paths; path one: [{0}], path two: [{0}]"
)
NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"


class Invalid(Exception):
    """DynamoDB's ValidationException."""


class Unmet(Exception):
    """The item is not as the condition wants it."""


class Kept(dict[str, Any]):
    """An item, as it comes out of DynamoDB again. Never changed: the next version is another one."""

    __slots__ = ("nested", "size")

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__(item)
        if {*map(type, self)} != {str}:
            super().__init__({_name(name): value for name, value in item.items()})
        texts = [value for value in self.values() if type(value) is str]
        self.nested: tuple[str, ...] = ()
        """The attributes that hold more than one value, which a caller might change."""
        self.size = len("".join([*self, *texts]).encode())
        """In bytes, about as DynamoDB counts."""
        if len(texts) < len(self):
            self._keep([name for name, value in self.items() if type(value) is not str])

    def told(self) -> Item:
        """A copy for the caller to do with as it likes."""
        copy = dict(self)
        for name in self.nested:
            copy[name] = _copied(copy[name])
        return copy

    def _keep(self, names: Sequence[str]) -> None:
        for name in names:
            value = self[name] = _kept(self[name])
            self.size += _size(value)
        self.nested = tuple(name for name in names if isinstance(self[name], list | dict | set))


class Get(TypedDict, total=False):
    Key: Required[Mapping[str, Any]]
    ConsistentRead: bool


class Conditional(TypedDict, total=False):
    ConditionExpression: ConditionBase | str
    ExpressionAttributeNames: Mapping[str, str]
    ExpressionAttributeValues: Mapping[str, Any]


class Put(Conditional, total=False):
    Item: Required[Mapping[str, Any]]


class Delete(Conditional, total=False):
    Key: Required[Mapping[str, Any]]


class Update(Conditional, total=False):
    Key: Required[Mapping[str, Any]]
    UpdateExpression: Required[str]
    ReturnValues: str


class Query(TypedDict, total=False):
    KeyConditionExpression: Required[ConditionBase]
    IndexName: str
    ConsistentRead: bool
    ExclusiveStartKey: Mapping[str, Any]
    Limit: int
    ScanIndexForward: bool


class Transact(TypedDict):
    TransactItems: Sequence[Mapping[str, Mapping[str, Any]]]


OPTIONAL = frozenset({"ConditionExpression", NAMES, VALUES})
ACTION: Mapping[str, frozenset[str]] = {
    "ConditionCheck": frozenset({"TableName", "Key", "ConditionExpression"}),
    "Put": frozenset({"TableName", "Item"}),
    "Delete": frozenset({"TableName", "Key"}),
    "Update": frozenset({"TableName", "Key", "UpdateExpression"}),
}
"""Of a transaction -> the arguments it needs."""


class TableTwin(Watched):
    """What `boto3.resource("dynamodb").Table` offers, as far as the store uses it, with its keys and index.

    Items are in the index at once, where DynamoDB takes a moment. `page` items stand for the megabyte that a
    query reads at most; a page that is just full says that more may follow, as DynamoDB's with a limit does.
    """

    def __init__(self, name: str = "findings", *, page: int = 100) -> None:
        super().__init__()
        self.name = name
        self.page = page
        self.meta = SimpleNamespace(client=SimpleNamespace(transact_write_items=self._transact))
        self._items: dict[Where, Kept] = {}
        self._rows = Order(*KEYS)
        self._index = Order(*INDEX_KEYS)

    def snapshot(self) -> dict[Where, Item]:
        """Everything in it, to be compared."""
        return {where: self._items[where].told() for where in sorted(self._items)}

    def get_item(self, **call: Unpack[Get]) -> dict[str, Any]:
        _accepts("GetItem", call, Get)
        self.reads += 1
        with _answering("GetItem"):
            item = self._items.get(_where(call["Key"]))
        return {} if item is None else {"Item": item.told()}

    def put_item(self, **call: Unpack[Put]) -> dict[str, Any]:
        _accepts("PutItem", call, Put)
        self._write("PutItem", "Put", call)
        return {}

    def delete_item(self, **call: Unpack[Delete]) -> dict[str, Any]:
        _accepts("DeleteItem", call, Delete)
        self._write("DeleteItem", "Delete", call)
        return {}

    def update_item(self, **call: Unpack[Update]) -> dict[str, Any]:
        _accepts("UpdateItem", call, Update)
        wanted = call.get("ReturnValues", "NONE")
        if wanted not in ("NONE", "ALL_OLD", "ALL_NEW"):
            raise NotImplementedError(f"ReturnValues={wanted}")
        old, new = self._write("UpdateItem", "Update", call)
        item = {"ALL_OLD": old, "ALL_NEW": new}.get(wanted)
        return {} if item is None else {"Attributes": item.told()}

    def query(self, **call: Unpack[Query]) -> dict[str, Any]:
        _accepts("Query", call, Query)
        self.reads += 1
        with _answering("Query"):
            order = self._order(call)
            rows, low, high = order.asked(call["KeyConditionExpression"])
            forward, most = call.get("ScanIndexForward", True), min(call.get("Limit", self.page), self.page)
            if most < 1:
                raise Invalid("Limit must be greater than or equal to 1")
            if start := call.get("ExclusiveStartKey"):
                low, high = order.after(start, rows, low, high, forward=forward)
        found = rows[low : min(high, low + most)] if forward else rows[max(low, high - most) : high][::-1]
        listed = [self._items[pk, sk].told() for _, pk, sk in found]
        answer: dict[str, Any] = {"Items": listed, "Count": len(listed), "ScannedCount": len(listed)}
        if len(listed) == most:
            answer["LastEvaluatedKey"] = {name: listed[-1][name] for name in order.names}
        return answer

    def scan(self) -> dict[str, Any]:
        """All of it, on one page."""
        self.reads += 1
        return {"Items": [*self.snapshot().values()], "Count": len(self._items)}

    def _order(self, call: Query) -> "Order":
        index = call.get("IndexName")
        if index is None:
            return self._rows
        if index != INDEX:
            raise Invalid(f"The table does not have the specified index: {index}")
        if call.get("ConsistentRead"):
            raise Invalid("Consistent reads are not supported on global secondary indexes")
        return self._index

    def _write(self, operation: str, kind: str, call: Mapping[str, Any]) -> tuple[Kept | None, Kept | None]:
        """Returns the item before and after."""
        self._starts(operation, call)
        with _answering(operation):
            write = Write.of(kind, call)
            old = self._items.get(write.where)
            new = write.outcome(old)
        self._store(write.where, old, new)
        self._ends(operation, call)
        return old, new

    def _transact(self, **call: Unpack[Transact]) -> dict[str, Any]:
        _accepts("TransactWriteItems", call, Transact)
        actions = [_action(each) for each in call["TransactItems"]]
        if not actions:
            raise ParamValidationError(
                report="Invalid length for parameter TransactItems, value: 0, valid min: 1"
            )
        self._starts("TransactWriteItems", call)
        with _answering("TransactWriteItems"):
            writes = self._understood(actions)
        outcomes: list[tuple[Where, Kept | None, Kept | None]] = []
        reasons, messages = [], {}
        for write in writes:
            old = self._items.get(write.where)
            try:
                outcomes.append((write.where, old, write.outcome(old)))
            except Unmet:
                reasons.append("ConditionalCheckFailed")
            except Invalid as invalid:
                reasons.append("ValidationError")
                messages["ValidationError"] = str(invalid)
            else:
                reasons.append("None")
        if len(outcomes) < len(writes):
            raise cancelled(*reasons, **messages)
        if sum(kept.size for _, old, new in outcomes if (kept := new or old)) > TRANSACTION_BYTES:
            raise refusal(
                "ValidationException", "The items of a transaction exceed 4 MB", "TransactWriteItems"
            )
        for where, old, new in outcomes:
            self._store(where, old, new)
        self._ends("TransactWriteItems", call)
        return {}

    def _understood(self, actions: Sequence[tuple[str, Mapping[str, Any]]]) -> "list[Write]":
        if len(actions) > ACTIONS:
            raise Invalid(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint:"
                " Member must have length less than or equal to 100"
            )
        if any(arguments["TableName"] != self.name for _, arguments in actions):
            missing = "Requested resource not found"
            raise refusal("ResourceNotFoundException", missing, "TransactWriteItems")
        writes = [Write.of(kind, arguments) for kind, arguments in actions]
        if len({write.where for write in writes}) < len(writes):
            raise Invalid("Transaction request cannot include multiple operations on one item")
        return writes

    def _store(self, where: Where, old: Kept | None, new: Kept | None) -> None:
        if new is None:
            self._items.pop(where, None)
        else:
            self._items[where] = new
        self._rows.move(old, new)
        self._index.move(old, new)


class Order:
    """Where the items of each partition stand, by sort key. Python compares text as its UTF-8 bytes."""

    def __init__(self, partition: str, sort: str) -> None:
        self._partition = partition
        self._sort = sort
        self.names = tuple(dict.fromkeys((partition, sort, *KEYS)))
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

    def asked(self, condition: ConditionBase) -> tuple[list[Row], int, int]:
        """The partition's rows, and which of them a key condition means."""
        if not isinstance(condition, ConditionBase):
            raise NotImplementedError("a KeyConditionExpression as text")
        told = condition.get_expression()
        parts = told["values"] if told["operator"] == "AND" else (condition,)
        by = {part.get_expression()["values"][0].name: part.get_expression() for part in parts}
        if self._partition not in by:
            raise Invalid(f"Query condition missed key schema element: {self._partition}")
        if len(by) < len(parts) or not by.keys() <= {self._partition, self._sort}:
            raise Invalid("Query key condition not supported")
        for part in by.values():
            for value in part["values"][1:]:
                if not isinstance(value, str):
                    raise Invalid(INVALID + "Condition parameter type does not match schema type")
                if not value:
                    raise Invalid(EMPTY_KEY.format(part["values"][0].name))
        whole = by[self._partition]
        if whole["operator"] != "=":
            raise Invalid("Query key condition not supported")
        rows = self._rows.get(whole["values"][1], [])
        if self._sort not in by:
            return rows, 0, len(rows)
        part = by[self._sort]
        return rows, *_between(rows, part["operator"], *part["values"][1:])

    def after(
        self, start: Mapping[str, Any], rows: list[Row], low: int, high: int, *, forward: bool
    ) -> tuple[int, int]:
        """What is left of them behind the last key of the page before. It may be gone by now."""
        if start.keys() != {*self.names}:
            raise Invalid("The provided starting key is invalid")
        row = (start[self._sort], start["pk"], start["sk"])
        return (
            (max(low, bisect_right(rows, row)), high) if forward else (low, min(high, bisect_left(rows, row)))
        )

    def _place(self, item: Item | None) -> tuple[str, Row] | None:
        """The partition and the row. Items without the attributes are not in an index."""
        if item is None or self._partition not in item or self._sort not in item:
            return None
        return item[self._partition], (item[self._sort], item["pk"], item["sk"])


def _between(rows: list[Row], operator: str, value: str, last: str = "") -> tuple[int, int]:
    by = itemgetter(0)
    low, high = bisect_left(rows, value, key=by), bisect_right(rows, value, key=by)
    if operator == "begins_with":
        return low, bisect_right(rows, value, low, key=lambda row: row[0][: len(value)])
    if operator == "BETWEEN":
        return low, max(low, bisect_right(rows, last, key=by))
    end = len(rows)
    bounds = {"=": (low, high), "<": (0, low), "<=": (0, high), ">": (high, end), ">=": (low, end)}
    if operator not in bounds:
        raise Invalid("Query key condition not supported")
    return bounds[operator]


@dataclass(frozen=True, slots=True)
class Change:
    """One action of an update expression."""

    verb: str
    name: str
    value: Any = None
    unless: str | None = None
    """Of if_not_exists: the attribute whose value comes first."""

    def apply(self, item: Item, before: Item) -> None:
        name, value = self.name, self.value
        current: Any = item.get(name)
        match self.verb:
            case "SET":
                item[name] = before.get(self.unless, value) if self.unless else value
            case "REMOVE":
                item.pop(name, None)
            case "ADD" if name not in item:
                item[name] = value
            case "DELETE" if name not in item:
                pass
            case _ if _type(current) != _type(value):
                raise Invalid(WRONG_TYPE)
            case "ADD":
                add = DYNAMODB_CONTEXT.add
                item[name] = current | value if isinstance(value, set) else add(current, value)
            case _ if current <= value:
                del item[name]  # there are no empty sets
            case _:
                item[name] = current - value


@dataclass(slots=True)
class Write:
    """What a writing call, or one action of a transaction, does to one item."""

    kind: str
    where: Where
    item: Kept | None
    condition: ConditionBase | None
    changes: Sequence[Change]

    @classmethod
    def of(cls, kind: str, call: Mapping[str, Any]) -> "Write":
        """Raises Invalid for what is wrong whatever the table holds."""
        item = None
        if kind == "Put":
            item = Kept(call["Item"])
            where = _where_of(item)
            _fits(item, "Item size has exceeded the maximum allowed size")
        else:
            where = _where(call["Key"])
        condition, text = call.get("ConditionExpression"), call.get("UpdateExpression")
        if text is None and NAMES not in call and VALUES not in call and not isinstance(condition, str):
            return cls(kind, where, item, condition, ())
        words = Words(call)
        changes = () if text is None else _changes(text, words)
        if isinstance(condition, str):
            condition = Reader(condition, "ConditionExpression", words).condition()
        words.done()
        return cls(kind, where, item, condition, changes)

    def outcome(self, old: Kept | None) -> Kept | None:
        """The item afterwards. Raises Unmet, and Invalid for what is wrong with what the table holds."""
        if self.condition is not None and not holds(self.condition, old or {}):
            raise Unmet
        if self.kind == "ConditionCheck":
            return old
        if self.kind != "Update":
            return self.item
        before = old or dict(zip(KEYS, self.where, strict=True))
        changed = dict(before)
        for change in self.changes:
            change.apply(changed, before)
        new = Kept(changed)
        _fits(new, "Item size to update has exceeded the maximum allowed size")
        return new


class Words:
    """What the placeholders of a call stand for. Each that occurs is told, and each that is told occurs."""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._told = {kind: call.get(kind, {}) for kind in (NAMES, VALUES)}
        self._used: set[str] = set()
        for kind in (NAMES, VALUES):
            if kind in call and not call[kind]:
                raise Invalid(f"{kind} must not be empty")

    def name(self, word: str, where: str) -> str:
        if word.startswith("#"):
            return str(self._of(NAMES, word, where, "name used in the document path", "name"))
        if not re.fullmatch(r"[A-Za-z]\w*", word):
            raise NotImplementedError(f"{where}: {word}")
        if word.upper() in _reserved():
            raise Invalid(f"Invalid {where}: Attribute name is a reserved keyword; reserved keyword: {word}")
        return word

    def value(self, word: str, where: str) -> Any:
        if not word.startswith(":"):
            raise NotImplementedError(f"{where}: {word}")
        return _kept(self._of(VALUES, word, where, "value used in expression", "value"))

    def done(self) -> None:
        for kind, told in self._told.items():
            if unused := sorted(told.keys() - self._used):
                raise Invalid(
                    f"Value provided in {kind} unused in expressions: keys: {{{', '.join(unused)}}}"
                )

    def _of(self, kind: str, word: str, where: str, what: str, short: str) -> Any:
        self._used.add(word)
        if word not in self._told[kind]:
            raise Invalid(
                f"Invalid {where}: An expression attribute {what} is not defined; attribute {short}: {word}"
            )
        return self._told[kind][word]


COMPARED: Mapping[str, type[ComparisonCondition]] = {
    "=": Equals,
    "<>": NotEquals,
    "<": LessThan,
    "<=": LessThanEquals,
    ">": GreaterThan,
    ">=": GreaterThanEquals,
}


class Reader:
    """Reads an expression: as much of the grammar as anybody here writes."""

    def __init__(self, text: str, where: str, words: Words) -> None:
        self._where = where
        self._words = words
        self._tokens = [*reversed(_tokens(text))]
        if not self._tokens:
            raise Invalid(f"Invalid {where}: The expression can not be empty;")

    def more(self) -> bool:
        return bool(self._tokens)

    def next(self) -> str:
        return self._tokens.pop() if self._tokens else "<EOF>"

    def took(self, token: str) -> bool:
        found = bool(self._tokens) and self._tokens[-1].upper() == token.upper()
        if found:
            self._tokens.pop()
        return found

    def expect(self, token: str) -> None:
        if not self.took(token):
            raise NotImplementedError(f"{self._where}: {self.next()} where {token} was expected")

    def name(self) -> str:
        return self._words.name(self.next(), self._where)

    def value(self) -> Any:
        return self._words.value(self.next(), self._where)

    def condition(self) -> ConditionBase:
        whole = self._either()
        if self.more():
            raise NotImplementedError(f"{self._where}: {self.next()}")
        return whole

    def _either(self) -> ConditionBase:
        read = self._both()
        while self.took("OR"):
            read |= self._both()
        return read

    def _both(self) -> ConditionBase:
        read = self._one()
        while self.took("AND"):
            read &= self._one()
        return read

    def _one(self) -> ConditionBase:
        if self.took("NOT"):
            return ~self._one()
        if self.took("("):
            read = self._either()
            self.expect(")")
            return read
        for name, function in {
            "attribute_exists": AttributeExists,
            "attribute_not_exists": AttributeNotExists,
        }.items():
            if self.took(name):
                return function(*self._arguments(1))
        for name, judge in {"begins_with": BeginsWith, "contains": Contains}.items():
            if self.took(name):
                return judge(*self._arguments(2))
        left, operator = self._operand(), self.next()
        if operator not in COMPARED:
            raise NotImplementedError(f"{self._where}: {operator}")
        return COMPARED[operator](left, self._operand())

    def _arguments(self, count: int) -> Iterator[Any]:
        for number in range(count):
            self.expect("," if number else "(")
            yield self._operand()
        self.expect(")")

    def _operand(self) -> Any:
        return self.value() if self._tokens and self._tokens[-1].startswith(":") else Attr(self.name())


def _changes(text: str, words: Words) -> Sequence[Change]:
    reader = Reader(text, "UpdateExpression", words)
    changes: list[Change] = []
    while reader.more():
        verb = reader.next().upper()
        if verb not in ("SET", "REMOVE", "ADD", "DELETE"):
            raise NotImplementedError(f"UpdateExpression: {verb}")
        if any(change.verb == verb for change in changes):
            raise Invalid(
                f'Invalid UpdateExpression: The "{verb}" section can only be used once'
                " in an update expression;"
            )
        changes.append(_change(reader, verb))
        while reader.took(","):
            changes.append(_change(reader, verb))
    for name, times in Counter(change.name for change in changes).items():
        if name in KEYS:
            raise Invalid(INVALID + f"Cannot update attribute {name}. This attribute is part of the key")
        if times > 1:
            raise Invalid(OVERLAP.format(name))
    return changes


def _change(reader: Reader, verb: str) -> Change:
    name = reader.name()
    if verb == "REMOVE":
        return Change(verb, name)
    if verb == "SET":
        reader.expect("=")
        if not reader.took("if_not_exists"):
            return Change(verb, name, reader.value())
        reader.expect("(")
        unless = reader.name()
        reader.expect(",")
        value = reader.value()
        reader.expect(")")
        return Change(verb, name, value, unless)
    value = reader.value()
    if not isinstance(value, set) and not (verb == "ADD" and type(value) is Decimal):
        raise Invalid(OPERAND.format(verb, _type(value)))
    return Change(verb, name, value)


@cache
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[#:]?\w+|<>|<=|>=|\S", text))


@cache
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())


MISSING = object()


def holds(condition: ConditionBase, item: Item) -> bool:
    """Whether the item is as an Attr tree of boto3 says. A missing attribute is unequal to everything."""
    told = condition.get_expression()
    operator, values = told["operator"], told["values"]
    if operator in JOINED:
        return JOINED[operator](holds(each, item) for each in values)
    if operator not in JUDGED:
        raise NotImplementedError(operator)
    return JUDGED[operator](*(_operand(each, item) for each in values))


def _operand(operand: Any, item: Item) -> Any:
    if isinstance(operand, ConditionBase):
        raise NotImplementedError(operand.expression_operator)
    if not isinstance(operand, Attr | Key):
        return _kept(operand)
    if re.search(r"[.\[]", operand.name):
        raise NotImplementedError(f"a path into an attribute: {operand.name}")
    return item.get(operand.name, MISSING)


def _same(one: Any, other: Any) -> bool:
    """Python thinks that True == 1; DynamoDB does not."""
    if one is MISSING or type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def judge(one: Any, other: Any) -> bool:
        return type(one) is type(other) and type(one) in (str, Decimal) and compare(one, other)

    return judge


def _begins(one: Any, other: Any) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.startswith(other)


def _contains(one: Any, other: Any) -> bool:
    if isinstance(one, str):
        return isinstance(other, str) and other in one
    return isinstance(one, list | set) and any(_same(each, other) for each in one)


def _within(one: Any, low: Any, high: Any) -> bool:
    return JUDGED["<="](low, one) and JUDGED["<="](one, high)


JOINED: Mapping[str, Callable[[Iterable[bool]], bool]] = {
    "AND": all,
    "OR": any,
    "NOT": lambda truths: not any(truths),
}
JUDGED: Mapping[str, Callable[..., bool]] = {
    "attribute_exists": lambda one: one is not MISSING,
    "attribute_not_exists": lambda one: one is MISSING,
    "=": _same,
    "<>": lambda one, other: not _same(one, other),
    "<": _ordered(lt),
    "<=": _ordered(le),
    ">": _ordered(gt),
    ">=": _ordered(ge),
    "BETWEEN": _within,
    "IN": lambda one, others: any(_same(one, each) for each in others),
    "begins_with": _begins,
    "contains": _contains,
}


def _accepts(operation: str, call: Mapping[str, Any], shape: Any) -> None:
    needed, allowed = _shape(shape)
    if not needed <= call.keys() <= allowed:
        raise ParamValidationError(report=f"{operation} does not take {sorted(call)}")


@cache
def _shape(shape: Any) -> tuple[frozenset[str], frozenset[str]]:
    needed: frozenset[str] = shape.__required_keys__
    return needed, needed | shape.__optional_keys__


def _action(action: Mapping[str, Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
    if len(action) != 1:
        message = "TransactItems can only contain one of Check, Put, Update or Delete"
        raise refusal("ValidationException", message, "TransactWriteItems")
    ((kind, arguments),) = action.items()
    if kind not in ACTION or not ACTION[kind] <= arguments.keys() <= ACTION[kind] | OPTIONAL:
        raise ParamValidationError(report=f"{kind} does not take {sorted(arguments)}")
    if isinstance(arguments.get("ConditionExpression"), ConditionBase):
        # boto3 would put what it stands for beside the actions, where DynamoDB takes nothing.
        raise ParamValidationError(report="a condition in a transaction is text")
    return kind, arguments


@contextmanager
def _answering(operation: str) -> Iterator[None]:
    try:
        yield
    except Invalid as invalid:
        raise refusal("ValidationException", str(invalid), operation) from invalid
    except Unmet as unmet:
        raise refusal("ConditionalCheckFailedException", FAILED, operation) from unmet


def _where(key: Mapping[str, Any]) -> Where:
    if key.keys() != KEYS.keys() or not all(isinstance(part, str) for part in key.values()):
        raise Invalid(NOT_THE_KEY)
    return _where_of({name: _kept(part) for name, part in key.items()})


def _where_of(item: Item) -> Where:
    for name in KEYS:
        if name not in item:
            raise Invalid(INVALID + f"Missing the key {name} in the item")
        if type(item[name]) is not str:
            raise Invalid(INVALID + f"Type mismatch for key {name} expected: S actual: {_type(item[name])}")
        if not item[name]:
            raise Invalid(EMPTY_KEY.format(name))
    pk, sk = item["pk"], item["sk"]
    if _bytes(pk) > KEYS["pk"]:
        raise Invalid(LONG_HASH)
    if _bytes(sk) > KEYS["sk"]:
        raise Invalid(LONG_RANGE)
    return pk, sk


def _fits(item: Kept, too_large: str) -> None:
    for name, most in INDEX_KEYS.items():
        if name not in item:
            continue
        value = item[name]
        if type(value) is not str:
            mismatch = (
                f"Type mismatch for Index Key {name} Expected: S Actual: {_type(value)} IndexName: {INDEX}"
            )
            raise Invalid(INVALID + mismatch)
        if not value:
            raise Invalid(EMPTY_INDEX_KEY.format(name))
        if _bytes(value) > most:
            raise Invalid(LONG_HASH if most == KEYS["pk"] else LONG_RANGE)
    if item.size > ITEM_BYTES:
        raise Invalid(too_large)


TYPES = {str: "S", Decimal: "N", bool: "BOOL", type(None): "NULL", list: "L", dict: "M"}


def _type(value: Any) -> str:
    """By DynamoDB's name."""
    return f"{_type(next(iter(value)))}S" if isinstance(value, set) else TYPES[type(value)]


def _name(name: Any) -> str:
    if type(name) is str:
        return name
    if isinstance(name, str):
        return str.__str__(name)
    raise ParamValidationError(report=f"Invalid type for the name of an attribute: {name!r}")


def _kept(value: Any) -> Any:
    match value:
        case str():
            return str.__str__(value)
        case None | bool():
            return value
        case int() | Decimal():
            number = DYNAMODB_CONTEXT.create_decimal(value)
            if not number.is_finite():
                raise TypeError("Infinity and NaN not supported")
            return number
        case float():
            raise TypeError("Float types are not supported. Use Decimal types instead.")
        case list() | tuple():
            return [each if type(each) is str else _kept(each) for each in value]
        case Mapping():
            return {_name(name): _kept(each) for name, each in value.items()}
        case AbstractSet():
            return _kept_set(value)
        case bytes() | bytearray():
            raise NotImplementedError("binary values")
    raise TypeError(f'Unsupported type "{type(value)}" for value "{value}"')


def _kept_set(values: AbstractSet[Any]) -> set[Any]:
    kept = {_kept(each) for each in values}
    if not kept:
        raise Invalid(INVALID + "An number set  may not be empty")
    if {type(each) for each in kept} not in ({str}, {Decimal}):
        raise TypeError(f'Unsupported type "{type(values)}" for value "{values}"')
    return kept


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(each) for each in value]
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return set(value) if isinstance(value, set) else value


def _size(value: Any) -> int:
    match value:
        case str():
            return _bytes(value)
        case Decimal():
            return len(str(value)) // 2 + 2
        case list():
            return 3 + sum(1 + _size(each) for each in value)
        case dict():
            return 3 + sum(1 + _bytes(name) + _size(each) for name, each in value.items())
        case set():
            return sum(map(_size, value))
    return 1


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


# S3


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a bucket."""

    body: bytes
    content_type: str
    modified: datetime

    @property
    def tag(self) -> str:
        return f'"{md5(self.body, usedforsecurity=False).hexdigest()}"'


class PutObject(TypedDict, total=False):
    Bucket: Required[str]
    Key: Required[str]
    Body: bytes | str | IO[bytes]
    ContentType: str


class OneObject(TypedDict):
    Bucket: str
    Key: str


class ListObjects(TypedDict, total=False):
    Bucket: Required[str]
    Prefix: str


class S3Twin(Watched):
    """What `boto3.client("s3")` offers, as far as reports and plans use it."""

    def __init__(self, *buckets: str) -> None:
        super().__init__()
        self._buckets: dict[str, dict[str, Stored]] = {bucket: {} for bucket in buckets}

    def snapshot(self) -> dict[tuple[str, str], bytes]:
        """(Bucket, key) -> what is in it."""
        return {
            (bucket, key): found.body
            for bucket, stored in sorted(self._buckets.items())
            for key, found in sorted(stored.items())
        }

    def put_object(self, **call: Unpack[PutObject]) -> dict[str, Any]:
        _accepts("PutObject", call, PutObject)
        body = call.get("Body", b"")
        data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        return self._put(call, data, call.get("ContentType", "binary/octet-stream"))

    def get_object(self, **call: Unpack[OneObject]) -> dict[str, Any]:
        _accepts("GetObject", call, OneObject)
        missing = "The specified key does not exist."
        found = self._found(call["Bucket"], call["Key"], "GetObject", "NoSuchKey", missing)
        return {
            "Body": StreamingBody(BytesIO(found.body), len(found.body)),
            "ContentLength": len(found.body),
            "ContentType": found.content_type,
            "ETag": found.tag,
            "LastModified": found.modified,
        }

    def delete_object(self, **call: Unpack[OneObject]) -> dict[str, Any]:
        _accepts("DeleteObject", call, OneObject)
        self._starts("DeleteObject", call)
        self._bucket(call["Bucket"], "DeleteObject").pop(call["Key"], None)
        self._ends("DeleteObject", call)
        return {}

    def list_objects_v2(self, **call: Unpack[ListObjects]) -> dict[str, Any]:
        """All on one page."""
        _accepts("ListObjectsV2", call, ListObjects)
        self.reads += 1
        stored, prefix = self._bucket(call["Bucket"], "ListObjectsV2"), call.get("Prefix", "")
        listed = [
            {"Key": key, "Size": len(found.body), "ETag": found.tag, "LastModified": found.modified}
            for key, found in sorted(stored.items())
            if key.startswith(prefix)
        ]
        answer = {"Name": call["Bucket"], "Prefix": prefix, "KeyCount": len(listed), "IsTruncated": False}
        return answer | ({"Contents": listed} if listed else {})

    def upload_fileobj(
        self,
        fileobj: IO[bytes],
        bucket: str,
        key: str,
        ExtraArgs: Mapping[str, str] | None = None,  # noqa: N803 (as boto3 has it)
    ) -> None:
        kind = (ExtraArgs or {}).get("ContentType", "binary/octet-stream")
        self._put({"Bucket": bucket, "Key": key, "Body": fileobj}, fileobj.read(), kind)

    def upload_file(
        self,
        filename: str | Path,
        bucket: str,
        key: str,
        ExtraArgs: Mapping[str, str] | None = None,  # noqa: N803 (as boto3 has it)
    ) -> None:
        with Path(filename).open("rb") as file:
            self.upload_fileobj(file, bucket, key, ExtraArgs)

    def download_fileobj(self, bucket: str, key: str, fileobj: IO[bytes]) -> None:
        fileobj.write(self._found(bucket, key, "HeadObject", "404", "Not Found").body)

    def download_file(self, bucket: str, key: str, filename: str | Path) -> None:
        found = self._found(bucket, key, "HeadObject", "404", "Not Found")
        Path(filename).write_bytes(found.body)

    def _put(self, call: Mapping[str, Any], data: bytes, kind: str) -> dict[str, Any]:
        self._starts("PutObject", call)
        stored = Stored(data, kind, datetime.now(UTC))
        self._bucket(call["Bucket"], "PutObject")[call["Key"]] = stored
        self._ends("PutObject", call)
        return {"ETag": stored.tag}

    def _found(self, bucket: str, key: str, operation: str, code: str, missing: str) -> Stored:
        self.reads += 1
        found = self._bucket(bucket, operation).get(key)
        if found is None:
            raise refusal(code, missing, operation)
        return found

    def _bucket(self, name: str, operation: str) -> dict[str, Stored]:
        if name not in self._buckets:
            raise refusal("NoSuchBucket", "The specified bucket does not exist", operation)
        return self._buckets[name]


# SNS

MESSAGE_BYTES = 262_144
SUBJECT = 100
"""SNS wants fewer characters."""


class Publish(TypedDict, total=False):
    TopicArn: Required[str]
    Message: Required[str]
    Subject: str
    MessageAttributes: Mapping[str, Mapping[str, str]]


class SnsTwin(Watched):
    """What `boto3.client("sns")` offers to who sends mails."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Publish] = []
        """All that were accepted, in turn."""

    def publish(self, **call: Unpack[Publish]) -> dict[str, Any]:
        _accepts("Publish", call, Publish)
        self._starts("Publish", call)
        if wrong := _not_a_message(call):
            raise refusal("InvalidParameter", f"Invalid parameter: {wrong}", "Publish")
        self.messages.append(call)
        self._ends("Publish", call)
        return {"MessageId": f"00000000-0000-0000-0000-{len(self.messages):012}"}


def _not_a_message(call: Publish) -> str | None:
    subject, attributes = call.get("Subject"), call.get("MessageAttributes", {})
    if subject is not None:
        plain = subject.isascii() and subject.isprintable() and not subject.startswith(" ")
        if not plain or not 0 < len(subject) < SUBJECT:
            return "Subject"
    if not call["Message"]:
        return "Empty message"
    # Attributes count, by their names, types and values.
    beside = sum(_bytes(name) + sum(map(_bytes, told.values())) for name, told in attributes.items())
    return "Message too long" if _bytes(call["Message"]) + beside > MESSAGE_BYTES else None


# Organizations and EC2

ROOT = "r-root"


class OrganizationsTwin:
    """Its paginators, over accounts that come and go. Every page is followed by an empty one, as happens."""

    def __init__(self, accounts: Mapping[str, tuple[str, str]] | None = None, *, page: int = 20) -> None:
        self.accounts = dict(accounts or {})
        """Id -> name and state."""
        self.parents: dict[str, str] = {}
        """Account or unit -> what it is in; the root, unless told."""
        self.tags: dict[str, dict[str, str]] = {}
        """Account -> its tags."""
        self.page = page
        self.reads = 0

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _list_accounts(self) -> Iterator[dict[str, Any]]:
        return self._pages("Accounts", [self._account(each) for each in self.accounts])

    def _list_accounts_for_parent(self, **call: str) -> Iterator[dict[str, Any]]:
        parent = self._parent(call["ParentId"])
        inside = [self._account(each) for each in self.accounts if self.parents.get(each, ROOT) == parent]
        return self._pages("Accounts", inside)

    def _list_organizational_units_for_parent(self, **call: str) -> Iterator[dict[str, Any]]:
        parent = self._parent(call["ParentId"])
        inside = [{"Id": unit, "Name": unit} for unit, above in self._units().items() if above == parent]
        return self._pages("OrganizationalUnits", inside)

    def _list_tags_for_resource(self, **call: str) -> Iterator[dict[str, Any]]:
        if call["ResourceId"] not in {*self.accounts, *self._units(), ROOT}:
            missing = "You specified a target that does not exist."
            raise refusal("TargetNotFoundException", missing, "ListTagsForResource")
        tags = self.tags.get(call["ResourceId"], {})
        return self._pages("Tags", [{"Key": name, "Value": value} for name, value in tags.items()])

    def _pages(self, field: str, told: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(told), self.page):
            self.reads += 2
            yield {field: [*told[start : start + self.page]], "NextToken": f"page-{start}"}
            yield {field: [], "NextToken": f"empty-{start}"}
        self.reads += 1
        yield {field: []}

    def _account(self, id_: str) -> dict[str, Any]:
        name, state = self.accounts[id_]
        return {"Id": id_, "Name": name, "State": state, "Status": state}

    def _units(self) -> dict[str, str]:
        """Every unit that is in something, or that something is in -> what it is in."""
        known = {*self.parents, *self.parents.values()}
        return {each: self.parents.get(each, ROOT) for each in sorted(known) if each.startswith("ou-")}

    def _parent(self, id_: str) -> str:
        if id_ not in {ROOT, *self._units()}:
            missing = "You specified parent that doesn't exist."
            raise refusal("ParentNotFoundException", missing, "ListAccountsForParent")
        return id_


class DescribeRegions(TypedDict, total=False):
    AllRegions: bool


class RegionsTwin:
    """An EC2 client that only knows which regions there are."""

    def __init__(self, regions: Mapping[str, str] | Iterable[str] = ()) -> None:
        always = "opt-in-not-required"
        self.regions = dict(regions) if isinstance(regions, Mapping) else dict.fromkeys(regions, always)
        """Name -> opt-in status."""
        self.reads = 0

    def describe_regions(self, **call: Unpack[DescribeRegions]) -> dict[str, Any]:
        _accepts("DescribeRegions", call, DescribeRegions)
        self.reads += 1
        return {
            "Regions": [
                {"RegionName": name, "OptInStatus": status, "Endpoint": f"ec2.{name}.amazonaws.com"}
                for name, status in self.regions.items()
                if call.get("AllRegions") or status != "not-opted-in"
            ]
        }
