"""The deployment's state machine and its executions, as AWS tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.doctor.ask import asked, or_none
from orgscan import session
from orgscan.model import Blindness, Gap
from orgscan.plan import scan_id

if TYPE_CHECKING:
    from orgscan.session import Clients

ONGOING = ("RUNNING", "PENDING_REDRIVE")
GROUPS = "EachGroup"
"""The map of the first round, as the workflow has it."""
SIGN_IN = "sign in, and set AWS_PROFILE and AWS_DEFAULT_REGION to the hub's account and region"


class CannotStart(Exception):
    """Nothing was started. The message, one line, says why, and what to do."""


class LostSight(Exception):
    """The scan goes on, and cannot be looked at. The message, one line, says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    home: Clients
    machine: str
    """Its ARN."""
    bucket: str

    def owns(self, execution: str) -> bool:
        return execution.startswith(self.machine.replace(":stateMachine:", ":execution:") + ":")


@dataclass(frozen=True, slots=True)
class Targets:
    """Of the map that scans them."""

    done: int
    """Failed ones too."""
    failed: int
    """Their workers told nothing: each becomes a gap."""
    total: int
    what: str = "target"
    """Or 'group': in the first round twenty of them are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One scan, at one moment."""

    arn: str
    scan: str
    started: datetime
    status: str
    """Step Functions' word."""
    stopped: datetime | None = None
    error: str = ""
    cause: str = ""
    redrivable: bool = False
    mapping: str = ""
    """The status of the map that scans targets; empty before it."""
    targets: Targets | Gap | None = None
    """None before any is known; a Gap when they may not be looked at."""

    @property
    def ongoing(self) -> bool:
        return self.status in ONGOING

    @property
    def step(self) -> str:
        if isinstance(self.targets, Gap):
            return "running"
        return "planning" if not self.mapping else "scanning" if self.mapping in ONGOING else "reporting"


def deployment(stack: str) -> Deployment:
    """As the outputs of its stack say. Raises CannotStart."""
    home = asked(session.here)
    if isinstance(home, Gap):
        raise CannotStart(refusal(home))
    told = or_none(
        lambda: home.get("cloudformation").describe_stacks(StackName=stack)["Stacks"][0], "ValidationError"
    )
    if isinstance(told, Gap):
        raise CannotStart(refusal(told))
    if told is None:
        where = home.get("cloudformation").meta.region_name
        raise CannotStart(
            f"there is no stack {stack} in {where} of this account: deploy it, name another one "
            f"with --stack, or {SIGN_IN}"
        )
    outputs = {each["OutputKey"]: each["OutputValue"] for each in told.get("Outputs", [])}
    if not {"MachineArn", "BucketName"} <= outputs.keys():
        raise CannotStart(
            f"the stack {stack} is {told['StackStatus']} and has no output MachineArn or BucketName: "
            "deploy it again, or name the hub's stack with --stack"
        )
    return Deployment(home=home, machine=outputs["MachineArn"], bucket=outputs["BucketName"])


def start(hub: Deployment, request: Mapping[str, Any]) -> Execution:
    """Raises CannotStart. The name makes a request that is sent twice start one execution."""
    asking = {"stateMachineArn": hub.machine, "name": str(uuid4()), "input": json.dumps(request)}
    told = asked(lambda: hub.home.get("stepfunctions").start_execution(**asking))
    if isinstance(told, Gap):
        raise CannotStart(refusal(told))
    return _execution(told["executionArn"], told["startDate"], "RUNNING")


def look(hub: Deployment, arn: str) -> Execution:
    """As it is now. Raises LostSight."""
    client = hub.home.get("stepfunctions")
    told = asked(lambda: client.describe_execution(executionArn=arn))
    if isinstance(told, Gap):
        raise LostSight(refusal(told))
    map_ = asked(lambda: _map(client, arn))
    return _execution(
        arn,
        told["startDate"],
        told["status"],
        stopped=told.get("stopDate"),
        error=told.get("error", ""),
        cause=_message(told.get("cause", "")),
        redrivable=told.get("redriveStatus") == "REDRIVABLE",
        mapping="" if isinstance(map_, Gap) else map_[0],
        targets=map_ if isinstance(map_, Gap) else map_[1],
    )


def running(hub: Deployment) -> list[Execution]:
    """Newest first. Raises what a call may raise."""
    pages = hub.home.get("stepfunctions").get_paginator("list_executions")
    told = pages.paginate(stateMachineArn=hub.machine, statusFilter="RUNNING").search("executions[]")
    return [_execution(each["executionArn"], each["startDate"], each["status"]) for each in told]


def summary(hub: Deployment, scan: str) -> Mapping[str, Any] | Gap:
    """What the scan came to."""
    key = f"scans/{scan}/summary.json"
    return asked(lambda: json.load(hub.home.get("s3").get_object(Bucket=hub.bucket, Key=key)["Body"]))


def _execution(arn: str, started: datetime, status: str, **rest: Any) -> Execution:
    started = started.astimezone(UTC)
    scan = scan_id(started, arn.rpartition(":")[2])
    return Execution(arn=arn, scan=scan, started=started, status=status, **rest)


def _map(client: Any, arn: str) -> tuple[str, Targets | None]:
    """The newest map's status, and how far it is."""
    runs = client.list_map_runs(executionArn=arn)["mapRuns"]
    if not runs:
        return "", None
    newest = max(runs, key=lambda each: each["startDate"])
    told = client.describe_map_run(mapRunArn=newest["mapRunArn"])
    counts = told["itemCounts"]
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    what = "group" if f"/{GROUPS}:" in newest["mapRunArn"] else "target"
    return told["status"], Targets(counts["succeeded"] + failed, failed, counts["total"], what)


def _message(cause: str) -> str:
    """What a handler raised, of the JSON that Lambda makes of it; any other cause as it is."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause


def refusal(found: Gap) -> str:
    if found.reason in (Blindness.DENIED, Blindness.DENIED_BY_SCP):
        return f"access denied: {found.detail}: use credentials of the hub's account that may do it"
    return f"AWS does not answer ({found.detail}): {SIGN_IN}"
