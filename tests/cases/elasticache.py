"""Which caches nobody uses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity
from orgscan.services.elasticache.checks import elasticache_cluster_idle
from orgscan.services.elasticache.facts import CacheCluster, ReplicationGroup, ServerlessCache
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

DAY = timedelta(days=1)
HERE = "arn:aws:elasticache:eu-west-1:123456789012"
NODE = CacheCluster(
    arn=f"{HERE}:cluster:pages",
    name="pages",
    status="available",
    created=NOW - 7 * DAY,
    engine="redis",
    node_type="cache.t4g.micro",
    nodes=1,
    group=None,
)
MEMCACHED = replace(NODE, engine="memcached", nodes=3)
GROUP = ReplicationGroup(
    arn=f"{HERE}:replicationgroup:shop",
    name="shop",
    status="available",
    members=("shop-001", "shop-002"),
    secondary=False,
)
FIRST, SECOND = (
    replace(NODE, arn=f"{HERE}:cluster:{name}", name=name, group="shop") for name in GROUP.members
)
SERVERLESS = ServerlessCache(
    arn=f"{HERE}:serverlesscache:prices", name="prices", status="available", created=NOW - 7 * DAY
)
NOTHING = Series((), 7)


def every_day(value: float) -> Series:
    return Series((value,) * 7, 7)


def redis(connections: float = 2, gets: float = 0, sets: float = 0, cpu: float = 1.99) -> Sequence[Series]:
    of_redis = [every_day(each) for each in (connections, gets, sets)]
    return [*of_redis, every_day(cpu), NOTHING, NOTHING, NOTHING]


def memcached(connections: float = 2, gets: float = 0, sets: float = 0) -> Sequence[Series]:
    return [every_day(connections), NOTHING, NOTHING, every_day(0), every_day(gets), every_day(sets), NOTHING]


def serverless(units: float) -> Sequence[Series]:
    return [*[NOTHING] * 6, every_day(units)]


def idle(nodes: str, connections: int = 2, commands: int = 0, cpu: float = 2.0) -> str:
    return (
        f"{nodes} over 7 days: at most {connections} connections, {commands} commands per day, "
        f"CPU {cpu}% on average"
    )


ONE, TWO, THREE = "1 cache.t4g.micro node", "2 cache.t4g.micro nodes", "3 cache.t4g.micro nodes"

CASES: list[Case] = [
    # 0.016 x 730 x 1.11
    fails(elasticache_cluster_idle, NODE, Problem(idle(ONE), saving=usd(12.96)), measured=redis()),
    fails(
        elasticache_cluster_idle,
        replace(NODE, engine="valkey"),
        Problem(idle(ONE), saving=usd(10.37)),
        measured=redis(),
    ),
    fails(
        elasticache_cluster_idle,
        replace(NODE, node_type="cache.x9.huge"),
        Problem(idle("1 cache.x9.huge node")),
        measured=redis(),
    ),
    passes(elasticache_cluster_idle, NODE, measured=redis(connections=3), asked=("CurrConnections",)),
    fails(
        elasticache_cluster_idle,
        NODE,
        idle(ONE, connections=3),
        measured=redis(connections=3),
        parameters={"baseline_connections": 3},
    ),
    passes(elasticache_cluster_idle, NODE, measured=redis(gets=60, sets=40)),
    fails(elasticache_cluster_idle, NODE, idle(ONE, commands=99), measured=redis(gets=60, sets=39)),
    passes(elasticache_cluster_idle, NODE, measured=redis(cpu=2)),
    # Memcached counts otherwise, and a cluster of it has several nodes.
    fails(
        elasticache_cluster_idle,
        MEMCACHED,
        Problem(idle(THREE, cpu=0.0), saving=usd(38.88)),
        measured=memcached(),
    ),
    passes(elasticache_cluster_idle, MEMCACHED, measured=memcached(gets=60, sets=40)),
    cannot_tell(elasticache_cluster_idle, MEMCACHED, "less than 80%", measured=redis()),
    # Not judged: young, not available.
    passes(elasticache_cluster_idle, replace(NODE, created=NOW - 7 * DAY + timedelta(seconds=1))),
    passes(elasticache_cluster_idle, replace(NODE, created=None)),
    passes(elasticache_cluster_idle, replace(NODE, status="creating")),
    # Not measured.
    cannot_tell(elasticache_cluster_idle, NODE, "less than 80%", measured=[NOTHING] * 7),
    cannot_tell(
        elasticache_cluster_idle,
        NODE,
        "less than 80% of the datapoints of 7 days exist",
        measured=[Series((0.0,) * 5, 7), *redis()[1:]],
    ),
    fails(
        elasticache_cluster_idle,
        NODE,
        idle(ONE, connections=0),
        measured=[Series((0.0,) * 6, 7), *redis()[1:]],
    ),
    passes(elasticache_cluster_idle, NODE, measured=[Series((9.0,), 7), *[NOTHING] * 6]),
    cannot_tell(
        elasticache_cluster_idle,
        NODE,
        "cloudwatch:GetMetricData",
        measured=[Gap("m", Blindness.DENIED, "cloudwatch:GetMetricData"), *[NOTHING] * 6],
    ),
    # Nodes of a group are judged there, all together.
    passes(elasticache_cluster_idle, FIRST),
    fails(
        elasticache_cluster_idle,
        GROUP,
        Problem(idle(TWO), saving=usd(25.92)),
        beside=[FIRST, SECOND, NODE],
        measured=[*redis(), *redis(connections=1)],
    ),
    passes(
        elasticache_cluster_idle,
        GROUP,
        beside=[FIRST, SECOND],
        measured=[*redis(), *redis(connections=9)],
    ),
    # One busy node is enough to know.
    passes(
        elasticache_cluster_idle,
        GROUP,
        beside=[FIRST, SECOND],
        measured=[*[NOTHING] * 7, *redis(connections=9)],
    ),
    cannot_tell(
        elasticache_cluster_idle,
        GROUP,
        "less than 80%",
        beside=[FIRST, SECOND],
        measured=[*redis(), *[NOTHING] * 7],
    ),
    passes(elasticache_cluster_idle, GROUP, beside=[FIRST, replace(SECOND, created=NOW - DAY)]),
    passes(elasticache_cluster_idle, replace(GROUP, status="modifying"), beside=[FIRST, SECOND]),
    fails(
        elasticache_cluster_idle,
        replace(GROUP, secondary=True),
        Problem(
            f"{idle(TWO)}; a global datastore's secondary",
            severity=Severity.INFORMATIONAL,
            saving=usd(25.92, Confidence.LOW),
        ),
        beside=[FIRST, SECOND],
        measured=[*redis(), *redis()],
    ),
    cannot_tell(elasticache_cluster_idle, GROUP, "its node shop-002 was not listed", beside=[FIRST]),
    cannot_tell(
        elasticache_cluster_idle,
        GROUP,
        "elasticache:DescribeCacheClusters",
        lost={CacheCluster: Gap("c", Blindness.DENIED, "elasticache:DescribeCacheClusters")},
    ),
    fails(
        elasticache_cluster_idle,
        SERVERLESS,
        Problem("99 processing units per day over 7 days"),
        measured=serverless(99),
    ),
    passes(elasticache_cluster_idle, SERVERLESS, measured=serverless(100)),
    passes(elasticache_cluster_idle, replace(SERVERLESS, created=NOW - DAY)),
    cannot_tell(elasticache_cluster_idle, SERVERLESS, "less than 80%", measured=[NOTHING] * 7),
]
