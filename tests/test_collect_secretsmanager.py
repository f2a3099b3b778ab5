"""What the Secrets Manager collector sees."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.secretsmanager.collect import secretsmanager_secrets
from orgscan.services.secretsmanager.facts import Secret
from orgscan.session import Clients
from tests.answers import answer, refuse

THEN = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)


def listed(name: str, **more: Any) -> dict[str, Any]:
    return {"ARN": name, "Name": name, "CreatedDate": THEN, **more}


def test_a_secret_without_its_value(aws: boto3.Session, clients: Clients, target: Target) -> None:
    client = aws.client("secretsmanager")
    arn = client.create_secret(Name="crm", SecretString="hunter2", Tags=[{"Key": "Owner", "Value": "ann"}])[
        "ARN"
    ]
    (secret,) = secretsmanager_secrets.read(clients, target)
    assert secret == Secret(
        arn=arn,
        created=secret.created,
        changed=secret.changed,
        accessed=None,
        rotates=False,
        owner=None,
        replica_of=None,
        tags={"Owner": "ann"},
    )
    assert abs((datetime.now(UTC) - secret.created).total_seconds()) < 60
    client.rotate_secret(SecretId=arn, RotationRules={"AutomaticallyAfterDays": 30})
    (secret,) = secretsmanager_secrets.read(clients, target)
    assert secret.rotates


def test_a_secret_that_is_about_to_be_deleted_is_left_out(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    client = aws.client("secretsmanager")
    client.create_secret(Name="crm", SecretString="hunter2")
    client.delete_secret(SecretId="crm", RecoveryWindowInDays=7)
    assert list(secretsmanager_secrets.read(clients, target)) == []


def test_two_pages_replicas_owners_and_days(clients: Clients, target: Target) -> None:
    answer(
        clients,
        target,
        "secretsmanager:ListSecrets",
        {"SecretList": [listed("a", PrimaryRegion="eu-west-1", LastChangedDate=THEN)], "NextToken": "more"},
        {
            "SecretList": [
                listed("b", PrimaryRegion="eu-central-1", LastAccessedDate=THEN),
                listed("c", OwningService="rds", Tags=[{"Key": "DbPassword", "Value": "Tr0ub4dor&3xyz"}]),
            ]
        },
    )
    a, b, c = secretsmanager_secrets.read(clients, target)
    assert (a.replica_of, a.changed, a.accessed, a.tags) == (None, THEN, None, {})
    assert (b.replica_of, b.changed, b.accessed) == ("eu-central-1", None, THEN)
    assert (c.owner, c.tags_optional, a.tags_optional) == ("rds", True, False)
    assert "Tr0ub4dor" not in str(c)


def test_a_secret_that_makes_no_sense_costs_itself(clients: Clients, target: Target) -> None:
    answer(clients, target, "secretsmanager:ListSecrets", {"SecretList": [{"ARN": "a"}, listed("b")]})
    lost: list[Gap] = []
    assert [each.arn for each in secretsmanager_secrets.read(clients, target, spoil=lost.append)] == ["b"]
    assert [(each.scope, each.reason) for each in lost] == [("secretsmanager-secrets", Blindness.FAULT)]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "secretsmanager:ListSecrets", "AccessDeniedException")
    with pytest.raises(ClientError, match="secretsmanager:ListSecrets"):
        list(secretsmanager_secrets.read(clients, target))
