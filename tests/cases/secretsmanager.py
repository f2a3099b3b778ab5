"""What the Secrets Manager checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Severity
from orgscan.services.secretsmanager.checks import secretsmanager_rotation_off, secretsmanager_secret_unused
from orgscan.services.secretsmanager.facts import Secret
from tests.cases.case import ACCOUNT, NOW, Case, fails, passes, usd

SECRET = Secret(
    arn=f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:crm-a1b2c3",
    created=NOW - timedelta(days=400),
    changed=NOW - timedelta(days=400),
    accessed=NOW - timedelta(days=1),
    rotates=True,
    owner=None,
    replica_of=None,
    tags={},
)
FIXED = replace(SECRET, rotates=False)
BY_HAND = replace(FIXED, tags={"rotation": "manual"})
OLD = replace(SECRET, accessed=NOW - timedelta(days=91))
NEVER = replace(SECRET, accessed=None)
SAVED = usd(0.4, everywhere=True)

CASES: list[Case] = [
    passes(secretsmanager_rotation_off, SECRET),
    fails(secretsmanager_rotation_off, FIXED, Problem("automatic rotation is off")),
    *(
        passes(secretsmanager_rotation_off, replace(FIXED, owner=owner))
        for owner in ("rds", "redshift", "ecs-sc")
    ),
    fails(
        secretsmanager_rotation_off,
        replace(FIXED, owner="events"),
        "automatic rotation is off; events owns it",
    ),
    passes(secretsmanager_rotation_off, replace(FIXED, replica_of="eu-central-1")),
    passes(secretsmanager_rotation_off, replace(BY_HAND, changed=NOW - timedelta(days=90, hours=23))),
    fails(
        secretsmanager_rotation_off,
        replace(BY_HAND, changed=NOW - timedelta(days=91)),
        "it is rotated by hand (tag rotation=manual), and was last changed 91 days ago",
    ),
    passes(
        secretsmanager_rotation_off,
        replace(BY_HAND, changed=NOW - timedelta(days=91)),
        parameters={"max_days": 91},
    ),
    fails(
        secretsmanager_rotation_off,
        replace(BY_HAND, changed=None),
        "it is rotated by hand (tag rotation=manual), and was last changed 400 days ago",
    ),
    fails(
        secretsmanager_rotation_off, replace(FIXED, tags={"rotation": "none"}), "automatic rotation is off"
    ),
    passes(secretsmanager_secret_unused, SECRET),
    passes(secretsmanager_secret_unused, replace(SECRET, accessed=NOW - timedelta(days=90, hours=23))),
    fails(secretsmanager_secret_unused, OLD, Problem("not read for 91 days", saving=SAVED)),
    passes(secretsmanager_secret_unused, OLD, parameters={"max_days": 91}),
    fails(secretsmanager_secret_unused, NEVER, Problem("never read in 400 days", saving=SAVED)),
    passes(secretsmanager_secret_unused, replace(NEVER, created=NOW - timedelta(days=90))),
    fails(
        secretsmanager_secret_unused,
        replace(NEVER, replica_of="eu-central-1"),
        Problem(
            "never read in 400 days; it is a replica of the one in eu-central-1",
            severity=Severity.INFORMATIONAL,
            saving=SAVED,
        ),
    ),
    fails(
        secretsmanager_secret_unused,
        replace(OLD, owner="rds"),
        Problem("not read for 91 days; rds owns it", severity=Severity.INFORMATIONAL),
    ),
]
