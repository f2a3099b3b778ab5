"""Policies that give too much, roles that let too many in, and what nobody uses any more."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from local import past
from local.faults.identity import READ, TRUST, access_key, enrol_mfa, user
from local.place import Place, scenario

INLINE, MANAGED = "iam-inline-policy-full-admin", "iam-policy-full-admin-customer-managed"
ESCALATION = "iam-policy-privilege-escalation"
PUBLIC, OIDC = "iam-role-trust-public", "iam-role-trust-oidc-subject-unrestricted"
NO_ID, UNKNOWN = "iam-role-trust-external-account-no-external-id", "iam-role-trust-unknown-account"
ROLE_UNUSED, KEY_UNUSED = "iam-role-unused", "iam-user-access-key-unused"
CONSOLE_UNUSED = "iam-user-console-access-unused"
LAMBDA = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
VENDOR = "998877665544"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def role(place: Place, what: str, trust: str = TRUST, **more: Any) -> tuple[str, str]:
    """A role's name and ARN."""
    name = place.name(what)
    made = place.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]
    return name, str(made["Arn"])


def role_with(place: Place, what: str, *statements: Mapping[str, Any]) -> tuple[str, str]:
    """A role with an inline policy that is called 'job'."""
    name, arn = role(place, what)
    place.client("iam").put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=document(*statements))
    return name, arn


def policy(place: Place, what: str, *statements: Mapping[str, Any], attached: bool = True) -> tuple[str, str]:
    """A customer managed policy's ARN, and the role that it is attached to ('' for none)."""
    iam, name = place.client("iam"), place.name(what)
    arn = str(iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))["Policy"]["Arn"])
    if not attached:
        return arn, ""
    holder, _ = role(place, f"{what}-holder")
    iam.attach_role_policy(RoleName=holder, PolicyArn=arn)
    return arn, holder


def trusted(place: Place, what: str, principal: Any, **more: Any) -> tuple[str, str]:
    """A role that lets a principal in."""
    return role(place, what, document({**ASSUME, "Principal": principal, **more}))


def forget(place: Place, name: str) -> None:
    """Only the service that runs the role's code is trusted from now on."""
    place.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=TRUST)


@scenario(copies=2, once=True)
def inline_administrator(place: Place) -> None:
    iam, (name, arn) = place.client("iam"), role_with(place, "installer", allow("*"))
    mend = partial(iam.delete_role_policy, RoleName=name, PolicyName="job")
    place.fails(INLINE, resource=arn, key="job", mend=mend)


@scenario(once=True)
def inline_administrator_with_second_factor(place: Place) -> None:
    name, arn = user(place, "on-call")
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    place.client("iam").put_user_policy(
        UserName=name, PolicyName="all", PolicyDocument=document(allow("*", Condition=condition))
    )
    place.fails(INLINE, resource=arn, key="all")


@scenario(once=True)
def inline_owner_of_one_bucket(place: Place) -> None:
    _, arn = role_with(place, "archivist", allow("*", resource="arn:aws:s3:::archive/*"), allow("s3:List*"))
    place.looks_like(INLINE, resource=arn)


@scenario(copies=2, once=True)
def managed_administrator(place: Place) -> None:
    everything = {"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"}
    iam, (arn, holder) = place.client("iam"), policy(place, "all-but-billing", allow("*"), everything)
    place.fails(MANAGED, resource=arn, mend=partial(iam.detach_role_policy, RoleName=holder, PolicyArn=arn))


@scenario(once=True)
def managed_administrator_of_nobody(place: Place) -> None:
    arn, _ = policy(place, "retired-admin", allow("*"), attached=False)
    place.looks_like(MANAGED, resource=arn)


@scenario(copies=2, once=True)
def policy_that_writes_policies(place: Place) -> None:
    iam, (arn, holder) = place.client("iam"), policy(place, "ci", allow("iam:CreatePolicy*"))
    mend = partial(iam.detach_role_policy, RoleName=holder, PolicyArn=arn)
    place.fails(ESCALATION, resource=arn, mend=mend)


@scenario(once=True)
def inline_policy_that_starts_instances_with_any_role(place: Place) -> None:
    _, arn = role_with(place, "autoscaler", allow("iam:PassRole"), allow("ec2:RunInstances"))
    place.fails(ESCALATION, resource=arn, key="job")


@scenario(once=True)
def escalation_that_takes_two_policies(place: Place) -> None:
    name, arn = role_with(place, "template-author", allow("iam:PassRole"))
    more, _ = policy(place, "stacks", allow("cloudformation:CreateStack"), attached=False)
    place.client("iam").attach_role_policy(RoleName=name, PolicyArn=more)
    place.fails(ESCALATION, resource=arn)


@scenario(once=True)
def group_with_a_policy_of_aws_that_escalates(place: Place) -> None:
    iam, name = place.client("iam"), place.name("function-authors")
    arn = iam.create_group(GroupName=name)["Group"]["Arn"]
    iam.attach_group_policy(GroupName=name, PolicyArn=LAMBDA)
    place.fails(ESCALATION, resource=arn)


@scenario(once=True)
def user_who_keeps_own_keys(place: Place) -> None:
    name, arn = user(place, "self-service")
    own = allow("iam:CreateAccessKey", resource=f"{place.arn('iam', 'user/')}${{aws:username}}")
    place.client("iam").put_user_policy(UserName=name, PolicyName="keys", PolicyDocument=document(own))
    place.looks_like(ESCALATION, resource=arn)


@scenario(once=True)
def escalation_within_a_boundary(place: Place) -> None:
    boundary, _ = policy(place, "boundary", allow("s3:*"), attached=False)
    name, arn = role(place, "bounded", PermissionsBoundary=boundary)
    place.client("iam").put_role_policy(
        RoleName=name, PolicyName="job", PolicyDocument=document(allow("iam:PutRolePolicy"))
    )
    place.looks_like(ESCALATION, resource=arn)


@scenario(copies=2, once=True)
def role_for_everyone(place: Place) -> None:
    name, arn = trusted(place, "public-data", {"AWS": "*"})
    place.fails(PUBLIC, resource=arn, mend=partial(forget, place, name))


@scenario(once=True)
def role_for_everyone_in_the_organization(place: Place) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-acme123456"}}
    _, arn = trusted(place, "inventory", {"AWS": "*"}, Condition=condition)
    place.looks_like(PUBLIC, NO_ID, UNKNOWN, resource=arn)


@scenario(copies=2, once=True)
def role_of_an_unknown_vendor(place: Place) -> None:
    name, arn = trusted(place, "cost-tool", {"AWS": f"arn:aws:iam::{VENDOR}:root"})
    place.fails(NO_ID, UNKNOWN, resource=arn, mend=partial(forget, place, name))


@scenario(once=True)
def role_of_an_unknown_vendor_with_external_id(place: Place) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "5f0c-acme"}}
    _, arn = trusted(place, "monitoring", {"AWS": VENDOR}, Condition=condition)
    place.fails(UNKNOWN, resource=arn)
    place.looks_like(NO_ID, resource=arn)


@scenario(once=True)
def role_of_a_deleted_user(place: Place) -> None:
    _, arn = trusted(place, "handover", {"AWS": "AIDAJQABLZS4A3QDU576Q"})
    place.fails(UNKNOWN, resource=arn)


@scenario(once=True)
def role_of_the_account_itself(place: Place) -> None:
    _, arn = trusted(place, "operators", {"AWS": place.arn("iam", "root")})
    place.looks_like(NO_ID, UNKNOWN, resource=arn)


def _workflow(place: Place, what: str, **condition: Any) -> tuple[str, str]:
    provider = place.arn("iam", "oidc-provider/token.actions.githubusercontent.com")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    return role(place, what, document({**statement, "Principal": {"Federated": provider}}))


@scenario(copies=2, once=True)
def role_for_every_workflow_of_github(place: Place) -> None:
    audience = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    name, arn = _workflow(place, "github", StringEquals=audience)
    place.fails(OIDC, resource=arn, mend=partial(forget, place, name))


@scenario(once=True)
def role_for_the_workflows_of_one_organization(place: Place) -> None:
    subject = {"token.actions.githubusercontent.com:sub": "repo:acme/*"}
    place.looks_like(OIDC, resource=_workflow(place, "release", StringLike=subject)[1])


@scenario(copies=2, once=True)
def role_nobody_assumes(place: Place) -> None:
    iam, (name, arn) = place.client("iam"), role(place, "migration")
    past.age_role(place.account.id, name, days=700, used=380)
    place.fails(ROLE_UNUSED, resource=arn, remove=partial(iam.delete_role, RoleName=name))


@scenario(once=True)
def role_nobody_ever_assumed(place: Place) -> None:
    name, arn = role(place, "proof-of-concept")
    past.age_role(place.account.id, name, days=400)
    place.fails(ROLE_UNUSED, resource=arn)


@scenario(once=True)
def old_role_in_use(place: Place) -> None:
    name, arn = role(place, "nightly")
    past.age_role(place.account.id, name, days=1500, used=100)
    place.looks_like(ROLE_UNUSED, resource=arn)


@scenario(once=True)
def stand_by_role(place: Place) -> None:
    name, arn = role(place, "acme-break-glass-reader")
    place.client("iam").attach_role_policy(RoleName=name, PolicyArn=READ)
    past.age_role(place.account.id, name, days=900)
    place.looks_like(ROLE_UNUSED, resource=arn)


@scenario(copies=2, once=True)
def access_key_nobody_uses(place: Place) -> None:
    name, arn = user(place, "old-importer")
    iam, key = place.client("iam"), access_key(place, name, days=60, used=50)
    mend = partial(iam.update_access_key, UserName=name, AccessKeyId=key, Status="Inactive")
    place.fails(KEY_UNUSED, resource=arn, key="1", mend=mend)


@scenario(once=True)
def access_key_nobody_ever_used(place: Place) -> None:
    name, arn = user(place, "trial")
    access_key(place, name, days=46.5, used=None)
    place.fails(KEY_UNUSED, resource=arn, key="1")


@scenario(once=True)
def new_access_key_nobody_used_yet(place: Place) -> None:
    name, arn = user(place, "exporter")
    access_key(place, name, days=20, used=None)
    place.looks_like(KEY_UNUSED, resource=arn)


@scenario(copies=2, once=True)
def console_user_who_left(place: Place) -> None:
    name, arn = user(place, "charles", password=True)
    enrol_mfa(place, name)
    past.age_user(place.account.id, name, days=600, used=90)
    mend = partial(place.client("iam").delete_login_profile, UserName=name)
    place.fails(CONSOLE_UNUSED, resource=arn, mend=mend)


@scenario(once=True)
def console_user_of_long_ago_at_work(place: Place) -> None:
    name, arn = user(place, "edsger", password=True)
    enrol_mfa(place, name)
    past.age_user(place.account.id, name, days=2000, used=3)
    place.looks_like(CONSOLE_UNUSED, resource=arn)
