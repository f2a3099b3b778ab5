"""What is new or worse than an earlier scan, for whoever lets only that break a build."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cli.scan.caller import CannotScan
from orgscan.line import Line
from orgscan.model import Severity
from orgscan.reconcile import Status
from orgscan.results import NoSuchResult, Results, Shelved


@dataclass(frozen=True, slots=True)
class Baseline:
    """Empty: nothing was known, so everything is new."""

    known: Mapping[str, Severity] = field(default_factory=dict)
    """Id of what was open -> how bad it was."""

    @classmethod
    def of(cls, named: str, shelf: Path) -> Self:
        """A scan below the shelf, or any folder of results. Raises CannotScan when it is none."""
        folder = next((each for each in (shelf / named, Path(named)) if each.is_dir()), None)
        if folder is None:
            raise CannotScan(f"--baseline: {named!r}: must be a scan in {shelf}/, or a folder of results")
        try:
            lines = Results(Shelved(folder)).findings()
            return cls({each.id: each.severity for each in lines if each.status is Status.OPEN})
        except NoSuchResult as missing:
            raise CannotScan(f"--baseline: {missing}: there must be such a file") from None
        except (KeyError, TypeError, ValueError, EOFError, zlib.error, gzip.BadGzipFile, OSError) as wrong:
            what = type(wrong).__name__
            raise CannotScan(f"--baseline: {folder}: must hold findings of this version ({what})") from wrong

    def adds(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The open ones that were not open, or less bad."""
        for each in lines:
            before = self.known.get(each.id)
            if each.status is Status.OPEN and (before is None or each.severity.rank > before.rank):
                yield each


def at_least(lines: Iterable[Line], severity: Severity) -> Iterator[Line]:
    return (each for each in lines if each.severity.rank >= severity.rank)
