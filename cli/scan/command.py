"""`orgscan scan`: its options and exit codes."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console

from cli.lint import complain, load
from cli.options import account, repeated, tag
from cli.scan import show
from cli.scan.baseline import Baseline, at_least
from cli.scan.caller import CannotScan, caller
from cli.scan.publish import Finished
from cli.scan.run import Run, interruptible, spent
from cli.scan.scope import Ground, Wanted, ground
from cli.scan.store import FILE, Busy, DiskStore
from infra import CannotSynthesize
from orgscan import catalog
from orgscan.meter import Meter
from orgscan.model import Category, Severity
from orgscan.organization import CannotPlan
from orgscan.plan import Plan, Planner
from orgscan.request import InvalidScanRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.config import Config
    from orgscan.model import Target
    from orgscan.results import Results

FOUND, REFUSED, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130
"""Exit codes."""
RESULTS = Path("results")
AT_ONCE, MOST_AT_ONCE = 4, 64
NOW: Callable[[], datetime] = partial(datetime.now, UTC)


def scan(  # noqa: PLR0913 (each is an option)
    *,
    config: Annotated[
        Path | None, typer.Option(help="orgscan.yaml: scope, role, thresholds, suppressions; else defaults.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the AWS configuration; else the environment's.")
    ] = None,
    accounts: Annotated[
        list[str] | None,
        repeated("--account", "ID", "This account, not that of the credentials", parser=account),
    ] = None,
    organization: Annotated[
        bool, typer.Option("--organization", help="All accounts of the organization.")
    ] = False,
    ous: Annotated[list[str] | None, repeated("--ou", "ID", "Only accounts in or below it")] = None,
    account_tags: Annotated[
        list[Any] | None,
        repeated("--account-tag", "KEY=VALUE", "Only accounts that carry all of these", parser=tag),
    ] = None,
    role: Annotated[
        str, typer.Option(metavar="NAME", help="Enters other accounts; else that of --config.")
    ] = "",
    external_id: Annotated[str, typer.Option(metavar="TEXT", help="What --role asks for, if it does.")] = "",
    regions: Annotated[
        list[str] | None, repeated("--region", "NAME", "Only this one: eu-west-1, 'eu-*', global")
    ] = None,
    checks: Annotated[list[str] | None, repeated("--check", "ID", "Only this check")] = None,
    categories: Annotated[
        list[str] | None, repeated("--category", "NAME", f"Only these checks: {', '.join(Category)}")
    ] = None,
    at_once: Annotated[
        int,
        typer.Option("--concurrency", metavar="N", min=1, max=MOST_AT_ONCE, help="Targets at a time."),
    ] = AT_ONCE,
    results: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Holds what scans came to, and what is known.")
    ] = RESULTS,
    baseline: Annotated[
        str,
        typer.Option(metavar="SCAN", help="Only what is new or worse since counts: a scan, or its folder."),
    ] = "",
    fail_on: Annotated[
        Severity | None,
        typer.Option(metavar="SEVERITY", help=f"Exit code 1 from here on: {', '.join(Severity)}."),
    ] = None,
    fail_on_gaps: Annotated[
        bool, typer.Option("--fail-on-gaps", help="Exit code 3 if not everything was seen.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The end as JSON, for machines.")] = False,
) -> None:
    """Scan from this machine, with your credentials and nothing deployed. Changes nothing in AWS.

    Without options: the account of the credentials, in all regions it has enabled, by all checks. Results
    are in a folder per scan; what is known from earlier ones tells what is new, and what is resolved.

    Exit code 0: done. 1: an open finding is as bad as --fail-on, or worse. 2: refused: the options, the
    configuration, the credentials, or the folder of results. 3: incomplete, with --fail-on-gaps; 1 comes
    first. 130: interrupted by Ctrl-C: what was done is kept, the rest is not seen.
    """
    narrowed = {
        "ous": ous,
        "account_tags": dict(account_tags or ()),
        "regions": regions,
        "checks": checks,
        "categories": categories,
    }
    asked = _Asked(
        wanted=Wanted(
            accounts=accounts or (),
            organization=organization,
            role=role,
            external_id=external_id,
            narrowed={name: value for name, value in narrowed.items() if value},
        ),
        profile=profile,
        results=results,
        baseline=baseline,
        fail_on=fail_on,
        at_once=at_once,
        quiet=quiet,
    )
    try:
        end = asked.scan(load(config, NOW()) if config else None)
    except InvalidScanRequest as refused:
        complain(refused.problems)
        raise typer.Exit(REFUSED) from None
    except (CannotSynthesize, CannotScan, CannotPlan) as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(REFUSED) from None
    except (OSError, sqlite3.Error) as trouble:
        complain([f"--results: {results}: must be a folder that can be written to: {trouble}"])
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        complain(["interrupted: nothing of this scan is kept"])
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(end.as_json(), indent=1))
    else:
        show.show(Console(highlight=False), end)
    raise typer.Exit(_code(end, fail_on, fail_on_gaps=fail_on_gaps))


def _code(end: show.End, fail_on: Severity | None, *, fail_on_gaps: bool) -> int:
    if end.interrupted:
        return INTERRUPTED
    if end.failing:
        new = "" if end.added is None else "new or worse, "
        complain([f"--fail-on {fail_on}: {end.failing:,} of the findings: {new}{fail_on} or above"])
        return FOUND
    if fail_on_gaps and not end.summary["complete"]:
        complain(["--fail-on-gaps: the scan is incomplete"])
        return INCOMPLETE
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """By the options."""

    wanted: Wanted
    profile: str | None
    results: Path
    baseline: str
    fail_on: Severity | None
    at_once: int
    quiet: bool

    def scan(self, config: Config | None) -> show.End:
        """Raises CannotScan, CannotPlan and InvalidScanRequest before any target is touched."""
        self.wanted.refuse(config)
        before = Baseline.of(self.baseline, self.results) if self.baseline else None
        stand = ground(self.wanted, config, caller(self.profile))
        self.results.mkdir(parents=True, exist_ok=True)
        try:
            with closing(DiskStore(self.results / FILE, together=stand.together)) as store, store.whole():
                plan, found, done = self._scan(stand, store)
        except Busy:
            raise CannotScan(
                f"--results: {self.results}: another scan is writing there: wait, or name another folder"
            ) from None
        return self._end(plan, found, before, interrupted=not done)

    def _scan(self, stand: Ground, store: DiskStore) -> tuple[Plan, Results, bool]:
        # The library logs what becomes a gap; people are told of gaps.
        logging.getLogger("orgscan").addHandler(logging.NullHandler())
        with show.watching(Console(highlight=False, stderr=True), NOW, quiet=self.quiet) as tell:
            plan, targets = _plan(stand, store)
            run = Run(
                plan=plan,
                targets=targets,
                catalog=catalog.everything(),
                configuration=stand.configuration,
                store=store,
                enter=stand.way.enter,
                at_once=self.at_once,
            )
            with interruptible(run.stop):
                done = run.to_the_end(tell)
                finished = Finished(
                    plan=plan,
                    targets=targets,
                    store=store,
                    catalog=run.catalog,
                    configuration=run.configuration,
                    at=NOW(),
                )
                return plan, finished.publish(self.results), done

    def _end(self, plan: Plan, results: Results, before: Baseline | None, *, interrupted: bool) -> show.End:
        # The folder has what else is known of its targets; nobody asked for that.
        asked = {*plan.checks}
        found = [each for each in results.findings() if show.is_open(each) and each.check in asked]
        added = None if before is None else [*before.adds(found)]
        counted = found if added is None else added
        summary = results.summary
        return show.End(
            scan=summary["scan"],
            folder=results.folder.address,
            summary=summary,
            interrupted=interrupted,
            open=found,
            added=added,
            failing=sum(1 for _ in at_least(counted, self.fail_on)) if self.fail_on else None,
        )


def _plan(stand: Ground, store: DiskStore) -> tuple[Plan, Sequence[Target]]:
    meter = Meter()
    planner = Planner(
        catalog=catalog.everything(),
        configuration=stand.configuration,
        home=stand.way.home,
        enter=stand.way.visits(meter),
        store=store,
    )
    plan, targets = planner.plan(stand.request, started=NOW(), execution=uuid4().hex)
    return replace(plan, spent=spent(meter)), targets
