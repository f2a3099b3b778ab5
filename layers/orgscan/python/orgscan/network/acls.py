"""What a network ACL lets pass."""

from collections.abc import Iterable
from dataclasses import dataclass

from orgscan.network.ranges import worlds
from orgscan.network.rules import ALL, PORTS, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A rule of a network ACL in one direction; the lowest number that matches decides."""

    number: int
    allow: bool
    protocol: str
    """A number, '-1' for all."""
    cidr: str
    """IPv4 or IPv6."""
    from_port: int | None = None
    to_port: int | None = None
    """Both None: every port."""

    def covers(self, port: int, protocol: str) -> bool:
        if self.protocol == ALL:
            return True
        return named(self.protocol) == protocol and self.first <= port <= self.last

    @property
    def first(self) -> int:
        return 0 if self.from_port in (None, -1) else self.from_port

    @property
    def last(self) -> int:
        return PORTS - 1 if self.to_port in (None, -1) else self.to_port


def lets_in(entries: Iterable[Entry], world: str, port: int, protocol: str = "tcp") -> Entry | None:
    """The entry through which the world, '0.0.0.0/0' or '::/0', reaches the port; None: none does.

    A world can be written as several ranges, so what decides is the first entry whose range, together with
    those of the earlier entries that say the same, is the world. One network denied, or allowed, is not.
    """
    said: dict[bool, list[str]] = {True: [], False: []}
    for entry in sorted(entries, key=lambda each: each.number):
        if entry.covers(port, protocol):
            said[entry.allow].append(entry.cidr)
            if world in worlds(said[entry.allow]):
                return entry if entry.allow else None
    return None


def answers(entries: Iterable[Entry], world: str, protocol: str = "tcp") -> bool:
    """Whether anything comes back to the world, through outbound entries.

    A client chooses the port that it is answered on, so one that is open is enough. What is open changes
    only where an entry begins or ends.
    """
    entries = [*entries]
    ports = {0, *(each.first for each in entries), *(each.last + 1 for each in entries)} - {PORTS}
    return any(lets_in(entries, world, port, protocol) for port in sorted(ports))
