"""What must be true of everything declared, now and of everything that will be."""

import re
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from orgscan import catalog, iam
from orgscan.catalog import AnyCollector
from orgscan.check import Check

CHECKS = pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
COLLECTORS = pytest.mark.parametrize("collector", catalog.collectors(), ids=lambda each: each.name)
CALLS = pytest.mark.parametrize("call", sorted(catalog.calls()))
EQUIVALENT = re.compile(r"(prowler:[a-z0-9_]+|trusted-advisor:[A-Za-z0-9_ -]+)")
CONTROL = re.compile(r"(CIS AWS \d\.0 \d+(\.\d+)+|FSBP [A-Za-z0-9]+\.\d+)")
FIRST = {
    "cloudtrail-multi-region-trail-missing",
    "ebs-volume-no-recent-snapshot",
    "ebs-volume-unattached",
    "ebs-volume-unencrypted",
    "ec2-eip-unassociated",
    "ec2-instance-idle",
    "ec2-instance-imdsv1-allowed",
    "ec2-instance-stopped-long",
    "ec2-nat-gateway-idle",
    "ec2-security-group-default-allows-traffic",
    "ec2-security-group-open-ssh",
    "iam-password-policy-min-length-short",
    "iam-principal-aws-admin-policy-attached",
    "iam-root-mfa-disabled",
    "iam-user-access-key-not-rotated",
    "iam-user-console-mfa-missing",
    "lambda-function-runtime-deprecated",
    "rds-instance-backup-disabled-or-short",
    "rds-instance-public",
    "rds-instance-unencrypted",
    "s3-account-public-access-block-off",
    "s3-bucket-acl-public",
    "s3-bucket-policy-public",
    "s3-bucket-versioning-disabled",
    "tag-required-key-missing",
}


def test_no_check_is_lost() -> None:
    """An id is forever: findings, suppressions and links point at it."""
    known = {id_ for check in catalog.checks() for id_ in (check.id, *check.was)}
    assert known >= FIRST


def test_ids_are_unique() -> None:
    ids = [id_ for check in catalog.checks() for id_ in (check.id, *check.was)]
    assert len(ids) == len(set(ids))


def test_a_kind_has_one_collector() -> None:
    kinds = [collector.resource for collector in catalog.collectors()]
    assert len(kinds) == len(set(kinds))


@CHECKS
def test_every_check_explains_itself(check: Check[Any]) -> None:
    assert check.title.endswith(".")
    assert len(check.title) <= 110
    assert check.why
    assert check.fix.endswith(".")


@CHECKS
def test_every_check_is_judged_somewhere(check: Check[Any]) -> None:
    everything = catalog.everything()
    assert any(everything.judged(check, once=once) for once in (True, False))
    assert set(check.also) <= {collector.resource for collector in catalog.collectors()}


@CHECKS
def test_thresholds_have_plain_defaults(check: Check[Any]) -> None:
    """They can be written in orgscan.yaml, and their type is that of the default."""
    for default in check.parameters.values():
        assert isinstance(default, (bool, int, float, str, list, tuple, dict))


@CHECKS
def test_frameworks_and_equivalents_are_written_one_way(check: Check[Any]) -> None:
    assert [control for control in check.maps if not CONTROL.fullmatch(control)] == []
    assert [other for other in check.equivalent if not EQUIVALENT.fullmatch(other)] == []


def test_most_checks_can_be_compared_with_another_tool() -> None:
    """Tag policies, and what the scan itself came to, are our own questions."""
    with_one = [check for check in catalog.checks() if check.equivalent]
    assert len(with_one) > 0.65 * len(catalog.checks())


@COLLECTORS
def test_every_collector_serves_a_check(collector: AnyCollector) -> None:
    everything = catalog.everything()
    assert any(collector in everything.needed(once=once) for once in (True, False))


@COLLECTORS
def test_every_kind_says_under_which_types_the_inventory_lists_it(collector: AnyCollector) -> None:
    """Of its own: what it inherits would be another kind's. () is an answer too."""
    types = vars(collector.resource).get("aws_types")
    assert types is not None, f"{collector.resource.__qualname__} declares no aws_types"
    assert [name for name in types if not re.fullmatch(r"AWS::[A-Z]\w+::[A-Z]\w+", name)] == []


def test_a_type_is_listed_by_one_kind() -> None:
    """Two would list each resource twice."""
    types = [name for collector in catalog.collectors() for name in collector.resource.aws_types]
    assert len(types) == len(set(types))
    assert {"AWS::EC2::Instance", "AWS::IAM::Role", "AWS::S3::Bucket"} <= set(types)


@CALLS
def test_every_call_only_reads(call: str) -> None:
    # The credential report is made by asking for it; that changes nothing that anyone could notice.
    reads = r"[a-z0-9-]+:(List|Describe|Get|BatchGet|Search)\w+"
    assert re.fullmatch(reads, call) or call == "iam:GenerateCredentialReport"


@CALLS
def test_every_call_has_an_iam_action(call: str) -> None:
    prefix, _, action = iam.action(call).partition(":")
    assert get_action_data(prefix, action)
