"""`orgscan lint`: whether orgscan.yaml is right, and what its suppressions cover of what a scan found."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra import CannotSynthesize
from orgscan.model import Category, Finding, Severity, Target
from orgscan.request import shown
from orgscan.settings import Route
from orgscan.suppress import Index, Suppression

if TYPE_CHECKING:
    from infra.config import Config

FEW = 10
"""Findings. Whoever covers fewer is not refused: in a small organization everything is a large share."""
GZIP = b"\x1f\x8b"
"""How gzip begins, whatever the file is called."""
STATUSES = ("open", "suppressed")
TOO_MUCH, WRONG = 1, 2
"""Exit codes."""
HOW = """\
What they cover is told by what a scan found; BucketName is
an output of the stack {stack}, `make scan` keeps a file in
results/:

  aws s3 cp "s3://$BUCKET/scans/<scan>/findings.jsonl.gz" .
  orgscan lint --findings findings.jsonl.gz"""


UNHEARD = "warning: no route hears of everything; what none of them wants reaches nobody"


class NotFindings(Exception):
    """The file cannot be read. The message, one line, names it, the line and what is allowed."""


@dataclass(slots=True)
class Tally:
    """What rules cover of a file's findings."""

    findings: int = 0
    """Open and suppressed."""
    tagged: bool = False
    """Whether any finding says which tags its resource carries."""
    covers: Counter[str] = field(default_factory=Counter)
    """Rule's key -> findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One rule, as it is today and for a file of findings."""

    rule: Suppression
    now: datetime
    findings: int | None = None
    """In the file; None without one."""
    covers: int | None = None
    """Of them, expired or not; None where that cannot be told."""
    allowed: int = 100
    """Percent of all findings."""

    @property
    def state(self) -> str:
        days = self.rule.days(self.now)
        if self.rule.expired(self.now):
            return "expired"
        if not self.rule.expiring(self.now):
            return "in force"
        return f"expires in {_number(days, 'day')}" if days else "expires today"

    @property
    def share(self) -> float | None:
        """Percent of all findings."""
        if self.covers is None or self.findings is None:
            return None
        return 100 * self.covers / self.findings if self.findings else 0.0

    @property
    def untold(self) -> bool:
        """There is a file, and it does not tell what the rule covers."""
        return self.findings is not None and self.covers is None

    @property
    def dead(self) -> bool:
        return self.covers == 0

    @property
    def refused(self) -> bool:
        """It hides too much. What has expired hides nothing."""
        if self.covers is None or self.findings is None or self.rule.expired(self.now):
            return False
        return self.covers >= FEW and 100 * self.covers > self.allowed * self.findings

    def as_json(self) -> dict[str, Any]:
        rule = self.rule
        return {
            "key": rule.key,
            "what": rule.what,
            "reason": rule.reason,
            "owner": rule.owner,
            "expires": rule.expires.isoformat(),
            "state": self.state,
            "covers": self.covers,
            "share": None if self.share is None else round(self.share, 2),
            "dead": None if self.covers is None else self.dead,
            "refused": self.refused,
        }


def lint(
    *,
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("orgscan.yaml"),
    findings: Annotated[
        Path | None, typer.Option(help="findings.jsonl or findings.jsonl.gz, as a scan leaves it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """Whether orgscan.yaml is right, and what each of its suppressions covers.

    Exit code 0: all is fine. 1: a suppression covers more of the findings than limits.suppressed_share
    allows. 2: the configuration or the file of findings is wrong.
    """
    now = datetime.now(UTC)
    try:
        decided = load(config, now)
        rules = decided.runtime().suppressions
        counted = tally(rules, read(findings)) if findings else None
    except (CannotSynthesize, NotFindings) as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(WRONG) from None
    verdicts = judge(rules, counted, now=now, allowed=decided.limits.suppressed_share)
    if as_json:
        told = [verdict.as_json() for verdict in verdicts]
        total = counted.findings if counted else None
        some = unheard(decided.runtime().routes)
        report = {"findings": total, "suppressions": told, "warnings": [UNHEARD] if some else []}
        typer.echo(json.dumps(report, indent=1))
    else:
        show(Console(highlight=False), verdicts, counted)
        if unheard(decided.runtime().routes):
            typer.echo(f"\n{UNHEARD}")
        if not counted:
            typer.echo(f"\n{HOW.format(stack=decided.stack('hub'))}")
    too_much = [verdict for verdict in verdicts if verdict.refused]
    complain(_refusal(verdict) for verdict in too_much)
    if too_much:
        raise typer.Exit(TOO_MUCH)


def unheard(routes: Sequence[Route]) -> bool:
    """Whether there may be findings that no route is given. Without routes that is meant."""
    every = Route(name="", copy=False)
    return bool(routes) and not any(
        replace(each, name="", mail=True, chat=False, machine=False) == every for each in routes
    )


def judge(
    rules: Iterable[Suppression], counted: Tally | None, *, now: datetime, allowed: int
) -> list[Verdict]:
    """One verdict per rule; `allowed` percent of all findings may be covered by one."""
    return [
        Verdict(
            rule=rule,
            now=now,
            findings=counted.findings if counted else None,
            covers=_covers(rule, counted) if counted else None,
            allowed=allowed,
        )
        for rule in rules
    ]


def tally(rules: Iterable[Suppression], findings: Iterable[Finding]) -> Tally:
    """Reads each finding once, keeps none."""
    index, counted = Index(rules), Tally()
    for finding in findings:
        counted.findings += 1
        counted.tagged = counted.tagged or finding.tags is not None
        counted.covers.update(rule.key for rule in index.covering(finding))
    return counted


def _covers(rule: Suppression, counted: Tally) -> int | None:
    untold = rule.tag and counted.findings and not counted.tagged
    return None if untold else counted.covers[rule.key]


def read(path: Path) -> Iterator[Finding]:
    """The findings in a file, gzipped or not. Raises NotFindings at the first line that is none."""
    number = 0
    try:
        with _opened(path) as file:
            for number, text in enumerate(file, start=1):  # noqa: B007 (the complaint below tells it)
                if text.strip():
                    yield _finding(text)
    except ValueError as wrong:
        raise NotFindings(f"{path.name}: line {number}: {wrong}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise NotFindings(f"{path.name}: line {number + 1}: must be whole gzip; it breaks off here") from None
    except OSError as trouble:
        raise NotFindings(f"{path.name}: must be a readable file: {trouble.strerror}") from None


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")


def _finding(text: bytes) -> Finding:
    """As far as suppressions look at it. Raises ValueError saying what is allowed."""
    try:
        line = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise ValueError("must be JSON in UTF-8") from None
    if not isinstance(line, dict):
        raise ValueError(f"{shown(line)} must be a JSON object")  # noqa: TRY004 (one kind for its caller)
    _one_of(line, "status", STATUSES)
    _optional(line, "suppressed_by")
    return Finding(
        check=_text(line, "check"),
        severity=Severity(_one_of(line, "severity", [*Severity])),
        category=Category(_one_of(line, "category", [*Category])),
        target=Target(_text(line, "account"), _text(line, "region")),
        resource=_text(line, "resource"),
        problems=(),
        key=_optional(line, "key") or "",
        tags=_tags(line),
    )


def _text(line: dict[str, Any], name: str) -> str:
    if name not in line:
        raise ValueError(f"{name}: must be given")
    value = line[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: {shown(value)} must be text")  # noqa: TRY004 (one kind for its caller)
    return value


def _optional(line: dict[str, Any], name: str) -> str | None:
    """Files of earlier versions lack it."""
    return None if line.get(name) is None else _text(line, name)


def _one_of(line: dict[str, Any], name: str, allowed: Sequence[str]) -> str:
    value = _text(line, name)
    if value not in allowed:
        raise ValueError(f"{name}: {shown(value)} must be one of {', '.join(allowed)}")
    return value


def _tags(line: dict[str, Any]) -> dict[str, str] | None:
    tags = line.get("tags")
    if tags is None or (isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values())):
        return tags
    raise ValueError(f"tags: {shown(tags)} must be an object of texts, or null")


def show(console: Console, verdicts: Sequence[Verdict], counted: Tally | None) -> None:
    """For people, in as few columns as a terminal has."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("suppression", overflow="fold")
    table.add_column("ends", overflow="fold")
    if counted:
        table.add_column("covers", justify="right", no_wrap=True)
    for place, verdict in enumerate(verdicts):
        if place:
            table.add_row()
        table.add_row(*_cells(verdict))
    if verdicts:
        console.print(table)
    for verdict in verdicts:
        if verdict.dead:
            console.print(_plain(f"covers nothing: {verdict.rule.what}"), overflow="fold")
        if verdict.untold:
            told = f"cannot be told: the file has no tags: {verdict.rule.what}"
            console.print(_plain(told), overflow="fold")
    rules = _number(len(verdicts), "suppression")
    console.print(f"{rules}, {_number(counted.findings, 'finding')}" if counted else rules)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cells(verdict: Verdict) -> Iterator[Text]:
    rule = verdict.rule
    yield _plain(f"{rule.what}\nowner: {rule.owner}")
    ends = "red" if rule.expired(verdict.now) else "yellow" if rule.expiring(verdict.now) else ""
    yield _plain(f"{rule.expires}\n{verdict.state}", ends)
    if verdict.findings is not None:
        covered = "?" if verdict.share is None else f"{verdict.covers:,}\n{verdict.share:.1f}%"
        yield _plain(covered, "red" if verdict.refused else "")


def _plain(text: str, style: str = "") -> Text:
    """No markup: names are somebody else's."""
    return Text("\n".join(map(_printable, text.split("\n"))), style)


def _refusal(verdict: Verdict) -> str:
    """Only told where there are findings."""
    some = f"{verdict.covers:,} of {verdict.findings:,} findings ({verdict.share:.1f}%)"
    return f"{verdict.rule.what}: covers {some}; limits.suppressed_share allows {verdict.allowed}%"


def complain(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{_printable(line)}\n")


def _printable(line: str) -> str:
    """Nothing that a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in line)


def load(path: Path, now: datetime) -> Config:
    from infra import config  # noqa: PLC0415 (takes a third of a second, which no other command need wait)

    return config.load(path, today=now.date())
