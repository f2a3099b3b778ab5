"""Where scans lie, and which one is meant."""

from __future__ import annotations

from pathlib import Path

from orgscan.results import FINDINGS, RESOLVED, SUMMARY, Results, Shelved

USUAL = Path("results")


class NoScan(Exception):
    """There is no such scan, or it cannot be read. The message, one line, says what there is."""


def open_scan(
    *,
    results: Path | None = None,
    stack: str = "",
    config: Path = Path("orgscan.yaml"),
    scan: str = "latest",
) -> Results:
    """A folder with one scan's results, or with a folder for each of several. Raises NoScan."""
    if stack:
        raise NoScan(f"--stack: {stack!r} of {config}: must be left out; name a folder with --results")
    folder = results or USUAL
    if not (folder / SUMMARY).is_file():
        scans = sorted(each.parent.name for each in folder.glob(f"*/{SUMMARY}"))
        if not scans or (scan != "latest" and scan not in scans):
            raise NoScan(f"there is no scan {scan} in {folder}/: name another place with --results")
        folder = folder / (scans[-1] if scan == "latest" else scan)
    for name in (FINDINGS, RESOLVED):
        if not (folder / name).is_file():
            raise NoScan(f"there is no {folder / name}: scan again")
    return Results(Shelved(folder))
