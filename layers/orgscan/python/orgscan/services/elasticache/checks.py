"""What we expect of ElastiCache."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from orgscan import prices
from orgscan.check import Problem, Problems, View, check, enough
from orgscan.model import (
    Blindness,
    Category,
    Confidence,
    Gap,
    Metric,
    Money,
    Series,
    Severity,
    Target,
    Unread,
)
from orgscan.services.elasticache.facts import Cache, CacheCluster, ReplicationGroup, ServerlessCache

DAY = 86400
CHECK = "elasticache-cluster-idle"


def _metric(name: str, statistic: str) -> Metric:
    return Metric("AWS/ElastiCache", name, statistic, DAY)


CONNECTIONS = _metric("CurrConnections", "Maximum")
CPU = _metric("CPUUtilization", "Average")
UNITS = _metric("ElastiCacheProcessingUnits", "Sum")
OF_OTHERS = (CONNECTIONS, _metric("GetTypeCmds", "Sum"), _metric("SetTypeCmds", "Sum"), CPU)
OF_MEMCACHED = (CONNECTIONS, _metric("CmdGet", "Sum"), _metric("CmdSet", "Sum"), CPU)
"""Redis and Valkey count commands by type, Memcached by command, serverless caches units of work."""


@dataclass(frozen=True, slots=True)
class Use:
    """What was measured of one cache cluster, in the order of `OF_OTHERS` and `OF_MEMCACHED`."""

    connections: Series
    gets: Series
    sets: Series
    cpu: Series

    @property
    def series(self) -> tuple[Series, ...]:
        return self.connections, self.gets, self.sets, self.cpu

    @property
    def most_connections(self) -> float:
        return max(self.connections.values, default=0)

    @property
    def commands(self) -> float:
        return sum(self.gets.values) + sum(self.sets.values)

    @property
    def average_cpu(self) -> float:
        return self.cpu.average if self.cpu.values else 0


@check(
    Cache,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Take a snapshot and delete it.",
    also=(CacheCluster,),
    measures=(*dict.fromkeys(OF_OTHERS + OF_MEMCACHED), UNITS),
    cli=(
        (
            "cluster: aws elasticache delete-cache-cluster --cache-cluster-id {name} "
            "--final-snapshot-identifier final-{name} --region {region}"
        ),
        (
            "replicationgroup: aws elasticache delete-replication-group --replication-group-id {name} "
            "--final-snapshot-identifier final-{name} --region {region}"
        ),
        (
            "serverlesscache: aws elasticache delete-serverless-cache --serverless-cache-name {name} "
            "--final-snapshot-name final-{name} --region {region}"
        ),
    ),
)
def elasticache_cluster_idle(
    cache: Cache,
    view: View,
    *,
    window_days: int = 7,
    baseline_connections: int = 2,
    max_ops_per_day: int = 100,
    low_cpu: float = 2,
    min_datapoint_share: float = 0.8,
) -> Problems:
    """A cache had almost no connections and served almost no commands during the window.

    It costs the same as a busy one. Idle means no more connections than ElastiCache's own, few commands and
    little CPU. A replication group is idle if all its nodes are; the secondary of a global datastore, which
    waits for a disaster, is informational. Serverless caches are judged by the units that they process.
    """
    nodes = _nodes(cache, view)
    since = view.now - timedelta(days=window_days)
    if not nodes or any(each.status != "available" for each in (cache, *nodes)):
        return
    if any(not each.created or each.created > since for each in nodes):
        return
    sufficient = partial(enough, CHECK, days=window_days, share=min_datapoint_share)
    if isinstance(cache, ServerlessCache):
        (units,) = view.measure(cache, UNITS, days=window_days)
        sufficient([units])
        if sum(units.values) < max_ops_per_day * window_days:
            yield f"{sum(units.values) / window_days:.0f} processing units per day over {window_days} days"
        return
    clusters = [each for each in nodes if isinstance(each, CacheCluster)]
    connected = view.measure_all(clusters, CONNECTIONS, days=window_days)
    if any(max(series.values, default=0) > baseline_connections for (series,) in connected):
        return
    # A group has nodes of one engine, and never of Memcached's.
    metrics = OF_MEMCACHED if clusters[0].engine == "memcached" else OF_OTHERS
    uses = [Use(*series) for series in view.measure_all(clusters, *metrics, days=window_days)]
    most_commands = max_ops_per_day * window_days
    if any(use.commands >= most_commands or use.average_cpu >= low_cpu for use in uses):
        return
    sufficient(series for use in uses for series in use.series)
    yield _idle(cache, clusters, uses, window_days, view.target)


def _nodes(cache: Cache, view: View) -> Sequence[CacheCluster | ServerlessCache]:
    """Those that decide about a cache; none if another cache's judgement includes it."""
    match cache:
        case ServerlessCache():
            return [cache]
        case CacheCluster():
            return [] if cache.group else [cache]
        case ReplicationGroup():
            seen = {each.name: each for each in view.related(CacheCluster, "group", cache.name)}
            unseen = [name for name in cache.members if name not in seen]
            if unseen:
                detail = f"its node {unseen[0]} was not listed"
                raise Unread(Gap(CHECK, Blindness.NO_DATA, detail))
            return list(seen.values())
    raise TypeError(type(cache).__name__)


def _idle(
    cache: Cache, clusters: Sequence[CacheCluster], uses: Sequence[Use], days: int, target: Target
) -> Problem:
    count = sum(each.nodes for each in clusters)
    text = (
        f"{count} {clusters[0].node_type} node{'s' * (count > 1)} over {days} days: at most "
        f"{max(use.most_connections for use in uses):.0f} connections, "
        f"{sum(use.commands for use in uses) / days:.0f} commands per day, "
        f"CPU {max(use.average_cpu for use in uses):.1f}% on average"
    )
    price = prices.total(part for each in clusters for part in _prices(each, target))
    if isinstance(cache, ReplicationGroup) and cache.secondary:
        saving = prices.doubted(price, Confidence.LOW)
        return Problem(f"{text}; a global datastore's secondary", Severity.INFORMATIONAL, saving=saving)
    return Problem(text, saving=price)


def _prices(cluster: CacheCluster, target: Target) -> Sequence[Money | None]:
    """One for each of its nodes."""
    return [prices.cache_node(target, cluster.node_type, cluster.engine)] * cluster.nodes
