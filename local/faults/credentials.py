"""Secrets, and parameters that should be some."""

from collections.abc import Callable
from functools import partial
from typing import Any

from local import past
from local.place import Place, scenario, tag_list

ROTATION, UNUSED = "secretsmanager-rotation-off", "secretsmanager-secret-unused"
PLAIN = "ssm-parameter-plaintext-secret"
PASSWORD = "Tr0ub4dor&" + "3xyz"
TOKEN = "ghp_" + "a1B2c3D4e5" * 4


def secret(
    place: Place, what: str, *, rotates: bool = True, tags: dict[str, str] | None = None, **noted: Any
) -> str:
    """A secret's ARN; `noted`: what Secrets Manager says of it."""
    client, name = place.client("secretsmanager"), place.name(what)
    arn = client.create_secret(Name=name, SecretString="{}", Tags=tag_list(place.tags(name, **(tags or {}))))[
        "ARN"
    ]
    if rotates:
        rotate(place, arn)
    if noted:
        past.tell_of_secret(place.account.id, place.region, arn, **noted)
    return str(arn)


def rotate(place: Place, arn: str) -> None:
    place.client("secretsmanager").rotate_secret(SecretId=arn, RotationRules={"AutomaticallyAfterDays": 30})


def forget(place: Place, arn: str) -> Callable[[], object]:
    return partial(
        place.client("secretsmanager").delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True
    )


def parameter(place: Place, what: str, value: str, kind: str = "String") -> tuple[str, str]:
    """A parameter's name and ARN."""
    name = f"/{place.name('shop')}/{what}"
    place.client("ssm").put_parameter(Name=name, Value=value, Type=kind, Tags=tag_list(place.tags(name[1:])))
    return name, place.arn("ssm", f"parameter{name}")


@scenario(copies=2)
def secret_that_nobody_reads(place: Place) -> None:
    arn = secret(place, "old-crm", CreatedDate=past.days_ago(400), LastAccessedDate=past.days_ago(200))
    place.fails(UNUSED, resource=arn, remove=forget(place, arn))


@scenario()
def secret_that_nobody_ever_read(place: Place) -> None:
    arn = secret(place, "pilot", CreatedDate=past.days_ago(120))
    place.fails(UNUSED, resource=arn)


@scenario(copies=2)
def secret_that_does_not_rotate(place: Place) -> None:
    arn = secret(place, "smtp", rotates=False)
    place.fails(ROTATION, resource=arn, mend=partial(rotate, place, arn), remove=forget(place, arn))


@scenario()
def secret_that_nobody_rotated_by_hand(place: Place) -> None:
    arn = secret(
        place,
        "partner-api",
        rotates=False,
        tags={"rotation": "manual"},
        CreatedDate=past.days_ago(300),
        LastChangedDate=past.days_ago(200),
        LastAccessedDate=past.days_ago(1),
    )
    place.fails(ROTATION, resource=arn)


@scenario()
def secret_that_was_rotated_by_hand(place: Place) -> None:
    arn = secret(
        place,
        "bank-api",
        rotates=False,
        tags={"rotation": "manual"},
        CreatedDate=past.days_ago(300),
        LastChangedDate=past.days_ago(20),
        LastAccessedDate=past.days_ago(80),
    )
    place.looks_like(ROTATION, UNUSED, resource=arn)


@scenario()
def secret_of_a_database(place: Place) -> None:
    """RDS rotates what it owns, without saying so."""
    place.looks_like(ROTATION, resource=secret(place, "rds-orders", rotates=False, OwningService="rds"))


@scenario(copies=2)
def parameter_that_is_a_password(place: Place) -> None:
    name, arn = parameter(place, "db/password", PASSWORD)
    ssm = place.client("ssm")
    place.fails(
        PLAIN,
        resource=arn,
        mend=lambda: ssm.put_parameter(
            Name=name, Value=place.arn("secretsmanager", "secret:shop-db"), Type="String", Overwrite=True
        ),
        remove=lambda: ssm.delete_parameter(Name=name),
    )


@scenario()
def parameter_with_a_token_among_settings(place: Place) -> None:
    _, arn = parameter(place, "settings", f"region=eu,token={TOKEN}", "StringList")
    place.fails(PLAIN, resource=arn)


@scenario()
def parameters_that_hold_no_secret_in_clear_text(place: Place) -> None:
    for what, value, kind in (
        ("api/token", TOKEN, "SecureString"),
        ("api/secret-arn", place.arn("secretsmanager", "secret:shop-api"), "String"),
    ):
        place.looks_like(PLAIN, resource=parameter(place, what, value, kind)[1])
