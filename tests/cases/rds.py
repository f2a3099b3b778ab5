"""What the RDS checks accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.network import Rule
from orgscan.services.ec2.facts import PrefixList, SecurityGroup
from orgscan.services.rds.checks.databases import rds_instance_backup_disabled_or_short
from orgscan.services.rds.checks.instances import rds_instance_public, rds_instance_unencrypted
from orgscan.services.rds.facts import DBCluster, DBInstance, Support
from tests.cases.case import NOW, Case, fails, passes

HERE = "arn:aws:rds:eu-west-1:123456789012"
DAY = timedelta(days=1)
SUPPORTED = Support(
    status="available",
    standard_until=NOW + 400 * DAY,
    extended_from=NOW + 400 * DAY,
    extended_until=NOW + 1500 * DAY,
)
DATABASE = DBInstance(
    arn=f"{HERE}:db:orders",
    tags={},
    name="orders",
    engine="postgres",
    version="15.4",
    lifecycle="open-source-rds-extended-support",
    support=SUPPORTED,
    status="available",
    created=NOW - 100 * DAY,
    instance_class="db.r5.large",
    storage="gp3",
    zone="eu-west-1a",
    multi_az=False,
    public=False,
    encrypted=True,
    retention_days=7,
    replica=False,
    backed_up_continuously=False,
    port=5432,
    security_groups=("sg-1",),
)
CLUSTER = DBCluster(
    arn=f"{HERE}:cluster:shop",
    tags={},
    name="shop",
    engine="aurora-postgresql",
    version="15.4",
    lifecycle="open-source-rds-extended-support",
    support=SUPPORTED,
    encrypted=True,
    retention_days=7,
    replica=False,
    backed_up_continuously=False,
    mode="provisioned",
    multi_az=False,
    members=("shop-1", "shop-2"),
    writer="shop-1",
    least_acus=None,
)
WRITER, READER = (
    replace(
        DATABASE,
        arn=f"{HERE}:db:{name}",
        name=name,
        engine="aurora-postgresql",
        cluster="shop",
        support=None,
        storage="aurora",
        zone=zone,
    )
    for name, zone in (("shop-1", "eu-west-1a"), ("shop-2", "eu-west-1b"))
)
PUBLIC = replace(DATABASE, public=True)
GROUP = SecurityGroup(arn="arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1", id="sg-1", name="db")
OFFICE = Rule(protocol="tcp", from_port=5432, to_port=5432, cidrs=("203.0.113.0/24",))
WORLD = replace(OFFICE, cidrs=("0.0.0.0/0",))
LIST = PrefixList(arn="arn:aws:ec2:eu-west-1:123456789012:prefix-list/pl-1", id="pl-1", cidrs=("::/0",))
LISTED = replace(GROUP, ingress=(replace(OFFICE, cidrs=(), prefix_lists=("pl-1",)),))
INSTANCES_LOST = Gap("rds-db-instances", Blindness.DENIED, "rds:DescribeDBInstances")
DENIED = Gap("ec2-security-groups", Blindness.DENIED, "ec2:DescribeSecurityGroups")

ADDRESS = Problem("the instance has a public address", severity=Severity.HIGH)
CLOSED = Problem("not reachable now: no security group opens its port to the world", severity=Severity.HIGH)


def opened(text: str) -> Problem:
    return Problem(text, severity=Severity.CRITICAL)


PUBLIC_CASES: list[Case] = [
    passes(rds_instance_public, DATABASE, lost={SecurityGroup: DENIED}),
    fails(rds_instance_public, PUBLIC, ADDRESS, CLOSED, beside=[replace(GROUP, ingress=(OFFICE,))]),
    fails(
        rds_instance_public,
        PUBLIC,
        ADDRESS,
        unread="sg-1 is attached to a database, but cannot be seen",
    ),
    fails(
        rds_instance_public,
        replace(PUBLIC, security_groups=("sg-0", "sg-1")),
        ADDRESS,
        opened("sg-1 opens port 5432 to 0.0.0.0/0 (rule tcp 5432)"),
        beside=[replace(GROUP, ingress=(WORLD,))],
        unread="sg-0 is attached to a database",
    ),
    fails(rds_instance_public, replace(PUBLIC, security_groups=()), ADDRESS, CLOSED),
    fails(
        rds_instance_public,
        PUBLIC,
        ADDRESS,
        opened("sg-1 opens port 5432 to 0.0.0.0/0 (rule tcp 5432)"),
        beside=[replace(GROUP, ingress=(OFFICE, WORLD))],
    ),
    fails(
        rds_instance_public,
        PUBLIC,
        ADDRESS,
        opened("sg-1 opens port 5432 to ::/0 (rule all)"),
        beside=[replace(GROUP, ingress=(Rule(protocol="-1", cidrs=("::/0",)),))],
    ),
    # Another port, or another group, is not this database's.
    fails(
        rds_instance_public,
        replace(PUBLIC, port=3306),
        ADDRESS,
        CLOSED,
        beside=[
            replace(GROUP, ingress=(WORLD,)),
            replace(
                GROUP,
                arn=f"{GROUP.arn}2",
                id="sg-2",
                ingress=(Rule(protocol="-1", cidrs=("0.0.0.0/0",)),),
            ),
        ],
    ),
    fails(
        rds_instance_public,
        PUBLIC,
        ADDRESS,
        opened("sg-1 opens port 5432 to ::/0 (rule tcp 5432 from pl-1)"),
        beside=[LISTED, LIST],
    ),
    fails(rds_instance_public, PUBLIC, ADDRESS, CLOSED, beside=[LISTED, replace(LIST, cidrs=None)]),
    # Without an endpoint there is no port that could be open.
    fails(rds_instance_public, replace(PUBLIC, port=None), ADDRESS, lost={SecurityGroup: DENIED}),
    # That it fails is known even where its weight is not.
    Case(
        rds_instance_public,
        PUBLIC,
        (ADDRESS,),
        lost={SecurityGroup: DENIED},
        unread="ec2:DescribeSecurityGroups",
    ),
    Case(
        rds_instance_public,
        PUBLIC,
        (ADDRESS,),
        beside=[
            LISTED,
            replace(LIST, cidrs=Gap("cidrs", Blindness.DENIED, "ec2:GetManagedPrefixListEntries")),
        ],
        unread="ec2:GetManagedPrefixListEntries",
    ),
]

ENCRYPTION_CASES: list[Case] = [
    passes(rds_instance_unencrypted, DATABASE),
    fails(
        rds_instance_unencrypted,
        replace(DATABASE, encrypted=False),
        "the storage of this postgres instance is not encrypted",
    ),
    passes(rds_instance_unencrypted, replace(DATABASE, encrypted=False, engine="aurora-mysql", cluster="a")),
    passes(rds_instance_unencrypted, replace(DATABASE, encrypted=False, engine="aurora")),
    # A Multi-AZ cluster that is not Aurora still has instances with storage of their own.
    fails(
        rds_instance_unencrypted,
        replace(DATABASE, encrypted=False, engine="mysql", cluster="a"),
        "the storage of this mysql instance is not encrypted",
    ),
]

OFF = Problem("automated backups are off", severity=Severity.HIGH)
BACKUP_CASES: list[Case] = [
    passes(rds_instance_backup_disabled_or_short, DATABASE),
    passes(rds_instance_backup_disabled_or_short, CLUSTER),
    fails(rds_instance_backup_disabled_or_short, replace(DATABASE, retention_days=0), OFF),
    fails(
        rds_instance_backup_disabled_or_short,
        replace(DATABASE, retention_days=6),
        Problem("automated backups are kept for 6 of the required 7 days"),
    ),
    fails(
        rds_instance_backup_disabled_or_short,
        replace(DATABASE, retention_days=0, replica=True),
        Problem("automated backups of this read replica are off", severity=Severity.INFORMATIONAL),
    ),
    fails(
        rds_instance_backup_disabled_or_short,
        replace(CLUSTER, retention_days=1),
        "automated backups are kept for 1 of the required 7 days",
    ),
    passes(
        rds_instance_backup_disabled_or_short,
        replace(DATABASE, engine="aurora-mysql", retention_days=1, cluster="orders"),
    ),
    passes(
        rds_instance_backup_disabled_or_short,
        replace(DATABASE, retention_days=0, backed_up_continuously=True),
    ),
    passes(
        rds_instance_backup_disabled_or_short,
        replace(DATABASE, retention_days=1),
        parameters={"min_days": 1},
    ),
]

CASES = [*PUBLIC_CASES, *ENCRYPTION_CASES, *BACKUP_CASES]
