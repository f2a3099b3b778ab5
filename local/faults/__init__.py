"""What is wrong in the invented organization, and what only looks wrong: one module per kind of service.

To plant something new, write a function with `@scenario` in one of the modules; it is found by looking.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from local import past
from local.faults import accounts, compute, identity, network, payer, storage, watch
from local.place import GLOBAL, Act, Book, Changes, Place, Planted, Remedy, Scenario

DOZEN = 46
"""Regional targets that can be seen in an organization of twelve accounts and five regions."""
BUSY = 3 * DOZEN
"""So many targets have faults at most: a large organization works in some regions only."""
PUBLIC = {storage.BLOCK, storage.POLICY, storage.ACL, watch.BUCKET}


def scenarios() -> list[Scenario]:
    """All of them, file by file."""
    return [found for module in _modules() for found in vars(module).values() if _declared(found, module)]


def absent() -> Mapping[str, Any]:
    """What moto lacks: 'service:Operation' -> what is answered where nothing is planted."""
    return {call: result for module in _modules() for call, result in getattr(module, "ABSENT", {}).items()}


def _modules() -> list[ModuleType]:
    return [import_module(module.name) for module in iter_modules(__path__, f"{__name__}.")]


def _declared(found: object, module: ModuleType) -> bool:
    """There, not imported from another file."""
    return isinstance(found, Scenario) and found.plant.__module__ == module.__name__


def plant(places: Sequence[Place], book: Book, unguarded: Sequence[str] = ()) -> None:
    """Put in order what can be seen, then plant every scenario: more often, but sparser, in a larger one.

    `unguarded`: accounts under no guardrails.
    """
    seen = [place for place in places if not place.why_blind]
    regional = [place for place in seen if place.region != GLOBAL]
    for number, place in enumerate(place for place in seen if place.region == GLOBAL):
        accounts.furnish(place, number)
    for place in regional:
        order(place)
    for place in seen:
        if place.payer and place.region == GLOBAL:
            for account in unguarded:
                payer.unguarded(place, account)
    often = max(1, round(math.cbrt(len(regional) / DOZEN)))
    for each in scenarios():
        for _ in range(each.copies * often):
            _plant(each, seen, book)
    compute.instance_nobody_measured(_shuffled(regional)[0])
    _plant_unseen(places)


def order(place: Place) -> None:
    """What is right in every account and region, except where a scenario says otherwise."""
    past.empty_default_groups(place.account.id, place.region)
    past.encrypt_volumes(place.account.id, place.region)
    past.keep_vpcs(place.account.id, place.region)
    watch.guard(place)


def rework(places: Sequence[Place], book: Book) -> Changes:
    """The commonest faults are made once more, and a good trail stops.

    Then one old fault of each check is mended, one goes with its resource, and an exposed account is closed.
    """
    seen = [place for place in places if not place.why_blind]
    before = dict(book.open)
    for each in scenarios():
        if each.copies > 1:
            _plant(each, seen, book)
    accounts.stop_trail(seen[0])
    for _, mend in _one_of_each_check(before, lambda remedy: remedy.mend):
        mend()
        # One act may cure several faults of a resource.
        for cured in [each for each, remedy in book.open.items() if remedy.mend is mend]:
            del book.open[cured]
    closed = [place for place in seen if place.exposed][-1]
    storage.close_account(closed)
    for planted in [each for each in book.open if each.account == closed.account.id and each.check in PUBLIC]:
        del book.open[planted]
    fixed = before.keys() - book.open.keys()
    left = {planted: remedy for planted, remedy in before.items() if planted not in fixed}
    gone: set[str] = set()
    for _, remove in _one_of_each_check(left, lambda remedy: remedy.remove):
        remove()
        gone |= {planted.resource for planted, remedy in before.items() if remedy.remove is remove}
        for planted in [each for each, remedy in book.open.items() if remedy.remove is remove]:
            del book.open[planted]
    after = book.open.keys()
    # What was mended on a resource that then went is gone with it.
    went = {planted for planted in fixed if planted.resource in gone}
    return Changes(
        fixed=frozenset(fixed - went),
        deleted=frozenset(left.keys() - after) | went,
        added=frozenset(after - before.keys()),
    )


def _plant(scenario: Scenario, seen: Iterable[Place], book: Book) -> None:
    """At the next place that fits; scenarios of one kind take turns, so that they spread."""
    fitting = _shuffled([place for place in seen if scenario.fits(place)])[:BUSY]
    turn = book.number(f"turn {scenario.once} {scenario.exposed}")
    scenario.plant(fitting[(turn - 1) % len(fitting)])


def _plant_unseen(places: Iterable[Place]) -> None:
    """A few faults for each reason not to see them."""
    reasons = {(place.why_blind, place.region == GLOBAL): place for place in places if place.why_blind}
    for (_, once), place in reasons.items():
        blind_faults = (
            (identity.old_access_key, identity.administrator_role)
            if once
            else (network.ssh_open_to_the_world, compute.forgotten_volume)
        )
        for each in blind_faults:
            each.plant(place)
    for place in places:
        told = payer.unseen(place) if place.why_blind else None
        if told:
            place.book.open[told] = Remedy()


def _shuffled(places: Iterable[Place]) -> list[Place]:
    """In an order that mixes accounts and regions, the same one each time."""
    return sorted(places, key=lambda place: sha256(f"{place.account.id} {place.region}".encode()).digest())


def _one_of_each_check(
    open_: dict[Planted, Remedy], act: Callable[[Remedy], Act | None]
) -> Iterator[tuple[Planted, Act]]:
    """The first planted of each check for which there is such an act."""
    done = set()
    for planted, remedy in open_.items():
        found = act(remedy)
        if found and planted.check not in done:
            done.add(planted.check)
            yield planted, found
