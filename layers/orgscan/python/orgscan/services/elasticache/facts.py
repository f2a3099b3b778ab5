"""What we know about ElastiCache."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Taggable):
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCluster(Cache):
    """Of Redis and Valkey always one node."""

    aws_types = ("AWS::ElastiCache::CacheCluster",)

    created: datetime | None
    """None until it is made."""
    engine: str
    node_type: str
    nodes: int
    group: str | None
    """The replication group that it is a node of."""

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"CacheClusterId": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationGroup(Cache):
    aws_types = ("AWS::ElastiCache::ReplicationGroup",)

    members: tuple[str, ...]
    """Names of its cache clusters."""
    secondary: bool
    """It holds a global datastore's copy, which another region writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessCache(Cache):
    aws_types = ("AWS::ElastiCache::ServerlessCache",)

    created: datetime | None

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"clusterId": self.name}
