"""A region with more in it than one invocation reads: EC2's answers, page by page, read as a worker reads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from orgscan.parsers import Parsers
from orgscan.session import LOADER, Clients

CREATED = datetime(2025, 6, 1, tzinfo=UTC)
RECENT = datetime(2026, 1, 14, tzinfo=UTC)
ONCE = Config(retries={"total_max_attempts": 1})


class Raw:
    """A body as botocore reads it from the network."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


@dataclass
class Fleet:
    """Volumes in use in production, every tenth not encrypted; each odd one with a recent snapshot."""

    volumes: int
    snapshots: int
    page: int = 1000
    spend: Callable[[], None] = lambda: None
    """Called for every answer: lets time go by."""
    asked: list[tuple[str, int]] = field(default_factory=list)
    """(Operation, number of its first item) of every request."""
    refuse_next: bool = False
    """The next token of a page has expired."""

    def clients(self) -> Clients:
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        core.register_component("response_parser_factory", Parsers())
        session = boto3.Session("key", "secret", "token", region_name="eu-west-1", botocore_session=core)
        answer: Any = self._answer
        session.events.register("before-send.ec2", answer)
        return Clients(session, guarded=True, config=ONCE)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        told = {name: values[0] for name, values in parse_qs(body).items()}
        operation, first = told["Action"], int(told.get("NextToken", "0"))
        self.asked.append((operation, first))
        self.spend()
        if first and self.refuse_next:
            self.refuse_next = False
            error = "<Code>InvalidNextToken</Code><Message>The token has expired.</Message>"
            answer = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>"
            return AWSResponse(request.url, 400, HTTPHeaders(), Raw(answer.encode()))
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw(self._page(operation, first).encode()))

    def _page(self, operation: str, first: int) -> str:
        count, items, member = {
            "DescribeVolumes": (self.volumes, self._volumes, "volumeSet"),
            "DescribeSnapshots": (self.snapshots, self._snapshots, "snapshotSet"),
        }[operation]
        last = min(first + self.page, count)
        token = f"<nextToken>{last}</nextToken>" if last < count else ""
        rows = "".join(f"<item>{row}</item>" for row in items(first, last))
        return f"<{operation}Response><{member}>{rows}</{member}>{token}</{operation}Response>"

    def _volumes(self, first: int, last: int) -> Iterator[str]:
        tag = f"<item><key>Environment</key><value>{escape('production')}</value></item>"
        for number in range(first, last):
            yield (
                f"<volumeId>vol-{number:017}</volumeId><size>8</size><volumeType>gp3</volumeType>"
                f"<status>in-use</status><createTime>{CREATED:%Y-%m-%dT%H:%M:%S.000Z}</createTime>"
                f"<encrypted>{'false' if number % 10 == 0 else 'true'}</encrypted><tagSet>{tag}</tagSet>"
                f"<attachmentSet><item><instanceId>i-{number:017}</instanceId>"
                "<status>attached</status></item></attachmentSet>"
            )

    def _snapshots(self, first: int, last: int) -> Iterator[str]:
        for number in range(first, last):
            yield (
                f"<snapshotId>snap-{number:017}</snapshotId><volumeId>vol-{2 * number + 1:017}</volumeId>"
                f"<startTime>{RECENT:%Y-%m-%dT%H:%M:%S.000Z}</startTime><volumeSize>8</volumeSize><status>completed</status>"
            )
