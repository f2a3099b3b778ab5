"""Each collector under exactly the policy its declaration generates, in the embedded AWS; and under none."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import boto3
import botocore.session
import pytest

from local import faults
from local.beyond import Beyond
from local.emulator import Emulator
from local.place import Book
from orgscan import catalog, iam
from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Resource, Target
from orgscan.session import Clients
from tests import scans
from tests.laws import gaps_in
from tests.served import EVERYWHERE, LOADER, plant

ACCOUNT = "123456789012"
ASKING = [each for each in catalog.collectors() if each.calls]
COLLECTORS = pytest.mark.parametrize("collector", ASKING, ids=lambda each: each.name)
Read = Callable[[AnyCollector, list[str]], tuple[list[Resource], Gap | None]]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """With every fault: what has no resources needs no permission to read them."""
    book = Book(beyond=Beyond(faults.absent()))
    with Emulator(tmp_path_factory.mktemp("aws"), hub=ACCOUNT, beyond=book.beyond) as emulator:
        plant(book, emulator.client, "us-east-1")
        yield emulator


@pytest.fixture
def read(aws: Emulator, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Run a collector as a role that may do these actions and nothing else."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("HTTP_PROXY", aws.endpoint)  # S3 Control puts the account into the host's name
    role = f"reader-{abs(hash(request.node.name))}"

    def as_reader(collector: AnyCollector, actions: list[str]) -> tuple[list[Resource], Gap | None]:
        allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
        admin = aws.client("iam", ACCOUNT)
        admin.create_role(
            RoleName=role,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        admin.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=policy)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        keys = aws.client("sts", ACCOUNT).assume_role(RoleArn=arn, RoleSessionName="read")["Credentials"]
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        session = boto3.Session(
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            region_name="us-east-1",
            botocore_session=core,
        )
        target = EVERYWHERE if collector.once else Target(ACCOUNT, "us-east-1")
        # What is planted is so many days from today.
        return scans.read(Clients(session, guarded=True), target, collector, datetime.now(UTC))

    return as_reader


@COLLECTORS
def test_the_generated_policy_is_enough(collector: AnyCollector, read: Read) -> None:
    resources, gap = read(collector, sorted({iam.action(call) for call in collector.calls}))
    assert gap is None
    assert [gap for resource in resources for gap in gaps_in(resource)] == []


@pytest.mark.parametrize(
    ("collector", "missing"),
    [
        pytest.param(collector, iam.action(call), id=f"{collector.name} without {iam.action(call)}")
        for collector in ASKING
        for call in sorted(collector.calls)
    ],
)
def test_every_action_is_needed_and_named_when_it_is_missing(
    collector: AnyCollector, missing: str, read: Read
) -> None:
    allowed = {iam.action(call) for call in collector.calls} - {missing}
    resources, gap = read(collector, sorted(allowed) or ["sts:GetCallerIdentity"])
    told = [gap] if gap else [gap for each in resources for gap in gaps_in(each)]
    assert {(gap.reason, gap.detail) for gap in told} == {(Blindness.DENIED, missing)}
