"""What is made once for all is what each would have had."""

import ssl
from collections.abc import Iterator
from copy import copy
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import pytest
from botocore import endpoint_provider, hooks
from botocore.awsrequest import AWSRequest
from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session
from hypothesis import given
from hypothesis import strategies as st

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
    assert contexts[0].check_hostname  # or urllib3 does, in Python
    assert one.meta.events is not other.meta.events
    assert one.meta.endpoint_url != other.meta.endpoint_url


def test_who_listens_to_one_client_listens_to_no_other() -> None:
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


EVENTS = ("a", "a.b", "a.b.c", "a.*.c", "b", "*.b")
changes = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 3), st.sampled_from(EVENTS), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.integers(0, 3), st.sampled_from(EVENTS), st.integers(0, 5)),
        st.tuples(st.just("copy"), st.integers(0, 3), st.none(), st.none()),
    ),
    max_size=30,
)


@given(changes)
def test_shared_listeners_are_as_good_as_copies(history: Any) -> None:
    """Everybody has who was added to himself, and who was there when he was copied."""
    session._session()
    tries, told = [hooks._PrefixTrie()], [[]]  # type: ignore[attr-defined, var-annotated]
    for number, (change, whose, event, how) in enumerate(history):
        one = whose % len(tries)
        if change == "copy":
            tries.append(copy(tries[one]))
            told.append(list(told[one]))
        elif change == "add":
            tries[one].append_item(event, number, section=how)
            told[one].append((event, number, how))
        elif [each for each in told[one] if each[0] == event]:
            gone = [each for each in told[one] if each[0] == event][how % 2 - 1]
            tries[one].remove_item(event, gone[1])
            told[one].remove(gone)
    for trie, items in zip(tries, told, strict=True):
        alone = hooks._PrefixTrie()  # type: ignore[attr-defined]
        for event, number, section in items:
            alone.append_item(event, number, section=section)
        for event in ("a", "a.b", "a.b.c", "a.x.c", "b", "x.b", "x"):
            assert trie.prefix_search(event) == alone.prefix_search(event)


def test_clients_of_all_regions_share_what_a_service_is() -> None:
    one, other = (session.here().get("sqs", region) for region in ("eu-west-1", "eu-west-2"))
    assert one.meta.service_model is other.meta.service_model
    queues = [each.meta.service_model.operation_model("ListQueues") for each in (one, other)]
    assert queues[0].output_shape is queues[1].output_shape
    strange = botocore.session.get_session().create_client("sqs", "eu-west-1")
    assert strange.meta.service_model is not one.meta.service_model  # of another loader


@pytest.mark.parametrize(
    "region", ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"]
)
@pytest.mark.parametrize("service", ["s3", "iam", "sts", "dynamodb", "ec2", "route53"])
def test_endpoints_are_those_that_botocore_finds_with_rules_of_its_own(service: str, region: str) -> None:
    client = session.here().get(service, region)
    resolver = client._ruleset_resolver
    rules = session.LOADER.load_service_model(service, "endpoint-rule-set-1")
    own = endpoint_provider.EndpointProvider(
        rules, session.LOADER.load_data("partitions"), resolver._provider._excluded_params
    )
    asked = {
        "Region": region,
        "UseFIPS": False,
        "UseDualStack": False,
        **({"UseGlobalEndpoint": False} if service in ("s3", "sts") else {}),
    }
    assert resolver._provider is session.here().get(service, "eu-west-2")._ruleset_resolver._provider
    assert resolver._provider.resolve_endpoint(**asked) == own.resolve_endpoint(**asked)


class Listening:
    def willing(self, **_: object) -> None:
        """Takes whatever it is told."""

    def unwilling(self) -> None:
        """Takes nothing."""


@pytest.mark.parametrize("times", [1, 2])
def test_who_cannot_be_told_everything_cannot_listen(times: int) -> None:
    events = session.here().get("sts").meta.events
    for _ in range(times):
        for willing in (lambda **_: None, Listening().willing, partial(Listening.willing, Listening())):
            events.register("before-call.sts", willing)
        for unwilling in (lambda: None, Listening().unwilling, partial(Listening.unwilling, Listening())):
            with pytest.raises(ValueError, match="must accept keyword arguments"):
                events.register("before-call.sts", unwilling)
