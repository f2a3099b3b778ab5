"""An AWS in a process of its own, which answers what was recorded, after a given latency.

    with serving(path_of(), certificate=..., latency_ms=40) as aws:
        ...                         # clients of another process dial aws.port, see benchmarks/dial.py
        aws.told()["member_calls"]

Member accounts answer what `recording` holds, byte for byte, and nothing else: an unknown request is refused,
counted, and printed. The hub's services (STS, the table, the bucket) work. Latency limits no concurrency.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from benchmarks.http_wire import Request, Wire, written
from benchmarks.recording import Answer, Recording, read
from benchmarks.request import Key, key
from benchmarks.tls import served
from benchmarks.wire_table import WireTable

SIGNED = re.compile(rb"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
MEMBER = re.compile(r"ASIA(\d{12})")
ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/")
GRANTED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>\
<AssumedRoleUser><Arn>arn:x:sts::{account}:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId>\
</AssumedRoleUser><Credentials><AccessKeyId>ASIA{account}{number:06}</AccessKeyId>\
<SecretAccessKey>secret</SecretAccessKey><SessionToken>{token}</SessionToken>\
<Expiration>2036-01-15T07:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
TOKEN = "t" * 600
"""As long as those of STS."""
UNRECORDED = 501
"""What nobody recorded is answered with, which no client tries again."""
REFUSAL = b'{"__type": "NobodyRecorded", "message": "nobody recorded this"}'


@dataclass
class Told:
    """What was asked so far."""

    member: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By account, region and operation."""
    hub: Counter[str] = field(default_factory=Counter)
    of_account: Counter[Key] = field(default_factory=Counter)
    of_target: Counter[tuple[str, Key]] = field(default_factory=Counter)
    """By access key: each target has its own, since it enters its account anew."""
    unknown: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    first: float = 0.0
    """When the first request came, by the clock that all processes share."""
    first_member: float = 0.0
    log: list[tuple[str, bytes]] = field(default_factory=list)
    """Access key, and the request as it came; if it is kept."""

    def to_json(self) -> str:
        calls: Counter[str] = Counter()
        accounts: dict[str, Counter[str]] = defaultdict(Counter)
        for (account, region, call), times in self.member.items():
            calls[call] += times
            accounts[account][region] += times
        again = Counter(
            {asked: times - 1 for asked, times in self.of_target.items() if times > 1}
        ).most_common(10)
        return json.dumps(
            {
                "member_calls": self.member.total(),
                "hub_calls": self.hub.total(),
                "connections": self.connections,
                "first": self.first,
                "first_member": self.first_member,
                "same_in_target": sum(times - 1 for times in self.of_target.values()),
                "same_in_account": sum(times - 1 for times in self.of_account.values()),
                "unknown": self.unknown.total(),
                "by_operation": dict(calls.most_common()),
                "by_account": accounts,
                "hub": dict(self.hub.most_common()),
                "unknown_requests": dict(self.unknown.most_common(20)),
                "again": [f"{asked[2:]} {times}" for (_, asked), times in again],
            }
        )


class ServedAws:
    """Answers requests; knows nothing of sockets and of time."""

    def __init__(self, recording: Recording, *, keep: bool = False) -> None:
        """`keep`: what is asked, to ask it again."""
        self._recording = recording
        self._keep = keep
        self._accounts = {each["account"] for each in recording.targets}
        self._wires = {asked: _wire(answer) for asked, answer in recording.answers.items()}
        self.told = Told()
        self.start_over()

    def start_over(self) -> None:
        """An empty table, a bucket with the plan alone, and nothing asked."""
        self.told = Told()
        self._table = WireTable(Path(":memory:"))
        self._bucket = {f"/scans/{self._recording.scan}/plan.json": self._recording.plan}
        self._granted = 0

    def answer(self, request: Request) -> bytes:
        """What goes back over the wire."""
        signed = SIGNED.search(request.header(b"authorization"))
        if signed is None:
            return self._refused("unsigned", request)
        access_key, region, service = (each.decode() for each in signed.groups())
        self.told.first = self.told.first or time.monotonic()
        if self._keep:
            self.told.log.append((access_key, request.raw))
        member = MEMBER.match(access_key)
        if member is None:
            return self._hub(service, request)
        return self._member(access_key, member[1], region, service, request)

    def _member(self, access_key: str, account: str, region: str, service: str, request: Request) -> bytes:
        asked = key(
            account=account,
            region=region,
            service=service,
            method=request.method,
            host=request.header(b"host").decode(),
            target=request.target,
            operation=request.header(b"x-amz-target").decode(),
            body=request.body,
        )
        wire = self._wires.get(asked)
        if wire is None:
            return self._refused(f"{account} {region} {service}", request)
        told = self.told
        told.first_member = told.first_member or time.monotonic()
        told.member[account, region, self._recording.answers[asked].call] += 1
        told.of_account[asked] += 1
        told.of_target[access_key, asked] += 1
        return wire

    def _refused(self, who: str, request: Request) -> bytes:
        operation = request.header(b"x-amz-target").decode()
        said = f"{who} {request.method} {request.target} {operation} {request.body[:600]!r}"
        if not self.told.unknown[said]:
            sys.stderr.write(f"nobody recorded {said}\n")
        self.told.unknown[said] += 1
        return written(UNRECORDED, REFUSAL)

    def _hub(self, service: str, request: Request) -> bytes:
        match service:
            case "sts":
                return self._assume_role(request)
            case "dynamodb":
                operation = request.header(b"x-amz-target").decode().rpartition(".")[2]
                self.told.hub[f"dynamodb:{operation}"] += 1
                status, text = self._table.answer(operation, json.loads(request.body))
                return written(status, text.encode(), (("Content-Type", "application/x-amz-json-1.0"),))
            case "s3" if request.method in ("GET", "PUT"):
                return self._object(request)
            case _:
                return self._refused(f"hub {service}", request)

    def _assume_role(self, request: Request) -> bytes:
        asked = parse_qs(request.body.decode())
        account = ROLE.match(asked.get("RoleArn", [""])[0])
        if asked["Action"] != ["AssumeRole"] or account is None or account[1] not in self._accounts:
            return self._refused("hub sts", request)
        self.told.hub["sts:AssumeRole"] += 1
        self._granted += 1
        text = GRANTED.format(account=account[1], number=self._granted, token=TOKEN)
        return written(200, text.encode(), (("Content-Type", "text/xml"),))

    def _object(self, request: Request) -> bytes:
        """Of the one bucket there is, which the host names."""
        path = request.target.partition("?")[0]
        if request.method == "PUT":
            self.told.hub["s3:PutObject"] += 1
            self._bucket[path] = request.body
            return written(200, b"", (("ETag", '"1"'),))
        self.told.hub["s3:GetObject"] += 1
        found = self._bucket.get(path)
        if found is None:
            return written(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        return written(200, found, (("ETag", '"1"'),))

    def control(self, request: Request) -> bytes:
        """What is asked of the server itself."""
        match request.target:
            case "/told":
                return written(200, self.told.to_json().encode())
            case "/log":
                requests = [[who, raw.decode("latin-1")] for who, raw in self.told.log]
                return written(200, json.dumps(requests).encode())
            case "/start-over":
                self.start_over()
                return written(200, b"{}")
            case _:
                return written(404, b"{}")


def _wire(answer: Answer) -> bytes:
    return written(answer.status, answer.body, answer.headers)


@dataclass(frozen=True, slots=True)
class Served:
    """The server, seen from another process. `control` is a port for itself, without TLS and latency."""

    port: int
    control: int
    certificate: str
    """File of it; empty: `port` is without TLS."""

    def told(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = json.loads(self._ask("told"))
        return told

    def log(self) -> list[tuple[str, bytes]]:
        return [(who, raw.encode("latin-1")) for who, raw in json.loads(self._ask("log"))]

    def start_over(self) -> None:
        self._ask("start-over")

    def _ask(self, what: str) -> bytes:
        with closing(HTTPConnection("127.0.0.1", self.control)) as connection:
            connection.request("GET", f"/{what}")
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"the served AWS answers {answer.status} to {what}")
            return answer.read()


@contextmanager
def serving(
    recording: Path, *, certificate: str = "", latency_ms: float = 0, keep: bool = False, quiet: bool = False
) -> Iterator[Served]:
    """A fresh one, in a process of its own, until the end of the block.

    `quiet`: what is unknown is counted and not printed.
    """
    command = [sys.executable, "-m", "benchmarks.served_aws", str(recording), "--latency", str(latency_ms)]
    command += ["--certificate", certificate]
    with subprocess.Popen(  # noqa: S603 (ourselves)
        [*command, *(("--keep",) if keep else ())],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
        cwd=Path(__file__).parents[1],
        env=os.environ,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (a pipe)
            port, control = map(int, process.stdout.readline().split())
            yield Served(port, control, certificate)
        finally:
            process.terminate()


async def _serve(aws: ServedAws, latency_s: float, certificate: str) -> None:
    loop = asyncio.get_running_loop()

    def connected() -> Wire:
        aws.told.connections += 1
        return Wire(aws.answer, latency_s)

    tls = served(certificate)
    server = await loop.create_server(connected, "127.0.0.1", 0, backlog=1024, ssl=tls)
    control = await loop.create_server(lambda: Wire(aws.control, 0), "127.0.0.1", 0)
    ports = (each.sockets[0].getsockname()[1] for each in (server, control))
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served_aws")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--latency", type=float, default=40, help="milliseconds before each answer")
    parser.add_argument("--certificate", default="", help="of TLS, with its key; none: no TLS")
    parser.add_argument("--keep", action="store_true", help="requests, so that they can be asked for")
    told = parser.parse_args()
    aws = ServedAws(read(told.recording), keep=told.keep)
    asyncio.run(_serve(aws, told.latency / 1000, told.certificate))


if __name__ == "__main__":
    main()
