"""Those for whom exports are: each refuses what is wrong in its format, and counts the findings in it."""

from __future__ import annotations

import csv as reader
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from io import StringIO
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from fluidattacks_core.sarif import SarifLog
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

from orgscan.line import Line
from orgscan.present import asff, csv, jsonl, junit, markdown, ocsf, sarif
from orgscan.present.asff import LONGEST

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff0b", "\uff0d", "\uff1d", "\uff20")


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
