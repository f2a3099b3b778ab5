"""Documents that say what the code says, and go on saying it."""

import json
import re
import shlex
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import check_pages, compliance_pages, docs, permission_pages
from cli.describe import ADVISOR, describe, elsewhere, service
from cli.main import app
from cli.markdown import prose
from infra import config, tags, yaml_text
from infra.fields import REGIONS
from orgscan import catalog, iam, regions
from orgscan.catalog import AnyCheck
from orgscan.compliance import Framework, frameworks, split
from orgscan.model import Blindness
from orgscan.request import Nameable, ScanRequest
from tests.goldens import golden
from tests.invented import CATALOG, FRAMEWORKS

ROOT = Path(__file__).parents[1]
WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_generated_documents_are_up_to_date() -> None:
    assert docs.stale(docs.DOCS) == [], "run `make docs` and commit what it writes"


def test_writing_repairs_what_is_stale_and_removes_what_is_gone(tmp_path: Path) -> None:
    assert len(docs.write(tmp_path)) == len(docs.pages())
    page = tmp_path / "checks" / "ec2.md"
    page.write_text("edited by hand")
    gone = tmp_path / "checks" / "gone.md"
    gone.write_text("a service without checks")
    old = tmp_path / "compliance" / "cis-aws-1.0.md"
    old.write_text("a framework of old")
    assert docs.write(tmp_path) == ["checks/ec2.md", "checks/gone.md", "compliance/cis-aws-1.0.md"]
    assert docs.stale(tmp_path) == []
    assert not gone.exists()


def test_every_check_has_its_section() -> None:
    pages = "\n".join(docs.pages().values())
    assert [check.id for check in catalog.checks() if f"\n## {check.id}\n" not in pages] == []


INVENTED = {
    **check_pages.pages(CATALOG, FRAMEWORKS),
    **compliance_pages.pages(CATALOG, FRAMEWORKS, "Read on the <moon>, with *care*."),
    **permission_pages.pages(CATALOG),
}


@pytest.mark.parametrize("path", INVENTED)
def test_golden_pages(path: str) -> None:
    golden(f"docs/{path}", INVENTED[path])


def test_every_check_is_in_the_index_under_its_service() -> None:
    index = docs.pages()["checks/README.md"]
    sections = {
        re.sub(r"^## \[(.*?)\].*", r"\1", part.partition("\n")[0]): part
        for part in re.split(r"\n(?=## )", index)[1:]
    }
    for check in catalog.checks():
        assert f"[`{check.id}`]({service(check)}.md#{check.id})" in sections[service(check)]


@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_a_section_says_all_that_is_declared(check: AnyCheck) -> None:
    text = docs.pages()[f"checks/{service(check)}.md"]
    section = re.split(r"\n## ", text.partition(f"\n## {check.id}\n")[2])[0]
    told = describe(check)
    for word in (*told["judges"], *told["reads"], *told["permissions"], *told["was"], *told["looks_at"]):
        assert f"`{word}`" in section
    pasted = section.replace(" \\\n   ", "")
    for each in (*(each["command"] for each in told["cli"]), told["cdk"]):
        assert each in pasted
    for name, control in map(split, check.maps):
        assert re.search(rf"\[{re.escape(name)}\]\([^)]*\)[^\[]*\b{re.escape(control)}\b", section)
    for tool, id_, name in map(elsewhere, check.equivalent):
        assert id_ in section.replace("\\", "")
        assert prose(name) in section
        assert tool in ("prowler", "trusted-advisor")
    examples = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert [_thresholds(example, check.id) for example in examples] == (
        [told["parameters"]] if check.parameters else []
    )


def _thresholds(example: str, check: str) -> dict[str, Any]:
    told = yaml_text.read(example)
    own: dict[str, Any] = {}
    if "tag_policies" in told:
        single = check in tags.OF_ONE
        own = {"policy": told["tag_policies"][0]} if single else {"policies": told["tag_policies"]}
    return {**own, **told.get("checks", {"parameters": {check: {}}})["parameters"][check]}


def test_examples_of_thresholds_are_accepted_as_configuration(tmp_path: Path) -> None:
    """All together; they are the defaults, so they change nothing."""
    texts = [text for path, text in docs.pages().items() if path.startswith("checks/")]
    examples = [each for text in texts for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    told = yaml_text.read((ROOT / "orgscan.yaml").read_text(encoding="utf-8"))
    for each in map(yaml_text.read, examples):
        told["checks"]["parameters"] |= each.get("checks", {}).get("parameters", {})
        told |= {section: value for section, value in each.items() if section != "checks"}
    file = tmp_path / "orgscan.yaml"
    file.write_text(json.dumps(told))
    runtime = config.load(file, today=datetime.now(UTC).date()).runtime()
    assert runtime.parameters.keys() <= {*tags.JUDGING, *tags.OF_ONE}, (
        "only what differs from the defaults is kept"
    )


@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_ids_of_trusted_advisor_have_a_name(check: AnyCheck) -> None:
    """Where it is not the name itself."""
    for tool, id_, name in map(elsewhere, check.equivalent):
        assert tool != ADVISOR or name or " " in id_, f"add {id_} to cli/trusted_advisor.json"


@pytest.mark.parametrize("framework", frameworks(), ids=lambda each: each.name)
def test_every_control_is_on_the_page_of_its_framework(framework: Framework) -> None:
    text = docs.pages()[f"compliance/{compliance_pages.file_of(framework)}"]
    covering = framework.covering(catalog.checks())
    for control in framework.controls:
        (row, *_) = [
            line for line in text.splitlines() if re.search(rf"[|,] {re.escape(control.number)}[ ,]", line)
        ]
        ids = re.findall(r"\[`([a-z0-9-]+)`\]", row)
        assert ids == [*covering[control.number]]


def test_the_policy_fits_every_partition_and_is_sorted() -> None:
    told = json.loads(docs.pages()["permissions.json"])
    (statement,) = told["Statement"]
    assert statement["Action"] == sorted({iam.action(call) for call in catalog.calls()})
    assert statement["Resource"] == "*"
    assert "arn:" not in json.dumps(told)


@pytest.mark.parametrize("path", docs.pages())
def test_pages_are_no_walls(path: str) -> None:
    """What stands unfolded in a cell or a paragraph can be read at a glance."""
    text = re.sub(r"\]\([^)]*\)", "]", docs.pages()[path])
    text = re.sub(r"</summary>.*?</details>", "", text, flags=re.DOTALL)
    for paragraph in text.split("\n\n"):
        if not paragraph.startswith(("|", "- ", "```")) and not path.endswith(".json"):
            assert len(paragraph) < 1_200
    for line in text.splitlines():
        if line.startswith("|"):
            assert max(map(len, re.split(r"\||<br>", line))) < 500, line


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_operating_explains_every_reason_not_to_see() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [reason for reason in Blindness if f"| `{reason}` |" not in text] == []


def test_operating_explains_every_field_of_a_request() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(ScanRequest) if f"| `{field.name}` |" not in text] == []


def test_requests_that_documents_show_are_accepted() -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in WRITTEN)
    commands = re.findall(r"aws stepfunctions start-execution [^']*--input '(.*?)'", text, re.DOTALL)
    assert len(commands) == text.count("stepfunctions start-execution --state") >= 3
    told = list(map(json.loads, commands))
    there = Nameable(
        accounts={each for request in told for each in request.get("accounts", ())},
        checks=catalog.everything().ids(),
        schedules=(),
        region=lambda pattern: regions.refusal(pattern, ["enabled"], REGIONS),
    )
    assert [ScanRequest.parse(each, there)[1] for each in told] == [[]] * len(told)


@pytest.mark.parametrize(("name", "times"), [("start", 4), ("scan", 8)])
def test_commands_that_documents_show_are_understood(name: str, times: int) -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in WRITTEN)
    commands = re.findall(rf"^(?:\.venv/bin/python -m cli|orgscan) {name}\b([^>\n]*)", text, re.MULTILINE)
    assert len(commands) >= times
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined] # it is a group
    for each in commands:
        command.make_context(name, shlex.split(each, comments=True))


def test_contributing_shows_code_that_exists() -> None:
    """Its examples are cut out of the files they name."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    examples = re.findall(r"`([\w/]+\.py)`[^`]*\n```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python")
    for path, example in examples:
        assert example in (ROOT / path).read_text(encoding="utf-8"), f"CONTRIBUTING.md no longer shows {path}"
