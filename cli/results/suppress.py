"""`orgscan suppress`: writes into orgscan.yaml what somebody decided to live with, and until when."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lint import FEW, load
from cli.names import check_id, complete_checks
from cli.results import options as o
from cli.results.page import by_id
from cli.results.source import NEWEST, NoScan, Scan, open_scan
from cli.results.splice import CannotSplice, added
from infra import CannotSynthesize
from orgscan.line import Line
from orgscan.model import Finding, Target
from orgscan.present.text import clean, number
from orgscan.reconcile import Status
from orgscan.suppress import Index, Suppression

if TYPE_CHECKING:
    from infra.config import Config

SECTION = "suppressions"


@dataclass(frozen=True, slots=True)
class Change:
    """Of the configuration."""

    before: str
    after: str
    rules: Sequence[Suppression]
    """That it adds."""
    allowed: int
    """Percent of all findings that one may cover."""


def _expiry(given: str) -> date:
    if given.endswith("d") or given.isdecimal():
        return datetime.now(UTC).date() + timedelta(days=o.days(given))
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return date.fromisoformat(given)
        except ValueError as wrong:
            raise typer.BadParameter(f"{given!r} is no day: {wrong}") from None
    raise typer.BadParameter(f"{given!r} is neither a day, 2027-01-31, nor a number of days, 90d")


def suppress(  # noqa: PLR0913 (each is an option)
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Of findings: an entry for each.")
    ] = None,
    *,
    check: Annotated[
        str | None,
        typer.Option(parser=check_id, metavar="ID", help="Of this check.", autocompletion=complete_checks),
    ] = None,
    account: Annotated[str, typer.Option(metavar="ID", help="In this account.")] = "",
    region: Annotated[str, typer.Option(metavar="NAME", help="In this region, or global.")] = "",
    resource: Annotated[str, typer.Option(metavar="ARN", help="On this resource.")] = "",
    resource_glob: Annotated[str, typer.Option(metavar="GLOB", help="On resources like this one.")] = "",
    tag: Annotated[
        Any, typer.Option(parser=o.tag, metavar="KEY=VALUE", help="On what carries this tag.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is acceptable.")],
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    expires: Annotated[
        date,
        typer.Option(parser=_expiry, metavar="DAY", help="The last day: 2027-01-31, or 90d; 365d at most."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, and write nothing.")] = False,
    scan: o.WhichScan = NEWEST,
    results: o.FromFolder = None,
    stack: o.FromStack = "",
    config: Annotated[Path, typer.Option("--config", help="The configuration that is written.")] = o.CONFIG,
) -> None:
    """Write into orgscan.yaml what to live with until a day: findings by id, or all that the options name.

    Nothing else of the file changes. It holds once it is deployed; who misses it after its last day hears of
    it again. Tells how many open findings of the scan it covers; naming no id, it also works without any.

    Exit code 0: written, or shown. 2: nothing was written: an option, the configuration or what would become
    of it is wrong, or there is no such finding.
    """
    named: dict[str, Any] = {"check": check, "account": account, "region": region}
    named |= {"resource": resource, "resource_glob": resource_glob}
    named = {name: value for name, value in named.items() if value}
    if tag:
        named["tag"] = {"key": tag[0], "value": tag[1]}
    if bool(ids) == bool(named):
        raise typer.BadParameter("name either findings by id, or at least one of --check to --tag")
    said = {"reason": reason, "owner": owner, "expires": expires}
    with o.refusing():
        if expires < datetime.now(UTC).date():
            raise NoScan(f"--expires: {expires}: must be today or later: it would hold no day")
        chosen = _scan(results, stack, config, scan, needed=bool(ids))
        entries = [_exactly(by_id(chosen, each.casefold())) for each in ids or ()] if chosen else []
        change = _change(config, [{**each, **said} for each in _unlike(entries) or [named]])
        covered = [*_covered(change, chosen)] if chosen else [f"what it covers is not known: {NO_RESULTS}"]
    for line in _diff(config, change):
        typer.echo(line)
    for line in covered:
        typer.echo(line)
    if dry_run:
        typer.echo(f"{config} is as it was: --dry-run")
        return
    with o.refusing():
        _write(config, change.after)
    typer.echo(f"{config} is written; it holds once it is deployed")


NO_RESULTS = "there are no results of a scan to look at"


def _scan(results: Path | None, stack: str, config: Path, scan: str, *, needed: bool) -> Scan | None:
    """None: there is none, and nobody named a place where one should be."""
    try:
        return open_scan(results=results, stack=stack, config=config, scan=scan)
    except NoScan:
        if needed or results or stack or scan != NEWEST:
            raise
        return None


def _exactly(line: Line) -> dict[str, Any]:
    """A rule for this finding; for other parts of the same resource too, which no rule can tell apart."""
    if line.status is Status.RESOLVED:
        raise NoScan(f"{line.id} is resolved: there is nothing to live with")
    return {"check": line.check, "account": line.account, "region": line.region, "resource": line.resource}


def _unlike(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two findings of one resource are one rule."""
    return list({tuple(each.values()): each for each in entries}.values())


def _change(path: Path, entries: Sequence[Mapping[str, Any]]) -> Change:
    """As the file would be, checked as a deployment would. Raises NoScan, and the file is as it was."""
    before_rules = _loaded(path, path.name).suppressions
    with path.open(encoding="utf-8", newline="") as file:
        before = after = file.read()
    try:
        for each in entries:
            after = added(after, SECTION, each)
    except CannotSplice as refused:
        raise NoScan(f"{path.name}: {refused}") from None
    with TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(after, encoding="utf-8", newline="")
        decided = _loaded(draft, f"{path.name}, with what it would be")
    rules = decided.runtime().suppressions[len(before_rules) :]
    return Change(before, after, rules, decided.limits.suppressed_share)


def _loaded(path: Path, what: str) -> Config:
    try:
        return load(path, datetime.now(UTC))
    except CannotSynthesize as refused:
        told = "; ".join(line.removeprefix(f"{path.name}: ") for line in str(refused).splitlines())
        raise NoScan(f"{what}: {told}") from None


def _covered(change: Change, scan: Scan) -> Iterator[str]:
    """What each rule covers of the open findings, and whether `orgscan lint` would refuse it."""
    index, open_, total = Index(change.rules), Counter[str](), 0
    of_all = Counter[str]()
    for line in scan.findings():
        total += 1
        for rule in index.covering(_finding(line)):
            of_all[rule.key] += 1
            open_[rule.key] += line.status is Status.OPEN
    for rule in change.rules:
        yield clean(f"{rule.what}: covers {number(open_[rule.key], 'open finding')} of {scan.id}")
        share = 100 * of_all[rule.key]
        if of_all[rule.key] >= FEW and share > change.allowed * total:
            told = f"{share / total:.1f}% of all; limits.suppressed_share allows {change.allowed}%"
            yield clean(f"`orgscan lint` will refuse it: {told}")


def _finding(line: Line) -> Finding:
    """As far as suppressions look at it."""
    target = Target(line.account, line.region, line.partition, line.account_name)
    return Finding(
        line.check,
        line.severity,
        line.category,
        target,
        line.resource,
        line.problems,
        line.key,
        tags=line.tags,
    )


def _diff(path: Path, change: Change) -> Iterator[str]:
    before, after = (each.splitlines() for each in (change.before, change.after))
    for line in unified_diff(before, after, str(path), str(path), n=2, lineterm=""):
        yield "".join(each if each.isprintable() else "?" for each in line)


def _write(path: Path, text: str) -> None:
    """At once: whoever reads it meanwhile gets the old one or the new one."""
    file = path.resolve()
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        shutil.copymode(file, draft)
        draft.replace(file)
    except OSError as trouble:
        raise NoScan(f"{path}: must be a file that can be written: {trouble.strerror}") from None
