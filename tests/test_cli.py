"""The command `orgscan`."""

import json
import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import listing
from cli.describe import describe, permissions
from cli.main import app, page
from infra import yaml_text
from orgscan import catalog, iam, remedy
from orgscan.catalog import AnyCheck
from orgscan.model import Category, Severity, Sighting
from tests.goldens import golden
from tests.invented import CATALOG

ROOT = Path(__file__).parents[1]
INVENTED = [describe(check, CATALOG) for check in CATALOG.checks]


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
    words = " ".join(run("show", check.id).replace("\\\n", "").split())
    said = (check.title, check.fix, *check.maps, *check.equivalent, *check.refs, *check.parameters)
    commands = [each.command for each in remedy.shown(check)]
    template = " ".join(check.cdk.split())
    assert [each for each in (*said, *commands, template) if each not in words] == []


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


def test_every_permission_names_the_checks_that_need_it() -> None:
    needed = permissions()
    assert [action for action, checks in needed.items() if not checks] == ["ec2:DescribeRegions"]
    asking = {check.id for check in catalog.checks() if not issubclass(check.resource, Sighting)}
    assert {id_ for checks in needed.values() for id_ in checks} == asking
    for check in catalog.checks():
        mine = [action for action, checks in needed.items() if check.id in checks]
        assert mine == sorted(set(describe(check)["permissions"]))


def test_the_policy_of_a_configuration_leaves_out_what_only_switched_off_checks_need(tmp_path: Path) -> None:
    config = yaml_text.read((ROOT / "orgscan.yaml").read_text(encoding="utf-8"))
    off = [check.id for check in catalog.checks() if "iam:" in str(describe(check)["permissions"])]
    config["checks"]["off"] = off
    file = tmp_path / "orgscan.yaml"
    file.write_text(json.dumps(config))
    (statement,) = told("policy", "--config", str(file))["Statement"]
    (whole,) = told("policy")["Statement"]
    assert off
    assert not [action for action in statement["Action"] if action.startswith("iam:")]
    assert {"ec2:DescribeInstances", "ec2:DescribeRegions"} <= {*statement["Action"]} < {*whole["Action"]}


def test_the_policy_of_a_wrong_configuration_is_none(tmp_path: Path) -> None:
    file = tmp_path / "orgscan.yaml"
    file.write_text("checks: {off: [no-such-check]}")
    assert "no-such-check" in run("policy", "--config", str(file), fails=2)


@pytest.mark.parametrize(
    ("arguments", "keeps"),
    [
        (["--service", "s3"], lambda each: each["service"] == "s3"),
        (["--service", "S3", "--service", "rds"], lambda each: each["service"] in ("s3", "rds")),
        (["--category", "cost"], lambda each: each["category"] == "cost"),
        (["--severity", "high", "--severity", "low"], lambda each: each["severity"] in ("high", "low")),
        (["--framework", "cis aws 3.0"], lambda each: "CIS AWS 3.0 " in str(each["frameworks"])),
        (
            ["--category", "security", "--service", "ec2", "--framework", "FSBP"],
            lambda each: (
                (each["category"], each["service"]) == ("security", "ec2")
                and "FSBP " in str(each["frameworks"])
            ),
        ),
    ],
)
def test_filters_keep_what_they_name(
    arguments: list[str], keeps: Callable[[Mapping[str, Any]], bool]
) -> None:
    everything = [describe(check) for check in catalog.checks()]
    wanted = [each for each in everything if keeps(each)]
    assert told("checks", *arguments, "--json") == wanted
    assert 0 < len(wanted) < len(everything)
    assert len(run("checks", *arguments).splitlines()) == len(wanted)


def test_filters_that_nothing_meets_leave_nothing() -> None:
    assert run("checks", "--service", "s3", "--category", "tagging") == ""
    assert told("checks", "--service", "s3", "--category", "tagging", "--json") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--service", "rsd"], "'rsd' is not a service; did you mean 'rds'?"),
        (["--framework", "CIS 3.0"], "'CIS 3.0' is not a framework; did you mean 'CIS AWS 3.0'?"),
        (["--severity", "hgih"], "'hgih' is not one of"),
    ],
)
def test_filters_refuse_what_does_not_exist(arguments: list[str], said: str) -> None:
    assert said in " ".join(run("checks", *arguments, fails=2).split())


@pytest.mark.parametrize("width", [36, 80])
def test_golden_list_on_a_terminal(width: int) -> None:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None, highlight=False)
    listing.show(console, INVENTED)
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()]
    golden(f"cli/checks_{width}.txt", "\n".join(lines) + "\n")
    assert max(map(len, lines)) <= width


def test_no_color_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> str:
        out = StringIO()
        console = Console(file=out, width=80, force_terminal=True, color_system="standard")
        listing.show(console, INVENTED)
        return out.getvalue()

    colours = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colours.search(shown())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours.search(shown())


@pytest.mark.parametrize("width", [36, 80])
def test_golden_page_of_a_check(width: int) -> None:
    golden(f"cli/show_{width}.txt", "\n".join(page(INVENTED[1], width)) + "\n")


def test_an_earlier_id_shows_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "checks", lambda: CATALOG.checks)
    monkeypatch.setattr(catalog, "everything", lambda: CATALOG)
    assert told("show", "lamp-burns", "--json")["id"] == "lamp-left-on"
