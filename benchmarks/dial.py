"""Real names, a false telephone exchange: botocore's requests go to AWS's hosts, and arrive here.

Nothing else of botocore changes: endpoints, host names, signatures and connection pools are those of AWS.
What is missing is DNS, TLS and the network.
"""

import socket
import time

from botocore.awsrequest import AWSHTTPSConnection, AWSHTTPSConnectionPool

CONNECTED: list[float] = []
"""CPU seconds of this process before each of its connections."""


def redirect(port: int) -> None:
    """From now on this process reaches nothing but this machine's `port`, without TLS."""

    class Redirected(AWSHTTPSConnection):
        def connect(self) -> None:
            CONNECTED.append(time.process_time())
            self.sock = socket.create_connection(("127.0.0.1", port), self.timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.is_verified = True

    AWSHTTPSConnectionPool.ConnectionCls = Redirected
