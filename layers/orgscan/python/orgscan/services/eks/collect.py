"""How we learn about EKS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.network.ranges import cidr
from orgscan.services.eks.facts import Cluster, ClusterVersion

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient
    from mypy_boto3_eks.type_defs import ClusterTypeDef, ClusterVersionInformationTypeDef


@collector(Cluster, calls=("eks:ListClusters", "eks:DescribeCluster"))
def eks_clusters(aws: Reader) -> Iterator[Cluster]:
    """Those that AWS runs; clusters from elsewhere that were only registered are not listed."""
    eks: EKSClient = aws.client("eks")
    for page in aws.pages(eks.get_paginator("list_clusters")):
        yield from aws.each(partial(_cluster, aws, eks), page["clusters"])


def _cluster(aws: Reader, eks: EKSClient, name: str) -> Cluster | None:
    """None once it is deleted. The list has nothing but names: without its description, a gap of the list."""
    described = cluster_description(eks, name)
    if isinstance(described, Gap):
        aws.spoil(described)
        return None
    return None if described is None else _shaped(aws, described)


@fact(absent="ResourceNotFoundException")
def cluster_description(eks: EKSClient, name: str) -> ClusterTypeDef:
    return eks.describe_cluster(name=name)["cluster"]


def _shaped(aws: Reader, cluster: ClusterTypeDef) -> Cluster:
    network = cluster["resourcesVpcConfig"]
    tags = cluster.get("tags") or {}
    return Cluster(
        arn=cluster["arn"],
        tags=aws.tags({"Key": key, "Value": value} for key, value in tags.items()),
        name=cluster["name"],
        version=_release(cluster["version"]),
        support=cluster.get("upgradePolicy", {}).get("supportType"),
        public=network["endpointPublicAccess"],
        public_cidrs=tuple(map(cidr, network.get("publicAccessCidrs") or ())),
        logs=frozenset(
            kind
            for setup in cluster["logging"]["clusterLogging"]
            if setup.get("enabled")
            for kind in setup.get("types", [])
        ),
        secrets_key=_secrets_key(cluster),
    )


def _release(version: str) -> str:
    """'1.33', which checks compare by its numbers. ValueError: it has none."""
    if not all(part.isdigit() for part in version.split(".")):
        raise ValueError
    return version


def _secrets_key(cluster: ClusterTypeDef) -> str | None:
    for each in cluster.get("encryptionConfig") or ():
        if "secrets" in each["resources"]:
            return each["provider"]["keyArn"]
    return None


@collector(ClusterVersion, calls=("eks:DescribeClusterVersions",))
def eks_cluster_versions(aws: Reader) -> Iterator[ClusterVersion]:
    """Those that have run out included, which AWS leaves out unless it is asked for all."""
    eks: EKSClient = aws.client("eks")
    for page in aws.pages(eks.get_paginator("describe_cluster_versions"), includeAll=True):
        yield from aws.shaped(partial(_version, aws), page["clusterVersions"])


def _version(aws: Reader, version: ClusterVersionInformationTypeDef) -> ClusterVersion | None:
    if version.get("clusterType", "eks") != "eks":
        return None  # on Outposts: other dates, and no extended support
    name = version["clusterVersion"]
    return ClusterVersion(
        arn=aws.target.arn("eks", f"cluster-version/{name}"),
        version=_release(name),
        status=version["versionStatus"],
        standard_ends=version.get("endOfStandardSupportDate"),
        extended_ends=version.get("endOfExtendedSupportDate"),
    )
