"""What we expect of an organization."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from orgscan.check import Problems, check
from orgscan.model import Category, Gap, Severity, Unread, known
from orgscan.policy import Condition, Denial, Policy
from orgscan.services.organizations.facts import MemberAccount

LEAVE, IMDSV2, ROOT = "deny-leave-organization", "require-imdsv2", "deny-root-user"
PROTECTED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    LEAVE: (("organizations:LeaveOrganization",),),
    "protect-cloudtrail": (("cloudtrail:StopLogging",), ("cloudtrail:DeleteTrail",)),
    "protect-guardduty": (
        ("guardduty:DeleteDetector",),
        ("guardduty:DisassociateFromMasterAccount", "guardduty:DisassociateFromAdministratorAccount"),
    ),
}
"""Guardrail -> what must be denied: of each group, one action (an earlier name and its successor)."""
GUARDRAILS = [LEAVE, IMDSV2, ROOT, "protect-cloudtrail", "protect-guardduty"]
EVERY_ACTION = "?*:?*"
TOKENS = "ec2:metadatahttptokens"
CALLER = "aws:principal"
"""How the condition keys begin by which a Deny spares somebody, such as the team that may."""


@check(
    MemberAccount,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Attach a service control policy with the missing Deny to the root or to a unit above the account.",
    refs=(
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html",
    ),
    equivalent=("prowler:organizations_scp_check_deny_regions",),
    cli=(
        "aws organizations list-parents --child-id {name} --region {region}",
        (
            "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name '<policy-name>' "
            "--description '<what-it-denies>' --content 'file://<policy>' --region {region}"
        ),
        (
            "aws organizations attach-policy --policy-id '<policy-id>' --target-id '<root-or-unit>' --region "
            "{region}"
        ),
    ),
    cdk="""
        organizations.CfnPolicy(
            self,
            "Guardrail",
            name="<name>",
            type="SERVICE_CONTROL_POLICY",
            target_ids=["<root-or-unit>"],
            content={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
                ],
            },
        )
    """,
)
def organizations_scp_guardrail_missing(
    account: MemberAccount, *, required_guardrails: Sequence[str] = GUARDRAILS
) -> Problems:
    """No service control policy on the way to an account denies what nobody in it may do.

    Without guardrails an administrator, or whoever took the account over, can leave the organization, stop
    its logs and act as root. Judged in the management account, which no such policy holds back. A Deny that
    spares some callers counts; so does a level at which nothing allows the action. `required_guardrails`:
    these five by name, or actions that must be denied ('s3:PutAccountPublicAccessBlock').
    """
    if not account.all_features:
        yield "the organization has consolidated billing only, so that it has no service control policies"
        return
    levels = [[each for each in level if isinstance(each, Policy)] for level in account.policies]
    missing = [each for each in required_guardrails if not _holds(each, account, levels)]
    lost = [each for level in account.policies for each in level if isinstance(each, Gap)]
    if missing and lost:
        raise Unread(lost[0])
    if missing == [IMDSV2]:
        known(account.imdsv2_declared)
    if missing:
        yield f"nothing on its way from the root sets: {', '.join(missing)}"


def _holds(guardrail: str, account: MemberAccount, levels: Sequence[Sequence[Policy]]) -> bool:
    if guardrail == IMDSV2:
        return account.imdsv2_declared is True or _denied(levels, "ec2:RunInstances", _unless_token)
    if guardrail == ROOT:
        return _denied(levels, EVERY_ACTION, _for_root)
    groups = PROTECTED.get(guardrail, ((guardrail,),))
    return all(any(_closed(levels, action) for action in group) for group in groups)


def _closed(levels: Sequence[Sequence[Policy]], action: str) -> bool:
    """Whether some level denies it, but for certain callers, or has no policy that allows it."""
    allowed = all(any(policy.allows(action) for policy in level) for level in levels if level)
    return not allowed or _denied(levels, action, _spares_callers)


def _denied(levels: Iterable[Iterable[Policy]], action: str, holds: Callable[[Denial], bool]) -> bool:
    return any(holds(denial) for denial in _denials(levels, action))


def _denials(levels: Iterable[Iterable[Policy]], action: str) -> Iterator[Denial]:
    for level in levels:
        for policy in level:
            yield from policy.denials(action)


def _spares_callers(denial: Denial) -> bool:
    return all(each.key.startswith(CALLER) and "not" in each.operator for each in denial.conditions)


def _unless_token(denial: Denial) -> bool:
    """Whether it hits every start of an instance that does not ask for a token."""
    others = [each for each in denial.conditions if each.key != TOKENS]
    return len(others) < len(denial.conditions) and all(
        (each.operator.startswith("stringnot") and each.values == ("required",))
        if each.key == TOKENS
        else _spares(each)
        for each in denial.conditions
    )


def _for_root(denial: Denial) -> bool:
    """Whether it hits every account's root; or everyone."""
    return all(
        each.key == "aws:principalarn"
        and each.operator in ("arnlike", "stringlike", "arnequals")
        and any(value.endswith(":root") and "::*:" in value for value in each.values)
        for each in denial.conditions
    )


def _spares(condition: Condition) -> bool:
    return condition.key.startswith(CALLER) and "not" in condition.operator
