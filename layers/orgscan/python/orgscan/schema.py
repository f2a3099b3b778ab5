"""The shape of findings and receipts in the table: which one this code writes, and how it reads older ones.

An item names its shape in `schema`; one that does not has the first. It is read as if it had been written
today, and written anew only when it changes: an upgrade needs no pass over the table, and costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Item: TypeAlias = Mapping[str, Any]

UPGRADES: tuple[Callable[[Item], Item], ...] = ()
"""The n-th makes of an item of shape n one of shape n + 1. What was released stays as it is."""
FIRST = 1


class NewerTable(Exception):
    """A newer orgscan has written to the table; this one might misread what it left."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"the table has schema {found}, and this orgscan knows {current()}: "
            "a newer version has written to it, deploy that one again"
        )


def current() -> int:
    return FIRST + len(UPGRADES)


def marked(item: dict[str, Any]) -> dict[str, Any]:
    """As it is written: the first shape goes without saying."""
    return item if current() == FIRST else {**item, "schema": current()}


def upgraded(item: Item) -> Item:
    """As if written today. Raises NewerTable."""
    found = int(item.get("schema", FIRST))
    if found > current():
        raise NewerTable(found)
    for upgrade in UPGRADES[found - FIRST :]:
        item = upgrade(item)
    return item
