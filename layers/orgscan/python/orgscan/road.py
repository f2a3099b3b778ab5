"""A short way for calls that botocore would make just so. A room in which code is special for speed.

Botocore makes a call out of some twenty objects and a dozen events, and each call the same ones. Here what is
the same for all calls of an operation is worked out once: the endpoint that botocore resolves, how it would
have them signed, whom it would tell of them. What remains is what differs: botocore serializes parameters,
the request is signed and sent, and the answer is read by the parsers that botocore has been given.

Only what is plain goes this way: signed by Signature Version 4, without streams and checksums, and listened
to by nobody who is not known here: whoever mocks or traces botocore sees every call. And only good answers
end here, and those that there is no such thing, of which every scan gets many. All others, and failures, are
handed to botocore as those to the first attempt of a call of its own: what to repeat and when, and what an
error is called, is its to say.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from socket import gaierror
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from urllib3 import exceptions as urllib3

from orgscan.warm import Caller
from orgscan.ways import Place, Way, way, wrapped
from orgscan.wire import Answer, Wire

GOOD, MISSING = range(200, 300), 404
NEVER_SIGNED = (b"SignatureDoesNotMatch", b"InvalidSignature", b"IncompleteSignature")
"""What AWS says of a signature that is not as it should be: then botocore is to sign, not we."""


@dataclass(slots=True)
class Arrived:
    """What came back for a call that botocore is about to make."""

    result: AWSResponse | Exception
    token: str | None
    """Of the session whose keys the request was signed with."""
    taken: bool = False


_arrived: ContextVar[Arrived | None] = ContextVar("arrived", default=None)


def arrived() -> Arrived | None:
    """What there is already for the attempt that this thread is at; it had its turn and was counted."""
    there = _arrived.get()
    return None if there is None or there.taken else there


def deliver(**_: object) -> AWSResponse | None:
    """To `before-send`, where botocore takes what it would otherwise fetch."""
    there = arrived()
    if there is None:
        return None
    there.taken = True
    if isinstance(there.result, Exception):
        raise there.result
    return there.result


@contextmanager
def _handing(there: Arrived) -> Iterator[None]:
    before = _arrived.set(there)
    try:
        yield
    finally:
        _arrived.reset(before)


class _Got(AWSResponse):
    """An answer that is all here."""

    def __init__(self, url: str, answer: Answer) -> None:
        self.url = url
        self.status_code = answer.status
        self.headers = answer.headers
        self.raw = None
        self._content = answer.body


class Road:
    """A client's short way; safe to share between threads and callers."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._emitter = client.meta.events._emitter
        self._found: Any = None
        self._ways: dict[str, Way | None] = {}
        self._wires: dict[str, Wire] = {}

    def call(self, name: str, params: dict[str, Any], caller: Caller, long: Callable[[], Any]) -> Any:
        """What botocore's `_make_api_call` returns and raises. `long`: its way."""
        short = None if wrapped() else self._way(name)
        asked = short.asked(params) if short else None
        if short is None or asked is None:
            return long()
        caller.turn(short.region, short.call)
        credentials = caller.credentials.get_frozen_credentials()
        short.sending()
        written, url = short.written(asked, credentials), asked.request["url"]
        result: AWSResponse | Exception
        try:
            answer = self._wire(short, asked.place).ask(written)
        except (urllib3.HTTPError, OSError) as error:
            result = _told(error, url)
        else:
            result = _Got(url, answer)
            if answer.status in GOOD:
                parsed = short.parsed(result, asked)
                if parsed is not None:
                    return parsed
            elif answer.status == MISSING:
                missing = short.missing(result, asked)
                if missing is not None:
                    raise missing
            elif any(word in answer.body for word in NEVER_SIGNED):
                self._ways[name] = None
                return long()
        with _handing(Arrived(result, credentials.token)):
            return long()

    def _wire(self, short: Way, place: Place) -> Wire:
        known = self._wires.get(place.origin)
        if known is None:
            known = Wire(self._client._endpoint.http_session, place.origin)
            # Of many hosts the last: urllib3 keeps the connections of those that were asked of late.
            self._wires = {place.origin: known} if short.depends else {**self._wires, place.origin: known}
        return known

    def _way(self, name: str) -> Way | None:
        # Whoever begins to listen, or stops, makes the emitter forget whom it has found.
        if self._found is not self._emitter._lookup_cache:
            self._ways, self._found = {}, self._emitter._lookup_cache
        if name not in self._ways:
            self._ways[name] = way(self._client, self._emitter, name)
        return self._ways[name]


def _told(error: Exception, url: str) -> Exception:
    """The error as botocore names it, whose retries go by those names."""
    match error:
        case urllib3.SSLError() | ssl.SSLError() | ssl.CertificateError():
            return SSLError(endpoint_url=url, error=error)
        case urllib3.NewConnectionError() | gaierror():
            return EndpointConnectionError(endpoint_url=url, error=error)
        case urllib3.ConnectTimeoutError():
            return ConnectTimeoutError(endpoint_url=url, error=error)
        case urllib3.ReadTimeoutError() | TimeoutError():
            return ReadTimeoutError(endpoint_url=url, error=error)
        case urllib3.ProtocolError() | OSError():
            return ConnectionClosedError(endpoint_url=url, error=error, request=None)
        case _:
            return HTTPClientError(error=error)
