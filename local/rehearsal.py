"""A rehearsal: the synthesized stack, deployed into the embedded AWS, scanning the invented organization.

with Rehearsal(workdir, Organization()) as rehearsal:
    rehearsal.prepare(say=print)
    first = rehearsal.scan()
    rehearsal.organization.change(rehearsal.aws.client)
    second = rehearsal.scan()
"""

import gzip
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from moto.awslambda.models import lambda_backends

from local.emulator import Emulator
from local.events import Event
from local.faults.tagging import parameters
from local.organization import Organization
from local.sns import Mail, Published

ROOT = Path(__file__).parents[1]
RECIPIENT = "platform@acme.example"
ACCEPTED = "tag-required-key-missing"
"""The check whose findings one account has accepted for some days."""
HUB = "OrgscanHub"
POLL_S = 0.5

_DYING = """

import os, signal
_handler = handler


def handler(event, context):
    if {when}:
        os.kill(os.getpid(), signal.SIGKILL)
    return _handler(event, context)
"""


class SynthFailed(Exception):
    """CDK could not synthesize the stacks; the text is what it said."""


@dataclass(frozen=True)
class Progress:
    """Where a running scan is."""

    planned: int
    done: int
    findings: int


@dataclass(frozen=True)
class Scan:
    """One finished execution, and what it left behind."""

    status: str
    error: str
    cause: str
    id: str
    summary: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]
    """Everything open in the organization, worst first."""
    mail: tuple[Mail, ...]
    """Sent by this scan."""
    published: tuple[Published, ...] = ()
    """The same, and what other channels than e-mail got."""
    events: tuple[Event, ...] = ()
    """That buses took."""


class Rehearsal:
    def __init__(
        self,
        workdir: Path,
        organization: Organization,
        *,
        port: int | None = None,
        configured: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`configured`: more of orgscan.yaml."""
        self.organization = organization
        self._configured = configured
        self._workdir = workdir
        self._port = port
        self._stack = ExitStack()
        self.outputs: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.aws = self._stack.enter_context(
            Emulator(
                self._workdir,
                hub=self.organization.hub,
                port=self._port,
                opt_in_regions=self.organization.opt_in_regions,
                beyond=self.organization.beyond,
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def prepare(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Synthesize, invent, deploy. Raises SynthFailed, DeployFailed."""
        with ThreadPoolExecutor(1) as other:
            say("synthesizing the stacks, inventing the organization")
            self.organization.found(self.aws.client)
            assembly = other.submit(self._synthesize)
            self.organization.plant(self.aws.client)
            out = assembly.result()
        say(f"deploying {HUB}, and the role into {len(self.organization.members)} accounts")
        self.outputs = self.aws.deploy(out, HUB)
        self.organization.adopt(self.aws.client)
        self._request = _schedules(out)

    def scan(
        self,
        request: Mapping[str, Any] | None = None,
        *,
        watch: Callable[[Progress], None] | None = None,
    ) -> Scan:
        """One execution, started as the schedule would, or with a request of one's own."""
        sent, published, events = len(self.aws.mail), len(self.aws.published), len(self.aws.events)
        workflow = self.aws.client("stepfunctions")
        told = self._request if request is None else request
        execution = workflow.start_execution(
            stateMachineArn=self.outputs["MachineArn"], input=json.dumps(told)
        )
        while (now := workflow.describe_execution(executionArn=execution["executionArn"]))[
            "status"
        ] == "RUNNING":
            if watch:
                watch(self._progress(now["name"]))
            time.sleep(POLL_S)
        if watch:
            watch(self._progress(now["name"]))
        scan = self._scan_id(now["name"])
        return Scan(
            status=now["status"],
            error=now.get("error", ""),
            cause=_sentence(now.get("cause", "")),
            id=scan,
            summary=self._result(scan, "summary.json") or {},
            findings=tuple(self._findings(scan)),
            mail=tuple(self.aws.mail[sent:]),
            published=tuple(self.aws.published[published:]),
            events=tuple(self.aws.events[events:]),
        )

    def inventory(self, scan: Scan) -> Iterator[Mapping[str, Any]]:
        """The records of all targets."""
        pages = self.aws.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.outputs["BucketName"], Prefix="inventory/"):
            for each in page.get("Contents", []):
                if each["Key"].endswith(f"/{scan.id}.jsonl.gz"):
                    lines = gzip.decompress(self.kept(each["Key"])).splitlines()
                    yield from map(json.loads, lines)

    def keep(self, scan: Scan, folder: Path) -> Path:
        """The scan's folder as it lies in the bucket, and what its readers got."""
        place = folder / scan.id
        place.mkdir(parents=True, exist_ok=True)
        for name, body in self.files(scan):
            (place / name).write_bytes(body)
        mails = (f"To: {mail.to}\nSubject: {mail.subject}\n\n{mail.body}" for mail in scan.mail)
        if told := "\n\n".join(mails):
            (place / "mail.txt").write_text(told)
        for each in scan.published:
            if each.subject is None:  # no mail, but JSON for a channel that its topic names
                told = json.dumps(json.loads(each.body), indent=1)
                (place / f"{each.topic}.json").write_text(told)
        return place

    def files(self, scan: Scan) -> Iterator[tuple[str, bytes]]:
        """Name and content of everything in its folder."""
        prefix = f"scans/{scan.id}/"
        pages = self.aws.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.outputs["BucketName"], Prefix=prefix):
            for each in page["Contents"]:
                yield each["Key"].removeprefix(prefix), self.kept(each["Key"])

    def _synthesize(self) -> Path:
        """In a process of its own, as `cdk synth` would run it."""
        out = self._workdir / "cdk.out"
        context = {"config": str(self._configuration())}
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(context)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SynthFailed((done.stderr or done.stdout).strip())
        return out

    def _configuration(self) -> Path:
        """What the invented organization would write into its orgscan.yaml; JSON is YAML."""
        told = {
            "regions": list(self.organization.regions),
            "role": {"organization_id": self.organization.id},
            "deployment": {"ous": self.organization.guarded, "path": "/audit/"},
            "schedules": [{"name": "daily", "expression": "cron(0 6 * * ? *)", "timezone": "Europe/Berlin"}],
            "checks": {"parameters": parameters(each.id for each in self.organization.accounts)},
            "routes": [{"name": "platform", "emails": [RECIPIENT], "chat": True, "machine": True}],
            "events": {"scans": True, "findings": True},
            "suppressions": [
                {
                    "check": ACCEPTED,
                    "account": self.organization.members[-1].id,
                    "reason": "tagged when the account moves to the landing zone",
                    "owner": RECIPIENT,
                    "expires": f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}",
                }
            ],
            **self._configured,
        }
        path = self._workdir / "orgscan.yaml"
        path.write_text(json.dumps(told, indent=1))
        return path

    def _progress(self, execution: str) -> Progress:
        scan = self._scan_id(execution)
        if not scan:
            return Progress(0, 0, 0)
        plan = self._result(scan, "plan.json") or {"planned": 0}
        receipts = list(self.receipts(scan))
        findings = sum(int(count) for each in receipts for count in each["open"].values())
        return Progress(plan["planned"], len(receipts), findings)

    def _scan_id(self, execution: str) -> str:
        """A scan is named after its execution, once it is planned."""
        s3 = self.aws.client("s3")
        listed = s3.list_objects_v2(Bucket=self.outputs["BucketName"], Prefix="scans/", Delimiter="/")
        names = [each["Prefix"].split("/")[1] for each in listed.get("CommonPrefixes", [])]
        return next((name for name in names if name.endswith(execution[:8])), "")

    def receipts(self, scan: str) -> Iterator[Mapping[str, Any]]:
        for shard in ("", "#1", "#2", "#3"):
            yield from self._items(
                "query",
                KeyConditionExpression="pk = :scan AND begins_with(sk, :target)",
                ExpressionAttributeValues={":scan": f"SCAN#{scan}{shard}", ":target": "TARGET#"},
            )

    def targets(self, scan: str) -> Sequence[Mapping[str, Any]]:
        """What it planned."""
        told: Sequence[Mapping[str, Any]] = self._result(scan, "targets.json")
        return told

    def rows(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """What the table holds under the partitions that begin so."""
        return self._items(
            "scan",
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": prefix},
        )

    def _items(self, operation: str, **how: Any) -> Iterator[Mapping[str, Any]]:
        table = self.aws.session(self.organization.hub).resource("dynamodb", endpoint_url=self.aws.endpoint)
        client: Any = table.meta.client
        for page in client.get_paginator(operation).paginate(TableName=self.outputs["TableName"], **how):
            yield from page["Items"]

    @contextmanager
    def dying(self, function: str, *, when: str) -> Iterator[None]:
        """Its workers kill themselves for the events that an expression over `event` is true of."""
        with self.altered(function, _DYING.format(when=when)):
            yield

    @contextmanager
    def altered(self, function: str, code: str) -> Iterator[None]:
        """Its handlers' module ends with this code."""
        lambda_ = self.aws.client("lambda")
        pages = lambda_.get_paginator("list_functions").paginate()
        functions = [each for page in pages for each in page["Functions"]]
        (name,) = [each["FunctionName"] for each in functions if each["Handler"] == f"{function}.handler"]
        backend = lambda_backends[self.organization.hub][lambda_.meta.region_name]
        before = backend.get_function(name).code_bytes
        lambda_.update_function_code(FunctionName=name, ZipFile=_altered(before, function, code))
        try:
            yield
        finally:
            lambda_.update_function_code(FunctionName=name, ZipFile=before)

    def _result(self, scan: str, name: str) -> Any:
        body = self.kept(f"scans/{scan}/{name}")
        return json.loads(body) if body else None

    def _findings(self, scan: str) -> Iterator[Mapping[str, Any]]:
        body = self.kept(f"scans/{scan}/findings.jsonl.gz")
        return (json.loads(line) for line in gzip.decompress(body).splitlines())

    def kept(self, key: str) -> bytes:
        """Empty when there is none: a scan that could not be planned leaves nothing."""
        s3 = self.aws.client("s3")
        try:
            body: bytes = s3.get_object(Bucket=self.outputs["BucketName"], Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return b""
        return body


def _sentence(cause: str) -> str:
    """What the handler said, out of what Lambda makes of it."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


def _altered(code: bytes, function: str, end: str) -> bytes:
    """The function's code, with something at the end of its module."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            body = before.read(name)
            if name == f"{function}.py":
                body += end.encode()
            after.writestr(name, body)
    return changed.getvalue()


def _schedules(assembly: Path) -> Mapping[str, Any]:
    """The input of the first schedule in the template: what EventBridge would start the workflow with."""
    template = json.loads((assembly / f"{HUB}.template.json").read_text())
    schedules = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::Scheduler::Schedule"
    ]
    request: Mapping[str, Any] = json.loads(schedules[0]["Properties"]["Target"]["Input"])
    return request
