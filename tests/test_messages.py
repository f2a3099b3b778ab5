"""What a route is told through each of its channels. `UPDATE_GOLDEN=1` writes the golden texts anew."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orgscan.links import Links
from orgscan.messages import Channel, Kind, Message, attributes, of_route
from orgscan.model import Blindness, Severity
from orgscan.notify import ROUTE
from orgscan.present.chat import DESCRIPTION, SIZE, code
from orgscan.present.machine import SIZE as MACHINE_SIZE
from orgscan.present.mail import Mail
from orgscan.receipt import Receipt, Unseen
from orgscan.reconcile import Change
from orgscan.settings import Route
from orgscan.summary import QUIET, Ending, ScanSummary, summarise
from tests.goldens import golden
from tests.receipts import FINISHED, PROD, RESULTS, notable, plan, receipt
from tests.test_mail import (
    MOVES,
    RULES,
    accepted,
    comings_and_goings,
    first_scan,
    hostile,
    only_resolved,
    receipts,
    ten_thousand,
)

EVERYWHERE = Route(name="security", chat=True, machine=True)
SECRET = "https://acme.s3.eu-west-1.amazonaws.com/report.html?X-Amz-Signature=5ec4e7"
CONSOLE = (
    "https://eu-west-1.console.aws.amazon.com/s3/object/acme?region=eu-west-1&prefix=scans/1/report.html"
)
LINKS = Links(results=RESULTS, console=CONSOLE, report=SECRET, expires=datetime(2026, 1, 15, 7, tzinfo=UTC))
TEXT = Mail("[orgscan] 2 new critical (3 accounts)", f"COMPLETE: 100.0%\n{SECRET}\n")

_TEXT = {"type": "string", "minLength": 1}
NOTIFICATION = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "source", "content"],
        "properties": {
            "version": {"const": "1.0"},
            "source": {"const": "custom"},
            "id": _TEXT,
            "content": {
                "type": "object",
                "additionalProperties": False,
                "required": ["description"],
                "properties": {
                    "textType": {"const": "client-markdown"},
                    "title": _TEXT,
                    "description": _TEXT,
                    "nextSteps": {"type": "array", "items": _TEXT},
                    "keywords": {"type": "array", "items": _TEXT},
                },
            },
            "metadata": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "threadId": _TEXT,
                    "summary": _TEXT,
                    "eventType": _TEXT,
                    "relatedResources": {"type": "array", "items": _TEXT},
                    "additionalContext": {"type": "object", "additionalProperties": _TEXT},
                },
            },
        },
    }
)
"""As the Amazon Q Developer's guide describes custom notifications."""


def told(summary: ScanSummary, route: Route = EVERYWHERE) -> dict[Channel, Message]:
    return {each.channel: each for each in of_route(route, summary, TEXT, LINKS)}


def notification(summary: ScanSummary) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(told(summary)[Channel.CHAT].body)
    return read


def data(summary: ScanSummary) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(told(summary)[Channel.MACHINE].body)
    return read


SCENES = [first_scan, only_resolved, ten_thousand, hostile, accepted, comings_and_goings]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_golden(scene: Callable[[], ScanSummary]) -> None:
    read = notification(scene())
    content = read.pop("content")
    steps = "\n".join(f"* {step}" for step in content["nextSteps"])
    chat = f"{content['title']}\n\n{content['description']}\n\n{steps}\n\n{json.dumps(read, indent=1)}\n"
    golden(f"chat/{scene.__name__}.txt", chat)
    golden(f"machine/{scene.__name__}.json", json.dumps(data(scene()), indent=1) + "\n")


@pytest.mark.parametrize(
    ("route", "channels"),
    [
        (EVERYWHERE, ["mail", "chat", "machine"]),
        (Route(name="a"), ["mail"]),
        (Route(name="a", mail=False, chat=True), ["chat"]),
        (Route(name="a", mail=False, machine=True), ["machine"]),
    ],
)
def test_one_message_for_each_channel(route: Route, channels: list[str]) -> None:
    summary = first_scan()
    messages = [*of_route(route, summary, TEXT, LINKS)]
    assert [each.channel for each in messages] == channels
    assert len({each.mark for each in messages}) == len(channels)
    for each in messages:
        assert (each.route, each.subject) == (route.name, TEXT.subject)
        assert each.attributes == attributes(summary, Kind.CHANGES)
        assert (each.body == TEXT.body) == (each.channel == "mail")


def test_a_mail_is_marked_as_it_always_was() -> None:
    """Otherwise an upgrade between two attempts would send it twice."""
    assert Message("security", "s", "b").mark == "security"


def test_only_the_mail_has_the_link_that_asks_nobody_who_he_is() -> None:
    messages = told(first_scan())
    assert SECRET in messages[Channel.MAIL].body
    for channel in (Channel.CHAT, Channel.MACHINE):
        assert "Signature" not in messages[channel].body
        assert CONSOLE in messages[channel].body


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ((), "none"),
        ((notable(severity=Severity.CRITICAL, change=Change.RESOLVED),), "none"),
        ((notable(severity=Severity.LOW), notable(severity=Severity.HIGH, change=Change.WORSENED)), "high"),
        ((notable(severity=Severity.CRITICAL, change=Change.EASED), notable()), "high"),
    ],
)
def test_a_severity_is_of_what_alarms(changes: tuple[Any, ...], severity: str) -> None:
    summary = summarise(plan(), [receipt(PROD, *changes)], finished=FINISHED)
    assert attributes(summary, Kind.CHANGES)["severity"] == severity


def test_attributes_say_why_whose_and_how_complete() -> None:
    summary = first_scan()
    assert attributes(summary, Kind.CHANGES) == {
        "kind": "changes",
        "severity": "critical",
        "verdict": "incomplete",
        "schedule": "nightly",
    }
    digest = summarise(plan(schedule="", digest=True), [receipt(PROD)], finished=FINISHED)
    (mail,) = of_route(Route(name="a"), digest, TEXT, LINKS)
    assert mail.attributes == {
        "kind": "digest",
        "severity": "none",
        "verdict": "complete",
        "schedule": "on-demand",
    }


@settings(max_examples=15)
@given(
    st.lists(receipts(), min_size=1, max_size=4),
    st.lists(MOVES, max_size=8),
    st.lists(st.builds(Ending, st.sampled_from(RULES), st.integers(-400, 7), st.booleans()), max_size=5),
)
def test_whatever_happened_messages_keep_their_limits_and_their_counts(
    left: list[Receipt], moved: list[Any], endings: list[Ending]
) -> None:
    summary = summarise(plan(), left, finished=FINISHED, moves=moved, endings=endings, route=EVERYWHERE)
    messages = told(summary)
    chat_is_right(messages[Channel.CHAT].body, summary)
    data_is_right(messages[Channel.MACHINE].body, summary)
    assert all(len({ROUTE, *each.attributes}) <= 5 for each in messages.values())


def chat_is_right(body: str, summary: ScanSummary) -> None:
    read = json.loads(body)
    NOTIFICATION.validate(read)
    assert len(body) <= SIZE
    assert body.isascii()
    description = read["content"]["description"]
    assert len(description) <= DESCRIPTION
    harmless(read)
    for change in {*Change} - {*QUIET}:
        section = [part for part in description.split("\n\n") if part.startswith(f"*{change.upper()}: ")]
        assert sum(map(counted, section)) == summary.count(change)
        heading = section[0].partition("\n")[0] if section else ""
        assert sum(number(count) for count in re.findall(r"([\d,]+) [a-z]", heading)) == summary.count(change)
    missing = summary.units - summary.evaluated
    assert (f"*NOT SEEN: {missing:,} check" in description) == (missing > 0)
    assert description.startswith("*COMPLETE: 100.0%") == summary.complete


def data_is_right(body: str, summary: ScanSummary) -> None:
    assert body.isascii()
    assert len(body) < MACHINE_SIZE
    read = json.loads(body)
    assert read["verdict"] == ("complete" if summary.complete else "incomplete")
    sums = Counter[str]()
    for change in read["changes"]:
        assert change["findings"] == len(change["examples"]) + change["more"]
        assert change["more"] >= 0
        sums[change["change"]] += change["findings"]
    if not read["more_changes"]["causes"]:
        assert sums == {each: summary.count(each) for each in Change if summary.count(each)}
    assert sums.total() + read["more_changes"]["findings"] == summary.changes.total()
    missing = sum(gap["checks"] for gap in read["gaps"]) + read["more_gaps"]
    assert missing == summary.units - summary.evaluated


def number(text: str) -> int:
    return int(text.replace(",", ""))


def counted(section: str) -> int:
    """What the lines under a heading account for."""
    total = 0
    for line in section.splitlines()[1:]:
        if rest := re.fullmatch(r"- (?:and )?([\d,]+) (?:more )?findings?", line):
            total += number(rest[1])
        else:
            cause = re.match(r"- [A-Z]+ `[^`]+`(?: \(([\d,]+)\))?", line)
            assert cause, line
            total += number(cause[1] or "1")
    return total


def harmless(read: dict[str, Any]) -> None:
    """What is not ours stands in code spans, and holds nothing that calls or leads anywhere."""
    content = read["content"]
    steps = [step for step in content["nextSteps"] if CONSOLE not in step]
    for text in (content["title"], content["description"], *steps, *read["metadata"]["relatedResources"]):
        assert not re.search("[<>&@]|://", text.replace(RESULTS, "")), text
        assert text.isascii()
    for text in (content["title"], content["description"], *steps):
        outside = re.sub("`[^`\n]*`", "", text)
        assert "`" not in outside
        assert not re.search(r"[][_~|#\\!]", outside), outside
    assert len(content["nextSteps"]) == len(steps) + 1


NASTY = (
    "<!channel> <!here|x> <@U012> @here @channel @everyone",
    "<https://evil.example|Open the report> [x](https://evil.example) https://evil.example",
    "`; *bold* _it_ ~no~ ```\n# COMPLETE: 100.0% of 9 checks evaluated",
    "\u2028\x1b[2J\U0001f600" * 9,
    "",
)


@pytest.mark.parametrize("name", NASTY)
def test_a_name_cannot_ping_lead_or_format(name: str) -> None:
    assert re.fullmatch("`[^`\n]+`", code(name))
    where = replace(PROD, account_name=name)
    bad = notable(resource=f"arn:aws:s3:::{name}", problem=name, severity=Severity.CRITICAL)
    summary = summarise(plan(schedule="night"), [receipt(where, bad, newly_blind=("a",))], finished=FINISHED)
    harmless(notification(summary))


def test_a_flood_of_long_causes_is_cut_and_counted() -> None:
    """Names of four bytes each, which JSON makes twelve of."""
    long = "\U0001f600" * 2_000
    where = replace(PROD, account_name=long)
    changes = [notable(f"check-{each}", resource=long, problem=long) for each in range(300)]
    fixed = notable("closed-check", change=Change.RESOLVED, because="fixed")
    gaps = [Unseen(Blindness.FAULT, f"{each} {long}", ("a",)) for each in range(25)]
    summary = summarise(plan(), [receipt(where, *changes, fixed, unseen=gaps)], finished=FINISHED)
    body = told(summary)[Channel.MACHINE].body
    read = json.loads(body)
    assert 100_000 < len(body) < MACHINE_SIZE
    assert read["changes"]
    assert len(read["changes"]) + read["more_changes"]["causes"] == 301
    chat_is_right(told(summary)[Channel.CHAT].body, summary)
    description = notification(summary)["content"]["description"]
    assert re.search(r"\n- and \d+ more findings\n", description)
    assert "- HIGH `closed-check`" in description, "the flood does not bury what else happened"
