"""What the DynamoDB checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity
from orgscan.services.backup.facts import ProtectedResource
from orgscan.services.dynamodb.checks import dynamodb_table_idle, dynamodb_table_pitr_disabled
from orgscan.services.dynamodb.facts import Index, Table
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

DAY = timedelta(days=1)
GIB = 2**30
TABLE = Table(
    arn="arn:aws:dynamodb:eu-west-1:123456789012:table/carts",
    name="carts",
    status="ACTIVE",
    created=NOW - 14 * DAY,
    on_demand=True,
    read_units=0,
    write_units=0,
    size_bytes=4 * GIB,
    infrequent=False,
    replicas=(),
    indexes=(),
    point_in_time="ENABLED",
)
INDEX = Index(
    arn=f"{TABLE.arn}/index/by-day",
    table="carts",
    name="by-day",
    read_units=5,
    write_units=0,
    size_bytes=GIB,
)
PROVISIONED = replace(TABLE, on_demand=False, read_units=20, write_units=10)
NOTHING, ZERO, SOME = Series((), 14), Series((0.0,) * 14, 14), Series((0.5,), 14)

ON_DEMAND = Problem(
    "no reads and no writes in 14 days, 4.0 GiB stored",
    severity=Severity.LOW,
    saving=usd(1.11),  # 4 x 0.25 x 1.11
)
IDLE_CASES: list[Case] = [
    fails(dynamodb_table_idle, TABLE, ON_DEMAND, measured=[NOTHING, NOTHING]),
    fails(dynamodb_table_idle, TABLE, ON_DEMAND, measured=[ZERO, ZERO]),
    passes(dynamodb_table_idle, TABLE, measured=[SOME, NOTHING], asked=("ConsumedReadCapacityUnits",)),
    passes(dynamodb_table_idle, TABLE, measured=[ZERO, SOME]),
    # (20 x 0.00013 + 10 x 0.00065) x 730 x 1.11 + storage
    fails(
        dynamodb_table_idle,
        PROVISIONED,
        Problem(
            "no reads and no writes in 14 days, 20 read and 10 write units provisioned, 4.0 GiB stored",
            severity=Severity.MEDIUM,
            saving=usd(8.49),
        ),
        measured=[NOTHING, NOTHING],
    ),
    fails(
        dynamodb_table_idle,
        replace(PROVISIONED, indexes=(INDEX,)),
        "no reads and no writes in 14 days, 25 read and 10 write units provisioned, 5.0 GiB stored",
        measured=[NOTHING, NOTHING, NOTHING, NOTHING],
    ),
    passes(
        dynamodb_table_idle,
        replace(TABLE, indexes=(INDEX,)),
        measured=[NOTHING, NOTHING, SOME, NOTHING],
    ),
    # The class for infrequent access: 4 x 0.10 x 1.11, and no price of its capacity.
    fails(
        dynamodb_table_idle,
        replace(TABLE, infrequent=True),
        replace(ON_DEMAND, saving=usd(0.44)),
        measured=[NOTHING, NOTHING],
    ),
    fails(
        dynamodb_table_idle,
        replace(PROVISIONED, infrequent=True),
        Problem(
            "no reads and no writes in 14 days, 20 read and 10 write units provisioned, 4.0 GiB stored",
            severity=Severity.MEDIUM,
        ),
        measured=[NOTHING, NOTHING],
    ),
    fails(
        dynamodb_table_idle,
        replace(TABLE, replicas=("eu-central-1", "us-east-1")),
        Problem(
            f"{ON_DEMAND.text}; its replicas in eu-central-1, us-east-1 were not looked at",
            severity=Severity.INFORMATIONAL,
            saving=usd(1.11, Confidence.LOW),
        ),
        measured=[NOTHING, NOTHING],
    ),
    passes(dynamodb_table_idle, replace(TABLE, created=NOW - 14 * DAY + timedelta(seconds=1))),
    passes(dynamodb_table_idle, replace(TABLE, status="CREATING")),
    passes(dynamodb_table_idle, TABLE, parameters={"window_days": 15}),
    cannot_tell(
        dynamodb_table_idle,
        TABLE,
        "cloudwatch:GetMetricData",
        measured=[Gap("m", Blindness.DENIED, "cloudwatch:GetMetricData"), NOTHING],
    ),
]

UNPROTECTED = replace(TABLE, point_in_time="DISABLED")
BACKUP = ProtectedResource(arn=TABLE.arn, last_backup=NOW - 7 * DAY)
OFF = "point-in-time recovery is off"
DENIED = Gap("backup", Blindness.DENIED, "backup:ListProtectedResources")
RECOVERY_CASES: list[Case] = [
    passes(dynamodb_table_pitr_disabled, TABLE, lost={ProtectedResource: DENIED}),
    fails(dynamodb_table_pitr_disabled, UNPROTECTED, OFF),
    fails(dynamodb_table_pitr_disabled, replace(TABLE, point_in_time="SOMETHING-NEW"), OFF),
    passes(dynamodb_table_pitr_disabled, UNPROTECTED, beside=[BACKUP]),
    fails(
        dynamodb_table_pitr_disabled,
        UNPROTECTED,
        f"{OFF}, and the last backup is of 2026-01-08",
        beside=[replace(BACKUP, last_backup=NOW - 7 * DAY - timedelta(seconds=1))],
    ),
    fails(dynamodb_table_pitr_disabled, UNPROTECTED, OFF, beside=[replace(BACKUP, last_backup=None)]),
    fails(
        dynamodb_table_pitr_disabled,
        UNPROTECTED,
        OFF,
        beside=[replace(BACKUP, arn=f"{TABLE.arn}-archive")],
    ),
    fails(
        dynamodb_table_pitr_disabled,
        UNPROTECTED,
        OFF,
        beside=[BACKUP],
        parameters={"accept_backup": False},
    ),
    fails(
        dynamodb_table_pitr_disabled,
        UNPROTECTED,
        OFF,
        lost={ProtectedResource: DENIED},
        parameters={"accept_backup": False},
    ),
    passes(dynamodb_table_pitr_disabled, replace(TABLE, point_in_time=None)),
    cannot_tell(
        dynamodb_table_pitr_disabled,
        UNPROTECTED,
        "backup:ListProtectedResources",
        lost={ProtectedResource: DENIED},
    ),
    cannot_tell(
        dynamodb_table_pitr_disabled,
        replace(TABLE, point_in_time=Gap("p", Blindness.DENIED, "dynamodb:DescribeContinuousBackups")),
        "dynamodb:DescribeContinuousBackups",
    ),
]

CASES = [*IDLE_CASES, *RECOVERY_CASES]
