"""What the ElastiCache collectors see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.catalog import AnyCollector
from orgscan.model import Blindness, Gap, Target
from orgscan.services.elasticache.collect import (
    elasticache_cache_clusters,
    elasticache_replication_groups,
    elasticache_serverless_caches,
)
from orgscan.services.elasticache.facts import CacheCluster, ReplicationGroup, ServerlessCache
from orgscan.session import Clients
from tests.answers import answer, refuse

MADE = datetime(2025, 1, 1, tzinfo=UTC)
CLUSTERS, GROUPS, SERVERLESS = (
    ("elasticache:DescribeCacheClusters", elasticache_cache_clusters),
    ("elasticache:DescribeReplicationGroups", elasticache_replication_groups),
    ("elasticache:DescribeServerlessCaches", elasticache_serverless_caches),
)
ALL = pytest.mark.parametrize(("call", "collector"), [CLUSTERS, GROUPS, SERVERLESS])


def test_a_cluster_and_a_node_of_a_group(aws: boto3.Session, clients: Clients, target: Target) -> None:
    elasticache = aws.client("elasticache")
    made = elasticache.create_cache_cluster(
        CacheClusterId="pages", CacheNodeType="cache.t4g.micro", Engine="memcached", NumCacheNodes=3
    )["CacheCluster"]
    elasticache.create_replication_group(ReplicationGroupId="shop", ReplicationGroupDescription="-")
    elasticache.create_cache_cluster(
        CacheClusterId="shop-001",
        CacheNodeType="cache.t4g.micro",
        Engine="redis",
        NumCacheNodes=1,
        ReplicationGroupId="shop",
    )
    pages, node = elasticache_cache_clusters.read(clients, target)
    assert pages == CacheCluster(
        arn=target.arn("elasticache", "cluster:pages"),
        name="pages",
        status="available",
        created=made["CacheClusterCreateTime"],
        engine="memcached",
        node_type="cache.t4g.micro",
        nodes=3,
        group=None,
    )
    assert (node.group, node.nodes, node.tags) == ("shop", 1, None)
    assert node.dimensions == {"CacheClusterId": "shop-001"}
    assert list(elasticache_replication_groups.read(clients, target)) == [
        ReplicationGroup(
            arn=target.arn("elasticache", "replicationgroup:shop"),
            name="shop",
            status="available",
            members=("shop-001",),
            secondary=False,
        )
    ]


@pytest.mark.parametrize("role", ["PRIMARY", "SECONDARY"])
def test_a_group_of_a_global_datastore(clients: Clients, target: Target, role: str) -> None:
    group = {
        "ARN": target.arn("elasticache", "replicationgroup:shop"),
        "ReplicationGroupId": "shop",
        "Status": "available",
        "MemberClusters": [],
        "GlobalReplicationGroupInfo": {"GlobalReplicationGroupMemberRole": role},
    }
    answer(clients, target, GROUPS[0], {"ReplicationGroups": [group]})
    (seen,) = elasticache_replication_groups.read(clients, target)
    assert seen.secondary is (role == "SECONDARY")


def serverless(target: Target, name: str) -> dict[str, Any]:
    arn = target.arn("elasticache", f"serverlesscache:{name}")
    return {"ServerlessCacheName": name, "ARN": arn, "Status": "available", "CreateTime": MADE}


def test_serverless_caches_of_two_pages_and_an_odd_one(clients: Clients, target: Target) -> None:
    answer(
        clients,
        target,
        SERVERLESS[0],
        {"ServerlessCaches": [serverless(target, "a"), {"Status": "available"}], "NextToken": "more"},
        {"ServerlessCaches": [serverless(target, "b")]},
    )
    lost: list[Gap] = []
    first, second = elasticache_serverless_caches.read(clients, target, spoil=lost.append)
    assert first == ServerlessCache(
        arn=target.arn("elasticache", "serverlesscache:a"), name="a", status="available", created=MADE
    )
    assert first.dimensions == {"clusterId": "a"}
    assert second.name == "b"
    assert [each.reason for each in lost] == [Blindness.FAULT]


@pytest.mark.parametrize("member", ["NumCacheNodes", "Engine", "CacheNodeType", "CacheClusterStatus"])
def test_a_cluster_without_what_is_always_said_costs_itself(
    clients: Clients, target: Target, member: str
) -> None:
    def cluster(name: str) -> dict[str, Any]:
        return {
            "ARN": target.arn("elasticache", f"cluster:{name}"),
            "CacheClusterId": name,
            "CacheClusterStatus": "creating",
            "Engine": "redis",
            "CacheNodeType": "cache.t4g.micro",
            "NumCacheNodes": 1,
        }

    clusters = [cluster(name) for name in ("a", "odd", "new", "late", "b")]
    del clusters[1][member]
    clusters[2]["CacheClusterStatus"] = "pondering"
    clusters[3]["CacheClusterStatus"] = "available"  # and yet it was never made
    answer(clients, target, CLUSTERS[0], {"CacheClusters": clusters})
    lost: list[Gap] = []
    seen = list(elasticache_cache_clusters.read(clients, target, spoil=lost.append))
    assert [each.name for each in seen] == ["a", "b"]
    assert [each.created for each in seen] == [None, None]
    assert len(lost) == 3


@ALL
def test_a_denied_listing_is_not_an_empty_one(
    clients: Clients, target: Target, call: str, collector: AnyCollector
) -> None:
    refuse(clients, target, call)
    with pytest.raises(ClientError, match=call):
        list(collector.read(clients, target))
