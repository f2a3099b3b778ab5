"""Where routes lead."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from orgscan.network.ranges import WORLD, Network, cover, worlds
from orgscan.network.rules import Expand

INTERNET_GATEWAY = "igw-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    destination: str
    """A CIDR, or a prefix list ('pl-...')."""
    target: str
    """The id of what it leads to, or 'local'."""
    active: bool = True
    """False for a black hole: what it led to is gone, and packets with it."""


def through_gateway(routes: Iterable[Route], expand: Expand) -> tuple[str, ...]:
    """The parts of the world, '0.0.0.0/0' and '::/0', that packets reach through an internet gateway.

    The narrowest route wins: a gateway loses what narrower routes send elsewhere, into a black hole too. Only
    prefix lists that lead to a gateway are expanded.
    """
    to_gateway: list[str] = []
    elsewhere: list[str] = []
    for route in routes:
        if route.active and route.target.startswith(INTERNET_GATEWAY):
            listed = route.destination.startswith("pl-")
            to_gateway += expand(route.destination) if listed else [route.destination]
        elif not route.destination.startswith("pl-"):
            elsewhere.append(route.destination)
    others = [*map(ip_network, elsewhere)]
    left = [each for each in map(ip_network, to_gateway) if not _diverted(each, others)]
    return tuple(world for world in worlds(to_gateway) if any(each.overlaps(WORLD[world]) for each in left))


def _diverted(ours: Network, others: Iterable[Network]) -> bool:
    """Whether narrower routes lead all of its public part elsewhere."""
    world = next(each for each in WORLD.values() if each.version == ours.version)
    public = ours if ours.prefixlen > world.prefixlen else world
    narrower = (each for each in others if each.version == ours.version and each.prefixlen > ours.prefixlen)
    return cover(public, narrower)
