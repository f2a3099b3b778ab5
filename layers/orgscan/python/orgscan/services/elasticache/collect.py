"""How we learn about ElastiCache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.elasticache.facts import CacheCluster, ReplicationGroup, ServerlessCache

if TYPE_CHECKING:
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_elasticache.type_defs import (
        CacheClusterTypeDef,
        ReplicationGroupTypeDef,
        ServerlessCacheTypeDef,
    )


@collector(CacheCluster, calls=("elasticache:DescribeCacheClusters",))
def elasticache_cache_clusters(aws: Reader) -> Iterator[CacheCluster]:
    elasticache: ElastiCacheClient = aws.client("elasticache")
    for page in aws.pages(elasticache.get_paginator("describe_cache_clusters")):
        yield from aws.shaped(_cluster, page["CacheClusters"])


def _cluster(cluster: CacheClusterTypeDef) -> CacheCluster:
    return CacheCluster(
        arn=cluster["ARN"],
        name=cluster["CacheClusterId"],
        status=cluster["CacheClusterStatus"],
        created=cluster.get("CacheClusterCreateTime"),
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
        status=group["Status"],
        members=tuple(group["MemberClusters"]),
        secondary=role == "SECONDARY",
    )


@collector(ServerlessCache, calls=("elasticache:DescribeServerlessCaches",))
def elasticache_serverless_caches(aws: Reader) -> Iterator[ServerlessCache]:
    elasticache: ElastiCacheClient = aws.client("elasticache")
    for page in aws.pages(elasticache.get_paginator("describe_serverless_caches")):
        yield from aws.shaped(_serverless, page["ServerlessCaches"])


def _serverless(cache: ServerlessCacheTypeDef) -> ServerlessCache:
    return ServerlessCache(
        arn=cache["ARN"],
        name=cache["ServerlessCacheName"],
        status=cache["Status"],
        created=cache.get("CreateTime"),
    )
