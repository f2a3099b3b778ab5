"""`orgscan findings` and `orgscan show`: what is wanted, in which order, and that no name breaks out."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.results.findings import Format
from cli.results.listing import ID
from cli.results.page import page
from cli.results.wanted import KEYS, ORDERS, By, Moment, Order, Wanted, grouped
from orgscan.line import Line
from orgscan.model import Category, Confidence, Money, OwnedBy, Owner, Severity
from orgscan.present import markdown
from orgscan.reconcile import Status
from tests.commands import Run, runner, told
from tests.goldens import golden
from tests.invented import CATALOG
from tests.scans_on_disk import (
    ACCEPTED,
    HOSTILE,
    MENDED,
    PUBLIC,
    UNSEEN,
    VOLUMES,
    Left,
    day,
    now,
    scan_id,
    week,
    write,
)

MOMENT = Moment(scan_id(15), now())
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scans")
    week(made / "results")
    return made


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """In a folder with a week's results."""
    monkeypatch.chdir(folder)
    return runner(monkeypatch)


def found(run: Run, *arguments: str) -> list[Mapping[str, Any]]:
    lines: list[Mapping[str, Any]] = told(run, "findings", *arguments, "--format", "json")
    return lines


@pytest.mark.parametrize("columns", [72, 80, 120])
def test_golden_findings_on_a_terminal(run: Run, columns: int) -> None:
    shown = run("findings", columns=columns).stdout
    golden(f"cli/findings_{columns}.txt", shown)
    assert max(map(len, shown.splitlines())) <= columns


def test_golden_findings_in_groups(run: Run) -> None:
    golden(
        "cli/findings_by_check.txt", run("findings", "--group", "check", "--limit", "2", columns=80).stdout
    )


def test_golden_findings_in_a_pipe(run: Run) -> None:
    shown = run("findings")
    golden("cli/findings_pipe.txt", shown.stdout)
    assert shown.stderr.splitlines() == [
        "13 findings, of 14 that the scan tells",
        "20260115T060000123Z-15f14e45: INCOMPLETE, 96.0% of 1,200 checks evaluated",
    ]
    assert all(line.split("  ")[0].strip() in [*Severity] for line in shown.stdout.splitlines())


def test_golden_findings_in_a_pipe_in_groups(run: Run) -> None:
    golden("cli/findings_pipe_by_owner.txt", run("findings", "--group", "owner").stdout)


def test_a_narrow_terminal_still_names_what_and_where(run: Run) -> None:
    shown = run("findings", "--check", "rds-instance-public", columns=30).stdout.splitlines()
    assert "rds-instance-public" in shown[0]
    assert max(map(len, shown[:3])) <= 40


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["--severity", "critical"], 4),
        (["--severity", "critical", "--severity", "low"], 5),
        (["--min-severity", "high"], 5),
        (["--category", "cost"], 6),
        (["--check", "ebs-volume-unattached", "--region", "eu-west-1"], 3),
        (["--region", "us-*"], 3),
        (["--region", "global", "--region", "us-east-1"], 5),
        (["--account", "222222222222"], 7),
        (["--account", "ACME-shop-dev"], 7),
        (["--account", "acme"], 0),
        (["--owner", "Ada@acme.example"], 2),
        (["--unowned"], 4),
        (["--unowned", "--owner", "ada@acme.example"], 6),
        (["--new"], 2),
        (["--changed"], 3),
        (["--older-than", "9d"], 7),
        (["--older-than", "10"], 5),
        (["--tag", "stage=dev"], 6),
        (["--tag", "stage"], 7),
        (["--tag", "stage=dev", "--tag", "Owner"], 0),
        (["--search", "0A1B2C3D"], 6),
        (["--search", "port 5432"], 1),
        (["--status", "suppressed"], 1),
        (["--status", "open", "--status", "suppressed"], 14),
        (["--status", "resolved"], 0),
        (["--status", "resolved", "--scan", "previous"], 2),
        (["--status", "resolved", "--status", "open", "--scan", "previous"], 4),
    ],
)
def test_filters_and_the_count_of_what_is_shown(run: Run, arguments: list[str], number: int) -> None:
    assert len(found(run, *arguments)) == number
    piped = run("findings", *arguments)
    assert len(piped.stdout.splitlines()) == number
    assert piped.stderr.startswith(f"{number} finding{'' if number == 1 else 's'}, of ")
    on_terminal = run("findings", *arguments, columns=80).stdout
    assert sum(line[:1].isalpha() for line in on_terminal.splitlines()) == number


def test_all_formats_have_the_same_findings(run: Run) -> None:
    told = found(run, "--sort", "age")
    ids = [each["id"] for each in told]
    rows = [*csv.DictReader(StringIO(run("findings", "--sort", "age", "--format", "csv").stdout))]
    assert [each["id"] for each in rows] == ids
    table = run("findings", "--sort", "age", "--format", "md").stdout.splitlines()
    assert [row.split(" | ")[4] for row in table[2:]] == [markdown.code(each["resource"]) for each in told]
    piped = run("findings", "--sort", "age").stdout.splitlines()
    assert [line.split()[1] for line in piped] == [id_[:ID] for id_ in ids]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check", "ebs-volume-unatached"], "not a check; did you mean 'ebs-volume-unattached'?"),
        (["--older-than", "soon"], "'soon' is not a number of days: 30d"),
        (["--older-than", "0d"], "'0d' is not a number of days: 30d"),
        (["--tag", "=dev"], "'=dev' is not a tag: KEY=VALUE"),
        (["--sort", "colour"], "'colour' is not one of"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--limit", "-1"], "Invalid value for '--limit'"),
        (["--scan", "mars"], "--scan: 'mars': must be a scan's id"),
    ],
)
def test_wrong_options_are_refused(run: Run, arguments: list[str], said: str) -> None:
    shown = run("findings", *arguments, fails=2)
    assert said in " ".join(shown.stderr.split())
    assert shown.stdout == ""


def test_a_limit_says_what_it_left_out(run: Run) -> None:
    shown = run("findings", "--limit", "3")
    assert len(shown.stdout.splitlines()) == 3
    assert "13 findings, of 14 that the scan tells; 3 shown, --limit 0 shows all" in shown.stderr
    assert len(found(run, "--limit", "3")) == 3
    assert (
        len(run("findings", "--limit", "0", columns=80).stdout) > len(run("findings", columns=80).stdout) - 1
    )
    groups = found(run, "--group", "check", "--limit", "1")
    assert {len(each["lines"]) for each in groups} == {1}
    assert sum(each["findings"] for each in groups) == 13


def test_a_terminal_is_not_flooded(run: Run, tmp_path: Path) -> None:
    many = [replace(PUBLIC, id=f"{number:020x}") for number in range(80)]
    write(tmp_path / "many", Left(scan_id(15), day(15), many))
    shown = run("findings", "--results", str(tmp_path / "many"), columns=80).stdout
    assert shown.count("s3-bucket-policy-public") == 50
    assert "80 findings, of 80 that the scan tells; 50 shown, --limit 0 shows all" in shown
    grouped = run("findings", "--results", str(tmp_path / "many"), "--group", "check", columns=80).stdout
    assert "and 75 more" in grouped
    assert len(run("findings", "--results", str(tmp_path / "many")).stdout.splitlines()) == 80


@pytest.mark.parametrize("arguments", [["--format", each] for each in Format] + [["--group", "owner"], []])
@pytest.mark.parametrize("columns", [None, 72, 120])
def test_no_name_reaches_the_terminal_as_it_is(run: Run, arguments: list[str], columns: int | None) -> None:
    """Escapes, bells, forged lines, markup; `json` has them escaped, and is not read by people."""
    shown = run("findings", *arguments, columns=columns).stdout
    plain = ESCAPES.sub("", shown) if columns else shown.replace("\r\n", "\n")
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", plain) is None
    rows = (row[0] for row in csv.reader(StringIO(plain))) if "csv" in arguments else plain.splitlines()
    assert not any(line.startswith("forged") for line in rows)
    assert "owned" in plain


def test_no_cell_is_a_formula(run: Run) -> None:
    rows = [*csv.reader(StringIO(run("findings", "--format", "csv").stdout))]
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t")] == []
    assert "'@SUM(1)\ufffd[8m" in cells


def test_no_row_breaks_a_table_or_becomes_markup(run: Run) -> None:
    rows = run("findings", "--format", "md").stdout.splitlines()
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {len(markdown.HEAD) + 1}
    outside = re.sub("`[^`]*`", "", "\n".join(rows))
    assert re.search(r"(?<!\\)[<`\[]", outside) is None


# What is wanted, in general

LINES = st.builds(
    lambda severity, category, account, region, owner, usd, days, number, status: replace(
        VOLUMES[0],
        id=f"{number:020x}",
        severity=severity,
        category=category,
        account=account,
        region=region,
        owner=Owner(owner, OwnedBy.RESOURCE if owner else OwnedBy.NOBODY),
        saving=None if usd is None else Money(usd, "", Confidence.LOW),
        opened=day(days),
        status=status,
    ),
    st.sampled_from([*Severity]),
    st.sampled_from([*Category]),
    st.sampled_from(["111111111111", "222222222222"]),
    st.sampled_from(["eu-west-1", "us-east-1", "global"]),
    st.sampled_from(["", "ada", "ADA", "\x1b", "nobody"]),
    st.none() | st.floats(0, 1e6),
    st.integers(1, 15),
    st.integers(0, 10**9),
    st.sampled_from([Status.OPEN, Status.SUPPRESSED]),
)


@settings(max_examples=40)
@given(st.lists(LINES, unique_by=lambda line: line.id), st.sampled_from(By))
def test_every_finding_is_in_exactly_one_group(lines: list[Line], by: By) -> None:
    groups = grouped(lines, by)
    members = [line.id for group in groups for line in group.lines]
    assert sorted(members) == sorted(line.id for line in lines)
    assert all({KEYS[by](line) for line in group.lines} == {group.key} for group in groups)
    assert len({group.key for group in groups}) == len(groups)
    assert sum(sum(group.by_severity.values()) for group in groups) == len(lines)


@settings(max_examples=40)
@given(st.lists(LINES, unique_by=lambda line: line.id), st.sampled_from(Order), st.randoms())
def test_an_order_is_the_same_however_it_was_written(lines: list[Line], order: Order, dice: Any) -> None:
    first = sorted(lines, key=ORDERS[order])
    dice.shuffle(lines)
    assert sorted(lines, key=ORDERS[order]) == first


@settings(max_examples=40)
@given(
    st.lists(LINES, unique_by=lambda line: line.id),
    st.sets(st.sampled_from([*Severity])),
    st.sets(st.sampled_from(["111111111111", "acme-SHOP-dev"])),
    st.sampled_from([None, 3, 14]),
)
def test_filters_together_are_what_each_lets_through(
    lines: list[Line], severities: set[Severity], accounts: set[str], older: int | None
) -> None:
    alone = [
        Wanted(severities=tuple(severities)),
        Wanted(accounts=tuple(accounts)),
        Wanted(older_than=older),
        Wanted(statuses=(Status.OPEN,)),
    ]
    together = Wanted(
        severities=tuple(severities), accounts=tuple(accounts), older_than=older, statuses=(Status.OPEN,)
    )
    wanted = [line.id for line in together.of(lines, MOMENT)]
    assert wanted == [line.id for line in lines if all(each.wants(line, MOMENT) for each in alone)]
    assert [*Wanted().of(lines, MOMENT)] == lines


# One of them

LAMP = replace(
    next(check for check in CATALOG.checks if check.id == "lamp-left-on"),
    cli=("aws lamps switch --lamp {name} --state off", "aws lamps describe --region {region} --why <why>"),
    cdk='lamps.CfnLamp(self, "Lamp",\n    state="off",\n)',
)


@pytest.mark.parametrize("width", [72, 100])
def test_golden_page_of_a_finding(width: int) -> None:
    lamp = replace(
        HOSTILE, check="lamp-left-on", severity=Severity.HIGH, category=Category.SECURITY, key="bulb"
    )
    golden(f"cli/finding_{width}.txt", "\n".join(page(lamp, LAMP, MOMENT, width)) + "\n")


def test_golden_page_of_a_finding_that_costs() -> None:
    lamp = replace(
        VOLUMES[0],
        check="lamp-left-on",
        resource="arn:aws:lamp:eu-west-1:222222222222:lamp/it's",
        unconfirmed_since=day(12),
    )
    golden("cli/finding_usd.txt", "\n".join(page(lamp, LAMP, MOMENT, 80)) + "\n")


@settings(max_examples=30)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_out_of_a_page(resource: str, tag: str, owner: str) -> None:
    line = replace(
        PUBLIC,
        resource=f"arn:{resource}",
        tags={tag: tag},
        owner=Owner(owner, OwnedBy.RESOURCE),
        problems=(tag,),
    )
    text = "\n".join(page(line, LAMP, MOMENT, 80))
    assert all(" " <= each <= "~" or each == "\n" for each in text)


def test_a_finding_by_id_or_some_digits_of_it(run: Run) -> None:
    whole = run("show", PUBLIC.id).stdout
    assert run("show", PUBLIC.id[:6].upper()).stdout == run("show", PUBLIC.id[:ID]).stdout == whole
    shown = told(run, "show", PUBLIC.id, "--json")
    assert {**PUBLIC.to_json(), "commands": shown["commands"]} == shown
    assert "acme-open-trail" in " ".join(shown["commands"]) or shown["commands"] == []
    assert "suppressed by entry 0a1b2c3d4e5f of orgscan.yaml" in " ".join(
        run("show", ACCEPTED.id).stdout.split()
    )


def test_a_finding_that_the_scan_closed(run: Run) -> None:
    shown = " ".join(run("show", MENDED.id, "--scan", "previous").stdout.split())
    assert "resolved by this scan: fixed; it was open since 2026-01-04, 10 days" in shown
    assert "is no finding of 20260115T" in run("show", MENDED.id, fails=2).stderr


def test_a_finding_that_could_not_be_confirmed(run: Run) -> None:
    assert "nobody could confirm it since 2026-01-15" in run("show", UNSEEN.id).stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("ebs-volume-unatached", "is not a check; did you mean 'ebs-volume-unattached'?; nor a finding's id"),
        ("abc", "'abc': must be at least 6 digits of a finding's id"),
        ("0123456789abcdef0123", "'0123456789abcdef0123' is no finding of 20260115T060000123Z-15f14e45"),
    ],
)
def test_what_is_no_finding_and_no_check_is_refused(run: Run, asked: str, said: str) -> None:
    assert said in " ".join(run("show", asked, fails=2).stderr.split())


def test_an_ambiguous_id_is_refused(run: Run, tmp_path: Path) -> None:
    twins = [replace(PUBLIC, id=f"abcdef{number:014x}") for number in range(4)]
    write(tmp_path / "twins", Left(scan_id(15), day(15), twins))
    shown = run("show", "abcdef", "--results", str(tmp_path / "twins"), fails=2).stderr
    assert "'abcdef' begins the ids of 4 findings: abcdef00000000000000, " in shown
