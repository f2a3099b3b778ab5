"""The command `orgscan`."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.describe import describe, permissions
from cli.main import app
from orgscan import catalog, iam
from orgscan.catalog import AnyCheck
from orgscan.model import Category, Severity


def run(*arguments: str, fails: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == fails, result.output
    return result.output


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments))


def test_checks_lists_each_on_one_line() -> None:
    lines = run("checks").splitlines()
    assert len(lines) == len(catalog.checks())
    for line, check in zip(lines, catalog.checks(), strict=True):
        assert line.split()[:3] == [check.severity, check.category, check.id]
        assert line.endswith(check.title)


def test_checks_as_json_says_what_a_machine_needs() -> None:
    listed = told("checks", "--json")
    assert [each["id"] for each in listed] == [check.id for check in catalog.checks()]
    assert {each["severity"] for each in listed} <= set(Severity)
    assert {each["category"] for each in listed} <= set(Category)


@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_show_leaves_nothing_out(check: AnyCheck) -> None:
    assert told("show", check.id, "--json") == describe(check)
    words = " ".join(run("show", check.id).split())
    said = (check.title, check.fix, *check.maps, *check.equivalent, *check.refs, *check.parameters)
    assert [each for each in said if each not in words] == []


def test_show_names_the_calls_of_everything_a_check_looks_at() -> None:
    reads = told("show", "rds-instance-public", "--json")["reads"]
    assert {"rds:DescribeDBInstances", "ec2:DescribeSecurityGroups"} <= set(reads)
    assert "cloudwatch:GetMetricData" not in reads
    assert "cloudwatch:GetMetricData" in told("show", "ec2-instance-idle", "--json")["reads"]


def test_show_judges_what_is_derived_from_the_kind_of_a_check() -> None:
    assert {"Bucket", "Instance"} <= set(told("show", "tag-required-key-missing", "--json")["judges"])


def test_an_unknown_check_is_refused_with_the_closest_one() -> None:
    output = run("show", "ec2-instance-idel", fails=2)
    assert "'ec2-instance-idel' is not a check; did you mean 'ec2-instance-idle'?" in output


def test_policy_allows_what_is_called_and_nothing_else() -> None:
    (statement,) = told("policy")["Statement"]
    assert statement["Effect"] == "Allow"
    assert set(statement["Action"]) == {iam.action(call) for call in catalog.calls()}


def test_every_permission_names_who_needs_it() -> None:
    names = {name for needed in permissions().values() for name in needed}
    assert names == {"metrics", "regions", *(collector.name for collector in catalog.collectors())}
