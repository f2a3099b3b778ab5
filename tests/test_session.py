"""Becoming a member account, and being held there to what was declared."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan import session
from orgscan.collector import Reader, collector
from orgscan.model import Resource, Target
from orgscan.session import Clients, UndeclaredCall, declared

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
    with pytest.raises(UndeclaredCall):
        member.get("ec2").describe_volumes()


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
