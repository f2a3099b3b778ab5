"""What is deployed, on an AWS in memory, and what does to it as the state machine and its troubles do."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from boto3.dynamodb.conditions import Key

from orgscan.describe import describe
from orgscan.messages import of_scan
from orgscan.model import GLOBAL, Target
from orgscan.notify import MessageRefused, Topics, send
from orgscan.plan import Plan, Planner
from orgscan.plans import PlanStore
from orgscan.report import Reporter
from orgscan.request import InvalidScanRequest
from orgscan.results import Bucketed, Results
from orgscan.store import FindingStore, TakenOver, shard_of
from orgscan.work import MOST_PARTS, Checkpoints, Worker
from tests.model.members import moved, notice
from tests.model.oracle import Asked, Life, Name, Oracle, Seen, blind, look
from tests.model.scope import asks, planned
from tests.model.told import forget, messages, summary
from tests.model.watch import Killed, Run, Scan, Watch, die, refuse, turns
from tests.model.world import (
    CATALOG,
    FAR,
    NEAR,
    Home,
    Place,
    World,
    beginning,
)
from tests.twins import S3Twin, SnsTwin, TableTwin

BUCKET = "results"
BEGINNING = datetime(2026, 1, 15, 6, tzinfo=UTC)
CATEGORIES = ("security", "cost", "reliability")


@dataclass
class Hub:
    """Everything that is deployed, and the oracle beside it."""

    world: World = field(default_factory=beginning)
    table: Any = field(default_factory=TableTwin)
    s3: Any = field(default_factory=lambda: S3Twin(BUCKET))
    sns: Any = field(default_factory=SnsTwin)
    oracle: Oracle = field(default_factory=Oracle)
    now: datetime = BEGINNING
    scans: int = 0

    @property
    def store(self) -> FindingStore:
        return FindingStore(self.table)

    @property
    def plans(self) -> PlanStore:
        return PlanStore(self.s3, BUCKET)

    def live(self, history: Sequence[Scan]) -> None:
        pairs: list[list[Scan]] = []
        for scan in history:
            if scan.meets is not None and pairs and len(pairs[-1]) == 1:
                pairs[-1].append(scan)
            else:
                pairs.append([scan])
        for pair in pairs:
            runs: list[Run] = []
            for scan in pair:
                runs += [run] if (run := self.plan(scan)) else []
            self.work(runs)

    def work(self, runs: Sequence[Run]) -> None:
        for run, target in turns(runs):
            if target:
                others = [each for each in runs if each is not run]
                self.scan(run, target, others[0] if others else None)
            else:
                self.report(run)

    # Plan

    def plan(self, how: Scan) -> Run | None:
        self.now += timedelta(hours=how.hours, seconds=1)
        for change in how.changes:
            self.world.change(self.now, *change)
        self.scans += 1
        execution = f"{self.scans:08}"
        planner = Planner(
            catalog=CATALOG,
            configuration=self.world.configuration,
            home=cast("Any", Home(self.world)),
            enter=self.world.enter,
            store=self.store,
        )

        def made() -> tuple[Plan, Sequence[Target]]:
            plan, targets = planner.plan(how.request, started=self.now, execution=execution)
            self.plans.put(plan, targets)
            return plan, targets

        standing, active, skipped = planned(self.oracle.scanned, self.world, how.request)
        possible = "due" in standing.values() and self.answerable(how.request)
        try:
            plan, targets = self.survive(made, how.handlers[0])
        except InvalidScanRequest:
            assert not possible
            return None
        assert possible
        assert {Place(each.account, each.region): each.standing for each in targets} == standing
        assert len(targets) == len(standing)
        assert plan.planned == sum(each == "due" for each in standing.values())
        assert plan.accounts == len(active)
        assert sorted(f"{each.id} {each.state}" for each in plan.skipped) == sorted(skipped)
        self.oracle.scanned |= {place for place, each in standing.items() if each == "due"}
        self.oracle.due_in |= {place: plan.scan for place, each in standing.items() if each == "due"}
        notice(self.oracle, self.world, plan.scan, whole="accounts" not in how.request)
        checks = asks(self.world, how.request)
        assert set(plan.checks) == checks
        asked = Asked(
            plan.scan,
            self.now,
            how.request.get("notify", True),
            checks,
            frozenset(() if "checks" in how.request else how.request.get("categories", CATEGORIES)),
            standing,
            frozenset(
                place
                for place in standing
                if place.region == FAR
                and place.account in self.world.near_only - self.world.locked
                and standing[place] == "due"
            ),
        )
        turn = how.order % max(1, len(targets))
        ordered = [*targets[turn:], *targets[:turn]][:: -1 if how.order % 2 else 1]
        return Run(how, plan, ordered, asked)

    def answerable(self, request: Mapping[str, Any]) -> bool:
        """Whether all that a request names exists."""
        inside = set(self.world.organization.accounts) - set(self.world.scope.exclude_accounts)
        regions = {GLOBAL, NEAR, *([] if self.world.scope.regions == (NEAR,) else [FAR])}
        return (
            inside.issuperset(request.get("accounts", ()))
            and regions.issuperset(request.get("regions", ()))
            and not self.world.off & set(request.get("checks", ()))
        )

    # Scan

    def scan(self, run: Run, target: Target, other: Run | None) -> None:
        number = run.targets.index(target)
        trouble = next((each for each in run.how.troubles if each.target % len(run.targets) == number), None)
        self.world.slow = bool(run.how.slow >> number & 1)
        kind = trouble.kind if trouble else ""
        if kind == "never starts":
            return
        if kind.startswith("dies"):
            assert trouble
            watch = Watch(self.world, trouble.write, trouble.when, die)
            self.attempt(run, target, watch, retried=kind == "dies")
        elif kind.startswith("met"):
            assert trouble
            meets = run if kind == "met by itself" or not other else other
            self.met(run, meets, target, trouble.write)
        else:
            self.attempt(run, target, Watch(self.world, -1, "", die))

    def met(self, run: Run, other: Run, target: Target, write: int) -> None:
        """Between two writes of a worker, another one does all of the target."""
        place = Place(target.account, target.region)
        if place not in other.asked.standing:
            other = run
        theirs = next(each for each in other.targets if each == target)
        seen = look(self.world, run.asked, place)
        claimed: list[bool] = []

        def meanwhile() -> None:
            claimed.append(watch.writes > 0 and self.claimed(run, place))
            self.settle(run, place, seen)
            spent, self.world.calm = self.world.clock.spent, other is run
            self.attempt(other, theirs, Watch(self.world, -1, "", die))
            self.world.clock.spent, self.world.calm = spent, False
            self.watch(watch)

        watch = Watch(self.world, write, "before", meanwhile)
        took_over = self.attempt(run, target, watch, seen=seen)
        # On a slow day the first one's next part takes it over once more.
        assert took_over == (claimed == [True] and other is run) or self.world.slow

    def attempt(
        self, run: Run, target: Target, watch: Watch, *, retried: bool = True, seen: Seen | None = None
    ) -> bool:
        """All parts of a target. Returns whether another attempt took over."""
        place = Place(target.account, target.region)
        seen = seen or look(self.world, run.asked, place)
        self.watch(watch)
        try:
            for part in range(MOST_PARTS):
                try:
                    done = self.invoke(run, target, part)
                except Killed:
                    if not retried:
                        self.settle(run, place, seen)
                        return False
                    done = self.invoke(run, target, part)
                if done:
                    break
            else:
                raise AssertionError("it never ends")
        except TakenOver:
            return True
        finally:
            self.watch(None)
        self.oracle.complete(self.world, run.asked, place, seen)
        return False

    def invoke(self, run: Run, target: Target, part: int) -> bool:
        self.world.clock.spent = 0.0
        worker = Worker(
            plan=run.plan,
            catalog=CATALOG,
            configuration=self.world.configuration,
            store=self.store,
            checkpoints=Checkpoints(self.s3, BUCKET, run.plan.scan),
            enter=lambda each: self.world.enter(each.account),
        )
        return worker.scan(target, part, self.world.seconds_left) is not None

    def watch(self, watch: Watch | None) -> None:
        for client in (self.table, self.s3, self.sns):
            client.before = watch.before if watch else None
            client.after = watch.after if watch else None

    def claimed(self, run: Run, place: Place) -> bool:
        key = {"pk": f"TARGET#{place.account}#{place.region}", "sk": "STATE"}
        return bool(self.table.get_item(Key=key).get("Item", {}).get("scan") == run.plan.scan)

    def settle(self, run: Run, place: Place, seen: Seen) -> None:
        """A worker ended, or stands, anywhere: each finding is as it was, or as it was going to be."""
        shard = shard_of(run.plan.scan, place.account)
        key = {"pk": shard, "sk": f"TARGET#{place.account}#{place.region}"}
        if self.claimed(run, place) and "Item" in self.table.get_item(Key=key):
            self.oracle.complete(self.world, run.asked, place, seen)
            return
        if not self.claimed(run, place):
            return
        self.oracle.claim(run.asked, place)
        before = self.oracle.lives.get(place, {})
        after = self.oracle.after(self.world, run.asked, place, seen)
        lives = self.lives(place)
        for name in {*after, *lives}:
            assert lives.get(name) in (before.get(name), after.get(name)), name
        self.oracle.lives[place] = lives

    def lives(self, place: Place) -> dict[Name, Life]:
        where = Key("pk").eq(f"TARGET#{place.account}#{place.region}") & Key("sk").begins_with("FINDING#")
        rows = self.table.query(KeyConditionExpression=where)["Items"]
        for row in rows:
            assert ("listed" in row) == (row["status"] != "resolved") == ("expires" not in row)
        return {Name(row["check"], row["resource"], row["key"]): Life.told(row) for row in rows}

    # Report and notify

    def report(self, run: Run) -> None:
        self.world.slow = False
        scan = run.plan.scan
        reporter = Reporter(
            self.store,
            self.plans,
            self.s3,
            BUCKET,
            CATALOG,
            self.world.configuration,
            lambda: self.store,
            wait=lambda _: None,
        )
        told, sent = self.survive(lambda: reporter.report(scan, finished=self.now), run.how.handlers[1])
        for place in run.asked.standing:
            if place not in self.oracle.outcomes.get(scan, {}):
                seen = blind(run.asked.due(place), "fault")
                self.oracle.complete(self.world, run.asked, place, seen)
        made = json.loads(self.read(f"scans/{scan}/summary.json"))
        assert made == json.loads(json.dumps(describe(told)))
        assert sum(each["checks"] for each in made["gaps"]) == (
            made["checks"]["planned"] - made["checks"]["evaluated"]
        )
        made["suppressions"] = [(each["key"], each["findings"]) for each in made["suppressions"]]
        made["resources"] = {kind: count for kind, count in made["resources"].items() if count}
        self.check_lives(run)
        self.check_receipts(run)
        expected = summary(self.oracle, self.world, run.asked)
        assert {name: made[name] for name in expected} == expected
        news = moved(self.oracle, run.asked)
        assert sorted(each.account for each in told.moves) == news
        due = messages(self.oracle, self.world, run.asked, news)
        assert [each.route for each in of_scan(Results(Bucketed(self.s3, BUCKET, scan)))] == due
        assert sent == len(due)
        forget(self.oracle, run.asked)
        if sent:
            self.notify(run, due)

    def notify(self, run: Run, due: Sequence[str]) -> None:
        scan, at = run.plan.scan, run.how.handlers[2]
        before = len(self.sns.messages)

        def told() -> int:
            return send(
                of_scan(Results(Bucketed(self.s3, BUCKET, scan))),
                sns=self.sns,
                topics=Topics("topic", "orgscan"),
                store=self.store,
                scan=scan,
            )

        refused = at >= 0 and at % 4 == 3
        if refused:
            self.sns.before = refuse
            with pytest.raises(MessageRefused):
                told()
            self.sns.before = None
        self.survive(told, -1 if refused else at)
        assert told() == 0
        routes = [each["MessageAttributes"]["route"]["StringValue"] for each in self.sns.messages[before:]]
        assert len(routes) == len({*routes})
        assert {*routes} <= {*due}
        # Whoever dies beside a message that may be on its way does not send it again.
        assert len(due) - len(routes) <= (0 if refused or at < 0 else 1)

    def survive(self, handler: Callable[[], Any], at: int) -> Any:
        """A handler that is killed at a write is called once more."""
        watch = Watch(self.world, at // 2, ("before", "after")[at % 2], die)
        self.watch(watch if at >= 0 else None)
        try:
            return handler()
        except Killed:
            return handler()
        finally:
            self.watch(None)

    def read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def check_lives(self, run: Run) -> None:
        """The table, and the list of what is open where the scan looked."""
        listed = Counter(
            (row["account"], row["region"], row["check"], row["resource"], row["key"], row["status"])
            for row in map(
                json.loads,
                gzip.decompress(self.read(f"scans/{run.plan.scan}/findings.jsonl.gz")).splitlines(),
            )
        )
        expected = Counter[tuple[str, ...]]()
        for place in {*self.oracle.lives, *self.oracle.scanned}:
            lives = self.oracle.lives.get(place, {})
            assert self.lives(place) == lives
            if place in run.asked.standing:
                expected.update(
                    (*place, *name, life.status) for name, life in lives.items() if life.status != "resolved"
                )
        assert listed == expected

    def check_receipts(self, run: Run) -> None:
        """Every planned unit has one outcome."""
        shards = {shard_of(run.plan.scan, place.account) for place in run.asked.standing}
        of_targets = Key("sk").begins_with("TARGET#")
        found = (
            self.table.query(KeyConditionExpression=Key("pk").eq(shard) & of_targets) for shard in shards
        )
        rows = [row for page in found for row in page["Items"]]
        left = {Place(row["account"], row["region"]): row for row in rows}
        assert left.keys() == run.asked.standing.keys()
        for place, row in left.items():
            outcome = self.oracle.outcomes[run.plan.scan][place]
            reasons = [(check, reason) for reason, _, checks in row["unseen"] for check in checks]
            assert len(reasons) == len(outcome.gaps)
            assert all(reason in outcome.gaps[check] for check, reason in reasons)
            assert (row["planned"], row["evaluated"]) == (
                len(outcome.planned),
                len(outcome.planned) - len(reasons),
            )
            assert set(row["newly_blind"]) == outcome.newly
