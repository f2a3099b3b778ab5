"""What the checks of roles' trust accept and reject."""

from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.policy import parse
from orgscan.services.iam.checks.trust import (
    iam_role_trust_external_account_no_external_id,
    iam_role_trust_oidc_subject_unrestricted,
    iam_role_trust_public,
    iam_role_trust_unknown_account,
)
from orgscan.services.iam.facts import Principal
from tests.cases.case import NOW, Case, cannot_tell, fails, passes
from tests.cases.iam import MANAGED, PRINCIPAL

HERE = "arn:aws:iam::123456789012"
VENDOR, PARTNER, MEMBER = "998877665544", "001122334455", "210987654321"
GITHUB = "token.actions.githubusercontent.com"


def role(*statements: dict[str, Any]) -> Principal:
    trust = parse(
        {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **each} for each in statements]}
    )
    return Principal(arn=f"{HERE}:role/r", kind="role", name="r", path="/", created=NOW, trust=trust)


def aws(principal: object, sid: str = "", **condition: Any) -> dict[str, Any]:
    return {"Principal": {"AWS": principal}, "Sid": sid, "Condition": condition}


def web(host: str, action: str = "sts:AssumeRoleWithWebIdentity", **condition: Any) -> dict[str, Any]:
    provider = {"Federated": f"{HERE}:oidc-provider/{host}"}
    return {"Action": action, "Principal": provider, "Condition": condition}


LAMBDA = role({"Principal": {"Service": "lambda.amazonaws.com"}})
UNREADABLE = replace(LAMBDA, trust=Gap("AssumeRolePolicyDocument", Blindness.FAULT, "Malformed: not JSON"))
EXTERNAL_ID: dict[str, Any] = {"StringEquals": {"sts:ExternalId": "5f0c"}}
OUR_ORG: dict[str, Any] = {"StringEquals": {"aws:PrincipalOrgID": "o-acme123456"}}

PUBLIC_CASES: list[Case] = [
    passes(iam_role_trust_public, LAMBDA),
    passes(iam_role_trust_public, PRINCIPAL),
    passes(iam_role_trust_public, MANAGED),
    passes(iam_role_trust_public, role(aws(f"arn:aws:iam::{VENDOR}:root"))),
    fails(iam_role_trust_public, role(aws("*")), Problem("a statement lets everyone in")),
    fails(iam_role_trust_public, role(aws("*", "Open")), "statement Open lets everyone in"),
    fails(iam_role_trust_public, role({"Principal": "*"}), "a statement lets everyone in"),
    passes(iam_role_trust_public, role(aws("*", **OUR_ORG))),
    passes(iam_role_trust_public, role(aws("*", ArnLike={"aws:PrincipalArn": f"{HERE}:role/*"}))),
    fails(
        iam_role_trust_public,
        role(aws("*", **EXTERNAL_ID)),
        Problem("a statement lets everyone in, asking only for sts:ExternalId", Severity.HIGH),
    ),
    fails(
        iam_role_trust_public,
        role(aws("*", StringLike={"aws:PrincipalOrgID": "*"})),
        Problem("a statement lets everyone in, asking only for aws:PrincipalOrgID"),
    ),
    fails(
        iam_role_trust_public,
        role(aws("*", StringEqualsIfExists={"aws:PrincipalOrgID": "o-acme123456"})),
        "a statement lets everyone in, asking only for aws:PrincipalOrgID",
    ),
    fails(
        iam_role_trust_public,
        role({"NotPrincipal": {"AWS": f"{HERE}:user/ann"}, "Condition": OUR_ORG}),
        "a statement lets everyone in, asking only for aws:PrincipalOrgID",
    ),
    passes(iam_role_trust_public, role({**aws("*"), "Effect": "Deny"})),
    cannot_tell(iam_role_trust_public, UNREADABLE, "not JSON"),
]

ROOT = f"arn:aws:iam::{VENDOR}:root"
NO_ID_CASES: list[Case] = [
    passes(iam_role_trust_external_account_no_external_id, LAMBDA),
    passes(iam_role_trust_external_account_no_external_id, MANAGED),
    passes(iam_role_trust_external_account_no_external_id, role(aws(f"{HERE}:root"))),
    fails(
        iam_role_trust_external_account_no_external_id,
        role(aws([ROOT, PARTNER], "Tools")),
        Problem(f"statement Tools trusts {ROOT} without asking for an ExternalId"),
        Problem(f"statement Tools trusts {PARTNER} without asking for an ExternalId"),
    ),
    passes(iam_role_trust_external_account_no_external_id, role(aws(ROOT)), accounts=frozenset({VENDOR})),
    passes(
        iam_role_trust_external_account_no_external_id,
        role(aws([ROOT, PARTNER])),
        parameters={"trusted_account_ids": [VENDOR, 1122334455]},
    ),
    passes(iam_role_trust_external_account_no_external_id, role(aws(ROOT, **EXTERNAL_ID))),
    passes(iam_role_trust_external_account_no_external_id, role(aws(ROOT, **OUR_ORG))),
    passes(
        iam_role_trust_external_account_no_external_id,
        role(aws(ROOT, Bool={"aws:MultiFactorAuthPresent": "true"})),
    ),
    fails(
        iam_role_trust_external_account_no_external_id,
        role(aws(ROOT, StringLike={"sts:ExternalId": "*"})),
        f"a statement trusts {ROOT} without asking for an ExternalId",
    ),
    # A statement that only lets a session be tagged lets nobody in.
    passes(
        iam_role_trust_external_account_no_external_id,
        role({**aws(ROOT), "Action": "sts:TagSession"}, aws(ROOT, **EXTERNAL_ID)),
    ),
    fails(
        iam_role_trust_external_account_no_external_id,
        role({**aws(ROOT), "Action": "sts:*"}),
        f"a statement trusts {ROOT} without asking for an ExternalId",
    ),
    # The scanner's own role.
    passes(
        iam_role_trust_external_account_no_external_id,
        role(
            aws(
                f"arn:aws:iam::{MEMBER}:role/orgscan-scan",
                StringEquals={"sts:ExternalId": "5f0c", "aws:PrincipalOrgID": "o-acme123456"},
            )
        ),
    ),
    cannot_tell(iam_role_trust_external_account_no_external_id, UNREADABLE, "not JSON"),
]

UNKNOWN_CASES: list[Case] = [
    passes(iam_role_trust_unknown_account, LAMBDA),
    passes(iam_role_trust_unknown_account, PRINCIPAL),
    passes(iam_role_trust_unknown_account, role(aws(f"{HERE}:user/ann"))),
    passes(
        iam_role_trust_unknown_account, role(aws(f"arn:aws:iam::{MEMBER}:root")), accounts=frozenset({MEMBER})
    ),
    fails(
        iam_role_trust_unknown_account,
        role(aws(ROOT, **EXTERNAL_ID)),
        Problem(f"a statement trusts {ROOT} of the unknown account {VENDOR}"),
        accounts=frozenset({MEMBER}),
    ),
    passes(
        iam_role_trust_unknown_account,
        role(aws([ROOT, PARTNER])),
        parameters={"trusted_account_ids": [PARTNER], "known_vendor_accounts": {VENDOR: "Cost Tool"}},
    ),
    fails(
        iam_role_trust_unknown_account,
        role(aws("*", StringEquals={"aws:PrincipalAccount": VENDOR})),
        f"a statement trusts {VENDOR} of the unknown account {VENDOR}",
    ),
    fails(
        iam_role_trust_unknown_account,
        role(aws("AROAJQABLZS4A3QDU576Q")),
        "stale principal: AROAJQABLZS4A3QDU576Q is what is left of one that was deleted",
    ),
    passes(iam_role_trust_unknown_account, role(aws(ROOT), {**aws(ROOT), "Effect": "Deny"})),
    cannot_tell(iam_role_trust_unknown_account, UNREADABLE, "not JSON"),
]

EKS = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789abcdef"
SUB = f"{GITHUB}:sub"
MISSING = f"a statement trusts {GITHUB} without asking for a subject"
UNASKED: dict[str, Any] = {"ForAllValues:StringLike": {SUB: "repo:acme/*"}}
WILD = f"a statement trusts {GITHUB} for any organization's subject"
OIDC_CASES: list[Case] = [
    passes(iam_role_trust_oidc_subject_unrestricted, LAMBDA),
    passes(iam_role_trust_oidc_subject_unrestricted, MANAGED),
    fails(iam_role_trust_oidc_subject_unrestricted, role(web(GITHUB)), Problem(MISSING)),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(GITHUB, StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"})),
        MISSING,
    ),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(GITHUB, StringLike={SUB: "repo:*"})),
        f"{WILD} (repo:*)",
    ),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(GITHUB, StringLike={SUB: ["repo:acme/shop:*", "*"]})),
        f"{WILD} (repo:acme/shop:*, *)",
    ),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(GITHUB, **UNASKED)),
        MISSING,
    ),
    passes(iam_role_trust_oidc_subject_unrestricted, role(web(GITHUB, StringLike={SUB: "repo:acme/*"}))),
    passes(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(GITHUB, StringEquals={f"{GITHUB}:repository_owner": "acme"})),
    ),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(EKS)),
        Problem(
            "a statement trusts oidc.eks.eu-west-1.amazonaws.com without asking for a subject", Severity.HIGH
        ),
    ),
    passes(
        iam_role_trust_oidc_subject_unrestricted,
        role(web(EKS, StringEquals={f"{EKS}:sub": "system:serviceaccount:shop:worker"})),
    ),
    # An issuer of one's own has one's own subjects only.
    passes(iam_role_trust_oidc_subject_unrestricted, role(web("gitlab.acme.example"))),
    fails(
        iam_role_trust_oidc_subject_unrestricted,
        role(web("gitlab.acme.example")),
        "a statement trusts gitlab.acme.example without asking for a subject",
        parameters={"multi_tenant_hosts": ["gitlab.acme.example"]},
    ),
    passes(iam_role_trust_oidc_subject_unrestricted, role(web(GITHUB, "sts:TagSession"))),
    cannot_tell(iam_role_trust_oidc_subject_unrestricted, UNREADABLE, "not JSON"),
]

CASES = [*PUBLIC_CASES, *NO_ID_CASES, *UNKNOWN_CASES, *OIDC_CASES]
