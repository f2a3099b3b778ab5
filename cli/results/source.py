"""Where scans lie, and which one is meant."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cli.doctor.ask import asked
from cli.lint import load
from cli.start import execution
from cli.start.execution import CannotStart, Deployment, Execution, refusal
from infra import CannotSynthesize
from orgscan.errors import NO_ANSWER, gap
from orgscan.line import Line
from orgscan.model import Gap
from orgscan.present.text import listed, number
from orgscan.results import (
    FINDINGS,
    RESOLVED,
    SCANS,
    SUMMARY,
    Bucketed,
    Folder,
    NoSuchResult,
    Results,
    Shelved,
)

T = TypeVar("T")
USUAL = Path("results")
"""Looked at first, where nobody said where to look."""
NEWEST = "latest"
PLACES = re.compile(r"latest(?:~([0-9]{1,5}))?")
NEEDED = ("scan", "started", "complete", "coverage", "checks", "gaps", "more_gaps", "changes", "open")
"""Members without which nothing can be said of a scan; every version of orgscan writes them."""
NOT_OURS = (EOFError, KeyError, TypeError, ValueError, zlib.error, gzip.BadGzipFile)
"""What reading raises that was not written as it is read."""


class NoScan(Exception):
    """There is no such scan, or it cannot be read. The message, one line, says what there is, what to do."""


class Source(Protocol):
    """A place with scans."""

    @property
    def address(self) -> str:
        """For people."""

    def ids(self) -> list[str]:
        """Of all scans, newest first, those without a summary too. Raises NoScan."""

    def folder(self, scan: str) -> Folder: ...


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder that holds folders of scans, or is one itself."""

    path: Path

    @property
    def address(self) -> str:
        return f"{self.path}/"

    @property
    def _single(self) -> bool:
        return (self.path / SUMMARY).is_file()

    def ids(self) -> list[str]:
        if self._single:
            return [self.path.resolve().name]
        return sorted((each.parent.name for each in self.path.glob(f"*/{SUMMARY}")), reverse=True)

    def folder(self, scan: str) -> Folder:
        return Shelved(self.path if self._single else self.path / scan)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Of a deployed stack."""

    hub: Deployment

    @property
    def address(self) -> str:
        return f"s3://{self.hub.bucket}/{SCANS}"

    def ids(self) -> list[str]:
        found = asked(lambda: sorted(self._list(), reverse=True))
        if isinstance(found, Gap):
            raise NoScan(refusal(found))
        return found

    def _list(self) -> Iterator[str]:
        pages = self.hub.home.get("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.hub.bucket, Prefix=SCANS, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"].removeprefix(SCANS).removesuffix("/")

    def running(self) -> list[Execution]:
        """Newest first. Raises NoScan."""
        found = asked(lambda: execution.running(self.hub))
        if isinstance(found, Gap):
            raise NoScan(refusal(found))
        return found

    def folder(self, scan: str) -> Folder:
        return Bucketed(self.hub.home.get("s3"), self.hub.bucket, scan)


@dataclass(frozen=True)
class Scan(Results):
    """One scan's results. What cannot be read raises NoScan, and says so for people."""

    id: str

    def json(self, name: str) -> Any:
        return self._read(name, lambda: Results.json(self, name))

    def text(self, name: str) -> bytes:
        """The file as it lies there."""
        return self._read(name, lambda: self.folder.get(name))

    @property
    def summary(self) -> Mapping[str, Any]:
        told = self.json(SUMMARY)
        if not isinstance(told, dict) or not all(name in told for name in NEEDED):
            raise NoScan(f"{self.folder.address}{SUMMARY} is not what a scan leaves: name another --scan")
        return told

    @property
    def started(self) -> datetime:
        return datetime.fromisoformat(self.summary["started"]).astimezone(UTC)

    def has(self, name: str) -> bool:
        try:
            self.text(name)
        except Untold:
            return False
        return True

    def findings(self) -> Iterator[Line]:
        return self._each(FINDINGS, Results.findings(self))

    def resolved(self) -> Iterator[Line]:
        return self._each(RESOLVED, Results.resolved(self))

    def _each(self, name: str, lines: Iterator[Line]) -> Iterator[Line]:
        while (line := self._read(name, lambda: next(lines, None))) is not None:
            yield line

    def _read(self, name: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except NoSuchResult:
            raise Untold(
                f"there is no {self.folder.address}{name}: the scan has not ended, or an older version of "
                "orgscan wrote it: name another --scan, or scan again"
            ) from None
        except NOT_OURS:
            old = "its findings have no id or owner, or it is damaged" if name != SUMMARY else "it is damaged"
            raise Untold(
                f"{self.folder.address}{name} was not written by this version of orgscan ({old}): "
                "name a newer --scan, or scan again"
            ) from None
        except NO_ANSWER as error:
            raise NoScan(f"{self.folder.address}{name} cannot be read: {refusal(gap(name, error))}") from None
        except OSError as trouble:
            raise NoScan(f"{self.folder.address}{name} cannot be read: {trouble.strerror}") from None


class Untold(NoScan):
    """The scan left no such file, or not as this version writes it."""


def source(results: Path | None, stack: str, config: Path) -> Source:
    """A folder if one is named; without any named place, ./results if a scan lies there; else the deployment.

    Raises NoScan.
    """
    if results and stack:
        raise NoScan("--results and --stack: must not be given together: they name two places")
    if results and not results.is_dir():
        raise NoScan(f"--results: {results}: must be a folder that holds a scan's results, or several scans'")
    if results or (not stack and Shelf(USUAL).ids()):
        return Shelf(results or USUAL)
    try:
        return Bucket(execution.deployment(stack or load(config, datetime.now(UTC)).stack("hub")))
    except CannotSynthesize as refused:
        where = "name a folder of results with --results, or the hub's stack with --stack"
        raise NoScan(f"{str(refused).splitlines()[0]}: {where}") from None
    except CannotStart as refused:
        raise NoScan(f"{refused}; or name a folder of results with --results") from None


def scans(*, results: Path | None = None, stack: str = "", config: Path = Path("orgscan.yaml")) -> list[str]:
    """Ids of all scans, newest first. Raises NoScan."""
    return source(results, stack, config).ids()


def open_scan(
    *,
    results: Path | None = None,
    stack: str = "",
    config: Path = Path("orgscan.yaml"),
    scan: str = NEWEST,
) -> Scan:
    """`scan`: an id, the beginning of one, `latest`, `latest~2`, `previous`. Raises NoScan."""
    return choose(source(results, stack, config), scan)


def choose(place: Source, scan: str) -> Scan:
    """Raises NoScan."""
    ids = place.ids()
    if not ids:
        raise NoScan(f"there is no scan in {place.address}: start one (orgscan start), or name another place")
    if back := PLACES.fullmatch("latest~1" if scan == "previous" else scan):
        return _ended(place, ids, int(back[1] or 0))
    those = [scan] if scan in ids else [each for each in ids if scan and each.startswith(scan)]
    if len(those) > 1:
        raise NoScan(
            f"--scan: {scan!r} begins {number(len(those), 'scan')}: {listed(those, 3)}: say more of it"
        )
    if not those:
        there = f"{place.address} has {number(len(ids), 'scan')}, the newest is {ids[0]}"
        raise NoScan(f"--scan: {scan!r}: must be a scan's id or its beginning, latest, latest~1: {there}")
    return Scan(place.folder(those[0]), those[0])


def _ended(place: Source, ids: Sequence[str], back: int) -> Scan:
    """The newest that has a summary, or so many before it."""
    ended = list(islice(newest(place, ids), back + 1))
    if len(ended) <= back:
        told = f"only {number(len(ended), 'scan')}" if ended else "no scan"
        raise NoScan(f"{place.address} has {told} that ended: start another one, or name an older --scan")
    return ended[back]


def newest(place: Source, ids: Sequence[str]) -> Iterator[Scan]:
    """Those that have ended, newest first; the others run, or failed."""
    scans = (Scan(place.folder(each), each) for each in ids)
    return (each for each in scans if each.has(SUMMARY))
