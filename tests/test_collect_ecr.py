"""What the ECR collector sees."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan import policy
from orgscan.model import Blindness, Gap, Target
from orgscan.services.ecr.collect import ecr_repositories
from orgscan.services.ecr.facts import Repository
from orgscan.session import Clients
from tests.answers import answer, refuse

ARN = "arn:aws:ecr:eu-west-1:123456789012:repository"
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}
POLICY = policy.parse(DOCUMENT)


def create(aws: boto3.Session, *names: str) -> None:
    for name in names:
        aws.client("ecr").create_repository(repositoryName=name)


def test_a_repository_and_its_policy(aws: boto3.Session, clients: Clients, target: Target) -> None:
    create(aws, "shop/web", "shop/api")
    aws.client("ecr").set_repository_policy(repositoryName="shop/web", policyText=json.dumps(DOCUMENT))
    assert sorted(ecr_repositories.read(clients, target), key=lambda each: each.name) == [
        Repository(arn=f"{ARN}/shop/api", name="shop/api", policy=None),
        Repository(arn=f"{ARN}/shop/web", name="shop/web", policy=POLICY),
    ]


def test_two_pages_and_an_odd_one_out(clients: Clients, target: Target) -> None:
    def item(name: str) -> dict[str, str]:
        return {"repositoryName": name, "repositoryArn": f"{ARN}/{name}"}

    answer(
        clients,
        target,
        "ecr:DescribeRepositories",
        {"repositories": [{"repositoryName": "odd"}, item("one")], "nextToken": "more"},
        {"repositories": [item("two")]},
    )
    lost: list[Gap] = []
    # Neither exists: each was deleted since it was listed.
    found = [(each.name, each.policy) for each in ecr_repositories.read(clients, target, spoil=lost.append)]
    assert found == [("one", None), ("two", None)]
    assert [gap.reason for gap in lost] == [Blindness.FAULT]


def test_what_is_denied_or_makes_no_sense(aws: boto3.Session, clients: Clients, target: Target) -> None:
    create(aws, "shop/web")
    answer(clients, target, "ecr:GetRepositoryPolicy", {"policyText": "{"})
    (repository,) = ecr_repositories.read(clients, target)
    assert isinstance(repository.policy, Gap)
    assert repository.policy.reason is Blindness.FAULT
    clients = Clients(aws, guarded=True)
    refuse(clients, target, "ecr:GetRepositoryPolicy", "AccessDeniedException")
    (repository,) = ecr_repositories.read(clients, target)
    assert repository.policy == Gap("repository_policy", Blindness.DENIED, "ecr:GetRepositoryPolicy")
    refuse(clients, target, "ecr:DescribeRepositories", "AccessDeniedException")
    with pytest.raises(ClientError):
        list(ecr_repositories.read(clients, target))
