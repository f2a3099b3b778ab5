"""Both ends of a connection: one that says what it is told to, byte for byte, and a client's session.

with far_end() as far, near(far) as here:
    far.says = lambda path: Said((HELLO,))
    here.ask("/")
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from select import select
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Any, NamedTuple

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from orgscan.wire import Answer, Wire

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Said(NamedTuple):
    """An answer, and whether the connection ends with it."""

    pieces: Iterable[bytes]
    hangs_up: bool = False


class Talk(StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True
    server: Far

    def handle(self) -> None:
        with self.server.counting:
            self.server.connections += 1
        with suppress(OSError):  # who asks may hang up
            while asked := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                said = self.server.says(asked.split()[1].decode())
                for piece in said.pieces:
                    self.connection.sendall(piece)
                if said.hangs_up:
                    return


class Far(ThreadingTCPServer):
    """The far end, which says what it is told to, byte for byte."""

    daemon_threads = True
    says: Callable[[str], Said]
    """By the path that is asked for."""
    connections = 0
    counting = Lock()

    def begun(self) -> int:
        """Its port; connections are counted anew."""
        self.connections = 0
        return int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Say nothing of those who do not trust us."""


@contextmanager
def far_end(context: ssl.SSLContext | None = None) -> Iterator[Far]:
    with Far(("127.0.0.1", 0), Talk) as far:
        if context:
            far.socket = context.wrap_socket(far.socket, server_side=True)
        serving = Thread(target=far.serve_forever, args=(0.01,))
        serving.start()
        yield far
        far.shutdown()
        serving.join()


class Near:
    """A client's session, and a wire that shares its connections."""

    def __init__(self, port: int, scheme: str = "http", *, verify: Any = False, read: float = 5) -> None:
        self.url = f"{scheme}://localhost:{port}"
        timeout: Any = 10, read  # botocore's stubs know of one number only
        self.session = URLLib3Session(verify=verify, timeout=timeout)
        self.wire = Wire(self.session, self.url)

    def ask(self, path: str = "/") -> Answer:
        return self.wire.ask(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())

    def botocores(self) -> tuple[int, dict[str, str], bytes]:
        return comparable(self.session.send(AWSRequest("GET", f"{self.url}/").prepare()))

    def kept(self) -> list[Any]:
        """The sockets that wait to be used again."""
        return [each.sock for each in self.wire._pool.pool.queue if each and each.sock]

    def heard(self) -> None:
        """Something has arrived at the connection that is kept, be it its end."""
        assert select(self.kept(), [], [], 10)[0]


@contextmanager
def near(far: Far | int, **more: Any) -> Iterator[Near]:
    """`far`: or a port that there is nobody at."""
    end = Near(far if isinstance(far, int) else far.begun(), **more)
    yield end
    end.wire._pool.close()
    end.session.close()


def comparable(answer: Any) -> tuple[int, dict[str, str], bytes]:
    status, body = answer[::2] if isinstance(answer, Answer) else (answer.status_code, answer.content)
    return status, {name.lower(): value for name, value in answer.headers.items()}, body
