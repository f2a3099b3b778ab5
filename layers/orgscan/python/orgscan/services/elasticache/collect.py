"""How we learn about ElastiCache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.services.elasticache.facts import CacheCluster, ReplicationGroup, ServerlessCache

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import (
        CacheClusterTypeDef,
        ReplicationGroupTypeDef,
        ServerlessCacheTypeDef,
    )


STATES = words(
    "available",
    "create-failed",
    "creating",
    "deleted",
    "deleting",
    "incompatible-network",
    "modifying",
    "rebooting cluster nodes",
    "restore-failed",
    "snapshotting",
)
"""Of all three kinds; the documentation writes those of serverless caches in capitals."""


@collector(CacheCluster, calls=("elasticache:DescribeCacheClusters",))
def elasticache_cache_clusters(aws: Reader) -> Iterator[CacheCluster]:
    elasticache: ElastiCacheClient = aws.client("elasticache")
    for page in aws.pages(elasticache.get_paginator("describe_cache_clusters")):
        yield from aws.shaped(_cluster, page["CacheClusters"])


def _cluster(cluster: CacheClusterTypeDef) -> CacheCluster:
    status = STATES[cluster["CacheClusterStatus"]]
    return CacheCluster(
        arn=cluster["ARN"],
        name=cluster["CacheClusterId"],
        status=status,
        created=cluster["CacheClusterCreateTime"]
        if status == "available"
        else cluster.get("CacheClusterCreateTime"),
        engine=cluster["Engine"],
        node_type=cluster["CacheNodeType"],
        nodes=cluster["NumCacheNodes"],
        group=cluster.get("ReplicationGroupId"),
    )


@collector(ReplicationGroup, calls=("elasticache:DescribeReplicationGroups",))
def elasticache_replication_groups(aws: Reader) -> Iterator[ReplicationGroup]:
    elasticache: ElastiCacheClient = aws.client("elasticache")
    for page in aws.pages(elasticache.get_paginator("describe_replication_groups")):
        yield from aws.shaped(_group, page["ReplicationGroups"])


def _group(group: ReplicationGroupTypeDef) -> ReplicationGroup:
    role = group.get("GlobalReplicationGroupInfo", {}).get("GlobalReplicationGroupMemberRole")
    return ReplicationGroup(
        arn=group["ARN"],
        name=group["ReplicationGroupId"],
        status=STATES[group["Status"]],
        members=tuple(group["MemberClusters"]),
        secondary=role == "SECONDARY",
    )


@collector(ServerlessCache, calls=("elasticache:DescribeServerlessCaches",))
def elasticache_serverless_caches(aws: Reader) -> Iterator[ServerlessCache]:
    elasticache: ElastiCacheClient = aws.client("elasticache")
    for page in aws.pages(elasticache.get_paginator("describe_serverless_caches")):
        yield from aws.shaped(_serverless, page["ServerlessCaches"])


def _serverless(cache: ServerlessCacheTypeDef) -> ServerlessCache:
    status = STATES[cache["Status"].lower()]
    return ServerlessCache(
        arn=cache["ARN"],
        name=cache["ServerlessCacheName"],
        status=status,
        created=cache["CreateTime"] if status == "available" else cache.get("CreateTime"),
    )
