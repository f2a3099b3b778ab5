"""`orgscan suppress`: an entry more in orgscan.yaml, and every other character as it was."""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.results.splice import CannotSplice, added
from infra import config, yaml_text
from tests.commands import Run, runner
from tests.doctors import World
from tests.goldens import golden
from tests.scans_on_disk import ACCEPTED, HOSTILE, MENDED, PUBLIC, ROOT_KEY, week

ROOT = Path(__file__).parents[1]
SHIPPED = (ROOT / "orgscan.yaml").read_text(encoding="utf-8")
SOON = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()
SAID = ("--reason", "It is a honeypot.", "--owner", "platform", "--expires", "90d")
TODAY = datetime.now(UTC).date()
DAY = re.compile(r"\d{4}-\d\d-\d\d(?=$|\n)")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return week(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def run(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Beside the shipped configuration, with a week's results."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(results)
    (tmp_path / "orgscan.yaml").write_text(SHIPPED, encoding="utf-8")
    return runner(monkeypatch)


def suppressions(folder: Path) -> Any:
    return yaml_text.read((folder / "orgscan.yaml").read_text(encoding="utf-8"))["suppressions"]


def kept(before: str, after: str) -> list[str]:
    """The lines of before that are still there, in their order."""
    both = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line[2:] for line in both if line[0] == " "]


def test_golden_findings_that_are_accepted(run: Run, tmp_path: Path) -> None:
    shown = run("suppress", PUBLIC.id[:8], ROOT_KEY.id, *SAID).stdout
    golden("cli/suppress.txt", DAY.sub("2026-04-15", shown))
    assert suppressions(tmp_path) == [
        {
            "check": line.check,
            "account": line.account,
            "region": line.region,
            "resource": line.resource,
            "reason": "It is a honeypot.",
            "owner": "platform",
            "expires": SOON,
        }
        for line in (PUBLIC, ROOT_KEY)
    ]
    after = (tmp_path / "orgscan.yaml").read_text(encoding="utf-8")
    others = [line for line in SHIPPED.splitlines(keepends=True) if line != "suppressions: []\n"]
    assert kept(SHIPPED, after) == others


def test_golden_all_that_is_named(run: Run, tmp_path: Path) -> None:
    options = ("--check", "ebs-volume-unattached", "--tag", "stage=dev", "--account", "222222222222")
    golden(
        "cli/suppress_named.txt", DAY.sub("2026-04-15", run("suppress", *options, *SAID, "--dry-run").stdout)
    )
    assert (tmp_path / "orgscan.yaml").read_text(encoding="utf-8") == SHIPPED


def test_what_was_written_can_be_added_to_and_not_twice(run: Run, tmp_path: Path) -> None:
    run("suppress", PUBLIC.id, *SAID)
    run("suppress", "--check", "ec2-instance-idle", "--region", "eu-west-1", *SAID)
    assert [each["check"] for each in suppressions(tmp_path)] == [PUBLIC.check, "ec2-instance-idle"]
    told = run("suppress", PUBLIC.id, *SAID, fails=2).stderr
    assert "suppressions[2]: must not match the same as suppressions[0]" in told
    assert len(suppressions(tmp_path)) == 2


def test_hostile_resources_are_written_as_they_are_and_shown_inert(run: Run, tmp_path: Path) -> None:
    """A control character is no part of an ARN, and is refused; all else is text."""
    told = run("suppress", HOSTILE.id, *SAID, fails=2).stderr
    assert "\x1b" not in told
    assert "\x07" not in told
    run("suppress", "--resource", "arn:aws:s3:::`$(id)`: #1 {x}", *SAID)
    assert suppressions(tmp_path)[0]["resource"] == "arn:aws:s3:::`$(id)`: #1 {x}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*SAID,), "name either findings by id, or at least one of --check to --tag"),
        ((PUBLIC.id, "--check", PUBLIC.check, *SAID), "name either findings by id"),
        (
            ("--check", "s3-bucket-polcy-public", *SAID),
            "is not a check; did you mean 's3-bucket-policy-public'?",
        ),
        (("--account", "1111", *SAID), "suppressions[0].account: '1111': must be an account id: 12 digits"),
        (("--region", "mars", *SAID), "suppressions[0].region: 'mars'"),
        (("--resource", "bucket", *SAID), "suppressions[0].resource: 'bucket': must be an ARN"),
        (("--tag", "stage", *SAID), "'stage' is not a tag: KEY=VALUE"),
        (("000000000000", *SAID), "is no finding of 20260115T060000123Z-15f14e45"),
        ((MENDED.id, *SAID, "--scan", "previous"), f"{MENDED.id} is resolved: there is nothing to live with"),
        (("--check", PUBLIC.check, *SAID[:4]), "Missing option '--expires'"),
        (("--check", PUBLIC.check, *SAID[:4], "--expires", "400d"), "must be at most 365 days ahead"),
        (("--check", PUBLIC.check, *SAID[:4], "--expires", "2020-01-01"), "must be today or later"),
        (
            ("--check", PUBLIC.check, *SAID[:4], "--expires", "soon"),
            "neither a day, 2027-01-31, nor a number",
        ),
        (("--check", PUBLIC.check, *SAID[:4], "--expires", "2027-02-30"), "'2027-02-30' is no day"),
        (("--check", PUBLIC.check, "--reason", " ", *SAID[2:]), "reason: ' ': must not be empty"),
        (("--check", PUBLIC.check, *SAID, "--config", "none.yaml"), "none.yaml: must be a readable file"),
        (("--check", PUBLIC.check, *SAID, "--scan", "mars"), "'mars': must be a scan's id"),
    ],
)
def test_what_is_wrong_is_not_written(run: Run, tmp_path: Path, arguments: Sequence[str], said: str) -> None:
    assert said in " ".join(run("suppress", *arguments, fails=2).stderr.split())
    assert (tmp_path / "orgscan.yaml").read_text(encoding="utf-8") == SHIPPED
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_configuration_that_is_wrong_already_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "orgscan.yaml").write_text("limits: {concurrency: 0}")
    told = run("suppress", "--check", PUBLIC.check, *SAID, fails=2).stderr
    assert "orgscan.yaml: limits.concurrency: 0: must be at least 1" in told


def test_it_tells_what_it_covers_and_what_lint_will_say(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("suppress", "--resource-glob", "*", *SAID, "--dry-run").stdout
    assert "every check on *: covers 13 open findings of 20260115T060000123Z-15f14e45" in told
    assert "`orgscan lint` will refuse it: 100.0% of all; limits.suppressed_share allows 20%" in told
    (tmp_path / "results").unlink()
    World(monkeypatch).refuse("cloudformation:DescribeStacks")
    assert "what it covers is not known" in run("suppress", "--check", PUBLIC.check, *SAID).stdout
    run("suppress", ACCEPTED.id, *SAID, fails=2)


def test_a_link_stays_one_and_the_files_mode_too(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.yaml"
    (tmp_path / "orgscan.yaml").rename(kept)
    (tmp_path / "orgscan.yaml").symlink_to(kept)
    kept.chmod(0o640)
    run("suppress", PUBLIC.id, *SAID)
    assert (tmp_path / "orgscan.yaml").is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert len(suppressions(tmp_path)) == 1


# The splice itself

ENTRY = {"check": "ec2-instance-idle", "reason": "no", "owner": "a: b", "expires": date(2027, 1, 31)}
READ = {**ENTRY, "expires": "2027-01-31"}
WRITTEN = [
    "suppressions: []",
    "suppressions: [] # none yet\n# end",
    "suppressions:\n# end\nname: orgscan\n",
    "suppressions: null\n\n\nname: orgscan",
    "suppressions:   ~   # why\n",
    "name: orgscan",
    "name: orgscan\n# suppressions: []\n",
    "# nothing\n",
    "suppressions:\n- check: a # one\n  reason: b # two\n  # three\n\n# four\nname: orgscan # five\n",
    "suppressions:\n    -   check: a\n        reason: 'b'\n    # last\n\nname: orgscan\n",
    "suppressions:\n  - check: a\n    reason: >-\n      folded\n      text\n\n  # last\nname: orgscan\n",
    "suppressions:\n  - check: a\n    reason: |\n      kept\n",
    "suppressions:\n  - check: a\n    tag: {key: b, value: c} # flow\n# end",
    "suppressions:\n  - {check: a, reason: b} # flow\n  - check: c\n    tag:\n      key: d\n      value: e\n",
    "suppressions: [{check: a, reason: b}]\nname: orgscan # end\n",
    "suppressions: [\n  {check: a},\n  {check: b}\n] # end\n",
    '{"name": "orgscan"}',
    '{"name": "orgscan", "suppressions": [ ]}\n',
    '{"suppressions": [{"check": "a"}], "name": "orgscan"}',
    "{}",
    "suppressions:\r\n  - check: a # one\r\n# two\r\nname: orgscan\r\n",
    "\ufeffsuppressions:\n  - check: a\n",
    "---\nsuppressions:\n  - check: 'it''s'\nname: \"x\"\n",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_an_entry_comes_last_and_nothing_else_moves(text: str) -> None:
    before = yaml_text.read(text) or {}
    after = added(text, "suppressions", ENTRY)
    assert yaml_text.read(after) == {**before, "suppressions": [*(before.get("suppressions") or []), READ]}
    assert [each for each in re.findall("#.*", text) if each not in after] == []
    behind = [
        after.index(each)
        for each in ("# last", "# four", "# end\n", "# two\r")
        if each in text and each in after
    ]
    assert all(after.index("ec2-instance-idle") < place for place in behind), "it stands with its list"
    assert "\r\n" not in text or "\n" not in after.replace("\r\n", "")
    twice = yaml_text.read(added(after, "suppressions", {**ENTRY, "check": "b"}))
    assert [each["check"] for each in twice["suppressions"]][-2:] == ["ec2-instance-idle", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "suppressions: [{check: a},]\n",
        "x: &a [{check: a}]\nsuppressions: *a\n",
        "name: orgscan\n...\n",
        "suppressions: text\n",
    ],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(CannotSplice, match="add it yourself"):
        added(text, "suppressions", ENTRY)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30)
ENTRIES = st.builds(
    lambda resource, key, value, reason, owner, days: {
        "resource_glob": resource,
        "tag": {"key": f"k{key}", "value": value},
        "reason": reason,
        "owner": owner,
        "expires": TODAY + timedelta(days=days),
    },
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS.map(str.strip).filter(bool),
    TEXTS.map(str.strip).filter(bool),
    st.integers(0, 365),
)


@settings(max_examples=25)
@given(st.lists(ENTRIES, min_size=1, max_size=3), st.sampled_from([*WRITTEN, SHIPPED]))
def test_every_comment_and_line_stays_whatever_is_added(entries: list[dict[str, Any]], text: str) -> None:
    after = text
    for each in entries:
        after = added(after, "suppressions", each)
    told = yaml_text.read(after)["suppressions"][-len(entries) :]
    assert told == [{**each, "expires": each["expires"].isoformat()} for each in entries]
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    assert [each for each in comments if each not in after] == []


@settings(max_examples=4)
@given(st.lists(ENTRIES, min_size=1, max_size=3, unique_by=lambda each: each["resource_glob"]))
def test_the_shipped_configuration_still_loads(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, Any]]
) -> None:
    after = SHIPPED
    for each in entries:
        after = added(after, "suppressions", each)
    file = tmp_path_factory.mktemp("written") / "orgscan.yaml"
    file.write_text(after, encoding="utf-8", newline="")
    rules = config.load(file).runtime().suppressions
    assert [rule.resource_glob for rule in rules] == [each["resource_glob"] for each in entries]
    assert [line for line in after.splitlines() if line.lstrip().startswith("#")] == [
        line for line in SHIPPED.splitlines() if line.lstrip().startswith("#")
    ]
