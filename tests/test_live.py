"""A hub that is deployed in a sandbox of AWS: what no embedded one can prove. Off by default; costs cents.

    export AWS_PROFILE=hub AWS_DEFAULT_REGION=eu-west-1     # the hub's account and region
    ORGSCAN_LIVE=orgscan.yaml python -m pytest -q -m live tests/test_live.py

`ORGSCAN_LIVE` is the configuration that the hub was deployed with. It starts two scans and mails nobody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import boto3
import pytest

from infra import ROOT

CONFIG = os.environ.get("ORGSCAN_LIVE", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not CONFIG, reason="needs a deployed hub, and ORGSCAN_LIVE"),
]
STOPPED = 3
"""Exit code of a scan that somebody stopped."""


def orgscan(*arguments: str) -> tuple[int, Any]:
    """Exit code, and what it told in JSON."""
    done = subprocess.run(  # noqa: S603 (our own interpreter, our own command)
        [sys.executable, "-m", "cli", *arguments, "--config", CONFIG, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def scanned() -> Any:
    code, told = orgscan("start", "--no-notify")
    assert told["status"] == "SUCCEEDED", told
    assert code in (0, 1)
    return told


def test_nothing_stands_in_the_way() -> None:
    code, told = orgscan("doctor", "--deployed")
    assert [each for each in told["problems"] if each["severity"] != "note"] == []
    assert code == 0


def test_the_role_may_all_that_checks_ask_for(scanned: Any) -> None:
    """And every code with which AWS refuses has its reason: `fault` is what nobody foresaw."""
    gaps = scanned["summary"]["gaps"]
    assert [each for each in gaps if each["reason"] in ("denied", "fault")] == []


def test_no_worker_was_lost(scanned: Any) -> None:
    targets = scanned["targets"]
    assert (targets["done"], targets["failed"]) == (targets["total"], 0)


def test_step_functions_may_write_what_became_of_the_targets(scanned: Any) -> None:
    machine = scanned["execution"].replace(":execution:", ":stateMachine:").rpartition(":")[0]
    told = boto3.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    definition = json.loads(told["definition"])
    written = definition["States"]["EachTarget"]["ResultWriter"]["Parameters"]
    listed = boto3.client("s3").list_objects_v2(Bucket=written["Bucket"], Prefix=written["Prefix"])
    assert any(each["Key"].endswith("manifest.json") for each in listed.get("Contents", []))


def test_a_scan_that_was_stopped_and_redriven_is_the_same_scan() -> None:
    """`$$.Execution.StartTime`, of which its id is made, must stay what it was."""
    workflow = boto3.client("stepfunctions")
    _, begun = orgscan("start", "--no-notify", "--no-wait")
    workflow.stop_execution(executionArn=begun["execution"])
    assert orgscan("start", "--follow", begun["execution"])[0] == STOPPED
    workflow.redrive_execution(executionArn=begun["execution"])
    code, told = orgscan("start", "--follow", begun["execution"])
    assert (told["status"], told["scan"]) == ("SUCCEEDED", begun["scan"])
    assert told["summary"]["scan"] == begun["scan"]
    assert code in (0, 1)
