"""What the KMS collector sees."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import parse
from orgscan.services.kms.collect import kms_keys
from orgscan.services.kms.facts import Key, Rotation
from orgscan.session import Clients
from tests.answers import answer, refuse

POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}
OFF = Rotation(on=False, period_days=None)


def metadata(**more: Any) -> dict[str, Any]:
    usual = {
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "CreationDate": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return {"KeyMetadata": {**usual, **more}}


def listed(target: Target, *names: str) -> dict[str, Any]:
    return {"Keys": [{"KeyId": name, "KeyArn": target.arn("kms", f"key/{name}")} for name in names]}


def one(clients: Clients, target: Target, *, denied: str = "", **said: Any) -> Clients:
    """A key 'a' that everybody may use and that rotates, but for what is denied or said otherwise."""
    usual = {
        "ListKeys": listed(target, "a"),
        "DescribeKey": metadata(),
        "GetKeyPolicy": {"Policy": json.dumps(POLICY)},
        "GetKeyRotationStatus": {"KeyRotationEnabled": True, "RotationPeriodInDays": 90},
    }
    for operation, result in {**usual, **said}.items():
        call = f"kms:{operation}"
        if call == denied:
            refuse(clients, target, call, "AccessDeniedException")
        else:
            answer(clients, target, call, *(result if isinstance(result, tuple) else (result,)))
    return clients


def read(clients: Clients, target: Target) -> list[Key]:
    return list(kms_keys.read(clients, target))


def test_all_facts_of_a_key(aws: boto3.Session, clients: Clients, target: Target) -> None:
    made = aws.client("kms").create_key(Policy=json.dumps(POLICY))["KeyMetadata"]
    assert read(clients, target) == [Key(arn=made["Arn"], policy=parse(POLICY), rotation=OFF, tags=None)]


def test_the_period_of_rotation(clients: Clients, target: Target) -> None:
    (key,) = read(one(clients, target), target)
    assert key.rotation == Rotation(on=True, period_days=90)
    assert not key.tags_optional


@pytest.mark.parametrize(
    "more",
    [
        {"KeySpec": "RSA_2048"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        {"Origin": "EXTERNAL"},
        {"Origin": "AWS_CLOUDHSM"},
        {"Origin": "EXTERNAL_KEY_STORE"},
        {"KeyState": "Disabled"},
        {"KeyState": "PendingImport"},
        {"MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}},
    ],
)
def test_keys_that_do_not_rotate_by_themselves(
    clients: Clients, target: Target, more: dict[str, Any]
) -> None:
    (key,) = read(one(clients, target, DescribeKey=metadata(**more)), target)
    assert (key.rotation, key.policy) == (None, parse(POLICY))


@pytest.mark.parametrize(
    "more",
    [
        {"MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": "PRIMARY"}},
        {"KeyState": "Updating"},
        {"KeyState": "SomethingNew"},
    ],
)
def test_keys_that_do(clients: Clients, target: Target, more: dict[str, Any]) -> None:
    (key,) = read(one(clients, target, DescribeKey=metadata(**more)), target)
    assert key.rotation == Rotation(on=True, period_days=90)


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion"])
def test_what_is_about_to_be_deleted_is_not_asked_for_its_policy(
    clients: Clients, target: Target, state: str
) -> None:
    (key,) = read(one(clients, target, DescribeKey=metadata(KeyState=state)), target)
    assert (key.policy, key.rotation) == (None, None)


def test_aws_own_keys_are_left_out_on_every_page(clients: Clients, target: Target) -> None:
    pages = (
        {**listed(target, "a", "b"), "Truncated": True, "NextMarker": "more"},
        listed(target, "c"),
    )
    said = (metadata(), metadata(KeyManager="AWS"), metadata())
    found = read(one(clients, target, ListKeys=pages, DescribeKey=said), target)
    assert [key.arn[-5:] for key in found] == ["key/a", "key/c"]


def test_a_key_whose_own_policy_keeps_us_out_is_there_and_unknown(clients: Clients, target: Target) -> None:
    (key,) = read(one(clients, target, denied="kms:DescribeKey"), target)
    denied = Gap("key_described", Blindness.DENIED, "kms:DescribeKey")
    assert (key.policy, key.rotation, key.tags_optional) == (denied, denied, True)


def test_a_denied_policy_is_a_gap(clients: Clients, target: Target) -> None:
    (key,) = read(one(clients, target, denied="kms:GetKeyPolicy"), target)
    assert key.policy == Gap("key_policy", Blindness.DENIED, "kms:GetKeyPolicy")
    assert key.rotation == Rotation(on=True, period_days=90)


def test_a_denied_rotation_is_a_gap(clients: Clients, target: Target) -> None:
    (key,) = read(one(clients, target, denied="kms:GetKeyRotationStatus"), target)
    assert key.policy == parse(POLICY)
    assert key.rotation == Gap("key_rotation", Blindness.DENIED, "kms:GetKeyRotationStatus")


def test_a_policy_that_makes_no_sense_costs_that_fact_alone(clients: Clients, target: Target) -> None:
    (key,) = read(one(clients, target, GetKeyPolicy={"Policy": "all of it"}), target)
    assert key.policy == Gap("key_policy", Blindness.FAULT, "Malformed: not JSON")
    assert key.rotation == Rotation(on=True, period_days=90)


def test_a_key_that_is_gone_by_now(clients: Clients, target: Target) -> None:
    answer(clients, target, "kms:ListKeys", listed(target, "4f5a1c9e"))
    assert read(clients, target) == []


def test_a_key_that_makes_no_sense_costs_itself(clients: Clients, target: Target) -> None:
    said = ({"KeyMetadata": {"KeyManager": "CUSTOMER"}}, metadata())
    one(clients, target, ListKeys=listed(target, "a", "b"), DescribeKey=said)
    lost: list[Gap] = []
    assert [key.arn[-5:] for key in kms_keys.read(clients, target, spoil=lost.append)] == ["key/b"]
    assert [(each.scope, each.reason) for each in lost] == [("kms-keys", Blindness.FAULT)]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "kms:ListKeys", "AccessDeniedException")
    with pytest.raises(ClientError, match="kms:ListKeys"):
        read(clients, target)


@pytest.mark.parametrize("odd", [{"KeySpec": "SYMMETRIC_NEW"}, {"Origin": "ELSEWHERE"}])
def test_words_that_nobody_knows_cost_their_key(
    clients: Clients, target: Target, odd: dict[str, str]
) -> None:
    """Not taken for a key that cannot rotate."""
    told = {"KeyId": "k", "KeyManager": "CUSTOMER", "KeyState": "Enabled"}
    told |= {"KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", **odd}
    answer(clients, target, "kms:ListKeys", {"Keys": [{"KeyId": "k", "KeyArn": target.arn("kms", "key/k")}]})
    answer(clients, target, "kms:DescribeKey", {"KeyMetadata": told})
    lost: list[Gap] = []
    assert list(kms_keys.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]
