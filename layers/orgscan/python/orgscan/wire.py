"""Bytes to AWS and back, over connections that urllib3 opens, keeps and trusts.

How a host is reached and whom to trust is urllib3's and botocore's; here is only what a request and its
answer cost when they are written and read by their modules, four to one: a mail parser for the headers,
several objects and locks, a dozen of small writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from botocore.awsrequest import HeadersDict
from urllib3.exceptions import ProtocolError

STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: |\r|$)")
SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
LENGTH = re.compile(r"[0-9]{1,18}")
READ_AT_ONCE = 65_536
MOST_HEAD = 65_536
"""Bytes of an answer's headers; more is not HTTP."""
INTERIM, NO_CONTENT, NOT_MODIFIED = 200, 204, 304
"""Answers with a status below the first come before the one that counts."""
WITHOUT_BODY = (NO_CONTENT, NOT_MODIFIED)


class Broken(ProtocolError):
    """What came back is no whole answer."""


class Headers(HeadersDict):
    """Botocore's, without an object whenever a name is looked for, and an error when it is not there."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, str]] = {}

    def __setitem__(self, name: str, value: str) -> None:
        self._of[name.lower()] = name, value

    def __getitem__(self, name: str) -> str:
        return self._of[name.lower()][1]

    def __delitem__(self, name: str) -> None:
        del self._of[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._of

    def get(self, name: str, default: Any = None) -> Any:
        found = self._of.get(name.lower())
        return default if found is None else found[1]

    def items(self) -> Any:
        return self._of.values()

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._of.values())

    def __len__(self) -> int:
        return len(self._of)

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    def copy(self) -> Headers:
        copied = Headers()
        copied.update(self)
        return copied


class Answer(NamedTuple):
    status: int
    headers: HeadersDict
    body: bytes


class Wire:
    """One host's connections, as a client's own session has them; safe to share between threads."""

    def __init__(self, session: Any, url: str) -> None:
        """`session`: botocore's URLLib3Session, whose connections are used and left to others again."""
        self._pool = session._manager.connection_from_url(url)
        session._setup_ssl_cert(self._pool, url, session._verify)

    def ask(self, request: bytes) -> Answer:
        """Raises what urllib3 and sockets raise. The request is not sent twice.

        Not for HEAD, whose answers tell of bodies that do not come.
        """
        pool = self._pool
        connection = pool._get_conn()
        whole = False
        try:
            if connection.sock is None:
                connection.connect()
            patience = pool.timeout.read_timeout
            # To set it lets other threads run, which are in no hurry to stop.
            if connection.sock.gettimeout() != patience:
                connection.sock.settimeout(patience)
            connection.sock.sendall(request)
            reading = _Reading(connection.sock)
            answer = reading.answer()
            whole = reading.goes_on
        finally:
            if not whole:
                connection.close()
            pool._put_conn(connection)
        return answer


class _Reading:
    """One answer, from a socket that nothing else comes from."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._goes_on = True

    @property
    def goes_on(self) -> bool:
        """Whether the connection can be asked again."""
        return self._goes_on and not self._buffer

    def answer(self) -> Answer:
        while True:
            lines = bytes(self._until(b"\r\n\r\n", MOST_HEAD)).split(b"\r\n")
            matched = STATUS.match(lines[0])
            if not matched:
                raise Broken("no status line")
            status = int(matched[2])
            if status >= INTERIM:
                break
        headers = _headers(lines[1:])
        if matched[1] == b"0" or "close" in headers.get("connection", "").lower():
            self._goes_on = False
        return Answer(status, headers, self._body(status, headers))

    def _body(self, status: int, headers: HeadersDict) -> bytes:
        if status in WITHOUT_BODY:
            return b""
        encoding = headers.get("transfer-encoding")
        if encoding is not None:
            if encoding.lower() != "chunked":
                raise Broken(f"transfer encoding {encoding}")
            return self._chunks()
        length = headers.get("content-length")
        if length is None:
            return self._rest()
        if not LENGTH.fullmatch(length):
            raise Broken(f"content length {length}")
        return bytes(self._exactly(int(length)))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._until(b"\r\n", MOST_HEAD).partition(b";")[0].strip()
            if not SIZE.fullmatch(size):
                raise Broken("no size of a chunk")
            if not int(size, 16):
                break
            body += self._exactly(int(size, 16))
            if self._exactly(2) != b"\r\n":
                raise Broken("a chunk without an end")
        while self._until(b"\r\n", MOST_HEAD):
            pass  # trailers
        return bytes(body)

    def _until(self, end: bytes, most: int) -> bytearray:
        """What comes before it, which is taken away with it."""
        looked = 0
        while (found := self._buffer.find(end, looked)) < 0:
            looked = max(0, len(self._buffer) - len(end) + 1)
            if len(self._buffer) > most:
                raise Broken("no end of a line or of headers")
            self._more()
        taken = self._buffer[:found]
        del self._buffer[: found + len(end)]
        return taken

    def _exactly(self, count: int) -> bytearray:
        while len(self._buffer) < count:
            self._more()
        taken = self._buffer[:count]
        del self._buffer[:count]
        return taken

    def _rest(self) -> bytes:
        self._goes_on = False
        while part := self._sock.recv(READ_AT_ONCE):
            self._buffer += part
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def _more(self) -> None:
        part = self._sock.recv(READ_AT_ONCE)
        if not part:
            raise Broken("the connection was closed before the end")
        self._buffer += part


def _headers(lines: Iterable[bytes]) -> HeadersDict:
    """As urllib3 hands them over: what comes twice is one, with a comma."""
    headers = Headers()
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():  # a continued line begins with a space
            raise Broken("no header")
        value = value.strip(" \t")  # a non-breaking space may be half of a letter
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
