"""Calls that go the short way ask and answer what botocore's own do; what is not plain or not good is its."""

from __future__ import annotations

import inspect
import json
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequestPreparer, HeadersDict
from botocore.client import BaseClient
from botocore.endpoint import Endpoint, convert_to_response_dict
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.handlers import add_retry_headers
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserError
from botocore.retries import adaptive, bucket, special, standard
from botocore.signers import RequestSigner
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import exceptions as urllib3
from wrapt import FunctionWrapper

from orgscan import session
from orgscan.meter import Meter
from orgscan.pace import Pace
from orgscan.session import Clients, declared
from orgscan.ways import ANYBODY, KNOWN, MOST_KEPT, way
from orgscan.wire import Answer, Wire
from tests.roads import CALLS, ERROR, KEYS, ONCE, VOLUMES, Aws, Both, arriving, kept, new


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Both:
    return Both(kept(), arriving(monkeypatch))


def same(aws: Aws) -> None:
    """The last request of each way, headers and signature included."""
    method, target, headers, body = aws.short[-1]
    request = aws.long[-1]
    assert method == request.method
    parts = urlsplit(request.url)
    assert target == (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    assert body == _bytes(request.body)
    theirs = {name.lower(): _text(value) for name, value in request.headers.items()}
    ours = {name.lower(): value for name, value in headers.items()}
    # These two are the HTTP library's.
    assert ours.pop("accept-encoding") == "identity"
    assert ours.pop("host") == parts.netloc
    assert len(ours.pop("amz-sdk-invocation-id")) == len(theirs.pop("amz-sdk-invocation-id"))
    agents = [re.sub(" (m|PT|PTEnv)/[^ ]*", "", each.pop("user-agent")) for each in (ours, theirs)]
    assert agents[0] == agents[1]  # but for what botocore and Powertools say of themselves
    assert ours == theirs


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def example(shape: Any, text: str, deep: int = 3) -> Any:  # noqa: PLR0911 (by type)
    """What is required of a structure, and some of what is not."""
    match shape.type_name:
        case "structure":
            names = [*shape.required_members, *(sorted(shape.members)[:2] if deep else ())]
            return {name: example(shape.members[name], text, deep - 1) for name in names}
        case "list":
            return [example(shape.member, text, deep)]
        case "map":
            return {example(shape.key, text, deep): example(shape.value, text, deep)}
        case "string":
            return shape.enum[0] if getattr(shape, "enum", None) else text
        case "integer" | "long" | "float" | "double":
            return 7
        case "boolean":
            return True
        case "timestamp":
            return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        case _:
            return b"blob"


def asked(both: Both, call: str, text: str = "x-1") -> dict[str, Any]:
    service, operation = call.split(":")
    shape = both.kept.warm.get(service, "eu-west-1").meta.service_model.operation_model(operation).input_shape
    params = example(shape, text) if shape else {}
    return {**params, **({"Bucket": "a-bucket"} if "Bucket" in params else {})}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_that_orgscan_makes_is_asked_as_botocore_asks_it(both: Both, call: str) -> None:
    """The first time, and again when it was written before."""
    params = asked(both, call)
    both.aws.answers = [(200, b"")] * 4
    for times in (1, 2):
        for made in (both.short, both.long):
            with suppress(ResponseParserError):  # nothing at all is no answer to some
                made(call, params)
        assert (len(both.aws.short), len(both.aws.long)) == (times, times)
        same(both.aws)


def test_what_was_written_before_is_asked_in_the_words_of_this_moment(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another invocation is traced under another id, and no parameter is another one's."""
    for root, filters in (("1-2-3", []), ("1-2-4", []), ("1-2-5", [{"Name": "status", "Values": ["error"]}])):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root}")
        both.aws.answers = [(200, VOLUMES)] * 2
        both.short(CALL, {"Filters": filters})
        both.long(CALL, {"Filters": filters})
        same(both.aws)
        assert both.aws.short[-1][2]["X-Amzn-Trace-Id"] == f"Root={root}"
    client = both.kept.warm.get("ec2", "eu-west-1")
    kept_words = client._short.__self__._ways["DescribeVolumes"]._kept
    assert "{'Filters': []}" in kept_words
    for number in range(20):
        both.aws.answers = [(200, VOLUMES)]
        both.short(CALL, {"NextToken": f"{number}"})
    assert len(kept_words) == MOST_KEPT
    both.aws.answers = [(200, VOLUMES)] * 2
    both.short(CALL, {"NextToken": "19"})
    both.long(CALL, {"NextToken": "19"})
    same(both.aws)


@pytest.mark.parametrize("call", CALLS)
def test_who_listens_is_found_without_the_name_of_the_operation(both: Both, call: str) -> None:
    service, name = call.split(":")
    events = both.kept.warm.get(service, "eu-west-1").meta.events
    model = both.kept.warm.get(service, "eu-west-1").meta.service_model
    id_ = model.service_id.hyphenize()
    for event in (*KNOWN, *ANYBODY):
        whole: str = events._alias_event_name(f"{event}.{id_}.{name}")
        assert whole == f"{events._alias_event_name(f'{event}.{id_}')}.{name}"


def test_a_bucket_like_the_last_one_has_its_connections(both: Both) -> None:
    client = both.kept.warm.get("s3", "eu-west-1")
    wires = []
    for bucket_name in ("a-bucket", "b-bucket"):
        both.aws.answers = [(200, b"<R/>")]
        both.short("s3:GetBucketVersioning", {"Bucket": bucket_name})
        wires.append(dict(client._short.__self__._wires))
    assert [list(each) for each in wires] == [["https://s3.eu-west-1.amazonaws.com"]] * 2
    assert wires[0] == wires[1]


@given(odd=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
@pytest.mark.parametrize(
    "call",
    [
        *("ec2:DescribeVolumes", "kms:ListKeys", "lambda:GetPolicy"),
        *("backup:ListProtectedResources", "s3:ListMultipartUploads"),
    ],
)
def test_whatever_a_thing_is_called_it_is_asked_for_as_botocore_does(call: str, odd: str) -> None:
    """In the body, in the path, in the query. What botocore refuses is not sent either."""
    with pytest.MonkeyPatch.context() as patch:
        both = Both(kept(), arriving(patch))
        params = asked(both, call, odd)
        body = b"<R/>" if call.startswith(("ec2", "s3")) else b"{}"
        both.aws.answers = [(200, body), (200, body)]
        refused = [_refused(made, call, params) for made in (both.short, both.long)]
        assert refused[0] == refused[1]
        if both.aws.short:
            same(both.aws)


def _refused(made: Callable[..., Any], call: str, params: Mapping[str, Any]) -> type | None:
    try:
        made(call, params)
    except (BotoCoreError, ResponseParserError, ValueError) as error:
        return type(error)
    return None


CALL = "ec2:DescribeVolumes"


class Turns(Pace):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []

    def wait(self, region: str, call: str, *, most: float = inf) -> None:
        super().wait(region, call, most=most)
        self.taken.append(call)


def test_a_good_answer_is_what_botocore_makes_of_it(both: Both) -> None:
    both.aws.answers = [(200, VOLUMES)] * 2
    ours, theirs = both.short(CALL, {}), both.long(CALL, {})
    assert ours["Volumes"] == theirs["Volumes"] == [{"VolumeId": "vol-1"}]
    assert ours["ResponseMetadata"]["RetryAttempts"] == theirs["ResponseMetadata"]["RetryAttempts"] == 0
    assert len(both.aws.short) == len(both.aws.long) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, b"UnauthorizedOperation"), (400, b"InvalidParameterValue"), (404, b"InvalidVolume.NotFound")],
)
def test_a_refusal_is_botocores_error_and_is_not_asked_for_twice(
    both: Both, status: int, code: bytes
) -> None:
    told = []
    for made in (both.short, both.long):
        both.aws.answers = [(status, ERROR % code)]
        with pytest.raises(ClientError) as refused:
            made(CALL, {})
        told.append((type(refused.value), refused.value.response, str(refused.value)))
    both.aws.answers = []
    assert told[0] == told[1]
    assert (len(both.aws.short), len(both.aws.long)) == (1, 1)


MISSING = {
    "s3:GetBucketPolicy": b"<Error><Code>NoSuchBucketPolicy</Code><Message>no</Message></Error>",
    "s3control:GetPublicAccessBlock": b"<ErrorResponse><Error>"
    b"<Code>NoSuchPublicAccessBlockConfiguration</Code><Message>no</Message></Error></ErrorResponse>",
    "iam:GetLoginProfile": b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
    b"<Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>",
    "lambda:GetPolicy": b'{"Type": "User", "Message": "no", "__type": "ResourceNotFoundException"}',
    "efs:DescribeFileSystemPolicy": b'{"ErrorCode": "PolicyNotFound", "Message": "no"}',
    CALL: ERROR % b"InvalidVolume.NotFound",
}


@pytest.mark.parametrize("call", MISSING)
def test_what_there_is_not_is_botocores_error_without_botocores_way(both: Both, call: str) -> None:
    """Its class, its fields, and what whoever listens for the end of calls hears."""
    told, params = [], asked(both, call)
    for made in (both.short, both.long):
        both.aws.answers = [(404, MISSING[call])]
        with pytest.raises(ClientError) as refused:
            made(call, params)
        told.append((type(refused.value), refused.value.operation_name, refused.value.response))
    assert told[0] == told[1]
    assert (len(both.aws.short), len(both.aws.long)) == (1, 1)


@pytest.mark.parametrize(("status", "body"), [(404, b""), (404, ERROR % b"RequestTimeout"), (404, b"<html>")])
def test_an_odd_missing_is_botocores_to_judge(both: Both, status: int, body: bytes) -> None:
    """One that says nothing, or that botocore repeats."""
    told = []
    for made in (both.short, both.long):
        both.aws.answers = [(status, body), (200, VOLUMES)]
        try:
            told.append(made(CALL, {})["Volumes"])
        except (ClientError, ResponseParserError) as error:
            told.append((type(error), str(error)))
    assert told[0] == told[1]
    assert len(both.aws.short) == 1


@pytest.mark.parametrize(
    "first",
    [
        (503, ERROR % b"RequestLimitExceeded"),
        (500, b""),
        urllib3.ProtocolError("closed"),
        ConnectionResetError(),
        TimeoutError(),
        urllib3.ReadTimeoutError(None, "", ""),  # type: ignore[arg-type]
        urllib3.ConnectTimeoutError(),
        urllib3.NewConnectionError(None, ""),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_what_failed_botocore_asks_again_and_each_attempt_counts(both: Both, first: Any) -> None:
    both.aws.answers = [first, (200, VOLUMES)]
    meter, pace = Meter(), Turns()
    clients = both.clients(meter=meter, pace=pace)
    with declared([CALL]):
        client = clients.get("ec2", "eu-west-1")
        answer = client.describe_volumes()
    assert answer["Volumes"] == [{"VolumeId": "vol-1"}]
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert (len(both.aws.short), len(both.aws.long)) == (1, 1)
    assert pace.taken == [CALL] * 2
    assert meter.calls == {CALL: 2}
    assert b"attempt=2" in both.aws.long[0].headers["amz-sdk-request"]


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (urllib3.SSLError(), SSLError),
        (ssl.SSLCertVerificationError(), SSLError),
        (socket.gaierror(), EndpointConnectionError),
        (urllib3.NewConnectionError(None, ""), EndpointConnectionError),  # type: ignore[arg-type]
        (urllib3.ConnectTimeoutError(), ConnectTimeoutError),
        (TimeoutError(), ReadTimeoutError),
        (BrokenPipeError(), ConnectionClosedError),
        (urllib3.ProtocolError(), ConnectionClosedError),
        (urllib3.HTTPError(), HTTPClientError),
    ],
)
def test_what_never_comes_back_is_botocores_error(both: Both, error: Exception, named: type) -> None:
    home = Clients(kept().session, guarded=False, config=session.CONFIG.merge(ONCE), credentials=KEYS)
    both.aws.answers = [error]
    with pytest.raises(named) as failed:
        home.get("ec2", "eu-west-1").describe_volumes()
    assert type(failed.value) is named
    assert (len(both.aws.short), len(both.aws.long)) == (1, 0)


def test_an_expired_token_is_renewed_if_it_is_the_one_that_was_used(both: Both) -> None:
    used: list[str] = []

    def renew(token: str) -> bool:
        used.append(token)
        return True

    both.aws.answers = [(400, ERROR % b"RequestExpired"), (200, VOLUMES)]
    clients = both.clients(renew=renew)

    def answered(_: Wire, written: bytes) -> Answer:
        # Another thread renews the keys while this one waits for its answer.
        answer = both.aws.ask(written)
        clients.credentials.token = "newer"
        return answer

    with pytest.MonkeyPatch.context() as patch, declared([CALL]):
        patch.setattr(Wire, "ask", answered)
        clients.get("ec2", "eu-west-1").describe_volumes()
    assert used == ["token+/="]


def test_metrics_of_a_call_that_was_refused_are_counted_once(both: Both) -> None:
    both.aws.answers = [(403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")]
    meter, call = Meter(), "cloudwatch:GetMetricData"
    queries = [{"Id": "m1"}, {"Id": "m2"}]
    with declared([call]), pytest.raises(ClientError):
        both.clients(meter=meter).get("cloudwatch", "eu-west-1").get_metric_data(
            MetricDataQueries=queries, StartTime=1, EndTime=2
        )
    assert meter.metrics == 2
    assert meter.calls == {call: 1}


def test_json_that_broke_off_is_no_empty_list(both: Both) -> None:
    both.aws.answers = [(200, b'{"Keys": [')]
    with pytest.raises(ResponseParserError):
        both.short("kms:ListKeys", {})


def test_an_answer_with_another_checksum_is_asked_for_again(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB's: botocore looks at it and repeats the call."""
    body = b'{"TableNames": []}'
    wrong = Answer(200, HeadersDict({"x-amz-crc32": "7"}), body)
    monkeypatch.setattr(Wire, "ask", lambda *_: wrong)
    both.aws.answers = [(200, body)]
    assert both.short("dynamodb:ListTables", {})["TableNames"] == []
    assert len(both.aws.long) == 1


def test_an_error_with_a_good_status_is_an_error(both: Both) -> None:
    """S3 has begun to answer when it finds that it cannot: botocore repeats the call."""
    good = b"<AccessControlPolicy><Owner><ID>o</ID></Owner></AccessControlPolicy>"
    both.aws.answers = [(200, b"<Error><Code>InternalError</Code></Error>"), (200, good)]
    assert both.short("s3:GetBucketAcl", {"Bucket": "a-bucket"})["Owner"] == {"ID": "o"}
    assert (len(both.aws.short), len(both.aws.long)) == (1, 1)


def test_a_signature_that_aws_does_not_take_is_botocores_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = Both(new(), arriving(monkeypatch))
    for _ in range(2):
        fresh.aws.answers = [(403, ERROR % b"SignatureDoesNotMatch"), (200, VOLUMES)][
            -2 + len(fresh.aws.short) :
        ]
        assert len(fresh.short(CALL, {})["Volumes"]) == 1
    assert (len(fresh.aws.short), len(fresh.aws.long)) == (1, 2)


def test_whoever_listens_hears_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that begins when calls have gone the short way; and no longer when it stops."""
    fresh = Both(new(), arriving(monkeypatch))
    heard: list[str] = []

    def listen(event_name: str, **_: object) -> None:
        heard.append(event_name)

    fresh.aws.answers = [(200, VOLUMES)] * 10
    clients = fresh.clients()
    with declared([CALL]):
        client = clients.get("ec2", "eu-west-1")
        for event in ("before-send", "request-created", "response-received", "before-sign", "needs-retry"):
            client.describe_volumes()
            client.meta.events.register(event, listen)
            client.describe_volumes()
            client.meta.events.unregister(event, listen)
    assert heard == [
        f"{each}.ec2.DescribeVolumes"
        for each in ("before-send", "request-created", "response-received", "before-sign", "needs-retry")
    ]
    assert (len(fresh.aws.short), len(fresh.aws.long)) == (5, 5)


def test_whoever_wraps_botocores_calls_sees_every_call(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """As X-Ray does, from the moment that it patches."""
    seen: list[str] = []

    def see(call: Any, _: object, how: Any, more: Any) -> Any:
        seen.append(how[0])
        return call(*how, **more)

    both.aws.answers = [(200, VOLUMES)] * 2
    both.short(CALL, {})
    monkeypatch.setattr(
        BaseClient, "_make_api_call", FunctionWrapper(vars(BaseClient)["_make_api_call"], see)
    )
    both.short(CALL, {})
    assert seen == ["DescribeVolumes"]
    assert (len(both.aws.short), len(both.aws.long)) == (1, 1)


def test_a_line_in_a_header_is_nobodys_header(both: Both) -> None:
    """Botocore's HTTP library refuses it: it is to see it."""
    client = both.clients().get("ec2", "eu-west-1")
    found = way(client, client.meta.events._emitter, "DescribeVolumes")
    assert found is not None
    context = dict(found._context)

    def forge(params: dict[str, Any], **_: object) -> None:
        params["headers"]["X-Forged"] = "a\r\nX-Amz-Target: b"

    with declared([CALL]):
        assert found.asked({}) is not None
        found._heard = {**found._heard, "before-call": (forge,)}
        assert found.asked({}) is None
    assert context == found._context


def test_through_a_proxy_goes_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    fresh = Both(new(), arriving(monkeypatch))
    fresh.aws.answers = [(200, VOLUMES)]
    fresh.short(CALL, {})
    assert (len(fresh.aws.short), len(fresh.aws.long)) == (0, 1)


def test_what_the_hub_asks_goes_the_short_way_too(both: Both) -> None:
    """With the keys of whoever runs it, and a table's types."""
    home = Clients(kept().session, guarded=False, credentials=KEYS)
    both.aws.answers = [(200, b'{"Item": {"n": {"N": "7"}}}')]
    assert home.table("findings").get_item(Key={"pk": "a"})["Item"] == {"n": 7}
    ((_, _, headers, body),) = both.aws.short
    assert json.loads(body) == {"TableName": "findings", "Key": {"pk": {"S": "a"}}}
    assert "Credential=AKIAHUB/" in headers["Authorization"]
    assert both.aws.long == []


def test_what_is_to_happen_once_is_known_by_its_token_whichever_way_it_goes(both: Both) -> None:
    """DynamoDB is asked again, and has done it already."""
    home = Clients(kept().session, guarded=False, credentials=KEYS)
    put = {"Put": {"TableName": "findings", "Item": {"pk": "a"}}}
    both.aws.answers = [(500, b"{}"), (200, b"{}")]
    home.table("findings").meta.client.transact_write_items(TransactItems=[put])
    ((_, _, _, first),) = both.aws.short
    (second,) = both.aws.long
    assert len(json.loads(first)["ClientRequestToken"]) == 36
    assert json.loads(first) == json.loads(second.body)


def test_a_client_that_was_throttled_keeps_its_rate_the_short_way_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[int] = []
    measured: list[int] = []
    record: Callable[[adaptive.RateClocker], float] = adaptive.RateClocker.record

    def measure(clocker: adaptive.RateClocker) -> float:
        measured.append(1)
        return record(clocker)

    monkeypatch.setattr(bucket.TokenBucket, "acquire", lambda *_: waited.append(1))
    monkeypatch.setattr(adaptive.RateClocker, "record", measure)
    fresh = Both(new(), arriving(monkeypatch))
    with declared([CALL]):
        client = fresh.clients().get("ec2", "eu-west-1")
        fresh.aws.answers = [(200, VOLUMES)]
        client.describe_volumes()
        assert (len(waited), len(measured)) == (0, 1)
        fresh.aws.answers = [(503, ERROR % b"RequestLimitExceeded"), (200, VOLUMES)]
        client.describe_volumes()
        assert (len(waited), len(measured)) == (1, 3)
        fresh.aws.answers = [(200, VOLUMES)]
        client.describe_volumes()
        assert (len(waited), len(measured)) == (2, 4)
    assert (len(fresh.aws.short), len(fresh.aws.long)) == (3, 1)


SEAM = {
    "AWSRequestPreparer": 745837049,
    "BaseClient._convert_to_request_dict": 1837340483,
    "BaseClient._emit_api_params": 4119457471,
    "BaseClient._make_api_call": 1502859623,
    "BaseClient._resolve_endpoint_ruleset": 3083058518,
    "Endpoint": 169681439,
    "RequestSigner._choose_signer": 1462065844,
    "RequestSigner.sign": 982229285,
    "RetryDDBChecksumError": 2285798335,
    "RetryHandler.needs_retry": 197745225,
    "S3SigV4Auth": 1876182844,
    "SigV4Auth": 2866834584,
    "StandardRetryConditions": 2407411782,
    "URLLib3Session.send": 1393611165,
    "add_retry_headers": 2588758617,
    "convert_to_response_dict": 3350946593,
}
"""What of botocore's is done anew, and a checksum of how botocore does it."""


def test_botocore_calls_as_it_did_when_this_was_written() -> None:
    """If an upgrade fails here: read what is new in it, do it alike, and note the checksum."""
    client: Any = BaseClient
    signer: Any = RequestSigner
    done = (
        *(client._make_api_call, client._emit_api_params, client._convert_to_request_dict),
        *(client._resolve_endpoint_ruleset, Endpoint, convert_to_response_dict, URLLib3Session.send),
        *(signer.sign, signer._choose_signer, SigV4Auth, S3SigV4Auth, AWSRequestPreparer),
        *(add_retry_headers, standard.StandardRetryConditions, standard.RetryHandler.needs_retry),
        special.RetryDDBChecksumError,
    )
    assert {each.__qualname__: crc32(inspect.getsource(each).encode()) for each in done} == SEAM
