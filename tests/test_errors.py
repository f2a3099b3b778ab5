"""What an error of AWS means, and that no answer is no empty answer."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from orgscan import catalog
from orgscan.catalog import AnyCollector
from orgscan.engine import Listing, collect
from orgscan.errors import LONGEST, fact, gap
from orgscan.metrics import Query, fetch
from orgscan.model import GLOBAL, Blindness, Gap, Metric, Target
from orgscan.session import Clients, declared
from tests.cases.case import NOW
from tests.planning import Raw

NEEDED = "User: u is not authorized to perform: ec2:DescribeVolumes"
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
        (KeyError("x"), Blindness.FAULT, "KeyError: 'x'"),
    ],
)
def test_the_gap_that_an_error_leaves(error: Exception, reason: Blindness, detail: str) -> None:
    assert gap("scope", error) == Gap("scope", reason, detail)


def test_aws_may_be_wordy() -> None:
    """EC2 appends an encoded message of several thousand characters."""
    assert len(gap("scope", refusal("UnauthorizedOperation", "x" * 9000)).detail) <= LONGEST + len("...")


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


@pytest.mark.parametrize("collector", catalog.collectors(), ids=lambda each: each.name)
def test_an_answer_that_broke_off_is_no_empty_list(clients: Clients, collector: AnyCollector) -> None:
    """Broken JSON reaches us as an answer without fields."""
    target = Target("123456789012", GLOBAL if collector.once else "eu-west-1")
    for call in collector.calls:
        cut_off(clients, call.partition(":")[0], target)
    (listing,) = collect(clients, target, [collector]).values()
    assert listing.gap or unread(listing)
    assert "Cut" not in str(listing)


def unread(listing: Listing) -> bool:
    """Whether each resource has a fact that was not read."""
    facts = [[getattr(each, name) for name in type(each).__dataclass_fields__] for each in listing.resources]
    return bool(facts) and all(any(isinstance(value, Gap) for value in values) for values in facts)


def test_metrics_whose_answer_broke_off_are_gaps(clients: Clients, target: Target) -> None:
    cut_off(clients, "cloudwatch", target)
    query = Query(Metric("AWS/EC2", "CPUUtilization", "Average", 3600), (("InstanceId", "i-1"),), 7)
    with declared(("cloudwatch:GetMetricData",)):
        (answer,) = fetch(clients.get("cloudwatch"), [query], NOW).values()
    assert isinstance(answer, Gap) or not answer.values
