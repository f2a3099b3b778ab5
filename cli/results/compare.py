"""Two scans, told apart. Pure. What a scan did not look at is neither new nor resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cli.results.wanted import worst
from orgscan.line import Line
from orgscan.reconcile import Status


class Kind(StrEnum):
    """What became of a finding."""

    NEW = "new"
    REOPENED = "reopened"
    WORSENED = "worsened"
    NO_LONGER_SUPPRESSED = "no longer suppressed"
    UNCONFIRMED = "newly unconfirmed"
    """It is open for all that is known; the later scan should have confirmed it and could not."""
    EASED = "eased"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    NOT_THEN = "not looked at then"
    """It is open now; whether it was, the earlier scan does not say."""
    NOT_NOW = "not looked at now"
    """It was open; whether it is, the later scan does not say."""


UNCOMPARED = (Kind.NOT_THEN, Kind.NOT_NOW)


@dataclass(frozen=True, slots=True)
class Places:
    """What a scan set out to look at."""

    targets: frozenset[tuple[str, str]]
    """Account and region."""
    checks: frozenset[str]

    def __contains__(self, line: Line) -> bool:
        return (line.account, line.region) in self.targets and line.check in self.checks


@dataclass(frozen=True, slots=True)
class Side:
    """One of two scans."""

    started: datetime
    lines: Mapping[str, Line]
    """By id: open or suppressed."""
    places: Places | None
    """None: nobody tells."""


@dataclass(frozen=True, slots=True)
class Later:
    """A scan after the earlier one, up to the later one."""

    resolved: Iterable[Line]
    listed: Iterable[Line]
    """Open or suppressed; empty for the later scan itself."""


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    line: Line
    """As the later scan tells it; as the last one does that knew it, where it does not."""
    was: Line | None = None
    """As the earlier scan told it."""


def compare(then: Side, now: Side, later: Iterable[Later]) -> list[Difference]:
    """`later`: the scans after `then` up to `now`, newest first; only as many are read as are needed.

    By kind, in their order, then worst first.
    """
    both = then.lines.keys() & now.lines.keys()
    told = [*_gone({id_: line for id_, line in then.lines.items() if id_ not in both}, now, later)]
    told += (_came(line, then) for id_, line in now.lines.items() if id_ not in both)
    for id_ in both:
        if kind := _changed(then.lines[id_], now.lines[id_]):
            told.append(Difference(kind, now.lines[id_], then.lines[id_]))
    ranks = {kind: rank for rank, kind in enumerate(Kind)}
    return sorted(told, key=lambda each: (ranks[each.kind], worst(each.line)))


def _changed(was: Line, line: Line) -> Kind | None:
    if line.status is not was.status:
        return Kind.SUPPRESSED if line.status is Status.SUPPRESSED else Kind.NO_LONGER_SUPPRESSED
    if step := line.severity.rank - was.severity.rank:
        return Kind.WORSENED if step > 0 else Kind.EASED
    return Kind.UNCONFIRMED if line.unconfirmed_since and not was.unconfirmed_since else None


def _came(line: Line, then: Side) -> Difference:
    """Opened after the earlier scan, where that looked; otherwise nobody knows whether it was there."""
    looked = then.places is None or line in then.places
    if not looked or datetime.fromisoformat(line.opened) <= then.started:
        return Difference(Kind.NOT_THEN, line)
    if line.status is Status.SUPPRESSED:
        return Difference(Kind.SUPPRESSED, line)
    return Difference(Kind.REOPENED if line.first_seen < line.opened else Kind.NEW, line)


def _gone(missing: dict[str, Line], now: Side, later: Iterable[Later]) -> Iterator[Difference]:
    """The last scan that tells of a finding decides, and if none does, whether the later one looked there."""
    left = dict(missing)
    for scan in later:
        if not left:
            break
        for kind, lines in ((Kind.RESOLVED, scan.resolved), (Kind.NOT_NOW, scan.listed)):
            for line in lines:
                if was := left.pop(line.id, None):
                    yield Difference(kind, line, was)
    for was in left.values():
        looked = now.places is not None and was in now.places
        yield Difference(Kind.RESOLVED if looked else Kind.NOT_NOW, was, was)


def by_kind(differences: Sequence[Difference]) -> dict[Kind, list[Difference]]:
    """Those that there are, in their order."""
    kinds: dict[Kind, list[Difference]] = {}
    for each in differences:
        kinds.setdefault(each.kind, []).append(each)
    return kinds
