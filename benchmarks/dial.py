"""Real names, a false telephone exchange: botocore's requests go to AWS's hosts, and arrive here.

Nothing else of botocore changes: endpoints, host names, signatures, connection pools and TLS are AWS's.
What is missing is DNS and the network.
"""

import socket
import time

from botocore.awsrequest import AWSHTTPSConnection, AWSHTTPSConnectionPool

CONNECTED: list[float] = []
"""CPU seconds of this process before each of its connections."""


def redirect(port: int, certificate: str) -> None:
    """From now on this process reaches nothing but this machine's `port`; without `certificate`, without TLS.

    The certificate is trusted besides those that a client trusts anyway, and checked like any other.
    """

    class Redirected(AWSHTTPSConnection):
        def _new_conn(self) -> socket.socket:
            CONNECTED.append(time.process_time())
            connected = socket.create_connection(("127.0.0.1", port), self.timeout)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected

        def connect(self) -> None:
            if certificate:
                assert self.ssl_context is not None  # noqa: S101 (its pool gave it one)
                self.ssl_context.load_verify_locations(certificate)
                super().connect()
            else:
                self.sock = self._new_conn()
                self.is_verified = True

    AWSHTTPSConnectionPool.ConnectionCls = Redirected
