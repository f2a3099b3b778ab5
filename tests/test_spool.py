"""What a target's scan has collected: each resource once, each page with the way to the next, or neither."""

import os
import pickle
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan.catalog import AnyCollector
from orgscan.collector import Bookmark, Reader, collector
from orgscan.gather import Gathering
from orgscan.model import Blindness, Gap, Resource
from orgscan.reconcile import place
from orgscan.spool import CHUNK, MOST_WAITING, NoFact, Spool, SpoolClosed
from tests.scans import HERE, NO, NOW, finding
from tests.test_engine import NOWHERE, Other, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Resource):
    at: datetime | Gap | None
    inside: tuple[Thing, ...] = ()


def test_a_resource_that_comes_twice_is_one_and_the_later_one() -> None:
    spool = Spool()
    spool.keep(Thing, [Thing(arn="t1"), Thing(arn="t2")], None)
    spool.keep(Thing, [Thing(arn="t1", color="blue")], None)
    assert {each.arn: each.color for each in spool.every(Thing)} == {"t1": "blue", "t2": "red"}
    assert (spool.count(Thing), spool.count(Other), spool.size()) == (2, 0, 2)


def test_resources_come_by_arn_however_many_there_are() -> None:
    spool = Spool()
    arns = [f"t{number:04}" for number in range(2 * CHUNK + 1)]
    spool.keep(Thing, [Thing(arn=arn) for arn in reversed(arns)], None)
    spool.keep(Other, [Other(arn="o1")], None)
    assert [each.arn for each in spool.by_arn(Thing)] == arns


def test_a_page_and_the_way_to_the_next_are_kept_together(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.keep(Thing, [Thing(arn="t1")], Bookmark(0, {"NextToken": "2"}))
    unkept: Any = print
    broken = [Thing(arn="t2"), Thing(arn="t3", color=unkept)]
    with pytest.raises(NoFact):
        spool.keep(Thing, broken, Bookmark(0, {"NextToken": "3"}))
    spool.close()
    again = Spool(tmp_path / "spool")
    assert [each.arn for each in again.every(Thing)] == ["t1"]
    assert again.bookmark(Thing) == Bookmark(0, {"NextToken": "2"})
    assert again.bookmark(Other) == Bookmark()


def test_what_waits_to_be_written_is_never_much(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for number in range(2 * MOST_WAITING + 1):
        spool.keep(Thing, [Thing(arn=f"t{number}")], None)
    with closing(sqlite3.connect(tmp_path / "spool")) as database:
        assert database.execute("SELECT count(*) FROM resources").fetchone() == (2 * MOST_WAITING,)
    assert spool.size() == 2 * MOST_WAITING + 1


def test_what_could_not_be_written_is_written_later_the_way_to_the_next_page_too(tmp_path: Path) -> None:
    """The disk was full."""
    spool = Spool(tmp_path / "spool")
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages + 4}")
    things = [Thing(arn=f"t{number}") for number in range(MOST_WAITING)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.keep(Thing, things, Bookmark(0, {"NextToken": "2"}))
    with closing(sqlite3.connect(tmp_path / "spool")) as database:
        for table in ("resources", "listings"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    spool._database.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    spool.close()
    again = Spool(tmp_path / "spool")
    assert (again.size(), again.bookmark(Thing)) == (MOST_WAITING, Bookmark(0, {"NextToken": "2"}))


def test_one_that_could_not_be_written_at_the_end_is_closed_all_the_same(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages}")
    spool.keep(Thing, [Thing(arn=f"t{number}") for number in range(MOST_WAITING - 1)], None)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.close()
    with pytest.raises(SpoolClosed):
        spool.keep(Thing, [Thing(arn="t1")], None)


def test_a_count_is_of_what_there_is_now() -> None:
    spool = Spool()
    assert (spool.count(Thing), spool.size(), spool.related(Thing, "color", "red")) == (0, 0, [])
    for number in range(3):
        spool.keep(Thing, [Thing(arn=f"t{number}")], None)
        assert (spool.count(Thing), spool.size()) == (number + 1, number + 1)
    spool.keep(Thing, [Thing(arn="t1")], None)
    assert (spool.count(Thing), len(spool.related(Thing, "color", "red"))) == (3, 3)


def test_what_did_not_end_is_a_gap() -> None:
    spool = Spool()
    assert spool.gap(Thing) == Gap("Thing", Blindness.FAULT, "Thing was not collected")
    spool.keep(Thing, [Thing(arn="t1")], None)
    assert not spool.ended(Thing)
    assert spool.gap(Thing)
    spool.end(Thing, None)
    assert (spool.ended(Thing), spool.gap(Thing)) == (True, None)
    spool.spoil(Other, NO)
    spool.end(Other, None)
    assert spool.gap(Other) == NO


@given(st.integers(0, 3 * CHUNK), st.integers(0, 3 * CHUNK))
def test_all_resources_come_in_chunks_and_each_can_be_found(count: int, asked: int) -> None:
    spool = Spool()
    spool.keep(Thing, (Thing(arn=f"t{number}") for number in range(count)), None)
    chunks = list(spool.chunks(Thing))
    assert [each.arn for _, chunk in chunks for each in chunk] == [f"t{number}" for number in range(count)]
    assert all(len(chunk) <= CHUNK for _, chunk in chunks)
    assert spool.has(Thing, f"t{asked}") == (asked < count)
    assert not spool.has(Other, "t0")


def test_resources_are_related_by_a_value_or_by_one_of_several() -> None:
    spool = Spool()
    spool.keep(Other, [Other(arn=f"o{number}", owner=f"t{number % 3}") for number in range(9)], None)
    spool.keep(Thing, [Thing(arn="t1", friends=("a", "b")), Thing(arn="t2", friends=("b",))], None)
    assert [each.arn for each in spool.related(Other, "owner", "t1")] == ["o1", "o4", "o7"]
    assert [each.arn for each in spool.related(Thing, "friends", "b")] == ["t1", "t2"]
    assert spool.related(Thing, "friends", "c") == []


def test_findings_come_in_the_byte_order_of_their_places() -> None:
    found = [
        finding(f"arn:{name}", key=key) for name in ("é", "z", "a#b", "a", "\U0001f600") for key in ("", "#")
    ]
    spool = Spool()
    spool.find(found, place)
    spool.find([replace(found[0], problems=("again",))], place)
    told = list(spool.findings())
    assert [place(each).encode() for each in told] == sorted(place(each).encode() for each in found)
    assert ("again",) in [each.problems for each in told]


def test_what_could_not_be_judged_is_told_with_its_most_frequent_reason() -> None:
    spool = Spool()
    spool.keep(Thing, [Thing(arn=f"t{number}") for number in range(5)], None)
    late = Gap("x", Blindness.DEADLINE, "late")
    spool.lose("check", {"t0": NO})
    (first, _), *_ = [(after, chunk) for after, chunk in spool.chunks(Thing)]
    spool.lose_rest("check", Thing, first + 2, late)
    assert spool.unread("check") == (4, late)
    assert [spool.is_unread("check", f"t{number}") for number in range(5)] == [True, False, True, True, True]
    assert spool.unread("other") is None


MOMENT = datetime(2026, 3, 29, 0, 30, 1, 5, tzinfo=UTC)


def test_facts_come_back_as_they_were() -> None:
    """Botocore gives moments in zones of dateutil's, the machine's own among them."""
    from dateutil.tz import tzlocal, tzutc  # noqa: PLC0415 (what botocore brings)

    facts = [
        Dated(arn="a", at=MOMENT),
        Dated(arn="b", at=MOMENT.astimezone(tzlocal())),
        Dated(arn="c", at=MOMENT.astimezone(tzutc())),
        Dated(arn="d", at=MOMENT.astimezone(timezone(timedelta(hours=-7)))),
        Dated(arn="e", at=NO, inside=(Thing(arn="t", friends=("x",)),)),
        Dated(arn="f", at=None),
    ]
    spool = Spool()
    spool.keep(Dated, facts, None)
    assert list(spool.every(Dated)) == facts


class Runs:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


@pytest.mark.parametrize(
    "hostile", [Runs(), Path("x"), Spool], ids=["a call", "another class", "our own class"]
)
def test_a_spool_that_somebody_changed_runs_nothing(tmp_path: Path, hostile: Any) -> None:
    spool = Spool(tmp_path / "spool")
    spool.keep(Thing, [Thing(arn="t1")], None)
    spool.close()
    with sqlite3.connect(tmp_path / "spool") as database:
        database.execute("UPDATE resources SET body = ?", (pickle.dumps(hostile),))
    with pytest.raises(NoFact):
        list(Spool(tmp_path / "spool").every(Thing))


def test_a_thread_that_comes_too_late_changes_nothing() -> None:
    spool = Spool()
    spool.close()
    with pytest.raises(SpoolClosed):
        spool.keep(Thing, [Thing(arn="t1")], None)
    with pytest.raises(SpoolClosed):
        spool.count(Thing)


def test_collectors_begin_with_those_that_have_most_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """With whom it ends, if they ask one thing after the other."""
    monkeypatch.setattr("orgscan.gather.COLLECTORS_AT_ONCE", 1)
    began: list[str] = []

    def asking(kind: type[Resource], *calls: str) -> AnyCollector:
        @collector(kind, calls=calls)
        def ask(_: Reader) -> Iterator[Resource]:
            began.append(kind.__name__)
            yield from ()

        return ask

    few, most = asking(Thing, "ec2:DescribeVpcs"), asking(Other, "s3:ListBuckets", "s3:GetBucketAcl")
    gathering = Gathering(Spool(), NOWHERE, HERE, NOW, lambda: float("inf"), salt="", resume=False)
    assert gathering.run([few, asking(Dated), most])
    assert began == ["Other", "Thing", "Dated"]


def test_a_collector_that_was_given_up_adds_nothing_any_more() -> None:
    released, ended = threading.Event(), threading.Event()

    @collector(Thing, calls=())
    def hangs(_: Reader) -> Iterator[Thing]:
        try:
            released.wait(30)
            for number in range(CHUNK + 1):
                yield Thing(arn=f"t{number}")
        finally:
            ended.set()

    spool = Spool()
    gathering = Gathering(spool, NOWHERE, HERE, NOW, lambda: 60.05, salt="", resume=False)
    assert gathering.run([hangs])
    released.set()
    assert ended.wait(30)
    lost = spool.gap(Thing)
    assert lost
    assert (lost.reason, spool.count(Thing), gathering.abandoned) == (Blindness.DEADLINE, 0, True)
