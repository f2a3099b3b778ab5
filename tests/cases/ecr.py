"""What the checks of ECR accept and reject."""

from typing import Any

from orgscan import policy
from orgscan.model import Blindness, Gap
from orgscan.services.ecr.checks import ecr_repository_public_policy
from orgscan.services.ecr.facts import Repository
from tests.cases.case import Case, cannot_tell, fails, passes

ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
DENIED = Gap("repository_policy", Blindness.DENIED, "ecr:GetRepositoryPolicy")


def repository(*statements: dict[str, Any]) -> Repository:
    return Repository(arn=ARN, name="shop/web", policy=policy.parse({"Statement": list(statements)}))


def allow(*actions: str, principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), **more}


def condition(operator: str, key: str, value: object) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PULLED = f"the policy allows everyone {', '.join(PULL)}"

CASES: list[Case] = [
    passes(ecr_repository_public_policy, Repository(arn=ARN, name="shop/web", policy=None)),
    passes(ecr_repository_public_policy, repository(allow(*PULL, principal={"AWS": "210987654321"}))),
    passes(
        ecr_repository_public_policy,
        repository(allow(*PULL, principal={"Service": "lambda.amazonaws.com"})),
    ),
    passes(
        ecr_repository_public_policy,
        repository(allow(*PULL, **condition("StringEquals", "aws:PrincipalOrgID", "o-1a2b3c4d5e"))),
    ),
    passes(
        ecr_repository_public_policy,
        repository(allow(*PULL), {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}),
    ),
    fails(ecr_repository_public_policy, repository(allow(*PULL)), PULLED),
    fails(ecr_repository_public_policy, repository(allow(*PULL, principal={"AWS": "*"})), PULLED),
    fails(ecr_repository_public_policy, repository(allow(*PULL, Sid="new")), f"{PULLED} (statement new)"),
    fails(
        ecr_repository_public_policy,
        repository(allow("ecr:PutImage")),
        "the policy allows everyone ecr:PutImage",
    ),
    fails(
        ecr_repository_public_policy,
        repository(allow("ecr:Batch*")),
        "the policy allows everyone ecr:Batch*; that includes ecr:BatchDeleteImage",
    ),
    fails(
        ecr_repository_public_policy,
        repository(allow("ecr:*")),
        "the policy allows everyone ecr:*; that includes ecr:PutImage, ecr:BatchDeleteImage, "
        "ecr:SetRepositoryPolicy, ecr:DeleteRepositoryPolicy, ecr:DeleteRepository, ecr:PutLifecyclePolicy, "
        "ecr:PutImageTagMutability",
    ),
    fails(
        ecr_repository_public_policy,
        repository(allow(*PULL, **condition("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1a2b3c4d5e"))),
        f"{PULLED}, asking only for aws:PrincipalOrgID",
    ),
    fails(
        ecr_repository_public_policy,
        repository(allow(*PULL, principal={"AWS": "210987654321"}), allow("ecr:ListImages")),
        "the policy allows everyone ecr:ListImages",
    ),
    cannot_tell(
        ecr_repository_public_policy,
        Repository(arn=ARN, name="shop/web", policy=DENIED),
        "ecr:GetRepositoryPolicy",
    ),
]
