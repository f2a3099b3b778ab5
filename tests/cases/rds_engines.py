"""When RDS ends the support of an engine, and what it costs to stay."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap
from orgscan.services.rds.checks.databases import rds_engine_end_of_life_or_extended_support
from orgscan.services.rds.facts import DBInstance
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd
from tests.cases.rds import CLUSTER, DATABASE, DAY, INSTANCES_LOST, READER, SUPPORTED, WRITER

ENDED = replace(SUPPORTED, standard_until=NOW - DAY, extended_from=NOW - DAY, extended_until=NOW + 1000 * DAY)
OLD = replace(DATABASE, support=ENDED)
PAST = "standard support of postgres 15.4 ended on 2026-01-14"
BILLED = f"{PAST}; Extended Support is billed"
OLD_CLUSTER = replace(CLUSTER, support=ENDED)
CLUSTER_BILLED = BILLED.replace("postgres", "aurora-postgresql")
CASES: list[Case] = [
    passes(rds_engine_end_of_life_or_extended_support, DATABASE),
    passes(rds_engine_end_of_life_or_extended_support, CLUSTER),
    # 2 vCPUs x 0.10 x 730 x 1.11
    fails(rds_engine_end_of_life_or_extended_support, OLD, Problem(BILLED, saving=usd(162.06))),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, multi_az=True),
        Problem(BILLED, saving=usd(324.12)),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, instance_class="db.t4g.micro"),
        Problem(BILLED, saving=usd(162.06)),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, instance_class="db.m5.2xlarge"),
        Problem(BILLED, saving=usd(648.24)),
    ),
    # Sizes of what we do not know may mean anything.
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, instance_class="db.x9.large"),
        Problem(BILLED),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, instance_class="db.serverless"),
        Problem(BILLED),
    ),
    # The third year begins 730 days after Extended Support did.
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, support=replace(ENDED, extended_from=NOW - 730 * DAY)),
        Problem(BILLED, saving=usd(324.12)),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, support=replace(ENDED, extended_from=NOW - 729 * DAY)),
        Problem(BILLED, saving=usd(162.06)),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, lifecycle="open-source-rds-extended-support-disabled"),
        Problem(f"{PAST}; RDS upgrades it by itself"),
    ),
    fails(rds_engine_end_of_life_or_extended_support, replace(OLD, lifecycle=None), Problem(PAST)),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, lifecycle="something-new"),
        Problem(PAST),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(OLD, support=replace(ENDED, extended_until=NOW)),
        Problem(f"{PAST}, and Extended Support on 2026-01-15"),
    ),
    # The limits.
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, lifecycle=None, support=replace(SUPPORTED, standard_until=NOW)),
        Problem("standard support of postgres 15.4 ended on 2026-01-15"),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, standard_until=NOW + timedelta(seconds=1))),
        Problem("standard support of postgres 15.4 ends on 2026-01-15"),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, standard_until=NOW + 180 * DAY)),
        Problem("standard support of postgres 15.4 ends on 2026-07-14"),
    ),
    passes(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, standard_until=NOW + 181 * DAY)),
    ),
    passes(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, standard_until=NOW + 180 * DAY)),
        parameters={"warn_days": 179},
    ),
    # A minor version.
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, status="deprecated")),
        "RDS lists postgres 15.4 as deprecated",
    ),
    passes(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, status=None)),
    ),
    # Clusters stand for their instances.
    passes(rds_engine_end_of_life_or_extended_support, WRITER),
    fails(
        rds_engine_end_of_life_or_extended_support,
        OLD_CLUSTER,
        Problem(CLUSTER_BILLED, saving=usd(324.12)),
        beside=[WRITER, replace(READER, multi_az=True)],
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        OLD_CLUSTER,
        Problem(CLUSTER_BILLED),
        beside=[WRITER, replace(READER, instance_class="db.serverless")],
    ),
    fails(rds_engine_end_of_life_or_extended_support, OLD_CLUSTER, Problem(CLUSTER_BILLED)),
    fails(
        rds_engine_end_of_life_or_extended_support,
        OLD_CLUSTER,
        Problem(CLUSTER_BILLED),
        lost={DBInstance: INSTANCES_LOST},
        unread="rds:DescribeDBInstances",
    ),
    # Other engines.
    passes(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, engine="oracle-ee", support=replace(SUPPORTED, standard_until=None)),
    ),
    fails(
        rds_engine_end_of_life_or_extended_support,
        replace(
            DATABASE,
            engine="oracle-ee",
            version="12.1",
            support=replace(SUPPORTED, standard_until=None, status="deprecated"),
        ),
        "RDS lists oracle-ee 12.1 as deprecated",
    ),
    passes(rds_engine_end_of_life_or_extended_support, replace(CLUSTER, engine="docdb", support=None)),
    passes(rds_engine_end_of_life_or_extended_support, replace(DATABASE, engine="neptune", support=None)),
    # What RDS does not say.
    cannot_tell(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=Gap("s", Blindness.DENIED, "rds:DescribeDBMajorEngineVersions")),
        "rds:DescribeDBMajorEngineVersions",
    ),
    cannot_tell(
        rds_engine_end_of_life_or_extended_support,
        replace(DATABASE, support=replace(SUPPORTED, standard_until=None)),
        "RDS does not say how long it supports postgres 15.4",
    ),
    *(
        cannot_tell(
            rds_engine_end_of_life_or_extended_support,
            replace(
                DATABASE,
                engine="oracle-ee",
                support=replace(SUPPORTED, standard_until=None, status=status),
            ),
            "RDS does not say how long it supports oracle-ee 15.4",
        )
        for status in (None, "something-new")
    ),
]
