"""AWS at the wire: what clients would send, botocore's way and the short one, is answered in this process.

So a function does all that it does in AWS: its requests are signed, the answers parsed. Only the network is
missing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from benchmarks.fleet import Raw
from benchmarks.wire_table import WireTable
from orgscan.wire import Answer
from orgscan.wire import Wire as Connections

PAGE = 20
"""Accounts of an answer of Organizations."""
# fmt: off
REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)
# fmt: on
"""Those that need no opting in."""
OPT_IN = 17
"""Further regions, which nobody has opted in to."""
KEYS = (
    "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
    "<SessionToken>token</SessionToken><Expiration>2036-01-15T07:00:00Z</Expiration>"
)


def account(number: int) -> str:
    return f"{100_000_000_000 + number}"


class Wire:
    """`accounts` of an organization with `regions` each; table and bucket are files in `folder`."""

    def __init__(self, folder: Path, accounts: int, regions: int) -> None:
        self._accounts = accounts
        self._regions = REGIONS[:regions]
        self._bucket = folder
        self.table = WireTable(folder / "table")
        self.asked: Counter[str] = Counter()
        """Requests by operation."""

    def connect(self) -> None:
        """Whatever this process sends from now on is answered here."""

        def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
            return self._answer(request)

        def ask(_self: Connections, written: bytes) -> Answer:
            head, _, body = written.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            headers = HTTPHeaders()
            for line in lines:
                headers.add_header(*line.split(": ", 1))
            url = f"https://{headers['Host']}{path}"
            there = AWSPreparedRequest(method, url, headers, body, stream_output=False)
            answer = self._answer(there)
            return Answer(answer.status_code, HeadersDict(answer.headers), answer.content)

        setattr(URLLib3Session, "send", send)  # noqa: B010 (mypy does not want a method to change)
        setattr(Connections, "ask", ask)  # noqa: B010

    def _answer(self, request: AWSPreparedRequest) -> AWSResponse:
        host = urlsplit(request.url).hostname or ""
        service = next(each for each in host.split(".") if each in self._services)
        return self._services[service](self, request)

    def _sts(self, request: AWSPreparedRequest) -> AWSResponse:
        self.asked["AssumeRole"] += 1
        result = f"<AssumeRoleResult><Credentials>{KEYS}</Credentials></AssumeRoleResult>"
        return _said(request, f"<AssumeRoleResponse>{result}</AssumeRoleResponse>")

    def _ec2(self, request: AWSPreparedRequest) -> AWSResponse:
        self.asked[parse_qs(_text(request))["Action"][0]] += 1
        told = {
            **dict.fromkeys(self._regions, "opt-in-not-required"),
            **{f"xx-optin-{number}": "not-opted-in" for number in range(OPT_IN)},
        }
        rows = "".join(
            f"<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus></item>"
            for name, status in told.items()
        )
        answer = f"<regionInfo>{rows}</regionInfo>"
        return _said(request, f"<DescribeRegionsResponse>{answer}</DescribeRegionsResponse>")

    def _organizations(self, request: AWSPreparedRequest) -> AWSResponse:
        self.asked["ListAccounts"] += 1
        first = int(json.loads(_text(request)).get("NextToken", 0))
        last = min(first + PAGE, self._accounts)
        listed = [
            {
                "Id": account(number),
                "Name": f"acme-{account(number)}",
                "Arn": f"arn:aws:organizations::{account(0)}:account/o-a1b2c3d4e5/{account(number)}",
                "State": "ACTIVE",
            }
            for number in range(first, last)
        ]
        more = {"NextToken": str(last)} if last < self._accounts else {}
        return _said(request, json.dumps({"Accounts": listed, **more}))

    def _dynamodb(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = _header(request, "X-Amz-Target").rpartition(".")[2]
        self.asked[operation] += 1
        status, answer = self.table.answer(operation, json.loads(_text(request)))
        return _said(request, answer, status)

    def _s3(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = {"PUT": "PutObject", "GET": "GetObject"}[request.method]
        self.asked[operation] += 1
        path = self._bucket / urlsplit(request.url).path.rpartition("scans/")[2].replace("/", "-")
        if operation == "PutObject":
            with path.open("wb") as file:
                file.writelines(_sent(request))
            return _said(request, "")
        return AWSResponse(request.url, 200, _headers(path.stat().st_size), Download(path))

    _services: Mapping[str, Callable[["Wire", AWSPreparedRequest], AWSResponse]] = {
        "sts": _sts,
        "ec2": _ec2,
        "organizations": _organizations,
        "dynamodb": _dynamodb,
        "s3": _s3,
    }


class Download(FileIO):
    """Is closed once it is read, as a connection is given back."""

    def read(self, size: int | None = -1, /) -> bytes:
        told = super().read(-1 if size is None else size) or b""
        if not told or size is None or size < 0:
            self.close()
        return told


def _said(request: AWSPreparedRequest, answer: str, status: int = 200) -> AWSResponse:
    body = answer.encode()
    return AWSResponse(request.url, status, _headers(len(body)), Raw(body))


def _headers(length: int) -> HTTPHeaders:
    headers = HTTPHeaders()
    headers.add_header("Content-Length", str(length))
    return headers


def _header(request: AWSPreparedRequest, name: str) -> str:
    value: str | bytes = request.headers.get(name, "")
    return value.decode() if isinstance(value, bytes) else value


def _text(request: AWSPreparedRequest) -> str:
    body = request.body
    return body.decode() if isinstance(body, bytes) else str(body)


def _sent(request: AWSPreparedRequest) -> Iterator[bytes]:
    """The content of an upload: files come in chunks, each after a line with its length."""
    body: Any = request.body
    if isinstance(body, bytes):
        yield body
        return
    if "aws-chunked" not in _header(request, "Content-Encoding"):
        yield from iter(lambda: body.read(1 << 16), b"")
        return
    waiting = b""
    for piece in iter(lambda: body.read(1 << 16), b""):
        waiting += piece
        while b"\r\n" in waiting:
            length, _, rest = waiting.partition(b"\r\n")
            size = int(length, 16)
            if not size:
                return
            if len(rest) < size + 2:
                break
            yield rest[:size]
            waiting = rest[size + 2 :]
