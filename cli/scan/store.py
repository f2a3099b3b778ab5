"""Where findings live between scans of one's own machine: one file, with the methods of the hub's table.

A scan is one transaction. One that dies leaves nothing behind, so that the next one tells all that nobody
was told; and of two that meet in a folder the second is refused before it begins.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from secrets import token_hex
from threading import RLock
from typing import TYPE_CHECKING, Any

from orgscan import items, schema
from orgscan.coverage import Coverage, Look
from orgscan.errors import OutOfTime
from orgscan.membership import Move, Remembered
from orgscan.meter import Spent
from orgscan.model import Blindness, Gap, OwnedBy, Owner, Severity, Target
from orgscan.receipt import Receipt, Tally
from orgscan.reconcile import Record, Status, place, reconcile
from orgscan.routing import Routing
from orgscan.store import KEPT_DAYS
from orgscan.suppress import Suppressions

if TYPE_CHECKING:
    from pathlib import Path

FILE = "state.sqlite"
"""In the folder of results."""
TABLE = """
CREATE TABLE IF NOT EXISTS items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, item TEXT NOT NULL, listed TEXT, expires INTEGER, PRIMARY KEY (pk, sk)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open ON items (listed, pk, sk) WHERE listed IS NOT NULL;
"""
"""Keys are those of the table, see `orgscan.store`; `listed` is the severity of what is open."""


PATIENCE_MS = 60_000


class Busy(Exception):
    """Another scan is writing there."""


class DiskStore:
    """Safe to share between threads. Whatever cannot be read or written raises sqlite3.Error."""

    def __init__(self, path: Path, *, together: str = "") -> None:
        """`together`: what is scanned as one, an organization or some accounts; each remembers its own.

        Raises Busy, as `whole` does.
        """
        self._together = together
        self._lock = RLock()
        self._base = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        with _busy():
            self._base.executescript(TABLE)

    def close(self) -> None:
        self._base.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All that is written within stays; nothing does when it raises or dies, and it is closed then."""
        with _busy():
            self._base.execute("BEGIN IMMEDIATE")
        # Who merely looks, to be refused, is gone in a moment: nothing is lost for that at the end.
        self._base.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        try:
            yield
        except BaseException:
            with self._lock:  # whoever still writes, and whoever comes later, must not begin one of their own
                self._base.execute("ROLLBACK")
                self._base.close()
            raise
        self._base.execute("COMMIT")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Likewise, for a part of it, one thread at a time."""
        with self._lock:
            self._base.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK TO part")
                raise
            finally:
                self._base.execute("RELEASE part")

    def salt(self) -> str:
        """Of the digests that stand for secret values: this file's own, made once."""
        with self._changing():
            known = self._get("SALT", "SALT") or {"salt": token_hex()}
            self._put("SALT", "SALT", known)
            return str(known["salt"])

    def adopt(self) -> None:
        """Mark it as written by this version, and drop what is too old. Raises NewerTable."""
        with self._changing():
            found = int((self._get("SCHEMA", "SCHEMA") or {"schema": 0})["schema"])
            if found > schema.current():
                raise schema.NewerTable(found)
            self._put("SCHEMA", "SCHEMA", {"schema": schema.current()})
            self._base.execute("DELETE FROM items WHERE expires < ?", (int(time.time()),))

    def record(  # noqa: PLR0913 (as `store.FindingStore.record`)
        self,
        scan: str,
        started: str,
        look: Look,
        *,
        rules: Suppressions | None = None,
        routing: Routing | None = None,
        was: Mapping[str, str] | None = None,
        seconds_left: Callable[[], float] = lambda: inf,
        spent: Callable[[], Spent] = Spent,
    ) -> Receipt:
        """As the table's. Raises OutOfTime, and writes nothing then."""
        target, planned = look.coverage.target, look.coverage.planned
        routing = routing or Routing()
        with self._changing():
            state = self._get(_pk(target), "STATE") or {"scan": scan, "blind": [], "blind_before": []}
            if state["scan"] > scan:
                lost = Gap("target", Blindness.FAULT, f"superseded by scan {state['scan']}")
                unseen = Coverage(target=target, planned=planned, gaps=dict.fromkeys(planned, lost))
                left = Tally(scan, target, routing).receipt(unseen, planned, spent())
                if not self._get(f"SCAN#{scan}", _pk(target)):
                    self._leave(left, started)
                return left
            before = state["blind_before" if state["scan"] == scan else "blind"]
            rules = rules or Suppressions((), datetime.fromisoformat(started))
            tally, changed = self._reconciled(scan, started, look, rules, routing, was or {})
            if seconds_left() <= 0:
                raise OutOfTime
            for each in changed:
                self._keep(each, started)
            blind = sorted((set(before) - planned) | look.coverage.gaps.keys())
            self._put(_pk(target), "STATE", {"scan": scan, "blind": blind, "blind_before": before})
            left = tally.receipt(look.coverage, before, spent())
            self._leave(left, started)
            return left

    def _reconciled(
        self,
        scan: str,
        started: str,
        look: Look,
        rules: Suppressions,
        routing: Routing,
        was: Mapping[str, str],
    ) -> tuple[Tally, Sequence[Record]]:
        """What it came to, and what is to be written."""
        target, changed = look.coverage.target, list[Record]()
        tally = Tally(scan, target, routing)
        renamed = {
            place(replace(record.finding, check=id_)): record
            for earlier, id_ in was.items()
            for record in self._records(target, f"{earlier}#")
        }
        steps = reconcile(
            self.findings(target),
            look,
            scan=scan,
            started=started,
            rules=rules,
            renamed=renamed,
            owner=lambda finding: routing.owner(finding, target),
        )
        for step in steps:
            tally.add(step, due=look.coverage.due(step.after.finding))
            if step.after != step.before:
                changed.append(step.after)
        return tally, changed

    def _keep(self, record: Record, started: str) -> None:
        finding, resolved = record.finding, record.status is Status.RESOLVED
        part = finding.severity if record.status is Status.OPEN else record.status
        self._put(
            _pk(finding.target),
            f"FINDING#{place(finding)}",
            items.from_record(record),
            listed=None if resolved else part,
            expires=_expiry(started) if resolved else None,
        )

    def _leave(self, left: Receipt, started: str) -> None:
        item = items.from_receipt(left)
        self._put(f"SCAN#{left.scan}", _pk(left.target), item, expires=_expiry(started))

    def findings(self, target: Target) -> Iterator[Record]:
        """All of a target, open, suppressed and resolved, by place."""
        return self._records(target, "")

    def _records(self, target: Target, places: str) -> Iterator[Record]:
        return map(items.to_record, self._below(_pk(target), f"FINDING#{places}"))

    def open_findings(self, severity: Severity) -> Iterator[Record]:
        """Of all targets."""
        return self._listed(severity)

    def suppressed_findings(self) -> Iterator[Record]:
        """Likewise."""
        return self._listed(Status.SUPPRESSED)

    def _listed(self, what: str) -> Iterator[Record]:
        rows = self._base.execute("SELECT item FROM items WHERE listed = ? ORDER BY pk, sk", (what,))
        return (items.to_record(json.loads(item)) for (item,) in rows)

    def receipts(self, scan: str) -> Iterator[Receipt]:
        """By account."""
        return map(items.to_receipt, self._below(f"SCAN#{scan}", "TARGET#"))

    def without_receipt(self, scan: str, targets: Iterable[Target]) -> Iterator[Target]:
        """Those of them that nobody told anything of."""
        return (target for target in targets if not self._get(f"SCAN#{scan}", _pk(target)))

    def remembered(self) -> Iterator[Remembered]:
        """Every account that some scan of what is scanned together met."""
        for row in self._below(f"ACCOUNTS#{self._together}", ""):
            yield Remembered(
                row["account"],
                row["name"],
                frozenset(row.get("regions", ())),
                frozenset(row.get("absent", ())),
                row.get("told_state", ""),
                row.get("told_in", ""),
                Owner(row.get("owner_name", ""), OwnedBy(row.get("owned_by", OwnedBy.NOBODY))),
                row.get("owner_read", ""),
            )

    def remember(self, account: Remembered) -> None:
        """That these regions of it are scanned from now on, and that what is `absent` of it no longer is."""
        with self._account(account.account) as row:
            row["name"] = account.name
            row["regions"] = sorted({*row.get("regions", ()), *account.regions})
            row["absent"] = sorted({*row.get("absent", ())} - account.absent)

    def remember_owner(self, account: str, owner: Owner, day: str) -> None:
        """That this is what an account that is known was read to say, on that day."""
        with self._account(account) as row:
            if row:
                row |= {"owner_name": owner.name, "owned_by": owner.by.value, "owner_read": day}

    def first_to_move(self, move: Move, scan: str) -> bool:
        """Whether no other scan has told of the account since the move was noticed. Its state stands then."""
        with self._account(move.account) as row:
            if row.get("told_in", "") != move.told_in:
                return bool(row["told_in"] == scan)
            row |= {"name": move.name, "told_state": move.now, "told_in": scan}
            return True

    def miss(self, account: str, regions: Iterable[str], scan: str) -> None:
        """These regions of it are no longer scanned."""
        with self._account(account) as row:
            if row:
                marks = {_mark(region, scan) for region in regions}
                row["absent"] = sorted({*row.get("absent", ())} | marks)

    def forget(self, target: Target, scan: str) -> None:
        """Nothing is left of a target that this scan planned as absent, and no later one has it back."""
        mark = _mark(target.region, scan)
        with self._account(target.account) as row:
            gone = mark in row.get("absent", ())
            if gone and all(each.status is Status.RESOLVED for each in self.findings(target)):
                row["regions"] = sorted({*row.get("regions", ())} - {target.region})
                row["absent"] = sorted({*row["absent"]} - {mark})

    @contextmanager
    def _account(self, account: str) -> Iterator[dict[str, Any]]:
        """What is known of it, to be changed; nothing is kept of what stays empty."""
        pk = f"ACCOUNTS#{self._together}"
        with self._changing():
            row = self._get(pk, account) or {}
            yield row
            if row:
                self._put(pk, account, {**row, "account": account})

    def first_to_tell(self, what: str, scan: str) -> bool:
        """Whether no other scan has told people of this; the one that did may tell it again."""
        with self._changing():
            if not self.told(what):
                self._put(f"TOLD#{self._together}", what, {"scan": scan})
            return self.told(what) == scan

    def told(self, what: str) -> str:
        """The scan that told people of this; empty: none did."""
        row = self._get(f"TOLD#{self._together}", what)
        return str(row["scan"]) if row else ""

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._base.execute("SELECT item FROM items WHERE pk = ? AND sk = ?", (pk, sk)).fetchone()
        return dict(json.loads(row[0])) if row else None

    def _below(self, pk: str, prefix: str) -> Iterator[dict[str, Any]]:
        """All whose key begins like this, in its byte order."""
        order = "SELECT item FROM items WHERE pk = ? AND sk >= ? AND substr(sk, 1, ?) = ? ORDER BY sk"
        rows = self._base.execute(order, (pk, prefix, len(prefix), prefix))
        return (json.loads(item) for (item,) in rows)

    def _put(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        *,
        listed: str | None = None,
        expires: int | None = None,
    ) -> None:
        text = json.dumps(item, default=float)  # the table's numbers are decimals
        row = (pk, sk, text, None if listed is None else str(listed), expires)
        self._base.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)", row)


@contextmanager
def _busy() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise Busy from error


def _pk(target: Target) -> str:
    return f"TARGET#{target.account}#{target.region}"


def _mark(region: str, scan: str) -> str:
    return f"{region}#{scan}"


def _expiry(started: str) -> int:
    """Seconds since 1970."""
    return int((datetime.fromisoformat(started) + timedelta(days=KEPT_DAYS)).timestamp())
