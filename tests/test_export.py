"""`orgscan export`: which findings, in which format, to where; and to Security Hub."""

import csv
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import cli.export
from cli.export import Format
from cli.main import app
from cli.results.source import NoScan
from orgscan import catalog
from orgscan.line import Line
from orgscan.present import asff
from orgscan.present.csv import COLUMNS
from orgscan.results import Results, Shelved
from tests.doctors import HUB, Refusal, World
from tests.invented import CATALOG
from tests.lines import BUCKET, CLOSED, FOUND, GONE, ROLE, SOLVED, SSH, SUMMARIZED, VOLUME, WEBSITE, shelve
from tests.readers import READERS
from tests.test_securityhub import IMPORT, taking

DOCUMENTS = Path(__file__).parents[1]
Run = Callable[..., Result]
MODULES = {form: next(each for each in READERS if each.__name__.endswith(f".{form}")) for form in Format}


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shelve(tmp_path / "scan")
    return lambda *options: CliRunner().invoke(app, ["export", *options, "--results", "scan"])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(monkeypatch)
    made.answer(IMPORT, taking())
    return made


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(each)["id"] for each in result.stdout.splitlines()]


def those(*lines: Line) -> list[str]:
    return [each.id for each in lines]


# Formats


@pytest.mark.parametrize("form", Format)
def test_each_format_comes_out_whole(export: Run, form: Format) -> None:
    result = export(form)
    assert (result.exit_code, result.stderr) == (0, "")
    if form is not Format.SARIF:  # all checks are its rules, whose order its reader looks at
        assert READERS[MODULES[form]](result.stdout_bytes.decode()) == len(FOUND)
    else:
        (run,) = json.loads(result.stdout)["runs"]
        assert len(run["results"]) == len(FOUND)
        assert len(run["tool"]["driver"]["rules"]) == len(catalog.checks())


@pytest.mark.parametrize("form", Format)
def test_a_file_is_what_the_terminal_gets(export: Run, form: Format, tmp_path: Path) -> None:
    told = export(form).stdout_bytes
    assert export(form, "--output", "out").stdout == ""
    assert (tmp_path / "out").read_bytes() == told
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "scan"]


def test_a_finding_of_a_check_by_its_earlier_id_has_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "checks", lambda: CATALOG.checks)
    known = cli.export.checks()
    assert known["lamp-burns"] is known["lamp-left-on"]
    assert {check.id for check in known.values()} == CATALOG.ids()


# Which findings


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), FOUND),
        (("--severity", "critical"), (BUCKET, ROLE, WEBSITE)),
        (("--severity", "high", "--severity", "medium"), (SSH, VOLUME)),
        (("--category", "cost"), (VOLUME,)),
        (("--account", "222222222222"), (ROLE, VOLUME)),
        (("--account", "222222222222", "--category", "cost", "--severity", "high"), ()),
        (("--status", "suppressed"), (WEBSITE,)),
        (("--status", "resolved"), SOLVED),
        (("--include-resolved",), (*FOUND, *SOLVED)),
        (("--status", "open", "--include-resolved", "--category", "cost"), (VOLUME, GONE)),
    ],
)
def test_filters(export: Run, options: tuple[str, ...], expected: tuple[Line, ...]) -> None:
    assert ids(export("jsonl", *options)) == those(*expected)


def test_a_filter_narrows_other_formats_too(export: Run) -> None:
    rows = [*csv.DictReader(StringIO(export("csv", "--status", "resolved").stdout))]
    assert [row["resolved_because"] for row in rows] == ["fixed", "resource-deleted"]
    assert "**Open: nothing**" in export("markdown", "--account", "999999999999").stdout


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("xlsx",), "'xlsx' is not one of 'csv', 'jsonl', 'ocsf', 'asff', 'junit', 'sarif', 'markdown'"),
        (("csv", "--severity", "awful"), "'awful' is not one of 'informational', 'low'"),
        (("csv", "--account", "payments"), "'payments' is not an account: 12 digits"),
        (("csv", "--push"), "--push: csv: must be asff, which is what Security Hub takes\n"),
        (("asff", "--dry-run"), "--dry-run: must stand with --push\n"),
        (("asff", "--product-region", "eu-west-1"), "--product-region: must stand with --push\n"),
        (
            ("asff", "--push", "--output", "x"),
            "--output: x: must be left out with --push, which writes no file\n",
        ),
        (("csv", "--output", "scan"), "--output: scan: must be a file, or - for standard output\n"),
        (
            ("csv", "--output", "no/where"),
            "--output: no/where: must be a place for a file: No such file or",
        ),
        (("csv", "--output", "scan/summary.json/x"), "must be a place for a file: Not a directory\n"),
        (
            ("asff", "--push", "--product-region", "eu-wset-1"),
            "--product-region: 'eu-wset-1' must be a region of AWS; did you mean 'eu-west-1'?\n",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything(
    export: Run, world: World, options: tuple[str, ...], words: str
) -> None:
    result = export(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert world.asked(IMPORT) == []


def test_where_no_scan_is_it_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", "csv", "--results", str(tmp_path / "empty")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


class Torn(Results):
    """It breaks off behind its first finding."""

    def findings(self) -> Iterator[Line]:
        yield BUCKET
        raise NoScan("findings.jsonl.gz breaks off")


def test_a_file_is_whole_or_not_there(export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.csv").write_text("of yesterday")
    torn = Torn(Shelved(tmp_path / "scan"))
    monkeypatch.setattr(cli.export, "open_scan", lambda **_: torn)
    result = export("csv", "--output", "out.csv")
    assert (result.exit_code, result.stderr) == (2, "findings.jsonl.gz breaks off\n")
    assert (tmp_path / "out.csv").read_text() == "of yesterday"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.csv", "scan"]


# To Security Hub


def asked(world: World) -> list[Any]:
    return [each for call in world.asked(IMPORT) for each in call.asked["Findings"]]


def test_it_pushes_what_is_found_and_archives_what_is_closed(export: Run, world: World) -> None:
    result = export("asff", "--push")
    assert (result.exit_code, result.stderr) == (0, "")
    where = f"Security Hub in eu-west-1 of account {HUB}"
    assert result.stdout == f"imported 5 findings, archived 2, in {where}\n"
    states = [each["RecordState"] for each in asked(world)]
    assert states == ["ACTIVE"] * len(FOUND) + ["ARCHIVED"] * len(SOLVED)
    assert {each["AwsAccountId"] for each in asked(world)} == {HUB}


def test_another_region_takes_them(export: Run, world: World) -> None:
    assert "in eu-central-1 of" in export("asff", "--push", "--product-region", "eu-central-1").stdout
    assert {call.region for call in world.asked(IMPORT)} == {"eu-central-1"}
    assert all(each["ProductArn"].split(":")[3] == "eu-central-1" for each in asked(world))


def test_a_filter_narrows_what_is_pushed(export: Run, world: World) -> None:
    assert export("asff", "--push", "--category", "cost").stdout.startswith("imported 1 finding, archived 1,")
    assert export("asff", "--push", "--status", "open").stdout.startswith("imported 4 findings, archived 0,")
    assert len(world.asked(IMPORT)) == 2


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(export: Run, world: World) -> None:
    result = export("asff", "--push", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "would import 5 findings (3 critical, 1 high, 1 medium) and archive 2, in 1 call, "
        f"in Security Hub in eu-west-1 of account {HUB}; nothing was sent\n"
    )
    assert [call.name for call in world.calls] == ["sts:GetCallerIdentity"]


def test_what_is_not_taken_is_told_one_by_one(export: Run, world: World) -> None:
    wrong = {each["Id"]: "Invalid\x1b[2J" for each in json.loads(export("asff").stdout)[:1]}
    world.answer(IMPORT, taking(wrong))
    result = export("asff", "--push")
    assert result.exit_code == 1
    assert result.stdout.endswith("; 1 not taken\n")
    (line,) = result.stderr.splitlines()
    assert line.startswith("not taken: arn:aws:orgscan:eu-west-1:111111111111:finding/")
    assert line.endswith(": Invalid?[2J: for a reason")


def test_where_security_hub_is_off_it_says_how_to_enable_it(export: Run, world: World) -> None:
    world.answer(IMPORT, Refusal("InvalidAccessException", "not subscribed", 401))
    result = export("asff", "--push")
    assert result.exit_code == 2
    assert result.stdout.startswith("imported 0 findings, archived 0,")
    assert "aws securityhub enable-security-hub" in result.stderr


def test_without_credentials_nothing_is_read_or_sent(export: Run, world: World) -> None:
    world.refuse("sts:GetCallerIdentity", code="ExpiredToken")
    result = export("asff", "--push")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "sign in, and set AWS_PROFILE and AWS_DEFAULT_REGION" in result.stderr
    assert world.asked(IMPORT) == []


def test_it_asks_for_no_more_than_the_documents_say(export: Run, world: World) -> None:
    export("asff", "--push")
    assert {call.name for call in world.calls} == {"sts:GetCallerIdentity", IMPORT}
    assert CLOSED.id in asked(world)[-2]["Id"]


def test_commands_that_documents_show_are_understood() -> None:
    documents = (DOCUMENTS / name for name in ("README.md", "docs/exports.md"))
    text = "\n".join(document.read_text(encoding="utf-8") for document in documents)
    commands = re.findall(r"^orgscan export ([^|>#\n]*)", text, re.MULTILINE)
    assert len(commands) >= 8
    command = typer.main.get_command(app).commands["export"]  # type: ignore[attr-defined] # it is a group
    for each in commands:
        command.make_context("export", shlex.split(each.replace("FORMAT", "csv")))


@pytest.mark.parametrize("form", Format)
def test_the_documents_explain_each_format(form: Format) -> None:
    text = (DOCUMENTS / "docs/exports.md").read_text(encoding="utf-8")
    assert f"| [`{form}`](#" in text


def test_the_documents_name_every_column_and_field() -> None:
    text = (DOCUMENTS / "docs/exports.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in text] == []
    finding = asff.finding(SUMMARIZED, replace(WEBSITE, saving=VOLUME.saving, key="k"), cli.export.checks())
    assert [name for name in finding["ProductFields"] if name.partition("/")[2] not in text] == []
