"""Whom policies of roles trust."""

from typing import Any

import pytest

from orgscan.policy import Grant, Subject, parse
from tests.policies import (
    GITHUB,
    ORG,
    OTHER,
    OUR_ROLE,
    OWN,
    ROOT,
    VENDOR,
    Sample,
    answers,
    expected,
    policy,
    trust,
)

PROVIDER = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{GITHUB}"}
AUD = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}
WEB = "sts:AssumeRoleWithWebIdentity"
SAML = {"Federated": f"arn:aws:iam::{OWN}:saml-provider/Okta"}
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
CLUSTER = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{EKS}"}
ALL = "sts:AssumeRole"
DENY = {"Effect": "Deny", "Action": "sts:*"}


def sample(name: str, *statements: Any, **told: Any) -> Sample:
    return Sample(name=name, document=policy(*statements), **told)


def asked(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {operator: {key: value}}


TRUSTS = (
    # Everyone
    sample("everyone", trust("*"), trusts=(ALL,)),
    sample("everyone of AWS", trust({"AWS": "*"}), trusts=(ALL,)),
    sample("every provider", trust({"Federated": "*"}, action=WEB), trusts=(WEB,), federated=("* missing",)),
    sample(
        "all but one",
        {"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": ALL},
        trusts=(ALL,),
    ),
    sample("everyone of the organization", trust("*", ORG)),
    sample(
        "everyone under a path",
        trust("*", asked("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1/*")),
    ),
    sample("everyone of the account", trust("*", asked("StringEquals", "aws:PrincipalAccount", OWN))),
    sample("everyone who is one role", trust("*", asked("ArnEquals", "aws:PrincipalArn", OUR_ROLE))),
    sample("everyone for a source", trust("*", asked("ArnLike", "aws:SourceArn", f"arn:aws:s3:*:{OWN}:*"))),
    sample("everyone for our account", trust("*", asked("StringEquals", "aws:SourceAccount", OWN))),
    sample(
        "everyone with an external id",
        trust("*", asked("StringEquals", "sts:ExternalId", "a1")),
        trusts=(f"{ALL} (sts:ExternalId) + external id",),
    ),
    sample(
        "everyone with any external id",
        trust("*", asked("StringLike", "sts:ExternalId", "*")),
        trusts=(f"{ALL} (sts:ExternalId)",),
    ),
    sample(
        "everyone who is a role of that name",
        trust("*", asked("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin")),
        trusts=(f"{ALL} (aws:PrincipalArn)",),
    ),
    sample(
        "everyone from a network",
        trust("*", asked("IpAddress", "aws:SourceIp", "203.0.113.0/24")),
        trusts=(f"{ALL} (aws:SourceIp)",),
    ),
    sample(
        "everyone with MFA",
        trust("*", asked("Bool", "aws:MultiFactorAuthPresent", "true")),
        trusts=(f"{ALL} (aws:MultiFactorAuthPresent)",),
    ),
    sample(
        "all but one of the organization: NotPrincipal is never right here",
        {"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": ALL, "Condition": ORG},
        trusts=(f"{ALL} (aws:PrincipalOrgID)",),
    ),
    sample("everyone, and then nobody", trust("*"), DENY | {"Principal": "*"}),
    sample(
        "everyone, but from a network",
        trust("*"),
        DENY | {"Principal": "*", "Condition": asked("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")},
        trusts=(ALL,),
    ),
    sample(
        "everyone, but the organization",
        trust("*"),
        DENY | {"Principal": "*", "Condition": asked("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3")},
    ),
    # Accounts
    sample("ourselves", trust({"AWS": ROOT})),
    sample("a vendor", trust({"AWS": VENDOR}), external=(VENDOR,)),
    sample(
        "a vendor with an external id",
        trust({"AWS": f"arn:aws:iam::{VENDOR}:root"}, asked("StringEquals", "sts:ExternalId", "a1")),
        external=(f"{VENDOR} id",),
    ),
    sample(
        "a vendor with an external id, if any",
        trust({"AWS": VENDOR}, asked("StringEqualsIfExists", "sts:ExternalId", "a1")),
        external=(VENDOR,),
    ),
    sample(
        "a vendor with any external id",
        trust({"AWS": VENDOR}, asked("StringLike", "sts:ExternalId", "*")),
        external=(VENDOR,),
    ),
    sample(
        "people of another account with MFA",
        trust({"AWS": OTHER}, asked("Bool", "aws:MultiFactorAuthPresent", value=True)),
        external=(f"{OTHER} mfa",),
    ),
    sample(
        "people with recent MFA",
        trust({"AWS": OTHER}, asked("NumericLessThan", "aws:MultiFactorAuthAge", 3600)),
        external=(f"{OTHER} mfa",),
    ),
    sample(
        "people with MFA, if they used keys",
        trust({"AWS": OTHER}, asked("BoolIfExists", "aws:MultiFactorAuthPresent", "true")),
        external=(OTHER,),
    ),
    sample(
        "people without MFA",
        trust({"AWS": OTHER}, asked("Bool", "aws:MultiFactorAuthPresent", "false")),
        external=(OTHER,),
    ),
    sample(
        "a role of a stack set's administrator",
        trust({"AWS": f"arn:aws:iam::{OTHER}:role/AWSCloudFormationStackSetAdministrationRole"}),
        external=(OTHER,),
    ),
    sample("an account of the organization", trust({"AWS": OTHER}, ORG), external=(f"{OTHER} org",)),
    sample(
        "an account for a source",
        trust({"AWS": OTHER}, asked("ArnEquals", "aws:SourceArn", f"arn:aws:sns:eu-west-1:{OTHER}:t")),
        external=(f"{OTHER} source",),
    ),
    sample(
        "an account named by a condition",
        trust("*", asked("StringEquals", "aws:PrincipalAccount", [OWN, OTHER])),
        external=(OTHER,),
    ),
    sample("somebody deleted", trust({"AWS": "AROAEXAMPLEEXAMPLE12"}), deleted=("AROAEXAMPLEEXAMPLE12",)),
    # Services
    sample("instances", trust({"Service": "ec2.amazonaws.com"}), services=("ec2.amazonaws.com",)),
    sample(
        "two services",
        trust({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}),
        services=("lambda.amazonaws.com", "edgelambda.amazonaws.com"),
    ),
    sample(
        "a service for an account",
        trust({"Service": "bedrock.amazonaws.com"}, asked("StringEquals", "aws:SourceAccount", OWN)),
        services=("bedrock.amazonaws.com bound",),
    ),
    sample(
        "a service for any account",
        trust(
            {"Service": "bedrock.amazonaws.com"}, asked("ArnLike", "aws:SourceArn", "arn:aws:bedrock:*:*:*")
        ),
        services=("bedrock.amazonaws.com",),
    ),
    sample(
        "a service for the organization",
        trust({"Service": "config.amazonaws.com"}, asked("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5")),
        services=("config.amazonaws.com bound",),
    ),
    # Identity providers
    sample(
        "SAML",
        trust(
            SAML,
            asked("StringEquals", "SAML:aud", "https://signin.aws.amazon.com/saml"),
            "sts:AssumeRoleWithSAML",
        ),
        federated=("saml named aud",),
    ),
    sample("SAML for any audience", trust(SAML, action="sts:AssumeRoleWithSAML"), federated=("saml named",)),
    sample(
        "Cognito",
        trust(
            {"Federated": "cognito-identity.amazonaws.com"},
            asked("StringEquals", "cognito-identity.amazonaws.com:aud", "eu-west-1:1"),
            WEB,
        ),
        federated=("cognito-identity.amazonaws.com missing aud",),
    ),
    sample(
        "Cognito for any pool",
        trust({"Federated": "cognito-identity.amazonaws.com"}, action=WEB),
        federated=("cognito-identity.amazonaws.com missing",),
    ),
    sample(
        "Google",
        trust(
            {"Federated": "accounts.google.com"}, asked("StringEquals", "accounts.google.com:sub", "1"), WEB
        ),
        federated=("accounts.google.com named",),
    ),
    sample(
        "a pod",
        trust(
            CLUSTER,
            {"StringEquals": {f"{EKS}:sub": "system:serviceaccount:shop:web", f"{EKS}:aud": "x"}},
            WEB,
        ),
        federated=("oidc.eks.eu-west-1.amazonaws.com named aud",),
    ),
    sample("any pod", trust(CLUSTER, action=WEB), federated=("oidc.eks.eu-west-1.amazonaws.com missing",)),
    sample("a provider, denied", trust(CLUSTER, action=WEB), DENY | {"Principal": "*"}),
)


@pytest.mark.parametrize("one", TRUSTS, ids=lambda one: one.name)
def test_whom_policies_of_roles_trust(one: Sample) -> None:
    assert answers(one) == expected(one)


@pytest.mark.parametrize(
    ("operator", "claim", "value", "subject"),
    [
        ("StringEquals", "sub", "repo:acme/shop:ref:refs/heads/main", Subject.NAMED),
        ("StringLike", "sub", "repo:acme/shop:*", Subject.NAMED),
        ("StringLike", "sub", "repo:acme/*", Subject.ORGANIZATION),
        ("StringLike", "sub", "repo:acme/*:ref:refs/heads/main", Subject.ORGANIZATION),
        ("StringLike", "sub", "repo:acme@12/shop@34:*", Subject.NAMED),
        ("StringLike", "sub", ["repo:acme/shop:*", "repo:acme/*"], Subject.ORGANIZATION),
        ("StringLike", "sub", ["repo:acme/shop:*", "repo:*"], Subject.WILD),
        ("StringLike", "sub", "*", Subject.WILD),
        ("StringLike", "sub", "repo:*", Subject.WILD),
        ("StringLike", "sub", "repo:acme*", Subject.WILD),
        ("StringLike", "sub", "re*", Subject.WILD),
        ("StringLike", "sub", "repo:*/shop:*", Subject.WILD),
        ("StringLike", "sub", "repo:acm?/shop:*", Subject.WILD),
        ("StringLike", "sub", "repo:${aws:PrincipalTag/org}/shop:*", Subject.WILD),
        ("StringLike", "sub", "*:ref:refs/heads/main", Subject.WILD),
        ("StringLike", "sub", "environment:prod:*", Subject.WILD),
        ("StringEquals", "sub", "", Subject.WILD),
        ("StringEquals", "sub", [], Subject.MISSING),
        ("StringNotEquals", "sub", "repo:acme/shop:ref:refs/heads/main", Subject.MISSING),
        ("StringEqualsIfExists", "sub", "repo:acme/shop:ref:refs/heads/main", Subject.MISSING),
        ("ForAllValues:StringLike", "sub", "repo:acme/shop:*", Subject.MISSING),
        ("ForAnyValue:StringLike", "sub", "repo:acme/shop:*", Subject.NAMED),
        ("StringLike", "repository_owner", "acme", Subject.NAMED),
        ("StringLike", "repository", "acme/*", Subject.ORGANIZATION),
        ("StringLike", "repository", "acme*", Subject.WILD),
        ("StringLike", "job_workflow_ref", "*/shop", Subject.WILD),
        ("StringEquals", "repository_id", "", Subject.WILD),
        ("StringEquals", "ref", "refs/heads/main", Subject.MISSING),
        ("StringEquals", "actor", "octocat", Subject.MISSING),
    ],
)
def test_which_subjects_of_github(operator: str, claim: str, value: Any, subject: Subject) -> None:
    conditions = {**AUD, operator: {**AUD.get(operator, {}), f"{GITHUB.title()}:{claim}": value}}
    (found,) = parse(policy(trust(PROVIDER, conditions, WEB))).federated()
    assert (found.host, found.subject, found.has_audience) == (GITHUB, subject, True)
    assert subject.unrestricted == (subject in (Subject.MISSING, Subject.WILD))
    if subject is not Subject.MISSING:
        assert found.subjects == tuple([value] if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("provider", "value", "subject"),
    [
        ("gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main", Subject.NAMED),
        ("gitlab.com", "project_path:acme/*", Subject.ORGANIZATION),
        ("gitlab.com", "project_path:*", Subject.WILD),
        ("app.terraform.io", "organization:acme:project:shop:workspace:*:run_phase:*", Subject.NAMED),
        ("app.terraform.io", "organization:acme:project:*:workspace:*:run_phase:*", Subject.ORGANIZATION),
        ("app.terraform.io", "organization:acme:*", Subject.ORGANIZATION),
        ("app.terraform.io", "organization:*:project:shop:*", Subject.WILD),
        ("agent.buildkite.com", "organization:acme:pipeline:*", Subject.ORGANIZATION),
        ("oidc.circleci.com/org/1f", "org/1f/project/2e/user/*", Subject.NAMED),
        ("oidc.circleci.com/org/1f", "org/1f/project/*", Subject.ORGANIZATION),
        ("oidc.circleci.com/org/1f", "org/*", Subject.WILD),
        ("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "{2e}:*", Subject.NAMED),
        ("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "{*}:*", Subject.WILD),
        (EKS, "system:serviceaccount:shop:web-*", Subject.NAMED),
        (EKS, "system:serviceaccount:shop:*", Subject.ORGANIZATION),
        (EKS, "system:serviceaccount:*:web", Subject.WILD),
        (EKS, "system:serviceaccount:*", Subject.WILD),
        (EKS, "system:*", Subject.WILD),
    ],
)
def test_which_subjects_of_others(provider: str, value: str, subject: Subject) -> None:
    principal = {"Federated": f"arn:aws-cn:iam::{OWN}:oidc-provider/{provider}"}
    (found,) = parse(policy(trust(principal, asked("StringLike", f"{provider}:sub", value), WEB))).federated()
    assert (found.host, found.subject) == (provider.partition("/")[0], subject)
    assert not found.is_saml


def test_the_narrowest_of_several_subjects_decides() -> None:
    key = f"{GITHUB}:sub"
    conditions = {"StringLike": {key: "repo:*"}, "StringEquals": {key: "repo:acme/shop:ref:refs/heads/main"}}
    assert [
        found.subject
        for order in (conditions, dict(reversed(conditions.items())))
        for found in parse(policy(trust(PROVIDER, order, WEB))).federated()
    ] == [Subject.NAMED, Subject.NAMED]


def test_an_optional_subject_that_must_be_there() -> None:
    key = f"{GITHUB}:sub"
    conditions = {"StringLikeIfExists": {key: "repo:acme/shop:*"}, "Null": {key: "false"}}
    (found,) = parse(policy(trust(PROVIDER, conditions, WEB))).federated()
    assert found.subject is Subject.NAMED


def test_the_subject_of_another_provider_is_none() -> None:
    conditions = asked("StringEquals", "gitlab.com:sub", "project_path:acme/shop:ref:main")
    (found,) = parse(policy(trust(PROVIDER, conditions, WEB))).federated()
    assert found.subject is Subject.MISSING


def test_what_protects_a_trust_in_an_account() -> None:
    assert not Grant(VENDOR, VENDOR, (ALL,)).protected
    for protection in ("has_external_id", "restricted_to_org", "has_source", "has_mfa"):
        assert Grant(VENDOR, VENDOR, (ALL,), **{protection: True}).protected  # type: ignore[arg-type]
