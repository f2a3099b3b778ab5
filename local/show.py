"""What `make scan` prints."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local import rehearsal
from local.rehearsal import Scan

SEVERITIES = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
}
WORST = 10
CENT = 0.01
USUAL = Path("results")
"""Where the command line looks first."""
REPORT = "report.html"
FURTHER = ("status", "findings --min-severity high --group check", "diff")
Watch = Callable[[rehearsal.Progress], None]


@contextmanager
def watching(console: Console, title: str) -> Iterator[Watch]:
    """Targets done of planned and findings so far: a live line, or on no terminal a line for every tenth."""
    if not console.is_terminal:
        yield _lines(console, title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("targets, {task.fields[findings]} findings"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=None, findings=0)
        yield lambda now: bar.update(
            task, completed=now.done, total=now.planned or None, findings=now.findings
        )


def _lines(console: Console, title: str) -> Watch:
    told = [-1]

    def watch(now: rehearsal.Progress) -> None:
        tenth = now.done * 10 // now.planned if now.planned else 0
        if now.done and tenth > told[0]:
            told[0] = tenth
            console.print(f"{title}: {now.done} of {now.planned} targets, {now.findings} findings")

    return watch


def coverage(console: Console, scan: Scan) -> None:
    checks, targets = scan.summary["checks"], scan.summary["targets"]
    complete = scan.summary["complete"]
    verdict = Text("COMPLETE" if complete else "INCOMPLETE", "bold green" if complete else "bold yellow")
    console.print(verdict + f": {scan.summary['coverage']}% of {checks['planned']:,} checks evaluated")
    reached = f"{targets['reached']} of {targets['planned']} targets reached"
    console.print(f"  {reached} in {scan.summary['accounts']} accounts")
    for gap in scan.summary["gaps"]:
        line(console, f"  not seen: {gap['checks']:>4}  {gap['reason']}: {gap['detail']}")
    for account in scan.summary["skipped"]:
        line(console, f"  not active, not scanned: {account}")
    for told in scan.summary["account_changes"]:
        line(console, f"  account {told['change']}: {told['name'] or told['account']}")


def totals(console: Console, scan: Scan) -> None:
    """Open findings by severity and category."""
    categories = sorted({kind for kinds in scan.summary["open"].values() for kind in kinds})
    table = Table(title="open findings", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for category in (*categories, "all"):
        table.add_column(category, justify="right")
    for severity, style in SEVERITIES.items():
        row = scan.summary["open"].get(severity, {})
        if row:
            counts = [str(row.get(category, "")) for category in categories]
            table.add_row(Text(severity, style), *counts, str(sum(row.values())))
    console.print(table)
    if accepted := sum(sum(row.values()) for row in scan.summary["suppressed"].values()):
        console.print(f"suppressed: {accepted}")
    tags = scan.summary["tags"]
    console.print(f"tags: {tags['percent']}% of {tags['judged']:,} resources as the policies ask")
    console.print(
        f"waste: {scan.summary['monthly_usd']:,.2f} USD a month, {scan.summary['unpriced']} unpriced"
    )


def compliance(console: Console, scan: Scan) -> None:
    console.print("compliance, of the controls that checks cover")
    for told in scan.summary["compliance"]:
        parts = [f"{told['passed']} passed", f"{told['failed']} failed"]
        if told["accepted"]:
            parts.append(f"{told['accepted']} accepted")
        parts.append(f"{told['not_judged']} not judged of {told['with_checks']}")
        line(console, f"  {told['framework']}: {', '.join(parts)}")


def changes(console: Console, scan: Scan) -> None:
    told = scan.summary["changes"]
    parts = [
        f"{sum(told[kind].values())} {kind}"
        for kind in ("new", "reopened", "worsened", "resolved")
        if kind in told
    ]
    unchanged = sum(sum(row.values()) for row in scan.summary["open"].values()) - sum(
        sum(told[kind].values()) for kind in ("new", "reopened", "worsened", "eased") if kind in told
    )
    console.print(f"[bold]changes:[/bold] {', '.join([*parts, f'{unchanged} unchanged'])}")


def worst(console: Console, findings: Sequence[Mapping[str, Any]]) -> None:
    console.print(f"the {WORST} worst")
    for finding in findings[:WORST]:
        severity = Text(f"{finding['severity']:<9}", SEVERITIES[finding["severity"]])
        account = finding["account_name"] or finding["account"]
        line(console, severity + f" {finding['check']:<40} {account} {finding['region']}")
        line(console, f"          {finding['resource'].split(':', 5)[-1]}: {'; '.join(finding['problems'])}")


def line(console: Console, text: str | Text) -> None:
    """One line, whatever the width. Names in it are somebody else's: no markup, nothing unprintable."""
    told = Text(text) if isinstance(text, str) else text
    told.plain = "".join(each if each.isprintable() else "?" for each in told.plain)
    console.print(told, no_wrap=True, overflow="ellipsis")


def cost(console: Console, scan: Scan) -> None:
    told = scan.summary["cost"]
    throttled = f" ({told['throttled']:,} throttled)" if told["throttled"] else ""
    usd = f"about {told['usd']:,.2f}" if told["usd"] >= CENT / 2 else f"less than {CENT}"
    console.print(
        f"cost: {told['calls']:,} API calls{throttled}, {told['gb_seconds']:,.0f} GB-seconds, {usd} USD"
    )


def mail(console: Console, scan: Scan) -> None:
    for sent in scan.mail:
        head = f"To: {sent.to}\nSubject: {sent.subject}\n\n"
        console.print(
            Panel(
                Text(head + sent.body), title="the e-mail, as SNS delivered it", width=min(78, console.width)
            )
        )
    if not scan.mail:
        console.print("no e-mail: nothing changed")


def kept(console: Console, folders: Sequence[Path]) -> None:
    """Where the results lie, the newest last, and what to do with them."""
    for each in folders:
        _whole(console, f"full results: {_near(each)}")
    _whole(console, f"report, for a browser: {_near(folders[-1] / 'report.html')}")
    shelf = _near(folders[-1].parent)
    where = "" if shelf == USUAL else f" --results {quote(str(shelf))}"
    for command in FURTHER:
        _whole(console, f"  bin/orgscan {command}{where}")


def _near(path: Path) -> Path:
    """As short as it can be said from here."""
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


def _whole(console: Console, text: str) -> None:
    """Not broken, for it is copied."""
    console.print(Text(text), soft_wrap=True)
