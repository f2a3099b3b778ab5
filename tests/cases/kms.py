"""What the KMS checks accept and reject."""

from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.policy import Policy, parse
from orgscan.services.kms.checks import kms_key_policy_public, kms_key_rotation_off
from orgscan.services.kms.facts import Key, Rotation
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes

ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/4f5a"
OWN = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
STRANGER = "arn:aws:iam::999999999999:role/agency"
DENIED = Gap("key_described", Blindness.DENIED, "kms:DescribeKey")


def policy(*statements: dict[str, Any]) -> Policy:
    return parse({"Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in (OWN, *statements)]})


def everyone(**more: Any) -> Key:
    return replace(KEY, policy=policy({"Principal": {"AWS": "*"}, "Action": "kms:Decrypt", **more}))


def known_to(**more: Any) -> Key:
    return replace(KEY, policy=policy({"Principal": {"AWS": STRANGER}, "Action": "kms:Decrypt", **more}))


KEY = Key(arn=ARN, policy=policy(), rotation=Rotation(on=True, period_days=365))
EXTERNAL = Problem(
    f"the policy allows {STRANGER} of an unknown account kms:Decrypt", severity=Severity.MEDIUM
)
VIA = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}

POLICY: list[Case] = [
    passes(kms_key_policy_public, KEY),
    fails(kms_key_policy_public, everyone(), Problem("the policy allows everyone kms:Decrypt")),
    fails(
        kms_key_policy_public,
        everyone(Sid="Open", Principal="*", Action=["kms:Decrypt", "kms:PutKeyPolicy"]),
        "the policy allows everyone kms:Decrypt, kms:PutKeyPolicy (statement Open)",
    ),
    fails(
        kms_key_policy_public,
        replace(
            KEY,
            policy=policy(
                {"Principal": "*", "Action": "kms:Decrypt"},
                {"Principal": "*", "NotAction": "kms:ScheduleKeyDeletion"},
            ),
        ),
        "the policy allows everyone kms:Decrypt",
        "the policy allows everyone every action",
    ),
    fails(
        kms_key_policy_public,
        everyone(Sid="Open", Condition={"StringEquals": VIA}),
        "the policy allows everyone kms:Decrypt (statement Open, not narrowed by kms:ViaService)",
    ),
    passes(
        kms_key_policy_public, everyone(Condition={"StringEquals": {**VIA, "kms:CallerAccount": ACCOUNT}})
    ),
    passes(
        kms_key_policy_public,
        everyone(Condition={"StringEquals": {**VIA, "aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    ),
    passes(kms_key_policy_public, everyone(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})),
    # Only the key itself is meant in its policy; what is said of another has no effect.
    passes(kms_key_policy_public, everyone(Resource=ARN.replace("4f5a", "9c9c"))),
    fails(kms_key_policy_public, known_to(), EXTERNAL),
    passes(kms_key_policy_public, known_to(), accounts=frozenset({"999999999999"})),
    passes(kms_key_policy_public, known_to(), parameters={"trusted_account_ids": ["999999999999"]}),
    # An organization's condition keeps out those that are not in it.
    passes(
        kms_key_policy_public, known_to(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    ),
    fails(
        kms_key_policy_public,
        everyone(Condition={"StringEquals": {"kms:CallerAccount": "000000000012"}}),
        Problem("the policy allows 000000000012 of an unknown account kms:Decrypt", severity=Severity.MEDIUM),
    ),
    # YAML reads an id without quotes as a number, and drops its zeros.
    passes(
        kms_key_policy_public,
        everyone(Condition={"StringEquals": {"kms:CallerAccount": "000000000012"}}),
        parameters={"trusted_account_ids": [12]},
    ),
    # About to be deleted.
    passes(kms_key_policy_public, replace(KEY, policy=None)),
    cannot_tell(kms_key_policy_public, replace(KEY, policy=DENIED), "kms:DescribeKey"),
]
ROTATION: list[Case] = [
    passes(kms_key_rotation_off, KEY),
    passes(kms_key_rotation_off, replace(KEY, rotation=Rotation(on=True, period_days=90))),
    passes(kms_key_rotation_off, replace(KEY, rotation=Rotation(on=True, period_days=None))),
    fails(
        kms_key_rotation_off,
        replace(KEY, rotation=Rotation(on=False, period_days=None)),
        Problem("automatic rotation is off"),
    ),
    fails(
        kms_key_rotation_off,
        replace(KEY, rotation=Rotation(on=True, period_days=366)),
        "it rotates every 366 days only",
    ),
    passes(
        kms_key_rotation_off,
        replace(KEY, rotation=Rotation(on=True, period_days=366)),
        parameters={"max_period": 366},
    ),
    # Asymmetric, imported, disabled, a replica.
    passes(kms_key_rotation_off, replace(KEY, rotation=None)),
    cannot_tell(kms_key_rotation_off, replace(KEY, rotation=DENIED), "kms:DescribeKey"),
]
CASES = [*POLICY, *ROTATION]
