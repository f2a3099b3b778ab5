"""Caches."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local import past
from local.faults.load import measure_daily
from local.faults.tagging import TAGS
from local.place import Place, scenario, tag_list

IDLE = "elasticache-cluster-idle"

ABSENT: Mapping[str, Any] = {"elasticache:DescribeServerlessCaches": {"ServerlessCaches": []}}


def node(place: Place, name: str, *, connections: float, commands: float, **options: str | int) -> str:
    """The ARN of a cache cluster that has been there for a while."""
    settings = {"Engine": "redis", "NumCacheNodes": 1, **options}
    made = place.client("elasticache").create_cache_cluster(
        CacheClusterId=name,
        CacheNodeType="cache.t4g.small",
        SnapshotRetentionLimit=0 if settings["Engine"] == "memcached" else 7,
        Tags=tag_list(place.tags(name)),
        **settings,
    )
    past.age_cache(place.account.id, place.region, name, days=40)
    kinds = ("CmdGet", "CmdSet") if settings["Engine"] == "memcached" else ("GetTypeCmds", "SetTypeCmds")
    load = {"CurrConnections": connections, "CPUUtilization": 0.5, **dict.fromkeys(kinds, commands / 2)}
    measure_daily(place, "AWS/ElastiCache", {"CacheClusterId": name}, **load)
    return str(made["CacheCluster"]["ARN"])


def group(place: Place, what: str, *connections: float) -> str:
    """The ARN of a replication group, with a node for each number of connections."""
    name = place.name(what)
    made = place.client("elasticache").create_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription=what,
        CacheNodeType="cache.t4g.small",
        Engine="redis",
        NumCacheClusters=len(connections),
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        AtRestEncryptionEnabled=True,
        TransitEncryptionEnabled=True,
        SnapshotRetentionLimit=7,
        Tags=tag_list(place.tags(name)),
    )
    members = [f"{name}-{number:03}" for number in range(1, len(connections) + 1)]
    for member, connected in zip(members, connections, strict=True):
        node(place, member, connections=connected, commands=10, ReplicationGroupId=name)
    past.join_replication_group(place.account.id, place.region, name, members)
    return str(made["ReplicationGroup"]["ARN"])


@scenario(copies=2)
def cache_nobody_uses(place: Place) -> None:
    name = place.name("fragments")
    arn = node(place, name, connections=2, commands=20)
    place.fails(IDLE, resource=arn)


@scenario()
def memcached_nobody_uses(place: Place) -> None:
    name = place.name("pages")
    arn = node(place, name, connections=0, commands=0, Engine="memcached", NumCacheNodes=3)
    place.fails(IDLE, resource=arn)


@scenario()
def cache_somebody_is_connected_to(place: Place) -> None:
    arn = node(place, place.name("locks"), connections=3, commands=0)
    place.looks_like(IDLE, resource=arn)


@scenario()
def replication_group_nobody_uses(place: Place) -> None:
    """One finding, not one for each node."""
    place.fails(IDLE, resource=group(place, "tokens", 2, 1))


@scenario()
def replication_group_with_one_busy_node(place: Place) -> None:
    place.looks_like(IDLE, resource=group(place, "scores", 2, 40))


@scenario()
def serverless_cache_nobody_uses(place: Place) -> None:
    """Nor did anybody tag it. Beside it is one that works."""
    made = datetime.now(UTC) - timedelta(days=40)
    caches = []
    for what, units in (("drafts", 5), ("prices", 50_000)):
        name = place.name(what)
        arn = place.arn("elasticache", f"serverlesscache:{name}")
        caches.append({"ServerlessCacheName": name, "ARN": arn, "Status": "available", "CreateTime": made})
        measure_daily(place, "AWS/ElastiCache", {"clusterId": name}, ElastiCacheProcessingUnits=units)
        place.fails(TAGS, resource=arn)
    place.answers("elasticache:DescribeServerlessCaches", {"ServerlessCaches": caches})
    idle, busy = (each["ARN"] for each in caches)
    place.fails(IDLE, resource=str(idle))
    place.looks_like(IDLE, resource=str(busy))
