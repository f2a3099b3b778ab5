"""What access lists let pass and where routes lead, against plain restatements per address and port."""

from collections.abc import Sequence
from ipaddress import IPv4Network, collapse_addresses, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.model import Blindness, Gap, Unread
from orgscan.network import (
    Entry,
    Route,
    Rule,
    answers,
    lets_in,
    opens,
    routed_publicly,
    through_gateway,
    worlds,
)

V4, V6 = "0.0.0.0/0", "::/0"
QUARTERS = ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2")
BLOCKS = (V4, "0.0.0.0/1", "128.0.0.0/1", *QUARTERS, "10.0.0.0/8", "198.51.100.0/24")
PORTS = (0, 1, 21, 22, 23, 3389, 65535)
FEW = settings(deadline=None, max_examples=200)


def nobody(_: str) -> tuple[str, ...]:
    raise AssertionError("no prefix list was named")


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    first, last = sorted((draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))))
    ports = draw(st.sampled_from([(None, None), (first, last)]))
    return Entry(
        number=draw(st.integers(1, 9)),
        allow=draw(st.booleans()),
        protocol=draw(st.sampled_from(["-1", "6", "17", "1"])),
        cidr=draw(st.sampled_from(BLOCKS)),
        from_port=ports[0],
        to_port=ports[1],
    )


def matches(entry: Entry, port: int) -> bool:
    """TCP, restated."""
    if entry.protocol == "-1":
        return True
    bounds = entry.from_port, entry.to_port
    return entry.protocol == "6" and (
        bounds == (None, None) or port in range(bounds[0] or 0, (bounds[1] or 0) + 1)
    )


def world(cidrs: Sequence[str]) -> bool:
    return list(collapse_addresses(IPv4Network(each) for each in cidrs)) == [IPv4Network(V4)]


def decides(ordered: Sequence[Entry], port: int) -> Entry | None:
    """The first entry that is the world, together with what said the same before it."""
    for count in range(1, len(ordered) + 1):
        last = ordered[count - 1]
        same = [each.cidr for each in ordered[:count] if each.allow == last.allow and matches(each, port)]
        if matches(last, port) and world(same):
            return last
    return None


@FEW
@given(st.lists(entries(), max_size=8, unique_by=lambda each: each.number), st.sampled_from(PORTS))
def test_an_acl_lets_in_what_its_first_world_entry_allows(those: list[Entry], port: int) -> None:
    decisive = decides(sorted(those, key=lambda each: each.number), port)
    assert lets_in(those, V4, port) == (decisive if decisive and decisive.allow else None)


@FEW
@given(st.lists(entries(), max_size=6, unique_by=lambda each: each.number), st.integers(0, 65535))
def test_what_answers_on_any_port_answers(those: list[Entry], port: int) -> None:
    if lets_in(those, V4, port):
        assert answers(those, V4)
    around = {near for each in PORTS for near in (each - 1, each, each + 1) if 0 <= near <= 65535}
    assert answers(those, V4) == any(lets_in(those, V4, each) for each in around)


@FEW
@given(st.lists(entries(), max_size=6, unique_by=lambda each: each.number), st.sampled_from(PORTS))
def test_whoever_is_let_in_matches_no_denial_of_the_world_before(those: list[Entry], port: int) -> None:
    through = lets_in(those, V4, port)
    if through:
        earlier = [each for each in those if each.number < through.number and matches(each, port)]
        assert not world([each.cidr for each in earlier if not each.allow])


def test_an_acl_judges_ipv4_and_ipv6_apart() -> None:
    those = [
        Entry(number=1, allow=False, protocol="-1", cidr=V4),
        Entry(number=2, allow=True, protocol="-1", cidr=V6),
    ]
    assert lets_in(those, V4, 22) is None
    assert lets_in(those, V6, 22) == those[1]
    assert lets_in(those[:1], V6, 22) is None
    assert answers(those, V6)
    assert not answers(those, V4)


@st.composite
def routes(draw: st.DrawFn) -> Route:
    return Route(
        destination=draw(st.sampled_from(BLOCKS)),
        target=draw(st.sampled_from(["igw-1", "igw-1", "nat-1", "local", ""])),
        active=draw(st.sampled_from([True, True, False])),
    )


SAMPLES = ("10.1.2.3", "198.51.100.7", *(f"{first}.1.1.1" for first in range(8, 256, 16)))
"""One in each block that the destinations tell apart, and some more."""


def leads(table: Sequence[Route], address: str) -> Route | None:
    """The narrowest route for an address."""
    fitting = [each for each in table if ip_address(address) in ip_network(each.destination)]
    return max(fitting, key=lambda each: ip_network(each.destination).prefixlen, default=None)


@FEW
@given(st.lists(routes(), max_size=9, unique_by=lambda each: each.destination))
def test_a_gateway_is_reached_when_its_routes_are_the_world_and_win_somewhere(table: list[Route]) -> None:
    ours = [each for each in table if each.active and each.target == "igw-1"]
    wins = any(leads(table, address) in ours for address in SAMPLES)
    expected = (V4,) if world([each.destination for each in ours]) and wins else ()
    assert through_gateway(table, nobody) == expected


@pytest.mark.parametrize(
    ("destinations", "reached"),
    [
        ({V4: "igw-1", V6: "igw-1"}, (V4, V6)),
        ({V4: "igw-1", V6: "eigw-1"}, (V4,)),
        ({V6: "igw-1"}, (V6,)),
        ({V6: "igw-1", "2000::/3": "nat-1"}, ()),
        ({V6: "igw-1", "2000::/4": "nat-1"}, (V6,)),
        ({"2000::/3": "igw-1", V6: "nat-1"}, (V6,)),
        ({V4: "vgw-1"}, ()),
        ({"pl-all": "igw-1"}, (V4,)),
        ({"pl-office": "igw-1"}, ()),
        ({"pl-all": "nat-1"}, ()),
    ],
)
def test_where_routes_lead(destinations: dict[str, str], reached: tuple[str, ...]) -> None:
    lists = {"pl-all": (V4,), "pl-office": ("198.51.100.0/24",)}
    table = [Route(destination=to, target=target) for to, target in destinations.items()]
    assert through_gateway(table, lists.__getitem__) == reached


def test_only_lists_that_lead_to_a_gateway_are_read() -> None:
    table = [
        Route(destination="pl-1", target="vpce-1"),
        Route(destination="pl-2", target="igw-1", active=False),
    ]
    assert through_gateway(table, nobody) == ()


@pytest.mark.parametrize(
    ("address", "public"),
    [("2001:db8::1", True), ("3fff::1", True), ("fd00::1", False), ("fe80::1", False), ("64:ff9b::1", False)],
)
def test_private_ipv6_addresses_are_not_routed(address: str, *, public: bool) -> None:
    assert routed_publicly(address) == public


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    first, last = sorted((draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))))
    return Rule(
        protocol=draw(st.sampled_from(["-1", "6", "tcp", "17", "icmp"])),
        from_port=first,
        to_port=last,
        cidrs=tuple(draw(st.lists(st.sampled_from(BLOCKS), max_size=4))),
    )


@FEW
@given(st.lists(rules(), max_size=5))
def test_openings_are_the_rules_whose_sources_are_the_world(those: list[Rule]) -> None:
    assert [each.rule for each in opens(those, nobody)] == [each for each in those if worlds(each.cidrs)]


@FEW
@given(rules())
def test_a_rule_of_every_port_covers_every_port_but_zero(rule: Rule) -> None:
    one = "udp" if rule.protocol == "17" else "tcp"
    samples = (1, 22, 1024, 65534, 65535)
    assert rule.every_port == all(rule.covers(port, one) for port in samples)


def test_what_is_certain_comes_before_what_was_not_read() -> None:
    def lost(_: str) -> tuple[str, ...]:
        raise Unread(Gap("-", Blindness.DENIED, "the list"))

    those = [
        Rule(protocol="6", cidrs=("10.0.0.0/8",), prefix_lists=("pl-1",)),
        Rule(protocol="6", cidrs=(V4,)),
    ]
    found = opens(those, lost)
    assert str(next(found)) == "0.0.0.0/0 (rule tcp 0-65535)"
    with pytest.raises(Unread, match="the list"):
        next(found)
