"""What is signed here is signed as botocore signs it, to the byte, and by nobody else's key."""

import hmac
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from botocore.auth import SIGNED_HEADERS_BLACKLIST, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from orgscan import signature
from orgscan.signature import Signature, SignatureOfS3, _Key

OURS = {SigV4Auth: Signature, S3SigV4Auth: SignatureOfS3}
ADDED = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
OF_S3 = "X-Amz-Content-SHA256"
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
SECRET = "wJalr"


class Asked(NamedTuple):
    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 (nobody writes to it)
    body: bytes = b""


class Signer(NamedTuple):
    service: str = "ec2"
    region: str = "eu-west-1"
    host: str = "ec2.eu-west-1.amazonaws.com"


def keys(account: str, secret: str = SECRET, token: str | None = None) -> ReadOnlyCredentials:
    return ReadOnlyCredentials(f"AKIA{account}", secret, token)


def botocores(
    asked: Asked, signer: Signer, credentials: ReadOnlyCredentials, now: datetime, auth: Any = SigV4Auth
) -> dict[str, str]:
    """What botocore adds to a request of the same content, if it is `now`."""
    query = f"?{asked.query}" if asked.query else ""
    url = f"https://{signer.host}{asked.path}{query}"
    request: Any = AWSRequest(asked.method, url, asked.headers, asked.body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: now)
        auth(credentials, signer.service, signer.region).add_auth(request)
    names = (*ADDED, OF_S3) if auth is S3SigV4Auth else ADDED
    given_token = not credentials.token and "X-Amz-Security-Token"
    return {name: request.headers[name] for name in names if name in request.headers and name != given_token}


def ours(
    asked: Asked, signer: Signer, credentials: ReadOnlyCredentials, now: datetime, auth: Any = SigV4Auth
) -> dict[str, str]:
    return OURS[auth](*signer).sign(*asked, credentials=credentials, now=now)


# What may be asked

SEGMENTS = st.lists(
    st.sampled_from(["", ".", "..", "...", "a", "B~c", "%2F", "%7e", "%C3%A9", "x:y@z", "a+b"])
)
PATHS = SEGMENTS.map(lambda parts: "/" + "/".join(parts)) | st.text("/.~%2Fa", max_size=8).map("/{}".format)
QUERIES = st.text("ab=&%2F~.-_+:/", max_size=20) | st.lists(
    st.tuples(
        st.sampled_from(["Action", "a", "A", "a%20b", "b", ""]), st.sampled_from(["", "1", "0", "%3D"])
    ),
    max_size=6,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
TOKENS = st.text("abcXYZ019-_", min_size=1, max_size=8).map("X-{}".format)
KNOWN = ("Host", "Content-Type", "X-Amz-Target", "x-amz-date", "X-AMZ-SECURITY-TOKEN", "X-Amz-Content-SHA256")
NAMES = st.sampled_from((*KNOWN, "User-Agent", "X-Amzn-Trace-Id", *SIGNED_HEADERS_BLACKLIST)) | TOKENS
VALUES = st.text("ab \t,;=\"'é", max_size=12)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6, unique_by=lambda pair: pair[0].lower()).map(dict)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
ASKED = st.builds(Asked, METHODS, PATHS, QUERIES, HEADERS, st.binary(max_size=64))
HOSTS = st.sampled_from(
    ["sts.amazonaws.com", "localhost:4566", "[::1]:8443", "1.s3-control.eu-west-1.api.aws"]
)
WORDS = st.text("abcdef-0123456789", min_size=1, max_size=12)
SIGNERS = st.builds(Signer, WORDS, WORDS, HOSTS)
SECRETS = st.text("abc/+=é", min_size=1, max_size=40)
CREDENTIALS = st.builds(keys, WORDS, SECRETS, st.none() | st.just("") | st.text("abc/+=", max_size=40))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (bounds have no zone)


@pytest.mark.parametrize("auth", OURS)
@given(asked=ASKED, signer=SIGNERS, credentials=CREDENTIALS, now=MOMENTS)
@example(Asked(path="/a//b/./../c%20d/"), Signer(), keys("1"), NOON)
@example(Asked(query="b=2&a=2&b=1&a&a=&=x&&c=d=e"), Signer(), keys("1"), NOON)
@example(Asked(headers={"Content-Type": "  a   b\t c "}, body=b"x"), Signer(), keys("1", token="t"), NOON)
def test_whatever_is_asked_is_signed_as_botocore_signs_it(
    auth: Any, asked: Asked, signer: Signer, credentials: ReadOnlyCredentials, now: datetime
) -> None:
    assert ours(asked, signer, credentials, now, auth) == botocores(asked, signer, credentials, now, auth)


def test_a_request_without_a_path_is_one_for_the_root() -> None:
    asked = Asked(path="")
    assert ours(asked, Signer(), keys("1"), NOON) == botocores(asked, Signer(), keys("1"), NOON)


@pytest.mark.parametrize("name", [*SIGNED_HEADERS_BLACKLIST, "User-Agent", "X-Amzn-Trace-Id", "TRACEPARENT"])
def test_what_may_change_on_the_way_is_not_signed(name: str) -> None:
    told = [ours(Asked(headers={name: value}), Signer(), keys("1"), NOON) for value in ("one", "other")]
    assert told[0] == told[1]
    assert "SignedHeaders=host;x-amz-date," in told[0]["Authorization"]


def test_nothing_that_is_given_is_written_to() -> None:
    headers = {"User-Agent": "any", "X-Amz-Date": "yesterday"}
    ours(Asked(headers=headers), Signer(), keys("1", token="t"), NOON)
    assert headers == {"User-Agent": "any", "X-Amz-Date": "yesterday"}


@pytest.mark.parametrize(
    ("method", "query", "signed"),
    [
        ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            *("GET", "Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_the_examples_that_aws_publishes_are_signed_as_published(
    method: str, query: str, signed: str
) -> None:
    """Of the Signature Version 4 test suite: get-vanilla, post-vanilla, get-vanilla-query-order-key-case."""
    signer = Signer("service", "us-east-1", "example.amazonaws.com")
    published = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    told = ours(Asked(method, query=query), signer, published, moment)["Authorization"]
    assert told.rpartition("=")[2] == signed


# Whose key

MANY = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from(["old", "new"]), st.integers(0, 2)),
    min_size=2,
    max_size=12,
)


@given(calls=MANY)
@example([("1", "old", 0), ("2", "old", 0)])
@example([("1", "old", 0), ("1", "new", 0), ("1", "old", 0)])
@example([("1", "old", 0), ("1", "old", 1), ("1", "old", 0)])
def test_whoever_signed_before_each_signs_with_its_own_key_of_its_own_day(
    calls: list[tuple[str, str, int]],
) -> None:
    """Accounts whose secrets are renewed, on days that follow each other."""
    shared = Signature(*Signer())
    for account, secret, days in calls:
        credentials, now = keys(account, f"{secret} {account}"), NOON + timedelta(days)
        told = shared.sign(*Asked(), credentials=credentials, now=now)
        assert told == botocores(Asked(), Signer(), credentials, now)


@given(secret=SECRETS, other=SECRETS)
def test_one_secret_of_two_accounts_is_still_signed_for_each(secret: str, other: str) -> None:
    shared = Signature(*Signer())
    for credentials in (keys("1", secret), keys("2", secret), keys("1", other), keys("2", secret)):
        told = shared.sign(*Asked(), credentials=credentials, now=NOON)
        assert told == botocores(Asked(), Signer(), credentials, NOON)


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_side_by_side_each_signs_with_its_own_key() -> None:
    """Each thread has an account of its own, and signs on two days."""
    shared, threads = Signature(*Signer()), 8
    together = Barrier(threads, timeout=20)
    plan = [
        [
            (keys(str(each), f"secret {each}", f"token {each}"), NOON + timedelta(days))
            for days in (0, 1, 1, 0)
        ]
        for each in range(threads)
    ]

    def sign(calls: list[tuple[ReadOnlyCredentials, datetime]]) -> list[dict[str, str]]:
        together.wait()
        return [shared.sign(*Asked(), credentials=who, now=now) for who, now in calls * 50]

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(sign, plan))
    assert found == [[botocores(Asked(), Signer(), *call) for call in calls] * 50 for calls in plan]


def test_a_key_is_its_owners_whoever_signs_while_it_is_looked_for() -> None:
    shared = Signature(*Signer())

    class Slow(str):
        """A secret that another account signs beside, at the moment at which it is compared."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            shared.sign(*Asked(), credentials=keys("2", "other"), now=NOON)
            return str(self) == other

    for _ in range(3):
        told = shared.sign(*Asked(), credentials=keys("1", SECRET), now=NOON)
        assert told == botocores(Asked(), Signer(), keys("1", SECRET), NOON)
        assert shared.sign(*Asked(), credentials=keys("1", Slow(SECRET)), now=NOON) == told


def test_calls_that_come_together_have_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bytes] = []

    class Counted(_Key):
        def __init__(self, key: bytes) -> None:
            begun.extend([key] if key.startswith(b"AWS4") else [])
            super().__init__(key)

    monkeypatch.setattr(signature, "_Key", Counted)
    shared = Signature(*Signer())
    for account in "1112":
        shared.sign(*Asked(), credentials=keys(account, f"of {account}"), now=NOON)
    assert begun == [b"AWS4of 1", b"AWS4of 2"]


@given(key=st.binary(max_size=200), text=st.text(max_size=200))
def test_a_key_signs_as_rfc_2104_says(key: bytes, text: str) -> None:
    signing = _Key(key)
    for _ in range(2):
        assert signing.digest(text) == hmac.digest(key, text.encode(), "sha256")
