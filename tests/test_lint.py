"""`orgscan lint`: what suppressions cover is told, and one that covers too much is refused."""

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cli.lint import FEW, NotFindings, Tally, Verdict, judge, read, tally
from cli.main import app
from orgscan.suppress import Suppression

CHECK = "s3-bucket-versioning-disabled"
BUCKET = "arn:aws:s3:::a-bucket-with-a-rather-long-name-as-they-often-have"
LATER = str(datetime.now(UTC).date() + timedelta(days=100))
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CATEGORIES = "security, cost, reliability, operations, tagging, inventory"
LINE = {
    "check": CHECK,
    "severity": "low",
    "category": "reliability",
    "account": "111122223333",
    "account_name": "data",
    "region": "eu-west-1",
    "resource": BUCKET,
    "key": "",
    "problems": ["versioning is off"],
    "status": "open",
    "tags": {"stage": "sandbox"},
    "suppressed_by": None,
}
Lint = Callable[..., Result]


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lint:
    """Of rules and of lines; what else is given goes into the configuration."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def of(rules: list[dict[str, Any]], lines: Any = None, *options: str, **others: Any) -> Result:
        wanted = {"reason": "known", "owner": "team-data", "expires": LATER}
        decided = {"suppressions": [{**wanted, **each} for each in rules], **others}
        (tmp_path / "orgscan.yaml").write_text(yaml.safe_dump(decided))
        if lines is not None:
            (tmp_path / "findings.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
            options = ("--findings", "findings.jsonl", *options)
        return CliRunner().invoke(app, ["lint", *options])

    return of


def lines(number: int, **changed: Any) -> list[dict[str, Any]]:
    return [{**LINE, **changed} for _ in range(number)]


def others(number: int) -> list[dict[str, Any]]:
    return lines(number, check="ec2-instance-idle", account="444455556666")


def rule(expires: date = date(2026, 9, 1), **named: Any) -> Suppression:
    return Suppression(reason="known", owner="team", expires=expires, **named)


def words(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_rule_is_told_with_owner_end_and_what_it_covers(lint: Lint) -> None:
    result = lint([{"check": CHECK}], lines(3) + lines(1, status="suppressed") + others(96))
    assert result.exit_code == 0, result.output
    head, what, below, *_ = result.output.splitlines()
    assert head.split() == ["suppression", "ends", "covers"]
    assert what.split() == [CHECK, LATER, "4"]
    assert below.split() == ["owner:", "team-data", "in", "force", "4.0%"]
    assert result.output.endswith("1 suppression, 100 findings\n")


def test_as_json_it_says_the_same_to_machines(lint: Lint) -> None:
    result = lint([{"check": CHECK}, {"region": "global"}], lines(4) + others(96), "--json")
    told = json.loads(result.stdout)
    assert told["findings"] == 100
    assert told["suppressions"][0] == {
        "key": rule(check=CHECK).key,
        "what": CHECK,
        "reason": "known",
        "owner": "team-data",
        "expires": LATER,
        "state": "in force",
        "covers": 4,
        "share": 4.0,
        "dead": False,
        "refused": False,
    }
    assert told["suppressions"][1]["covers"] == 0
    assert told["suppressions"][1]["dead"] is True


def test_without_findings_it_says_how_to_get_them(lint: Lint) -> None:
    result = lint([{"region": "global"}], None, name="other")
    assert result.exit_code == 0
    assert '\n  aws s3 cp "s3://$BUCKET/scans/<scan>/findings.jsonl.gz" .\n' in result.output
    assert "OtherHub" in result.output
    assert "covers" not in result.output.splitlines()[0]
    told = json.loads(lint([{"region": "global"}], None, "--json").stdout)
    assert told["findings"] is None
    assert [told["suppressions"][0][name] for name in ("covers", "share", "dead")] == [None] * 3


def test_what_covers_too_much_is_refused(lint: Lint) -> None:
    enough = lines(20) + others(80)
    assert lint([{"check": CHECK}], enough).exit_code == 0
    refused = lint([{"check": CHECK}, {"account": "444455556666"}], lines(21) + others(79))
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        f"{CHECK}: covers 21 of 100 findings (21.0%); limits.suppressed_share allows 20%",
        (
            "every check in 444455556666: covers 79 of 100 findings (79.0%); "
            "limits.suppressed_share allows 20%"
        ),
    ]
    assert "owner: team-data" in refused.stdout, "the report is there all the same"


def test_the_configuration_says_what_is_too_much(lint: Lint) -> None:
    some = lines(30) + others(70)
    assert lint([{"check": CHECK}], some, limits={"suppressed_share": 30}).exit_code == 0
    assert lint([{"check": CHECK}], some, limits={"suppressed_share": 29}).exit_code == 1
    as_json = lint([{"check": CHECK}], some, "--json", limits={"suppressed_share": 29})
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["suppressions"][0]["refused"] is True


def test_a_few_findings_are_never_too_much(lint: Lint) -> None:
    assert lint([{"check": CHECK}], lines(FEW - 1)).exit_code == 0
    assert lint([{"check": CHECK}], lines(FEW)).exit_code == 1


def test_what_has_expired_is_told_and_refuses_nothing(lint: Lint) -> None:
    result = lint([{"check": CHECK, "expires": "2020-01-01"}], lines(100))
    assert result.exit_code == 0
    assert "expired" in result.output
    assert "100.0%" in result.output


@pytest.mark.parametrize(
    ("expires", "state"),
    [
        (date(2026, 5, 31), "expired"),
        (date(2026, 6, 1), "expires today"),
        (date(2026, 6, 2), "expires in 1 day"),
        (date(2026, 6, 8), "expires in 7 days"),
        (date(2026, 6, 9), "in force"),
    ],
)
def test_the_end_is_told_before_it_comes(expires: date, state: str) -> None:
    assert Verdict(rule=rule(expires, check="a"), now=NOW).state == state


def test_dead_rules_are_named(lint: Lint) -> None:
    result = lint([{"resource": BUCKET}, {"resource": f"{BUCKET}2"}], lines(1))
    assert result.exit_code == 0
    assert f"covers nothing: every check on {BUCKET}2" in words(result).replace("- ", "-")
    assert result.output.count("covers nothing") == 1


def test_a_file_without_tags_does_not_tell_what_a_tag_covers(lint: Lint) -> None:
    rules = [{"tag": {"key": "stage", "value": "sandbox"}}, {"region": "global"}]
    for untagged in (lines(1, tags=None), [{name: LINE[name] for name in LINE if name != "tags"}]):
        result = lint(rules, untagged)
        assert result.exit_code == 0
        assert "cannot be told: the file has no tags: every check, tag stage=sandbox" in words(result)
        assert result.output.count("covers nothing") == 1, "the other rule, which needs no tags"
    told = json.loads(lint(rules, lines(1, tags=None), "--json").stdout)["suppressions"][0]
    assert (told["covers"], told["share"], told["dead"], told["refused"]) == (None, None, None, False)
    seen = lint(rules, lines(1, tags=None) + lines(1))
    assert "cannot be told" not in seen.output


def test_lines_of_earlier_versions_are_read(lint: Lint) -> None:
    earlier = {name: LINE[name] for name in LINE if name not in ("tags", "suppressed_by", "account_name")}
    assert lint([{"check": CHECK}], [earlier]).exit_code == 0


def test_each_rule_is_counted_for_itself(tmp_path: Path) -> None:
    """Not only the first that covers a finding."""
    path = tmp_path / "findings.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in lines(2)))
    rules = [rule(check=CHECK), rule(account="111122223333"), rule(date(2020, 1, 1), region="eu-west-1")]
    counted = tally(rules, read(path))
    assert [each.covers for each in judge(rules, counted, now=NOW, allowed=20)] == [2, 2, 2]


def test_a_file_of_nothing_is_no_division_by_zero() -> None:
    (verdict,) = judge([rule(tag=("a", "b"))], Tally(), now=NOW, allowed=20)
    assert (verdict.covers, verdict.share, verdict.dead, verdict.refused) == (0, 0.0, True, False)


def test_an_empty_file_is_fine(lint: Lint) -> None:
    result = lint([{"check": CHECK}], [])
    assert result.exit_code == 0
    assert "1 suppression, 0 findings" in result.output


@pytest.mark.parametrize("packed", [True, False])
def test_gzip_is_recognised_whatever_the_name(lint: Lint, tmp_path: Path, packed: bool) -> None:  # noqa: FBT001
    text = (json.dumps(LINE) + "\n\n").encode()
    (tmp_path / "file").write_bytes(gzip.compress(text) if packed else text)
    assert "1 suppression, 1 finding\n" in lint([{"check": CHECK}], None, "--findings", "file").output


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("{", "must be JSON in UTF-8"),
        ('"\xe4', "must be JSON in UTF-8"),
        ("[" * 100_000, "must be JSON in UTF-8"),
        ("9" * 5_000, "must be JSON in UTF-8"),
        ("[1]", "[1] must be a JSON object"),
        ("null", "null must be a JSON object"),
        ({"check": None}, "check: null must be text"),
        ({"account": 123456789012}, "account: 123456789012 must be text"),
        ({"region": ["a"]}, 'region: ["a"] must be text'),
        ({"resource": {}}, "resource: {} must be text"),
        ({"key": 1}, "key: 1 must be text"),
        ({"severity": "hig"}, 'severity: "hig" must be one of informational, low, medium, high, critical'),
        ({"category": "\x1b[31m"}, rf'category: "\u001b[31m" must be one of {CATEGORIES}'),
        ({"status": "resolved"}, 'status: "resolved" must be one of open, suppressed'),
        ({"suppressed_by": 7}, "suppressed_by: 7 must be text"),
        ({"tags": ["a"]}, 'tags: ["a"] must be an object of texts, or null'),
        ({"tags": {"a": None}}, 'tags: {"a": null} must be an object of texts, or null'),
    ],
)
def test_a_malformed_line_is_named(lint: Lint, tmp_path: Path, line: Any, trouble: str) -> None:
    text = line if isinstance(line, str) else json.dumps({**LINE, **line})
    (tmp_path / "f.jsonl").write_text(f"{json.dumps(LINE)}\n\n{text}\n", encoding="latin-1")
    result = lint([], None, "--findings", "f.jsonl")
    assert result.exit_code == 2
    assert result.output == f"f.jsonl: line 3: {trouble}\n"


@pytest.mark.parametrize("name", ["check", "severity", "category", "account", "region", "resource", "status"])
def test_a_missing_field_is_named(lint: Lint, name: str) -> None:
    result = lint([], [{each: LINE[each] for each in LINE if each != name}])
    assert result.exit_code == 2
    assert result.output == f"findings.jsonl: line 1: {name}: must be given\n"


def test_a_file_that_cannot_be_read_is_told(lint: Lint, tmp_path: Path) -> None:
    assert lint([], None, "--findings", "none").output == (
        "none: must be a readable file: No such file or directory\n"
    )
    assert lint([], None, "--findings", str(tmp_path)).exit_code == 2
    packed = gzip.compress(b"".join(json.dumps(each).encode() + b"\n" for each in lines(1000)))
    for broken in (packed[:-10], packed[:30] + b"\xff" * 30 + packed[60:], packed[:5], packed + b"more"):
        (tmp_path / "f.gz").write_bytes(broken)
        result = lint([], None, "--findings", "f.gz")
        assert result.exit_code == 2
        assert result.output.startswith("f.gz: line ")
        assert result.output.endswith("must be whole gzip; it breaks off here\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\x1f\x8b\x08" + tail))
def test_whatever_the_file_holds_there_is_a_report_or_a_refusal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with suppress(NotFindings):
        assert list(read(path)) == []


def test_a_configuration_that_is_wrong_is_refused(lint: Lint) -> None:
    result = lint([{"check": "nonsense"}, {}], lines(1), limits={"polite": 0})
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.partition(": ")[::2][1].partition(": ")[0] for line in result.stderr.splitlines()] == [
        "suppressions[0].check",
        "limits.polite",
        "suppressions[1]",
    ]
    missing = CliRunner().invoke(app, ["lint", "--config", "none.yaml"])
    assert missing.exit_code == 2
    assert missing.output == "none.yaml: must be a readable file: No such file or directory\n"


def test_names_cannot_style_or_steer_the_terminal(lint: Lint) -> None:
    hostile = {"key": "[bold]\x1b[31m:smile:", "value": "\u202ex\rb"}
    result = lint(
        [{"tag": hostile, "owner": "[link=x]\x9b31m"}], lines(30, tags={hostile["key"]: hostile["value"]})
    )
    assert result.exit_code == 1
    assert "[bold]?[31m:smile:=?x?b" in result.stderr
    assert "[link=x]?31m" in result.stdout
    assert {each for each in result.output if not each.isprintable()} <= {"\n"}


def test_it_is_readable_in_a_narrow_terminal(lint: Lint) -> None:
    rules = [
        {"check": CHECK, "account": "111122223333", "region": "eu-west-1", "resource": BUCKET},
        {"resource_glob": f"arn:aws:s3:::{'a' * 60}*", "owner": f"{'a-team-' * 6}@example.com"},
    ]
    result = lint(rules, lines(1234) + others(8766))
    assert result.exit_code == 0
    shown = result.output.splitlines()
    assert max(map(len, shown)) <= 60
    assert "…" not in result.output
    assert shown[1].endswith(f"  {LATER}   1,234")
    assert shown[2].endswith("  in force     12.3%")
    first = "".join(line[:40].strip() for line in shown[1 : shown.index(" " * len(shown[0]))])
    assert BUCKET in first, "folded, not cut"


def test_colours_are_for_terminals_that_want_them(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    def coloured() -> bool:
        return "\x1b[3" in lint([{"check": CHECK, "expires": "2020-01-01"}], lines(1)).output

    assert not coloured()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert not coloured()
    monkeypatch.delenv("NO_COLOR")
    assert coloured()


def test_help_tells_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["lint", "--help"])
    assert "Exit code 0: all is fine. 1: a suppression covers more" in words(result)


SECURITY = {"name": "security", "emails": ["a@example.com"]}
PAGER = {"name": "pager", "emails": ["b@example.com"], "minimum_severity": "critical"}
COPY = {"name": "all", "chat": True, "copy": True}


@pytest.mark.parametrize(
    ("routes", "warned"),
    [
        ([], False),
        ([SECURITY], False),
        ([PAGER, {**SECURITY, "machine": True}], False),
        ([PAGER, COPY], True),
        ([{**SECURITY, "owners": ["*"]}], True),
        ([{**SECURITY, "unowned": True}], True),
    ],
)
def test_what_no_route_wants_is_warned_of(lint: Lint, routes: list[dict[str, Any]], *, warned: bool) -> None:
    result = lint([], routes=routes)
    assert result.exit_code == 0, result.output
    assert ("warning: no route hears of everything" in result.output) == warned
    assert bool(json.loads(lint([], None, "--json", routes=routes).stdout)["warnings"]) == warned
