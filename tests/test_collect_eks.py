"""What the EKS collectors see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.eks.collect import eks_cluster_versions, eks_clusters
from orgscan.services.eks.facts import Cluster, ClusterVersion
from orgscan.session import Clients
from tests.answers import answer, refuse

EKS = "arn:aws:eks:eu-west-1:123456789012"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
ENDS = datetime(2026, 7, 29, tzinfo=UTC)


def create(aws: boto3.Session, name: str, **more: Any) -> None:
    settings = {
        "name": name,
        "version": "1.33",
        "roleArn": "arn:aws:iam::123456789012:role/eks",
        "resourcesVpcConfig": {
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["198.51.100.0/24"],
        },
        **more,
    }
    aws.client("eks").create_cluster(**settings)


def test_all_facts_of_a_cluster(aws: boto3.Session, clients: Clients, target: Target) -> None:
    create(
        aws,
        "shop",
        logging={
            "clusterLogging": [
                {"types": ["api"], "enabled": True},
                {"types": ["audit"], "enabled": True},
                {"types": ["scheduler"], "enabled": False},
            ]
        },
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": KEY}}],
        tags={"Owner": "ada", "DB_PASSWORD": "gr8-T4lk!ng"},
    )
    (found,) = eks_clusters.read(clients, target, salt="s")
    assert found.tags is not None
    assert found.tags["DB_PASSWORD"].startswith("(hidden: secret-name")
    assert found == Cluster(
        arn=f"{EKS}:cluster/shop",
        tags={"Owner": "ada", "DB_PASSWORD": found.tags["DB_PASSWORD"]},
        name="shop",
        version="1.33",
        support=None,
        public=True,
        public_cidrs=("198.51.100.0/24",),
        logs=frozenset({"api", "audit"}),
        secrets_key=KEY,
    )


def described(name: str, **more: Any) -> dict[str, Any]:
    return {
        "arn": f"{EKS}:cluster/{name}",
        "name": name,
        "version": "1.33",
        "resourcesVpcConfig": {"endpointPublicAccess": False},
        "logging": {"clusterLogging": []},
        **more,
    }


def test_clusters_of_two_pages_and_an_odd_one(clients: Clients, target: Target) -> None:
    other = {"resources": ["everything-else"], "provider": {"keyArn": KEY}}
    answer(
        clients,
        target,
        "eks:ListClusters",
        {"clusters": ["one", "odd"], "nextToken": "more"},
        {"clusters": ["two"]},
    )
    answer(
        clients,
        target,
        "eks:DescribeCluster",
        {"cluster": described("one", upgradePolicy={"supportType": "STANDARD"}, encryptionConfig=[other])},
        {"cluster": described("odd", resourcesVpcConfig={})},
        {"cluster": described("two")},
    )
    lost: list[Gap] = []
    one, two = eks_clusters.read(clients, target, spoil=lost.append)
    assert (one.support, one.secrets_key, one.public, one.public_cidrs) == ("STANDARD", None, False, ())
    assert (two.name, two.support, two.tags, two.logs) == ("two", None, {}, frozenset())
    assert [gap.reason for gap in lost] == [Blindness.FAULT]


def test_clusters_that_are_gone_or_denied(aws: boto3.Session, clients: Clients, target: Target) -> None:
    create(aws, "shop")
    lost: list[Gap] = []
    answer(clients, target, "eks:ListClusters", {"clusters": ["gone", "shop"]})
    assert [each.name for each in eks_clusters.read(clients, target, spoil=lost.append)] == ["shop"]
    assert lost == []
    clients = Clients(aws, guarded=True)
    refuse(clients, target, "eks:DescribeCluster", "AccessDeniedException")
    assert list(eks_clusters.read(clients, target, spoil=lost.append)) == []
    assert lost == [Gap("cluster_description", Blindness.DENIED, "eks:DescribeCluster")]
    refuse(clients, target, "eks:ListClusters", "AccessDeniedException")
    with pytest.raises(ClientError):
        list(eks_clusters.read(clients, target))


def version(name: str, **more: Any) -> dict[str, Any]:
    return {"clusterVersion": name, "clusterType": "eks", "versionStatus": "STANDARD_SUPPORT", **more}


def test_the_versions_that_aws_knows(clients: Clients, target: Target) -> None:
    asked: list[object] = []
    answer(
        clients,
        target,
        "eks:DescribeClusterVersions",
        {
            "clusterVersions": [
                version("1.33", endOfStandardSupportDate=ENDS, endOfExtendedSupportDate=ENDS)
            ],
            "nextToken": "more",
        },
        {
            "clusterVersions": [
                {"clusterVersion": "odd"},
                version("1.31", clusterType="outpost"),
                version("1.32"),
            ]
        },
    )
    events = clients.get("eks", target.region).meta.events
    events.register(
        "provide-client-params.eks.DescribeClusterVersions", lambda params, **_: asked.append(params)
    )
    lost: list[Gap] = []
    found = list(eks_cluster_versions.read(clients, target, spoil=lost.append))
    assert found == [
        ClusterVersion(
            arn=f"{EKS}:cluster-version/{name}",
            version=name,
            status="STANDARD_SUPPORT",
            standard_ends=ends,
            extended_ends=ends,
        )
        for name, ends in (("1.33", ENDS), ("1.32", None))
    ]
    assert [gap.reason for gap in lost] == [Blindness.FAULT]
    assert asked[0] == {"includeAll": True}


def test_versions_that_nobody_may_read(clients: Clients, target: Target) -> None:
    refuse(clients, target, "eks:DescribeClusterVersions", "AccessDeniedException")
    with pytest.raises(ClientError):
        list(eks_cluster_versions.read(clients, target))


@pytest.mark.parametrize(
    "odd",
    [
        {},
        described("odd", version=""),
        described("odd", resourcesVpcConfig={"endpointPublicAccess": True, "publicAccessCidrs": [""]}),
    ],
)
def test_a_description_that_makes_no_sense_is_not_a_deleted_cluster(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    answer(clients, target, "eks:ListClusters", {"clusters": ["odd"]})
    answer(clients, target, "eks:DescribeCluster", {"cluster": odd})
    lost: list[Gap] = []
    assert list(eks_clusters.read(clients, target, spoil=lost.append)) == []
    assert [gap.reason for gap in lost] == [Blindness.FAULT]
