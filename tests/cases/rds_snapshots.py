"""What the RDS checks say of snapshots."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Severity
from orgscan.services.rds.checks.snapshots import rds_snapshot_manual_old, rds_snapshot_public
from orgscan.services.rds.facts import DBClusterSnapshot, DBInstance, DBSnapshot
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd
from tests.cases.rds import CLUSTER, DATABASE, DAY, HERE, INSTANCES_LOST

SNAPSHOT = DBSnapshot(
    arn=f"{HERE}:snapshot:final-orders",
    tags={},
    name="final-orders",
    source="orders",
    engine="postgres",
    created=NOW - 91 * DAY,
    size_gib=100,
    encrypted=False,
    public=False,
)
CLUSTER_SNAPSHOT = DBClusterSnapshot(
    arn=f"{HERE}:cluster-snapshot:shop",
    tags={},
    name="shop",
    source="shop",
    engine="aurora-mysql",
    created=NOW - 91 * DAY,
    size_gib=1,
    encrypted=False,
    public=False,
)
PUBLIC_SNAPSHOT_CASES: list[Case] = [
    passes(rds_snapshot_public, SNAPSHOT),
    passes(rds_snapshot_public, CLUSTER_SNAPSHOT),
    fails(
        rds_snapshot_public,
        replace(SNAPSHOT, public=True),
        "everybody may restore this postgres snapshot of orders",
    ),
    fails(
        rds_snapshot_public,
        replace(CLUSTER_SNAPSHOT, public=True, engine="docdb"),
        "everybody may restore this docdb snapshot of shop",
    ),
    passes(rds_snapshot_public, replace(SNAPSHOT, public=None, encrypted=True)),
    cannot_tell(
        rds_snapshot_public,
        replace(SNAPSHOT, public=Gap("p", Blindness.DENIED, "rds:DescribeDBSnapshotAttributes")),
        "rds:DescribeDBSnapshotAttributes",
    ),
]


AGE = "made 91 days ago, to be kept for 90"
# 100 GiB x 0.095 x 1.11, at most
KEPT = Problem(AGE, saving=usd(10.55, Confidence.LOW))
LARGE = replace(SNAPSHOT, size_gib=101)
KEPT_LARGE = Problem(AGE, saving=usd(10.65, Confidence.LOW))
ORPHAN = Problem("101 GiB, and orders no longer exists", severity=Severity.MEDIUM)
OLD_SNAPSHOT_CASES: list[Case] = [
    fails(rds_snapshot_manual_old, SNAPSHOT, KEPT),
    passes(rds_snapshot_manual_old, replace(SNAPSHOT, created=NOW - 90 * DAY)),
    fails(
        rds_snapshot_manual_old,
        replace(SNAPSHOT, created=NOW - 90 * DAY - timedelta(seconds=1)),
        "made 90 days ago, to be kept for 90",
    ),
    passes(rds_snapshot_manual_old, replace(SNAPSHOT, created=None)),
    passes(rds_snapshot_manual_old, SNAPSHOT, parameters={"max_days": 91}),
    passes(rds_snapshot_manual_old, replace(SNAPSHOT, tags={"RetentionDays": "365"})),
    fails(
        rds_snapshot_manual_old,
        replace(SNAPSHOT, tags={"RetentionDays": "30"}),
        "made 91 days ago, to be kept for 30",
    ),
    fails(rds_snapshot_manual_old, replace(SNAPSHOT, tags={"RetentionDays": "for ever"}), KEPT),
    passes(
        rds_snapshot_manual_old,
        replace(SNAPSHOT, tags={"Keep": "365"}),
        parameters={"retention_tag": "Keep"},
    ),
    fails(rds_snapshot_manual_old, LARGE, KEPT_LARGE, ORPHAN),
    fails(rds_snapshot_manual_old, LARGE, KEPT_LARGE, beside=[DATABASE]),
    fails(rds_snapshot_manual_old, LARGE, KEPT_LARGE, parameters={"min_gib": 101}),
    # A cluster of that name is not the instance.
    fails(rds_snapshot_manual_old, LARGE, KEPT_LARGE, ORPHAN, beside=[replace(CLUSTER, name="orders")]),
    fails(
        rds_snapshot_manual_old,
        LARGE,
        KEPT_LARGE,
        lost={DBInstance: INSTANCES_LOST},
        unread="rds:DescribeDBInstances",
    ),
    fails(rds_snapshot_manual_old, SNAPSHOT, KEPT, lost={DBInstance: INSTANCES_LOST}),
    fails(rds_snapshot_manual_old, CLUSTER_SNAPSHOT, Problem(AGE)),
    fails(
        rds_snapshot_manual_old,
        replace(CLUSTER_SNAPSHOT, engine="mysql", size_gib=200),
        Problem(AGE, saving=usd(21.09, Confidence.LOW)),
        beside=[CLUSTER],
    ),
]

CASES = [*PUBLIC_SNAPSHOT_CASES, *OLD_SNAPSHOT_CASES]
