"""Documents that say what the code says, and go on saying it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cli import docs
from orgscan import catalog
from orgscan.model import Blindness
from orgscan.request import ScanRequest

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
    assert docs.write(tmp_path) == ["checks/ec2.md", "checks/gone.md"]
    assert docs.stale(tmp_path) == []
    assert not gone.exists()


def test_every_check_has_its_section() -> None:
    pages = "\n".join(docs.pages().values())
    assert [check.id for check in catalog.checks() if f"\n## {check.id}\n" not in pages] == []


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


def test_contributing_shows_code_that_exists() -> None:
    """Its examples are cut out of the files they name."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    examples = re.findall(r"`([\w/]+\.py)`[^`]*\n```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python")
    for path, example in examples:
        assert example in (ROOT / path).read_text(encoding="utf-8"), f"CONTRIBUTING.md no longer shows {path}"
