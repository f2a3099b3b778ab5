"""What we expect of KMS."""

from collections.abc import Sequence

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity, known
from orgscan.policy.words import listed, opened
from orgscan.services.kms.facts import Key

ID_DIGITS = 12


@check(
    Key,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Name the principals the policy is meant for, or require kms:CallerAccount or aws:PrincipalOrgID.",
    maps=("FSBP KMS.5",),
    equivalent=("prowler:kms_key_not_publicly_accessible",),
    cli=(
        (
            "aws kms get-key-policy --key-id {arn} --policy-name default --query Policy --output text "
            "--region {region}"
        ),
        (
            "aws kms put-key-policy --key-id {arn} --policy-name default --policy "
            "'file://<policy-that-names-principals>' --region {region}"
        ),
    ),
    cdk="""
        kms.CfnKey(
            self,
            "Key",
            key_policy={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "<account>"}, "Action": "kms:*", "Resource": "*"}
                ],
            },
        )
    """,
)
def kms_key_policy_public(key: Key, view: View, *, trusted_account_ids: Sequence[str] = []) -> Problems:
    """The key policy lets everyone, or an account that nobody knows, use or manage the key.

    Whoever may decrypt with the key can read what leaks; whoever may manage it can lock its owner out.
    kms:ViaService alone narrows nothing: everybody can come by the service. An account that is neither in
    the organization nor among `trusted_account_ids` is medium. A key that is about to be deleted passes.
    """
    policy = known(key.policy)
    if policy is None:
        return
    yield from opened(policy, key.arn)
    own = view.accounts | {view.target.account} | {str(each).zfill(ID_DIGITS) for each in trusted_account_ids}
    for grant in policy.external(own):
        if not grant.restricted_to_org:
            text = f"the policy allows {grant.principal} of an unknown account {listed(grant.actions)}"
            yield Problem(text, severity=Severity.MEDIUM)


@check(
    Key,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Enable automatic rotation; KMS keeps the old key material for what it encrypted.",
    maps=("CIS AWS 3.0 3.6", "CIS AWS 5.0 3.6", "CIS AWS 6.0 4.6", "CIS AWS 7.0 4.6", "FSBP KMS.4"),
    equivalent=("prowler:kms_cmk_rotation_enabled",),
    cli=("aws kms enable-key-rotation --key-id {arn} --rotation-period-in-days 365 --region {region}",),
    cdk="""
        kms.CfnKey(self, "Key", enable_key_rotation=True, rotation_period_in_days=365)
    """,
)
def kms_key_rotation_off(key: Key, *, max_period: int = 365) -> Problems:
    """A customer managed symmetric key does not rotate automatically, or too seldom.

    The longer one key is used, the more a leak of it opens. Only symmetric keys that are enabled and whose
    material KMS made can rotate so: not asymmetric, HMAC and imported ones, nor those of custom key stores.
    Of a multi-region key the primary is judged. `max_period` is in days.
    """
    rotation = known(key.rotation)
    if rotation is None:
        return
    if not rotation.on:
        yield "automatic rotation is off"
    elif rotation.period_days is not None and rotation.period_days > max_period:
        yield f"it rotates every {rotation.period_days} days only"
