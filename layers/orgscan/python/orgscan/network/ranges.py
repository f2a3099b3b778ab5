"""Ranges of addresses, and when they are the whole world."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

WORLD: dict[str, Network] = {
    "0.0.0.0/0": IPv4Network("0.0.0.0/0"),
    "::/0": IPv6Network("2000::/3"),
}
"""How the world is written -> what must be covered to reach it. Of IPv6, only 2000::/3 is routed publicly."""


def worlds(cidrs: Iterable[str]) -> tuple[str, ...]:
    """'0.0.0.0/0' and '::/0', as far as the ranges together cover them. ValueError: not a CIDR."""
    ranges = [ip_network(cidr, strict=False) for cidr in cidrs]
    return tuple(name for name, world in WORLD.items() if cover(world, ranges))


def routed_publicly(address: str) -> bool:
    """Whether an IPv6 address of an interface can be reached from outside: a VPC may have private ones."""
    return ip_address(address) in WORLD["::/0"]


def cover(whole: Network, ranges: Iterable[Network]) -> bool:
    """Whether the union of the ranges contains all of the one."""
    spans = sorted(
        (int(each.network_address), int(each.broadcast_address))
        for each in ranges
        if each.version == whole.version
    )
    reached = int(whole.network_address)
    for first, last in spans:
        if first > reached:
            return False
        reached = max(reached, last + 1)
    return reached > int(whole.broadcast_address)
