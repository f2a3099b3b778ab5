"""The least that the same calls can take: bytes written before, connections that stay, nothing read.

    python -S -P bare.py TOLD.json

TOLD: port, certificate, at_once, batches (file with a pickled list of lists of requests), result. Each batch
is a target, whose calls depend on nothing; the next one begins when it is through. Nothing but
sockets.
"""

import json
import pickle
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

from benchmarks.took import cpu_s, peak_mib

LENGTH = b"content-length: "
HOST = "sts.amazonaws.com"
END = b"\r\n\r\n"


class Caller:
    def __init__(self, port: int, certificate: str) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=certificate) if certificate else None
        self._of_thread = local()

    def call(self, request: bytes) -> int:
        """Bytes of the answer."""
        connection = self._connection()
        if b"\r\nExpect: 100-continue\r\n" in request:
            request = request.replace(b"\r\nExpect: 100-continue\r\n", b"\r\n")
        connection.sendall(request)
        answer = connection.recv(1 << 16)
        while (end := answer.find(END)) < 0:
            answer += connection.recv(1 << 16)
        head = answer[:end].lower()
        at = head.index(LENGTH) + len(LENGTH)
        whole = end + len(END) + int(head[at : at + 12].split(b"\r", 1)[0])
        got = len(answer)
        while got < whole:
            got += len(connection.recv(1 << 16))
        return got

    def _connection(self) -> socket.socket:
        found: socket.socket | None = getattr(self._of_thread, "connection", None)
        if found is None:
            found = socket.create_connection(("127.0.0.1", self._port))
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                found = self._tls.wrap_socket(found, server_hostname=HOST)
            self._of_thread.connection = found
        return found


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    batches: Sequence[Sequence[bytes]] = pickle.loads(Path(told["batches"]).read_bytes())  # noqa: S301
    caller, calls, received = Caller(told["port"], told["certificate"]), 0, 0
    began, cpu = time.monotonic(), cpu_s()
    with ThreadPoolExecutor(told["at_once"]) as pool:
        for batch in batches:
            sizes = list(pool.map(caller.call, batch))
            calls, received = calls + len(sizes), received + sum(sizes)
    result = {
        "seconds": time.monotonic() - began,
        "cpu": cpu_s() - cpu,
        "peak_mib": peak_mib(),
        "calls": calls,
        "bytes": received,
    }
    Path(told["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
