"""What policies of resources say, and what is no policy."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from orgscan.errors import Told
from orgscan.model import Blindness, Gap
from orgscan.policy import Malformed, Opening, parse, read
from orgscan.spool import _load, _pack
from tests.policies import (
    BUCKET,
    OBJECTS,
    OTHER,
    READ,
    RESOURCES,
    Sample,
    answers,
    anyone,
    deny,
    nobody,
    policy,
)
from tests.policies import expected as told


@pytest.mark.parametrize("sample", RESOURCES, ids=lambda sample: sample.name)
def test_what_policies_of_resources_say(sample: Sample) -> None:
    assert answers(sample) == told(sample)


@pytest.mark.parametrize("sample", RESOURCES, ids=lambda sample: sample.name)
def test_a_policy_is_read_from_text_and_is_a_fact(sample: Sample) -> None:
    text = json.dumps(sample.document)
    read_once = parse(sample.document)
    assert parse(text) == parse(f" \n{text}") == parse(quote(text)) == read_once
    assert parse(text.replace('"', '\\"').replace("/", "\\/")) == read_once
    assert _load(_pack(read_once)) == read_once
    assert hash(read_once) == hash(parse(text))


STATEMENT = anyone()


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("", "not JSON"),
        ("policy", "not JSON"),
        ("%7B", "not JSON"),
        ('{"Statement": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ("1" * 5000, "not JSON"),
        ("null", "a policy is no object"),
        ("[]", "a policy is no object"),
        ({}, "a policy without statements"),
        ({"Version": "2012-10-17"}, "a policy without statements"),
        ({"Statement": [], "Version": 2012}, "version is no text"),
        ({"Statement": [], "Id": None}, "id is no text"),
        ({"Statement": [], "Statements": []}, "a policy has an unknown member"),
        ({"Statement": None}, "a statement is no object"),
        ({"Statement": [[STATEMENT]]}, "a statement is no object"),
        ({"Statement": [STATEMENT, "secret"]}, "a statement is no object"),
        ({"Statement": [], "statement": [STATEMENT]}, "a member is there twice"),
        ('{"Statement": [], "Statement": []}', "a member is there twice"),
        ('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}', "a member is there twice"),
        ({1: []}, "a name is no text"),
    ],
)
def test_what_is_no_policy(document: Any, why: str) -> None:
    with pytest.raises(Malformed, match=f"^{why}$"):
        parse(document)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Effect": "Perhaps"}, "Effect is neither Allow nor Deny"),
        ({"Effect": ["Allow"]}, "Effect is no text"),
        ({"Effect": None}, "Effect is no text"),
        ({"Sid": 1}, "Sid is no text"),
        ({"Sid": None}, "Sid is no text"),
        ({"Resources": "*"}, "a statement has an unknown member"),
        ({"Action": None}, "action is no text"),
        ({"Action": 7}, "action is no text"),
        ({"Action": True}, "action is no text"),
        ({"Action": []}, "action is empty"),
        ({"Action": ["s3:*", None]}, "action is no text"),
        ({"Action": [["s3:*"]]}, "action is no text"),
        ({"Action": {"s3": "*"}}, "action is no text"),
        ({"NotAction": "s3:*"}, "a statement with action and its opposite"),
        ({"Resource": None}, "resource is no text"),
        ({"Resource": []}, "resource is empty"),
        ({"NotResource": "*"}, "a statement with resource and its opposite"),
        ({"NotPrincipal": "*"}, "a statement with principal and its opposite"),
        ({"Principal": None}, "Principal is no object"),
        ({"Principal": ["*"]}, "Principal is no object"),
        ({"Principal": OTHER}, "a principal without its kind"),
        ({"Principal": {"AWS": 444455556666}}, "Principal is no text"),
        ({"Principal": {"AWS": None}}, "Principal is no text"),
        ({"Principal": {"AWS": {"a": "*"}}}, "Principal is no text"),
        ({"Principal": {"Everyone": "*"}}, "Principal has an unknown member"),
        ({"Principal": {"AWS": [], "aws": "*"}}, "a member is there twice"),
        ({"Condition": None}, "Condition is no object of objects"),
        ({"Condition": []}, "Condition is no object of objects"),
        ({"Condition": {"StringEquals": "o-1"}}, "Condition is no object of objects"),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": None}}}, "a value of a condition is no text"),
        (
            {"Condition": {"NumericEquals": {"s3:max-keys": float("nan")}}},
            "a value of a condition is no text",
        ),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": [{}]}}}, "a value of a condition is no text"),
        (
            {"Condition": {"StringEquals": {"aws:SourceVpc": [["vpc-1"]]}}},
            "a value of a condition is no text",
        ),
        ({"Condition": {"StringEquals": {1: "vpc-1"}}}, "a name is no text"),
        ({"Condition": {1: {"aws:SourceVpc": "vpc-1"}}}, "a name is no text"),
    ],
)
def test_what_is_no_statement(change: dict[str, Any], why: str) -> None:
    """One such statement makes the whole policy unreadable: it could be the one that opens it."""
    with pytest.raises(Malformed, match=f"^{why}$"):
        parse(policy(nobody(), STATEMENT | change))


@pytest.mark.parametrize("member", ["Effect", "Action"])
def test_what_a_statement_cannot_lack(member: str) -> None:
    with pytest.raises(Malformed):
        parse(policy({name: value for name, value in STATEMENT.items() if name != member}))


def test_malformed_is_ours_to_tell_and_costs_one_fact() -> None:
    assert issubclass(Malformed, Told)
    assert read("key_policy", "hidden") == Gap("key_policy", Blindness.FAULT, "Malformed: not JSON")
    assert read("key_policy", policy(STATEMENT)) == parse(policy(STATEMENT))


def test_a_single_statement_any_case_and_no_version() -> None:
    loose = {"statement": {"effect": "ALLOW", "PRINCIPAL": "*", "action": READ, "resource": OBJECTS}}
    assert parse(loose) == parse(policy(STATEMENT))
    assert parse(policy(deny() | {"Effect": "deny"})) == parse(policy(deny()))


@pytest.mark.parametrize(
    ("granted", "asked", "actions"),
    [
        (OBJECTS, BUCKET, (READ,)),
        (OBJECTS, f"{BUCKET}/x", (READ,)),
        (f"{BUCKET}/public/*", BUCKET, (READ,)),
        (f"{BUCKET}/public/*", f"{BUCKET}/public", (READ,)),
        (f"{BUCKET}/public/*", f"{BUCKET}/private", ()),
        (BUCKET, BUCKET, (READ,)),
        (BUCKET.upper(), BUCKET, ()),
        ("*", BUCKET, (READ,)),
        ("arn:aws:s3", BUCKET, (READ,)),
        ("arn:aws:s3::*", BUCKET, (READ,)),
        ("arn:aws:sqs", BUCKET, ()),
        (["arn:aws:s3:::c", "arn:aws:s3:::?"], BUCKET, (READ,)),
        ("arn:aws:s3:::c*", BUCKET, ()),
        ("arn:aws:s3:::c", BUCKET, ()),
    ],
)
def test_what_is_open_of_one_resource(granted: Any, asked: str, actions: tuple[str, ...]) -> None:
    found = parse(policy(anyone(resource=granted))).openings(resource=asked)
    assert found == ((Opening(actions),) if actions else ())


@pytest.mark.parametrize(
    ("granted", "denied", "is_open"),
    [
        ("*", [BUCKET, OBJECTS], False),
        ("*", BUCKET, True),
        ("*", OBJECTS, True),
        (f"{BUCKET}/public/*", OBJECTS, False),
        (f"{BUCKET}/public/*", f"{BUCKET}/public/*", False),
        (f"{BUCKET}/*/public", f"{BUCKET}/x/*", True),
        ("arn:aws:s3:::*/public", OBJECTS, False),
        (BUCKET, BUCKET, False),
        ("arn:aws:s3:::*", f"{BUCKET}*", False),
    ],
)
def test_what_is_denied_of_one_resource(granted: str, denied: Any, is_open: bool) -> None:  # noqa: FBT001 (a table's column)
    found = parse(policy(anyone(resource=granted), nobody(resource=denied))).openings(resource=BUCKET)
    assert bool(found) == is_open


def test_what_is_open_of_all_but_some_resources() -> None:
    spared = {"Effect": "Allow", "Principal": "*", "Action": READ, "NotResource": OBJECTS}
    assert parse(policy(spared)).openings(resource=BUCKET) == (Opening((READ,)),)
    assert parse(policy(spared)).openings(resource=f"{BUCKET}/x") == ()
    assert parse(policy(spared, nobody(resource=BUCKET))).openings(resource=BUCKET) == ()


def test_more_keys_narrow_where_the_caller_says_so() -> None:
    endpoint = parse(policy(anyone({"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}, "*", "*")))
    assert endpoint.openings() == (Opening(("*",), "", "aws:ResourceOrgID"),)
    assert endpoint.openings(also=("aws:ResourceOrgID",)) == ()


def test_what_an_opening_includes() -> None:
    opening = Opening(("s3:Get*", "S3:putobject"))
    assert opening.includes("s3:GetObject")
    assert opening.includes("s3:PutObject")
    assert opening.includes("s3:*")
    assert not opening.includes("s3:DeleteObject")
    assert Opening(("*",)).includes("s3:DeleteObject")


def test_canonical_ids_are_told_but_for_log_delivery() -> None:
    delivery = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
    somebody = "79a5" * 16
    named = {"Principal": {"CanonicalUser": [delivery, somebody, somebody]}}
    assert parse(policy(STATEMENT | named)).canonical() == (somebody,)


def test_transport_of_what_is_no_bucket() -> None:
    topic = "arn:aws:sns:eu-west-1:111122223333:t"
    http = {"Bool": {"aws:SecureTransport": "false"}}
    assert parse(policy(nobody(http, "sns:*", topic))).denies_insecure_transport(topic)
    assert not parse(policy(nobody(http, "sns:Publish", topic))).denies_insecure_transport(topic)
    assert not parse(policy(nobody(http, "s3:*", topic))).denies_insecure_transport(topic)


def test_transport_of_reading_and_writing_alone() -> None:
    http = {"Bool": {"aws:SecureTransport": "false"}}
    both = parse(policy(nobody(http, [READ, "s3:PutObject"])))
    assert not both.denies_insecure_transport(BUCKET)
    assert both.denies_insecure_transport(BUCKET, strict=False)
    assert not parse(policy(nobody(http, READ))).denies_insecure_transport(BUCKET, strict=False)
