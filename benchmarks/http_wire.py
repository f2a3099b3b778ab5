"""HTTP/1.1 as botocore speaks it, for a server that must be faster than its clients."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

END = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    headers: Mapping[bytes, bytes]
    """By their names in lower case."""
    body: bytes
    """Without chunks, those of HTTP and those of AWS."""
    raw: bytes
    """As it came."""

    def header(self, name: bytes) -> bytes:
        return self.headers.get(name, b"")


class Wire(asyncio.Protocol):
    """One connection: each request is answered at once, and the answer is sent `latency_s` later."""

    def __init__(self, answer: Callable[[Request], bytes], latency_s: float) -> None:
        self._answer, self._latency_s = answer, latency_s
        self._waiting = b""
        self._continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (a socket's)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while self._waiting and (request := self._next()):
            answer = self._answer(request)
            if self._latency_s:
                asyncio.get_running_loop().call_later(self._latency_s, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _next(self) -> Request | None:
        """None: not all of it is here yet."""
        end = self._waiting.find(END)
        if end < 0:
            return None
        first, *lines = self._waiting[:end].split(b"\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
        if b"expect" in headers and not self._continued:
            self._continued = True
            self._transport.write(CONTINUE)
        start = end + len(END)
        if headers.get(b"transfer-encoding") == b"chunked":
            last = _end_of_chunks(self._waiting, start)
            if not last:
                return None
            body = b"".join(_chunks(self._waiting[start:last]))
        else:
            last = start + int(headers.get(b"content-length", 0))
            if len(self._waiting) < last:
                return None
            body = self._waiting[start:last]
        raw, self._waiting, self._continued = self._waiting[:last], self._waiting[last:], False
        if b"aws-chunked" in headers.get(b"content-encoding", b""):
            body = b"".join(_chunks(body))
        method, target, _ = first.decode().split(" ")
        return Request(method, target, headers, body, raw)


def _chunks(body: bytes) -> Iterable[bytes]:
    """What is in them; each follows a line with its length, and after the last one come headers."""
    at = 0
    while (end := body.find(b"\r\n", at)) > 0:
        size = int(body[at:end].partition(b";")[0], 16)
        if not size:
            return
        yield body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def _end_of_chunks(data: bytes, at: int) -> int:
    """0: it has not come yet."""
    while (end := data.find(b"\r\n", at)) > 0:
        size = int(data[at:end], 16)
        at = end + 2 + size + 2
        if not size or at > len(data):
            return 0 if at > len(data) else at
    return 0


def written(status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    told = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return told.encode("latin-1") + body
