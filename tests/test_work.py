"""A target over several invocations, and invocations that are killed anywhere: the table ends the same."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Barrier, Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.fleet import Fleet
from orgscan import catalog
from orgscan.catalog import Catalog
from orgscan.check import Problems, check
from orgscan.collector import Reader, collector
from orgscan.inventory import LAST_S, Inventory
from orgscan.meter import Spent
from orgscan.model import GLOBAL, Blindness, Standing, Target
from orgscan.plan import Plan
from orgscan.receipt import Receipt
from orgscan.reconcile import Status
from orgscan.session import Clients
from orgscan.settings import Configuration
from orgscan.spool import Spool
from orgscan.store import FindingStore, TakenOver
from orgscan.work import MOST_PARTS, Checkpoints, Worker
from tests.planning import store
from tests.receipts import plan
from tests.scans import HERE
from tests.test_engine import LOW, NOWHERE, Other, Thing, other_exists, sees, thing_red
from tests.twins import S3Twin, TableTwin

BUCKET = "results"
VOLUMES = catalog.everything().only({"ebs-volume-unencrypted", "ebs-volume-no-recent-snapshot"})
INVOCATION_S, FIRST_ROUND_S = 900.0, 270.0


def made(checks: Catalog, scan: str = "20260115T120000000Z-1") -> Plan:
    started = datetime.strptime(scan[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    ids = tuple(sorted(checks.ids()))
    return plan(scan=scan, started=started.isoformat(timespec="seconds"), checks=ids)


@dataclass
class Account:
    """One target, its table, and whoever works on it."""

    checks: Catalog
    enter: Callable[[], Clients] = lambda: NOWHERE
    table: TableTwin = field(default_factory=TableTwin)
    s3: S3Twin = field(default_factory=lambda: S3Twin(BUCKET))
    target: Target = HERE
    clock: float = 0.0
    spent: Callable[[], Spent] = Spent

    @property
    def store(self) -> FindingStore:
        return store(self.table)

    def spend(self, seconds: float) -> None:
        self.clock += seconds

    def worker(self, plan: Plan) -> Worker:
        return Worker(
            plan=plan,
            catalog=self.checks,
            configuration=Configuration(),
            store=self.store,
            checkpoints=Checkpoints(self.s3, BUCKET, plan.scan),  # type: ignore[arg-type]
            enter=lambda _: self.enter(),
            inventory=Inventory(self.s3, BUCKET, plan.scan, plan.started),  # type: ignore[arg-type]
            spent=self.spent,
        )

    def invoke(
        self, plan: Plan, part: int, seconds: float = INVOCATION_S, *, short: bool = False
    ) -> Receipt | None:
        end = self.clock + seconds
        return self.worker(plan).scan(self.target, part, lambda: end - self.clock, short=short)

    def scan(self, plan: Plan, seconds: float = INVOCATION_S) -> tuple[Receipt, int]:
        """As the workflow does it: part after part. Also returns how many it took."""
        for part in range(MOST_PARTS):
            if receipt := self.invoke(plan, part, seconds):
                return receipt, part + 1
        raise AssertionError("it never ends")

    def findings(self) -> dict[tuple[str, str], Status]:
        return {(r.finding.check, r.finding.resource): r.status for r in self.store.findings(self.target)}

    def told(self) -> dict[Any, Any]:
        """The table, without what only says who wrote it, and the inventory to the byte."""
        table = {
            where: {name: value for name, value in item.items() if name != "attempt"}
            for where, item in self.table.snapshot().items()
        }
        return {**table, **self.objects()}

    def objects(self) -> dict[str, bytes]:
        kept = self.s3.snapshot().items()
        return {key: body for (_, key), body in kept if key.startswith("inventory/")}

    def stock(self) -> list[dict[str, Any]]:
        """The records of all scans."""
        lines = (line for body in self.objects().values() for line in gzip.decompress(body).splitlines())
        return [json.loads(line) for line in lines]

    def listings(self) -> dict[str, tuple[Any, ...]]:
        of = ("complete", "reason", "detail", "resources")
        return {
            each["type"]: tuple(each[name] for name in of)
            for each in self.stock()
            if each["record"] == "listing"
        }


def fleet(size: int, seconds_per_page: float) -> tuple[Account, Fleet]:
    account = Account(VOLUMES)
    fleet = Fleet(volumes=size // 10, snapshots=size, page=500, spend=lambda: account.spend(seconds_per_page))
    account.enter = fleet.clients
    return account, fleet


def test_a_target_larger_than_an_invocation_ends_as_in_one_long_run() -> None:
    """30,000 snapshots, of which an invocation reads a few pages."""
    long, _ = fleet(30_000, 0.0)
    short, asked = fleet(30_000, 30.0)
    one, parts = long.scan(made(VOLUMES))
    assert parts == 1
    several, parts = short.scan(made(VOLUMES), seconds=400.0)
    assert parts > 5
    assert several == one
    assert one.resources == {"Volume": 3000, "Snapshot": 30_000}
    assert short.told() == long.told()
    assert len(long.findings()) == 300 + 1500
    assert long.listings() == {
        "AWS::EC2::Snapshot": (True, None, None, 30_000),
        "AWS::EC2::Volume": (True, None, None, 3000),
    }
    assert len(set(asked.asked)) == 66
    # A page in whose middle the time ran out is read again, in each of two listings.
    assert len(asked.asked) - 66 <= 2 * parts


def spending(account: Account, asked: Fleet) -> None:
    """Each invocation counts what it asks from then on, and the seconds since."""

    def worker(plan: Plan) -> Worker:
        before, began = len(asked.asked), account.clock
        account.spent = lambda: Spent(
            calls=len(asked.asked) - before, invocations=1, gb_seconds=account.clock - began
        )
        return Account.worker(account, plan)

    account.worker = worker  # type: ignore[method-assign]


def test_the_receipt_sums_what_all_invocations_spent() -> None:
    account, asked = fleet(30_000, 30.0)
    spending(account, asked)
    receipt, parts = account.scan(made(VOLUMES), seconds=400.0)
    assert parts > 5
    spent = receipt.spent
    assert spent == Spent(calls=len(asked.asked), invocations=parts, gb_seconds=account.clock)
    assert list(account.store.receipts(receipt.scan)) == [receipt]


def test_an_invocation_that_is_repeated_counts_once() -> None:
    """Killed or repeated after it had ended: the receipt is of one attempt of each part, and of no other."""
    account, asked = fleet(4_000, 30.0)
    spending(account, asked)
    assert account.invoke(made(VOLUMES), 0, seconds=160.0) is None
    first = (len(asked.asked), account.clock)

    def die(_name: str, _call: Any) -> None:
        raise Killed

    account.s3.before = die
    with pytest.raises(Killed):
        account.invoke(made(VOLUMES), 1, seconds=160.0)
    account.s3.before = None
    lost = (len(asked.asked) - first[0], account.clock - first[1])
    receipt = account.invoke(made(VOLUMES), 1)
    assert receipt
    whole = Spent(calls=len(asked.asked) - lost[0], invocations=2, gb_seconds=account.clock - lost[1])
    assert receipt.spent == whole
    again = account.invoke(made(VOLUMES), 1)
    assert again
    assert again.spent == whole
    assert [left.spent for left in account.store.receipts(receipt.scan)] == [whole]


def test_a_way_to_the_next_page_that_has_expired_begins_again_and_sees_all_once() -> None:
    long, _ = fleet(4_000, 0.0)
    short, asked = fleet(4_000, 30.0)
    one, _ = long.scan(made(VOLUMES))
    assert short.invoke(made(VOLUMES), 0, seconds=160.0) is None
    asked.refuse_next = True
    several = next(filter(None, (short.invoke(made(VOLUMES), part) for part in range(1, MOST_PARTS))))
    assert several == one
    assert not asked.refuse_next
    assert asked.asked.count(("DescribeSnapshots", 0)) > 1


@check(Thing, also=(Other,), **LOW)
def thing_alone(thing: Thing, view: Any) -> Problems:
    """Nobody is with it."""
    if not view.related(Other, "owner", thing.arn):
        yield "alone"


def slow_things(account: Account, *, pages: int, seconds: float, after: threading.Event | None = None) -> Any:
    """A collector whose page takes that long."""

    class Paginator:
        def paginate(self, **how: Any) -> Any:
            return Listing(int(how.get("page", 0)))

    class Listing:
        def __init__(self, first: int) -> None:
            self.first = first

        def __iter__(self) -> Iterator[int]:
            for number in range(self.first, pages):
                if after:
                    after.wait(30)
                account.spend(seconds)
                yield number

        def _get_next_token(self, page: int) -> dict[str, Any]:
            return {"page": page + 1 if page + 1 < pages else None}

    @collector(Thing, calls=())
    def things(aws: Reader) -> Iterator[Thing]:
        for page in aws.pages(Paginator()):
            yield Thing(arn=f"t{page}")

    return things


def test_what_an_invocation_can_not_finish_is_a_gap_and_not_for_ever() -> None:
    account = Account(Catalog((thing_red, other_exists), ()))
    seen = threading.Event()
    things = slow_things(account, pages=3, seconds=1000.0, after=seen)

    @collector(Other, calls=())
    def others(_: Reader) -> Iterator[Other]:
        yield Other(arn="o1")
        seen.set()

    account.checks = Catalog((thing_red, other_exists), (others, things))
    receipt, parts = account.scan(made(account.checks))
    assert parts <= 2
    (lost,) = receipt.unseen
    assert (lost.reason, lost.checks) == (Blindness.DEADLINE, ("thing-red",))
    assert ("other-exists", "o1") in account.findings()


def test_nothing_is_given_up_in_the_first_round() -> None:
    """A page takes longer than there is time: half of an invocation of the second round has more."""
    account = Account(Catalog((thing_red,), ()))
    account.checks = Catalog((thing_red,), (slow_things(account, pages=3, seconds=220.0),))
    plan = made(account.checks)
    assert account.invoke(plan, 0, FIRST_ROUND_S, short=True) is None
    assert account.table.snapshot() == {}, "neither a receipt nor a finding"
    receipt = account.invoke(plan, 1)
    assert receipt
    assert (receipt.unseen, receipt.resources) == ((), {"Thing": 3})
    assert account.findings().keys() == {("thing-red", f"t{page}") for page in range(3)}


def test_the_second_round_goes_on_where_the_first_one_was() -> None:
    """And comes to the same as one long run."""
    long, _ = fleet(5_000, 0.0)
    short, asked = fleet(5_000, 30.0)
    one, _ = long.scan(made(VOLUMES))
    assert short.invoke(made(VOLUMES), 0, FIRST_ROUND_S, short=True) is None
    read = len(asked.asked)
    assert read >= 5
    assert short.invoke(made(VOLUMES), 1) == one
    assert short.told() == long.told()
    assert len(asked.asked) - 11 <= 2, "a page in whose middle the time ran out is read again"


def test_the_second_round_begins_anew_what_the_first_one_did_not_begin() -> None:
    first, second = Account(VOLUMES), Account(VOLUMES)
    for account in (first, second):
        account.enter = Fleet(volumes=10, snapshots=100, page=50).clients
    plan = made(VOLUMES)
    receipt = first.invoke(plan, 0)
    assert receipt
    assert second.invoke(plan, 1) == receipt
    assert second.told() == first.told()


def test_there_is_a_last_part() -> None:
    account = Account(Catalog((thing_red,), ()))
    account.checks = Catalog((thing_red,), (slow_things(account, pages=1000, seconds=20.0),))
    receipt, parts = account.scan(made(account.checks))
    assert parts == MOST_PARTS
    assert [lost.reason for lost in receipt.unseen] == [Blindness.DEADLINE]
    assert len(account.findings()) >= MOST_PARTS - 1  # what was seen is judged


def test_a_collector_that_hangs_costs_its_own_outcome() -> None:
    released = threading.Event()

    @collector(Thing, calls=())
    def hangs(_: Reader) -> Iterator[Thing]:
        released.wait(30)
        yield Thing(arn="too late")

    checks = Catalog((thing_red, other_exists), (hangs, sees(Other, Other(arn="o1"))))
    account = Account(checks)
    receipt = account.worker(made(checks)).scan(HERE, MOST_PARTS - 1, lambda: 60.2)
    released.set()
    assert receipt
    assert [(lost.reason, lost.checks) for lost in receipt.unseen] == [(Blindness.DEADLINE, ("thing-red",))]
    assert account.findings().keys() == {("other-exists", "o1")} | {("other-exists", "o1")}


def test_a_check_that_hangs_costs_its_own_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgscan.judge.PATIENCE_S", 0.05)
    released = threading.Event()

    @check(Thing, **LOW)
    def thing_hangs(thing: Thing) -> Problems:
        """Looks for ever."""
        if thing.arn == "t1":
            released.wait(30)
        yield "looked"

    checks = Catalog((thing_hangs, thing_red), (sees(Thing, Thing(arn="t1"), Thing(arn="t2")),))
    account = Account(checks)
    receipt, _ = account.scan(made(checks))
    released.set()
    assert [(lost.reason, lost.checks) for lost in receipt.unseen] == [(Blindness.DEADLINE, ("thing-hangs",))]
    assert account.findings().keys() == {("thing-red", "t1"), ("thing-red", "t2")}


def test_storing_goes_on_in_another_invocation_too() -> None:
    things = [Thing(arn=f"t{number:04}") for number in range(1000)]
    checks = Catalog((thing_red,), (sees(Thing, *things),))
    account, other = Account(checks), Account(checks)
    other.scan(made(checks))
    account.table.after = lambda _name, _call: account.spend(60.0)
    _, parts = account.scan(made(checks), seconds=250.0)
    account.table.after = None
    assert parts > 2
    assert account.told() == other.told()


def test_a_checkpoint_of_another_version_is_not_believed(tmp_path: Any) -> None:
    path = tmp_path / "spool"
    spool = Spool(path, shape="old")
    spool.keep(Thing, [Thing(arn="t1")], None)
    spool.close()
    assert Spool(path, shape="old").count(Thing) == 1
    assert Spool(path, shape="new").count(Thing) == 0


class Killed(BaseException):
    """As a process is killed: no handler of the library's sees it."""


WORLDS = {
    "first": Catalog(
        (thing_red, other_exists), (sees(Thing, *(Thing(arn=f"t{n:03}") for n in range(150))), sees(Other))
    ),
    "second": Catalog(
        (thing_red, other_exists),
        (sees(Thing, *(Thing(arn=f"t{n:03}") for n in range(75, 225))), sees(Other, Other(arn="o1"))),
    ),
}


def before_the_crash() -> Account:
    account = Account(WORLDS["first"])
    account.scan(made(account.checks))
    account.checks = WORLDS["second"]
    return account


SECOND = made(WORLDS["second"], "20260116T120000000Z-2")


def writes_of_a_scan() -> int:
    account, count = before_the_crash(), [0]

    def tick(_name: str, _call: Any) -> None:
        count[0] += 1

    account.table.before = tick
    account.s3.before = tick
    account.scan(SECOND)
    return count[0]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("survived", range(writes_of_a_scan()))
def test_a_worker_killed_at_any_write_is_finished_by_its_retry(survived: int, when: str) -> None:
    undisturbed, killed = before_the_crash(), before_the_crash()
    receipt, _ = undisturbed.scan(SECOND)
    left = [survived]

    def die(_name: str, _call: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    for client in (killed.table, killed.s3):
        setattr(client, when, die)
    with pytest.raises(Killed):
        killed.scan(SECOND)
    for client in (killed.table, killed.s3):
        setattr(client, when, None)
    again, _ = killed.scan(SECOND)
    assert again == receipt
    assert killed.told() == undisturbed.told()


def test_a_worker_killed_between_two_parts_is_finished_by_its_retry() -> None:
    undisturbed, _ = fleet(2_000, 0.0)
    receipt, _ = undisturbed.scan(made(VOLUMES))
    killed, _ = fleet(2_000, 30.0)
    kills = [True, True, True]

    def die(_name: str, _call: Any) -> None:
        if kills and kills.pop():
            raise Killed

    for when in ("before", "after"):
        kills[:] = [True]
        setattr(killed.s3, when, die)
        with pytest.raises(Killed):
            killed.scan(made(VOLUMES), seconds=160.0)
        setattr(killed.s3, when, None)
    again, parts = killed.scan(made(VOLUMES), seconds=160.0)
    assert parts > 1
    assert again == receipt
    assert killed.told() == undisturbed.told()


def test_two_attempts_at_once_do_not_mix_what_they_saw() -> None:
    """Step Functions may start a second worker while the first one still writes."""
    account = before_the_crash()
    alone = before_the_crash()
    alone.checks = WORLDS["first"]
    expected, _ = alone.scan(SECOND)
    second = [True]

    def overtake(name: str, _call: Any) -> None:
        if name == "TransactWriteItems" and second.pop() if second else False:
            account.checks = WORLDS["first"]
            account.scan(SECOND)

    account.table.before = overtake
    with pytest.raises(TakenOver):
        account.scan(SECOND)
    account.table.before = None
    assert account.told() == alone.told()
    assert list(account.store.receipts(SECOND.scan)) == [expected]


@pytest.mark.parametrize(
    ("standing", "status"), [(Standing.LEFT, "resolved"), (Standing.OUT_OF_SCOPE, "open")]
)
def test_a_target_that_nobody_looks_at_is_not_entered(standing: Standing, status: str) -> None:
    account = before_the_crash()

    def never() -> Clients:
        raise AssertionError("entered")

    account.enter = never
    account.target = replace(HERE, standing=standing)
    receipt, _ = account.scan(SECOND)
    assert (receipt.planned, receipt.unseen) == (0, ())
    assert set(account.findings().values()) == {Status(status)}
    assert receipt.unconfirmed == (0 if standing is Standing.LEFT else 150)
    assert [key for key in account.objects() if SECOND.scan in key] == []


# The inventory


def test_what_was_collected_is_written_down_once_per_scan() -> None:
    account = before_the_crash()
    account.scan(SECOND)
    assert [key.rpartition("/")[2] for key in account.objects()] == [
        "20260115T120000000Z-1.jsonl.gz",
        "20260116T120000000Z-2.jsonl.gz",
    ]
    seen = [(each["scan"], each["arn"]) for each in account.stock() if each["record"] == "resource"]
    assert seen == [
        *(("20260115T120000000Z-1", f"t{n:03}") for n in range(150)),
        *(("20260116T120000000Z-2", f"t{n:03}") for n in range(75, 225)),
    ]
    assert "AWS::Invented::Thing" in account.listings()
    assert len(account.listings()) == 1  # nothing of the kind that is of no type


def test_a_target_of_which_nothing_can_be_seen_says_so() -> None:
    def denied() -> Clients:
        words = "User: hub is not authorized to perform: sts:AssumeRole on resource: member"
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "AssumeRole")

    account = Account(WORLDS["first"], enter=denied)
    account.scan(made(account.checks))
    assert account.listings() == {"AWS::Invented::Thing": (False, "denied", "sts:AssumeRole", 0)}
    assert len(account.stock()) == 1


def test_a_region_that_is_off_is_not_an_empty_one() -> None:
    account = Account(WORLDS["first"], target=replace(HERE, region_off=True))
    account.scan(made(account.checks))
    assert account.listings() == {
        "AWS::Invented::Thing": (False, "region-off", "eu-west-1 is not enabled in this account", 0)
    }


def test_a_listing_that_took_too_long_is_not_complete() -> None:
    account = Account(Catalog((thing_red,), ()))
    account.checks = Catalog((thing_red,), (slow_things(account, pages=1000, seconds=20.0),))
    account.scan(made(account.checks))
    (listing,) = account.listings().values()
    assert (listing[:2], listing[3]) == ((False, "deadline"), len(account.findings()))


def test_a_scan_of_some_checks_tells_of_nothing_else() -> None:
    account, _ = fleet(100, 0.0)
    account.scan(made(VOLUMES.only({"ebs-volume-unencrypted"})))
    assert account.listings() == {"AWS::EC2::Volume": (True, None, None, 10)}


def test_what_an_account_has_once_is_told_once() -> None:
    """A regional check may look at it, so that each region collects it."""

    @collector(Thing, calls=(), once=True)
    def things(_: Reader) -> Iterator[Thing]:
        yield Thing(arn="t1")

    @check(Other, also=(Thing,), **LOW)
    def other_sees_things(other: Other, view: Any) -> Problems:
        """It looks at what the account has."""
        yield f"{other.arn}: {len(list(view.every(Thing)))}"

    checks = Catalog((thing_red, other_sees_things), (things, sees(Other, Other(arn="o1"))))
    region, everywhere = Account(checks), Account(checks, target=replace(HERE, region=GLOBAL))
    for account in (region, everywhere):
        account.scan(made(checks))
    assert ("other-sees-things", "o1") in region.findings()
    assert region.objects() == {}
    assert everywhere.listings() == {"AWS::Invented::Thing": (True, None, None, 1)}


def test_the_inventory_goes_on_in_another_invocation_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all is recorded and the time is over, what was seen is put away; a repetition is no news."""
    account, other = before_the_crash(), before_the_crash()
    receipt, _ = other.scan(SECOND)
    recorded = Event()

    def late(_name: str, _call: Any) -> None:
        if account.table.writes == before + total:
            account.spend(INVOCATION_S - LAST_S + 1)
            recorded.set()

    put = Inventory.put

    def put_afterwards(*what: Any, **how: Any) -> None:
        assert recorded.wait(60)
        put(*what, **how)

    before = account.table.writes
    total = other.table.writes - before
    account.table.after = late
    with monkeypatch.context() as patch:
        patch.setattr(Inventory, "put", put_afterwards)
        assert account.invoke(SECOND, 0) is None
    account.table.after = None
    assert [key for key in account.objects() if SECOND.scan in key] == []
    assert account.invoke(SECOND, 1, seconds=100.0) == receipt
    assert account.told() == other.told()


def test_findings_are_recorded_while_the_inventory_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the other to have begun."""
    account, met = before_the_crash(), Barrier(2, timeout=60)
    put = Inventory.put

    def put_meanwhile(*what: Any, **how: Any) -> None:
        met.wait()
        put(*what, **how)

    def claimed(name: str, _call: Any) -> None:
        if name == "UpdateItem":
            met.wait()

    monkeypatch.setattr(Inventory, "put", put_meanwhile)
    account.table.before = claimed
    receipt, parts = account.scan(SECOND)
    assert (receipt.scan, parts) == (SECOND.scan, 1)
    assert [key for key in account.objects() if SECOND.scan in key]


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "not recorded"])
def test_what_becomes_of_the_inventory_is_nothing_to_the_findings(
    monkeypatch: pytest.MonkeyPatch, *, recorded: bool
) -> None:
    """Both are told; what failed in recording comes first, once nobody is at the spool any more."""
    account = before_the_crash()
    monkeypatch.setattr(Inventory, "put", raises(OSError("no bucket")))
    if not recorded:
        account.table.before = raises(ValueError("no table"))
    with pytest.raises(OSError if recorded else ValueError, match="no bucket" if recorded else "no table"):
        account.scan(SECOND)
    account.table.before = None
    assert bool(list(account.store.receipts(SECOND.scan))) is recorded


def raises(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_it_can_be_switched_off() -> None:
    account = before_the_crash()
    worker = replace(account.worker(SECOND), inventory=None)
    assert worker.scan(HERE, 0, lambda: INVOCATION_S)
    assert [key for key in account.objects() if SECOND.scan in key] == []
