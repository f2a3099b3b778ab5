"""A failed execution that is redriven comes to what it would have come to undisturbed.

The simulated AWS cannot redrive, so what Step Functions then does is done by hand: the same execution, with
its name and start, goes on at the state that failed, with the input that this state had. Targets whose
workers had ended are not scanned again.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import boto3
import pytest

from orgscan import notify
from orgscan.plans import PlanStore
from orgscan.settings import Route
from orgscan.store import FindingStore
from orgscan.work import Worker
from tests.handlers import CHECKS, Context, Handlers, in_first_round, listed, ready

# A process that dies has nothing to say.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")
NAME = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"
State: TypeAlias = tuple[Mapping[tuple[str, str], Any], Mapping[str, Any], list[str]]
"""Items of the table, objects of the bucket, subjects of mails."""


class Died(Exception):
    """The process did what it had to do, and nobody heard of it."""


@dataclass
class Execution:
    """Of the state machine; `run` again is to redrive it."""

    functions: Handlers
    day: int = 15
    state: str = "Plan"
    told: Any = None
    """The input of the state."""
    ended: set[str] = field(default_factory=set)
    """Regions whose target has been scanned."""

    def run(self) -> None:
        if self.state == "Plan":
            started = f"2026-01-{self.day}T06:00:00.123Z"
            request = {"checks": CHECKS, "schedule": "daily"}
            self._on("EachGroup", "plan", request=request, started=started, execution=f"{self.day}-{NAME}")
        if self.state == "EachGroup":
            targets = [target for group in listed(self.told) for target in group["targets"]]
            self._scan(targets, part=0, **in_first_round())
        while self.state in ("Report", "EachTarget"):
            if self.state == "Report":
                self._on("AnyNews", "report", scan=self.told["scan"], last=self.told["last"])
                if not self.told["done"]:
                    self.state = "EachTarget"
            else:
                self._scan(listed(self.told), part=1)
        if self.state == "AnyNews":
            self.state = "Notify" if self.told["messages"] else "End"
        if self.state == "Notify":
            self._on("End", "notify", scan=self.told["scan"])

    def _on(self, to: str, handler: str, **event: Any) -> None:
        self.told = self.functions.invoke(handler, **event)
        self.state = to

    def _scan(self, targets: Iterable[Any], **how: Any) -> None:
        for target in targets:
            if target["region"] not in self.ended:
                event = {"scan": self.told["scan"], "target": target, "done": False, **how}
                while not event["done"]:
                    event = self.functions.invoke("scan", **event)
                self.ended.add(target["region"])
        self.state = "Report"


@dataclass
class Cloud:
    functions: Handlers
    table: Any
    queue: str
    patch: pytest.MonkeyPatch

    def dies(self, owner: Any, name: str) -> None:
        """The next time that this was done, and then never again."""
        original = getattr(owner, name)

        def do(*told: Any, **how: Any) -> Any:
            self.patch.setattr(owner, name, original)
            original(*told, **how)
            raise Died

        self.patch.setattr(owner, name, do)

    def state(self) -> State:
        rows = {(str(row["pk"]), str(row["sk"])): _lasting(row) for row in self.table.scan()["Items"]}
        s3 = boto3.client("s3")
        objects = {
            each["Key"]: _content(s3.get_object(Bucket="results", Key=each["Key"])["Body"].read())
            for each in s3.list_objects_v2(Bucket="results").get("Contents", [])
            if not each["Key"].endswith(".html")  # which is made of the others
        }
        return rows, objects, self._mails()

    def back_to(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """As it was when the table held these."""
        for row in self.table.scan()["Items"]:
            self.table.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
        for row in rows:
            self.table.put_item(Item=row)
        s3 = boto3.client("s3")
        for each in s3.list_objects_v2(Bucket="results")["Contents"]:
            s3.delete_object(Bucket="results", Key=each["Key"])

    def _mails(self) -> list[str]:
        sqs, mails = boto3.client("sqs"), []
        while got := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
            for each in got:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
                mails.append(json.loads(each["Body"])["Subject"])
        return mails


def _lasting(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without which attempt it was, and when it ended."""
    return {name: value for name, value in row.items() if name not in ("attempt", "finished")}


def _content(body: bytes) -> Any:
    """Likewise."""
    text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    lines = [json.loads(line) for line in text.splitlines()] if text is not body else json.loads(text)
    return _lasting(lines) if isinstance(lines, dict) else lines


@pytest.fixture
def cloud(
    aws: boto3.Session, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cloud:
    functions = ready(aws, table, monkeypatch, capsys)
    # Findings and inventory are told side by side: who asked the clock how often until then is chance.
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda context: context.left)
    assert functions.configuration.routes == (Route(name="all"),)
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="findings")["TopicArn"]
    queue = sqs.create_queue(QueueName="readers")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("TOPIC", topic)
    boto3.client("ec2", region_name="eu-west-1").allocate_address(Domain="vpc")
    boto3.client("ec2", region_name="eu-west-2").allocate_address(Domain="vpc")
    return Cloud(functions, table, queue, monkeypatch)


DEATHS: tuple[tuple[Any, str, str], ...] = (
    (PlanStore, "put", "Plan"),
    (FindingStore, "record", "EachGroup"),
    (Worker, "scan", "EachGroup"),
    (FindingStore, "coverage_before", "Report"),
    (FindingStore, "put_scan", "Report"),
    (notify, "send", "Notify"),
)
"""After what the process dies, and the state that fails of it."""


def test_it_comes_to_the_same_whatever_failed(cloud: Cloud) -> None:
    # The day before, nobody heard of one region: there is a coverage and a blindness to compare with.
    Execution(cloud.functions, day=14, ended={"eu-west-2"}).run()
    assert len(cloud.state()[2]) == 1
    before = cloud.table.scan()["Items"]
    cloud.back_to(before)

    Execution(cloud.functions).run()
    undisturbed = rows, objects, mails = cloud.state()
    assert sum(sk.startswith("FINDING#") for _, sk in rows) == 2
    assert {key.rpartition("/")[2] for key in objects} >= {"plan.json", "summary.json", "findings.jsonl.gz"}
    (summary,) = [each for key, each in objects.items() if key.endswith("/summary.json")]
    assert (summary["coverage_before"], summary["coverage"]) == (50, 100)
    assert len(mails) == 1

    cloud.back_to(before)
    execution = Execution(cloud.functions)
    for owner, name, failed in DEATHS:
        cloud.dies(owner, name)
        with pytest.raises(Died):
            execution.run()
        assert execution.state == failed
    execution.run()
    assert execution.state == "End"
    assert cloud.state() == undisturbed

    # And from the beginning, as after a failure of Plan that was none.
    Execution(cloud.functions).run()
    assert cloud.state() == (rows, objects, [])


def test_what_a_newer_scan_said_meanwhile_stands(cloud: Cloud) -> None:
    old, new = Execution(cloud.functions), Execution(cloud.functions, day=16)
    cloud.dies(Worker, "scan")
    with pytest.raises(Died):
        old.run()
    new.run()
    rows, _, mails = cloud.state()
    known = {place: row for place, row in rows.items() if place[1].startswith("FINDING#")}
    assert len(mails) == 1
    old.run()
    rows, objects, mails = cloud.state()
    assert {place: row for place, row in rows.items() if place[1].startswith("FINDING#")} == known
    (told,) = [each for key, each in objects.items() if key.endswith(f"-15-{NAME[:5]}/summary.json")]
    assert told["gaps"][0]["detail"].startswith("superseded by scan 20260116")
