"""Findings column by column, every text once: a tenth of what JSON Lines take. page/data.js reads it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from re import compile as pattern
from typing import Any

from orgscan.line import Line

PROBLEMS = 20
"""Of one finding that a page shows."""
LONGEST = 600
"""Characters of one problem."""
UNPRINTABLE = pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Controls, marks that turn the direction of what follows, and halves of characters. Not: tab, line feed."""
SHORTEST = 4
"""Characters of a text that is worth a mark."""


def shown(text: str) -> str:
    """With a visible mark for each character that nobody could see: no name hides a part or turns one."""
    return UNPRINTABLE.sub("\ufffd", text)


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]} ..."


class Words:
    """Texts by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[str, int] = {}
        """The same by what was asked for, which may be less fit to be shown."""

    def number(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = self._number(shown(text))
        return self._known[text]

    def folded(self, text: str, parts: Iterable[str]) -> int:
        """What stands in the finding anyway becomes a mark, so that texts which differ only in it are one."""
        text = shown(text)
        for mark, part in enumerate(parts, start=1):
            if len(part) >= SHORTEST:
                text = text.replace(part, chr(mark))
        return self._number(text)

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def all(self) -> list[str]:
        return [*self._numbers]


def _end(arn: str) -> str:
    return arn.replace(":", "/").rpartition("/")[2]


def packed(lines: Iterable[Line], commands: Callable[[Line], Sequence[str]]) -> dict[str, Any]:
    """{"words": [text, ...], "ids": [...], "<column>": [number of a word, ...] or, if all are one, it}."""
    words, lines = Words(), list(lines)
    rows = [_row(line, words, commands(line)) for line in lines]
    columns = {name: _short([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    return {"ids": [shown(line.id) for line in lines], **columns, "words": words.all()}


def _row(line: Line, words: Words, commands: Sequence[str]) -> dict[str, Any]:
    said, saving = words.number, line.saving
    end = _end(line.resource)
    parts = [shown(each) for each in (line.resource, end, line.account, line.region)]
    return {
        "check": said(line.check),
        "severity": said(line.severity),
        "category": said(line.category),
        "account": said(line.account),
        "name": said(line.account_name),
        "region": said(line.region),
        "front": said(line.resource.removesuffix(end)),
        "end": said(end),
        "key": said(line.key),
        "problems": [words.folded(cut(each), parts) for each in line.problems[:PROBLEMS]],
        "more": max(0, len(line.problems) - PROBLEMS),
        "status": said(line.status),
        "first": said(line.first_seen),
        "opened": said(line.opened),
        "change": said(line.change),
        "changed": said(line.changed_in),
        "history": [said(each) for event in line.history for each in (event.when, event.change)],
        "owner": said(line.owner.name),
        "by": said(line.owner.by),
        "tags": None if line.tags is None else [said(each) for pair in line.tags.items() for each in pair],
        "usd": round(saving.monthly_usd, 2) if saving else None,
        "basis": said(saving.basis if saving else ""),
        "confidence": said(saving.confidence if saving else ""),
        "suppressed": said(line.suppressed_by),
        "unconfirmed": said(line.unconfirmed_since),
        "because": said(line.resolved_because or ""),
        # What was made visible could not be run any more, so it is not offered.
        "commands": [words.folded(each, parts) for each in commands if shown(each) == each],
    }


def _short(column: list[Any]) -> Any:
    """A number that is the same in every row stands alone."""
    same = isinstance(column[0], int) and all(each == column[0] for each in column)
    return column[0] if same else column
