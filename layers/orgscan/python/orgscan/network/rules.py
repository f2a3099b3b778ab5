"""What a rule of a security group lets in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from orgscan.model import Unread
from orgscan.network.ranges import worlds

ALL = "-1"
NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
"""Protocol number -> the name AWS gives it in most answers, but not in all."""
PORTS = 65536

Expand: TypeAlias = Callable[[str], Iterable[str]]
"""A prefix list's id -> its CIDRs. May raise Unread."""


def named(protocol: str) -> str:
    return NAMES.get(protocol, protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One IpPermission of a security group, without the sources that are groups: never the world."""

    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    cidrs: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()

    def covers(self, port: int, protocol: str = "tcp") -> bool:
        if self.protocol == ALL:
            return True
        return named(self.protocol) == protocol and self._first <= port <= self._last

    @property
    def every_port(self) -> bool:
        """Of TCP, of UDP, or of all there is. Port 0 is none that anything listens on."""
        if self.protocol == ALL:
            return True
        return named(self.protocol) in ("tcp", "udp") and self._first <= 1 and self._last == PORTS - 1

    @property
    def _first(self) -> int:
        return 0 if self.from_port in (None, -1) else self.from_port

    @property
    def _last(self) -> int:
        return PORTS - 1 if self.to_port in (None, -1) else self.to_port

    def __str__(self) -> str:
        """'tcp 22', 'udp 0-65535', 'icmp', 'all'."""
        name = "all" if self.protocol == ALL else named(self.protocol)
        if name not in ("tcp", "udp"):
            return name
        return f"{name} {self._first}" if self._first == self._last else f"{name} {self._first}-{self._last}"


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule and a part of the world that it lets in."""

    rule: Rule
    world: str

    def __str__(self) -> str:
        """'0.0.0.0/0 (rule tcp 22)'."""
        sources = (*self.rule.cidrs, *self.rule.prefix_lists)
        made_of = "" if self.world in self.rule.cidrs else f" from {', '.join(sources)}"
        return f"{self.world} (rule {self.rule}{made_of})"


def opens(rules: Iterable[Rule], expand: Expand) -> Iterator[Opening]:
    """Which of the rules let the world in, to whatever they cover.

    Raises the Unread that `expand` raised, after everything that is certain without that list.
    """
    unread = None
    for rule in rules:
        cidrs = [*rule.cidrs]
        for prefix_list in rule.prefix_lists:
            try:
                cidrs += expand(prefix_list)
            except Unread as lost:
                unread = lost
        yield from (Opening(rule, world) for world in worlds(cidrs))
    if unread:
        raise unread


def openings(rules: Iterable[Rule], port: int, expand: Expand, *, protocol: str = "tcp") -> Iterator[str]:
    """Where the rules open the port to the world, one by one: '0.0.0.0/0 (rule tcp 22)'.

    `expand` is asked only about rules that cover the port. Raises as `opens` does.
    """
    return map(str, opens((rule for rule in rules if rule.covers(port, protocol)), expand))
