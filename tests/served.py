"""An AWS that was recorded: real clients get real bytes, and any call of theirs can be made to fail.

    served = Served(record())
    clients = served.clients()
    with served.failing("ec2:DescribeVolumes", FAULTS["Throttling"], page=2):
        ...                              # the first page is as ever, the second is refused
    served.calls                         # every request, in order

Nothing is listed by hand: operations, protocols and page tokens come from botocore's models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import count
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import boto3
import botocore.session
import jmespath
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.response import StreamingBody
from botocore.utils import set_value_from_jmespath
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse
from moto.core.utils import get_pagination_model, get_service_model

from local import cloudwatch, faults, s3, snapshots
from local.beyond import Beyond, Refused, Written, write
from local.emulator import few_managed_policies
from local.faults import accounts, compute, payer, tagging
from local.place import Account, Book, Place, Planted
from local.place import Clients as ClientsOf
from orgscan import catalog, iam, metrics, regions
from orgscan.metrics import Query
from orgscan.model import GLOBAL, Blindness, Resource, Target
from orgscan.parsers import Parsers
from orgscan.session import CONFIG, Clients, declared

if TYPE_CHECKING:
    from botocore.parsers import ResponseParserFactory

ACCOUNT, REGION = "123456789012", "eu-west-1"
EVERYWHERE = Target(ACCOUNT, GLOBAL, unscanned=("eu-north-1", "eu-west-3"))
HERE = Target(ACCOUNT, REGION)
TARGETS = (EVERYWHERE, HERE)
ONCE = CONFIG.merge(Config(retries={"total_max_attempts": 1}))
"""For clients that take the first answer: between two attempts botocore sleeps."""
ALL_FAULTS = 7
"""The number of an account that has every fault which an account as a whole can have."""
LONG = 60
"""Days that CloudWatch is asked about; who asks about fewer gets a part."""
METRICS = "cloudwatch:GetMetricData"
TOKEN = "served-page-2"
HEADER = "X-Served"
NOWHERE = "https://answered.invalid/"
"""Every handler is asked, moto's too, which raises where it lacks an operation of a service that it has."""
LOADER = Loader()

Parsed: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the caller made it, before botocore wrote it: 'ec2:DescribeVolumes'."""

    call: str
    region: str
    parameters: Parsed = field(hash=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What botocore read from the wire, before its handlers, without metadata."""

    status: int
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Recording:
    """`now` is when: what is 40 days old then was planted so."""

    now: datetime
    answers: Mapping[Asked, Answer]
    resources: Mapping[tuple[Target, str], tuple[Resource, ...]]
    """(target, collector's name) -> what it yielded."""
    planted: frozenset[Planted]
    """The faults of this world, as far as they are any by default."""
    look_alikes: frozenset[Planted]


class Recorder:
    """Keeps what the clients of a session are answered, by moto or by what is planted beyond it."""

    def __init__(self, session: boto3.Session, beyond: Beyond) -> None:
        self.answers: dict[Asked, Answer] = {}
        self._beyond = beyond
        self._asking = local()
        session.events.register("provide-client-params", _remember)
        session.events.register("before-call", self._ask)
        session.events.register_first("before-send", self._send)
        session.events.register("response-received", self._keep)

    def _ask(self, context: dict[str, Any], **_: object) -> None:
        self._asking.now = context["asked"]

    def _send(self, request: Any, **_: object) -> Any:
        asked: Asked = self._asking.now
        region = "us-east-1" if asked.region == "aws-global" else asked.region
        answer = self._beyond.write(ACCOUNT, region, asked.call, asked.parameters)
        if answer is None:
            return None
        headers = HTTPHeaders.from_dict(answer.headers)
        response = AWSResponse(request.url, answer.status, headers, MockRawResponse(answer.body))
        request.url = NOWHERE
        return response

    def _keep(self, context: dict[str, Any], parsed_response: Any, response_dict: Any, **_: object) -> None:
        if parsed_response is not None:
            parsed = {key: _kept(parsed_response, key) for key in parsed_response}
            del parsed["ResponseMetadata"]
            self.answers[context["asked"]] = Answer(response_dict["status_code"], parsed)


def _remember(params: Parsed, model: Any, context: dict[str, Any], **_: object) -> None:
    call = f"{model.service_model.service_name}:{model.name}"
    context["asked"] = Asked(call, context["client_region"], dict(params))


def _kept(parsed: Any, key: Any) -> Any:
    """A copy: botocore's handlers change the original. In UTC, which is all that moto writes."""
    match parsed[key]:
        case dict() as members:
            return {name: _kept(members, name) for name in members}
        case list() as items:
            return [_kept(items, number) for number in range(len(items))]
        case datetime() as moment:
            return moment.astimezone(UTC)
        case StreamingBody() as body:
            content = body.read()
            parsed[key] = StreamingBody(BytesIO(content), len(content))
            return content
        case value:
            return value


@cache
def record() -> Recording:
    """One account with all of the invented organization's faults, as every collector sees it.

    Made once per process; not within a test's own moto, which would be emptied.
    """
    with pytest.MonkeyPatch.context() as patch, mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        few_managed_policies(patch)
        cloudwatch.install(patch)
        s3.install(patch)
        snapshots.install(patch)
        book = _plant()
        session = _session()
        recorder = Recorder(session, book.beyond)
        clients = Clients(session, guarded=True)
        now = datetime.now(UTC)
        resources = {
            (target, each.name): tuple(each.read(clients, target, now=now))
            for target in TARGETS
            for each in catalog.collectors()
            if each.once == target.once or each in catalog.everything().needed(once=target.once)
        }
        with declared(metrics.CALLS):
            metrics.fetch(clients.get("cloudwatch", REGION), _measured(resources), now)
        with declared(("s3:ListMultipartUploads",)):
            # Of those too whose lifecycle rules end them: who misses a rule in an answer asks.
            for bucket in resources[HERE, "s3-buckets"]:
                clients.get("s3", REGION).list_multipart_uploads(Bucket=bucket.arn.rpartition(":")[2])
        regions.of_account(lambda: clients)
        planted = frozenset(each for each in book.open if each.check not in tagging.CONFIGURED)
        return Recording(now, recorder.answers, resources, planted, frozenset(book.look_alikes))


def _plant() -> Book:
    @cache
    def client(service: str, account: str, region: str) -> Any:
        assert account == ACCOUNT
        return _session().client(service, region_name=region)

    book = Book(beyond=Beyond(faults.absent()))
    plant(book, client, REGION)
    return book


def plant(book: Book, client: ClientsOf, region: str) -> None:
    """Every fault in one account that manages its organization: those of a region in this one."""
    book.number("exposed accounts")  # every other one never set its block; this one has an answer to read
    account = Account(ACCOUNT, "acme-shop-prod", "prod")
    everywhere, here = (
        Place(account, each, client, book, exposed=True, payer=True) for each in (GLOBAL, region)
    )
    accounts.furnish(everywhere, ALL_FAULTS)
    organizations = client("organizations", ACCOUNT, "us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    acquired = organizations.create_account(AccountName="acquired", Email="aws@acme.example")
    organizations.enable_policy_type(
        RootId=organizations.list_roots()["Roots"][0]["Id"], PolicyType="SERVICE_CONTROL_POLICY"
    )
    payer.unguarded(everywhere, acquired["CreateAccountStatus"]["AccountId"])
    faults.order(here)
    for each in faults.scenarios():
        for place in (everywhere, here):
            if each.fits(place):
                each.plant(place)
    compute.instance_nobody_measured(here)


def _session(parsers: ResponseParserFactory | None = None) -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", LOADER)
    if parsers:
        core.register_component("response_parser_factory", parsers)
    return boto3.Session("testing", "testing", "testing", region_name=REGION, botocore_session=core)


def _measured(resources: Mapping[tuple[Target, str], tuple[Resource, ...]]) -> Iterator[Query]:
    """All that any check can ask CloudWatch about these resources, over a longer time than any does."""
    for check in catalog.checks():
        for (target, _), seen in resources.items():
            for resource in seen if target == HERE else ():
                # A check may ask about what it looks at beside its own, and about parts of it.
                concerned = isinstance(resource, (check.resource, *check.also))
                for part in (resource, *_parts(resource)) if concerned else ():
                    dimensions = tuple(sorted(part.dimensions.items()))
                    yield from (Query(each, dimensions, LONG) for each in check.measures if dimensions)


def _parts(resource: Resource) -> Iterator[Resource]:
    """What is measured within it, as the indexes of a table."""
    for each in fields(resource):
        value = getattr(resource, each.name)
        yield from (part for part in value if isinstance(part, Resource)) if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a call fails."""

    name: str
    reasons: frozenset[Blindness]
    """What coverage may say then."""
    befall: Callable[[str, Written], Written]
    """(call, healthy answer) -> what comes instead; or it raises."""

    def __str__(self) -> str:
        return self.name


def refusing(
    message: str, codes: Mapping[str, tuple[int, str]] | None = None
) -> Callable[[str, Written], Written]:
    """`codes`: protocol -> HTTP status and error code; those of a denial if left out."""

    def befall(call: str, _: Written) -> Written:
        service = get_service_model(call.partition(":")[0])
        # Who spoke query before JSON still says so in a header.
        protocol = "query" if service.is_query_compatible else service.resolved_protocol
        status, code = (codes or DENIED)[protocol]
        words = message.format(action=iam.action(call))
        if code == "UnauthorizedOperation":
            words = f"You are not authorized to perform this operation. {words}"
        return write(call, Refused(code, words, status))

    return befall


def _breaking(error: type[HTTPClientError]) -> Callable[[str, Written], Written]:
    def befall(call: str, _: Written) -> Written:
        raise error(endpoint_url=f"https://{call.partition(':')[0]}.{REGION}.amazonaws.com/")

    return befall


def _cut(_: str, healthy: Written) -> Written:
    return Written(healthy.status, healthy.headers, healthy.body[: len(healthy.body) // 2])


USER = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/orgscan-member/scan is not authorized to perform: {{action}}"
)
DENIED = {
    "ec2": (403, "UnauthorizedOperation"),
    "query": (403, "AccessDenied"),
    "rest-xml": (403, "AccessDenied"),
    "json": (400, "AccessDeniedException"),
    "rest-json": (403, "AccessDeniedException"),
}
_FAULTS = (
    Fault(
        "AccessDenied",
        frozenset({Blindness.DENIED}),
        refusing(f"{USER} because no identity-based policy allows the {{action}} action", DENIED),
    ),
    Fault(
        "SCP",
        frozenset({Blindness.DENIED_BY_SCP}),
        refusing(
            f"{USER} with an explicit deny in a service control policy: "
            "arn:aws:organizations::999999999999:policy/o-abcd/service_control_policy/p-12345678",
            DENIED,
        ),
    ),
    Fault(
        "Throttling",
        frozenset({Blindness.THROTTLED}),
        refusing(
            "Rate exceeded",
            {
                "ec2": (503, "RequestLimitExceeded"),
                "query": (400, "Throttling"),
                "rest-xml": (503, "SlowDown"),
                "json": (400, "ThrottlingException"),
                "rest-json": (429, "TooManyRequestsException"),
            },
        ),
    ),
    Fault(
        "500",
        frozenset({Blindness.UNREACHABLE}),
        refusing(
            "An internal error has occurred",
            {
                "ec2": (500, "InternalError"),
                "query": (500, "InternalFailure"),
                "rest-xml": (500, "InternalError"),
                "json": (500, "InternalFailure"),
                "rest-json": (500, "ServiceException"),
            },
        ),
    ),
    Fault(
        "503",
        frozenset({Blindness.UNREACHABLE}),
        refusing(
            "The service is unavailable. Please try again shortly.",
            {
                "ec2": (503, "Unavailable"),
                "query": (503, "ServiceUnavailable"),
                "rest-xml": (503, "ServiceUnavailable"),
                "json": (503, "ServiceUnavailable"),
                "rest-json": (503, "ServiceUnavailableException"),
            },
        ),
    ),
    Fault("reset", frozenset({Blindness.UNREACHABLE}), _breaking(ConnectionClosedError)),
    Fault("timeout", frozenset({Blindness.UNREACHABLE}), _breaking(ReadTimeoutError)),
    # Broken JSON reaches us as an answer without fields.
    Fault("truncated", frozenset({Blindness.UNREACHABLE, Blindness.FAULT}), _cut),
    Fault(
        "ExpiredToken",
        frozenset({Blindness.FAULT}),
        refusing(
            "The security token included in the request is expired",
            {
                "ec2": (400, "RequestExpired"),
                "query": (403, "ExpiredToken"),
                "rest-xml": (400, "ExpiredToken"),
                "json": (400, "ExpiredTokenException"),
                "rest-json": (403, "ExpiredTokenException"),
            },
        ),
    ),
    Fault(
        "OptInRequired",
        frozenset({Blindness.REGION_OFF}),
        refusing(
            "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
            dict.fromkeys(DENIED, (403, "OptInRequired")),
        ),
    ),
)
FAULTS: Mapping[str, Fault] = {each.name: each for each in _FAULTS}


@dataclass(frozen=True, slots=True)
class Paging:
    """How an operation is read page by page: jmespath expressions into its answer."""

    asks: tuple[str, ...]
    """Parameters that carry the token."""
    tokens: tuple[str, ...]
    more: str | None
    items: tuple[str, ...]

    def opened(self, page: Parsed) -> Parsed:
        """The same page, after which comes another."""
        changed = deepcopy(dict(page))
        for alternatives in self.tokens:
            plain = (each.strip() for each in alternatives.split("||"))
            name = next((each for each in plain if re.fullmatch(r"[\w.]+", each)), None)
            if name and not jmespath.search(alternatives, changed):
                set_value_from_jmespath(changed, name, TOKEN)
        if self.more:
            set_value_from_jmespath(changed, self.more, True)  # noqa: FBT003
        return changed

    def emptied(self, page: Parsed) -> Parsed:
        """A page without items, the last one."""
        changed = deepcopy(dict(page))
        for name in self.items:
            if isinstance(jmespath.search(name, changed), list):
                set_value_from_jmespath(changed, name, [])
        return changed


@cache
def paging(call: str) -> Paging | None:
    service, _, operation = call.partition(":")
    model = get_pagination_model(service).get(operation)
    if model is None:
        return None
    return Paging(
        _tuple(model["input_token"]),
        _tuple(model["output_token"]),
        model.get("more_results"),
        _tuple(model["result_key"]),
    )


def _tuple(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(slots=True)
class Failure:
    """`left`: how many attempts fail yet; None: all."""

    fault: Fault
    page: Literal[1, 2]
    left: int | None


class Served:
    """A recording that answers the clients it hands out, from any number of threads."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.calls: list[Asked] = []
        """Every request that was sent, each attempt of it, in order."""
        self.unrecorded: list[Asked] = []
        """What could not be answered, for where somebody caught the AssertionError."""
        self._failures: dict[str, Failure] = {}
        self._wires: dict[tuple[Asked, bool], Written] = {}
        self._waiting: dict[int, Asked] = {}
        self._numbers = count()
        self._lock = Lock()
        self._series = {
            (asked.region, stat(query)): (asked.parameters, result)
            for asked, answer in recording.answers.items()
            if asked.call == METRICS
            for query, result in zip(
                asked.parameters["MetricDataQueries"], answer.parsed["MetricDataResults"], strict=True
            )
        }

    def session(self) -> boto3.Session:
        """All its clients, whenever made, get recorded answers, and read them as a worker's do."""
        session = _session(Parsers())
        session.events.register("provide-client-params", _remember)
        session.events.register("before-call", self._number)
        session.events.register_first("before-send", self._send)
        return session

    def clients(self, *, guarded: bool = True, config: Config = ONCE) -> Clients:
        """As a member account's. Making them costs more than calling them: keep them between tests."""
        return Clients(self.session(), guarded=guarded, config=config)

    def pages(self, call: str) -> bool:
        """Whether it is a listing that can have a second page."""
        return paging(call) is not None

    def fail(self, call: str, fault: Fault, *, page: Literal[1, 2] = 1, times: int | None = None) -> None:
        """From now on the call fails, in whatever region: from its page on, or only its first attempts.

        Page 2: the first page is the recorded one, but says that there is more.
        """
        assert page == 1 or self.pages(call), f"{call} has one page"
        self._failures[call] = Failure(fault, page, times)

    def heal(self) -> None:
        """From now on all is well; the calls so far are forgotten, but not what nobody recorded."""
        self._failures.clear()
        self.calls.clear()

    @contextmanager
    def failing(
        self, call: str, fault: Fault, *, page: Literal[1, 2] = 1, times: int | None = None
    ) -> Iterator[None]:
        """Within this block."""
        self.heal()
        self.fail(call, fault, page=page, times=times)
        try:
            yield
        finally:
            self.heal()

    def _number(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        """The request that is sent knows no more than what is written in it."""
        number = next(self._numbers)
        self._waiting[number] = context["asked"]
        params["headers"][HEADER] = str(number)

    def _send(self, request: Any, **_: object) -> Any:
        asked = self._waiting[int(request.headers[HEADER])]
        self.calls.append(asked)
        wire = self._answer(asked)
        headers = HTTPHeaders.from_dict(wire.headers)
        return AWSResponse(request.url, wire.status, headers, MockRawResponse(wire.body))

    def _answer(self, asked: Asked) -> Written:
        pages, failure = paging(asked.call), self._failures.get(asked.call)
        later = pages is not None and any(name in asked.parameters for name in pages.asks)
        healthy = self._wire(asked, more=failure is not None and failure.page == 2 and not later)
        if failure and (later or failure.page == 1) and self._due(failure):
            return failure.fault.befall(asked.call, healthy)
        return healthy

    def _due(self, failure: Failure) -> bool:
        with self._lock:
            if failure.left is None:
                return True
            failure.left -= 1
            return failure.left >= 0

    def _wire(self, asked: Asked, *, more: bool) -> Written:
        """Written once; moto's serializers are not made for threads."""
        with self._lock:
            found = self._wires.get((asked, more))
            if found is None:
                found = self._wires[asked, more] = self._written(asked, more=more)
            return found

    def _written(self, asked: Asked, *, more: bool) -> Written:
        answer = self.answer(asked)
        pages = paging(asked.call)
        if answer is None:
            self.unrecorded.append(asked)
            raise AssertionError(f"nobody recorded {asked.call} in {asked.region} with {asked.parameters}")
        if answer.status >= 300:
            return write(asked.call, _refused(answer))
        return write(asked.call, pages.opened(answer.parsed) if pages and more else answer.parsed)

    def answer(self, asked: Asked) -> Answer | None:
        """While all is well; None: nobody recorded it."""
        pages, parameters = paging(asked.call), asked.parameters
        first = {name: value for name, value in parameters.items() if value != TOKEN}
        if pages and first != parameters:
            before = self.answer(Asked(asked.call, asked.region, first))
            return before and Answer(before.status, pages.emptied(before.parsed))
        if asked.call == METRICS:
            return self._metrics(asked)
        return self.recording.answers.get(asked)

    def _metrics(self, asked: Asked) -> Answer | None:
        """Series by series: which ones share a call is the asker's choice, and so is the time."""
        start, end = asked.parameters["StartTime"], asked.parameters["EndTime"]
        results = []
        for query in asked.parameters["MetricDataQueries"]:
            of, series = self._series.get((asked.region, stat(query)), ({}, {}))
            if not series or start < of["StartTime"] or end > of["EndTime"]:
                return None
            points = [
                point
                for point in zip(series["Timestamps"], series["Values"], strict=True)
                if start <= point[0] < end
            ]
            moments, values = [moment for moment, _ in points], [value for _, value in points]
            results.append({**series, "Id": query["Id"], "Timestamps": moments, "Values": values})
        return Answer(200, {"MetricDataResults": results})


def _refused(answer: Answer) -> Refused:
    error = dict(answer.parsed["Error"])
    return Refused(error.pop("Code"), error.pop("Message"), answer.status, **error)


def stat(query: Parsed) -> str:
    return json.dumps(query["MetricStat"], sort_keys=True)
