"""What `make scan` prints."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    verdict = "COMPLETE" if scan.summary["complete"] else "INCOMPLETE"
    console.print(
        Text.assemble(
            (f"{verdict}: ", "bold green" if scan.summary["complete"] else "bold yellow"),
            f"{scan.summary['coverage']}% of {checks['planned']:,} checks evaluated, "
            f"{targets['reached']} of {targets['planned']} targets reached, "
            f"{scan.summary['accounts']} accounts",
        )
    )
    for gap in scan.summary["gaps"]:
        console.print(f"  not seen: {gap['checks']:>4}  {gap['reason']}: {gap['detail']}", markup=False)
    for account in scan.summary["skipped"]:
        console.print(f"  not active, not scanned: {account}")


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
    console.print(
        f"waste: {scan.summary['monthly_usd']:,.2f} USD a month, {scan.summary['unpriced']} unpriced"
    )


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
    table = Table(title=f"the {WORST} worst", title_justify="left", box=None, pad_edge=False)
    for column in ("severity", "check", "account", "region", "resource"):
        table.add_column(column, overflow="fold", no_wrap=column == "severity")
    for finding in findings[:WORST]:
        table.add_row(
            Text(finding["severity"], SEVERITIES[finding["severity"]]),
            finding["check"],
            Text(finding["account_name"] or finding["account"]),
            finding["region"],
            Text(finding["resource"].split(":", 5)[-1]),
        )
    console.print(table)


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
