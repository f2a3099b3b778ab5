"""How we learn about Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.secretsmanager.facts import Secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import SecretListEntryTypeDef


@collector(Secret, calls=("secretsmanager:ListSecrets",))
def secretsmanager_secrets(aws: Reader) -> Iterator[Secret]:
    """Without those that are scheduled for deletion, which AWS lists on demand only."""
    client: SecretsManagerClient = aws.client("secretsmanager")
    for page in aws.pages(client.get_paginator("list_secrets"), PaginationConfig={"PageSize": 100}):
        yield from aws.shaped(partial(_secret, aws), page["SecretList"])


def _secret(aws: Reader, secret: SecretListEntryTypeDef) -> Secret:
    primary, owner = secret.get("PrimaryRegion"), secret.get("OwningService")
    return Secret(
        arn=secret["ARN"],
        created=secret["CreatedDate"],
        changed=secret.get("LastChangedDate"),
        accessed=secret.get("LastAccessedDate"),
        rotates=secret.get("RotationEnabled", False),
        owner=owner,
        replica_of=None if primary == aws.target.region else primary,
        tags=aws.tags(secret.get("Tags")),
        tags_optional=owner is not None,
    )
