"""The file of scans from one's own machine lives as a deployment's table does, and survives what happens."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from shutil import copyfile
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.scan.store import FILE, Busy, DiskStore
from orgscan.coverage import Look, Reach
from orgscan.errors import OutOfTime
from orgscan.membership import Remembered
from orgscan.model import Category, Severity
from orgscan.port import Store
from orgscan.schema import NewerTable
from orgscan.store import FindingStore
from orgscan.suppress import Suppression, Suppressions
from tests.scans import HERE, STARTED, blind, finding, saw
from tests.twins import TableTwin

LATER = "2026-01-16T12:00:00+00:00"
THERE = replace(HERE, region="us-east-1")
NAMES = ("arn:a", "arn:b", "arn:b#c", "arn:é")
KINDS = ("old-name", "thing-wrong", "thing-wronger")
REACH = Reach(checks=frozenset(KINDS), known=frozenset(KINDS[1:]), retiring=frozenset(Category))
RULES = Suppressions(
    [Suppression(resource="arn:b", reason="r", owner="o", expires=datetime.fromisoformat(LATER).date())],
    datetime.fromisoformat(STARTED),
)


@st.composite
def looks(draw: st.DrawFn) -> Look:
    target = draw(st.sampled_from([HERE, THERE]))
    if draw(st.integers(0, 4)) == 0:
        return blind(*draw(st.sets(st.sampled_from(KINDS), min_size=1)), target=target)
    places = draw(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS)), max_size=6))
    severity = st.sampled_from(list(Severity))
    return saw(
        *(finding(name, check, severity=draw(severity), target=target) for name, check in sorted(places)),
        clean=draw(st.sets(st.sampled_from(NAMES), max_size=2)),
        unread=draw(st.sets(st.sampled_from(NAMES), max_size=1)),
        checks=draw(st.sets(st.sampled_from(KINDS), min_size=1)) | {check for _, check in places},
        whole=draw(st.booleans()),
        target=target,
        reach=draw(st.sampled_from([Reach(), REACH])),
    )


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 5), looks(), st.booleans(), st.booleans()), max_size=8))
def test_a_file_lives_as_the_table_does(scans: Sequence[tuple[int, Look, bool, bool]]) -> None:
    """Whatever scans see, in whichever order, repeated and overtaken: receipts and findings are the same."""
    table = FindingStore(cast("Any", TableTwin()))
    with closing(DiskStore(Path(":memory:"))) as disk:
        for scan, look, accepted, renamed in scans:
            how: Mapping[str, Any] = {
                "rules": RULES if accepted else None,
                "was": {"old-name": "thing-wrong"} if renamed else None,
            }
            left = [each.record(str(scan), STARTED, look, **how) for each in (table, disk)]
            assert left[0] == left[1]
        assert state(table) == state(disk)


def state(store: Store) -> Any:
    listed = [*store.suppressed_findings(), *(e for kind in Severity for e in store.open_findings(kind))]
    return (
        [[*store.findings(target)] for target in (HERE, THERE)],
        sorted(f"{each}" for each in listed),
        [[*store.receipts(str(scan))] for scan in range(1, 6)],
        [[*store.without_receipt(str(scan), [HERE, THERE])] for scan in range(1, 6)],
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def test_what_was_kept_is_there_again(path: Path) -> None:
    with closing(DiskStore(path)) as store, store.whole():
        store.record("1", STARTED, saw(finding()))
        salt = store.salt()
    with closing(DiskStore(path)) as store:
        assert store.record("2", LATER, saw(finding())).changes == {}
        assert store.salt() == salt
        assert len(salt) == 64


def test_of_a_scan_that_fails_nothing_is_kept(path: Path) -> None:
    with closing(DiskStore(path)) as store, store.whole():
        store.record("1", STARTED, saw(finding("arn:a")))

    def fails() -> None:
        with closing(DiskStore(path)) as store, store.whole():
            store.record("2", LATER, saw(finding("arn:b"), clean=["arn:a"]))
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    with closing(DiskStore(path)) as store:
        assert [(each.finding.resource, each.changed_in) for each in store.findings(HERE)] == [("arn:a", "1")]


def test_a_target_without_time_is_as_it_was(path: Path) -> None:
    with closing(DiskStore(path)) as store, store.whole():
        store.record("1", STARTED, saw(finding("arn:a")))
        with pytest.raises(OutOfTime):
            store.record("2", LATER, saw(clean=["arn:a"]), seconds_left=lambda: 0.0)
        store.record("2", LATER, saw(target=THERE))
        assert [*store.without_receipt("2", [HERE, THERE])] == [HERE]
    with closing(DiskStore(path)) as store:
        assert [each.changed_in for each in store.findings(HERE)] == ["1"]


def test_one_scan_at_a_time(path: Path) -> None:
    with closing(DiskStore(path)) as first, closing(DiskStore(path)) as second:
        with first.whole():
            first.record("1", STARTED, saw(finding()))
            with pytest.raises(Busy), second.whole():
                raise AssertionError("it begins")
        with second.whole():
            assert second.record("2", LATER, saw(finding())).changes == {}


def test_a_machine_that_goes_out_leaves_what_the_scan_before_left(path: Path, tmp_path: Path) -> None:
    """Also when more was written than fits into memory: what lies on the disk then is copied and opened."""
    with closing(DiskStore(path)) as store, store.whole():
        store.record("1", STARTED, saw(finding("arn:a", problem="x" * 40_000)))
    copy = tmp_path / "copy" / FILE
    copy.parent.mkdir()
    with closing(DiskStore(path)) as store, store.whole():
        many = (finding(f"arn:b{number}", problem="x" * 40_000) for number in range(99))
        store.record("2", LATER, saw(*many, clean=["arn:a"]))
        assert path.stat().st_size > 1_000_000, "it has written already"
        for each in tmp_path.glob(f"{FILE}*"):
            copyfile(each, copy.parent / each.name)
    with closing(DiskStore(copy)) as store:
        assert [(each.finding.resource, each.changed_in) for each in store.findings(HERE)] == [("arn:a", "1")]
        assert [*store.receipts("2")] == []


def test_of_what_is_scanned_together_each_remembers_its_own(path: Path) -> None:
    with closing(DiskStore(path, together="o-1")) as one, closing(DiskStore(path, together="o-2")) as other:
        one.remember(Remembered("1", "one", frozenset({"eu-west-1"})))
        one.first_to_tell("what", "5")
        assert ([*other.remembered()], other.told("what")) == ([], "")
        assert [each.account for each in one.remembered()] == ["1"]


def test_a_file_of_a_newer_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DiskStore(path)) as store:
        with monkeypatch.context() as patch:
            patch.setattr("orgscan.schema.UPGRADES", (lambda item: item,))
            store.adopt()
        with pytest.raises(NewerTable, match="schema 2"):
            store.adopt()


def test_what_is_old_is_dropped_and_what_is_open_is_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DiskStore(path)) as store:
        store.record("1", STARTED, saw(finding("arn:a"), finding("arn:b")))
        store.record("2", LATER, saw(finding("arn:a"), clean=["arn:b"]))
        for day, left in ((date(2027, 2, 18), ["arn:a", "arn:b"]), (date(2027, 2, 22), ["arn:a"])):
            at = datetime.combine(day, time(), UTC).timestamp()
            monkeypatch.setattr("cli.scan.store.time.time", lambda at=at: at)
            store.adopt()
            assert [each.finding.resource for each in store.findings(HERE)] == left
        assert [*store.receipts("1"), *store.receipts("2")] == []


def test_threads_write_one_after_the_other(path: Path) -> None:
    targets = [replace(HERE, region=f"eu-{number}") for number in range(40)]
    with closing(DiskStore(path)) as store, store.whole(), ThreadPoolExecutor(8) as pool:
        looks = [saw(finding(target=each), finding("arn:r2", target=each), target=each) for each in targets]
        left = [*pool.map(lambda look: store.record("1", STARTED, look), looks)]
        assert sorted(store.receipts("1"), key=lambda each: each.target) == sorted(
            left, key=lambda each: each.target
        )
        assert len([*store.open_findings(Severity.HIGH)]) == 80
