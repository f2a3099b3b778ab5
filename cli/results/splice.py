"""An entry more in a list of a YAML file, and every other character of the file as it was.

YAML libraries that write what they read keep comments, and not layout: they move what stands behind the last
entry, and make one indentation of many. So only places are asked of a parser, and the text is cut there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import inf
from typing import Any

import yaml

from infra import yaml_text

INDENT = 2
"""Of an entry, where there is no other one to stand like."""


class CannotSplice(Exception):
    """The file is written in a way that cannot be added to; the text, one line, says what to do."""


def added(text: str, section: str, entry: Mapping[str, Any]) -> str:
    """The text with one entry more at the end of the list `section` of its topmost mapping.

    Raises CannotSplice, also where the result would not read as what it should.
    """
    before = yaml_text.read(text) or {}
    after = _spliced(text, section, entry)
    wanted = {**before, section: [*(before.get(section) or []), _told(entry)]}
    try:
        same = yaml_text.read(after) == wanted
    except yaml_text.NotYaml:
        same = False
    if not same:
        raise CannotSplice(f"{section}: is written so that nothing can be added safely: add it yourself")
    return after


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """As it is read again: dates are text in orgscan.yaml."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in entry.items()}


def _spliced(text: str, section: str, entry: Mapping[str, Any]) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return text + _block(text, section, entry)
    node = next((value for key, value in root.value if key.value == section), None)
    if root.flow_style:
        return _in_flow(text, root, section, node, entry)
    if node is None:
        return text + ("" if text.endswith("\n") else _end(text)) + _block(text, section, entry)
    if isinstance(node, yaml.SequenceNode) and node.value:
        return _appended(text, node, entry)
    return _first(text, node, entry)


def _block(text: str, section: str, entry: Mapping[str, Any]) -> str:
    """A section of its own."""
    return f"{section}:{_end(text)}{_lines(entry, INDENT, _end(text))}"


def _in_flow(
    text: str, root: yaml.MappingNode, section: str, node: yaml.Node | None, entry: Mapping[str, Any]
) -> str:
    """Within braces, as JSON is."""
    told = _flow(entry)
    if isinstance(node, yaml.SequenceNode):
        return _before_end(text, node, told, first=not node.value)
    return _before_end(text, root, f"{_quoted(section)}: [{told}]", first=not root.value)


def _before_end(text: str, node: yaml.CollectionNode, told: str, *, first: bool) -> str:
    """Behind the last member, before the closing bracket."""
    end = node.end_mark.index - 1
    while text[end - 1].isspace():
        end -= 1
    return f"{text[:end]}{'' if first else ', '}{told}{text[end:]}"


def _appended(text: str, node: yaml.SequenceNode, entry: Mapping[str, Any]) -> str:
    """Below the last line of the last entry; what is said behind it stays behind it."""
    if node.flow_style:
        return _before_end(text, node, _flow(entry), first=False)
    at = _next_line(text, _last(node))
    gap = "" if text[:at].endswith("\n") else _end(text)
    return text[:at] + gap + _lines(entry, node.start_mark.column, _end(text)) + text[at:]


def _first(text: str, node: yaml.Node, entry: Mapping[str, Any]) -> str:
    """In the place of [], null or nothing; a comment behind it stays on its line."""
    start, end = node.start_mark.index, node.end_mark.index
    kept = text[:start].rstrip(" ") + text[end:]
    at = _next_line(kept, len(text[:start].rstrip(" ")))
    gap = "" if kept[:at].endswith("\n") else _end(text)
    return kept[:at] + gap + _lines(entry, INDENT, _end(text)) + kept[at:]


def _last(node: yaml.Node) -> int:
    """Where the last scalar of a collection ends: that of the collection itself is behind all comments."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index


def _next_line(text: str, at: int) -> int:
    """Where the line after this place begins; itself, if that is where a line begins."""
    if at and text[at - 1] == "\n":
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _end(text: str) -> str:
    """Of lines, as the file has them."""
    return "\r\n" if "\r\n" in text else "\n"


def _lines(entry: Mapping[str, Any], column: int, end: str) -> str:
    lines = [f"{name}: {_value(value)}" for name, value in entry.items()]
    return "".join(f"{' ' * column}{'  ' if place else '- '}{line}{end}" for place, line in enumerate(lines))


def _value(value: Any) -> str:
    """On one line; in quotes where something else could be read."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_quoted(inner)}" for name, inner in value.items()) + "}"
    plain = yaml.safe_dump(value, width=inf, allow_unicode=True).splitlines()
    same = len(plain) == 2 and plain[1] == "..." and yaml_text.read(plain[0]) == value  # noqa: PLR2004
    return plain[0] if same else _quoted(value)


def _flow(value: Any) -> str:
    """Within braces and quotes, as both JSON and YAML read it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(name)}: {_flow(inner)}" for name, inner in value.items()) + "}"
    return _quoted(value.isoformat() if isinstance(value, date) else value)


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', width=inf, allow_unicode=True).rstrip("\n")
