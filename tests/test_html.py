"""The report as a file: what is in it, and what can never be."""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan import catalog
from orgscan.catalog import AnyCheck
from orgscan.fixes import Cause, Sums, removed, top_fixes
from orgscan.line import Line
from orgscan.model import Category, Confidence, Money, Owner, Severity
from orgscan.present import html
from orgscan.present.columns import LONGEST, PROBLEMS, packed, shown
from orgscan.present.gaps import ADVICE
from orgscan.reconcile import Status
from orgscan.remedy import commands
from tests.reports import HOSTILE, Scene, hostile, noted, of, scene

ROOT = Path(__file__).parents[1]
MEGABYTES = 1_000_000
MENDING = ("aws ec2 modify-it --id {name} --region {region}", "aws tag-it --arn {arn} --set <value>")


def mendable() -> list[AnyCheck]:
    return [replace(check, cli=MENDING, cdk="aws_ec2.CfnIt(\n    self)") for check in catalog.checks()]


def made(told: Scene, **different: Any) -> bytes:
    given: dict[str, Any] = {
        "compliance": told.compliance,
        "tags": told.tags,
        "rollup": told.rollup,
        "trend": told.trend,
        "checks": mendable(),
        **noted(different.pop("lines", told.lines), different.pop("resolved", told.resolved)),
    }
    return html.page(told.summary, **{**given, **different})


class Elements(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.texts: dict[str, str] = {}
        """'<tag>#<id>' -> what stands in it."""
        self._inside = ""
        self.visible: list[str] = []
        self.feed(body.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))
        self._inside = f"{tag}#{dict(attrs).get('id')}"

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data
        if not self._inside.startswith(("script#", "style#")):
            self.visible.append(data)


def data(body: bytes) -> dict[str, Any]:
    block = body.decode().partition('id="data">')[2].partition("</script>")[0]
    told: dict[str, Any] = json.loads(block)
    return told


def unpacked(told: Mapping[str, Any], row: int) -> dict[str, Any]:
    """One finding, as the page's script reads it."""
    words: Sequence[str] = told["words"]

    def number(column: str) -> Any:
        return told[column] if isinstance(told[column], int) else told[column][row]

    resource = words[number("front")] + words[number("end")]
    parts = [resource, words[number("end")], words[number("account")], words[number("region")]]

    def whole(each: int) -> str:
        return re.sub("[\1-\4]", lambda mark: parts[ord(mark[0]) - 1], words[each])

    return {
        "id": told["ids"][row],
        "resource": resource,
        "problems": [whole(each) for each in told["problems"][row]],
        "commands": [whole(each) for each in told["commands"][row]],
        "tags": told["tags"][row]
        if told["tags"][row] is None
        else [words[each] for each in told["tags"][row]],
        "owner": words[number("owner")],
        "severity": words[number("severity")],
        "usd": told["usd"][row],
        "history": [words[each] for each in told["history"][row]],
    }


def as_shown(line: Line, offered: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "id": line.id,
        "resource": shown(line.resource),
        "problems": [shown(each) for each in line.problems],
        "commands": [each for each in offered if each == shown(each)],
        "tags": line.tags
        if line.tags is None
        else [shown(each) for pair in line.tags.items() for each in pair],
        "owner": shown(line.owner.name),
        "severity": line.severity,
        "usd": line.saving and line.saving.monthly_usd,
        "history": [each for event in line.history for each in (event.when, event.change)],
    }


def test_ten_thousand_findings_stay_below_three_megabytes() -> None:
    body = made(scene(10_000))
    assert len(body) < 3 * MEGABYTES
    told = data(body)
    assert len(told["findings"]["ids"]) == 10_000
    assert told["more"] == 0


def test_the_page_has_every_finding_whole() -> None:
    told, known = data(made(scene())), {check.id: check for check in mendable()}
    lines = {line.id: line for line in scene().lines}
    rows = [unpacked(told["findings"], row) for row in range(len(told["findings"]["ids"]))]
    assert len(rows) == len(lines) == len({each["id"] for each in rows})
    for row in rows:
        line = lines[row["id"]]
        assert row == as_shown(line, commands(known[line.check], line))
    assert {unpacked(told["resolved"], row)["id"] for row in range(len(told["resolved"]["ids"]))} == {
        line.id for line in scene().resolved
    }


def test_its_counts_are_those_of_the_findings() -> None:
    told, lines = data(made(scene())), [line for line in scene().lines if line.status is Status.OPEN]
    findings = Counter(line.severity for line in lines)
    assert Counter({each: sum(of.values()) for each, of in told["summary"]["open"].items()}) == findings
    regions: Counter[str] = sum((Counter(each) for each in told["regions"].values()), Counter())
    assert regions == findings
    assert told["trend"][-1]["open"] == findings
    assert sum(sum(each[1].values()) for each in told["savings"]) == pytest.approx(
        sum(line.saving.monthly_usd for line in lines if line.saving), abs=1
    )
    body = Elements(made(scene()))
    said = " ".join("".join(body.visible).split())
    for severity in Severity:
        assert f"{findings[severity]:,} {severity}" in said
    assert f"{len(lines):,} open in all" in said


def test_the_same_scan_makes_the_same_bytes_whatever_order_its_findings_come_in() -> None:
    assert made(scene()) == made(scene())
    assert made(scene()) == made(scene(), lines=reversed(scene().lines), resolved=scene().resolved[::-1])


def test_too_many_findings_leave_the_worst_and_say_how_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST", 50)
    monkeypatch.setattr(html, "MOST_RESOLVED", 3)
    told = data(made(scene()))
    kept = [unpacked(told["findings"], row) for row in range(50)]
    ranks = sorted((line.severity.rank for line in scene().lines if line.status is Status.OPEN), reverse=True)
    assert [Severity(each["severity"]).rank for each in kept] == ranks[:50]
    assert told["more"] == len(scene().lines) - 50
    assert told["more_resolved"] == len(scene().resolved) - 3
    assert told["summary"] == data(made(scene()))["summary"]
    assert sum(told["fixes"]["removed"]["critical"][1:]) == sum(
        line.severity is Severity.CRITICAL and line.status is Status.OPEN for line in scene().lines
    )


def test_a_finding_without_end_is_cut() -> None:
    line = replace(scene().lines[0], problems=("x" * 5000, *(f"problem {number}" for number in range(90))))
    told = data(made(of([line])))["findings"]
    assert told["more"] == 91 - PROBLEMS
    assert len(unpacked(told, 0)["problems"]) == PROBLEMS
    assert len(unpacked(told, 0)["problems"][0]) < LONGEST + 10


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    tame, wild = Elements(made(hostile("tame"))), Elements(made(hostile(text)))
    assert [tag for tag, _ in wild.tags] == [tag for tag, _ in tame.tags]
    told = data(made(hostile(text)))
    assert unpacked(told["findings"], 0)["owner"] == shown(text)
    assert told["summary"]["gaps"][0]["detail"] == shown(text)
    block = wild.texts["script#data"]
    assert not {*"<>&\u2028\u2029\u202e"} & {*block}


def test_a_command_that_cannot_be_shown_is_not_offered() -> None:
    line = replace(hostile("tame").lines[0], resource="arn:aws:s3:::bucket-\u202egnp.exe")
    told = data(made(of([line])))["findings"]
    assert unpacked(told, 0)["resource"] == "arn:aws:s3:::bucket-\ufffdgnp.exe"
    assert unpacked(told, 0)["commands"] == []


TEXT = st.text(max_size=30)


@settings(max_examples=40, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=4), st.dictionaries(TEXT, TEXT, max_size=3), st.data())
def test_whatever_a_finding_says_comes_back(
    resource: str,
    region: str,
    account: str,
    owner: str,
    problems: list[str],
    tags: dict[str, str],
    draw: st.DataObject,
) -> None:
    named = draw.draw(st.lists(st.sampled_from([resource, region, account, "\1", "at"]), max_size=3))
    line = replace(
        scene().lines[0],
        resource=resource,
        region=region,
        account=account,
        owner=Owner(owner),
        problems=(*problems, " ".join(named)),
        tags=tags,
    )
    offered = [f"aws it --id '{resource}' --region {region}"]
    told = json.loads(json.dumps(packed([line, line], lambda _: offered)))
    assert unpacked(told, 1) == as_shown(line, offered)


def test_nothing_else_may_run_and_nobody_is_asked() -> None:
    parsed = Elements(made(scene()))
    policy = next(dict(attrs)["content"] for tag, attrs in parsed.tags if ("http-equiv" in dict(attrs)))
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def allowed(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "script-src": allowed(parsed.texts["script#None"]),
        "style-src": allowed(parsed.texts["style#None"]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not [attrs for _, attrs in parsed.tags if {"src", "style", "onclick", "onload"} & {*dict(attrs)}]
    links = [dict(attrs)["href"] for _, attrs in parsed.tags if "href" in dict(attrs)]
    assert all(str(each).startswith("#") for each in links)
    assert not re.search(r"url\(|@import", parsed.texts["style#None"])


def test_only_references_that_are_https_are_links() -> None:
    bad = [
        replace(check, refs=("javascript:alert(1)", "https://docs.example/")) for check in catalog.checks()
    ]
    told = data(made(scene(), checks=bad))
    assert {ref for check in told["checks"].values() for ref in check["refs"]} == {"https://docs.example/"}


def test_findings_of_a_check_that_is_gone_are_shown() -> None:
    line = replace(scene().lines[0], check="check-of-yesterday")
    told = data(made(of([line])))
    assert told["findings"]["ids"] == [line.id]
    assert told["checks"] == {}


def test_a_scan_that_found_nothing_is_a_page_too() -> None:
    told = data(made(of([])))
    assert told["findings"] == {"ids": [], "words": []}
    assert told["fixes"]["causes"] == []


def test_the_trend_is_of_the_same_schedule_and_ends_with_this_scan() -> None:
    other = {**scene().trend[0], "schedule": "weekly", "scan": "another"}
    told = data(made(scene(), trend=[scene().summary, other, *scene().trend]))["trend"]
    assert [each["started"] for each in told] == sorted({each["started"] for each in told})
    assert len(told) == 31
    assert told[-1]["scan"] == scene().summary["scan"]
    assert "another" not in [each["scan"] for each in told]


def test_advice_is_that_of_the_manual() -> None:
    manual = (ROOT / "docs/operating.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", manual, re.MULTILINE)
    told = {reason: (meaning, advice.replace(" (below)", "")) for reason, meaning, advice in rows}
    assert {reason: told[reason] for reason in ADVICE} == ADVICE


COUNTS = st.dictionaries(st.sampled_from(Severity), st.integers(1, 9), min_size=1)
CAUSES = st.dictionaries(st.sampled_from("abcdefg"), COUNTS.map(lambda counts: Cause(Counter(counts))))


@given(CAUSES, st.integers(1, 5))
def test_no_other_causes_remove_more_of_the_worst(causes: dict[str, Cause], most: int) -> None:
    chosen = top_fixes(causes, most)
    assert len(chosen) == len({*chosen}) == min(most, len(causes))
    gone = removed(causes, chosen)
    assert gone == {each: gone[each] for each in reversed(Severity) if each in gone}
    for severity, (part, whole) in gone.items():
        assert 0 <= part <= whole == sum(cause.findings[severity] for cause in causes.values())
    if causes:
        worst = next(iter(gone))
        best = max(removed(causes, other)[worst][0] for other in combinations(causes, len(chosen)))
        assert gone[worst][0] == best


def test_only_open_findings_are_causes() -> None:
    opened = replace(scene().lines[0], check="a", status=Status.OPEN, saving=None, category=Category.COST)
    priced = replace(opened, saving=Money(2.5, "list price", Confidence.LOW))
    accepted = replace(opened, status=Status.SUPPRESSED)
    sums = Sums()
    assert [*sums.passing([opened, priced, accepted])] == [opened, priced, accepted]
    assert sums.causes["a"].findings.total() == 2
    assert sums.causes["a"].monthly_usd == 2.5
    assert sums.causes["a"].unpriced == 1
