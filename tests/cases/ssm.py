"""What the check of parameters accepts and rejects; what a secret looks like, test_secrets.py says."""

from orgscan.check import Problem
from orgscan.model import Blindness, Gap
from orgscan.secrets import Secret
from orgscan.services.ssm.checks import ssm_parameter_plaintext_secret
from orgscan.services.ssm.facts import Parameter
from tests.cases.case import ACCOUNT, Case, cannot_tell, fails, passes

ARN = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/settings"
PASSWORD = Secret("secret-name", "value", "0123456789abcdef")
TOKEN = Secret("github-token", "value, line 3", "fedcba9876543210")


def parameter(secrets: tuple[Secret, ...] | Gap | None) -> Parameter:
    return Parameter(arn=ARN, secrets=secrets)


CASES: list[Case] = [
    passes(ssm_parameter_plaintext_secret, parameter(())),
    # Encrypted.
    passes(ssm_parameter_plaintext_secret, parameter(None)),
    fails(
        ssm_parameter_plaintext_secret,
        parameter((PASSWORD,)),
        Problem("the value looks like a secret (secret-name, sha256 0123456789abcdef)"),
    ),
    fails(
        ssm_parameter_plaintext_secret,
        parameter((PASSWORD, TOKEN)),
        "the value looks like a secret (secret-name, sha256 0123456789abcdef)",
        "the value, line 3 looks like a secret (github-token, sha256 fedcba9876543210)",
    ),
    cannot_tell(
        ssm_parameter_plaintext_secret,
        parameter(Gap("parameter_values", Blindness.DENIED, "ssm:GetParameters")),
        "ssm:GetParameters",
    ),
]
