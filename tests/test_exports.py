"""What leaves orgscan in formats of others: read by those others, whatever is in it.

`UPDATE_GOLDEN=1 pytest tests/test_exports.py` writes the golden ones anew.
"""

from __future__ import annotations

import csv as reader
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from orgscan.line import Line
from orgscan.model import GLOBAL, Category, Confidence, Money, Owner, Severity
from orgscan.present import asff, csv, jsonl, junit, markdown, ocsf, sarif
from orgscan.present.asff import Product
from orgscan.reconcile import Status
from tests.goldens import golden
from tests.lines import (
    BUCKET,
    CHECKS,
    CLOSED,
    COMPLETE,
    FOUND,
    GONE,
    HOSTILE,
    LINES,
    ROLE,
    SOLVED,
    SSH,
    SUMMARIZED,
    VOLUME,
    WEBSITE,
    line,
)
from tests.readers import PARSER, READERS, batch, in_asff, in_markdown

FORMATS = (csv, jsonl, ocsf, asff, junit, sarif, markdown)
HUB = Product("aws", "999999999999", "eu-central-1")


def written(form: Any, lines: Iterable[Line], summary: Any = SUMMARIZED) -> str:
    text = "".join(form.export(summary, lines, CHECKS))
    text.encode()
    return text


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__.rpartition(".")[2])
@settings(max_examples=15)
@example([line(**dict.fromkeys(("account_name", "resource", "key"), text)) for text in HOSTILE])
@example([line("of-old", problems=(text, text), owner=Owner(text), tags={text: text}) for text in HOSTILE])
@given(lines=st.lists(LINES, max_size=4))
def test_whatever_is_in_it_a_format_stays_whole_and_counts_every_finding(
    form: Any, lines: list[Line]
) -> None:
    assert READERS[form](written(form, lines)) == len(lines)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__.rpartition(".")[2])
def test_many_findings_are_all_counted(form: Any) -> None:
    many = [replace(SSH, id=f"{number:020x}", account=f"{number % 7:012}") for number in range(130)]
    assert READERS[form](written(form, many)) == 130


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__.rpartition(".")[2])
def test_a_scan_that_found_nothing_is_a_whole_file_too(form: Any) -> None:
    assert READERS[form](written(form, [], COMPLETE)) == 0


@pytest.mark.parametrize("form", [csv, jsonl, ocsf, asff, sarif], ids=lambda form: form.__name__)
def test_findings_pass_through_one_by_one(form: Any) -> None:
    taken: list[str] = []

    def lines() -> Iterator[Line]:
        for each in FOUND:
            taken.append(each.id)
            yield each

    text = ""
    for chunk in form.export(SUMMARIZED, lines(), CHECKS):
        text += chunk
        assert len(taken) <= 1 + sum(each.id in text for each in FOUND)


def pretty(texts: Sequence[str]) -> str:
    return "\n".join(json.dumps(json.loads(text), indent=1) for text in texts)


@pytest.mark.parametrize(
    ("name", "form", "shown"),
    [
        ("findings.csv", csv, str),
        ("findings.junit.xml", junit, str),
        ("findings.md", markdown, str),
        ("findings.sarif.json", sarif, lambda text: pretty([text])),
        ("findings.asff.json", asff, lambda text: pretty([text])),
        ("findings.ocsf.json", ocsf, lambda text: pretty(text.splitlines())),
    ],
)
def test_golden(name: str, form: Any, shown: Callable[[str], str]) -> None:
    golden(f"exports/{name}", shown(written(form, [*FOUND, *SOLVED])))


# CSV


@pytest.mark.parametrize("text", ["sgr-0f00ba4 allows tcp 22", "a; b, c - d", "1+1", "it's", "", "5 < 6 @ 7"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert csv.harmless(text) == text


@pytest.mark.parametrize("text", HOSTILE[:14])
def test_what_could_be_a_formula_is_marked_as_text(text: str) -> None:
    told = csv.harmless(text)
    assert told != text
    assert told.replace("'", "") == text.replace("'", "")


def test_columns_are_told_apart_by_their_names() -> None:
    row = next(iter(reader.DictReader(StringIO(written(csv, [VOLUME]), newline=""))))
    assert row["monthly_usd"] == "40.0"
    assert row["age_days"] == "0"
    assert row["problems"] == "attached to nothing for 40 days"
    assert row["fix"] == CHECKS["ebs-volume-unattached"].fix
    assert json.loads(row["tags"]) == VOLUME.tags


# JSON Lines


def test_json_lines_lose_nothing() -> None:
    assert [Line.from_json(json.loads(each)) for each in written(jsonl, FOUND).splitlines()] == [*FOUND]


# OCSF


def events(*lines: Line) -> list[Any]:
    return [json.loads(each) for each in written(ocsf, lines).splitlines()]


def test_what_maps_to_a_framework_is_compliance_and_all_else_detection() -> None:
    assert [each["class_name"] for each in events(SSH, VOLUME)] == ["Compliance Finding", "Detection Finding"]
    (ssh,) = events(SSH)
    assert ssh["compliance"]["standards"][-1] == "FSBP"
    assert "FSBP EC2.13" in ssh["compliance"]["requirements"]
    assert "compliance" not in events(VOLUME)[0]


@pytest.mark.parametrize(
    ("one", "activity", "status"),
    [
        (BUCKET, "Create", "New"),
        (SSH, "Update", "New"),
        (WEBSITE, "Update", "Suppressed"),
        (CLOSED, "Close", "Resolved"),
    ],
)
def test_an_event_says_what_became_of_a_finding(one: Line, activity: str, status: str) -> None:
    (event,) = events(one)
    assert (event["activity_name"], event["status"]) == (activity, status)
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["finding_info"]["uid"] == one.id


def test_a_finding_was_last_seen_when_something_saw_it() -> None:
    assert "last_seen_time" in events(SSH)[0]["finding_info"]
    assert "last_seen_time" not in events(ROLE)[0]["finding_info"], "nothing could confirm it"
    assert "last_seen_time" not in events(CLOSED)[0]["finding_info"], "it was no longer there"


def test_only_what_was_fixed_passes() -> None:
    gone = replace(CLOSED, resolved_because=GONE.resolved_because)
    assert [each["compliance"]["status"] for each in events(SSH, CLOSED, gone)] == ["Fail", "Pass", "Unknown"]


def test_times_are_milliseconds_and_severities_ocsfs() -> None:
    (event,) = events(BUCKET)
    assert event["finding_info"]["first_seen_time"] == 1768456800000
    assert (event["severity_id"], event["severity"]) == (5, "Critical")


# ASFF


def imported(one: Line, product: Product | None = HUB) -> Any:
    return asff.finding(SUMMARIZED, one, CHECKS, product)


def test_a_product_takes_findings_under_its_own_account() -> None:
    finding = imported(SSH)
    assert finding["AwsAccountId"] == "999999999999"
    where = "arn:aws:securityhub:eu-central-1:999999999999"
    assert finding["ProductArn"] == f"{where}:product/999999999999/default"
    assert finding["ProductFields"]["orgscan/Account"] == "111111111111"
    assert finding["Resources"][0]["Region"] == "eu-west-1"


def test_without_a_product_each_account_is_its_own() -> None:
    assert imported(SSH, None)["ProductArn"].split(":")[3:5] == ["eu-west-1", "111111111111"]
    assert imported(ROLE, None)["ProductArn"].split(":")[3:5] == ["us-east-1", "222222222222"]


def test_a_finding_keeps_its_id_whatever_becomes_of_it() -> None:
    worse = replace(SSH, severity=Severity.CRITICAL, problems=("all",), status=Status.RESOLVED)
    assert imported(worse)["Id"] == imported(SSH)["Id"] == imported(SSH, None)["Id"]
    assert len({imported(each)["Id"] for each in (*FOUND, *SOLVED)}) == len((*FOUND, *SOLVED))


@given(LINES)
@settings(max_examples=15)
def test_only_what_is_resolved_is_archived(one: Line) -> None:
    assert (imported(one)["RecordState"] == "ARCHIVED") == (one.status is Status.RESOLVED)
    assert (imported(one)["Workflow"]["Status"] == "SUPPRESSED") == (one.status is Status.SUPPRESSED)


def test_what_nobody_could_confirm_was_not_observed() -> None:
    assert "LastObservedAt" in imported(SSH)
    assert "LastObservedAt" not in imported(ROLE)
    assert imported(ROLE)["RecordState"] == "ACTIVE"


def test_the_longest_finding_is_short_enough() -> None:
    wide = "\U0001f600" * 5000
    tags = {f"{number}{wide}": wide for number in range(60)}
    many: dict[str, Any] = {
        "account_name": wide,
        "resource": wide,
        "key": wide,
        "suppressed_by": wide,
        "problems": (wide,),
    }
    many |= {"tags": tags, "owner": Owner(wide), "saving": Money(1.0, wide, Confidence.LOW)}
    assert in_asff(written(asff, [line(**many)])) == 1


def test_resources_are_of_types_that_security_hub_knows() -> None:
    known = batch().members["Findings"].member.members["Resources"].member.members["Details"].members
    assert {*asff.RESOURCES.values()} <= {*known}
    assert imported(SSH)["Resources"][0]["Type"] == "AwsEc2SecurityGroup"
    assert imported(BUCKET)["Resources"][0]["Type"] == "AwsS3Bucket"
    assert imported(replace(SSH, resource="arn:aws:moon:::lamp/1"))["Resources"][0]["Type"] == "Other"


def test_every_category_has_a_type_of_a_namespace_that_exists() -> None:
    assert {*asff.TYPES} == {*Category}
    assert {each.partition("/")[0] for each in asff.TYPES.values()} == {"Software and Configuration Checks"}


# JUnit


def cases(*lines: Line, summary: Any = SUMMARIZED) -> dict[tuple[str, str], Any]:
    told = JUnitXml.fromstring(written(junit, lines, summary).encode())
    return {(suite.name, case.name): case for suite in told for case in suite}


def test_a_gap_is_an_error_and_nothing_passes_for_it() -> None:
    told = cases(summary={**SUMMARIZED, "more_gaps": 3})
    assert [[type(each) for each in case.result] for case in told.values()] == [[Error]] * 3
    assert ("orgscan coverage", "access denied: sts:AssumeRole") in told


def test_an_incomplete_scan_without_a_named_gap_is_an_error_all_the_same() -> None:
    (case,) = cases(summary={**COMPLETE, "complete": False}).values()
    assert [type(each) for each in case.result] == [Error]


def test_a_complete_scan_passes_where_nothing_is_open() -> None:
    told = cases(CLOSED, WEBSITE, summary=COMPLETE)
    prod = "111111111111 payments-prod"
    assert [type(each) for each in told[prod, "s3-bucket-policy-public"].result] == [Skipped]
    assert told[prod, "ec2-security-group-open-ssh"].result == []
    assert told["orgscan coverage", "100.0% of 620 checks evaluated"].result == []


def test_open_findings_fail_whatever_else_there_is() -> None:
    told = cases(BUCKET, WEBSITE, summary=COMPLETE)
    (failure,) = told["111111111111 payments-prod", "s3-bucket-policy-public"].result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("1 finding: ")
    assert failure.type == "critical"


# SARIF


def run(*lines: Line, summary: Any = SUMMARIZED) -> Any:
    return json.loads(written(sarif, lines, summary))["runs"][0]


def test_sarif_tells_what_was_not_seen() -> None:
    (invocation,) = run(summary={**SUMMARIZED, "more_gaps": 2})["invocations"]
    assert not invocation["executionSuccessful"]
    assert len(invocation["toolExecutionNotifications"]) == 3
    assert run(summary=COMPLETE)["invocations"][0]["executionSuccessful"]


@pytest.mark.parametrize(
    ("one", "kind", "level", "suppressed"),
    [
        (BUCKET, "fail", "error", 0),
        (VOLUME, "fail", "warning", 0),
        (WEBSITE, "fail", "error", 1),
        (CLOSED, "pass", "none", 0),
    ],
)
def test_a_result_says_how_bad_it_is(one: Line, kind: str, level: str, suppressed: int) -> None:
    (result,) = run(one)["results"]
    assert (result["kind"], result["level"], len(result["suppressions"])) == (kind, level, suppressed)
    assert result["partialFingerprints"] == {"orgscan/v1": one.id}


# Markdown


def test_the_table_ends_and_says_how_many_follow() -> None:
    text = "".join(markdown.export(COMPLETE, FOUND, CHECKS, worst=2))
    assert text.count("\n| ") == 4
    assert text.endswith("\nand 3 more findings\n")
    assert "**Open: 2 critical, 1 high, 1 medium**, 40.00 USD a month" in text


@pytest.mark.parametrize(("worst", "end"), [(4, "\nand 1 more finding\n"), (5, "| 73 |  |\n")])
def test_the_last_row_is_counted_too(worst: int, end: str) -> None:
    assert "".join(markdown.export(COMPLETE, FOUND, CHECKS, worst=worst)).endswith(end)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a|b"),
        ("a\\|b", "a\\ |b"),
        ("`a` | <b>", "'a' | <b>"),
        ("a\nb\r\nc", "a b c"),
        ("\\", "\\"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("[x](http://evil.example) @everyone", "[x](http://evil.example) @everyone"),
    ],
)
def test_a_name_stays_in_its_cell_as_it_is(text: str, shown: str) -> None:
    told = written(markdown, [line(account_name=text, resource=text, owner=Owner(text))])
    inside = [child for token in PARSER.parse(told) for child in token.children or ()]
    codes = [child.content for child in inside if child.type == "code_inline"]
    # The scan and two gaps; the row's account, resource, evidence and owner.
    assert codes[3:] == [shown, shown, SSH.problems[0], shown]


def test_many_gaps_are_counted() -> None:
    gaps = [{"reason": "fault", "detail": f"`x|{number}", "checks": 1, "targets": 1} for number in range(9)]
    text = written(markdown, [], {**SUMMARIZED, "gaps": gaps, "more_gaps": 4})
    assert text.count("\n- ") == 6
    assert "- and for 8 other reasons\n" in text
    assert in_markdown(text) == 0


def test_a_global_finding_is_global_everywhere() -> None:
    assert ROLE.region == GLOBAL
    assert "Region" not in imported(ROLE)["Resources"][0]
    assert "region" not in events(ROLE)[0]["cloud"]
