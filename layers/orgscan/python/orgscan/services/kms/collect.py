"""How we learn about KMS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.policy import Policy, read
from orgscan.services.kms.facts import Key, Rotation

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import KeyListEntryTypeDef, KeyMetadataTypeDef

GONE = "NotFoundException"
SPECS = words(
    "SYMMETRIC_DEFAULT",
    *("RSA_2048", "RSA_3072", "RSA_4096"),
    *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519", "ECC_SECG_P256K1"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"),
    *("ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "SM2"),
)
ORIGINS = words("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
ENDING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
RESTING = ENDING | {"Creating", "Disabled", "PendingImport", "Unavailable"}
"""States in which rotation is not asked for; any other counts as enabled."""


@collector(Key, calls=("kms:ListKeys", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"))
def kms_keys(aws: Reader) -> Iterator[Key]:
    kms: KMSClient = aws.client("kms")
    for page in aws.pages(kms.get_paginator("list_keys"), PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_key, kms), page["Keys"])


def _key(kms: KMSClient, listed: KeyListEntryTypeDef) -> Key | None:
    """A key's own policy may keep us from its description: then only its ARN is known."""
    arn = listed["KeyArn"]
    described = key_described(kms, arn)
    if isinstance(described, Gap):
        return Key(arn=arn, policy=described, rotation=described, tags_optional=True)
    if described is None or described["KeyManager"] == "AWS":
        return None
    return Key(
        arn=arn,
        policy=None if described["KeyState"] in ENDING else key_policy(kms, arn),
        rotation=key_rotation(kms, arn) if _could_rotate(described) else None,
    )


def _could_rotate(key: KeyMetadataTypeDef) -> bool:
    """A multi-region key rotates where its primary is; KMS shows the same on its replicas."""
    regions = key.get("MultiRegionConfiguration")
    return (
        SPECS[key["KeySpec"]] == "SYMMETRIC_DEFAULT"
        and ORIGINS[key["Origin"]] == "AWS_KMS"
        and key["KeyState"] not in RESTING
        and (regions is None or regions["MultiRegionKeyType"] != "REPLICA")
    )


@fact(absent=GONE)
def key_described(kms: KMSClient, key: str) -> KeyMetadataTypeDef:
    return kms.describe_key(KeyId=key)["KeyMetadata"]


@fact(absent=GONE)
def key_policy(kms: KMSClient, key: str) -> Policy | Gap:
    return read("key_policy", kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])


@fact(absent=GONE)
def key_rotation(kms: KMSClient, key: str) -> Rotation:
    status = kms.get_key_rotation_status(KeyId=key)
    return Rotation(on=status["KeyRotationEnabled"], period_days=status.get("RotationPeriodInDays"))
