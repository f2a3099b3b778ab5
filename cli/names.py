"""Names that people type: whoever misspells one is told the closest, and shells complete them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

import typer

from orgscan import catalog
from orgscan.catalog import AnyCheck


def one_of(kind: str, known: Callable[[], Sequence[str]]) -> Callable[[str], str]:
    """A parser of names, in capitals or not; who misspells one is told the closest."""

    def parse(given: str) -> str:
        names = {name.casefold(): name for name in known()}
        if given.casefold() in names:
            return names[given.casefold()]
        raise typer.BadParameter(f"{given!r} is not a {kind}{near(given, [*names.values()])}")

    return parse


def near(given: str, names: Sequence[str]) -> str:
    """'; did you mean 'CIS AWS 3.0'?', or nothing."""
    spelled = {name.casefold(): name for name in names}
    close = get_close_matches(given.casefold(), spelled, n=1)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def ids() -> list[str]:
    return [check.id for check in catalog.checks()]


def check_id(given: str) -> str:
    """A check's, also under an earlier id."""
    return one_of("check", ids)(catalog.everything().renamed().get(given, given))


def check(given: str) -> AnyCheck:
    by_id = {each.id: each for each in catalog.checks()}
    return by_id[check_id(given)]


def complete_checks(incomplete: str) -> list[str]:
    return [each for each in ids() if each.startswith(incomplete)]
