"""How we learn about ECR."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan import policy
from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.services.ecr.facts import Repository

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

    from orgscan.model import Gap
    from orgscan.policy import Policy


@collector(Repository, calls=("ecr:DescribeRepositories", "ecr:GetRepositoryPolicy"))
def ecr_repositories(aws: Reader) -> Iterator[Repository]:
    ecr: ECRClient = aws.client("ecr")
    listing = ecr.get_paginator("describe_repositories")
    for page in aws.pages(listing, PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_repository, ecr), page["repositories"])


def _repository(ecr: ECRClient, repository: RepositoryTypeDef) -> Repository:
    name = repository["repositoryName"]
    return Repository(arn=repository["repositoryArn"], name=name, policy=repository_policy(ecr, name))


@fact(absent=("RepositoryPolicyNotFoundException", "RepositoryNotFoundException"))
def repository_policy(ecr: ECRClient, repository: str) -> Policy | Gap:
    """None also of a repository that was deleted since it was listed."""
    return policy.read(
        "repository_policy", ecr.get_repository_policy(repositoryName=repository)["policyText"]
    )
