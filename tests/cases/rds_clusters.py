"""What the RDS checks say of zones and of clusters."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Severity
from orgscan.services.rds.checks.databases import rds_cluster_single_instance_or_az, rds_cluster_unencrypted
from orgscan.services.rds.checks.instances import rds_instance_single_az
from orgscan.services.rds.facts import DBInstance
from tests.cases.case import Case, cannot_tell, fails, passes
from tests.cases.rds import CLUSTER, DATABASE, HERE, INSTANCES_LOST, READER, WRITER

CLUSTER_ENCRYPTION_CASES: list[Case] = [
    passes(rds_cluster_unencrypted, CLUSTER),
    fails(
        rds_cluster_unencrypted,
        replace(CLUSTER, encrypted=False),
        "the storage of this aurora-postgresql cluster is not encrypted",
    ),
    fails(
        rds_cluster_unencrypted,
        replace(CLUSTER, encrypted=False, engine="mysql"),
        "the storage of this mysql cluster is not encrypted",
    ),
    passes(rds_cluster_unencrypted, replace(CLUSTER, encrypted=False, engine="docdb")),
    passes(rds_cluster_unencrypted, replace(CLUSTER, encrypted=False, engine="neptune")),
]

ALONE = replace(CLUSTER, members=("shop-1",))
SAME_ZONE = replace(READER, zone="eu-west-1a")
CLUSTER_ZONE_CASES: list[Case] = [
    passes(rds_cluster_single_instance_or_az, CLUSTER, beside=[WRITER, READER]),
    fails(
        rds_cluster_single_instance_or_az,
        ALONE,
        "shop-1 is its only instance",
        lost={DBInstance: INSTANCES_LOST},
    ),
    fails(
        rds_cluster_single_instance_or_az,
        CLUSTER,
        "all of its 2 instances are in eu-west-1a",
        beside=[WRITER, SAME_ZONE],
    ),
    passes(
        rds_cluster_single_instance_or_az,
        replace(CLUSTER, members=("shop-1", "shop-2", "shop-3")),
        beside=[WRITER, READER],
    ),
    # Instances of other clusters say nothing.
    fails(
        rds_cluster_single_instance_or_az,
        CLUSTER,
        "all of its 2 instances are in eu-west-1a",
        beside=[WRITER, SAME_ZONE, replace(READER, arn=f"{HERE}:db:x", name="x", cluster="other")],
    ),
    cannot_tell(rds_cluster_single_instance_or_az, CLUSTER, "zone of shop-2 is not known", beside=[WRITER]),
    cannot_tell(
        rds_cluster_single_instance_or_az,
        CLUSTER,
        "zone of shop-2 is not known",
        beside=[WRITER, replace(READER, zone=None)],
    ),
    cannot_tell(
        rds_cluster_single_instance_or_az,
        CLUSTER,
        "rds:DescribeDBInstances",
        lost={DBInstance: INSTANCES_LOST},
    ),
    passes(rds_cluster_single_instance_or_az, replace(CLUSTER, members=())),
    passes(rds_cluster_single_instance_or_az, replace(ALONE, mode="serverless")),
    passes(rds_cluster_single_instance_or_az, replace(ALONE, engine="docdb")),
    passes(rds_cluster_single_instance_or_az, replace(CLUSTER, engine="mysql", multi_az=True)),
    fails(
        rds_cluster_single_instance_or_az,
        replace(ALONE, engine="mysql"),
        "shop-1 is its only instance",
    ),
    # Of Aurora, RDS calls so what has a replica elsewhere; its instances decide.
    fails(rds_cluster_single_instance_or_az, replace(ALONE, multi_az=True), "shop-1 is its only instance"),
]

SINGLE_AZ_CASES: list[Case] = [
    fails(rds_instance_single_az, DATABASE, Problem("its only zone is eu-west-1a")),
    passes(rds_instance_single_az, replace(DATABASE, multi_az=True)),
    passes(rds_instance_single_az, WRITER),
    passes(rds_instance_single_az, replace(DATABASE, replica=True)),
    fails(rds_instance_single_az, replace(DATABASE, zone=None), Problem("it has a single zone")),
    cannot_tell(rds_instance_single_az, replace(DATABASE, multi_az=None), "RDS does not say"),
    passes(rds_instance_single_az, replace(DATABASE, multi_az=None, cluster="shop")),
    *(
        fails(
            rds_instance_single_az,
            replace(DATABASE, tags={"Environment": stage}),
            Problem(
                f"its only zone is eu-west-1a; tagged Environment={stage}",
                severity=Severity.INFORMATIONAL,
            ),
        )
        for stage in ("dev", "test", "sandbox", "stg")
    ),
    fails(
        rds_instance_single_az,
        replace(DATABASE, tags={"Environment": "prod"}),
        Problem("its only zone is eu-west-1a"),
    ),
    fails(
        rds_instance_single_az,
        replace(DATABASE, tags={"Stage": "lab"}),
        Problem("its only zone is eu-west-1a; tagged Stage=lab", severity=Severity.INFORMATIONAL),
        parameters={"non_prod_tag": {"Stage": ["lab"]}},
    ),
]

CASES = [*CLUSTER_ENCRYPTION_CASES, *CLUSTER_ZONE_CASES, *SINGLE_AZ_CASES]
