"""From receipts to the controls of frameworks: which a scan saw pass, which fail, and which it cannot judge.

A control passes only if each check that maps to it was evaluated wherever it was due, and found nothing. What
was not seen never passes, nor does what somebody accepted: that is told apart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from orgscan.catalog import AnyCheck, Catalog
from orgscan.model import Standing, Target
from orgscan.receipt import Receipt

TABLE = Path(__file__).parent / "data" / "frameworks.json"
"""The controls of each framework, and where they were read."""
SIDES = (True, False)
"""Global targets, regional ones."""
Key: TypeAlias = tuple[str, str]
"""Name of a framework, number of a control."""


class Verdict(StrEnum):
    """What a scan says of a control."""

    PASSED = "passed"
    FAILED = "failed"
    ACCEPTED = "accepted"
    """It would fail, but for findings that are all suppressed."""
    NOT_JUDGED = "not-judged"
    """Nothing is found, but not everything was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    number: str
    automated: bool | None
    """Whether the framework itself says that no human need look. None: not known."""
    needs: tuple[str, ...] = ()
    """Ids of the checks that it takes to cover it, where it takes several."""
    why_not: str = ""
    """Why no check can or should cover it, where there is a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    name: str
    """As `maps` of checks write it, before a control's number."""
    title: str
    controls: tuple[Control, ...]
    """By number."""

    def covering(self, checks: Iterable[AnyCheck]) -> dict[str, tuple[str, ...]]:
        """Number of a control -> ids of the checks that map to it; () where none does."""
        found: dict[str, list[str]] = {control.number: [] for control in self.controls}
        for check in checks:
            for name, number in map(split, check.maps):
                if name == self.name and number in found:
                    found[number].append(check.id)
        return {number: tuple(ids) for number, ids in found.items()}

    def missing(self, checks: Iterable[AnyCheck]) -> dict[str, tuple[str, ...]]:
        """Number of a control -> what it needs and nobody has written yet."""
        known = {id_ for check in checks for id_ in (check.id, *check.was)}
        return {
            control.number: tuple(id_ for id_ in control.needs if id_ not in known)
            for control in self.controls
        }


@cache
def source() -> str:
    return str(json.loads(TABLE.read_text(encoding="utf-8"))["source"])


@cache
def frameworks() -> tuple[Framework, ...]:
    told = json.loads(TABLE.read_text(encoding="utf-8"))["frameworks"]
    return tuple(
        Framework(name=each["name"], title=each["title"], controls=tuple(_controls(each))) for each in told
    )


def split(mapped: str) -> tuple[str, str]:
    """'CIS AWS 3.0 5.2' -> 'CIS AWS 3.0', '5.2'."""
    name, _, number = mapped.rpartition(" ")
    return name, number


def _controls(told: Mapping[str, Any]) -> Iterator[Control]:
    kinds = {"automated": True, "manual": False, "unknown": None}
    flags = {number: flag for kind, flag in kinds.items() for number in told[kind]}
    for number in sorted(flags, key=_order):
        yield Control(
            number=number,
            automated=flags[number],
            needs=tuple(told["needs"].get(number, ())),
            why_not=told["uncovered"].get(number, ""),
        )


def _order(number: str) -> list[tuple[int, str]]:
    """'S3.9' before 'S3.10'."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in number.split(".")]


@dataclass(slots=True)
class Places:
    """Where something is so. It holds no place, so receipts of one account must follow each other."""

    accounts: int = 0
    targets: int = 0
    findings: int = 0
    _last: str = ""

    def add(self, target: Target, findings: int = 0) -> None:
        self.accounts += target.account != self._last
        self._last = target.account
        self.targets += 1
        self.findings += findings


@dataclass(slots=True)
class Tally:
    """Of one control."""

    failed: Places = field(default_factory=Places)
    """With open findings."""
    accepted: Places = field(default_factory=Places)
    """With suppressed ones."""
    unseen: Places = field(default_factory=Places)
    """Where a check of it was due and not, or not fully, evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one control that checks cover."""

    control: Control
    checks: tuple[str, ...]
    left_out: tuple[str, ...]
    """Of these, what this scan was to evaluate nowhere: switched off, not asked for, or no place to ask."""
    missing: tuple[str, ...]
    """What else it needs and nobody has written yet."""
    targets: int
    """Where any of the checks was due."""
    tally: Tally

    @property
    def verdict(self) -> Verdict:
        if self.tally.failed.findings:
            return Verdict.FAILED
        if self.left_out or self.tally.unseen.targets:
            return Verdict.NOT_JUDGED
        return Verdict.ACCEPTED if self.tally.accepted.findings else Verdict.PASSED

    @property
    def partial(self) -> bool:
        """It goes as far as checks do: the framework wants a human to look, or may, or checks are missing."""
        return not self.control.automated or bool(self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one framework."""

    framework: Framework
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> Counter[Verdict]:
        return Counter(outcome.verdict for outcome in self.outcomes)


class Assessment:
    """Adds up the receipts of a scan. What it keeps grows with controls, and not with accounts."""

    def __init__(
        self, asked: Collection[str], catalog: Catalog, all_frameworks: Iterable[Framework] | None = None
    ) -> None:
        """`asked`: ids of the checks that the scan was to evaluate. `catalog`: all checks that exist."""
        self._catalog = catalog
        self._frameworks = frameworks() if all_frameworks is None else tuple(all_frameworks)
        planned = catalog.only(asked)
        self._due = {once: frozenset(each.id for each in planned.planned(once=once)) for once in SIDES}
        self._targets = Counter[bool]()
        self._renamed = catalog.renamed()
        self._tallies: dict[Key, Tally] = {}
        self._covering: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._controls: dict[str, list[Key]] = {check.id: [] for check in catalog.checks}
        for framework in self._frameworks:
            covering = self._covering[framework.name] = framework.covering(catalog.checks)
            for number, ids in covering.items():
                key = (framework.name, number)
                if ids:  # of most controls nothing is ever said
                    self._tallies[key] = Tally()
                for each in ids:
                    self._controls[each].append(key)

    def add(self, receipt: Receipt) -> None:
        """Receipts come by account, as the table has them."""
        target = receipt.target
        for key, count in self._by_control(receipt.found, 0).items():
            self._tallies[key].failed.add(target, count)
        for key, count in self._by_control(receipt.found, 1).items():
            self._tallies[key].accepted.add(target, count)
        for key in self._unseen(receipt):
            self._tallies[key].unseen.add(target)
        if target.standing is Standing.DUE:
            self._targets[target.once] += 1

    def _by_control(self, found: Mapping[str, tuple[int, int]], which: int) -> Counter[Key]:
        """Findings by control, open (`which` 0) or suppressed (1)."""
        counts: Counter[Key] = Counter()
        for check, numbers in found.items():
            for key in self._controls.get(self._renamed.get(check, check), ()):
                counts[key] += numbers[which]
        return +counts

    def _unseen(self, receipt: Receipt) -> set[Key]:
        if not receipt.attributed:
            return {*self._tallies}
        if receipt.target.standing is not Standing.DUE:
            return set()
        due = self._due[receipt.target.once]
        return {
            key for each in receipt.unseen for id_ in each.checks if id_ in due for key in self._controls[id_]
        }

    def results(self) -> tuple[Result, ...]:
        return tuple(
            Result(framework=framework, outcomes=tuple(self._outcomes(framework)))
            for framework in self._frameworks
        )

    def _outcomes(self, framework: Framework) -> Iterator[Outcome]:
        covering = self._covering[framework.name]
        missing = framework.missing(self._catalog.checks)
        for control in framework.controls:
            if checks := covering[control.number]:
                yield Outcome(
                    control=control,
                    checks=checks,
                    left_out=tuple(check for check in checks if not self._planned(check)),
                    missing=missing[control.number],
                    targets=sum(self._targets[once] for once in SIDES if self._due[once] & {*checks}),
                    tally=self._tallies[framework.name, control.number],
                )

    def _planned(self, check: str) -> int:
        """Targets in which it was due."""
        return sum(self._targets[once] for once in SIDES if check in self._due[once])


def totals(results: Iterable[Result]) -> list[dict[str, Any]]:
    """One short line of data per framework."""
    return [_total(result) for result in results]


def details(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Every control, those without checks too."""
    return [
        {**_total(result), "title": result.framework.title, "list": list(_listed(result))}
        for result in results
    ]


def _total(result: Result) -> dict[str, Any]:
    return {
        "framework": result.framework.name,
        "controls": len(result.framework.controls),
        "with_checks": len(result.outcomes),
        **{verdict.replace("-", "_"): result.counts[verdict] for verdict in Verdict},
    }


def _listed(result: Result) -> Iterator[dict[str, Any]]:
    covered = {outcome.control.number: outcome for outcome in result.outcomes}
    for control in result.framework.controls:
        if outcome := covered.get(control.number):
            yield _detail(outcome)
        else:
            yield {"control": control.number, "verdict": "no-check", "reason": control.why_not or None}


def _detail(outcome: Outcome) -> dict[str, Any]:
    failed, accepted, unseen = outcome.tally.failed, outcome.tally.accepted, outcome.tally.unseen
    return {
        "control": outcome.control.number,
        "verdict": outcome.verdict,
        "as_far_as_automated": outcome.partial,
        "checks": list(outcome.checks),
        "left_out": list(outcome.left_out),
        "missing": list(outcome.missing),
        "targets": outcome.targets,
        "failed": _places(failed) | {"findings": failed.findings},
        "accepted": _places(accepted) | {"findings": accepted.findings},
        "unseen": _places(unseen),
    }


def _places(places: Places) -> dict[str, int]:
    return {"accounts": places.accounts, "targets": places.targets}
