"""What is written of what was collected: every record whole, in one order, and nothing passed off as all."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan import inventory as inventories
from orgscan import spool as spools
from orgscan.collector import Bookmark
from orgscan.errors import OutOfTime
from orgscan.inventory import COLUMNS, LAST_S, Inventory, write
from orgscan.model import GLOBAL, Blindness, Gap, Resource, Taggable, TagRecord, Target
from orgscan.network import Rule
from orgscan.services.ec2.facts import Instance, Metadata, RouteTable, SecurityGroup, Snapshot
from orgscan.services.iam.facts import Authorization, Principal
from orgscan.services.s3.facts import Block, Bucket, Grant
from orgscan.spool import CHUNK, Spool
from tests.scans import HERE, NOW, STARTED, spooled
from tests.twins import S3Twin

SCAN = "20260115T120000000Z-1"
BUCKET = "results"
NOT_LET = Gap("s3-buckets", Blindness.DENIED, "s3:GetBucketPolicyStatus")
NO_TAGS = Gap("tag-records", Blindness.THROTTLED, "tag:GetResources")
LAUNCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVER = Instance(
    arn="arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
    tags={"Name": "web", "owner": "ada"},
    id="i-1",
    type="t3.micro",
    image="ami-1",
    state="running",
    launched=LAUNCHED,
    metadata=Metadata(enabled=True, tokens_required=False),
)


SOME = ("type", "state", "launched", "attached", "metadata", "spot", "tags_optional")
"""Facts of an instance: of each kind of value one."""


def inventory(s3: Any = None) -> Inventory:
    return Inventory(s3, BUCKET, SCAN, STARTED)


def told(spool: Spool, *kinds: type[Resource], target: Target = HERE) -> list[Mapping[str, Any]]:
    return list(inventory().records(target, kinds, spool))


def resources(spool: Spool, *kinds: type[Resource], target: Target = HERE) -> list[dict[str, Any]]:
    """Without what stands in every record, and with the facts read."""
    return [
        {**record, "facts": json.loads(record["facts"])}
        for record in told(spool, *kinds, target=target)
        if record["record"] == "resource"
    ]


def listings(records: list[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    of = ("type", "resources", "complete", "reason", "detail")
    return [tuple(record[name] for name in of) for record in records if record["record"] == "listing"]


# Records


def test_a_resource_is_told_with_where_it_is_and_all_that_is_known() -> None:
    (record, listing) = told(spooled([Instance], [SERVER]), Instance)
    facts = json.loads(record["facts"])
    assert {**record, "facts": {name: facts[name] for name in facts if name in SOME}} == {
        "record": "resource",
        "type": "AWS::EC2::Instance",
        "arn": SERVER.arn,
        "id": "i-1",
        "name": "web",
        "account": "123456789012",
        "account_name": "acme-prod",
        "region": "eu-west-1",
        "tags": {"Name": "web", "owner": "ada"},
        "facts": {
            "type": "t3.micro",
            "state": "running",
            "launched": "2026-01-02T03:04:05+00:00",
            "attached": None,
            "metadata": {"enabled": True, "tokens_required": False},
            "spot": False,
            "tags_optional": False,
        },
        "complete": None,
        "reason": None,
        "detail": None,
        "resources": None,
        "scan": SCAN,
        "seen_at": STARTED,
    }
    assert listing == {
        **dict.fromkeys(COLUMNS),
        "record": "listing",
        "type": "AWS::EC2::Instance",
        "account": "123456789012",
        "account_name": "acme-prod",
        "region": "eu-west-1",
        "complete": True,
        "resources": 1,
        "scan": SCAN,
        "seen_at": STARTED,
    }


def test_what_could_not_be_read_of_a_resource_says_so() -> None:
    bucket = Bucket(
        arn="arn:aws:s3:::logs",
        tags={},
        name="logs",
        policy=None,
        policy_is_public=NOT_LET,
        public_grants=(Grant("everyone", "READ"),),
        ownership=None,
        blocked=frozenset({Block.POLICIES, Block.ACLS}),
        versioning="Enabled",
        encryption=(),
        lifecycle=None,
        uploads=None,
    )
    (record,) = resources(spooled([Bucket], [bucket]), Bucket)
    assert (record["id"], record["name"], record["tags"]) == ("logs", "logs", {})
    assert record["facts"] == {
        "policy": None,
        "policy_is_public": {"unread": "denied: s3:GetBucketPolicyStatus"},
        "public_grants": [{"to": "everyone", "permission": "READ"}],
        "ownership": None,
        "blocked": ["IgnorePublicAcls", "RestrictPublicBuckets"],
        "versioning": "Enabled",
        "encryption": [],
        "lifecycle": None,
        "uploads": None,
        "tags_optional": False,
    }


def test_rules_in_a_group_are_objects() -> None:
    rule = Rule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",))
    group = SecurityGroup(
        arn="a:b:ec2:r:1:security-group/sg-1", tags={}, id="sg-1", name="x", ingress=(rule,)
    )
    (record,) = resources(spooled([SecurityGroup], [group]), SecurityGroup)
    assert record["facts"]["ingress"] == [
        {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidrs": ["0.0.0.0/0"], "prefix_lists": []}
    ]


def test_what_can_be_of_several_types_says_which_and_each_is_listed() -> None:
    def principal(kind: Any, name: str) -> Principal:
        return Principal(
            arn=f"arn:aws:iam::1:{kind}/team/{name}", kind=kind, name=name, path="/team/", created=NOW
        )

    many = [principal("role", "r1"), principal("user", "ada"), principal("role", "r2")]
    everywhere = replace(HERE, region=GLOBAL)
    records = told(spooled([Authorization], many), Authorization, target=everywhere)
    assert [(each["type"], each["id"], each["name"]) for each in records[:3]] == [
        ("AWS::IAM::Role", "team/r1", "r1"),
        ("AWS::IAM::Role", "team/r2", "r2"),
        ("AWS::IAM::User", "team/ada", "ada"),
    ]
    assert listings(records) == [
        ("AWS::IAM::User", 1, True, None, None),
        ("AWS::IAM::Group", 0, True, None, None),
        ("AWS::IAM::Role", 2, True, None, None),
        ("AWS::IAM::ManagedPolicy", 0, True, None, None),
    ]
    assert {each["region"] for each in records} == {"global"}


def test_a_listing_that_broke_off_tells_what_it_saw_and_that_there_may_be_more() -> None:
    lost = Gap("ec2-instances", Blindness.DEADLINE, "it took too long")
    records = told(spooled([Instance], [SERVER], {Instance: lost}), Instance)
    assert records[0]["arn"] == SERVER.arn
    assert listings(records) == [("AWS::EC2::Instance", 1, False, "deadline", "it took too long")]


def test_one_item_that_could_not_be_read_spoils_the_listing() -> None:
    spool = spooled([Instance], [SERVER])
    spool.spoil(Instance, Gap("ec2-instances", Blindness.FAULT, "KeyError at collect.py:1"))
    assert listings(told(spool, Instance)) == [
        ("AWS::EC2::Instance", 1, False, "fault", "KeyError at collect.py:1")
    ]


def test_what_was_never_collected_is_not_complete() -> None:
    assert listings(told(Spool(), Instance)) == [
        ("AWS::EC2::Instance", 0, False, "fault", "Instance was not collected")
    ]
    begun = Spool()
    begun.keep(Instance, [SERVER], Bookmark(0, {"NextToken": "2"}))
    assert listings(told(begun, Instance))[0][2] is False


# Tags


def owned(**tags: str) -> TagRecord:
    return TagRecord(arn=DATABASE.arn, tags=tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Taggable):
    aws_types = ("AWS::Invented::Database",)

    identifier: str = ""


DATABASE = Database(arn="arn:aws:x:eu-west-1:1:db:books")


def test_tags_that_the_listing_does_not_carry_come_from_the_tagging_api() -> None:
    (record,) = resources(spooled([Database, TagRecord], [DATABASE, owned(Name="Books", a="1")]), Database)
    assert (record["tags"], record["name"], record["id"]) == ({"Name": "Books", "a": "1"}, "Books", "books")
    assert "tags" not in record["facts"]
    (record,) = resources(spooled([Database, TagRecord], [DATABASE]), Database)
    assert (record["tags"], record["name"]) == ({}, None)


def test_tags_that_nobody_could_read_are_not_none() -> None:
    spool = spooled([Database, TagRecord], [DATABASE, owned(Name="Books")], {TagRecord: NO_TAGS})
    (record,) = resources(spool, Database)
    assert (record["tags"], record["facts"]["tags"]) == (None, {"unread": "throttled: tag:GetResources"})
    (record,) = resources(spooled([Database], [DATABASE]), Database)
    assert record["facts"]["tags"] == {"unread": "fault: TagRecord was not collected"}


def test_what_has_no_tags_by_nature_has_none() -> None:
    table = RouteTable(
        arn="arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-1", id="rtb-1", nat_gateways=()
    )
    (record,) = resources(spooled([RouteTable, TagRecord], [table], {TagRecord: NO_TAGS}), RouteTable)
    assert (record["tags"], record["id"], "tags" in record["facts"]) == (None, "rtb-1", False)


# Whatever a fact is


class Colour(StrEnum):
    RED = "#f00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anything(Resource):
    aws_types = ("AWS::Invented::Anything",)

    name: Any = None
    fact: Any = None


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (Colour.RED, "#f00"),
        (Colour, "(EnumType)"),
        (b"secret", "(bytes)"),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(minutes=1.5), 90.0),
        (float("inf"), "inf"),
        (frozenset({("b", 2), ("a", None)}), [["a", None], ["b", 2]]),
        ({Colour.RED: {1: NOT_LET}}, {"#f00": {"1": {"unread": "denied: s3:GetBucketPolicyStatus"}}}),
        (frozenset("zyxwvutsrqponm"), list("mnopqrstuvwxyz")),
        ((1, True, 1.5), [1, True, 1.5]),
    ],
)
def test_a_fact_is_told_as_json_has_it(fact: Any, told: Any) -> None:
    from orgscan.inventory import _plain  # noqa: PLC0415 (some of these no spool takes)

    plain = _plain(fact)
    assert json.loads(json.dumps(plain, allow_nan=False)) == told
    assert type(plain) is type(told)


def test_a_name_that_could_not_be_read_stays_a_fact() -> None:
    (record,) = resources(spooled([Anything], [Anything(arn="arn:aws:x:r:1:a/b", name=NOT_LET)]), Anything)
    assert (record["name"], record["id"]) == (None, "b")
    assert record["facts"]["name"] == {"unread": "denied: s3:GetBucketPolicyStatus"}


@pytest.mark.parametrize(
    ("arn", "last"),
    [
        ("arn:aws:s3:::bucket", "bucket"),
        ("arn:aws:logs:r:1:log-group:/aws/lambda/f", "/aws/lambda/f"),
        ("arn:aws:iam::1:role/path/name", "path/name"),
        ("arn:aws:sns:r:1:topic", "topic"),
        ("root", "root"),
    ],
)
def test_without_an_id_of_its_own_a_resource_has_the_end_of_its_arn(arn: str, last: str) -> None:
    (record,) = resources(spooled([Anything], [Anything(arn=arn)]), Anything)
    assert record["id"] == last


HOSTILE = st.text(max_size=20) | st.sampled_from(
    ['"},{"', "\n\r\u2028\u2029\x00", "\\", "</script>", "=cmd()", "😀", "ẞ", "'; --"]
)
PLAIN = HOSTILE | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
FACT = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3)
)


@given(st.lists(st.tuples(HOSTILE, st.dictionaries(HOSTILE, HOSTILE, max_size=3), FACT), max_size=4))
def test_whatever_people_call_a_thing_it_is_one_line_and_comes_back(things: list[Any]) -> None:
    many = [
        Tagged(arn=f"arn:aws:x:r:1:t/{number}{name}", name=name, tags=tags, fact=fact)
        for number, (name, tags, fact) in enumerate(things)
    ]
    packed = BytesIO()
    write(inventory().records(HERE, [Tagged], spooled([Tagged], many)), packed)
    lines = gzip.decompress(packed.getvalue()).split(b"\n")
    assert lines.pop() == b""
    assert all(line.isascii() for line in lines)
    records = [json.loads(line) for line in lines]
    assert all(list(record) == list(COLUMNS) for record in records)
    came = {
        record["arn"]: (record["name"], record["tags"], json.loads(record["facts"]))
        for record in records[:-1]
    }
    assert came == {
        each.arn: (each.name, each.tags, {"fact": each.fact, "tags_optional": False}) for each in many
    }
    assert records[-1]["resources"] == len(many)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Taggable):
    aws_types = ("AWS::Invented::Tagged",)

    name: str
    fact: Any


# The object


def test_an_object_lies_by_day_account_and_region() -> None:
    assert inventory().key(HERE) == (
        f"inventory/dt=2026-01-15/account=123456789012/region=eu-west-1/{SCAN}.jsonl.gz"
    )


def put(spool: Spool) -> dict[tuple[str, str], bytes]:
    s3 = S3Twin(BUCKET)
    inventory(s3).put(HERE, [Instance, Snapshot], spool)
    return s3.snapshot()


def test_a_repetition_writes_the_same_bytes_in_whatever_order_things_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also later: gzip would note the time."""
    many = [replace(SERVER, arn=f"{SERVER.arn}{number:04}") for number in range(CHUNK + 100)]
    once = put(spooled([Snapshot, Instance], many))
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert put(spooled([Instance, Snapshot], many[::-1])) == once
    (body,) = once.values()
    assert gzip.decompress(body).count(b"\n") == len(many) + 2


def test_what_is_large_is_sent_in_parts_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of which each is in memory alone: a Lambda function has little of it."""
    once = put(spooled([Instance], [SERVER]))
    sent: list[str] = []
    upload = S3Twin.upload_fileobj

    def uploaded(self: S3Twin, fileobj: Any, bucket: str, key: str) -> None:
        sent.append(key)
        upload(self, fileobj, bucket, key)

    monkeypatch.setattr(S3Twin, "upload_fileobj", uploaded)
    assert put(spooled([Instance], [SERVER])) == once
    assert not sent
    monkeypatch.setattr(inventories, "IN_ONE_PIECE", 10)
    assert put(spooled([Instance], [SERVER])) == once
    assert sent == [key for _, key in once]


def test_a_few_hundred_resources_are_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any number: what is read and not yet written is at most what the spool hands out at once."""
    many = [replace(SERVER, arn=f"{SERVER.arn}{number:05}") for number in range(4 * CHUNK)]
    spool = spooled([Instance], many)
    read = [0]
    load = spools._load

    def counted(body: bytes) -> Any:
        read[0] += 1
        return load(body)

    monkeypatch.setattr(spools, "_load", counted)
    ahead = [read[0] - written for written, _ in enumerate(inventory().records(HERE, [Instance], spool))]
    assert len(ahead) == len(many) + 1
    assert max(ahead) <= CHUNK
    rows: list[int] = []
    monkeypatch.setattr(spool, "_all", _counting(spool._all, rows))
    list(inventory().records(HERE, [Instance], spool))
    assert max(rows) == CHUNK


def _counting(ask: Any, rows: list[int]) -> Any:
    def counted(*how: Any) -> Any:
        answer = ask(*how)
        rows.append(len(answer))
        return answer

    return counted


def test_when_the_time_is_over_nothing_is_sent() -> None:
    many = [replace(SERVER, arn=f"{SERVER.arn}{number:05}") for number in range(2 * CHUNK)]
    s3 = S3Twin(BUCKET)
    left: Iterator[float] = iter([LAST_S, LAST_S, LAST_S - 0.1])
    with pytest.raises(OutOfTime):
        inventory(s3).put(HERE, [Instance], spooled([Instance], many), seconds_left=lambda: next(left))
    assert s3.snapshot() == {}
    asked: list[float] = []

    def enough() -> float:
        asked.append(LAST_S)
        return LAST_S

    inventory(s3).put(HERE, [Instance], spooled([Instance], many), seconds_left=enough)
    assert len(s3.snapshot()) == 1
    assert len(asked) == 3  # of 1,001 records
