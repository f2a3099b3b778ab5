"""The handlers in this process: what they answer, log and measure."""

import importlib.util
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from types import ModuleType
from typing import Any

import boto3
import pytest

from infra import ROOT
from local import dynamodb
from orgscan import session
from orgscan.meter import Meter
from orgscan.session import Clients
from orgscan.settings import NAMESPACE, Configuration, Route, Scope
from orgscan.store import FindingStore
from tests.conftest import ACCOUNT

REGIONS = ("eu-west-1", "eu-west-2")
CHECKS = ("ebs-volume-unattached", "ec2-eip-unassociated")
Line = Mapping[str, Any]


class Context:
    """Of an invocation; each time it is asked, two seconds have passed."""

    function_name = "orgscan-worker"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:invented"
    aws_request_id = "8f14e45f-ceea-467f-a0e6-7a5b1f7c0c55"
    left = 900_000

    def get_remaining_time_in_millis(self) -> int:
        self.left -= 2_000
        return self.left


@dataclass
class Handlers:
    """`configuration` is the file beside them."""

    patch: pytest.MonkeyPatch
    output: pytest.CaptureFixture[str]
    configuration: Configuration = field(default_factory=Configuration)
    lines: list[Line] = field(default_factory=list)
    """Logged by all of them, oldest first."""
    metrics: list[Line] = field(default_factory=list)
    """In CloudWatch's embedded format."""

    def __post_init__(self) -> None:
        told = {
            NAMESPACE: "acme",
            "TABLE": "findings",
            "BUCKET": "results",
            "MEMBER_ROLE": "orgscan-member",
            "EXTERNAL_ID": "x-1",
            "SALT": "salt",
            "LINK_ROLE": "",
            "TOPIC": "arn:aws:sns:eu-west-1:123456789012:findings",
            "NAME": "orgscan",
        }
        for name, value in told.items():
            self.patch.setenv(name, value)
        self.patch.setattr(Configuration, "beside", lambda _: self.configuration)

    def invoke(self, name: str, /, **event: Any) -> Any:
        handler = self._module(name)
        log = io.StringIO()
        handler.logger.registered_handler.setStream(log)
        self.output.readouterr()
        try:
            return handler.handler(json.loads(json.dumps(event)), Context())
        finally:
            self.lines += map(json.loads, log.getvalue().splitlines())
            self.metrics += map(json.loads, self.output.readouterr().out.splitlines())

    def measured(self, since: int = 0) -> Iterator[tuple[str, frozenset[tuple[str, str]], str, float]]:
        """Name, dimensions, unit and value of each metric; all of them in the deployment's namespace."""
        for line in self.metrics[since:]:
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "acme"
            for dimensions in directive["Dimensions"]:
                where = frozenset((each, line[each]) for each in dimensions)
                for metric in directive["Metrics"]:
                    (value,) = line[metric["Name"]]
                    yield metric["Name"], where, metric["Unit"], value

    @staticmethod
    def _module(name: str) -> ModuleType:
        """A cold start."""
        spec = importlib.util.spec_from_file_location(f"handler_{name}", ROOT / "functions" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def ready(
    aws: boto3.Session, table: Any, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
) -> Handlers:
    """With a bucket and a table; one account without an organization, two schedules."""
    dynamodb.install(patch)  # Report has threads, which moto does not expect
    location: Any = {"LocationConstraint": "eu-west-1"}
    aws.client("s3").create_bucket(Bucket="results", CreateBucketConfiguration=location)
    assert table.name == "findings"
    record, one_at_a_time = FindingStore.record, Lock()

    def patient(*told: Any, **how: Any) -> Any:
        """For a report's threads: moto, unlike DynamoDB, cannot serve two at a time."""
        with one_at_a_time:
            return record(*told, **how)

    patch.setattr(FindingStore, "record", patient)
    scope = Scope(organization=False, accounts=(ACCOUNT,), regions=REGIONS)
    configuration = Configuration(scope=scope, schedules=("daily", "weekly"), routes=(Route(name="all"),))
    return Handlers(patch, output, configuration)


def scan(
    functions: Handlers, day: int = 15, *, dead: Collection[str] = (), schedule: str = "daily"
) -> dict[str, float]:
    """Plan, every target but those in the `dead` regions, report. Returns the last report's metrics."""
    request: dict[str, Any] = {"checks": CHECKS, **({"schedule": schedule} if schedule else {})}
    started = f"2026-01-{day}T06:00:00.123Z"
    plan = functions.invoke("plan", request=request, started=started, execution=f"{day}444444-ceea")
    for target in (each for group in listed(plan) for each in group["targets"]):
        if target["region"] not in dead:
            functions.invoke("scan", scan=plan["scan"], target=target, part=0, **in_first_round())
    before = len(functions.metrics)
    answer = functions.invoke("report", scan=plan["scan"], last=plan["last"])
    if not answer["done"]:
        assert {target["region"] for target in listed(answer)} == {*dead}
        assert answer["left"] == len(listed(answer))
        before = len(functions.metrics)
        functions.invoke("report", scan=plan["scan"], last=answer["last"])
    return {name: value for name, _, _, value in functions.measured(before)}


def listed(answer: Mapping[str, Any]) -> Any:
    """What the workflow reads of a list whose key a handler has answered."""
    return json.load(boto3.client("s3").get_object(Bucket="results", Key=answer["targets"])["Body"])


def in_first_round(seconds: float = 270) -> dict[str, Any]:
    """What the workflow tells a worker there, whose group has just begun."""
    return {"entered": datetime.now(UTC).isoformat().replace("+00:00", "Z"), "seconds": seconds}


def inside(functions: Handlers, then: Callable[[Clients, Meter], None]) -> None:
    """Something happens to the clients of an account when a worker has entered it."""
    enter = session.assume

    def assume(*told: Any, meter: Meter | None = None, **how: Any) -> Clients:
        clients = enter(*told, meter=meter, **how)
        if meter:
            then(clients, meter)
        return clients

    functions.patch.setattr(session, "assume", assume)
