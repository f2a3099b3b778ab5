"""Writes what docs/ derives from the code: `make docs`. A test fails when it is out of date."""

from __future__ import annotations

from pathlib import Path

from cli import check_pages, command_pages, compliance_pages, permission_pages
from orgscan import catalog, compliance

DOCS = Path(__file__).resolve().parents[1] / "docs"
FOLDERS = ("checks", "compliance")
"""In which every page is generated."""


def pages() -> dict[str, str]:
    """Path below docs/ -> content, of everything that is generated."""
    everything, frameworks = catalog.everything(), compliance.frameworks()
    return {
        **permission_pages.pages(everything),
        **check_pages.pages(everything, frameworks),
        **compliance_pages.pages(everything, frameworks, compliance.source()),
        **command_pages.pages(),
    }


def stale(docs: Path) -> list[str]:
    """Generated files that differ from the code, are missing, or describe what is gone."""
    wanted = pages()
    there = {f"{folder}/{page.name}" for folder in FOLDERS for page in (docs / folder).glob("*.md")}
    old = [path for path, text in wanted.items() if not _same(docs / path, text)]
    return sorted({*old, *(there - wanted.keys())})


def write(docs: Path) -> list[str]:
    """Brings docs/ up to date. Returns what changed."""
    wanted, changed = pages(), stale(docs)
    for path in changed:
        file = docs / path
        if path in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[path], encoding="utf-8")
        else:
            file.unlink()
    return changed


def _same(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    for path in write(DOCS):
        print(f"docs/{path}")  # noqa: T201 (the driver of `make docs` says what it wrote)
