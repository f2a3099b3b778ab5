"""Every test runs against a simulated AWS, and none can reach the real one but those marked as live."""

import fcntl
import gc
import os
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader
from hypothesis import settings
from moto import mock_aws

from local import haste
from orgscan.model import GLOBAL, Target
from orgscan.once import classes_once
from orgscan.parsers import Parsers
from orgscan.session import Clients
from tests.stacks import Assembly, Template, synthesized

ACCOUNT = "123456789012"
LOADER = Loader()
"""Reading the models of services is the dear part of a client: all sessions share what is read."""
# How long an example takes says something of the machine and nothing of the code.
settings.register_profile("orgscan", deadline=None)
settings.load_profile("orgscan")
classes_once()
# What a run of all tests loads and keeps are millions of objects; by default, looking for circles among them
# again and again takes a third of its time.
gc.set_threshold(50_000, 20, 100)


LONGEST = (
    "test_end_to_end",
    "test_fault_matrix_scans",
    "test_fault_matrix",
    "test_model",
    "test_html_browser",
    "test_scan_cli",
    "test_least_privilege",
    "test_fuzz_answers",
    "test_make_scan",
    "test_work",
    "test_served",
    "test_local",
    "test_redrive",
)
"""Files that take long begin first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))
    gc.freeze()  # modules and tests stay to the end


@pytest.fixture(scope="session", autouse=True)
def in_haste() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        haste.install(patch)
        yield


@pytest.fixture(autouse=True)
def no_real_aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("live"):
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        core.register_component("response_parser_factory", Parsers())
        yield boto3.Session(region_name="eu-west-1", botocore_session=core)


@pytest.fixture
def clients(aws: boto3.Session) -> Clients:
    """Guarded, as a member account's are: only what a collector declared gets through."""
    return Clients(aws, guarded=True)


@pytest.fixture
def target() -> Target:
    return Target(ACCOUNT, "eu-west-1")


@pytest.fixture
def everywhere() -> Target:
    """The account's global target."""
    return Target(ACCOUNT, GLOBAL)


@pytest.fixture
def table(aws: boto3.Session) -> Any:
    """As the stack makes it; test_hub_stack holds the two together."""
    return aws.resource("dynamodb").create_table(
        TableName="findings",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "listed", "listed_sk")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [
                    {"AttributeName": "listed", "KeyType": "HASH"},
                    {"AttributeName": "listed_sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Of all workers of xdist together: whoever comes first synthesizes, the others wait and read."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "synth"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            synthesized(shared)
            (shared / "done").touch()
    return Assembly(shared / "cdk.out")


@pytest.fixture(scope="session")
def hub(assembly: Assembly) -> Template:
    return assembly.template("OrgscanHub")


@pytest.fixture(scope="session")
def member(assembly: Assembly) -> Template:
    return assembly.template("OrgscanMember")
