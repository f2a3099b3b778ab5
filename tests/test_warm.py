"""Clients outlive a target; nothing that is said with one says who was there before, or is there beside."""

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError, OperationNotPageableError
from botocore.httpsession import URLLib3Session

from benchmarks.fleet import Raw
from orgscan import session
from orgscan import wire as wire_module
from orgscan.errors import OutOfTime
from orgscan.meter import Meter
from orgscan.session import SIGNED_WITH, Clients, Kept, declared
from orgscan.warm import Warm
from orgscan.wire import Answer
from tests.unmocked import unmocked

VOLUMES = b"<DescribeVolumesResponse><volumeSet/>%b</DescribeVolumesResponse>"
MORE = b"<nextToken>more-%d</nextToken>"
BUSY = b"<Response><Errors><Error><Code>%b</Code></Error></Errors></Response>"


def text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


class Arrivals:
    """Where all clients of one worker arrive: who signed each request, and what it is answered."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.signed: list[str] = []
        self.short = 0
        self.answer: Callable[[str], tuple[int, bytes]] = lambda _: (200, VOLUMES % b"")

    def by_botocore(self) -> None:
        """A listener that the short way does not know: then every call goes botocore's."""
        events: Any = self.kept.session.events
        events.register_first("before-send", self._send)

    def by_the_short_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is not good, and so is made again, arrives from botocore all the same."""

        def ask(_: object, written: bytes) -> Answer:
            self.short += 1
            lines = written.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
            status, body = self._arrive(dict(line.split(": ", 1) for line in lines))
            return Answer(status, HeadersDict(), body)

        unmocked(self.kept)
        monkeypatch.setattr(wire_module.Wire, "ask", ask)
        monkeypatch.setattr(URLLib3Session, "send", lambda _, request: self._send(request))

    def clients(self, account: str, **more: Any) -> Clients:
        """As `assume` makes them. Key and token say whose they are."""
        keys = Credentials(f"AKIA{account}", "secret", f"token-{account}")
        kept = self.kept
        return Clients(kept.session, guarded=True, credentials=keys, warm=kept.warm, **more)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        status, body = self._arrive(request.headers)
        return AWSResponse(request.url, status, HTTPHeaders(), Raw(body))

    def _arrive(self, headers: Mapping[str, str | bytes]) -> tuple[int, bytes]:
        key = text(headers["Authorization"]).partition("Credential=AKIA")[2].partition("/")[0]
        assert text(headers[SIGNED_WITH]) == f"token-{key}", "one account's key, another one's token"
        self.signed.append(key)
        return self.answer(key)


@pytest.fixture(params=["botocore's way", "short way"])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrivals]:
    arrivals = Arrivals(session.keep(Clients(boto3.Session(region_name="eu-west-1"), guarded=False)))
    if request.param == "short way":
        arrivals.by_the_short_way(monkeypatch)
    else:
        arrivals.by_botocore()
    yield arrivals
    assert (request.param == "short way") == bool(arrivals.short) or not arrivals.signed


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def volumes(clients: Clients, region: str | None = None) -> Any:
    with declared(["ec2:DescribeVolumes"]):
        return clients.get("ec2", region).describe_volumes()["Volumes"]


def test_the_next_target_gets_what_the_last_one_had_made(wire: Arrivals) -> None:
    made = []
    for account in ("1", "2", "3"):
        clients = wire.clients(account)
        volumes(clients)
        made.append(clients.get("ec2"))
    assert len({id(each._endpoint) for each in made}) == 1
    assert len({id(each) for each in made}) == 3
    assert wire.signed == ["1", "2", "3"]


def test_a_target_that_goes_on_where_another_began_is_still_itself(wire: Arrivals) -> None:
    """The pages of one account with another one's calls between them, in one thread."""

    def answer(key: str) -> tuple[int, bytes]:
        page = wire.signed.count("1")
        return 200, VOLUMES % (MORE % page if key == "1" and page < 3 else b"")

    wire.answer = answer
    one, other = wire.clients("1"), wire.clients("2")
    with declared(["ec2:DescribeVolumes"]):
        pages = iter(one.get("ec2").get_paginator("describe_volumes").paginate())
        next(pages)
        volumes(other)
        next(pages)
        other.get("ec2").describe_volumes()
        assert len(list(pages)) == 1
    assert wire.signed == ["1", "2", "1", "2", "1"]


def test_pages_are_asked_for_by_whoever_wants_them_whoever_did_before(wire: Arrivals) -> None:
    asking = [wire.clients(key).get("ec2").get_paginator("describe_volumes") for key in ("1", "2", "1")]
    with declared(["ec2:DescribeVolumes"]):
        for each in asking:
            assert [page["Volumes"] for page in each.paginate()] == [[]]
    assert wire.signed == ["1", "2", "1"]
    assert len({type(each) for each in asking}) == 1
    with pytest.raises(OperationNotPageableError):
        wire.clients("1").get("ec2").get_paginator("describe_account_attributes")


def test_a_call_within_another_ones_call_is_its_callers(wire: Arrivals) -> None:
    """As handlers of botocore's make them."""
    other = wire.clients("2")

    def answer(key: str) -> tuple[int, bytes]:
        if key == "1" and "2" not in wire.signed:
            volumes(other)
        return 200, VOLUMES % b""

    wire.answer = answer
    one = wire.clients("1")
    volumes(one)
    volumes(one)
    assert wire.signed == ["1", "2", "1"]


@pytest.mark.parametrize("seed", range(5))
def test_side_by_side_no_call_carries_another_accounts_credentials(wire: Arrivals, seed: int) -> None:
    """Six accounts, two threads for each, four regions; some calls are refused and made again."""
    chance, lock = random.Random(seed), Lock()  # noqa: S311 (not for secrets)
    plan = [(str(account), [f"eu-west-{chance.randint(1, 3)}" for _ in range(6)]) for account in range(6)] * 2
    together, expected = Barrier(len(plan), timeout=20), dict.fromkeys(map(str, range(6)), 0)

    def answer(key: str) -> tuple[int, bytes]:
        with lock:
            refused = chance.random() < 0.2
            expected[key] += 1
        return (503, BUSY % b"Unavailable") if refused else (200, VOLUMES % b"")

    wire.answer = answer
    meters = {str(account): Meter() for account in range(6)}
    targets = {account: wire.clients(account, meter=meter) for account, meter in meters.items()}

    def look(task: tuple[str, list[str]]) -> None:
        together.wait()
        for region in task[1]:
            volumes(targets[task[0]], region)

    with ThreadPoolExecutor(len(plan)) as pool:
        list(pool.map(look, plan))
    assert {each: wire.signed.count(each) for each in expected} == expected
    assert {account: meter.calls.total() for account, meter in meters.items()} == expected


def test_a_thread_that_outlives_its_target_speaks_for_nobody_else(wire: Arrivals) -> None:
    """It waits for an answer while the target is given up, and the next one begins."""
    asked, next_began = Event(), Event()

    def answer(key: str) -> tuple[int, bytes]:
        if key == "1":
            asked.set()
            next_began.wait(10)
            return 503, BUSY % b"Unavailable"
        return 200, VOLUMES % b""

    wire.answer = answer
    old = wire.clients("1")
    with ThreadPoolExecutor(1) as pool:
        stray = pool.submit(volumes, old)
        assert asked.wait(10)
        old.close()
        assert volumes(wire.clients("2")) == []
        next_began.set()
        with pytest.raises(OutOfTime):
            stray.result()
    assert wire.signed == ["1", "2"], "and it did not ask again"
    with pytest.raises(OutOfTime):
        volumes(old)


def test_each_counts_its_own_and_keeps_its_own_time(wire: Arrivals) -> None:
    meters = Meter(), Meter()
    one, other = (wire.clients(str(number), meter=meter) for number, meter in enumerate(meters))
    one.limit(lambda: 0.0)
    with pytest.raises(OutOfTime):
        volumes(one)
    for _ in range(2):
        volumes(other)
    assert [meter.calls.total() for meter in meters] == [0, 2]


def test_keys_that_expire_are_renewed_for_their_own_account_only(wire: Arrivals) -> None:
    renewed: list[str] = []
    wire.answer = lambda key: (400, BUSY % b"RequestExpired") if key == "1" else (200, VOLUMES % b"")

    def renew(token: str) -> bool:
        renewed.append(token)
        return False

    one, other = (wire.clients(account, renew=renew) for account in "12")
    with pytest.raises(ClientError, match="RequestExpired"):
        volumes(one)
    assert volumes(other) == []
    assert renewed == ["token-1"]


@pytest.mark.parametrize(
    "refusals", [[(400, b"RequestLimitExceeded")], [(503, b"Unavailable")], [(500, b"InternalError")]]
)
def test_a_client_that_was_refused_is_not_passed_on_with_its_memory(
    wire: Arrivals, refusals: list[tuple[int, bytes]]
) -> None:
    waiting = list(refusals)

    def answer(_: str) -> tuple[int, bytes]:
        if not waiting:
            return 200, VOLUMES % b""
        status, code = waiting.pop()
        return status, BUSY % code

    wire.answer = answer
    before, beside = wire.clients("1"), wire.clients("1")
    volumes(before, "eu-west-2")
    volumes(beside)
    after = wire.clients("2")
    assert after.get("ec2", "eu-west-2")._endpoint is not before.get("ec2", "eu-west-2")._endpoint
    assert after.get("ec2")._endpoint is beside.get("ec2")._endpoint


def test_a_denial_costs_no_client(wire: Arrivals) -> None:
    wire.answer = lambda _: (403, BUSY % b"UnauthorizedOperation")
    before = wire.clients("1")
    with pytest.raises(ClientError):
        volumes(before)
    assert wire.clients("2").get("ec2")._endpoint is before.get("ec2")._endpoint


def test_few_clients_are_kept_those_that_were_used_last() -> None:
    made: list[tuple[str, str]] = []

    def make(service: str, region: str) -> object:
        made.append((service, region))
        return object()

    warm = Warm(make, most=2)
    first = warm.get("ec2", "a")
    warm.get("ec2", "b")
    assert warm.get("ec2", "a") is first
    warm.get("s3", "a")
    assert warm.get("ec2", "a") is first
    warm.get("ec2", "b")
    assert made == [("ec2", "a"), ("ec2", "b"), ("s3", "a"), ("ec2", "b")]


def test_what_is_kept_is_nobodys(wire: Arrivals) -> None:
    """Without a caller nothing is signed, and nothing sent."""
    original = wire.kept.warm.get("ec2", "eu-west-1")
    with declared(["ec2:DescribeVolumes"]), pytest.raises(NoCredentialsError):
        original.describe_volumes()
    assert wire.signed == []


def test_a_twin_is_a_client_like_any_other(wire: Arrivals) -> None:
    one, other = (wire.clients(account).get("ec2") for account in "12")
    assert one.meta is other.meta
    assert one.can_paginate("describe_volumes")
    assert one.exceptions.ClientError is ClientError
    assert type(one).__name__ == "EC2"
    assert one.meta.config.user_agent_extra == "orgscan"
    with pytest.raises(AttributeError):
        one.describe_nothing()
