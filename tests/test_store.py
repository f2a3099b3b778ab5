"""A finding's life: opened once, kept while seen, closed only by a check that looked."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.scan.store import DiskStore
from orgscan.coverage import Look, Resolution
from orgscan.membership import Move, Remembered
from orgscan.model import Blindness, Category, Confidence, Money, Severity, Target
from orgscan.port import Store
from orgscan.receipt import Receipt
from orgscan.reconcile import Change, Status
from orgscan.store import FindingStore, TakenOver
from orgscan.suppress import Suppression, Suppressions
from tests.scans import HERE, STARTED, blind, finding, saw

LATER = "2026-01-16T12:00:00+00:00"


@pytest.fixture(params=["table", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Of a deployment, and of scans of one's own machine: the same life."""
    if request.param == "table":
        yield FindingStore(request.getfixturevalue("table"))
        return
    with closing(DiskStore(tmp_path / "state.sqlite")) as disk:
        yield disk


@pytest.fixture
def hub(table: Any) -> FindingStore:
    """For what only a table has: calls, keys of its index, items of earlier versions, messages."""
    return FindingStore(table)


def life(store: Store) -> dict[str, tuple[Status, Change, str]]:
    return {r.finding.resource: (r.status, r.change, r.changed_in) for r in store.findings(HERE)}


def writes(table: Any) -> list[str]:
    """The writing calls made from now on, by name."""
    made: list[str] = []
    table.meta.client.meta.events.register(
        "before-call.dynamodb",
        lambda model, **_: made.append(model.name) if "Query" not in model.name else None,
    )
    return made


def test_a_finding_is_new_once(store: Store) -> None:
    first = store.record("1", STARTED, saw(finding()))
    second = store.record("2", LATER, saw(finding()))
    assert first.changes == {(Change.NEW, Severity.HIGH, Category.SECURITY): 1}
    assert second.changes == {}
    (record,) = store.findings(HERE)
    assert (record.first_seen, record.changed_in) == (STARTED, "1")


def test_an_unchanged_scan_writes_its_receipt_and_no_finding(hub: FindingStore, table: Any) -> None:
    findings = [finding(f"arn:r{number}") for number in range(120)]
    hub.record("1", STARTED, saw(*findings))
    made = writes(table)
    hub.record("2", LATER, saw(*findings))
    assert made == ["UpdateItem", "TransactWriteItems"]  # claim the target, leave the receipt


def test_a_finding_closes_when_its_resource_was_judged_clean(store: Store) -> None:
    store.record("1", STARTED, saw(finding()))
    receipt = store.record("2", LATER, saw(clean=["arn:r1"]))
    (record,) = store.findings(HERE)
    assert (record.status, record.resolved_because) == (Status.RESOLVED, Resolution.FIXED)
    assert receipt.changes == {(Change.RESOLVED, Severity.HIGH, Category.SECURITY): 1}
    assert [notable.because for notable in receipt.notable] == ["fixed"]


def test_a_finding_closes_when_its_resource_is_gone_from_a_whole_listing(store: Store) -> None:
    store.record("1", STARTED, saw(finding()))
    store.record("2", LATER, saw(clean=["arn:r2"]))
    (record,) = store.findings(HERE)
    assert record.resolved_because is Resolution.RESOURCE_DELETED


@pytest.mark.parametrize(
    "look",
    [
        blind(),
        saw(whole=False),
        saw(clean=["arn:r2"], whole=False),
        saw(unread=["arn:r1"]),
        saw(checks=["other-check"]),
        blind("other-check"),
    ],
    ids=[
        "blind",
        "listing broke off",
        "broke off after another",
        "unread fact",
        "out of scope",
        "blind elsewhere",
    ],
)
def test_a_check_that_could_not_look_closes_nothing(store: Store, look: Look) -> None:
    store.record("1", STARTED, saw(finding()))
    receipt = store.record("2", LATER, look)
    assert life(store) == {"arn:r1": (Status.OPEN, Change.NEW, "1")}
    in_scope = "thing-wrong" in look.coverage.planned
    assert receipt.unconfirmed == in_scope
    assert receipt.unconfirmed_since == (LATER if in_scope else "")
    assert receipt.changes == {}


def test_a_finding_that_comes_back_is_reopened(store: Store) -> None:
    store.record("1", STARTED, saw(finding()))
    store.record("2", LATER, saw(clean=["arn:r1"]))
    receipt = store.record("3", LATER, saw(finding()))
    (record,) = store.findings(HERE)
    assert (record.status, record.change, record.first_seen) == (Status.OPEN, Change.REOPENED, STARTED)
    assert record.resolved_because is None
    assert receipt.changes == {(Change.REOPENED, Severity.HIGH, Category.SECURITY): 1}


@pytest.mark.parametrize(
    ("severity", "change"), [(Severity.CRITICAL, Change.WORSENED), (Severity.LOW, Change.EASED)]
)
def test_another_severity_is_a_change(store: Store, severity: Severity, change: Change) -> None:
    store.record("1", STARTED, saw(finding()))
    receipt = store.record("2", LATER, saw(finding(severity=severity)))
    assert receipt.changes == {(change, severity, Category.SECURITY): 1}
    assert [r.finding.severity for r in store.open_findings(severity)] == [severity]
    assert list(store.open_findings(Severity.HIGH)) == []


def test_a_check_that_could_not_look_closely_eases_nothing(store: Store) -> None:
    store.record("1", STARTED, saw(finding(severity=Severity.CRITICAL)))
    receipt = store.record("2", LATER, saw(finding(severity=Severity.HIGH), unread=["arn:r1"]))
    assert receipt.changes == {}
    assert [r.finding.severity for r in store.findings(HERE)] == [Severity.CRITICAL]


def test_new_evidence_is_stored_and_not_announced(store: Store) -> None:
    store.record("1", STARTED, saw(finding(problem="stopped since May")))
    receipt = store.record("2", LATER, saw(finding(problem="stopped since May, 2 volumes")))
    (record,) = store.findings(HERE)
    assert record.finding.problems == ("stopped since May, 2 volumes",)
    assert receipt.changes == {}


def test_one_resource_may_fail_a_check_twice(store: Store) -> None:
    store.record("1", STARTED, saw(finding(key="key-1"), finding(key="key-2")))
    store.record("2", LATER, saw(finding(key="key-2")))
    assert {r.finding.key: r.status for r in store.findings(HERE)} == {
        "key-1": Status.RESOLVED,
        "key-2": Status.OPEN,
    }


def test_only_open_findings_are_in_the_index(store: Store) -> None:
    store.record("1", STARTED, saw(finding("arn:r1"), finding("arn:r2")))
    store.record("2", LATER, saw(finding("arn:r2"), clean=["arn:r1"]))
    assert [r.finding.resource for r in store.open_findings(Severity.HIGH)] == ["arn:r2"]


def test_what_is_stored_is_what_was_found(store: Store) -> None:
    costly = finding(
        category=Category.COST,
        saving=Money(12.34, "us-east-1 list price of 2026-01", Confidence.MEDIUM),
        key="part#with#marks",
        problem="<script> =HYPERLINK() é",
    )
    store.record("1", STARTED, saw(costly, finding("arn:r2")))
    assert {r.finding for r in store.findings(HERE)} == {costly, finding("arn:r2")}
    assert next(store.findings(HERE)).finding.target.account_name == "acme-prod"


def test_open_findings_are_kept_and_the_rest_for_a_year_and_a_bit(hub: FindingStore, table: Any) -> None:
    hub.record("1", STARTED, saw(finding("arn:r1"), finding("arn:r2")))
    hub.record("2", LATER, saw(finding("arn:r1"), clean=["arn:r2"]))
    hub.record("3", LATER, saw(finding("arn:r1"), finding("arn:r2")))
    hub.record("4", LATER, saw(finding("arn:r1"), clean=["arn:r2"]))
    ends = int(datetime(2027, 2, 20, 12, tzinfo=UTC).timestamp())  # 400 days after LATER
    rows = {row["sk"]: row.get("expires") for row in table.scan()["Items"] if row["pk"].startswith("TARGET#")}
    assert rows == {"STATE": None, "FINDING#thing-wrong#arn:r1#": None, "FINDING#thing-wrong#arn:r2#": ends}
    assert all(row["expires"] for row in table.scan()["Items"] if row["pk"].startswith("SCAN#"))


def test_a_receipt_survives_the_table(store: Store) -> None:
    left = store.record("1", STARTED, saw(finding(), checks=["thing-wrong", "other"]))
    assert list(store.receipts("1")) == [left]
    lost = store.record("2", LATER, blind("thing-wrong", "other"))
    assert [(u.reason, u.checks) for u in lost.unseen] == [(Blindness.DENIED, ("other", "thing-wrong"))]
    assert lost.evaluated == 0
    assert list(store.receipts("2")) == [lost]


def test_a_check_is_newly_blind_once(store: Store) -> None:
    assert store.record("1", STARTED, saw()).newly_blind == ()
    assert store.record("2", LATER, blind()).newly_blind == ("thing-wrong",)
    assert store.record("3", LATER, blind()).newly_blind == ()
    store.record("4", LATER, saw())
    assert store.record("5", LATER, blind()).newly_blind == ("thing-wrong",)


def test_a_scan_of_other_checks_forgets_no_blindness(store: Store) -> None:
    store.record("1", STARTED, blind())
    store.record("2", LATER, saw(checks=["other"]))
    assert store.record("3", LATER, blind()).newly_blind == ()


def test_savings_count_each_resource_once(store: Store) -> None:
    def waste(resource: str, check: str, usd: float | None) -> Any:
        saving = Money(usd, "list", Confidence.HIGH) if usd else None
        return finding(resource, check, category=Category.COST, saving=saving)

    receipt = store.record(
        "1",
        STARTED,
        saw(
            waste("a", "idle", 70.0),
            waste("a", "old", 8.0),
            waste("b", "idle", 1.5),
            waste("c", "idle", None),
        ),
    )
    assert (receipt.monthly_usd, receipt.unpriced) == (71.5, 1)


def test_recording_twice_is_recording_once(store: Store) -> None:
    store.record("1", STARTED, saw(finding("arn:r1"), finding("arn:r2")))
    look = saw(finding("arn:r1", severity=Severity.CRITICAL), finding("arn:r3"), clean=["arn:r2"])
    first = store.record("2", LATER, look)
    after = sorted(store.findings(HERE), key=lambda r: r.finding.resource)
    second = store.record("2", LATER, look)
    assert second == first
    assert sorted(store.findings(HERE), key=lambda r: r.finding.resource) == after


class Killed(Exception):
    """The worker, between two writes."""


def dies_after(table: Any, writes: int) -> Callable[[], None]:
    """Let so many writing calls through, then die; returns how to live again."""
    left = [writes]

    def count(model: Any, **_: object) -> None:
        if model.name in ("PutItem", "TransactWriteItems"):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    events = table.meta.client.meta.events
    events.register("before-call.dynamodb", count, unique_id="killer")
    return lambda: events.unregister("before-call.dynamodb", unique_id="killer")


@pytest.mark.parametrize("survived", range(6))
def test_a_killed_worker_is_finished_by_its_retry(
    table: Any, survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgscan.store.PER_TRANSACTION", 10)  # several transactions, and few enough for moto
    store = FindingStore(table)
    store.record("1", STARTED, saw(*(finding(f"arn:r{number}") for number in range(15))))
    look = saw(
        *(finding(f"arn:n{number}") for number in range(15)),
        clean=[f"arn:r{number}" for number in range(15)],
    )
    revive = dies_after(table, survived)
    with suppress(Killed):
        store.record("2", LATER, look)
    revive()
    receipt = store.record("2", LATER, look)
    assert receipt.changes == {
        (Change.NEW, Severity.HIGH, Category.SECURITY): 15,
        (Change.RESOLVED, Severity.HIGH, Category.SECURITY): 15,
    }
    assert {r.finding.resource for r in store.open_findings(Severity.HIGH)} == {
        f"arn:n{n}" for n in range(15)
    }


def test_the_scan_that_started_later_wins(store: Store) -> None:
    store.record("2", LATER, saw(finding("arn:new")))
    late = store.record("1", STARTED, saw(finding("arn:old")))
    assert life(store) == {"arn:new": (Status.OPEN, Change.NEW, "2")}
    assert (late.evaluated, late.unseen[0].detail) == (0, "superseded by scan 2")


def test_a_scan_that_overtakes_another_knows_what_that_was_blind_to(table: Any) -> None:
    store = FindingStore(table)
    store.record("1", STARTED, saw())
    claimed = [False]

    def end_the_other(model: Any, **_: object) -> None:
        if model.name == "UpdateItem" and not claimed[0]:
            claimed[0] = True
            FindingStore(table).record("1", STARTED, blind())

    table.meta.client.meta.events.register("before-call.dynamodb", end_the_other)
    assert store.record("2", LATER, blind()).newly_blind == ()


def test_a_retry_that_comes_too_late_leaves_the_receipt_as_it_was(store: Store) -> None:
    first = store.record("1", STARTED, saw(finding()))
    store.record("2", LATER, saw(finding()))
    store.record("1", STARTED, saw(finding()))
    assert list(store.receipts("1")) == [first]


def test_a_scan_overtaken_between_two_writes_writes_no_more(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgscan.store.PER_TRANSACTION", 10)
    store = FindingStore(table)
    older = saw(*(finding(f"arn:r{number}") for number in range(15)))
    overtaken = [False]

    def overtake(model: Any, **_: object) -> None:
        if model.name == "TransactWriteItems" and not overtaken[0]:
            overtaken[0] = True
            FindingStore(table).record("2", LATER, saw(finding("arn:new")))

    table.meta.client.meta.events.register("before-call.dynamodb", overtake)
    receipt = store.record("1", STARTED, older)
    assert receipt.evaluated == 0
    assert life(store) == {"arn:new": (Status.OPEN, Change.NEW, "2")}


def test_two_workers_of_one_target_that_meet_both_end(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry may start while the attempt before it still writes; DynamoDB cancels one of two that meet."""
    monkeypatch.setattr("orgscan.store.CONFLICT_WAITS_S", (0.0, 0.0))
    met = [2]

    def meet(model: Any, **_: object) -> tuple[Any, dict[str, Any]] | None:
        if model.name != "TransactWriteItems" or not met[0]:
            return None
        met[0] -= 1
        said = {"Code": "TransactionCanceledException", "Message": "reasons [None, TransactionConflict]"}
        return SimpleNamespace(status_code=400), {"Error": said}

    table.meta.client.meta.events.register("before-call.dynamodb", meet)
    assert FindingStore(table).record("1", STARTED, saw(finding())).evaluated == 1
    met[0] = 3
    with pytest.raises(ClientError, match="TransactionConflict"):
        FindingStore(table).record("2", LATER, saw(finding("arn:r2")))


def test_another_target_is_another_world(store: Store) -> None:
    there = replace(HERE, region="us-east-1")
    store.record("1", STARTED, saw(finding()))
    store.record("1", STARTED, saw(target=there))
    assert life(store) == {"arn:r1": (Status.OPEN, Change.NEW, "1")}


def test_suppressed_findings_are_kept_and_found_apart(store: Store) -> None:
    rule = Suppression(resource="arn:r1", reason="r", owner="o", expires=date(2026, 12, 31))
    rules = Suppressions([rule], datetime.fromisoformat(STARTED))
    receipt = store.record("1", STARTED, saw(finding("arn:r1"), finding("arn:r2")), rules=rules)
    assert [r.finding.resource for r in store.open_findings(Severity.HIGH)] == ["arn:r2"]
    (accepted,) = store.suppressed_findings()
    assert (accepted.finding.resource, accepted.suppressed_by) == ("arn:r1", rule.key)
    assert (receipt.open, receipt.suppressed) == (
        {(Severity.HIGH, Category.SECURITY): 1},
        {(Severity.HIGH, Category.SECURITY): 1},
    )
    assert receipt.suppressed_by == {rule.key: 1}
    assert receipt.found == {"thing-wrong": (1, 1)}
    assert list(store.receipts("1")) == [receipt]


def test_a_receipt_says_whose_its_findings_are(store: Store) -> None:
    """All that are open there, whichever checks this scan asked for."""
    store.record("1", STARTED, saw(finding(), finding(key="a"), finding(key="b")))
    left = store.record("2", LATER, saw(finding(check="other"), checks=["other", "clean"]))
    assert left.found == {"thing-wrong": (3, 0), "other": (1, 0)}
    assert left.attributed
    store.record("3", LATER, saw(checks=["thing-wrong", "other"]))
    assert [each.found for each in store.receipts("3")] == [{}]


def test_a_receipt_of_an_earlier_version_does_not_say_whose_its_findings_are(
    hub: FindingStore, table: Any
) -> None:
    hub.record("1", STARTED, saw(finding()))
    (row,) = (row for row in table.scan()["Items"] if row["pk"].startswith("SCAN#1"))
    del row["found"]
    table.put_item(Item=row)
    (left,) = hub.receipts("1")
    assert (left.found, left.attributed) == ({}, False)


def test_what_was_accepted_is_no_news_when_it_is_mended(store: Store) -> None:
    rule = Suppression(resource="arn:r1", reason="r", owner="o", expires=date(2026, 12, 31))
    rules = Suppressions([rule], datetime.fromisoformat(STARTED))
    store.record("1", STARTED, saw(finding("arn:r1")), rules=rules)
    receipt = store.record("2", LATER, saw(clean=["arn:r1"]), rules=rules)
    assert (receipt.changes, list(store.suppressed_findings())) == ({}, [])


def test_what_could_not_be_confirmed_is_marked_once(hub: FindingStore, table: Any) -> None:
    hub.record("1", STARTED, saw(finding()))
    hub.record("2", LATER, blind())
    made = writes(table)
    third = hub.record("3", "2026-01-17T12:00:00+00:00", blind())
    assert made == ["UpdateItem", "TransactWriteItems"]
    assert third.unconfirmed_since == LATER
    (record,) = hub.findings(HERE)
    assert record.unconfirmed_since == LATER
    hub.record("4", "2026-01-18T12:00:00+00:00", saw(finding()))
    assert next(hub.findings(HERE)).unconfirmed_since == ""


def test_an_attempt_that_another_one_of_its_scan_overtook_writes_no_more(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgscan.store.PER_TRANSACTION", 10)
    store = FindingStore(table)
    overtaken: list[Receipt] = []
    first = [True]

    def overtake(model: Any, **_: object) -> None:
        if model.name == "TransactWriteItems" and first:
            first.clear()
            overtaken.append(FindingStore(table).record("1", STARTED, saw(finding("arn:new"))))

    table.meta.client.meta.events.register("before-call.dynamodb", overtake)
    with pytest.raises(TakenOver):
        store.record("1", STARTED, saw(*(finding(f"arn:r{number}") for number in range(15))))
    assert life(store) == {"arn:new": (Status.OPEN, Change.NEW, "1")}
    assert list(store.receipts("1")) == overtaken


def test_people_are_told_once_and_by_the_same_scan_again(store: Store) -> None:
    assert store.first_to_tell("rule#expired", "1")
    assert store.first_to_tell("rule#expired", "1")  # a repetition of the same scan
    assert not store.first_to_tell("rule#expired", "2")
    assert store.first_to_tell("rule#expiring", "2")


def test_accounts_are_remembered_region_by_region(store: Store) -> None:
    store.miss(HERE.account, [HERE.region], "1")  # nothing is known of it, and stays so
    store.forget(HERE, "1")
    assert list(store.remembered()) == []
    store.remember(Remembered("1", "one", frozenset({"eu-west-1"})))
    store.remember(Remembered("1", "uno", frozenset({"us-east-1", "global"})))
    everywhere = Remembered("1", "uno", frozenset({"eu-west-1", "us-east-1", "global"}))
    assert list(store.remembered()) == [everywhere]
    store.miss("1", ["eu-west-1", "us-east-1"], "5")
    store.forget(Target("1", "eu-west-1"), "5")
    store.forget(Target("1", "us-east-1"), "4")  # which never missed it
    (left,) = store.remembered()
    assert left == Remembered("1", "uno", frozenset({"us-east-1", "global"}), frozenset({"us-east-1#5"}))
    back = left.came_back({"us-east-1", "global"})
    store.remember(Remembered("1", "uno", frozenset({"us-east-1"}), back))
    store.forget(Target("1", "us-east-1"), "5")
    assert list(store.remembered()) == [Remembered("1", "uno", frozenset({"us-east-1", "global"}))]


def test_of_a_move_one_scan_tells_and_it_may_tell_it_again(store: Store) -> None:
    joined = Move("1", "one", "", "ACTIVE", "")
    assert [store.first_to_move(joined, scan) for scan in ("2", "1", "2")] == [True, False, True]
    store.remember(Remembered("1", "one", frozenset({"eu-west-1"})))
    known = Remembered("1", "one", frozenset({"eu-west-1"}), state="ACTIVE", told_in="2")
    assert list(store.remembered()) == [known]
    left = Move("1", "one", "ACTIVE", "LEFT", "2")
    assert store.first_to_move(left, "3")
    assert not store.first_to_move(replace(left, now="SUSPENDED"), "4")
    assert [(each.state, each.told_in) for each in store.remembered()] == [("LEFT", "3")]


def test_a_target_is_not_forgotten_while_something_is_left_of_it(store: Store) -> None:
    store.remember(Remembered(HERE.account, "", frozenset({HERE.region})))
    store.record("1", STARTED, saw(finding()))
    store.miss(HERE.account, [HERE.region], "2")
    store.forget(HERE, "2")
    assert [each.regions for each in store.remembered()] == [{HERE.region}]
    store.record("2", LATER, saw(clean=["arn:r1"]))
    store.forget(HERE, "2")
    assert [each.regions for each in store.remembered()] == [set()]


def test_a_message_is_sent_once(hub: FindingStore) -> None:
    assert hub.first_to_send("1", "everyone")
    assert not hub.first_to_send("1", "everyone")
    assert hub.first_to_send("1", "owners")
    hub.unsent("1", "everyone")
    assert hub.first_to_send("1", "everyone")


def test_the_newest_scans_that_finished_come_first(hub: FindingStore) -> None:
    assert hub.finished(2) == []
    for scan in ("20260102T", "20260103T", "20260101T"):
        hub.put_scan(scan, {"complete": True})
    assert hub.finished(2) == ["20260103T", "20260102T"]


def test_what_dynamodb_refuses_is_raised(hub: FindingStore, table: Any) -> None:
    table.delete()
    with pytest.raises(ClientError):
        hub.record("1", STARTED, saw(finding()))


def test_a_schedules_scan_before_is_known_however_often_it_is_asked(hub: FindingStore) -> None:
    assert hub.coverage_before("1", "daily", 90.5) is None
    assert hub.coverage_before("2", "daily", 80.0) == 90.5
    assert hub.coverage_before("2", "daily", 80.0) == 90.5
    assert hub.coverage_before("3", "weekly", 10.0) is None
    assert hub.coverage_before("4", "daily", 100.0) == 80.0


def test_a_scan_that_ends_after_a_later_one_is_compared_with_nothing(hub: FindingStore) -> None:
    hub.coverage_before("1", "daily", 90.0)
    hub.coverage_before("3", "daily", 50.0)
    assert hub.coverage_before("2", "daily", 20.0) is None
    assert hub.coverage_before("4", "daily", 50.0) == 50.0
