"""What we expect of Systems Manager."""

from orgscan.check import Problems, check
from orgscan.model import Category, Severity, known
from orgscan.services.ssm.facts import Parameter


@check(
    Parameter,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Recreate it as a SecureString or move it to Secrets Manager, and change the secret.",
    cli=(
        (
            "aws ssm put-parameter --name '<new-name>' --type SecureString --value "
            "'file://<the-changed-secret>' --region {region}"
        ),
        "aws ssm delete-parameter --name '<old-name-once-nobody-reads-it>' --region {region}",
    ),
    cdk="""
        secretsmanager.CfnSecret(
            self,
            "Secret",
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(password_length=32),
        )
    """,
)
def ssm_parameter_plaintext_secret(parameter: Parameter) -> Problems:
    """A parameter in clear text holds a secret.

    Whoever may read parameters reads it, and its history keeps it. Values of type String and StringList are
    looked through by known forms and by the parameter's name; only rule, line and a salted digest are kept.
    ARNs, references and placeholders pass, and a SecureString is never read.
    """
    for secret in known(parameter.secrets) or ():
        yield f"the {secret.location} looks like a secret ({secret.rule}, sha256 {secret.digest})"
