"""Becoming a member account, and being held there to what was declared."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier, Lock
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from benchmarks.fleet import Raw
from orgscan import session
from orgscan.collector import Reader, collector
from orgscan.errors import OutOfTime
from orgscan.meter import Meter
from orgscan.model import Resource, Target
from orgscan.pace import Pace
from orgscan.session import SIGNED_WITH, Clients, UndeclaredCall, declared

MEMBER = "111122223333"


def test_what_was_declared_may_be_called(clients: Clients) -> None:
    with declared(["ec2:DescribeVolumes"]):
        assert clients.get("ec2").describe_volumes()["Volumes"] == []


def test_an_undeclared_call_is_refused_before_it_is_made(clients: Clients) -> None:
    made: list[object] = []
    clients.get("ec2").meta.events.register("before-send", lambda **_: made.append(1))
    with declared(["ec2:DescribeVolumes"]), pytest.raises(UndeclaredCall, match="ec2:DescribeSnapshots"):
        clients.get("ec2").describe_snapshots()
    with pytest.raises(UndeclaredCall):
        clients.get("ec2").describe_volumes()
    assert made == []


@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_collector_is_held_to_its_own_calls_whatever_others_declared(
    clients: Clients, target: Target, *, side_by_side: bool
) -> None:
    @collector(Resource, calls=("ec2:DescribeVolumes",))
    def greedy(aws: Reader) -> Iterator[Resource]:
        yield Resource(arn="seen before")
        yield from aws.each(lambda _: aws.client("ec2").describe_snapshots(), [1])

    with ThreadPoolExecutor(2) as pool, declared(["ec2:DescribeSnapshots"]):
        seen = greedy.read(clients, target, pool if side_by_side else None)
        assert next(seen).arn == "seen before"
        with pytest.raises(UndeclaredCall, match="ec2:DescribeSnapshots"):
            next(seen)


def reader(clients: Clients, target: Target, pool: ThreadPoolExecutor | None) -> Reader:
    return Reader(clients, target, pool)


@pytest.mark.parametrize("count", range(10))
def test_what_is_read_in_quarters_comes_in_order(clients: Clients, target: Target, count: int) -> None:
    reads = [partial(int, each) for each in range(count)]
    with ThreadPoolExecutor(1) as pool:
        assert reader(clients, target, pool).quarters(reads) == list(range(count))
    assert reader(clients, target, None).quarters(reads) == list(range(count))


def test_quarters_are_read_side_by_side_within_what_is_declared(clients: Clients, target: Target) -> None:
    both = Barrier(2, timeout=30)

    def read(name: str) -> tuple[str, int]:
        both.wait()  # or nobody comes
        with pytest.raises(UndeclaredCall):
            clients.get("ec2").describe_snapshots()
        return name, clients.get("ec2").describe_volumes()["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(1) as pool, declared(["ec2:DescribeVolumes"]):
        told = reader(clients, target, pool).quarters([partial(read, "a"), partial(read, "b")])
    assert told == [("a", 200), ("b", 200)]


def test_whoever_reads_in_quarters_waits_for_nobody_who_waits(clients: Clients, target: Target) -> None:
    """All threads of the pool read a quarter, and none is left for the others."""
    with ThreadPoolExecutor(2) as pool:
        mine = reader(clients, target, pool)
        tasks = [pool.submit(mine.quarters, [partial(int, each) for each in range(9)]) for _ in range(8)]
        assert [task.result(timeout=30) for task in tasks] == [[*range(9)]] * 8


@pytest.mark.parametrize("fails", [0, 1])
def test_a_quarter_that_fails_is_the_whole_that_fails(clients: Clients, target: Target, fails: int) -> None:
    def read(number: int) -> int:
        if number == fails:
            raise KeyError(number)
        return number

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyError, match=str(fails)):
        reader(clients, target, pool).quarters([partial(read, 0), partial(read, 1)])


def test_a_client_is_made_once_however_many_want_it(clients: Clients) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: clients.get("ec2", "eu-west-1"), range(32)))
    assert len({id(each) for each in made}) == 1
    assert clients.get("ec2", "us-east-1") is not made[0]


def test_a_member_is_entered_by_name_with_the_external_id(aws: boto3.Session) -> None:
    home = Clients(aws, guarded=False)
    told: list[Any] = []
    home.get("sts").meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: told.append(params)
    )
    member = session.assume(home, MEMBER, role="orgscan-member", external_id="x-1", session_name="s" * 80)
    assert told == [
        {
            "RoleArn": f"arn:aws:iam::{MEMBER}:role/orgscan-member",
            "RoleSessionName": "s" * 64,
            "ExternalId": "x-1",
        }
    ]
    with declared(["sts:GetCallerIdentity"]):
        assert member.get("sts").get_caller_identity()["Account"] == MEMBER
    session.assume(home, MEMBER, role="of-another-make", external_id=None, session_name="doctor")
    assert told[1] == {"RoleArn": f"arn:aws:iam::{MEMBER}:role/of-another-make", "RoleSessionName": "doctor"}
    with pytest.raises(UndeclaredCall):
        member.get("ec2").describe_volumes()


def test_a_visit_speaks_for_the_account_that_its_thread_entered(aws: boto3.Session) -> None:
    enter = session.visits(
        Clients(aws, guarded=False), role="orgscan-member", external_id="x-1", session_name="plan"
    )
    side_by_side = Barrier(2, timeout=10)
    one_at_a_time = Lock()  # moto, unlike AWS

    def ask(account: str) -> str:
        with one_at_a_time:
            clients = enter(account)
        side_by_side.wait()
        with declared(["sts:GetCallerIdentity"]), one_at_a_time:
            return str(clients.get("sts").get_caller_identity()["Account"])

    accounts = (MEMBER, MEMBER[::-1])
    with ThreadPoolExecutor(2) as pool:
        assert tuple(pool.map(ask, accounts)) == accounts
    one, other = (enter(account).get("sts") for account in accounts)
    assert one.meta is other.meta, "no clients of an account's own"
    with pytest.raises(UndeclaredCall):
        enter(MEMBER).get("ec2").describe_volumes()


def test_items_come_out_of_the_table_as_they_went_in(table: Any) -> None:
    """Ours are not looked through by botocore, which would find nothing to change."""
    item = {
        "pk": "a",
        "sk": "b",
        "text": "",
        "number": Decimal("12.5"),
        "truth": True,
        "nothing": None,
        "words": {"x", "y"},
        "list": [Decimal(1), "two", [None, {"three": False}]],
        "map": {"S": "s", "N": {"M": {}, "L": []}},
    }
    ours = session.here().table(table.name)
    ours.put_item(Item=item)
    ours.put_item(Item={"pk": "a", "sk": "c"})
    assert ours.get_item(Key={"pk": "a", "sk": "b"})["Item"] == item
    assert "Item" not in ours.get_item(Key={"pk": "a", "sk": "none"})
    page = ours.query(KeyConditionExpression=Key("pk").eq("a"), Limit=1)
    assert (page["Items"], page["LastEvaluatedKey"]) == ([item], {"pk": "a", "sk": "b"})


def test_members_share_the_class_of_a_client_and_no_key(aws: boto3.Session) -> None:
    home = Clients(aws, guarded=False)
    accounts = (MEMBER, MEMBER[::-1])
    members = [
        session.assume(home, account, role="orgscan-member", external_id="x-1", session_name="scan")
        for account in accounts
    ]
    assert len({type(member.get("sts")) for member in members}) == 1
    assert type(members[0].get("sqs")) is not type(members[0].get("sts"))
    with declared(["sts:GetCallerIdentity"]):
        asked = tuple(member.get("sts").get_caller_identity()["Account"] for member in members)
    assert asked == accounts


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_roles_are_in_the_partition_of_the_hub(region: str, partition: str) -> None:
    assert Clients(boto3.Session(region_name=region), guarded=False).partition == partition


def test_tokens_come_from_the_regional_endpoint_which_opt_in_regions_accept(aws: boto3.Session) -> None:
    home = Clients(aws, guarded=False)
    assert home.get("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


def test_a_role_that_does_not_let_us_in_raises(aws: boto3.Session) -> None:
    home = Clients(aws, guarded=False)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")

    home.get("sts").meta.events.register("before-call.sts.AssumeRole", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        session.assume(home, MEMBER, role="orgscan-member", external_id="x-1", session_name="scan")


@pytest.mark.parametrize(("retries", "attempts"), [(True, 9), (False, 1)])
def test_what_must_not_happen_twice_is_tried_once(*, retries: bool, attempts: int) -> None:
    """After a read timeout nobody knows whether SNS has sent the mail."""
    config = session.here(retries=retries).get("sns").meta.config
    assert config.retries["total_max_attempts"] == attempts
    assert config.user_agent_extra == "orgscan"  # the rest is as ever


def test_the_table_speaks_pythons_types(aws: boto3.Session, table: Any) -> None:
    table.put_item(Item={"pk": "a", "sk": "b", "list": [1, {"x": None}]})
    mine = Clients(aws, guarded=False).table("findings")
    assert json.loads(json.dumps(mine.get_item(Key={"pk": "a", "sk": "b"})["Item"], default=int)) == {
        "pk": "a",
        "sk": "b",
        "list": [1, {"x": None}],
    }


Answer = tuple[int, bytes]
NO_VOLUMES = (200, b"<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>")
BUSY = (503, b"<Response><Errors><Error><Code>Unavailable</Code></Error></Errors></Response>")
OLD = (400, b"<Response><Errors><Error><Code>RequestExpired</Code></Error></Errors></Response>")


class Hub:
    """A hub whose member trusts it, and how often it has assumed the role."""

    def __init__(self, aws: boto3.Session) -> None:
        self.home = Clients(aws, guarded=False)
        self.asked: list[Any] = []
        self.home.get("sts").meta.events.register("before-call.sts.AssumeRole", self._count)
        self.refuses = False

    def enter(self, **more: Any) -> Clients:
        return session.assume(
            self.home, MEMBER, role="orgscan-member", external_id="x-1", session_name="scan", **more
        )

    def _count(self, params: Any, **_: object) -> None:
        self.asked.append(params["body"])
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


@pytest.fixture
def hub(aws: boto3.Session) -> Hub:
    return Hub(aws)


class Service:
    """A service that answers by hand, by the token of each request; what reached it is kept."""

    def __init__(self, client: Any, answer: Callable[[str], Answer | None]) -> None:
        """`answer`: None leaves it to moto."""
        self.requests: list[Any] = []
        self._answer = answer
        client.meta.events.register_first(
            f"before-send.{client.meta.service_model.service_id.hyphenize()}", self._send
        )

    @property
    def tokens(self) -> list[str]:
        return [text(request.headers[SIGNED_WITH]) for request in self.requests]

    def _send(self, request: Any, **_: object) -> AWSResponse | None:
        self.requests.append(request)
        status, body = self._answer(self.tokens[-1]) or (0, b"")
        return AWSResponse(request.url, status, HTTPHeaders(), Raw(body)) if status else None


def text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


def key(request: Any) -> str:
    return text(request.headers["Authorization"]).partition("Credential=")[2].partition("/")[0]


def volumes(clients: Clients) -> Any:
    with declared(["ec2:DescribeVolumes"]):
        return clients.get("ec2").describe_volumes()["Volumes"]


def expiring(first: list[str], refusal: Answer) -> Callable[[str], Answer | None]:
    """Answers: the first token that is seen has expired, any other is good."""

    def answer(token: str) -> Answer | None:
        first[:] = first or [token]
        return refusal if token == first[0] else None

    return answer


EXPIRED = "The security token included in the request is expired"
STALE = "Signature expired: 20260115T060000Z is now earlier than 20260115T060500Z"


@pytest.mark.parametrize(
    ("call", "method", "refusal"),
    [
        ("ec2:DescribeVolumes", "describe_volumes", OLD),
        (
            "iam:ListRoles",
            "list_roles",
            (403, f"<R><Error><Code>ExpiredToken</Code><Message>{EXPIRED}</Message></Error></R>".encode()),
        ),
        (
            "s3:ListBuckets",
            "list_buckets",
            (
                400,
                b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
            ),
        ),
        ("s3:ListBuckets", "list_buckets", (403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>")),
        (
            "ssm:DescribeParameters",
            "describe_parameters",
            (400, json.dumps({"__type": "ExpiredTokenException", "message": EXPIRED}).encode()),
        ),
        (
            "ssm:DescribeParameters",
            "describe_parameters",
            (400, json.dumps({"__type": "InvalidSignatureException", "message": STALE}).encode()),
        ),
        (
            "lambda:ListFunctions",
            "list_functions",
            (403, json.dumps({"message": EXPIRED}).encode()),
        ),
    ],
)
def test_a_token_that_expires_is_renewed_and_the_call_repeated_with_the_new_one(
    hub: Hub, call: str, method: str, refusal: Answer
) -> None:
    member = hub.enter()
    client = member.get(call.partition(":")[0])
    service = Service(client, expiring([], refusal))
    with declared([call]):
        assert getattr(client, method)()["ResponseMetadata"]["HTTPStatusCode"] == 200
        getattr(client, method)()
    assert len(hub.asked) == 2
    old, new, after = service.tokens
    assert old != new == after
    assert key(service.requests[0]) != key(service.requests[1])


def test_what_is_expired_for_good_is_an_error_after_one_renewal(hub: Hub) -> None:
    member = hub.enter()
    service = Service(member.get("ec2"), lambda _: OLD)
    for requests in (2, 3):  # of the first call; and one more of the second
        with pytest.raises(ClientError, match="RequestExpired"):
            volumes(member)
        assert len(service.requests) == requests
        assert len(hub.asked) == 2


def test_threads_whose_token_expires_at_once_renew_it_once(hub: Hub) -> None:
    member = hub.enter()
    together = Barrier(6, timeout=10)
    expire = expiring([], OLD)

    def answer(token: str) -> Answer | None:
        refusal = expire(token)
        if refusal:
            together.wait()
        return refusal

    service = Service(member.get("ec2"), answer)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(volumes, [member] * 6)) == [[]] * 6
    assert len(hub.asked) == 2
    assert len(set(service.tokens[:6])) == len(set(service.tokens[6:])) == 1
    assert len(service.requests) == 12


def test_what_expired_is_the_error_when_renewing_fails(hub: Hub) -> None:
    member = hub.enter()
    hub.refuses = True
    service = Service(member.get("ec2"), lambda _: OLD)
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestExpired"):
            volumes(member)
    assert len(hub.asked) == 2
    assert len(service.requests) == 2


def test_other_refusals_renew_nothing(hub: Hub) -> None:
    member = hub.enter()
    refusal = b"<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>"
    Service(member.get("ec2"), lambda _: (401, refusal))
    with pytest.raises(ClientError, match="AuthFailure"):
        volumes(member)
    assert len(hub.asked) == 1


def test_no_more_than_the_hour_is_asked_for_that_chained_roles_may_have(hub: Hub) -> None:
    hub.enter()
    (asked,) = hub.asked
    assert int(asked.get("DurationSeconds", 3600)) <= 3600


def test_tokens_come_from_the_regional_endpoint_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    assert session.here().get("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("region", ["me-south-1", "ap-southeast-2", "ap-southeast-3"])
def test_a_region_that_was_opted_into_is_asked_itself(hub: Hub, region: str) -> None:
    client = hub.enter().get("ec2", region)
    service = Service(client, lambda _: NO_VOLUMES)
    with declared(["ec2:DescribeVolumes"]):
        client.describe_volumes()
    (request,) = service.requests
    assert request.url == f"https://ec2.{region}.amazonaws.com/"
    assert f"/{region}/ec2/aws4_request" in text(request.headers["Authorization"])


class Waiting:
    """A pace without a clock, and what its clients did in turn."""

    def __init__(self, aws: boto3.Session, **config: Any) -> None:
        self.did: list[str] = []
        pace = Pace(clock=lambda: 0.0, sleep=self._sleep)
        self.clients = Clients(aws, guarded=True, pace=pace, config=Config(**config))
        self.client = self.clients.get("ec2")
        self.client.meta.events.register("before-sign", lambda **_: self.did.append("signed"))
        self.answers = [NO_VOLUMES] * 20
        Service(self.client, lambda _: self.answers.pop(0))

    def _sleep(self, seconds: float) -> None:
        self.did.append(f"slept {seconds:.1f}")


@pytest.fixture
def waiting(aws: boto3.Session) -> Waiting:
    return Waiting(aws, retries={"mode": "standard", "total_max_attempts": 3})


def test_guarded_clients_wait_for_their_turn_before_they_sign(waiting: Waiting) -> None:
    """A signature is good for five minutes."""
    for _ in range(12):
        volumes(waiting.clients)
    assert waiting.did == ["signed"] * 10 + ["slept 0.1", "signed", "slept 0.2", "signed"]


def test_every_attempt_takes_a_turn(waiting: Waiting) -> None:
    waiting.answers[9:9] = [BUSY, BUSY]
    for _ in range(10):
        volumes(waiting.clients)
    assert waiting.did[10:] == ["slept 0.1", "signed", "slept 0.2", "signed"]


def test_no_turn_is_waited_for_longer_than_there_is_time(waiting: Waiting) -> None:
    waiting.clients.limit(lambda: 0.15)
    for _ in range(11):
        volumes(waiting.clients)
    with pytest.raises(OutOfTime):
        volumes(waiting.clients)
    assert waiting.did[10:] == ["slept 0.1", "signed"]


def test_when_no_time_is_left_nothing_is_asked(clients: Clients) -> None:
    assert volumes(clients) == []
    clients.limit(lambda: 0.0)
    with pytest.raises(OutOfTime):
        volumes(clients)


def test_closed_clients_ask_nothing_more_not_even_again(waiting: Waiting) -> None:
    def close(**_: object) -> None:
        waiting.clients.close()

    waiting.answers[0] = BUSY
    waiting.client.meta.events.register("needs-retry", close)
    for _ in range(12):
        with pytest.raises(OutOfTime):
            volumes(waiting.clients)
    assert waiting.did == ["signed"]  # and no turn was waited for
    assert len(waiting.answers) == 19


def test_clients_closed_while_a_thread_waits_for_its_turn_let_it_go_without(aws: boto3.Session) -> None:
    pace = Pace(clock=lambda: 0.0, sleep=lambda _: clients.close())
    clients = Clients(aws, guarded=True, pace=pace)
    service = Service(clients.get("ec2"), lambda _: NO_VOLUMES)
    for _ in range(10):
        volumes(clients)
    with pytest.raises(OutOfTime):
        volumes(clients)
    assert len(service.requests) == 10


def test_the_hubs_own_clients_are_never_closed(hub: Hub) -> None:
    hub.home.close()
    assert volumes(hub.home) == []


def test_a_member_can_be_asked_more_politely(hub: Hub) -> None:
    for polite, calls in ((1.0, 3), (1000.0, 1)):
        member = hub.enter(polite=polite)
        member.limit(lambda: 5.0)
        Service(member.get("ec2"), lambda _: NO_VOLUMES)
        for _ in range(calls):
            volumes(member)
    with pytest.raises(OutOfTime):
        volumes(member)


TOO_MANY = (
    503,
    b"<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
)


def test_every_attempt_is_counted_and_every_throttle(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    meter, answers = Meter(), [TOO_MANY, BUSY, TOO_MANY, NO_VOLUMES]
    member = hub.enter(meter=meter)
    Service(member.get("ec2"), lambda _: answers.pop(0))
    assert volumes(member) == []
    assert meter.calls == {"ec2:DescribeVolumes": 4}
    assert meter.throttled == {"ec2:DescribeVolumes": 2}


def test_a_call_that_was_never_made_is_not_counted(hub: Hub) -> None:
    meter = Meter()
    member = hub.enter(meter=meter)
    member.close()
    with pytest.raises(OutOfTime):
        volumes(member)
    assert not meter.calls


def test_ones_own_account_is_asked_as_guardedly_and_each_target_ends_for_itself(aws: boto3.Session) -> None:
    home = Clients(aws, guarded=False)
    meter = Meter()
    one, other = (session.directly(home, meter=meter) for _ in range(2))
    assert one.credentials.access_key == home.credentials.access_key
    with pytest.raises(UndeclaredCall):
        one.get("ec2").describe_volumes()
    with declared(["ec2:DescribeVolumes"]):
        one.get("ec2").describe_volumes()
        one.close()
        with pytest.raises(OutOfTime):
            one.get("ec2").describe_volumes()
        assert other.get("ec2").describe_volumes()["Volumes"] == []
    assert meter.calls == {"ec2:DescribeVolumes": 2}


def test_who_has_no_credentials_is_told_before_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    with pytest.raises(NoCredentialsError):
        _ = session.here().credentials
