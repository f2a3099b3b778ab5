"""`make scan`: a whole organization scanned on this machine, twice, with a working day in between."""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from local import show
from local.deploy import DeployFailed
from local.emulator import DEFAULT_REGIONS, PortTaken
from local.organization import REGIONS, Organization
from local.rehearsal import ROOT, Rehearsal, Scan, SynthFailed


class ScanFailed(Exception):
    """The execution did not succeed; the text is its error and cause."""


def main() -> int:
    told = arguments()
    console = Console(highlight=False)
    try:
        regions = {"default": REGIONS, "all": DEFAULT_REGIONS}[told.regions]
        rehearse(console, Organization(accounts=told.accounts, regions=regions), told.results, told.port)
    except KeyboardInterrupt:
        console.print("\nstopped; nothing is left running")
        return 130
    except (PortTaken, SynthFailed, DeployFailed, ScanFailed, ValueError, OSError) as trouble:
        print(f"orgscan: {trouble}", file=sys.stderr)
        return 1
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make scan", description=__doc__)
    parser.add_argument("--accounts", type=int, default=12, help="how many, the unreachable ones included")
    parser.add_argument("--regions", choices=["default", "all"], default="default")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="where results are kept")
    parser.add_argument("--port", type=int, help="of the embedded AWS; any free one if left out")
    return parser.parse_args()


def rehearse(console: Console, organization: Organization, results: Path, port: int | None) -> None:
    started = time.monotonic()
    results.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="orgscan-") as workdir,
        Rehearsal(Path(workdir), organization, port=port) as run,
    ):
        console.print(
            f"[bold]orgscan[/bold] on an embedded AWS: {len(organization.accounts)} accounts,"
            f" {len(organization.regions)} regions"
        )
        run.prepare(say=console.print)
        first = scan(console, run, "first scan")
        show.coverage(console, first)
        show.totals(console, first)
        show.compliance(console, first)
        show.cost(console, first)
        show.worst(console, [each for each in first.findings if each["status"] == "open"])
        show.mail(console, first)
        console.print("\na working day: something is mended, something is new, something is deleted")
        organization.change(run.aws.client)
        second = scan(console, run, "second scan")
        show.coverage(console, second)
        show.changes(console, second)
        show.totals(console, second)
        show.compliance(console, second)
        show.cost(console, second)
        show.mail(console, second)
        show.kept(console, [run.keep(each, results) for each in (first, second)])
    console.print(f"done in {time.monotonic() - started:.0f} s")


def scan(console: Console, run: Rehearsal, title: str) -> Scan:
    with show.watching(console, title) as watch:
        done = run.scan(watch=watch)
    if done.status != "SUCCEEDED":
        raise ScanFailed(f"the scan ended {done.status}: {done.error}: {done.cause}")
    return done


if __name__ == "__main__":
    sys.exit(main())
