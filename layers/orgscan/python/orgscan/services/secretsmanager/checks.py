"""What we expect of Secrets Manager."""

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity
from orgscan.services.secretsmanager.facts import Secret

ROTATING = frozenset({"ecs-sc", "rds", "redshift"})
"""Services that rotate the secrets they own: ECS Service Connect, RDS and Aurora, Redshift."""


@check(
    Secret,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Configure rotation, or change the secret and tag it rotation=manual.",
    maps=("FSBP SecretsManager.1",),
    equivalent=("prowler:secretsmanager_automatic_rotation_enabled",),
    cli=(
        (
            "aws secretsmanager rotate-secret --secret-id {arn} --rotation-lambda-arn '<function>' "
            "--rotation-rules AutomaticallyAfterDays=90 --region {region}"
        ),
        (
            "aws secretsmanager tag-resource --secret-id {arn} --tags "
            "'Key=rotation,Value=<manual-once-it-was-changed-by-hand>' --region {region}"
        ),
    ),
    cdk="""
        secretsmanager.CfnRotationSchedule(
            self,
            "Rotation",
            secret_id="<secret>",
            rotation_lambda_arn="<function>",
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=90
            ),
        )
    """,
)
def secretsmanager_rotation_off(secret: Secret, view: View, *, max_days: int = 90) -> Problems:
    """A secret has no automatic rotation.

    A credential that never changes stays open to everybody who ever saw it. What RDS, Redshift and ECS
    Service Connect own they rotate themselves, and a replica follows its primary. A secret with the tag
    rotation=manual passes if it was changed within `max_days`.
    """
    if secret.rotates or secret.owner in ROTATING or secret.replica_of:
        return
    if view.tags(secret).get("rotation") != "manual":
        owned = f"; {secret.owner} owns it" if secret.owner else ""
        yield f"automatic rotation is off{owned}"
        return
    days = (view.now - (secret.changed or secret.created)).days
    if days > max_days:
        yield f"it is rotated by hand (tag rotation=manual), and was last changed {days} days ago"


@check(
    Secret,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete the secret with a recovery window, which shows in time whether something needs it.",
    maps=("FSBP SecretsManager.3",),
    equivalent=("prowler:secretsmanager_secret_unused",),
    cli=(
        "aws secretsmanager describe-secret --secret-id {arn} --region {region}",
        "aws secretsmanager delete-secret --secret-id {arn} --recovery-window-in-days 30 --region {region}",
    ),
)
def secretsmanager_secret_unused(secret: Secret, view: View, *, max_days: int = 90) -> Problems:
    """A secret has not been read for the configured days.

    It costs money, and it may still open something. AWS notes the day of the last read in each region, so a
    replica may be there just for the worst day: informational, as are secrets that a service owns, which go
    with what they belong to.
    """
    days = (view.now - (secret.accessed or secret.created)).days
    if days <= max_days:
        return
    text = f"not read for {days} days" if secret.accessed else f"never read in {days} days"
    if secret.replica_of:
        text += f"; it is a replica of the one in {secret.replica_of}"
    if secret.owner:
        text += f"; {secret.owner} owns it"
    yield Problem(
        text,
        severity=Severity.INFORMATIONAL if secret.replica_of or secret.owner else None,
        saving=None if secret.owner else prices.monthly(view.target, "secretsmanager.secret_month"),
    )
