"""`orgscan export`: its options and exit codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.lint import complain
from cli.results.source import NoScan, open_scan
from orgscan import catalog, session
from orgscan.catalog import AnyCheck
from orgscan.errors import NO_ANSWER, gap
from orgscan.line import Line
from orgscan.model import ACCOUNT_ID, Category, Severity
from orgscan.pace import Pace
from orgscan.present import asff, csv, jsonl, junit, markdown, ocsf, sarif
from orgscan.present.asff import Product
from orgscan.present.exported import Checks, Summary
from orgscan.present.text import number, totals
from orgscan.reconcile import Status
from orgscan.results import Results
from orgscan.securityhub import CannotPush, Failed, Hub, Outcome, batches

STDOUT = Path("-")
NOT_TAKEN, REFUSED = 1, 2
"""Exit codes."""
TOLD = 20
"""Findings that Security Hub did not take, one by one."""


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    OCSF = "ocsf"
    ASFF = "asff"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"


WRITERS: Mapping[Format, Callable[[Summary, Iterable[Line], Checks], Iterator[str]]] = {
    Format.CSV: csv.export,
    Format.JSONL: jsonl.export,
    Format.OCSF: ocsf.export,
    Format.ASFF: asff.export,
    Format.JUNIT: junit.export,
    Format.SARIF: sarif.export,
    Format.MARKDOWN: markdown.export,
}


class CannotExport(Exception):
    """Nothing was written or sent. The message, one line, says why."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which findings are meant; what is empty leaves none out."""

    severities: Collection[Severity]
    categories: Collection[Category]
    accounts: Collection[str]
    statuses: Collection[Status]

    def of(self, results: Results) -> Iterator[Line]:
        """Worst first, those that the scan closed at the end."""
        files: list[Iterator[Line]] = []
        if {Status.OPEN, Status.SUPPRESSED} & {*self.statuses}:
            files.append(results.findings())
        if Status.RESOLVED in self.statuses:
            files.append(results.resolved())
        return filter(self._wants, chain.from_iterable(files))

    def _wants(self, line: Line) -> bool:
        return (
            line.status in self.statuses
            and (not self.severities or line.severity in self.severities)
            and (not self.categories or line.category in self.categories)
            and (not self.accounts or line.account in self.accounts)
        )


def _account(given: str) -> str:
    if not re.fullmatch(ACCOUNT_ID, given):
        raise typer.BadParameter(f"{given!r} is not an account: 12 digits")
    return given


def _repeated(name: str, of: Iterable[str], **more: Any) -> Any:
    among = ", ".join(of)
    return typer.Option(name, help=f"Only these{f': {among}' if among else ''}; may be repeated.", **more)


def export(  # noqa: PLR0913 (each is an option)
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(Format)}.")],
    *,
    scan: Annotated[str, typer.Option(metavar="ID", help="Of this scan.")] = "latest",
    results: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where a scan on this machine left its results.")
    ] = None,
    stack: Annotated[str, typer.Option(metavar="NAME", help="The hub's stack, if not as configured.")] = "",
    config: Annotated[Path, typer.Option(help="The configuration.")] = Path("orgscan.yaml"),
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is standard output.")
    ] = STDOUT,
    severities: Annotated[
        list[Severity] | None, _repeated("--severity", reversed(Severity), metavar="NAME")
    ] = None,
    categories: Annotated[list[Category] | None, _repeated("--category", Category, metavar="NAME")] = None,
    accounts: Annotated[list[str] | None, _repeated("--account", (), metavar="ID", parser=_account)] = None,
    statuses: Annotated[list[Status] | None, _repeated("--status", Status, metavar="NAME")] = None,
    include_resolved: Annotated[
        bool, typer.Option("--include-resolved", help="Also the findings that this scan closed.")
    ] = False,
    push: Annotated[
        bool, typer.Option("--push", help="asff: send it to Security Hub, with your credentials.")
    ] = False,
    product_region: Annotated[
        str, typer.Option(metavar="NAME", help="With --push: Security Hub's region, if not your own.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --push: only say what would be sent.")
    ] = False,
) -> None:
    """A scan's findings in a format of others: spreadsheets, build servers, Security Hub, SIEMs.

    Exit code 0: all is written, or sent. 1: Security Hub did not take all that was sent. 2: nothing was
    written or, but for what it says, sent: the options, the scan or the credentials are wrong.
    """
    by_default = [Status.OPEN, Status.SUPPRESSED, *([Status.RESOLVED] if push else [])]
    wanted = Filter(
        severities or (),
        categories or (),
        accounts or (),
        {*(statuses or by_default), *([Status.RESOLVED] if include_resolved else [])},
    )
    try:
        _sense(form, output, product_region, push=push, dry_run=dry_run)
        found = open_scan(results=results, stack=stack, config=config, scan=scan)
        if push:
            product = _product(product_region)
            told = _dry(product, found, wanted) if dry_run else _push(product, found, wanted)
            raise typer.Exit(told)
        write(WRITERS[form](found.summary, wanted.of(found), checks()), output)
    except (CannotExport, NoScan) as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(REFUSED) from None


def _sense(form: Format, output: Path, product_region: str, *, push: bool, dry_run: bool) -> None:
    """Raises CannotExport for options that do not go together."""
    if push and form is not Format.ASFF:
        raise CannotExport(f"--push: {form}: must be asff, which is what Security Hub takes")
    if push and output != STDOUT:
        raise CannotExport(f"--output: {output}: must be left out with --push, which writes no file")
    if not push and (dry_run or product_region):
        raise CannotExport(f"{'--dry-run' if dry_run else '--product-region'}: must stand with --push")


def checks() -> Mapping[str, AnyCheck]:
    """By id, and by earlier ones: an older scan knows no others."""
    known = catalog.checks()
    return {**{was: check for check in known for was in check.was}, **{check.id: check for check in known}}


def write(texts: Iterator[str], output: Path) -> None:
    """A file is there when it is whole, or not at all. Raises CannotExport."""
    if output == STDOUT:
        stream = typer.get_binary_stream("stdout")
        for text in texts:
            stream.write(text.encode())
        stream.flush()
        return
    if output.exists() and not output.is_file():
        raise CannotExport(f"--output: {output}: must be a file, or - for standard output")
    try:
        _whole(texts, output.with_name(f"{output.name}.part"), output)
    except OSError as trouble:
        raise CannotExport(f"--output: {output}: must be a place for a file: {trouble.strerror}") from None


def _whole(texts: Iterator[str], draft: Path, output: Path) -> None:
    draft.touch()
    try:
        with draft.open("wb") as file:
            file.writelines(text.encode() for text in texts)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _product(region: str) -> Product:
    """Security Hub's of the credentials at hand. Raises CannotExport."""
    if region:
        from infra.fields import REGIONS  # noqa: PLC0415 (takes a second, which no other export need wait)

        if region not in REGIONS:
            close = get_close_matches(region, REGIONS, n=1)
            near = f"; did you mean {close[0]!r}?" if close else ""
            raise CannotExport(f"--product-region: {region!r} must be a region of AWS{near}")
    try:
        sts = session.here().get("sts", region or None)
        told = sts.get_caller_identity()
    except NO_ANSWER as error:
        why = gap("sts", error)
        raise CannotExport(
            f"{why.detail}: sign in, and set AWS_PROFILE and AWS_DEFAULT_REGION to Security Hub's account "
            "and region"
        ) from None
    return Product(told["Arn"].split(":")[1], told["Account"], sts.meta.region_name)


def _where(product: Product) -> str:
    return f"Security Hub in {product.region} of account {product.account}"


def _dry(product: Product, found: Results, wanted: Filter) -> int:
    counts: Counter[Severity] = Counter()
    calls = archived = 0
    summary = found.summary
    findings = (asff.finding(summary, line, checks(), product) for line in wanted.of(found))
    for batch in batches(findings):
        calls += 1
        for each in batch:
            if each["RecordState"] == "ARCHIVED":
                archived += 1
            else:
                counts[Severity(each["Severity"]["Original"])] += 1
    worst_first = totals({severity: counts[severity] for severity in reversed(Severity)})
    typer.echo(
        f"would import {number(counts.total(), 'finding')}{f' ({worst_first})' if worst_first else ''} and "
        f"archive {archived:,}, in {number(calls, 'call')}, in {_where(product)}; nothing was sent"
    )
    return 0


def _push(product: Product, found: Results, wanted: Filter) -> int:
    """Returns the exit code."""
    hub = Hub(session.here().get("securityhub", product.region), product, Pace())
    try:
        outcome = hub.push(found.summary, wanted.of(found), checks())
    except CannotPush as refused:
        typer.echo(_taken(product, refused.outcome))
        complain([*_failed(refused.outcome.failed), str(refused)])
        return REFUSED
    typer.echo(_taken(product, outcome))
    complain(_failed(outcome.failed))
    return NOT_TAKEN if outcome.failed else 0


def _taken(product: Product, outcome: Outcome) -> str:
    told = (
        f"imported {number(outcome.imported, 'finding')}, archived {outcome.archived:,}, in {_where(product)}"
    )
    return f"{told}; {len(outcome.failed):,} not taken" if outcome.failed else told


def _failed(failed: list[Failed]) -> Iterator[str]:
    for each in failed[:TOLD]:
        yield f"not taken: {each.id}: {each.code}: {each.message}"
    if len(failed) > TOLD:
        yield f"and {len(failed) - TOLD:,} more not taken"
