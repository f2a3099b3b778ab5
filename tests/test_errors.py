"""What an error of AWS means, and that no answer is no empty answer."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from benchmarks.fleet import Raw
from orgscan import catalog
from orgscan.catalog import AnyCollector
from orgscan.errors import HERE, LONGEST, OutOfTime, Told, fact, gap, page_expired, trace
from orgscan.metrics import Query, fetch
from orgscan.model import GLOBAL, Blindness, Gap, Metric, Resource, Target
from orgscan.services.iam.collect import ReportNotReady, password_min_length
from orgscan.session import Clients, UndeclaredCall, declared
from tests.planning import STARTED, Answers

NEEDED = "User: u is not authorized to perform: ec2:DescribeVolumes"
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
BROKEN = ResponseParserError("invalid XML received:\nb'<DescribeInstancesResponse>hunter2")


def refusal(code: str | None, message: str | None) -> ClientError:
    told: Any = {"Error": {"Code": code, "Message": message}}
    return ClientError(told, "DescribeVolumes")


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (refusal("UnauthorizedOperation", NEEDED), Blindness.DENIED, "ec2:DescribeVolumes"),
        (
            refusal("AccessDenied", f"{NEEDED} with an explicit deny in a service control policy"),
            Blindness.DENIED_BY_SCP,
            "ec2:DescribeVolumes",
        ),
        (refusal("AccessDenied", None), Blindness.DENIED, "DescribeVolumes: AccessDenied"),
        (refusal("OptInRequired", "no"), Blindness.REGION_OFF, "DescribeVolumes: OptInRequired: no"),
        (refusal("LimitExceeded", "slow"), Blindness.THROTTLED, "DescribeVolumes: LimitExceeded: slow"),
        (refusal(None, None), Blindness.FAULT, "DescribeVolumes: : "),
        (
            ReadTimeoutError(endpoint_url="https://e"),
            Blindness.UNREACHABLE,
            'ReadTimeoutError: Read timeout on endpoint URL: "https://e"',
        ),
        (
            ConnectionClosedError(endpoint_url="https://e"),
            Blindness.UNREACHABLE,
            (
                "ConnectionClosedError: Connection was closed before we received a valid response "
                'from endpoint URL: "https://e".'
            ),
        ),
        # The answer that could not be parsed stands in its error; it may hold anything.
        (BROKEN, Blindness.UNREACHABLE, "ResponseParserError: invalid XML received:"),
        (KeyError("x"), Blindness.FAULT, "KeyError"),
        (OutOfTime(), Blindness.DEADLINE, "the invocation's time ran out"),
        (UndeclaredCall("ec2:DescribeHosts"), Blindness.FAULT, "UndeclaredCall: ec2:DescribeHosts"),
        (ReportNotReady("not yet"), Blindness.FAULT, "ReportNotReady: not yet"),
        (Told("ours"), Blindness.FAULT, "Told: ours"),
        (
            ParamValidationError(report="no Name"),
            Blindness.FAULT,
            "ParamValidationError: Parameter validation failed:",
        ),
    ],
)
def test_the_gap_that_an_error_leaves(error: Exception, reason: Blindness, detail: str) -> None:
    assert gap("scope", error) == Gap("scope", reason, detail)


ORG = "arn:aws:organizations::987654321098:policy/o-qv5af4abcd"
ENCODED = "Encoded authorization failure message: 9r4Vx"


@pytest.mark.parametrize(
    ("words", "reason", "detail"),
    [
        (
            f"with an explicit deny in a service control policy: {ORG}/service_control_policy/p-2kgnabcd",
            Blindness.DENIED_BY_SCP,
            "ec2:DescribeVolumes (p-2kgnabcd)",
        ),
        (
            f"with an explicit deny in a service control policy: {ORG}/service_control_policy/p-2. {ENCODED}",
            Blindness.DENIED_BY_SCP,
            "ec2:DescribeVolumes (p-2)",
        ),
        (
            "due to an explicit deny in a Service Control Policy",
            Blindness.DENIED_BY_SCP,
            "ec2:DescribeVolumes",
        ),
        (
            f"because no service control policy allows the ec2:DescribeVolumes action. {ENCODED}",
            Blindness.DENIED_BY_SCP,
            "ec2:DescribeVolumes",
        ),
        (
            "with an explicit deny in a resource control policy",
            Blindness.DENIED,
            "ec2:DescribeVolumes (resource control policy)",
        ),
        (
            f"with an explicit deny in a resource control policy: {ORG}/resource_control_policy/p-abc",
            Blindness.DENIED,
            "ec2:DescribeVolumes (resource control policy p-abc)",
        ),
        (
            "with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/team/Edge.v2",
            Blindness.DENIED,
            "ec2:DescribeVolumes (permissions boundary Edge.v2)",
        ),
        (
            "because no permissions boundary allows the ec2:DescribeVolumes action",
            Blindness.DENIED,
            "ec2:DescribeVolumes (permissions boundary)",
        ),
        (
            "with an explicit deny in a session policy",
            Blindness.DENIED,
            "ec2:DescribeVolumes (session policy)",
        ),
        (
            (
                "with an explicit deny in an identity-based policy, with policy ARN: "
                "arn:aws:iam::111122223333:policy/NoDisks"
            ),
            Blindness.DENIED,
            "ec2:DescribeVolumes (identity-based policy NoDisks)",
        ),
        (
            "because no identity-based policy allows the ec2:DescribeVolumes action",
            Blindness.DENIED,
            "ec2:DescribeVolumes",
        ),
        (
            "because no VPC endpoint policy allows the ec2:DescribeVolumes action",
            Blindness.DENIED,
            "ec2:DescribeVolumes (VPC endpoint policy)",
        ),
        ("with an explicit deny", Blindness.DENIED, "ec2:DescribeVolumes"),
    ],
)
def test_a_denial_names_the_policy_that_aws_names(words: str, reason: Blindness, detail: str) -> None:
    needed = f"{NEEDED} on resource: arn:aws:ec2:eu-west-1:111122223333:volume/* {words}"
    assert gap("scope", refusal("UnauthorizedOperation", needed)) == Gap("scope", reason, detail)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (500, "InternalError", Blindness.UNREACHABLE),
        (503, "Unavailable", Blindness.UNREACHABLE),
        (503, "RequestLimitExceeded", Blindness.THROTTLED),
        (400, "InvalidParameterValue", Blindness.FAULT),
        (400, "RequestExpired", Blindness.FAULT),
    ],
)
def test_a_service_that_fails_was_not_reached_and_one_that_refuses_was(
    aws: boto3.Session, status: int, code: str, reason: Blindness
) -> None:
    once = Config(retries={"total_max_attempts": 1})
    ec2 = Clients(aws, guarded=True, config=once).get("ec2")
    body = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
    Answers([(status, body.encode())]).serve(ec2, "DescribeVolumes")
    with declared(["ec2:DescribeVolumes"]), pytest.raises(ClientError) as refused:
        ec2.describe_volumes()
    assert gap("scope", refused.value) == Gap("scope", reason, f"DescribeVolumes: {code}: no")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredToken", "no"),
        ("ExpiredTokenException", "no"),
        ("AccessDeniedException", "The security token included in the request is expired"),
        ("UnrecognizedClientException", "The security token included in the request is expired"),
        ("InvalidSignatureException", "Signature expired: 20260115T060000Z is now earlier than"),
    ],
)
def test_an_expired_token_says_nothing_of_permissions_or_regions(code: str, message: str) -> None:
    lost = gap("scope", refusal(code, message))
    assert lost == Gap("scope", Blindness.FAULT, f"DescribeVolumes: {code}: {message}")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refusal("InvalidNextTokenException", None), True),
        (refusal("PaginationTokenExpiredException", "no"), True),
        (refusal("InvalidMarkerException", "no"), True),
        (refusal("ValidationError", "The specified next token is invalid"), True),
        (refusal("InvalidParameterValue", "Unable to parse pagination token"), True),
        (refusal("ExpiredTokenException", "The security token included in the request is expired"), False),
        (refusal("UnauthorizedOperation", NEEDED), False),
        (ValueError("NextToken"), False),
    ],
)
def test_the_way_to_a_next_page_can_end(error: Exception, *, told: bool) -> None:
    assert page_expired(error) is told


class Garbage:
    """An IAM whose answers cannot be read, and a library that quotes them."""

    def get_account_password_policy(self) -> None:
        raise ValueError("Invalid isoformat string: 'hunter2 AKIAIOSFODNN7EXAMPLE'")


def garbage() -> ValueError:
    read: Any = password_min_length
    with pytest.raises(ValueError, match="hunter2") as raised:
        read.__wrapped__(Garbage())  # as it raises, before `fact` makes a gap of it
    return raised.value


def password_line() -> int:
    """Of our code, where it asks."""
    lines = (HERE / "services/iam/collect.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if "iam.get_account_password_policy()" in line)


def test_of_what_python_raises_only_type_and_place_are_told() -> None:
    """A message may quote the value it is about, which may be a secret."""
    detail = f"ValueError at services/iam/collect.py:{password_line()}"
    assert gap("scope", garbage()) == Gap("scope", Blindness.FAULT, detail)


def test_a_log_shows_the_way_to_an_error_and_none_of_its_words() -> None:
    shown = trace(garbage()).splitlines()
    assert shown[0].startswith(f"{Path(__file__).as_posix()}:")
    assert shown[0].endswith(" garbage")
    assert f"services/iam/collect.py:{password_line()} password_min_length" in shown
    assert shown[-1].endswith(" Garbage.get_account_password_policy")
    assert "hunter2" not in str(shown)
    assert "iam.get" not in str(shown)  # no source lines


def test_an_error_that_was_never_raised_has_no_way() -> None:
    assert trace(ValueError("hunter2")) == ""


@pytest.mark.parametrize(
    "error",
    [
        refusal("ValidationError", f"1 error: Password={SECRET}"),
        refusal("AccessDenied", f"Password={SECRET}"),
        EndpointConnectionError(endpoint_url=f"https://user:{SECRET}@proxy"),
        ResponseParserError(f"invalid Password={SECRET}"),
    ],
)
def test_the_words_of_aws_are_kept_without_what_looks_secret(error: Exception) -> None:
    detail = gap("scope", error).detail
    assert detail.startswith(("DescribeVolumes: ", "EndpointConnectionError: ", "ResponseParserError: "))
    assert SECRET not in detail


def test_aws_may_be_wordy() -> None:
    """EC2 appends an encoded message of several thousand characters."""
    assert len(gap("scope", refusal("UnauthorizedOperation", "x" * 9000)).detail) <= LONGEST + len("...")


def test_a_fact_that_makes_no_sense_is_a_gap_of_that_fact_and_bad_code_is_not() -> None:
    @fact(absent="Nothing")
    def garbled() -> str:
        raise ValueError("hunter2")

    @fact(absent="Nothing")
    def greedy() -> str:
        raise UndeclaredCall("ec2:DescribeSnapshots")

    lost = garbled()
    assert isinstance(lost, Gap)
    assert (lost.scope, lost.reason) == ("garbled", Blindness.FAULT)
    assert lost.detail.startswith("ValueError at errors.py:")
    with pytest.raises(UndeclaredCall):
        greedy()


def test_a_fact_whose_answer_broke_off_is_a_gap_of_that_fact() -> None:
    @fact(absent="Nothing")
    def color() -> str:
        raise BROKEN

    assert color() == Gap("color", Blindness.UNREACHABLE, "ResponseParserError: invalid XML received:")


def cut_off(clients: Clients, service: str, target: Target) -> None:
    """From now on every answer of the service ends before it is whole."""

    def respond(request: Any, **_: object) -> AWSResponse:
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw(b'{"Cut": [<'))

    clients.get(service, target.api_region).meta.events.register_first("before-send", respond)


@pytest.mark.parametrize(
    "collector", [each for each in catalog.collectors() if each.calls], ids=lambda each: each.name
)
def test_an_answer_that_broke_off_is_no_empty_list(clients: Clients, collector: AnyCollector) -> None:
    """Broken JSON reaches us as an answer without fields."""
    target = Target(
        "123456789012", GLOBAL if collector.once else "eu-west-1", unscanned=("eu-south-2",), payer=True
    )
    for call in collector.calls:
        cut_off(clients, call.partition(":")[0], target)
    seen: list[Resource] = []
    lost: Gap | None = None
    try:
        seen.extend(collector.read(clients, target))
    except Exception as error:  # noqa: BLE001 (fields that are missing raise anything)
        lost = gap(collector.name, error)
    assert lost or unread(seen)
    assert "Cut" not in f"{lost} {seen}"


def unread(seen: list[Resource]) -> bool:
    """Whether each resource has a fact that was not read."""
    facts = [[getattr(each, name) for name in type(each).__dataclass_fields__] for each in seen]
    return bool(facts) and all(any(isinstance(value, Gap) for value in values) for values in facts)


def test_metrics_whose_answer_broke_off_are_gaps(clients: Clients, target: Target) -> None:
    cut_off(clients, "cloudwatch", target)
    query = Query(Metric("AWS/EC2", "CPUUtilization", "Average", 3600), (("InstanceId", "i-1"),), 7)
    with declared(("cloudwatch:GetMetricData",)):
        (answer,) = fetch(clients.get("cloudwatch"), [query], STARTED).values()
    assert isinstance(answer, Gap) or not answer.values
