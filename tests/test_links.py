"""Links lead where they say, for as long as they say."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orgscan import session
from orgscan.links import console, presigned
from tests.conftest import ACCOUNT

KEY = "scans/20260115T060000000Z-8f14e45f/report.html"
LATE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_each_partition_has_its_console(partition: str, region: str, host: str) -> None:
    url = urlsplit(console(partition, region, "acme-results", KEY))
    assert (url.scheme, url.netloc, url.path) == ("https", host, "/s3/object/acme-results")
    assert parse_qs(url.query) == {"region": [region], "prefix": [KEY]}


def lent(patch: pytest.MonkeyPatch, region: str = "eu-west-1", minutes: int = 30) -> tuple[Any, datetime]:
    patch.setenv("AWS_DEFAULT_REGION", region)
    home = session.here()
    role = f"arn:{home.partition}:iam::{ACCOUNT}:role/orgscan-links"
    clients, until = session.lend(home, role, minutes=minutes, session_name="orgscan-scan")
    return clients.get("s3"), until


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-west-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_a_link_is_signed_for_the_buckets_own_host_as_kms_wants_it(
    aws: object, monkeypatch: pytest.MonkeyPatch, region: str, suffix: str
) -> None:
    """Another host would send its reader on, where the signature is wrong."""
    assert aws
    s3, until = lent(monkeypatch, region)
    url, _ = presigned(s3, bucket="acme-results", key=KEY, minutes=30, until=until)
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == (f"acme-results.s3.{region}.{suffix}", f"/{KEY}")
    told = parse_qs(parts.query)
    assert told["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert told["X-Amz-SignedHeaders"] == ["host"]
    assert told["X-Amz-Expires"] == ["1800"]
    assert told["X-Amz-Security-Token"]


def test_a_link_ends_with_its_time_or_with_the_credentials(
    aws: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws
    s3, _ = lent(monkeypatch)
    url, expires = presigned(s3, bucket="acme-results", key=KEY, minutes=10, until=LATE)
    signed = datetime.fromisoformat(parse_qs(urlsplit(url).query)["X-Amz-Date"][0])
    assert expires == signed + timedelta(minutes=10)
    soon = expires - timedelta(minutes=4)
    assert presigned(s3, bucket="acme-results", key=KEY, minutes=10, until=soon)[1] == soon


@pytest.mark.parametrize(("minutes", "seconds"), [(5, 900), (60, 3600)])
def test_credentials_are_asked_for_as_long_as_sts_allows(
    aws: object, monkeypatch: pytest.MonkeyPatch, minutes: int, seconds: int
) -> None:
    assert aws
    before = datetime.now(UTC)
    _, until = lent(monkeypatch, minutes=minutes)
    lasts = until - before
    assert timedelta(seconds=seconds - 1) <= lasts <= timedelta(seconds=seconds + 60)
