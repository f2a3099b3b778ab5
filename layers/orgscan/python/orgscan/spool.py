"""What one target's scan has seen and found so far, in a file.

Memory does not grow with the target, and the next invocation goes on where this one's time ran out. A page
of resources and the way to the next one are kept together or not at all; a resource that comes twice is one.
"""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, is_dataclass
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
            self._run("INSERT INTO phase VALUES (0, ?, '{}')", shape)

    def close(self) -> None:
        with self._lock:
            self._open = False
            self._database.close()

    def spend(self, spent: Spent) -> None:
        """By all invocations that worked on it."""
        self._run("UPDATE phase SET spent = ?", json.dumps(asdict(spent)))

    def spent(self) -> Spent:
        return Spent(**json.loads(self._one("SELECT spent FROM phase")[0]))

    # What was collected

    def keep(self, kind: type[Resource], resources: Iterable[Resource], bookmark: Bookmark | None) -> None:
        """Some resources, and with them where their listing goes on. None: where it went on before."""
        rows = [(_name(kind), each.arn, _pack(each)) for each in resources]
        if not rows:
            if bookmark:
                with self._open_now():
                    self._turn_to(kind, bookmark)
            return
        with self._transaction():
            self._database.executemany(
                "INSERT INTO resources (kind, arn, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, arn) DO UPDATE SET body = excluded.body",
                rows,
            )
            if bookmark:
                self._turn_to(kind, bookmark)

    def _turn_to(self, kind: type[Resource], bookmark: Bookmark) -> None:
        self._listing(kind, number=bookmark.listing, token=json.dumps(bookmark.token))

    def end(self, kind: type[Resource], gap: Gap | None) -> None:
        """Nothing more will come: all was seen, or there is a gap."""
        with self._open_now():
            self._listing(kind, ended=1, **({"gap": _pack(gap)} if gap else {}))

    def spoil(self, kind: type[Resource], gap: Gap) -> None:
        """Not all of a kind can be seen, whatever else comes. The first reason stands."""
        self._run(
            "INSERT INTO listings (kind, gap) VALUES (?, ?)"
            " ON CONFLICT (kind) DO UPDATE SET gap = coalesce(gap, excluded.gap)",
            *(_name(kind), _pack(gap)),
        )

    def ended(self, kind: type[Resource]) -> bool:
        return bool(self._one("SELECT 1 FROM listings WHERE kind = ? AND ended", _name(kind)))

    def bookmark(self, kind: type[Resource]) -> Bookmark:
        found = self._one("SELECT number, token FROM listings WHERE kind = ?", _name(kind))
        return Bookmark(found[0] or 0, json.loads(found[1] or "{}")) if found else Bookmark()

    def gap(self, kind: type[Resource]) -> Gap | None:
        """Why not all of a kind was seen; None when it was."""
        found = self._one("SELECT ended, gap FROM listings WHERE kind = ?", _name(kind))
        if not found or not found[0]:
            return Gap(kind.__name__, Blindness.FAULT, f"{kind.__name__} was not collected")
        return _load(found[1]) if found[1] else None

    def count(self, kind: type[Resource]) -> int:
        return int(self._one("SELECT count(*) FROM resources WHERE kind = ?", _name(kind))[0])

    def size(self) -> int:
        """Resources of all kinds."""
        return int(self._one("SELECT count(*) FROM resources")[0])

    def has(self, kind: type[Resource], arn: str) -> bool:
        return bool(self._one("SELECT 1 FROM resources WHERE kind = ? AND arn = ?", _name(kind), arn))

    def chunks(self, kind: type[Resource]) -> Iterator[tuple[int, list[Any]]]:
        """All resources of a kind, some at a time, each time with the number of the last one before."""
        after = 0
        while rows := self._all(
            "SELECT id, body FROM resources WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            *(_name(kind), after, CHUNK),
        ):
            yield after, [_load(body) for _, body in rows]
            after = rows[-1][0]

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
        if self._one("SELECT 1 FROM indexed WHERE kind = ? AND attribute = ?", *key):
            return
        after = 0
        while rows := self._all(
            "SELECT id, body FROM resources WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            *(key[0], after, CHUNK),
        ):
            after = rows[-1][0]
            pairs = [(*key, value, id_) for id_, body in rows for value in _values(_load(body), attribute)]
            with self._transaction():
                self._database.executemany("INSERT OR IGNORE INTO relations VALUES (?, ?, ?, ?)", pairs)
        self._run("INSERT INTO indexed VALUES (?, ?)", *key)

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
        rows = [(owner, each.judged, each.compliant) for owner, each in shares]
        with self._transaction():
            self._database.executemany("INSERT OR REPLACE INTO tagged VALUES (?, ?, ?)", rows)

    def shares(self) -> dict[str, Share]:
        """By owner."""
        rows = self._all("SELECT owner, judged, compliant FROM tagged ORDER BY owner")
        return {owner: Share(judged, compliant) for owner, judged, compliant in rows}

    def find(self, findings: Iterable[Finding], place: Callable[[Finding], str]) -> None:
        rows = [(place(each), _pack(each)) for each in findings]
        with self._transaction():
            self._database.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?)", rows)

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
        rows = [(check, arn, gap.reason.value, _pack(gap)) for arn, gap in gaps.items()]
        with self._transaction():
            self._database.executemany("INSERT OR REPLACE INTO unread VALUES (?, ?, ?, ?)", rows)

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

    def _listing(self, kind: type[Resource], **columns: Any) -> None:
        names = ", ".join(columns)
        marks = ", ?" * len(columns)
        news = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._database.execute(
            f"INSERT INTO listings (kind, {names}) VALUES (?{marks})"  # noqa: S608 (our own names)
            f" ON CONFLICT (kind) DO UPDATE SET {news}",
            (_name(kind), *columns.values()),
        )

    @contextmanager
    def _open_now(self) -> Iterator[None]:
        """One at a time. A single statement is a transaction of its own."""
        with self._lock:
            if not self._open:
                raise SpoolClosed
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._open_now():
            self._database.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _run(self, statement: str, *values: Any) -> None:
        with self._open_now():
            self._database.execute(statement, values)

    def _all(self, statement: str, *values: Any) -> Sequence[Any]:
        with self._open_now():
            return self._database.execute(statement, values).fetchall()

    def _one(self, statement: str, *values: Any) -> Any:
        with self._open_now():
            return self._database.execute(statement, values).fetchone()


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
