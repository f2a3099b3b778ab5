"""Keys of KMS."""

import json
from collections.abc import Mapping
from typing import Any

from local.place import Place, scenario

PUBLIC, ROTATION = "kms-key-policy-public", "kms-key-rotation-off"
STRANGER = "arn:aws:iam::999999999999:root"


def key(
    place: Place, what: str, *extra: Mapping[str, Any], rotates: bool = True, **options: Any
) -> tuple[str, str]:
    """A key's id and ARN. `extra`: statements beside the one for its own account."""
    kms, tags = place.client("kms"), place.tags(place.name(what))
    made = kms.create_key(
        Policy=_policy(place, *extra),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
        **options,
    )["KeyMetadata"]
    if rotates:
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], made["Arn"]


def _policy(place: Place, *extra: Mapping[str, Any]) -> str:
    own = {"Principal": {"AWS": f"arn:aws:iam::{place.account.id}:root"}, "Action": "kms:*"}
    statements = [{"Effect": "Allow", "Resource": "*", **each} for each in (own, *extra)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@scenario(copies=2)
def key_that_opens_to_everyone(place: Place) -> None:
    via = {"StringEquals": {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}}
    name, arn = key(
        place, "exports", {"Sid": "Partners", "Principal": "*", "Action": "kms:Decrypt", "Condition": via}
    )
    place.fails(
        PUBLIC,
        resource=arn,
        mend=lambda: place.client("kms").put_key_policy(
            KeyId=name, PolicyName="default", Policy=_policy(place)
        ),
    )


@scenario()
def key_that_a_stranger_may_use(place: Place) -> None:
    _, arn = key(place, "agency", {"Principal": {"AWS": STRANGER}, "Action": ["kms:Decrypt", "kms:Encrypt"]})
    place.fails(PUBLIC, resource=arn)


@scenario(copies=2)
def key_that_does_not_rotate(place: Place) -> None:
    """Open to everyone of its own account, through one service: as AWS's own keys are."""
    narrowed = {
        "StringEquals": {
            "kms:CallerAccount": place.account.id,
            "kms:ViaService": f"ec2.{place.region}.amazonaws.com",
        }
    }
    everyone = {"Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Condition": narrowed}
    name, arn = key(place, "volumes", everyone, rotates=False)
    place.looks_like(PUBLIC, resource=arn)
    place.fails(ROTATION, resource=arn, mend=lambda: place.client("kms").enable_key_rotation(KeyId=name))


@scenario()
def key_that_signs(place: Place) -> None:
    """KMS does not rotate what is not symmetric."""
    _, arn = key(place, "signing", rotates=False, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    place.looks_like(ROTATION, resource=arn)
