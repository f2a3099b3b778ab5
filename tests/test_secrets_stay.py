"""Values that look secret reach neither store nor log, export or mail: from the tag to the message."""

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from orgscan import catalog
from orgscan.catalog import Catalog
from orgscan.check import Problem, Problems, check
from orgscan.collector import Reader, collector
from orgscan.inventory import Inventory
from orgscan.messages import of_scan
from orgscan.model import Category, Severity, Taggable
from orgscan.plans import PlanStore
from orgscan.report import Reporter
from orgscan.results import Bucketed, Results
from orgscan.session import Clients
from orgscan.settings import Configuration, Route
from orgscan.work import Checkpoints, Worker
from tests.planning import store
from tests.receipts import plan
from tests.scans import HERE
from tests.twins import S3Twin, TableTwin

BUCKET = "results"
TOKEN = "ghp_" + "a1B2" * 9
PASSWORD = "Tr0ub4dor&" + "3xyz"
LOW: dict[str, Any] = {"severity": Severity.LOW, "category": Category.SECURITY, "fix": "-"}


class Fact(Taggable):
    """Something whose collector and check are careless."""

    aws_types = ("AWS::Invented::Fact",)


@collector(Fact, calls=())
def facts(aws: Reader) -> Iterator[Fact]:
    tags = [{"Key": "DbPassword", "Value": PASSWORD}, {"Key": "note", "Value": f"use {TOKEN}"}]
    yield Fact(arn="arn:fact", tags=aws.tags([*tags, {"Key": "Owner", "Value": "ada"}]))
    raise ValueError(f"cannot read {PASSWORD}")


@check(Fact, **LOW)
def fact_told(fact: Fact) -> Problems:
    """Tells what it must not."""
    yield Problem(f"the tags are {fact.tags}", key="a")
    yield Problem(f"it holds {TOKEN}", key="b")
    raise KeyError(PASSWORD)


class Place:
    """A hub, and one scan of one target in it."""

    def __init__(self, checks: Catalog, clients: Any) -> None:
        self.table, self.s3 = TableTwin(), S3Twin(BUCKET)
        self.plan = plan(checks=tuple(checks.ids()), planned=1)
        s3: Any = self.s3
        self.plans, self.results = PlanStore(s3, BUCKET), Results(Bucketed(s3, BUCKET, self.plan.scan))
        self.plans.put(self.plan, [HERE])
        configuration = Configuration(routes=(Route(name="all"),))
        Worker(
            plan=self.plan,
            catalog=checks,
            configuration=configuration,
            store=store(self.table),
            checkpoints=Checkpoints(s3, BUCKET, self.plan.scan),
            enter=lambda _: clients,
            salt="salt",
            inventory=Inventory(s3, BUCKET, self.plan.scan, self.plan.started),
        ).scan(HERE, 0, lambda: 900.0)
        kept = store(self.table)
        reporter = Reporter(kept, self.plans, s3, BUCKET, checks, configuration, lambda: kept)
        reporter.report(self.plan.scan, finished=datetime(2026, 1, 15, 13, tzinfo=UTC))

    def stock(self) -> str:
        """What the inventory says."""
        ((_, body),) = [each for each in self.s3.snapshot().items() if "inventory/" in each[0][1]]
        return gzip.decompress(body).decode()

    def said(self) -> str:
        """Everything that is kept or sent."""
        objects = self.s3.snapshot()
        texts = [gzip.decompress(body) if key.endswith(".gz") else body for (_, key), body in objects.items()]
        return json.dumps([str(self.table.snapshot()), *(text.decode() for text in texts)])


def test_what_looks_secret_is_told_by_rule_and_hash_alone(caplog: pytest.LogCaptureFixture) -> None:
    from tests.test_engine import NOWHERE  # noqa: PLC0415 (whom nobody asks)

    caplog.set_level(logging.DEBUG, logger="orgscan")
    place = Place(Catalog((fact_told,), (facts,)), NOWHERE)
    said = place.said()
    assert [PASSWORD in said, TOKEN in said] == [False, False]
    assert "(hidden: secret-name, sha256 " in said
    assert "(hidden: github-token" in said
    assert '"note":"(hidden: github-token, sha256 ' in place.stock()
    assert '"complete":false,"reason":"fault","detail":"ValueError at ' in place.stock()
    assert "'Owner': 'ada'" in said
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "ValueError at" in logged
    assert "KeyError at" in logged
    assert [PASSWORD in logged, TOKEN in logged] == [False, False]
    (message,) = of_scan(place.results)
    assert [PASSWORD in message.body, TOKEN in message.body] == [False, False]


def test_tags_of_real_answers_are_cleaned_before_they_are_facts(aws: boto3.Session) -> None:
    tags = [{"Key": "DbPassword", "Value": PASSWORD}, {"Key": "Environment", "Value": "production"}]
    aws.client("ec2").create_volume(
        AvailabilityZone="eu-west-1a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )
    checks = catalog.everything().only({"ebs-volume-unencrypted", "tag-required-key-missing"})
    place = Place(checks, Clients(aws, guarded=True))
    said = place.said()
    assert "ebs-volume-unencrypted" in said
    assert "'Environment': 'production'" in said
    assert '"Environment":"production"' in place.stock()
    assert PASSWORD not in said
