"""Every remedy is true: AWS and CDK would understand it, and a resource's name is never more than a name."""

import re
from dataclasses import replace
from functools import cache
from shlex import split
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan import catalog, remedy
from orgscan.catalog import AnyCheck
from orgscan.line import Line
from orgscan.model import GLOBAL, NOBODY, Category, Severity
from orgscan.reconcile import Change, Status
from tests import awscli, constructs
from tests.test_checks import ALL

WITHOUT_COMMANDS = {
    "account-scan-permission-denied": "The scanner's own role, which its deployment updates.",
    "cost-service-spend-report": "Information: nothing is to be mended.",
    "iam-root-access-key-present": "Only root can delete its keys, or the management account as root.",
    "iam-root-mfa-disabled": "Only root can register a device of its own, at the console.",
    "organizations-member-scan-role-missing": "The scanner's own role, which its deployment brings.",
}
"""Check -> why no command mends it."""
WITHOUT_TEMPLATE = {
    "account-region-not-scanned": "CloudFormation enables no regions.",
    "account-scan-permission-denied": "The scanner's own template has the role.",
    "account-unexpected-region-resources": "What is to be removed, a template leaves out.",
    "backup-job-failed": "Why a job failed stands in no template.",
    "cost-optimization-hub-recommendation": "It may be about any resource, or a purchase.",
    "cost-service-spend-report": "Information: nothing is to be mended.",
    "cost-service-spend-spike": "What grew has to be found first.",
    "ebs-default-encryption-disabled": "CloudFormation has nothing for this setting of a region.",
    "ec2-ami-public": "CloudFormation makes no images.",
    "iam-password-policy-min-length-short": "CloudFormation has no password policy.",
    "iam-root-access-key-present": "CloudFormation knows no root user.",
    "iam-root-mfa-disabled": "CloudFormation knows no root user.",
    "iam-root-used-recently": "CloudFormation knows no root user.",
    "iam-user-console-mfa-missing": "Only who holds a device can enrol it.",
    "organizations-member-scan-role-missing": "The scanner's own template has the role.",
    "rds-snapshot-public": "CloudFormation makes no snapshots, and shares none.",
    "s3-account-public-access-block-off": "CloudFormation has nothing for this setting of an account.",
    "tag-forbidden-key-present": "What is to be removed, a template leaves out.",
}
"""Check -> why a template has nothing to say."""
UNUSED = re.compile(r".*-(unused|idle|unattached|unassociated|orphaned|old|stopped-long)")
"""Checks about what is to be removed: a template says so by not naming it."""

CHECKS = catalog.checks()
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


def test_the_types_that_commands_are_for_exist() -> None:
    types = {remedy.facts(line(case.check, case.resource.arn))["type"] for case in ALL}
    assert {each.type for check in CHECKS for each in remedy.shown(check)} <= {"", *types}


@pytest.mark.parametrize(
    ("id_", "resource", "name"),
    [
        (
            "cloudwatch-log-group-unused",
            "logs:eu-west-1:123456789012:log-group:/aws/lambda/a",
            "/aws/lambda/a",
        ),
        ("ecr-repository-public-policy", "ecr:eu-west-1:123456789012:repository/shop/web", "shop/web"),
        (
            "cloudwatch-alarm-orphaned",
            "cloudwatch:eu-west-1:123456789012:alarm:shop/5xx: high",
            "shop/5xx: high",
        ),
        (
            "autoscaling-group-single-az",
            "autoscaling:eu-west-1:123456789012:autoScalingGroup:c1d0:autoScalingGroupName/shop/web",
            "shop/web",
        ),
    ],
)
def test_a_name_with_a_slash_is_named_as_a_whole(id_: str, resource: str, name: str) -> None:
    """Its last part may be the name of another."""
    (check,) = catalog.everything().only({id_}).checks
    *_, last = remedy.commands(check, line(check, f"arn:aws:{resource}"))
    assert name in [word.rpartition("=")[2] for word in split(last)]


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


@settings(max_examples=80)
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


def filled(command: str, resource: str, key: str = "", **told: Any) -> tuple[str, ...]:
    """A finding's commands, of a check that has just one."""
    check = replace(CHECKS[0], cli=(command,))
    return remedy.commands(check, line(check, resource, key, **told))


ROLE = "arn:aws:iam::123456789012:role/"
USER = "arn:aws:iam::123456789012:user/teams/ann"


@pytest.mark.parametrize(
    ("command", "resource", "key", "expected"),
    [
        ("aws iam get-role --role-name={name}", f"{ROLE}a b", "", "aws iam get-role --role-name='a b'"),
        ("aws iam get-role --role-name={name}", f"{ROLE}--x", "", "aws iam get-role --role-name=--x"),
        ("aws iam get-role --role-name {name}", f"{ROLE}x;id", "", "aws iam get-role --role-name 'x;id'"),
        ("aws x y --a '<b>' --c={name}", f"{ROLE}$(id)", "", "aws x y --a '<b>' --c='$(id)'"),
        ("aws iam get-user --user-name={name}", USER, "", "aws iam get-user --user-name=ann"),
        (
            "aws x y --a {id} --b {path} --c {type}",
            USER,
            "",
            "aws x y --a teams/ann --b user/teams/ann --c user",
        ),
        ("user: aws x y --a {arn}", USER, "", f"aws x y --a {USER}"),
        ("aws x y --a={key} --b {account}", USER, "", "aws x y --b 123456789012"),
        ("aws x y --a={key} --b {account}", USER, "k", "aws x y --a=k --b 123456789012"),
        (
            """aws x y --a '{"Name": "{key}", "Of": "{account}"}'""",
            USER,
            'a", "Of": "all',
            """aws x y --a '{"Name": "a\\", \\"Of\\": \\"all", "Of": "123456789012"}'""",
        ),
        (
            "aws logs x --log-group-name {id}",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/acme/shop:*",
            "",
            "aws logs x --log-group-name /acme/shop",
        ),
    ],
)
def test_what_a_finding_tells_is_filled_in(command: str, resource: str, key: str, expected: str) -> None:
    assert filled(command, resource, key) == (expected,)


@pytest.mark.parametrize(
    ("command", "resource", "key"),
    [
        ("aws iam get-role --role-name {name}", f"{ROLE}--profile", ""),
        ("aws iam get-role --role-name={name}", f"{ROLE}a\x1b[2Jb", ""),
        ("aws iam get-role --role-name={name}", f"{ROLE}a\nb", ""),
        ("aws iam get-role --role-name={name}", f"{ROLE}a\u202eb", ""),
        ("aws iam get-role --role-name={name}", ROLE, ""),
        ("aws x y --policy-name={key}", ROLE, "file:///etc/passwd"),
        ("aws x y --policy-name={key}", ROLE, '{"Json": "too"}'),
        ("aws x y --policy-name {key}", f"{ROLE}a", ""),
        ("aws x y --tags Key={key},Value='<v>'", f"{ROLE}a", "a,Value=b"),
        ("group: aws x y --a {name}", f"{ROLE}a", ""),
    ],
)
def test_what_would_be_more_than_a_name_is_not_filled_in(command: str, resource: str, key: str) -> None:
    assert filled(command, resource, key) == ()


def test_half_a_remedy_is_none() -> None:
    check = replace(CHECKS[0], cli=("aws x save --all", "aws x delete --name={name}"))
    assert len(remedy.commands(check, line(check, f"{ROLE}a"))) == 2
    assert remedy.commands(check, line(check, f"{ROLE}a\x07")) == ()


@pytest.mark.parametrize(
    ("partition", "region", "suffix"),
    [
        ("aws", "us-east-1", "amazonaws.com"),
        ("aws-cn", "cn-north-1", "amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
        ("aws-eusc", "eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_what_has_no_region_is_asked_for_at_home(partition: str, region: str, suffix: str) -> None:
    command = "aws x y --a {partition} --b {region} --c {suffix}"
    told = {"partition": partition, "region": GLOBAL}
    assert filled(command, USER, **told) == (f"aws x y --a {partition} --b {region} --c {suffix}",)
    assert filled(command, USER, partition=partition, region="x-1")[0].split()[6] == "x-1"


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("aws ec2 delete-volumes --region x", "ec2 has no operation delete-volumes"),
        ("aws ec3 delete-volume --region x", "AWS has no service ec3"),
        ("aws ec2 delete-volume --volume v --region x", "--volume is no option of DeleteVolume"),
        ("aws ec2 delete-volume --region x", 'Missing required parameter in input: "VolumeId"'),
        ("aws ec2 delete-volume --volume-id v", "it does not say in which region"),
        ("aws ec2 delete-volume --volume-id v w --region x", "--volume-id takes one value, not 2"),
        ("aws ec2 modify-volume --volume-id v --volume-type gp4 --region x", "gp4 is none of standard"),
        ("aws ec2 wait volume-gone --volume-ids v --region x", "ec2 cannot wait for volume-gone"),
        ("aws ec2 describe-volumes --query Volumes[].Colour --region x", "the answer has no Colour"),
        (
            "aws ec2 create-tags --resources v --tags Name=a --region x",
            'Unknown parameter in Tags[0]: "Name"',
        ),
        ("aws eks update-cluster-config --name a --logging '{]' --region x", "is no JSON"),
        ("aws iam get-role --role-name 'a b' --region x", "a b is not of the form"),
        ("aws ec2 delete-volume --volume-id v --volume-id w --region x", "--volume-id is given twice"),
        ("aws ec2 enable-ebs-encryption-by-default now --region x", "now belongs to no option"),
    ],
)
def test_commands_that_aws_would_not_understand_are_known(command: str, fault: str) -> None:
    assert fault in "\n".join(awscli.faults(command))


@pytest.mark.parametrize("declared", ["aws x y --a <b>", "aws x y | sh", "aws x y --a $HOME", 'aws x "y"'])
def test_what_a_shell_would_understand_is_known(declared: str) -> None:
    assert awscli.quoted_faults(declared)
    assert not awscli.quoted_faults("aws x y --a '<b>' --c={name} --d {arn}/e")


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        ('ec2.CfnVolum(self, "A")', "CDK has no ec2.CfnVolum"),
        ('ec2.CfnVolume("A")', "ec2.CfnVolume needs self and an id"),
        ('ec2.CfnVolume(self, "A", encryption=True)', "ec2.CfnVolume takes no encryption"),
        ('ec2.CfnVolume(self, "A", encrypted="yes")', "ec2.CfnVolume.encrypted takes no 'yes'"),
        ('ec2.CfnSubnet(self, "A")', "ec2.CfnSubnet needs vpc_id"),
        ('ec2.CfnVolume(self, "A", tags=[CfnTag(name="a")])', "CfnTag needs key"),
        ('ec2.CfnVolume(self, "A", tags=CfnTag(key="a", value="b"))', "takes no CfnTag"),
        ('ec2.CfnVolume(self, "A"', "no Python"),
        ("import os", "no call"),
    ],
)
def test_pieces_that_cdk_would_not_take_are_known(piece: str, fault: str) -> None:
    assert fault in "\n".join(constructs.faults(piece))
