"""`orgscan start`: its options and exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli.lint import complain, load
from cli.options import repeated, tag
from cli.start import execution, follow, show
from cli.start.execution import CannotStart, Deployment, Execution, LostSight
from cli.start.request import Wanted, build
from infra import CannotSynthesize
from orgscan.model import Category, Gap
from orgscan.request import InvalidScanRequest

if TYPE_CHECKING:
    from infra.config import Config

INCOMPLETE, REFUSED, FAILED, UNSEEN, INTERRUPTED = 1, 2, 3, 4, 130
"""Exit codes."""
CONFIG = Path("orgscan.yaml")


def start(  # noqa: PLR0913 (each is an option)
    *,
    config: Annotated[Path, typer.Option(help="The configuration.")] = CONFIG,
    accounts: Annotated[list[str] | None, repeated("--account", "ID", "Only this account")] = None,
    ous: Annotated[list[str] | None, repeated("--ou", "ID", "Only accounts in or below it")] = None,
    account_tags: Annotated[
        list[Any] | None,
        repeated("--account-tag", "KEY=VALUE", "Only accounts that carry all of these", parser=tag),
    ] = None,
    regions: Annotated[
        list[str] | None, repeated("--region", "NAME", "Only this one: eu-west-1, 'eu-*', global")
    ] = None,
    checks: Annotated[list[str] | None, repeated("--check", "ID", "Only this check")] = None,
    categories: Annotated[
        list[str] | None, repeated("--category", "NAME", f"Only these checks: {', '.join(Category)}")
    ] = None,
    schedule: Annotated[
        str, typer.Option(metavar="NAME", help="As this schedule of the configuration would ask.")
    ] = "",
    notify: Annotated[bool, typer.Option("--notify/--no-notify", help="Whether anybody is mailed.")] = True,
    digest: Annotated[
        bool, typer.Option("--digest", help="Tell all that is open, whether or not anything changed.")
    ] = False,
    stack: Annotated[str, typer.Option(metavar="NAME", help="The hub's stack, if not as configured.")] = "",
    following: Annotated[
        str, typer.Option("--follow", metavar="ARN", help="Start nothing; follow this execution.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Whether to follow it to its end.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="The end as JSON, for machines; progress on stderr.")
    ] = False,
) -> None:
    """Start a scan, and follow it to its end. Options narrow what orgscan.yaml allows.

    Exit code 0: the scan is complete, whatever it found; with --no-wait, it was started. 1: it is
    incomplete, or its summary could not be read. 2: nothing was started: the request, the configuration
    or the credentials are wrong. 3: it failed, was stopped or timed out. 4: it goes on, and could not be
    looked at any longer. 130: it goes on, and you stopped following it.
    """
    wanted = Wanted(
        accounts=accounts or (),
        ous=ous or (),
        account_tags=account_tags or (),
        regions=regions or (),
        checks=checks or (),
        categories=categories or (),
        schedule=schedule,
        notify=notify,
        digest=digest,
    )
    try:
        decided = load(config, datetime.now(UTC))
        hub, begun = _begin(wanted, decided, stack, following, wait=wait)
    except InvalidScanRequest as refused:
        complain(refused.problems)
        raise typer.Exit(REFUSED) from None
    except (CannotSynthesize, CannotStart) as refused:
        complain(str(refused).splitlines())
        raise typer.Exit(REFUSED) from None
    again = _again(begun.arn if begun else following, config, stack)
    if not wait and begun:
        typer.echo(json.dumps(show.as_json(begun), indent=1) if as_json else f"started: {again}")
        return
    raise typer.Exit(_to_the_end(hub, begun.arn if begun else following, again, as_json=as_json))


def _begin(
    wanted: Wanted, config: Config, stack: str, following: str, *, wait: bool
) -> tuple[Deployment, Execution | None]:
    """What was started; None when there is something to follow. Raises before anything is."""
    name = stack or config.stack("hub")
    if not following:
        request = build(wanted, config)
        hub = execution.deployment(name)
        return hub, execution.start(hub, request)
    if wanted.anything or not wait:
        raise CannotStart(
            "--follow: must stand alone, with --config, --stack and --json at most: it starts nothing"
        )
    hub = execution.deployment(name)
    if not hub.owns(following):
        raise CannotStart(f"--follow: {following!r}: must be the ARN of an execution of {hub.machine}")
    return hub, None


def _again(arn: str, config: Path, stack: str) -> str:
    """The command that follows it once more."""
    told = ["orgscan start --follow", arn]
    told += ["--config", str(config)] if config != CONFIG else []
    told += ["--stack", stack] if stack else []
    return " ".join(told)


def _to_the_end(hub: Deployment, arn: str, again: str, *, as_json: bool) -> int:
    """Returns the exit code."""
    progress = Console(highlight=False, stderr=as_json)
    try:
        with show.watching(progress) as tell:
            seen = follow.follow(lambda: execution.look(hub, arn), tell, follow.CLOCK)
    except KeyboardInterrupt:
        complain(
            [
                f"the scan goes on; follow it again: {again}",
                f"or stop it: aws stepfunctions stop-execution --execution-arn {arn}",
            ]
        )
        return INTERRUPTED
    except LostSight as lost:
        complain([f"the scan goes on, and cannot be looked at: {lost}; then: {again}"])
        return UNSEEN
    if seen.status != "SUCCEEDED":
        if as_json:
            typer.echo(json.dumps(show.as_json(seen), indent=1))
        complain([show.failure(seen)])
        return FAILED
    return _came_to(hub, seen, as_json=as_json)


def _came_to(hub: Deployment, seen: Execution, *, as_json: bool) -> int:
    folder = f"s3://{hub.bucket}/scans/{seen.scan}/"
    summary = execution.summary(hub, seen.scan)
    if isinstance(summary, Gap):
        if as_json:
            typer.echo(json.dumps(show.as_json(seen), indent=1))
        complain([f"the scan has ended; {folder}summary.json cannot be read ({summary.detail})"])
        return INCOMPLETE
    if as_json:
        typer.echo(json.dumps(show.as_json(seen, summary), indent=1))
    else:
        show.headline(Console(highlight=False), summary, folder)
    return 0 if summary["complete"] else INCOMPLETE
