"""Every remedy is true: AWS and CDK would understand it, and a resource's name is never more than a name."""

import os
import re
from functools import cache
from shlex import split
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.describe import service
from orgscan import catalog, remedy
from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.model import GLOBAL, NOBODY, Category, Severity
from orgscan.reconcile import Change, Status
from tests import awscli, constructs
from tests.test_checks import ALL

UNFINISHED = {
    *("accessanalyzer", "account", "acm", "autoscaling", "backup", "cloudtrail", "cloudwatch", "config"),
    *("cost", "dynamodb", "ecr", "ecs", "efs", "elasticache", "elb", "guardduty", "kms", "logs"),
    *("organizations", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "tags"),
}
"""Services whose checks have no remedies so far. REMEDIES_OF='rds s3' looks at those alone, all the same."""
CHOSEN = os.environ.get("REMEDIES_OF", "").split()

WITHOUT_COMMANDS = {
    "iam-root-access-key-present": "Only root can delete its keys, or the management account as root.",
    "iam-root-mfa-disabled": "Only root can register a device of its own, at the console.",
}
"""Check -> why no command mends it."""
WITHOUT_TEMPLATE = {
    "ebs-default-encryption-disabled": "CloudFormation has nothing for this setting of a region.",
    "ec2-ami-public": "CloudFormation makes no images.",
    "iam-password-policy-min-length-short": "CloudFormation has no password policy.",
    "iam-root-access-key-present": "CloudFormation knows no root user.",
    "iam-root-mfa-disabled": "CloudFormation knows no root user.",
    "iam-root-used-recently": "CloudFormation knows no root user.",
    "iam-user-console-mfa-missing": "Only who holds a device can enrol it.",
}
"""Check -> why a template has nothing to say."""
UNUSED = re.compile(r".*-(unused|idle|unattached|unassociated|orphaned|old|stopped-long)")
"""Checks about what is to be removed: a template says so by not naming it."""

CHECKS = [
    check
    for check in catalog.checks()
    if (service(check) in CHOSEN if CHOSEN else service(check) not in UNFINISHED)
]
EVERY = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
NASTY = "ab1-=,/: '\"\\$`;|&<>(){}[]*?!~#@\n\x1b\u202e\u00e9"
HOSTILE = st.text(st.sampled_from(NASTY), min_size=1, max_size=12)


@cache
def is_global(check: AnyCheck) -> bool:
    return bool(catalog.everything().judged(check, once=True))


def line(check: AnyCheck, resource: str, key: str = "", **told: Any) -> Line:
    """A finding of the check."""
    region = GLOBAL if is_global(check) else "eu-west-1"
    return Line(
        **{
            "id": "0" * 20,
            "check": check.id,
            "severity": Severity.LOW,
            "category": Category.SECURITY,
            "partition": "aws",
            "account": "123456789012",
            "account_name": "shop",
            "region": region,
            "resource": resource,
            "key": key,
            "problems": ("wrong",),
            "status": Status.OPEN,
            "first_seen": "2026-01-15T12:00:00+00:00",
            "opened": "2026-01-15T12:00:00+00:00",
            "change": Change.NEW,
            "changed_in": "scan",
            "history": (),
            "owner": NOBODY,
            "tags": None,
            "saving": None,
            "resolved_because": None,
            "suppressed_by": "",
            "unconfirmed_since": "",
            **told,
        }
    )


@cache
def findings(check: AnyCheck) -> list[Line]:
    """As the cases of the check have them."""
    failing = [case for case in ALL if case.check is check and case.problems]
    found = {(case.resource.arn, problem.key) for case in failing for problem in case.judge()[0]}
    return [line(check, arn, key) for arn, key in sorted(found)]


@EVERY
def test_aws_understands_the_commands(check: AnyCheck) -> None:
    for finding in findings(check):
        for command in remedy.commands(check, finding):
            assert awscli.faults(command) == [], command
    assert [fault for each in check.cli for fault in awscli.quoted_faults(each)] == []


@EVERY
def test_each_finding_has_its_commands(check: AnyCheck) -> None:
    """Whatever the type of its resource; and each command is for some finding."""
    assert bool(check.cli) != (check.id in WITHOUT_COMMANDS)
    filled = [remedy.commands(check, finding) for finding in findings(check)]
    assert all(filled) == bool(check.cli)


@EVERY
def test_placeholders_are_known(check: AnyCheck) -> None:
    asked = {name for each in check.cli for name in remedy.PLACEHOLDER.findall(each)}
    assert asked <= {*remedy.FACTS}
    decided = {word.strip("<>") for each in check.cli for word in awscli.WORD.findall(each)}
    assert not {*remedy.FACTS} & decided
    assert {*remedy.FACTS} == {*remedy.facts(line(check, "arn:aws:ec2:eu-west-1:123456789012:volume/vol-1"))}


@EVERY
def test_names_that_may_begin_with_a_dash_follow_a_sign(check: AnyCheck) -> None:
    """`--user-name -x` would be two options."""
    for each in remedy.shown(check):
        words = split(each.command)
        takes = awscli.members(words)
        for option, values in awscli.options(words).items():
            shape = takes.get(option)
            free = shape and "pattern" in shape.metadata and awscli.matches(shape, "-x")
            if free and {"<name>", "<id>", "<path>", "<key>"} & {*values}:
                assert f"--{option}={values[0]}" in words


@EVERY
def test_cdk_takes_the_template(check: AnyCheck) -> None:
    has_none = check.id in WITHOUT_TEMPLATE or UNUSED.fullmatch(check.id)
    assert bool(check.cdk) != bool(has_none)
    assert constructs.faults(check.cdk) == [] if check.cdk else True


def test_what_has_no_remedy_exists_and_says_why() -> None:
    known = {check.id for check in catalog.checks()}
    for table in (WITHOUT_COMMANDS, WITHOUT_TEMPLATE):
        assert table.keys() <= known
        assert all(why.endswith(".") for why in table.values())
    assert not [name for name in WITHOUT_TEMPLATE if UNUSED.fullmatch(name)]


@settings(max_examples=200)
@given(st.sampled_from([each for check in CHECKS for each in findings(check) if check.cli]), HOSTILE, HOSTILE)
def test_a_name_is_never_more_than_a_name(tame: Line, name: str, key: str) -> None:
    check = next(each for each in CHECKS if each.id == tame.check)
    start = tame.resource.removesuffix(remedy.facts(tame)["name"])
    usual = remedy.commands(check, line(check, tame.resource, "key"))
    hostile = remedy.commands(check, line(check, f"{start}{name}", key))
    assert len(hostile) in (0, len(usual))
    for command, expected in zip(hostile, usual, strict=False):
        assert command.isprintable()
        assert len(split(command)) == len(split(expected))
        assert _options(command) == _options(expected)


def _options(command: str) -> list[str]:
    return [word.partition("=")[0] for word in split(command) if word.startswith("-")]
