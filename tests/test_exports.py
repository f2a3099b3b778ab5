"""What leaves orgscan in formats of others: read by those others, whatever is in it.

`UPDATE_GOLDEN=1 pytest tests/test_exports.py` writes the golden ones anew.
"""

from __future__ import annotations

import csv as reader
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from io import StringIO
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from fluidattacks_core.sarif import SarifLog
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

from orgscan.line import Line
from orgscan.model import GLOBAL, Category, Confidence, Money, Owner, Severity
from orgscan.present import asff, csv, jsonl, junit, markdown, ocsf, sarif
from orgscan.present.asff import LONGEST, Product
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

FORMATS = (csv, jsonl, ocsf, asff, junit, sarif, markdown)
HUB = Product("aws", "999999999999", "eu-central-1")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff0b", "\uff0d", "\uff1d", "\uff20")


def written(form: Any, lines: Iterable[Line], summary: Any = SUMMARIZED) -> str:
    text = "".join(form.export(summary, lines, CHECKS))
    text.encode()
    return text


# Each format as its readers have it: they refuse what is wrong, and say how many findings there are.


def in_csv(text: str) -> int:
    rows = [*reader.reader(StringIO(text, newline=""), strict=True)]
    assert rows[0] == [*csv.COLUMNS]
    assert {len(row) for row in rows} == {len(csv.COLUMNS)}
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if formula(cell)] == []
    return len(rows) - 1


def formula(cell: str) -> bool:
    """Whether any spreadsheet could find one in it."""
    parts = [cell, *re.split("[;\t\r\n]", cell)]
    return cell.startswith(FORMULAS) or any(
        part.lstrip(' \xa0\ufeff"').startswith(FORMULAS) for part in parts
    )


def in_jsonl(text: str) -> int:
    return len([Line.from_json(json.loads(each)) for each in text.splitlines()])


@cache
def schema(name: str) -> Draft202012Validator:
    """As OCSF publishes it; members that it does not know are wrong."""
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=ocsf.VERSION))
    return Draft202012Validator(published.get_class_schema(class_name=name, profiles=["cloud"]))


def in_ocsf(text: str) -> int:
    events = [json.loads(each) for each in text.splitlines()]
    classes: dict[int, tuple[str, Any]] = {
        2003: ("compliance_finding", ComplianceFinding),
        2004: ("detection_finding", DetectionFinding),
    }
    for event in events:
        name, model = classes[event["class_uid"]]
        assert [error.message for error in schema(name).iter_errors(event)] == []
        model.model_validate(event)
    return len(events)


@cache
def batch() -> Any:
    session = botocore.session.get_session()
    model = session.get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def amiss(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What AWS refuses and botocore lets through: values beside an enumeration or a pattern."""
    if shape.type_name == "structure":
        for name, each in value.items():
            yield from amiss(shape.members[name], each, f"{path}.{name}")
    elif shape.type_name == "list":
        for each in value:
            yield from amiss(shape.member, each, path)
    elif shape.type_name == "map":
        for name, each in value.items():
            yield from amiss(shape.key, name, path)
            yield from amiss(shape.value, each, f"{path}.{name}")
    elif "enum" in shape.metadata and value not in shape.metadata["enum"]:
        yield f"{path}: {value}"
    elif "pattern" in shape.metadata and not re.search(shape.metadata["pattern"], value):
        yield f"{path}: {value!r}"


def in_asff(text: str) -> int:
    findings = json.loads(text)
    for finding in findings:
        asked = {"Findings": [finding]}
        assert ParamValidator().validate(asked, batch()).generate_report() == ""
        assert [*amiss(batch(), asked)] == []
        within_limits(finding)
    return len(findings)


def within_limits(finding: Any) -> None:
    """Those that AWS documents and its model does not have."""
    assert len(json.dumps(finding)) < LONGEST
    assert len(finding["Id"]) <= 512
    assert len(finding["GeneratorId"]) <= 512
    assert len(finding["Title"]) <= 256
    assert len(finding["Description"]) <= 1024
    assert len(finding["Types"]) <= 50
    assert all(len(each.split("/")) <= 3 for each in finding["Types"])
    assert len(finding["ProductFields"]) <= 50
    assert all(len(key) <= 128 and len(value) <= 2048 for key, value in finding["ProductFields"].items())
    (resource,) = finding["Resources"]
    assert len(resource["Id"]) <= 512
    assert len(resource.get("Tags", {})) <= 50
    recommended = finding.get("Remediation", {}).get("Recommendation", {"Text": ""})
    assert len(recommended["Text"]) <= 512
    assert len(finding.get("Compliance", {}).get("RelatedRequirements", ())) <= 32


def in_junit(text: str) -> int:
    told = JUnitXml.fromstring(text.encode())
    assert (told.tests, told.failures, told.errors, told.skipped) == tuple(
        sum(getattr(suite, name) for suite in told) for name in ("tests", "failures", "errors", "skipped")
    )
    findings = 0
    for suite in told:
        cases = [*suite]
        assert suite.tests == len(cases) > 0
        for name, kind in {"failures": Failure, "errors": Error, "skipped": Skipped}.items():
            assert getattr(suite, name) == sum(
                isinstance(each, kind) for case in cases for each in case.result
            )
        for case in cases:
            texts = [case.system_out or "", *(each.text or "" for each in case.result)]
            findings += sum(each.startswith("- ") for text in texts for each in text.splitlines())
    return findings


def in_sarif(text: str) -> int:
    log = SarifLog.model_validate_json(text)
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert "ruleIndex" not in result or rules[result["ruleIndex"]] == result["ruleId"]
        assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]]", result["message"]["text"]), (
            "a viewer would make a link"
        )
    assert log.runs
    return len(run["results"])


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def in_markdown(text: str) -> int:
    tokens = PARSER.parse(text)
    kinds = [token.type for token in tokens]
    rows = max(0, kinds.count("tr_open") - 1)
    assert kinds.count("table_open") == min(1, rows)
    assert kinds.count("td_open") == rows * len(markdown.HEAD)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "code_inline", "strong_open", "strong_close"}
    assert not {"html_block", "code_block", "fence"} & {*kinds}
    prose = "".join(child.content for child in inline if child.type == "text")
    assert not re.search("@|https?:|www|#", prose), "GitHub would make a link of it, or tell somebody"
    more = re.search(r"^and ([\d,]+) more findings?$", text, re.MULTILINE)
    return rows + (int(more[1].replace(",", "")) if more else 0)


READERS: dict[Any, Callable[[str], int]] = {
    csv: in_csv,
    jsonl: in_jsonl,
    ocsf: in_ocsf,
    asff: in_asff,
    junit: in_junit,
    sarif: in_sarif,
    markdown: in_markdown,
}


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
