"""Which databases nobody uses."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Series, Severity
from orgscan.services.rds.checks.instances import rds_instance_idle
from orgscan.services.rds.facts import DBCluster
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd
from tests.cases.rds import CLUSTER, DATABASE, DAY, READER, WRITER


def daily(*values: float, days: int = 7) -> Series:
    return Series(values, days)


NOBODY, SOMEBODY = daily(*[0] * 7), daily(0, 0, 0, 1, 0, 0, 0)
QUIET = daily(*[2] * 7)
NOTHING = Series((), 7)
IDLE = "no connection in 7 days, 4.0 reads and writes per second on average"
SERVERLESS = replace(WRITER, instance_class="db.serverless")
CASES: list[Case] = [
    # 0.25 x 730 x 1.11
    fails(
        rds_instance_idle,
        DATABASE,
        Problem(IDLE, saving=usd(202.58)),
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        replace(DATABASE, multi_az=True),
        Problem(IDLE, saving=usd(405.15)),
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        replace(DATABASE, engine="oracle-ee"),
        Problem(IDLE),
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        replace(DATABASE, replica=True),
        Problem(IDLE, saving=usd(202.58)),
        measured=[NOBODY, QUIET, QUIET],
    ),
    passes(rds_instance_idle, DATABASE, measured=[SOMEBODY, QUIET, QUIET], asked=("DatabaseConnections",)),
    passes(rds_instance_idle, DATABASE, measured=[NOBODY, daily(*[10] * 7), daily(*[10] * 7)]),
    fails(
        rds_instance_idle,
        DATABASE,
        Problem("no connection in 7 days, 19.9 reads and writes per second on average", saving=usd(202.58)),
        measured=[NOBODY, daily(*[10] * 7), daily(*[9.9] * 7)],
    ),
    # Not judged: young, stopped, of another service.
    passes(rds_instance_idle, replace(DATABASE, created=NOW - 7 * DAY + timedelta(seconds=1))),
    fails(
        rds_instance_idle,
        replace(DATABASE, created=NOW - 7 * DAY),
        IDLE,
        measured=[NOBODY, QUIET, QUIET],
    ),
    passes(rds_instance_idle, replace(DATABASE, created=None)),
    passes(rds_instance_idle, replace(DATABASE, status="stopped")),
    passes(rds_instance_idle, replace(DATABASE, engine="neptune")),
    passes(rds_instance_idle, replace(DATABASE, engine="docdb")),
    # Not enough datapoints.
    cannot_tell(rds_instance_idle, DATABASE, "less than 80%", measured=[NOTHING, NOTHING, NOTHING]),
    cannot_tell(rds_instance_idle, DATABASE, "less than 80%", measured=[NOBODY, QUIET, NOTHING]),
    cannot_tell(rds_instance_idle, DATABASE, "less than 80%", measured=[daily(*[0] * 5), QUIET, QUIET]),
    fails(rds_instance_idle, DATABASE, IDLE, measured=[daily(*[0] * 6), QUIET, QUIET]),
    passes(rds_instance_idle, DATABASE, measured=[daily(3), NOTHING, NOTHING]),
    cannot_tell(
        rds_instance_idle,
        DATABASE,
        "cloudwatch:GetMetricData",
        measured=[Gap("m", Blindness.DENIED, "cloudwatch:GetMetricData"), QUIET, QUIET],
    ),
    # Clusters: the writer is in use when a reader is.
    passes(
        rds_instance_idle,
        WRITER,
        beside=[CLUSTER, WRITER, READER],
        measured=[NOBODY, QUIET, QUIET, SOMEBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        WRITER,
        Problem(IDLE, saving=usd(234.99)),
        beside=[CLUSTER, WRITER, READER],
        measured=[NOBODY, QUIET, QUIET, NOBODY, QUIET, QUIET],
    ),
    cannot_tell(
        rds_instance_idle,
        WRITER,
        "less than 80%",
        beside=[CLUSTER, WRITER, READER],
        measured=[NOBODY, QUIET, QUIET, NOTHING, NOTHING, NOTHING],
    ),
    passes(
        rds_instance_idle,
        WRITER,
        beside=[CLUSTER, WRITER, replace(READER, created=NOW - DAY)],
    ),
    fails(
        rds_instance_idle,
        WRITER,
        IDLE,
        beside=[CLUSTER, WRITER, replace(READER, status="stopped")],
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        READER,
        IDLE,
        beside=[CLUSTER, WRITER, READER],
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        replace(READER, storage="aurora-iopt1"),
        Problem(IDLE),
        beside=[CLUSTER],
        measured=[NOBODY, QUIET, QUIET],
    ),
    cannot_tell(rds_instance_idle, WRITER, "cluster shop was not listed"),
    cannot_tell(
        rds_instance_idle,
        WRITER,
        "rds:DescribeDBClusters",
        lost={DBCluster: Gap("c", Blindness.DENIED, "rds:DescribeDBClusters")},
    ),
    fails(
        rds_instance_idle,
        SERVERLESS,
        Problem(f"{IDLE}; Serverless may pause it", severity=Severity.INFORMATIONAL),
        beside=[replace(CLUSTER, least_acus=0), SERVERLESS],
        measured=[NOBODY, QUIET, QUIET],
    ),
    fails(
        rds_instance_idle,
        SERVERLESS,
        Problem(IDLE),
        beside=[replace(CLUSTER, least_acus=0.5), SERVERLESS],
        measured=[NOBODY, QUIET, QUIET],
    ),
]
