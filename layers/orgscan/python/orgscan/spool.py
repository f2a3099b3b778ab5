"""What one target's scan has seen and found so far, in a file.

Memory does not grow with the target, and the next invocation goes on where this one's time ran out. A page
of resources and the way to the next one are kept together or not at all; a resource that comes twice is one.

What is written waits in memory until it is much, or somebody reads: each statement lets other threads run,
which do not give way as soon as it ends, and many threads write a little each. Where listings stand is known
without asking the file.
"""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from orgscan.collector import Bookmark
from orgscan.meter import Spent
from orgscan.model import Blindness, Finding, Gap, Resource
from orgscan.tagged import Share

CHUNK = 500
"""Resources in memory at a time."""
MOST_WAITING = 2_000
"""Rows that wait to be written."""
KIB_CACHED = 16_384
SCHEMA = """
CREATE TABLE resources (id INTEGER PRIMARY KEY, kind TEXT, arn TEXT, body BLOB, UNIQUE (kind, arn));
CREATE TABLE listings (kind TEXT PRIMARY KEY, number INTEGER DEFAULT 0, token TEXT DEFAULT '{}',
  ended INTEGER DEFAULT 0, gap BLOB);
CREATE TABLE indexed (kind TEXT, attribute TEXT);
CREATE TABLE relations (kind TEXT, attribute TEXT, value TEXT, id INTEGER,
  PRIMARY KEY (kind, attribute, value, id)) WITHOUT ROWID;
CREATE TABLE findings (place TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
CREATE TABLE unread (check_id TEXT, arn TEXT, reason TEXT, gap BLOB,
  PRIMARY KEY (check_id, arn)) WITHOUT ROWID;
CREATE TABLE tagged (owner TEXT PRIMARY KEY, judged INTEGER, compliant INTEGER) WITHOUT ROWID;
CREATE TABLE phase (judged INTEGER, shape TEXT, spent TEXT);
"""
KEEP = """
INSERT INTO resources (kind, arn, body) VALUES (?, ?, ?)
  ON CONFLICT (kind, arn) DO UPDATE SET body = excluded.body
"""
LIST = "INSERT OR REPLACE INTO listings (kind, number, token, ended, gap) VALUES (?, ?, ?, ?, ?)"
INDEX = "INSERT INTO indexed VALUES (?, ?)"
RELATE = "INSERT OR IGNORE INTO relations VALUES (?, ?, ?, ?)"
SHARE = "INSERT OR REPLACE INTO tagged VALUES (?, ?, ?)"
FIND = "INSERT OR REPLACE INTO findings VALUES (?, ?)"
LOSE = "INSERT OR REPLACE INTO unread VALUES (?, ?, ?, ?)"
SAFE = {
    ("builtins", "frozenset"),
    ("builtins", "object"),
    ("builtins", "set"),
    ("copyreg", "_reconstructor"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
}
"""What facts are made of besides our own dataclasses and enums."""


class SpoolClosed(Exception):
    """A thread that outlived its scan wanted to add something."""


class NoFact(pickle.PickleError):
    """A spool holds facts, gaps and findings, and nothing else."""


@dataclass(slots=True)
class _Listing:
    """How far one kind has been listed."""

    number: int = 0
    token: str = json.dumps({})
    ended: bool = False
    gap: bytes | None = None


class Spool:
    def __init__(self, path: Path | None = None, *, shape: str = "") -> None:
        """Go on with the file if it holds facts of this shape; otherwise begin. None: in memory."""
        if path and path.exists() and _shape(path) != shape:
            path.unlink()
        fresh = path is None or not path.exists()
        self._lock = RLock()
        self._open = True
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        # The file is copied when it is whole, and thrown away when its process dies: nothing to recover.
        self._database.executescript(
            f"PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -{KIB_CACHED};"
        )
        if fresh:
            self._database.executescript(SCHEMA)
            self._database.execute("INSERT INTO phase VALUES (0, ?, '{}')", (shape,))
        rows = self._database.execute("SELECT kind, number, token, ended, gap FROM listings")
        self._listings = {
            kind: _Listing(number, token, bool(ended), gap) for kind, number, token, ended, gap in rows
        }
        self._indexed = set(self._database.execute("SELECT kind, attribute FROM indexed"))
        self._waiting: dict[str, list[Sequence[Any]]] = {}
        """Statement -> rows to be written by it."""
        self._turned: set[str] = set()
        """Kinds whose listing is to be written."""
        self._counts: dict[str, int] | None = None
        """Resources of each kind; None: to be counted."""

    def close(self) -> None:
        with self._lock, closing(self._database):
            was_open, self._open = self._open, False
            if was_open:
                self._settle()

    def spend(self, spent: Spent) -> None:
        """By all invocations that worked on it."""
        self._run("UPDATE phase SET spent = ?", json.dumps(asdict(spent)))

    def spent(self) -> Spent:
        return Spent(**json.loads(self._one("SELECT spent FROM phase")[0]))

    # What was collected

    def keep(self, kind: type[Resource], resources: Iterable[Resource], bookmark: Bookmark | None) -> None:
        """Some resources, and with them where their listing goes on. None: where it went on before."""
        name = _name(kind)
        rows = [(name, each.arn, _pack(each)) for each in resources]
        with self._lock:
            if bookmark:
                listing = self._turn(name)
                listing.number, listing.token = bookmark.listing, json.dumps(bookmark.token)
            self._put(KEEP, rows)

    def end(self, kind: type[Resource], gap: Gap | None) -> None:
        """Nothing more will come: all was seen, or there is a gap."""
        with self._lock:
            listing = self._turn(_name(kind))
            listing.ended = True
            if gap:
                listing.gap = _pack(gap)

    def spoil(self, kind: type[Resource], gap: Gap) -> None:
        """Not all of a kind can be seen, whatever else comes. The first reason stands."""
        with self._lock:
            listing = self._turn(_name(kind))
            listing.gap = listing.gap or _pack(gap)

    def ended(self, kind: type[Resource]) -> bool:
        return self._listing(kind).ended

    def bookmark(self, kind: type[Resource]) -> Bookmark:
        listing = self._listing(kind)
        return Bookmark(listing.number, json.loads(listing.token))

    def gap(self, kind: type[Resource]) -> Gap | None:
        """Why not all of a kind was seen; None when it was."""
        listing = self._listing(kind)
        if not listing.ended:
            return Gap(kind.__name__, Blindness.FAULT, f"{kind.__name__} was not collected")
        return _load(listing.gap) if listing.gap else None

    def count(self, kind: type[Resource]) -> int:
        return self._counted().get(_name(kind), 0)

    def size(self) -> int:
        """Resources of all kinds."""
        return sum(self._counted().values())

    def _counted(self) -> Mapping[str, int]:
        with self._lock:
            if self._counts is None or KEEP in self._waiting:
                self._counts = dict(self._all("SELECT kind, count(*) FROM resources GROUP BY kind"))
            return self._counts

    def has(self, kind: type[Resource], arn: str) -> bool:
        return bool(self._one("SELECT 1 FROM resources WHERE kind = ? AND arn = ?", _name(kind), arn))

    def chunks(self, kind: type[Resource]) -> Iterator[tuple[int, list[Any]]]:
        """All resources of a kind, some at a time, each time with the number of the last one before."""
        after = 0
        for rows in self._chunks(kind):
            yield after, [_load(body) for _, body in rows]
            after = rows[-1][0]

    def _chunks(self, kind: type[Resource]) -> Iterator[Sequence[tuple[int, bytes]]]:
        """Their numbers and bodies."""
        after, left = 0, self.count(kind)
        while left:
            rows = self._all(
                "SELECT id, body FROM resources WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
                *(_name(kind), after, CHUNK),
            )
            yield rows
            after, left = rows[-1][0], left - len(rows)

    def every(self, kind: type[Resource]) -> Iterator[Any]:
        for _, chunk in self.chunks(kind):
            yield from chunk

    def by_arn(self, kind: type[Resource]) -> Iterator[Any]:
        """`every`, in an order that does not depend on when they came."""
        after = ""
        while rows := self._all(
            "SELECT arn, body FROM resources WHERE kind = ? AND arn > ? ORDER BY arn LIMIT ?",
            *(_name(kind), after, CHUNK),
        ):
            after = rows[-1][0]
            for _, body in rows:
                yield _load(body)

    def related(self, kind: type[Resource], attribute: str, value: str) -> list[Any]:
        """Those whose attribute equals the value, or, for tuples and sets, contains it."""
        if not self.count(kind):
            return []
        with self._lock:
            self._index(kind, attribute)
            rows = self._all(
                "SELECT body FROM relations JOIN resources USING (id)"
                " WHERE relations.kind = ? AND attribute = ? AND value = ? ORDER BY id",
                *(_name(kind), attribute, value),
            )
        return [_load(body) for (body,) in rows]

    def _index(self, kind: type[Resource], attribute: str) -> None:
        """Built once, so that relating n resources costs n, not n squared."""
        key = (_name(kind), attribute)
        if key in self._indexed:
            return
        for rows in self._chunks(kind):
            pairs = [(*key, value, id_) for id_, body in rows for value in _values(_load(body), attribute)]
            self._put(RELATE, pairs)
        self._put(INDEX, [key])
        self._indexed.add(key)

    # What was judged

    @property
    def judged(self) -> bool:
        return bool(self._one("SELECT judged FROM phase")[0])

    def begin_judging(self) -> None:
        """Judging happens in one go; what an earlier attempt came to is forgotten."""
        for table in ("findings", "tagged", "unread"):
            self._run(f"DELETE FROM {table}")  # noqa: S608 (our own names)

    def end_judging(self) -> None:
        self._run("UPDATE phase SET judged = 1")

    def share(self, shares: Iterable[tuple[str, Share]]) -> None:
        self._put(SHARE, [(owner, each.judged, each.compliant) for owner, each in shares])

    def shares(self) -> dict[str, Share]:
        """By owner."""
        rows = self._all("SELECT owner, judged, compliant FROM tagged ORDER BY owner")
        return {owner: Share(judged, compliant) for owner, judged, compliant in rows}

    def find(self, findings: Iterable[Finding], place: Callable[[Finding], str]) -> None:
        self._put(FIND, [(place(each), _pack(each)) for each in findings])

    def findings(self) -> Iterator[Finding]:
        """By place, in the byte order that the table of findings has too."""
        after = ""
        while rows := self._all(
            "SELECT place, body FROM findings WHERE place > ? ORDER BY place LIMIT ?", after, CHUNK
        ):
            after = rows[-1][0]
            for _, body in rows:
                yield _load(body)

    def lose(self, check: str, gaps: Mapping[str, Gap]) -> None:
        """Resources, by ARN, that a check was shown and could not judge."""
        self._put(LOSE, [(check, arn, gap.reason.value, _pack(gap)) for arn, gap in gaps.items()])

    def lose_rest(self, check: str, kind: type[Resource], after: int, gap: Gap) -> None:
        """All resources of a kind behind a number, for one reason."""
        self._run(
            "INSERT OR REPLACE INTO unread SELECT ?, arn, ?, ? FROM resources WHERE kind = ? AND id > ?",
            *(check, gap.reason.value, _pack(gap), _name(kind), after),
        )

    def is_unread(self, check: str, arn: str) -> bool:
        return bool(self._one("SELECT 1 FROM unread WHERE check_id = ? AND arn = ?", check, arn))

    def unjudged(self) -> frozenset[str]:
        """Checks that could not judge all that they were shown."""
        return frozenset(check for (check,) in self._all("SELECT DISTINCT check_id FROM unread"))

    def unread(self, check: str) -> tuple[int, Gap] | None:
        """How many resources a check could not judge, and why most of them."""
        rows = self._all(
            "SELECT count(*), min(arn) FROM unread WHERE check_id = ? GROUP BY reason"
            " ORDER BY count(*) DESC, min(arn)",
            check,
        )
        if not rows:
            return None
        body = self._one("SELECT gap FROM unread WHERE check_id = ? AND arn = ?", check, rows[0][1])[0]
        return sum(count for count, _ in rows), _load(body)

    # The database

    def _listing(self, kind: type[Resource]) -> _Listing:
        return self._listings.get(_name(kind)) or _Listing()

    def _turn(self, name: str) -> _Listing:
        """To change it. Whoever calls has the lock."""
        self._must_be_open()
        self._turned.add(name)
        return self._listings.setdefault(name, _Listing())

    def _put(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with self._lock:
            self._must_be_open()
            if rows:
                self._waiting.setdefault(statement, []).extend(rows)
            if sum(map(len, self._waiting.values())) >= MOST_WAITING:
                self._settle()

    def _settle(self) -> None:
        """Write what waits, all of it or nothing. Whoever calls has the lock."""
        if not self._waiting and not self._turned:
            return
        listings = [(name, self._listings[name]) for name in self._turned]
        rows = [(name, each.number, each.token, each.ended, each.gap) for name, each in listings]
        self._database.execute("BEGIN")
        try:
            for statement, those in self._waiting.items():
                self._database.executemany(statement, those)
            self._database.executemany(LIST, rows)
        except BaseException:
            if self._database.in_transaction:  # a full disk has ended it
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        if KEEP in self._waiting:
            self._counts = None
        self._waiting, self._turned = {}, set()

    def _must_be_open(self) -> None:
        if not self._open:
            raise SpoolClosed

    def _run(self, statement: str, *values: Any) -> Any:
        """A single statement is a transaction of its own."""
        with self._lock:
            self._must_be_open()
            self._settle()
            return self._database.execute(statement, values)

    def _all(self, statement: str, *values: Any) -> Sequence[Any]:
        with self._lock:
            rows: Sequence[Any] = self._run(statement, *values).fetchall()
            return rows

    def _one(self, statement: str, *values: Any) -> Any:
        with self._lock:
            return self._run(statement, *values).fetchone()


def _shape(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        return str(database.execute("SELECT shape FROM phase").fetchone()[0])


class _Pack(pickle.Pickler):
    """Refuses at once what could not be read back: then it is the collector that failed."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, datetime) and value.tzinfo not in (None, UTC):
            # botocore's zones are classes of another library; the moment is the same.
            moment = value.astimezone(UTC)
            return datetime, (*moment.timetuple()[:6], moment.microsecond, UTC)
        if not isinstance(value, type):
            _fact_class(kind.__module__, kind.__qualname__)
        return NotImplemented


def _pack(value: Any) -> bytes:
    packed = io.BytesIO()
    _Pack(packed, 5).dump(value)
    return packed.getvalue()


class _Facts(pickle.Unpickler):
    """A spool comes back from a bucket: nothing in it may run, or make anything but facts."""

    def find_class(self, module: str, name: str) -> Any:
        return _fact_class(module, name)


@cache
def _fact_class(module: str, name: str) -> Any:
    # Only of what is loaded: importing would run something.
    found = _found(module, name)
    if (module, name) in SAFE:
        return found
    ours = module.partition(".")[0] == "orgscan" and (is_dataclass(found) or _derives(found, Enum))
    if isinstance(found, type) and (ours or _derives(found, Resource)):
        return found
    raise NoFact(f"{module}.{name} is no fact")


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _derives(found: Any, base: type) -> bool:
    return isinstance(found, type) and issubclass(found, base)


def _load(body: bytes) -> Any:
    return _Facts(io.BytesIO(body)).load()


def _name(kind: type[Resource]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _values(resource: Resource, attribute: str) -> set[str]:
    value = getattr(resource, attribute)
    values = value if isinstance(value, (tuple, frozenset)) else (value,)
    return {each for each in values if isinstance(each, str)}
