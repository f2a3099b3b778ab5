"""What is the world, and which rules let it in."""

from ipaddress import IPv4Network, IPv6Network, collapse_addresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.network import Rule, openings, worlds

V4, V6 = "0.0.0.0/0", "::/0"
WHOLE: list[IPv4Network | IPv6Network] = [IPv4Network(V4), IPv6Network("2000::/3")]


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        ((), ()),
        ((V4,), (V4,)),
        ((V6,), (V6,)),
        ((V6, V4), (V4, V6)),
        (("0.0.0.0/1", "128.0.0.0/1"), (V4,)),
        (("128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2", "10.0.0.0/8"), (V4,)),
        (("0.0.0.0/1",), ()),
        (("0.0.0.0/1", "128.0.0.0/2"), ()),
        (("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"), ()),
        (("2000::/3",), (V6,)),
        (("2000::/4", "3000::/4"), (V6,)),
        (("::/1",), (V6,)),
        (("2000::/4",), ()),
        (("8000::/1",), ()),
        (("fd00::/8", "fe80::/10"), ()),
        (("0.0.0.0/1", "8000::/1"), ()),
        (("192.0.2.7/0",), (V4,)),
    ],
)
def test_worlds(cidrs: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert worlds(cidrs) == expected


def test_what_is_no_cidr_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        worlds(["everywhere"])


def v4_blocks(longest: int) -> st.SearchStrategy[IPv4Network]:
    """Short prefixes, so that unions often do cover everything."""
    return st.builds(
        lambda bits, length: IPv4Network((bits >> (32 - length) << (32 - length), length)),
        st.integers(0, 2**32 - 1),
        st.integers(0, longest),
    )


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(v4_blocks(3), max_size=12))
def test_a_union_is_the_world_exactly_when_it_collapses_to_it(blocks: list[IPv4Network]) -> None:
    whole = [IPv4Network(V4)]
    assert (worlds(map(str, blocks)) == (V4,)) == (list(collapse_addresses(blocks)) == whole)
    assert worlds(map(str, reversed(blocks))) == worlds(map(str, blocks))


@settings(deadline=None)  # a busy machine is no fault
@given(st.data())
def test_any_partition_of_the_world_is_the_world_and_lacks_it_without_one_part(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(WHOLE))
    world = V4 if whole.version == 4 else V6
    parts: list[IPv4Network | IPv6Network] = [whole]
    for _ in range(data.draw(st.integers(0, 20))):
        split = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        parts += split.subnets()
    assert worlds(map(str, data.draw(st.permutations(parts)))) == (world,)
    assert worlds(map(str, parts[1:])) == ()


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        (Rule(protocol="tcp", from_port=22, to_port=22), True),
        (Rule(protocol="6", from_port=0, to_port=65535), True),
        (Rule(protocol="-1"), True),
        (Rule(protocol="-1", from_port=80, to_port=80), True),  # EC2 ignores ports here, so must we
        (Rule(protocol="tcp"), True),
        (Rule(protocol="tcp", from_port=-1, to_port=-1), True),
        (Rule(protocol="tcp", from_port=23, to_port=80), False),
        (Rule(protocol="tcp", from_port=1, to_port=21), False),
        (Rule(protocol="udp", from_port=22, to_port=22), False),
        (Rule(protocol="17", from_port=22, to_port=22), False),
        (Rule(protocol="icmp", from_port=-1, to_port=-1), False),
        (Rule(protocol="1", from_port=-1, to_port=-1), False),
        (Rule(protocol="icmpv6", from_port=-1, to_port=-1), False),
        (Rule(protocol="58"), False),
        (Rule(protocol="47"), False),
    ],
)
def test_ssh_is_covered(rule: Rule, *, covered: bool) -> None:
    assert rule.covers(22) == covered


def test_udp_is_another_protocol() -> None:
    rule = Rule(protocol="17", from_port=53, to_port=53)
    assert rule.covers(53, "udp")
    assert not rule.covers(53)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(protocol="tcp", from_port=22, to_port=22), "tcp 22"),
        (Rule(protocol="17", from_port=0, to_port=9), "udp 0-9"),
        (Rule(protocol="tcp"), "tcp 0-65535"),
        (Rule(protocol="-1"), "all"),
        (Rule(protocol="1", from_port=8, to_port=-1), "icmp"),
        (Rule(protocol="50"), "50"),
    ],
)
def test_a_rule_reads_as(rule: Rule, text: str) -> None:
    assert str(rule) == text


def test_openings_name_what_opens_each_world() -> None:
    rules = [
        Rule(protocol="tcp", from_port=22, to_port=22, cidrs=(V4, "2000::/4"), prefix_lists=("pl-1",)),
        Rule(protocol="tcp", from_port=80, to_port=80, cidrs=(V4,), prefix_lists=("pl-unread",)),
    ]
    assert list(openings(rules, 22, {"pl-1": ("3000::/4",)}.__getitem__)) == [
        "0.0.0.0/0 (rule tcp 22)",
        "::/0 (rule tcp 22 from 0.0.0.0/0, 2000::/4, pl-1)",
    ]


def test_two_rules_together_are_not_one() -> None:
    halves = [
        Rule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/1",)),
        Rule(protocol="tcp", from_port=0, to_port=99, cidrs=("128.0.0.0/1",)),
    ]
    assert list(openings(halves, 22, lambda _: ())) == []
