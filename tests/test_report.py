"""After the last target: what is missing is recorded, what is open is exported, and only news is told."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from threading import Lock
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan import catalog, session
from orgscan.coverage import Look
from orgscan.describe import GAPS, describe
from orgscan.errors import OutOfTime
from orgscan.line import fingerprint
from orgscan.membership import Remembered
from orgscan.messages import Message, of_scan
from orgscan.model import (
    GLOBAL,
    Blindness,
    Category,
    Confidence,
    Finding,
    Money,
    Severity,
    Standing,
    Target,
)
from orgscan.plan import Plan
from orgscan.plans import PlanStore
from orgscan.receipt import Receipt, Unseen
from orgscan.reconcile import Change, Record
from orgscan.report import ADDING_UP_S, THREADS, Reporter
from orgscan.results import Bucketed, Results
from orgscan.routing import Routing
from orgscan.settings import Configuration, Route
from orgscan.store import FindingStore
from orgscan.summary import ScanSummary, summarise
from orgscan.suppress import Suppression, Suppressions
from tests.receipts import FINISHED, PROD, SANDBOX, plan, receipt
from tests.scans import blind, finding, saw

BUCKET = "results"
SSH, WASTE, ROOT = "ec2-security-group-open-ssh", "ebs-volume-unattached", "iam-root-mfa-disabled"
FIRST = plan(checks=(WASTE, SSH))
SECOND = replace(FIRST, scan="20260116T060000000Z-c9f0f895", started="2026-01-16T06:00:00+00:00")
ALL = Route(name="all")
COST = Route(name="cost", categories=(Category.COST,), copy=True)
URGENT = Route(name="urgent", minimum_severity=Severity.CRITICAL, copy=True)
SANDBOX_OWNERS = Route(name="sandbox-owners", accounts=(SANDBOX.account,), copy=True)

OPEN_SSH = finding("arn:sg-1", SSH, target=PROD)
SAVING = Money(40.0, "500 GiB gp3 at 0.08 USD", Confidence.HIGH)
UNATTACHED = finding(
    "arn:vol-1", WASTE, severity=Severity.MEDIUM, category=Category.COST, target=SANDBOX, saving=SAVING
)


class Patient(FindingStore):
    """For threads: moto, unlike DynamoDB, cannot serve two at a time."""

    one_at_a_time = Lock()

    @classmethod
    def another(cls) -> FindingStore:
        return cls(session.here().table("findings"))

    def record(self, *told: Any, **how: Any) -> Receipt:
        with self.one_at_a_time:
            return super().record(*told, **how)


@dataclass
class Hub:
    """The table, the bucket, and the two ends of a scan."""

    s3: Any
    store: FindingStore
    plans: PlanStore
    suppressions: tuple[Suppression, ...] = ()
    wait: Callable[[float], object] = lambda _: None

    def scan(
        self,
        made: Plan,
        *looks: Look,
        targets: Iterable[Target] = (PROD, SANDBOX),
        routes: tuple[Route, ...] = (ALL,),
    ) -> ScanSummary:
        self.plans.put(made, targets)
        for look in looks:
            rules = Suppressions(self.suppressions, made.moment)
            self.store.record(made.scan, made.started, look, rules=rules, routing=Routing(routes))
        return self.report(made, routes)

    def report(self, made: Plan, routes: tuple[Route, ...] = (ALL,)) -> ScanSummary:
        configuration = Configuration(routes=routes, suppressions=self.suppressions)
        reporter = Reporter(
            self.store,
            self.plans,
            self.s3,
            BUCKET,
            catalog.everything(),
            configuration,
            Patient.another,
            wait=self.wait,
        )
        summary, messages = reporter.report(
            made.scan, finished=datetime(2026, 1, 15, 6, 9, 41, 7, tzinfo=UTC)
        )
        assert messages == len(self.messages(made))
        return summary

    def messages(self, made: Plan) -> list[Message]:
        return list(of_scan(Results(Bucketed(self.s3, BUCKET, made.scan))))

    def routes(self, made: Plan) -> list[str]:
        return [message.route for message in self.messages(made)]

    def read(self, made: Plan, name: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=f"scans/{made.scan}/{name}")["Body"].read()
        return body

    def summary(self, made: Plan) -> Mapping[str, Any]:
        told: Mapping[str, Any] = json.loads(self.read(made, "summary.json"))
        return told

    def findings(self, made: Plan) -> list[Mapping[str, Any]]:
        return [
            json.loads(line) for line in gzip.decompress(self.read(made, "findings.jsonl.gz")).splitlines()
        ]


@pytest.fixture
def hub(table: Any) -> Hub:
    s3 = session.here().get("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Hub(s3, FindingStore(table), PlanStore(s3, BUCKET))


def look(*findings: Finding, target: Target = PROD, clean: Iterable[str] = ()) -> Look:
    return saw(*findings, target=target, clean=clean, checks=(WASTE, SSH))


def test_a_worker_that_left_no_receipt_is_a_recorded_gap(hub: Hub) -> None:
    summary = hub.scan(FIRST, look(OPEN_SSH))
    (lost,) = [left for left in hub.store.receipts(FIRST.scan) if left.target == SANDBOX]
    assert lost.evaluated == 0
    assert lost.newly_blind == (WASTE, SSH)
    (unseen,) = lost.unseen
    assert (unseen.reason, unseen.checks) == (Blindness.FAULT, (WASTE, SSH))
    assert "ended without a receipt" in unseen.detail
    assert (summary.units, summary.evaluated, summary.reached, summary.complete) == (4, 2, 1, False)
    (message,) = hub.messages(FIRST)
    assert message.subject.startswith("[orgscan] INCOMPLETE: ")
    assert message.body.startswith("INCOMPLETE: 50.0% of 4 checks evaluated\n")
    assert "sandbox us-east-1" in message.body


def test_a_worker_that_died_closes_nothing(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    summary = hub.scan(SECOND, look(OPEN_SSH))
    assert [line["resource"] for line in hub.findings(SECOND)] == ["arn:sg-1", "arn:vol-1"]
    assert summary.unconfirmed == 1
    assert not summary.changes


def test_a_global_target_answers_for_its_own_checks(hub: Hub) -> None:
    everywhere = Target(PROD.account, GLOBAL)
    hub.scan(replace(FIRST, checks=(WASTE, ROOT)), targets=(everywhere, PROD))
    unseen = {left.target.region: left.unseen[0].checks for left in hub.store.receipts(FIRST.scan)}
    assert unseen == {GLOBAL: (ROOT,), PROD.region: (WASTE,)}


def test_every_open_finding_is_exported_and_no_other(hub: Hub) -> None:
    many = [finding(f"arn:sg-{number:03}", SSH, target=PROD) for number in range(120)]
    hub.scan(FIRST, look(*many), look(UNATTACHED, target=SANDBOX))
    fixed = [each.resource for each in many[:20]]
    hub.scan(SECOND, look(*many[20:], clean=fixed), look(UNATTACHED, target=SANDBOX))
    assert len(hub.findings(FIRST)) == 121
    told = hub.findings(SECOND)
    assert sorted(line["resource"] for line in told) == [*(each.resource for each in many[20:]), "arn:vol-1"]
    assert told[-1] == {
        "id": fingerprint("aws", SANDBOX.account, "us-east-1", f"{WASTE}#arn:vol-1#"),
        "check": WASTE,
        "severity": "medium",
        "category": "cost",
        "partition": "aws",
        "account": SANDBOX.account,
        "account_name": "sandbox",
        "region": "us-east-1",
        "resource": "arn:vol-1",
        "key": "",
        "problems": ["it is wrong"],
        "status": "open",
        "first_seen": FIRST.started,
        "opened": FIRST.started,
        "change": "new",
        "changed_in": FIRST.scan,
        "history": [{"when": FIRST.started, "change": "new"}],
        "owner": None,
        "owned_by": "nobody",
        "resolved_because": None,
        "suppressed_by": None,
        "unconfirmed_since": None,
        "tags": None,
        "monthly_usd": 40.0,
        "basis": "500 GiB gp3 at 0.08 USD",
        "confidence": "high",
    }


def test_a_scan_of_nothing_new_sends_nothing(hub: Hub) -> None:
    looks = (look(OPEN_SSH), blind(WASTE, SSH, target=SANDBOX))
    hub.scan(FIRST, *looks)
    hub.scan(SECOND, *looks)
    assert hub.routes(FIRST) == ["all"]
    assert hub.routes(SECOND) == []


def test_what_was_fixed_and_what_went_blind_is_news(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(target=SANDBOX))
    hub.scan(SECOND, look(clean=[OPEN_SSH.resource]), look(target=SANDBOX))
    assert hub.messages(SECOND)[0].subject == "[orgscan] 1 resolved in 2 accounts"
    third = replace(SECOND, scan="20260117T060000000Z-45c48cce")
    hub.scan(third, look(), blind(WASTE, SSH, target=SANDBOX))
    assert hub.messages(third)[0].subject == "[orgscan] INCOMPLETE: 2 checks newly unseen in 2 accounts"


def test_who_asks_for_silence_gets_it(hub: Hub) -> None:
    quiet = replace(FIRST, notify=False)
    summary = hub.scan(quiet, look(OPEN_SSH), look(target=SANDBOX))
    assert summary.news
    assert hub.messages(quiet) == []


def lines(hub: Hub, made: Plan, name: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(hub.read(made, name)).splitlines()]


def test_what_a_scan_closed_is_listed_with_the_reason_and_its_history(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    hub.scan(SECOND, look(clean=[OPEN_SSH.resource]), look(UNATTACHED, target=SANDBOX))
    (closed,) = lines(hub, SECOND, "resolved.jsonl.gz")
    assert (closed["check"], closed["resolved_because"], closed["status"]) == (SSH, "fixed", "resolved")
    changes = [(each["when"], each["change"]) for each in closed["history"]]
    assert changes == [(FIRST.started, "new"), (SECOND.started, "resolved")]
    assert json.loads(hub.read(SECOND, "rollup.json"))["resolved"] == {"high": {"findings": 1, "days": 1.0}}
    assert lines(hub, FIRST, "resolved.jsonl.gz") == []


def test_what_was_accepted_and_is_gone_is_listed_and_no_news(hub: Hub) -> None:
    """Whoever takes findings in elsewhere must hear that it is closed."""
    hub.suppressions = (replace(ENDING, expires=date(2026, 6, 30)),)
    hub.scan(FIRST, look(OPEN_SSH), look(target=SANDBOX))
    assert hub.summary(FIRST)["suppressed"] == {"high": {"security": 1}}
    hub.scan(SECOND, look(clean=[OPEN_SSH.resource]), look(target=SANDBOX))
    assert [each["check"] for each in lines(hub, SECOND, "resolved.jsonl.gz")] == [SSH]
    assert (hub.summary(SECOND)["changes"], hub.messages(SECOND)) == ({}, [])


def test_a_scan_lists_the_findings_of_what_it_looked_at(hub: Hub) -> None:
    """So that mail, report and exports of one scan count the same."""
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    hub.scan(SECOND, look(UNATTACHED, target=SANDBOX), targets=[SANDBOX])
    assert [each["check"] for each in hub.findings(SECOND)] == [WASTE]
    assert hub.summary(SECOND)["open"] == {"medium": {"cost": 1}}
    assert hub.messages(SECOND) == []


def test_an_index_that_lags_behind_is_read_again(hub: Hub) -> None:
    waited: list[float] = []

    class Lagging(FindingStore):
        def open_findings(self, severity: Severity) -> Iterator[Record]:
            seen = (Severity.HIGH,), (), tuple(Severity)
            return super().open_findings(severity) if severity in seen[len(waited)] else iter(())

    hub.store.__class__ = Lagging
    hub.wait = waited.append
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    assert waited == [1.0, 4.0]
    assert len(hub.findings(FIRST)) == 2
    assert sum(json.loads(hub.read(FIRST, "rollup.json"))["checks"][SSH].values()) == 1
    key = f"findings/dt={FIRST.started[:10]}/{FIRST.scan}.jsonl.gz"
    rows = gzip.decompress(hub.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert rows.count(b"\n") == 2


def test_a_digest_tells_what_is_open_though_nothing_changed(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    weekly = replace(SECOND, digest=True)
    routes = (COST, ALL)
    hub.scan(weekly, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX), routes=routes)
    told = {message.route: message for message in hub.messages(weekly)}
    assert told["all"].subject == "[orgscan] digest: 1 high, 1 medium open in 2 accounts"
    assert told["cost"].subject == "[orgscan] digest: 1 medium open in 2 accounts"
    assert "WORST: mending the first cause takes away 100% of what is high." in told["all"].body
    assert "it is wrong (no owner, 1 day)" in told["all"].body
    assert SSH not in told["cost"].body


def test_each_route_hears_of_what_concerns_it(hub: Hub) -> None:
    routes = (ALL, COST, URGENT, SANDBOX_OWNERS)
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX), routes=routes)
    told = {message.route: message for message in hub.messages(FIRST)}
    assert list(told) == ["all", "cost", "sandbox-owners"]
    assert SSH in told["all"].body
    assert WASTE in told["all"].body
    assert "COMPLETE: 100.0% of 4 checks" in told["all"].body
    for route, scale in [("cost", "2 accounts, 2 targets"), ("sandbox-owners", "1 account, 1 target")]:
        assert SSH not in told[route].body
        assert WASTE in told[route].body
        assert "COMPLETE: 100.0% of 2 checks" in told[route].body
        assert scale in told[route].body
        assert "OPEN: 1 finding\n  medium        1  ####" in told[route].body


def test_the_summary_is_kept_in_the_bucket_and_in_the_trend(hub: Hub, table: Any) -> None:
    summary = hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    told = hub.summary(FIRST)
    assert told == describe(summary)
    assert told["scan"] == FIRST.scan
    assert (told["started"], told["finished"]) == (FIRST.started, FINISHED)
    assert (told["complete"], told["coverage"], told["gaps"], told["more_gaps"]) == (True, 100.0, [], 0)
    assert told["targets"] == {"planned": 2, "reached": 2}
    assert told["checks"] == {"planned": 4, "evaluated": 4}
    assert told["open"] == {"high": {"security": 1}, "medium": {"cost": 1}}
    assert told["changes"] == {"new": {"high": 1, "medium": 1}}
    assert (told["monthly_usd"], told["unpriced"]) == (40.0, 0)
    row = table.get_item(Key={"pk": "SCANS", "sk": FIRST.scan})["Item"]
    assert (row["changes"], row["finished"]) == (told["changes"], told["finished"])


def test_compliance_is_kept_in_full_beside_the_summary_that_has_its_totals(hub: Hub) -> None:
    hub.scan(replace(FIRST, checks=(WASTE, SSH)), look(OPEN_SSH), look(target=SANDBOX))
    totals = {told["framework"]: told for told in hub.summary(FIRST)["compliance"]}
    full = {told["framework"]: told for told in json.loads(hub.read(FIRST, "compliance.json"))}
    assert totals.keys() == full.keys()
    for name, told in totals.items():
        assert {key: full[name][key] for key in told} == told
        assert len(full[name]["list"]) == told["controls"]
    (control,) = (each for each in full["CIS AWS 3.0"]["list"] if each["control"] == "5.2")
    assert (control["verdict"], SSH in control["checks"]) == ("failed", True)
    assert control["failed"] == {"accounts": 1, "targets": 1, "findings": 1}
    (other,) = (each for each in full["CIS AWS 3.0"]["list"] if each["control"] == "1.5")
    assert (other["verdict"], other["left_out"]) == ("not-judged", other["checks"]), "it was not asked for"


def test_reporting_again_tells_the_same(hub: Hub) -> None:
    summary = hub.scan(FIRST, look(OPEN_SSH))
    messages, left = hub.messages(FIRST), list(hub.store.receipts(FIRST.scan))
    again = hub.report(FIRST)
    assert again == summary
    assert hub.messages(FIRST) == messages
    assert list(hub.store.receipts(FIRST.scan)) == left


def test_a_report_that_runs_out_of_time_goes_on_where_it_was(hub: Hub) -> None:
    """While it records dead workers, and before it adds up, which it begins only with the time it takes."""
    targets = [Target(f"{number:012}", "eu-west-1") for number in range(3 * THREADS)]
    hub.plans.put(replace(FIRST, planned=len(targets)), targets)
    one, catalog_ = Configuration(routes=(ALL,)), catalog.everything()
    reporter = Reporter(hub.store, hub.plans, hub.s3, BUCKET, catalog_, one, Patient.another)
    finished = datetime(2026, 1, 15, 7, tzinfo=UTC)
    told: list[int] = []
    for budget in ([900.0] * 7, [900.0] * 41 + [ADDING_UP_S - 1]):
        left = iter(budget)
        with pytest.raises(OutOfTime):
            reporter.report(FIRST.scan, finished=finished, seconds_left=partial(next, left, 0.0))
        told.append(len(list(hub.store.receipts(FIRST.scan))))
    assert told == [7, len(targets)]
    with pytest.raises(ClientError, match="NoSuchKey"):
        hub.read(FIRST, "summary.json")
    summary, messages = reporter.report(FIRST.scan, finished=finished, seconds_left=lambda: ADDING_UP_S)
    assert (summary.targets, summary.evaluated, summary.newly_blind) == (48, 0, 96)
    assert messages == 1


def test_receipts_are_read_once_for_all_routes(hub: Hub) -> None:
    read: list[str] = []

    class Counted(FindingStore):
        def receipts(self, scan: str) -> Iterator[Receipt]:
            read.append(scan)
            return super().receipts(scan)

    hub.store.__class__ = Counted
    hub.scan(
        FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX), routes=(ALL, COST, URGENT, SANDBOX_OWNERS)
    )
    assert hub.routes(FIRST) == ["all", "cost", "sandbox-owners"]
    assert read == [FIRST.scan]


def test_errors_that_are_each_a_kind_of_their_own_do_not_outgrow_the_table(hub: Hub) -> None:
    lost = [
        Unseen(Blindness.FAULT, f"InternalError: request {number:036} {'x' * 300}", ("a",))
        for number in range(3000)
    ]
    summary = summarise(FIRST, [receipt(PROD, planned=3000, unseen=lost)], finished=FINISHED)
    told = describe(summary)
    assert (len(told["gaps"]), told["more_gaps"]) == (GAPS, 3000 - GAPS)
    assert len(json.dumps(told)) < 100_000
    hub.store.put_scan(FIRST.scan, told)


def test_an_eased_finding_is_counted_and_not_told(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(target=SANDBOX))
    eased = replace(OPEN_SSH, severity=Severity.LOW)
    summary = hub.scan(SECOND, look(eased), look(target=SANDBOX))
    assert summary.by_severity(Change.EASED) == {Severity.LOW: 1}
    assert hub.summary(SECOND)["changes"] == {"eased": {"low": 1}}
    assert hub.messages(SECOND) == []


ENDING = Suppression(resource="arn:sg-1", reason="r", owner="ada", expires=date(2026, 1, 20))
THIRD = replace(SECOND, scan="20260121T060000000Z-45c48cce", started="2026-01-21T06:00:00+00:00")


def test_a_suppression_is_news_when_it_comes_near_its_end_and_when_it_has_ended(hub: Hub) -> None:
    hub.suppressions = (ENDING,)
    looks = (look(OPEN_SSH), look(target=SANDBOX))
    hub.scan(FIRST, *looks)
    (message,) = hub.messages(FIRST)
    assert message.subject == "[orgscan] 1 suppression ending in 2 accounts"
    assert "until 2026-01-20 (5 days), 1 finding, owner ada" in message.body
    hub.scan(SECOND, *looks)
    assert hub.messages(SECOND) == []
    assert [each["key"] for each in hub.summary(SECOND)["suppressions"]] == [ENDING.key]
    hub.scan(THIRD, *looks)
    (message,) = hub.messages(THIRD)
    assert "REOPENED: 1 high" in message.body
    assert "ended 2026-01-20" in message.body
    fourth = replace(THIRD, scan="20260122T060000000Z-6c8349cc", started="2026-01-22T06:00:00+00:00")
    hub.scan(fourth, *looks)
    assert hub.messages(fourth) == []


def test_a_scan_that_tells_nobody_does_not_use_up_the_news(hub: Hub) -> None:
    hub.suppressions = (ENDING,)
    looks = (look(OPEN_SSH), look(target=SANDBOX))
    hub.scan(replace(FIRST, notify=False), *looks)
    hub.scan(SECOND, *looks)
    assert hub.routes(SECOND) == ["all"]


def test_a_route_hears_of_the_suppressions_that_concern_it(hub: Hub) -> None:
    waste = Suppression(check=WASTE, account=PROD.account, reason="r", owner="o", expires=date(2026, 1, 16))
    hub.suppressions = (waste,)
    tags = Route(name="tags", categories=(Category.TAGGING,))
    hub.scan(FIRST, look(), look(target=SANDBOX), routes=(COST, SANDBOX_OWNERS, tags))
    assert hub.routes(FIRST) == ["cost"]


def test_what_is_suppressed_is_exported_and_says_by_what(hub: Hub) -> None:
    hub.suppressions = (replace(ENDING, expires=date(2026, 6, 30)),)
    tagged = replace(OPEN_SSH, tags={"Owner": "ada"})
    summary = hub.scan(FIRST, look(tagged), look(UNATTACHED, target=SANDBOX))
    told = {line["resource"]: line for line in hub.findings(FIRST)}
    assert (told["arn:sg-1"]["status"], told["arn:sg-1"]["suppressed_by"]) == ("suppressed", ENDING.key)
    assert told["arn:sg-1"]["tags"] == {"Owner": "ada"}
    assert told["arn:vol-1"]["status"] == "open"
    assert hub.summary(FIRST)["suppressed"] == {"high": {"security": 1}}
    assert summary.suppressed_by == {ENDING.key: 1}


def test_targets_that_nobody_looks_at_are_forgotten_when_nothing_is_left_of_them(hub: Hub) -> None:
    targets = (PROD, SANDBOX)
    hub.scan(FIRST, look(OPEN_SSH), look(UNATTACHED, target=SANDBOX))
    for each in targets:
        hub.store.remember(Remembered(each.account, "", frozenset({each.region})))
    left = replace(SANDBOX, standing=Standing.LEFT)
    out = replace(PROD, standing=Standing.OUT_OF_SCOPE)
    absent = replace(SECOND, planned=0, absent=2, retiring=tuple(Category))
    for each in targets:
        hub.store.miss(each.account, [each.region], absent.scan)
    summary = hub.scan(absent, targets=(left, out))  # whoever dies before recording: the report does it
    assert (summary.units, summary.by_severity(Change.RESOLVED)) == (0, {Severity.MEDIUM: 1})
    assert [line["resource"] for line in hub.findings(absent)] == ["arn:sg-1"]
    assert hub.findings(absent)[0]["unconfirmed_since"] == SECOND.started
    assert {each.account: each.regions for each in hub.store.remembered()} == {
        PROD.account: {PROD.region},
        SANDBOX.account: set(),
    }
    assert "account left" in hub.messages(absent)[0].body


def test_the_oldest_that_could_not_be_confirmed_is_told(hub: Hub) -> None:
    hub.scan(FIRST, look(OPEN_SSH), look(target=SANDBOX))
    hub.scan(SECOND, blind(WASTE, SSH), look(target=SANDBOX))
    summary = hub.scan(THIRD, blind(WASTE, SSH), look(target=SANDBOX))
    assert (summary.unconfirmed, summary.unconfirmed_since) == (1, SECOND.started)
    assert "1 of them could not be confirmed, the oldest since 2026-01-16" in hub.messages(SECOND)[0].body


def test_many_workers_that_died_are_accounted_for_each_thread_with_a_table_of_its_own(hub: Hub) -> None:
    opened: list[FindingStore] = []

    def another() -> FindingStore:
        opened.append(Patient.another())
        return opened[-1]

    targets = [Target(f"{number:012}", "eu-west-1") for number in range(40)]
    hub.plans.put(replace(FIRST, planned=40), targets)
    reporter = Reporter(hub.store, hub.plans, hub.s3, BUCKET, catalog.everything(), Configuration(), another)
    summary, _ = reporter.report(FIRST.scan, finished=datetime(2026, 1, 15, 7, tzinfo=UTC))
    assert (summary.targets, summary.units, summary.evaluated) == (40, 80, 0)
    assert {left.target for left in hub.store.receipts(FIRST.scan)} == set(targets)
    assert len(opened) == THREADS
