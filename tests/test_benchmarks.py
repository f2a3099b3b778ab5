"""The served AWS that benchmarks measure against: what it answers, and what it counts."""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from benchmarks.order import in_order
from benchmarks.prowler import PAIRS
from benchmarks.recording import Answer, Recording
from benchmarks.request import key
from benchmarks.served_aws import Served, serving
from orgscan import catalog
from orgscan.model import Category

BUCKET, OTHER = "111111111111", "222222222222"
XML = b"<PolicyStatus><IsPublic>TRUE</IsPublic></PolicyStatus>\xc3\xa9\n"
VOLUMES = b"Action=DescribeVolumes&Version=2016-11-15"


def recording() -> Recording:
    """A bucket in one account, asked by its path; volumes in both, which differ."""
    answers = {
        recorded("s3", "GET", "/acme-logs?policyStatus", b"", BUCKET): Answer(
            "s3:GetBucketPolicyStatus", 200, (("Content-Type", "application/xml"), ("x-amz-id", "7")), XML
        ),
        recorded("ec2", "POST", "/", VOLUMES, BUCKET): Answer("ec2:DescribeVolumes", 200, (), b"<mine/>"),
        recorded("ec2", "POST", "/", VOLUMES, OTHER): Answer("ec2:DescribeVolumes", 403, (), b"<denied/>"),
    }
    targets = tuple({"account": account, "region": "eu-west-1"} for account in (BUCKET, OTHER))
    return Recording("scan", b"{}", targets, {}, 1024, "{}", answers)


def recorded(service: str, method: str, target: str, body: bytes, account: str) -> Any:
    return key(
        account=account,
        region="eu-west-1",
        service=service,
        method=method,
        host="",
        target=target,
        operation="",
        body=body,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = Path(tmp_path_factory.mktemp("bench")) / "recording"
    path.write_bytes(pickle.dumps(recording()))
    with serving(path) as aws:
        yield aws


@pytest.fixture
def aws(served: Served) -> Served:
    served.start_over()
    return served


def ask(aws: Served, account: str, *, session: int = 1, **how: Any) -> tuple[int, Mapping[str, str], bytes]:
    """`session`: of the account, as each target has one of its own."""
    how = {"service": "ec2", "method": "POST", "target": "/", "body": VOLUMES, "host": "ec2", **how}
    scope = f"20260115/eu-west-1/{how['service']}/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential=ASIA{account}{session:06}/{scope}, SignedHeaders=host, Signature=0"
    headers = {"Host": how["host"], "Authorization": signed}
    with closing(HTTPConnection("127.0.0.1", aws.port)) as connection:
        connection.request(how["method"], how["target"], how["body"], headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def test_what_was_recorded_is_answered_byte_for_byte_under_the_name_that_real_clients_call(
    aws: Served,
) -> None:
    status, headers, body = ask(
        aws,
        BUCKET,
        service="s3",
        method="GET",
        target="/?policyStatus",
        body=b"",
        host="acme-logs.s3.eu-west-1.amazonaws.com",
    )
    assert (status, body) == (200, XML)
    assert headers == {
        "Content-Type": "application/xml",
        "x-amz-id": "7",
        "Content-Length": str(len(XML)),
    }


def test_accounts_are_answered_as_themselves(aws: Served) -> None:
    assert ask(aws, BUCKET)[0::2] == (200, b"<mine/>")
    assert ask(aws, OTHER)[0::2] == (403, b"<denied/>")
    assert aws.told()["by_account"] == {BUCKET: {"eu-west-1": 1}, OTHER: {"eu-west-1": 1}}


@pytest.mark.parametrize(
    "how",
    [
        {"account": "333333333333"},
        {"account": BUCKET, "body": VOLUMES + b"&MaxResults=5"},
        {"account": BUCKET, "target": "/?"},
        {
            "account": OTHER,
            "service": "s3",
            "method": "GET",
            "target": "/acme-logs?policyStatus",
            "body": b"",
        },
    ],
    ids=["another account", "another body", "another path", "another account's bucket"],
)
def test_what_nobody_recorded_is_an_error_and_counted(aws: Served, how: dict[str, Any]) -> None:
    assert ask(aws, **how)[0] == 501
    told = aws.told()
    assert (told["unknown"], told["member_calls"]) == (1, 0)
    assert next(iter(told["unknown_requests"])).startswith(how["account"])


def test_the_same_call_is_counted_in_its_target_and_in_its_account(aws: Served) -> None:
    for session in (1, 1, 2):
        ask(aws, BUCKET, session=session)
    ask(aws, OTHER, session=3)
    told = aws.told()
    assert told["member_calls"] == 4
    assert told["by_operation"] == {"ec2:DescribeVolumes": 4}
    assert told["same_in_target"] == 1
    assert told["same_in_account"] == 2


def sent(who: str, service: str, body: bytes, *, first: str = "POST /", operation: str = "") -> bytes:
    """As it went over the wire. `operation`: where a header names it."""
    scope = f"20260115/eu-west-1/{service}/aws4_request"
    named = f"X-Amz-Target: DynamoDB_20120810.{operation}\r\n" if operation else ""
    signed = f"Authorization: AWS4-HMAC-SHA256 Credential=ASIA{who}/{scope}, SignedHeaders=host, Signature=0"
    return f"{first} HTTP/1.1\r\nHost: a.b\r\n{named}{signed}\r\n\r\n".encode() + body


def test_calls_are_put_in_the_order_in_which_they_must_be_made() -> None:
    entered = sent("HUB", "sts", b"Action=AssumeRole&RoleArn=arn")
    listed = sent(f"{BUCKET}000001", "ec2", VOLUMES)
    found = sent(f"{BUCKET}000001", "s3", b"", first="GET /acme-logs?policyStatus")
    measured = sent(f"{BUCKET}000001", "monitoring", b"Action=GetMetricData")
    claimed = sent("HUB", "dynamodb", b"{}", operation="UpdateItem")
    stock = sent("HUB", "s3", b"\x1f\x8b\x08", first="PUT /inventory/a")
    known = sent("HUB", "dynamodb", b"{}", operation="Query")
    written = sent("HUB", "dynamodb", b"{}", operation="TransactWriteItems")
    made = [entered, listed, found, measured, claimed, stock, known, written]
    stages = list(in_order([made, made[::-1]], recording().answers))
    assert stages[:7] == [[entered], [listed], [found], [measured], [claimed, stock], [known], [written]]
    assert stages[7:] == [list(reversed(each)) for each in stages[:7]]
    with pytest.raises(KeyError):
        list(in_order([[sent("HUB", "dynamodb", b"{}", operation="Scan")]], recording().answers))


def test_what_is_compared_with_a_peer_is_looked_for_once_by_each() -> None:
    checks = {each.id for each in catalog.checks() if each.category is Category.SECURITY}
    assert PAIRS.keys() <= checks
    assert len(set(PAIRS.values())) == len(PAIRS) == 40
