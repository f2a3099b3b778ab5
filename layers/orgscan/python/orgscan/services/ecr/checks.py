"""What we expect of ECR."""

from orgscan.check import Problems, check
from orgscan.model import Category, Severity, known
from orgscan.policy import Opening
from orgscan.services.ecr.facts import Repository

CHANGING = (
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "ecr:SetRepositoryPolicy",
    "ecr:DeleteRepositoryPolicy",
    "ecr:DeleteRepository",
    "ecr:PutLifecyclePolicy",
    "ecr:PutImageTagMutability",
)
"""What a stranger can do harm with, the worst first: images that others run, and who may do what."""


@check(
    Repository,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Name the accounts the policy is meant for, or limit it to the organization by aws:PrincipalOrgID.",
    equivalent=("prowler:ecr_repositories_not_publicly_accessible",),
    cli=(
        (
            "aws ecr get-repository-policy --repository-name {id} --query policyText --output text "
            "--region {region}"
        ),
        (
            "aws ecr set-repository-policy --repository-name {id} --policy-text "
            "'file://<policy-that-names-accounts>' --region {region}"
        ),
    ),
    cdk="""
        ecr.CfnRepository(
            self,
            "Repository",
            repository_policy_text={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "ecr:BatchGetImage",
                        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "<organization>"}},
                    }
                ],
            },
        )
    """,
)
def ecr_repository_public_policy(repository: Repository) -> Problems:
    """The policy of a private repository lets everyone in.

    Anybody with an AWS account can do what it allows: pull what was meant to stay inside or, worse, push an
    image that others will run. Limits by organization, account or endpoint pass, as in every policy.
    """
    policy = known(repository.policy)
    for opening in policy.openings() if policy else ():
        changing = ", ".join(_changing(opening))
        sid = f" (statement {opening.sid})" if opening.sid else ""
        narrowed = f", asking only for {opening.narrowed}" if opening.narrowed else ""
        harm = f"; that includes {changing}" if changing else ""
        yield f"the policy allows everyone {', '.join(opening.actions)}{sid}{narrowed}{harm}"


def _changing(opening: Opening) -> list[str]:
    """Of these actions, those that it does not name itself."""
    return [each for each in CHANGING if opening.includes(each) and each not in opening.actions]
