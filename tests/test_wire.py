"""Answers are what botocore's own session makes of the same bytes; what is broken is told, and not kept."""

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server
from threading import Barrier, Event

import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import EndpointConnectionError
from botocore.utils import lowercase_dict
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import NewConnectionError, ProtocolError

from benchmarks.tls import certificate, served
from orgscan.wire import Headers
from tests.ends import CHUNKED, HELLO, OK, Far, Near, Said, comparable, far_end, near

STRAY = OK + b"Content-Length: 5\r\n\r\nstray"


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    with far_end() as end:
        yield end


@pytest.fixture
def here(far: Far) -> Iterator[Near]:
    with near(far) as end:
        yield end


# Whole answers

GOOD = {
    "a length": HELLO,
    "a length of nothing": OK + b"content-length:0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "a refusal": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n",
    "no body": b"HTTP/1.1 204 No Content\r\nx-amzn-RequestId: 1\r\n\r\n",
    "not modified": b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 5\r\n\r\n',
    "to be continued": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\nX-Not: 1\r\n\r\n" + HELLO,
    "chunks": CHUNKED + b"5\r\nhello\r\n0006\r\n\r\n0\r\n\r\r\n0\r\n\r\n",
    "chunks with extensions": CHUNKED + b'a;x=1;y="2"\r\n0123456789\r\nB;\r\n0123456789A\r\n0;last\r\n\r\n',
    "chunks with trailers": CHUNKED + b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAA\r\nX-More: 1\r\n\r\n",
    "no chunk": OK + b"transfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
    "chunks that matter more": OK
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "headers twice": OK + b"X-A: 1\r\nx-a: 2\r\nX-B:\r\nX-a:3\r\nx-b: 4\r\nContent-Length: 0\r\n\r\n",
    "odd headers": OK + b"X-A:  a : b\t c:\r\nX-B: caf\xc3\xa9 \xc3\xa0\r\nContent-Length: 0\r\n\r\n",
    "much": OK + b"Content-Length: 300000\r\n\r\n" + b"0123456789" * 30_000,
}
LAST = {
    "Connection: close": OK + b"connection: Close\r\nContent-Length: 5\r\n\r\nhello",
    "Connection: close, twice": OK + b"Connection: close\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "Connection: close, among others": OK + b"Connection: x, close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
}
UNTIL_CLOSE = {
    "until the end": OK + b"X-A: 1\r\n\r\nhello\r\n\r\n",
    "until the end, which comes at once": OK + b"X-A: 1\r\n\r\n",
    "HTTP/1.0 until the end": b"HTTP/1.0 500 Oh no\r\n\r\nhello",
}
WHOLE = {**GOOD, **LAST, **UNTIL_CLOSE}


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_is_what_botocore_makes_of_it(far: Far, here: Near, name: str) -> None:
    far.says = lambda _: Said((WHOLE[name],), name in UNTIL_CLOSE)
    assert comparable(here.ask()) == here.botocores()


@pytest.mark.parametrize("name", [each for each in WHOLE if each != "much"])
def test_bytes_may_come_one_by_one(far: Far, here: Near, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    far.says = lambda _: Said((WHOLE[name],), name in UNTIL_CLOSE)
    at_once = here.ask()
    far.says = lambda _: Said((bytes([each]) for each in WHOLE[name]), name in UNTIL_CLOSE)
    monkeypatch.setattr("orgscan.wire.READ_AT_ONCE", 1)
    assert here.ask() == at_once


@pytest.mark.parametrize("name", WHOLE)
def test_a_connection_is_used_again_unless_the_answer_was_its_last(far: Far, here: Near, name: str) -> None:
    far.says = lambda _: Said((WHOLE[name],), name in UNTIL_CLOSE)
    assert here.ask() == here.ask()
    assert (far.connections, len(here.kept())) == ((1, 1) if name in GOOD else (2, 0))


def test_headers_are_found_however_they_are_written(far: Far, here: Near) -> None:
    far.says = lambda _: Said((OK + b"X-Amzn-RequestId: r-1\r\nContent-Length: 0\r\n\r\n",))
    headers = here.ask().headers
    assert (
        headers["x-amzn-requestid"] == headers["X-AMZN-REQUESTID"] == headers.get("x-aMZN-RequestId") == "r-1"
    )
    assert "x-amzn-request" not in headers


NAMES = st.sampled_from(("ETag", "etag", "x-amz-id-2", "X-Amz-Id-2", "Date"))


@given(st.lists(st.tuples(st.sampled_from("sdgci"), NAMES, st.text(max_size=3))))
def test_headers_are_kept_as_botocore_keeps_them(done: list[tuple[str, str, str]]) -> None:
    ours, theirs = Headers(), HeadersDict()
    for what, name, value in done:
        for headers in (ours, theirs):
            if what == "s":
                headers[name] = value
            elif what == "d":
                headers.pop(name, None)
        if what == "g":
            assert ours.get(name, value) == theirs.get(name, value)
        elif what == "c":
            ours = ours.copy()
        elif what == "i":
            assert (name in ours) == (name in theirs)
    assert lowercase_dict(ours) == lowercase_dict(theirs)
    assert sorted(value for _, value in ours.items()) == sorted(theirs.values())
    assert (len(ours), bool(ours)) == (len(theirs), bool(theirs))
    with pytest.raises(KeyError):
        ours["not there"]


def test_what_comes_before_the_answer_is_none_of_it(far: Far, here: Near) -> None:
    far.says = lambda _: Said((b"HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\n" + HELLO,))
    assert comparable(here.ask()) == (200, {"content-length": "5"}, b"hello")


# Broken answers

LENGTH = OK + b"Content-Length: "
BROKEN = {
    "no status line": b"hello\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a status too long": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "an empty line": b"\r\n" + HELLO,
    "a header without colon": OK + b"X-A\r\nContent-Length: 0\r\n\r\n",
    "a header without name": OK + b": a\r\nContent-Length: 0\r\n\r\n",
    "a name with a space": OK + b"Content-Length : 0\r\n\r\n",
    "a continued line": OK + b"X-A: a\r\n b: c\r\nContent-Length: 0\r\n\r\n",
    "a continued line, by a tab": OK + b"X-A: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
    "headers that never end": OK + b"X-A: a\r\n" * 30_000,
    "a header that never ends": OK + b"X-A: " + b"a" * 300_000,
    "a negative chunk": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "a chunk of 0x10": CHUNKED + b"0x10\r\n0123456789abcdef\r\n0\r\n\r\n",
    "a chunk of 1_0": CHUNKED + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "a chunk of +1": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b";a\r\na\r\n0\r\n\r\n",
    "a chunk longer than told": CHUNKED + b"1\r\nabc0\r\n\r\n",
    "a size that never ends": CHUNKED + b"1" * 300_000,
    "another encoding": OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "more than one encoding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    **{
        f"a length of {length[:9]!r}": LENGTH + length + b"\r\n\r\nhello"
        for length in (b"12a", b"-1", b"+5", b"", b"5, 5", b"5 5", b"0x5", b"\xb2", b"5_0", b"9" * 5000)
    },
}
EARLY = {
    "nothing": b"",
    "a part of a status line": b"HTTP/1.1 2",
    "a part of the headers": OK + b"Content-Length: 5\r\n",
    "a part of a body": HELLO[:-1],
    "a part of a chunk": CHUNKED + b"5\r\nhell",
    "a part of the last chunk": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "nothing but an announcement": b"HTTP/1.1 100 Continue\r\n\r\n",
}


def afterwards(far: Far, here: Near) -> None:
    """Nothing is kept of what was broken, and the next one gets what is its own."""
    assert here.kept() == []
    far.says = lambda _: Said((HELLO,))
    assert here.ask().body == b"hello"
    assert far.connections == 2


@pytest.mark.parametrize("name", [*BROKEN, *EARLY])
def test_broken_answers_are_told_and_their_connections_closed(far: Far, here: Near, name: str) -> None:
    far.says = lambda _: Said((BROKEN.get(name) or EARLY[name],), name in EARLY)
    with pytest.raises(ProtocolError):
        here.ask()
    afterwards(far, here)


@pytest.mark.parametrize("part", [b"", HELLO[:20], HELLO[:-1], CHUNKED + b"5\r\nhe"])
def test_who_has_waited_long_enough_leaves_nothing_for_the_next(far: Far, part: bytes) -> None:
    far.says = lambda _: Said((part,))
    with near(far, read=0.05) as here:
        with pytest.raises(TimeoutError):
            here.ask()
        afterwards(far, here)


def test_a_refused_connection_is_told_as_urllib3_tells_it() -> None:
    with create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with near(port) as here:
        for _ in range(2):
            with pytest.raises(NewConnectionError):
                here.ask()
        with pytest.raises(EndpointConnectionError):
            here.botocores()
        assert here.kept() == []


# Connections that are kept


def test_connections_are_the_sessions_own(far: Far, here: Near) -> None:
    far.says = lambda _: Said((HELLO,))
    told = [comparable(here.ask()), here.botocores(), comparable(here.ask()), here.botocores()]
    assert told == [told[0]] * 4
    assert far.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(far: Far, here: Near) -> None:
    far.says = lambda _: Said((HELLO,), hangs_up=True)
    for asked in range(1, 4):
        assert here.ask().body == b"hello"
        assert far.connections == asked
        here.heard()


@pytest.mark.parametrize(
    "answer", [HELLO, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"]
)
@pytest.mark.parametrize("over", [STRAY, b"\r\n", b"x"])
def test_what_is_left_over_is_nobodys_answer(far: Far, here: Near, answer: bytes, over: bytes) -> None:
    far.says = lambda _: Said((answer + over,))
    here.ask()
    assert here.kept() == []
    afterwards(far, here)


def stray_later(far: Far, here: Near) -> None:
    """What nobody has asked for arrives while the connection waits in the pool."""
    go_on = Event()

    def later() -> Iterator[bytes]:
        yield HELLO
        assert go_on.wait(10)
        yield STRAY

    far.says = lambda _: Said(later())
    assert here.ask().body == b"hello"
    assert [each.gettimeout() for each in here.kept()] == [5], "as long as an answer may take"
    go_on.set()
    here.heard()
    far.says = lambda _: Said((OK + b"Content-Length: 2\r\n\r\nmy",))
    assert here.ask().body == b"my"
    assert far.connections == 2


def test_what_arrives_unasked_is_nobodys_answer(far: Far, here: Near) -> None:
    stray_later(far, here)


# Many at once


def own(path: str) -> Said:
    """An answer that is longer and in other pieces for each; some are the last ones of their connections."""
    number = int(path[1:])
    body = f"{number},".encode() * (number % 97 + 1)
    if number % 20 == 0:
        return Said((OK + b"\r\n", body), hangs_up=True)
    if number % 2 == 0:
        return Said((OK + b"Content-Length: %d\r\n\r\n" % len(body), body[:9], body[9:]))
    return Said((CHUNKED, b"%x\r\n" % len(body), body, b"\r\n0\r\n", b"\r\n"))


def test_each_thread_gets_its_own_answers(far: Far, here: Near) -> None:
    """More threads than the pool keeps connections."""
    far.says = own
    threads = 16
    together = Barrier(threads, timeout=20)

    def look(thread: int) -> list[tuple[int, set[bytes]]]:
        together.wait()
        asked = range(thread * 100, thread * 100 + 50)
        return [(number, set(here.ask(f"/{number}").body.split(b",")) - {b""}) for number in asked]

    with ThreadPoolExecutor(threads) as pool:
        found = [each for answers in pool.map(look, range(threads)) for each in answers]
    assert [numbers for _, numbers in found] == [{b"%d" % number} for number, _ in found]
    assert len({*map(id, here.kept())}) == len(here.kept()) <= 10


# TLS


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("wire") / "served.pem", ["localhost"])


@pytest.fixture(scope="module")
def secret(trusted: Path) -> Iterator[Far]:
    with far_end(served(str(trusted))) as end:
        yield end


@pytest.mark.parametrize("name", ["chunks with trailers", "much", "HTTP/1.0", "until the end"])
def test_encrypted_answers_are_what_botocore_makes_of_them(secret: Far, trusted: Path, name: str) -> None:
    secret.says = lambda _: Said((WHOLE[name],), name in UNTIL_CLOSE)
    with near(secret, scheme="https", verify=str(trusted)) as here:
        assert comparable(here.ask()) == comparable(here.ask()) == here.botocores()
        assert secret.connections == (1 if name in GOOD else 3)


def test_encrypted_bytes_that_arrive_unasked_are_nobodys_answer(secret: Far, trusted: Path) -> None:
    with near(secret, scheme="https", verify=str(trusted)) as here:
        stray_later(secret, here)


def test_who_is_not_trusted_is_not_asked(secret: Far, trusted: Path) -> None:
    asked: list[str] = []
    secret.says = lambda path: asked.append(path) or Said((HELLO,))  # type: ignore[func-returns-value]
    stranger = certificate(trusted.with_name("stranger.pem"), ["localhost"])
    for verify in (True, str(stranger)):
        with near(secret, scheme="https", verify=verify) as here:
            with pytest.raises(ssl.SSLCertVerificationError):
                here.ask()
            assert here.kept() == []
    assert asked == []
