"""Accounts that joined, that left, and that are in another state than people were last told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orgscan.model import NOBODY, Owner
from orgscan.organization import Account

ACTIVE, UNKNOWN, GONE = "ACTIVE", "UNKNOWN", "LEFT"
"""States: two as Organizations tells them or does not; and the one in which it tells nothing any more."""
JOINED = "joined"
WORDS = {
    GONE: "left",
    "SUSPENDED": "suspended",
    "PENDING_CLOSURE": "closing",
    "CLOSED": "closed",
    ACTIVE: "activated",
}
"""State -> what happened to who is in it now, in the order of telling."""
KNOWN = "who is in the organization"
"""What a first scan learns, and later ones tell changes of."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An account that some scan met, and the regions where it was looked at."""

    account: str
    name: str
    regions: frozenset[str]
    absent: frozenset[str] = frozenset()
    """'<region>#<scan>': which scan planned which region as absent, and no later one as present."""
    state: str = ""
    """In the organization, as people were last told; empty: nothing is known."""
    told_in: str = ""
    """The scan that told it."""
    owner: Owner = NOBODY
    """As it was last read."""
    owner_read: str = ""
    """On which day, UTC; empty: never."""

    def came_back(self, regions: Collection[str]) -> frozenset[str]:
        return frozenset(mark for mark in self.absent if mark.partition("#")[0] in regions)


@dataclass(frozen=True, slots=True)
class Move:
    """One account's change since people were last told of it."""

    account: str
    name: str
    before: str
    """Its state; empty: it was not in the organization."""
    now: str
    told_in: str
    """The scan that told of the state before; empty: none did."""

    @property
    def word(self) -> str:
        if self.before in ("", GONE):
            return JOINED
        return WORDS.get(self.now, self.now.lower().replace("_", " "))


def moves(
    scope: Iterable[Account],
    listed: Collection[str],
    known: Mapping[str, Remembered],
    excluded: Collection[str],
) -> Iterator[Move]:
    """`scope`: whom orgscan is to look at, in any state; `listed`: the ids of the whole organization.

    An account without a state is left as it was known: AWS did not tell of a change.
    """
    for account in scope:
        if account.id in listed and account.state != UNKNOWN:
            before = known.get(account.id)
            state, told_in = (before.state, before.told_in) if before else ("", "")
            if account.state != state:
                yield Move(account.id, account.name, state, account.state, told_in)
    for each in sorted(known.values(), key=lambda known: known.account):
        if each.state not in ("", GONE) and each.account not in {*listed, *excluded}:
            yield Move(each.account, each.name, each.state, GONE, each.told_in)


def by_word(told: Iterable[Move]) -> Mapping[str, Sequence[Move]]:
    """'joined', 'left', 'suspended' ... -> whom that happened to."""
    found: dict[str, list[Move]] = defaultdict(list)
    for move in told:
        found[move.word].append(move)
    order = [JOINED, *WORDS.values()]
    return {word: found[word] for word in [*order, *sorted(found.keys() - order)] if word in found}
