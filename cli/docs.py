"""Writes what docs/ derives from the code: `make docs`. A test fails when it is out of date."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.describe import describe, permissions
from orgscan import catalog

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTICE = "<!-- Written by `make docs` from the code. Edit the check, not this page. -->"


def pages() -> dict[str, str]:
    """Path below docs/ -> content, of everything that is generated."""
    services: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for check in catalog.checks():
        described = describe(check)
        services[described["service"]].append(described)
    return {
        "permissions.json": json.dumps(permissions(), indent=1) + "\n",
        "checks/README.md": _text(_index(services)),
        **{f"checks/{service}.md": _text(_service(service, checks)) for service, checks in services.items()},
    }


def stale(docs: Path) -> list[str]:
    """Generated files that differ from the code, are missing, or describe what is gone."""
    wanted = pages()
    there = {f"checks/{page.name}" for page in (docs / "checks").glob("*.md")}
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


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _index(services: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    yield from (NOTICE, "", "# Checks", "")
    yield from ("| Check | Severity | Category | What is wrong |", "| --- | --- | --- | --- |")
    for service, checks in sorted(services.items()):
        for check in checks:
            name = f"[`{check['id']}`]({service}.md#{check['id']})"
            yield f"| {name} | {check['severity']} | {check['category']} | {_cell(check['title'])} |"


def _service(service: str, checks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (NOTICE, "", f"# {service}")
    for check in checks:
        yield from ("", *_section(check))


def _section(check: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {check['id']}", "")
    yield from (f"**{check['title']}** {check['why']}", "")
    yield from (f"*Fix:* {check['fix']}", "")
    yield f"- Severity: {check['severity']}"
    yield f"- Category: {check['category']}"
    yield f"- Judges: {', '.join(check['judges'])}"
    yield f"- Reads: {_code(check['reads'])}"
    if check["frameworks"]:
        yield f"- Frameworks: {', '.join(check['frameworks'])}"
    if check["equivalent"]:
        yield f"- In other tools: {_code(check['equivalent'])}"
    if check["references"]:
        yield f"- References: {', '.join(f'<{url}>' for url in check['references'])}"
    if check["parameters"]:
        yield from ("", "| Threshold | Default |", "| --- | --- |")
        for name, default in check["parameters"].items():
            yield f"| `{name}` | `{_cell(json.dumps(default))}` |"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    for path in write(DOCS):
        print(f"docs/{path}")  # noqa: T201 (the driver of `make docs` says what it wrote)
