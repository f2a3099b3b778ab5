"""The same call made both ways, short and botocore's, and what arrives of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore import auth, xform_name
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from benchmarks.fleet import Raw
from orgscan import catalog, session, ways
from orgscan.session import Clients, Kept, declared
from orgscan.wire import Answer, Wire
from tests.unmocked import unmocked

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 26, 12, 0, 1)  # noqa: DTZ001 (as botocore's clock has it)
VOLUMES = b"<R><volumeSet><item><volumeId>vol-1</volumeId></item></volumeSet></R>"
ERROR = b"<Response><Errors><Error><Code>%b</Code><Message>no</Message></Error></Errors></Response>"
CALLS = sorted(catalog.calls())
KEYS = Credentials("AKIAHUB", "secret", "token")
ONCE = Config(retries={"total_max_attempts": 1})


@dataclass
class Aws:
    """What arrives by either way, and what is answered. An exception is raised, as by urllib3."""

    answers: Sequence[tuple[int, bytes] | Exception] = ()
    short: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    """Method, target, headers, body."""
    long: list[Any] = field(default_factory=list)
    """Botocore's prepared requests."""

    def _next(self) -> tuple[int, bytes]:
        answer: tuple[int, bytes] | Exception
        answer, *self.answers = self.answers or [(200, b"{}")]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, written: bytes) -> Answer:
        head, _, body = written.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, version = first.split(" ")
        assert version == "HTTP/1.1"
        headers = [line.split(": ", 1) for line in lines]
        assert len({name.lower() for name, _ in headers}) == len(headers)
        self.short.append((method, target, dict(headers), body))
        status, answered = self._next()
        return Answer(status, HeadersDict({"x-amzn-RequestId": "r-1"}), answered)

    def send(self, request: Any) -> AWSResponse:
        self.long.append(request)
        status, body = self._next()
        headers = HTTPHeaders()
        headers["x-amzn-requestid"] = "r-1"
        return AWSResponse(request.url, status, headers, Raw(body))


def arriving(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr(Wire, "ask", lambda _, written: aws.ask(written))
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: aws.send(request))
    monkeypatch.setattr("time.sleep", lambda _: None)
    for module in (auth, ways):
        monkeypatch.setattr(module, "get_current_datetime", lambda: NOW)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orgscan-scan")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3")
    return aws


def new() -> Kept:
    return unmocked(
        session.keep(Clients(boto3.Session("key", "secret", region_name="eu-west-1"), guarded=False))
    )


kept = cache(new)


@dataclass
class Both:
    """The same call made both ways."""

    kept: Kept
    aws: Aws

    def clients(self, **more: Any) -> Clients:
        keys = Credentials("AKIAMEMBER", "secret", "token+/=")
        return Clients(self.kept.session, guarded=True, credentials=keys, warm=self.kept.warm, **more)

    def short(self, call: str, params: Mapping[str, Any]) -> Any:
        service, operation = call.split(":")
        client = self.clients().get(service, "eu-west-1")
        with declared([call]):
            return getattr(client, xform_name(operation))(**params)

    def long(self, call: str, params: Mapping[str, Any]) -> Any:
        service, operation = call.split(":")
        client = self.clients().get(service, "eu-west-1")
        client._short = None
        with declared([call]):
            return getattr(client, xform_name(operation))(**params)
