"""What a firewall rule lets in: pure reasoning about addresses, protocols and ports."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from orgscan.model import Unread

WORLD: dict[str, IPv4Network | IPv6Network] = {
    "0.0.0.0/0": IPv4Network("0.0.0.0/0"),
    "::/0": IPv6Network("2000::/3"),
}
"""How the world is written -> what must be covered to reach it. Of IPv6, only 2000::/3 is routed publicly."""

ALL = "-1"
NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
"""Protocol number -> the name AWS gives it in most answers, but not in all."""


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
        return NAMES.get(self.protocol, self.protocol) == protocol and self._first <= port <= self._last

    @property
    def _first(self) -> int:
        return 0 if self.from_port in (None, -1) else self.from_port

    @property
    def _last(self) -> int:
        return 65535 if self.to_port in (None, -1) else self.to_port

    def __str__(self) -> str:
        """'tcp 22', 'udp 0-65535', 'icmp', 'all'."""
        name = "all" if self.protocol == ALL else NAMES.get(self.protocol, self.protocol)
        if name not in ("tcp", "udp"):
            return name
        return f"{name} {self._first}" if self._first == self._last else f"{name} {self._first}-{self._last}"


def worlds(cidrs: Iterable[str]) -> tuple[str, ...]:
    """'0.0.0.0/0' and '::/0', as far as the ranges together cover them. ValueError: not a CIDR."""
    ranges = [ip_network(cidr, strict=False) for cidr in cidrs]
    return tuple(name for name, world in WORLD.items() if _cover(world, ranges))


def openings(
    rules: Iterable[Rule], port: int, expand: Callable[[str], Iterable[str]], *, protocol: str = "tcp"
) -> Iterator[str]:
    """Where the rules open the port to the world, one by one: '0.0.0.0/0 (rule tcp 22)'.

    `expand`: a prefix list's id -> its CIDRs; asked only about rules that cover the port. Raises the Unread
    that it raised, after everything that is certain without that list.
    """
    unread = None
    for rule in rules:
        if rule.covers(port, protocol):
            cidrs = [*rule.cidrs]
            for prefix_list in rule.prefix_lists:
                try:
                    cidrs += expand(prefix_list)
                except Unread as lost:
                    unread = lost
            for world in worlds(cidrs):
                made_of = (
                    "" if world in rule.cidrs else f" from {', '.join((*rule.cidrs, *rule.prefix_lists))}"
                )
                yield f"{world} (rule {rule}{made_of})"
    if unread:
        raise unread


def _cover(world: IPv4Network | IPv6Network, ranges: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether the union of the ranges contains the world."""
    spans = sorted(
        (int(each.network_address), int(each.broadcast_address))
        for each in ranges
        if each.version == world.version
    )
    reached = int(world.network_address)
    for first, last in spans:
        if first > reached:
            return False
        reached = max(reached, last + 1)
    return reached > int(world.broadcast_address)
