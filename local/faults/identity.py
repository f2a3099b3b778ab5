"""Users, their keys and passwords, and who is an administrator."""

import json
import secrets

from local import past
from local.place import Place, scenario

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MFA, KEY = "iam-user-console-mfa-missing", "iam-user-access-key-not-rotated"
ADMINISTRATOR = "iam-principal-aws-admin-policy-attached"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def user(place: Place, what: str, *, password: bool = False) -> tuple[str, str]:
    """A user's name and ARN."""
    iam, name = place.client("iam"), place.name(what)
    iam.create_user(UserName=name)
    if password:
        iam.create_login_profile(UserName=name, Password=f"Aa1!{secrets.token_hex(12)}")
    return name, place.arn("iam", f"user/{name}")


def enrol_mfa(place: Place, name: str) -> None:
    iam = place.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )


def access_key(place: Place, name: str, *, days: float, used: float | None = 1) -> str:
    """`used`: days since it was; None: never."""
    key = place.client("iam").create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    past.age_access_key(place.account.id, name, key, days=days, used=used)
    return str(key)


def role(place: Place, name: str, policy: str, *, path: str = "/") -> str:
    """A role that carries a policy managed by AWS. Returns its ARN."""
    iam = place.client("iam")
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST)["Role"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return str(made["Arn"])


@scenario(copies=3, once=True)
def console_user_without_second_factor(place: Place) -> None:
    name, arn = user(place, "ada", password=True)
    iam = place.client("iam")
    place.fails(MFA, resource=arn, mend=lambda: iam.delete_login_profile(UserName=name))


@scenario(once=True)
def console_administrator_without_second_factor(place: Place) -> None:
    name, arn = user(place, "root-of-all", password=True)
    place.client("iam").attach_user_policy(UserName=name, PolicyArn=ADMIN)
    place.fails(MFA, ADMINISTRATOR, resource=arn)


@scenario(copies=2, once=True)
def console_user_with_second_factor(place: Place) -> None:
    name, arn = user(place, "grace", password=True)
    enrol_mfa(place, name)
    place.looks_like(MFA, resource=arn)


@scenario(once=True)
def user_without_password(place: Place) -> None:
    _, arn = user(place, "=1+1@machine")  # IAM allows it, and a spreadsheet would compute it
    place.looks_like(MFA, resource=arn)


@scenario(copies=3, once=True)
def old_access_key(place: Place) -> None:
    name, arn = user(place, "deployer")
    iam, key = place.client("iam"), access_key(place, name, days=200)

    def remove() -> None:
        iam.delete_access_key(UserName=name, AccessKeyId=key)
        iam.delete_user(UserName=name)

    place.fails(
        KEY,
        resource=arn,
        key="1",
        mend=lambda: iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive"),
        remove=remove,
    )


@scenario(once=True)
def two_old_access_keys(place: Place) -> None:
    """One user, two findings."""
    name, arn = user(place, "backup-appliance")
    for number, days in (("1", 800), ("2", 120)):
        access_key(place, name, days=days)
        place.fails(KEY, resource=arn, key=number)


@scenario(copies=2, once=True)
def access_key_of_80_days(place: Place) -> None:
    name, arn = user(place, "ci")
    access_key(place, name, days=80)
    place.looks_like(KEY, resource=arn)


@scenario(once=True)
def old_access_key_turned_off(place: Place) -> None:
    name, arn = user(place, "former-employee")
    key = access_key(place, name, days=900)
    place.client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    place.looks_like(KEY, resource=arn)


@scenario(copies=2, once=True)
def administrator_role(place: Place) -> None:
    name = place.name("jenkins")
    arn, iam = role(place, name, ADMIN), place.client("iam")
    place.fails(
        ADMINISTRATOR, resource=arn, mend=lambda: iam.detach_role_policy(RoleName=name, PolicyArn=ADMIN)
    )


@scenario(once=True)
def power_user_role(place: Place) -> None:
    name = place.name("developer")
    arn, iam = role(place, name, POWER), place.client("iam")

    def remove() -> None:
        iam.detach_role_policy(RoleName=name, PolicyArn=POWER)
        iam.delete_role(RoleName=name)

    place.fails(ADMINISTRATOR, resource=arn, remove=remove)


@scenario(once=True)
def administrator_group(place: Place) -> None:
    iam, name = place.client("iam"), place.name("founders")
    arn = iam.create_group(GroupName=name)["Group"]["Arn"]
    iam.attach_group_policy(GroupName=name, PolicyArn=ADMIN)
    place.fails(ADMINISTRATOR, resource=arn)


@scenario(copies=2, once=True)
def administrator_role_of_single_sign_on(place: Place) -> None:
    name = place.name("AWSReservedSSO_AdministratorAccess_0123456789abcdef")
    arn = role(place, name, ADMIN, path="/aws-reserved/sso.amazonaws.com/")
    place.looks_like(ADMINISTRATOR, resource=arn)


@scenario(once=True)
def break_glass_role(place: Place) -> None:
    place.looks_like(ADMINISTRATOR, resource=role(place, place.name("acme-break-glass-admin"), ADMIN))


@scenario(once=True)
def role_that_only_reads(place: Place) -> None:
    place.looks_like(ADMINISTRATOR, resource=role(place, place.name("auditor"), READ))
