"""What we expect of tags."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orgscan.check import Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Taggable, TagRecord, Unread
from orgscan.tagging import BASIC, COST_ALLOCATION, MAP, SECURITY, TagPolicy, own


def tagging(tags: str) -> tuple[str, ...]:
    """Commands that show a resource's tags and set others: 'Owner=<value>'."""
    return (
        "aws resourcegroupstaggingapi get-resources --resource-arn-list {arn} --region {region}",
        (
            "aws resourcegroupstaggingapi tag-resources --resource-arn-list {arn} --tags "
            f"'{tags}' --region {{region}}"
        ),
    )


def tagged(key: str, value: str) -> str:
    """The same in a template, which may be that of any resource."""
    return f"""
        ec2.CfnInstance(self, "Instance", tags=[CfnTag(key="{key}", value="{value}")])
    """


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Add the missing tags, best in the template that made the resource.",
    also=(TagRecord,),
    cli=tagging("<tag-key>=<value>"),
    cdk=tagged("<tag-key>", "<value>"),
)
def tag_required_key_missing(
    resource: Taggable, view: View, *, policies: Sequence[Mapping[str, Any]] = [BASIC]
) -> Problems:
    """A resource lacks a tag key that a tag policy requires.

    Without an owner nobody answers for a resource, and without an environment nobody dares to delete it.
    A key without a value counts as missing unless the policy allows it. Never-tagged resources are found
    too. What AWS itself made is left out.
    """
    for policy in _policies(resource, policies):
        lacking = ", ".join(policy.missing(own(view.tags(resource))))
        if lacking:
            yield f"policy {policy.name}: {lacking}"


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Correct the value, best in the template that made the resource.",
    also=(TagRecord,),
    cli=tagging("<tag-key>=<allowed-value>"),
    cdk=tagged("<tag-key>", "<allowed-value>"),
)
def tag_value_not_allowed(
    resource: Taggable, view: View, *, policies: Sequence[Mapping[str, Any]] = [BASIC]
) -> Problems:
    """A tag has a value that its tag policy does not allow.

    Reports and automation that select by a tag leave out what is spelled another way. A value that
    differs only in case says so: such values can be corrected in bulk.
    """
    for policy in _policies(resource, policies):
        for rule in policy.rules:
            for problem in rule.unwanted(own(view.tags(resource))):
                yield f"policy {policy.name}: {problem}"


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Correct the value, best in the template that made the resource.",
    also=(TagRecord,),
    cli=tagging("<tag-key>=<value-that-matches>"),
    cdk=tagged("<tag-key>", "<value-that-matches>"),
)
def tag_value_pattern_mismatch(
    resource: Taggable, view: View, *, policies: Sequence[Mapping[str, Any]] = [COST_ALLOCATION]
) -> Problems:
    """A tag has a value that does not match the pattern of its tag policy.

    A cost center or an owner that nobody knows is as good as none. The whole value must match; a tag that is
    missing or empty is another finding.
    """
    for policy in _policies(resource, policies):
        for rule in policy.rules:
            for problem in rule.misshapen(own(view.tags(resource))):
                yield f"policy {policy.name}: {problem}"


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Rename the key to the one that the policy names, or remove it.",
    also=(TagRecord,),
    cli=(
        *tagging("<required-key>=<value>"),
        (
            "aws resourcegroupstaggingapi untag-resources --resource-arn-list {arn} --tag-keys "
            "'<forbidden-key>' --region {region}"
        ),
    ),
)
def tag_forbidden_key_present(
    resource: Taggable,
    view: View,
    *,
    policies: Sequence[Mapping[str, Any]] = [BASIC],
    keys: Sequence[str] = [],
    patterns: Sequence[str] = [],
    normalise: bool = True,
) -> Problems:
    """A resource carries a tag key that a tag policy forbids, or a variant of one that it requires.

    `owner`, `Owner ` and `env` beside `Owner` and `Environment` split every report in two: with
    `normalise`, keys that differ from a required one only in case, blanks, separators or by a usual
    abbreviation are told. `keys` and `patterns` (of whole keys) forbid more. Keys that begin with `aws:`
    are AWS's own and left out.
    """
    if resource.tags_optional:
        return
    tags = own(view.tags(resource))
    for key in tags:
        if key in keys or any(re.fullmatch(pattern, key) for pattern in patterns):
            yield f"{key} is forbidden"
    for policy in _policies(resource, policies):
        for rule in policy.rules:
            for problem in (*rule.present(tags), *(rule.variants(tags) if normalise else ())):
                yield f"policy {policy.name}: {problem}"


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Complete the tags, and activate their keys for cost allocation in the billing console.",
    also=(TagRecord,),
    cli=tagging("CostCenter=<cost-center>,Project=<project>,Owner=<e-mail>,Environment=<environment>"),
    cdk="""
        ec2.CfnInstance(
            self,
            "Instance",
            tags=[
                CfnTag(key="CostCenter", value="<cost-center>"),
                CfnTag(key="Project", value="<project>"),
                CfnTag(key="Owner", value="<e-mail>"),
                CfnTag(key="Environment", value="<environment>"),
            ],
        )
    """,
)
def tag_cost_allocation_incomplete(
    resource: Taggable, view: View, *, policy: Mapping[str, Any] = COST_ALLOCATION
) -> Problems:
    """A resource that costs money does not carry the tags by which costs are allocated.

    What it costs is then nobody's. The predefined policy asks for CostCenter (CC-1234), Project, Owner
    (an e-mail address) and Environment of instances, volumes, databases, caches, load balancers, NAT
    gateways, buckets, functions, file systems, clusters and queues.
    """
    yield from _told(resource, view, policy)


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Classify the data: public, internal, confidential or restricted.",
    also=(TagRecord,),
    cli=tagging("DataClassification=<public-internal-confidential-or-restricted>"),
    cdk="""
        s3.CfnBucket(
            self,
            "Bucket",
            tags=[CfnTag(key="DataClassification", value="<public-internal-confidential-or-restricted>")],
        )
    """,
)
def tag_data_classification_missing(
    resource: Taggable, view: View, *, policy: Mapping[str, Any] = SECURITY
) -> Problems:
    """A store of data does not say how its data is classified.

    Who must protect data has to know which. The predefined policy asks for DataClassification (public,
    internal, confidential, restricted) of buckets, databases, tables, volumes, file systems, secrets and
    log groups, and allows Compliance to be pci, hipaa, sox, gdpr or none.
    """
    yield from _told(resource, view, policy)


@check(
    Taggable,
    severity=Severity.LOW,
    category=Category.TAGGING,
    fix="Tag the resource with the id of the agreement.",
    also=(TagRecord,),
    cli=tagging("map-migrated=<id-of-the-agreement>"),
    cdk=tagged("map-migrated", "<id-of-the-agreement>"),
)
def tag_map_migrated_missing_or_invalid(
    resource: Taggable,
    view: View,
    *,
    policy: Mapping[str, Any] = MAP,
    value_pattern: str = "",
    agreement_start: str = "",
    in_scope_accounts: Sequence[str] = [],
    in_scope_types: Sequence[str] = [],
) -> Problems:
    """A resource in scope of a Migration Acceleration Program agreement has no valid map-migrated tag.

    What is not tagged gets no credits. Nothing is in scope until `in_scope_accounts` names accounts, and,
    where the agreement names them, `in_scope_types` types of resources ('AWS::EC2::Instance').
    `agreement_start` (a date, '2026-01-31'): older resources are left out. `value_pattern`: of an
    agreement whose ids look otherwise.
    """
    if view.target.account not in in_scope_accounts:
        return
    changed = {**policy, **({"types": in_scope_types} if in_scope_types else {})}
    if value_pattern:
        changed["rules"] = [{**rule, "pattern": value_pattern} for rule in policy["rules"]]
    problems = list(_told(resource, view, changed))
    if problems and (not agreement_start or _is_newer(resource, agreement_start)):
        yield from problems


def _is_newer(resource: Taggable, day: str) -> bool:
    """Unread: nobody knows how old it is, and so whether it is in scope."""
    made = getattr(resource, "created", None) or getattr(resource, "launched", None)
    if not isinstance(made, datetime):
        detail = f"when a {type(resource).__name__} was made is not known"
        raise Unread(Gap("tag-map-migrated-missing-or-invalid", Blindness.NO_DATA, detail))
    return made >= datetime.fromisoformat(day).replace(tzinfo=UTC)


def _policies(resource: Taggable, policies: Sequence[Mapping[str, Any]]) -> Iterator[TagPolicy]:
    """Those that concern it."""
    if not resource.tags_optional:
        for told in policies:
            policy = TagPolicy(told)
            if policy.concerns(resource):
                yield policy


def _told(resource: Taggable, view: View, told: Mapping[str, Any]) -> Problems:
    for policy in _policies(resource, [told]):
        wrong = "; ".join(policy.wrong(own(view.tags(resource))))
        if wrong:
            yield f"policy {policy.name}: {wrong}"
