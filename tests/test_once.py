"""What is made once for all is what each would have had."""

import ssl
from collections.abc import Iterator
from copy import copy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session

from benchmarks.tls import certificate
from orgscan import session
from orgscan.once import authorities_once, classes_once

NAMED = "localhost"


class Here(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: http.server would write to the terminal."""


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("authorities") / "served.pem", [NAMED])


@pytest.fixture(scope="module")
def port(trusted: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted)
    with ThreadingHTTPServer(("127.0.0.1", 0), Here) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # of those who hang up
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def get(port: int, verify: Any, host: str = NAMED) -> int:
    request = AWSRequest("GET", f"https://{host}:{port}/").prepare()
    return int(URLLib3Session(verify=verify).send(request).status_code)


@pytest.fixture(autouse=True)
def once() -> None:
    authorities_once()
    classes_once()


def test_authorities_are_read_once_however_many_connect(
    port: int, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    original = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, *files: Any, **named: Any) -> None:
        read.append(files)
        original(context, *files, **named)

    other = trusted.with_name("same.pem")
    other.write_bytes(trusted.read_bytes())
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    assert [get(port, str(other)) for _ in range(3)] == [204] * 3
    assert len(read) == 1


def test_who_is_not_trusted_is_refused_whomever_others_trust(port: int, trusted: Path) -> None:
    stranger = certificate(trusted.with_name("stranger.pem"), [NAMED])
    for _ in range(2):
        assert get(port, str(trusted)) == 204
        for verify in (True, str(stranger)):
            with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
                get(port, verify)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_who_does_not_ask_trusts_for_nobody_else(port: int) -> None:
    assert get(port, verify=False) == 204
    with pytest.raises(SSLError):
        get(port, verify=True)


def test_a_certificate_is_good_for_its_names_only(port: int, trusted: Path) -> None:
    assert get(port, str(trusted)) == 204
    with pytest.raises(SSLError, match=r"127\.0\.0\.1"):
        get(port, str(trusted), host="127.0.0.1")


def test_clients_share_class_and_context_and_nothing_that_says_whose_they_are() -> None:
    one, other = (session.here().get("sts", region) for region in ("eu-west-1", "eu-west-2"))
    assert type(one) is type(other)
    contexts = [
        each._endpoint.http_session._manager.connection_pool_kw["ssl_context"] for each in (one, other)
    ]
    assert contexts[0] is contexts[1]
    assert one.meta.events is not other.meta.events
    assert one.meta.endpoint_url != other.meta.endpoint_url


def test_who_listens_is_copied_as_botocore_copies_it() -> None:
    """Each client has listeners of its own; nobody else begins to listen with them."""
    session._session()  # from now on
    emitter: Any = botocore.session.get_session().get_component("event_emitter")
    twin = copy(emitter)
    event = "before-parameter-build.s3.CreateBucket"
    assert twin._emitter._handlers.__dict__ == emitter._emitter._handlers.__dict__
    before = emitter._emitter._handlers.prefix_search(event)
    mine = [lambda **_: None for _ in range(3)]
    for register, each in zip((twin.register_first, twin.register, twin.register_last), mine, strict=True):
        register(event, each)
    now = twin._emitter._handlers.prefix_search(event)
    assert [each for each in now if each in mine] == mine
    assert len(now) == len(before) + 3
    assert emitter._emitter._handlers.prefix_search(event) == before
