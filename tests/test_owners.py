"""Whose name counts for a resource."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan.model import NOBODY, OwnedBy, Owner
from orgscan.owners import LONGEST, named, one_line, owner_of

ACCOUNT = Owner("platform", OwnedBy.ACCOUNT)
KEYS = ("Owner", "Team")


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"Owner": "ada"}, "ada"),
        ({"OWNER": "ada"}, "ada"),
        ({"Team": "maps"}, "maps"),
        ({"Team": "maps", "owner": "ada"}, "ada"),  # the first key in any spelling, before the second
        ({"OWNER": "bob", "Owner": "ada", "owner": "eve"}, "ada"),  # as it is configured
        ({"oWner": "eve", "owner": "bob", "OWner": "ada"}, "ada"),  # else the smallest
        ({"Owner": " ", "owner": "bob"}, "bob"),
        ({"Owner": "\t\n", "Team": "maps"}, "maps"),
        ({"Owner": "\x00\x1b\u200b\u202e", "Team": "maps"}, "maps"),
        ({"Owner": "  Ada \r\n  Lovelace\u2028 "}, "Ada Lovelace"),
        ({"Owner": "ada\x1b[31m"}, "ada [31m"),
        ({"Owner": "ada\u202egro.emca"}, "ada gro.emca"),
        ({"Owner": "=HYPERLINK(1)"}, "=HYPERLINK(1)"),  # whoever shows it escapes it
        ({"Owner": "Zoë 王 🦊"}, "Zoë 王 🦊"),
        ({"Owner": "x" * 300}, "x" * LONGEST),
        ({"Owner": "x" * 255 + " y"}, "x" * 255),
    ],
)
def test_a_resource_is_its_own_tags_owners(tags: dict[str, str], name: str) -> None:
    assert owner_of(tags, ACCOUNT, KEYS) == Owner(name, OwnedBy.RESOURCE)
    assert owner_of(dict(reversed(tags.items())), ACCOUNT, KEYS) == Owner(name, OwnedBy.RESOURCE)


@pytest.mark.parametrize(
    "tags",
    [None, {}, {"Owner": ""}, {"Owner": " \t", "team": "\u2029"}, {"Owners": "ada"}, {" Owner": "ada"}],
)
@pytest.mark.parametrize("account", [ACCOUNT, Owner("ops@acme.example", OwnedBy.CONTACT), NOBODY])
def test_what_names_nobody_is_its_accounts(tags: dict[str, str] | None, account: Owner) -> None:
    assert owner_of(tags, account, KEYS) == account


def test_other_keys_than_the_configured_ones_do_not_count() -> None:
    assert owner_of({"Owner": "ada"}, ACCOUNT, ("Team",)) == ACCOUNT
    assert named({"Owner": "ada", "Team": "maps"}, ("team", "owner")) == "maps"


SPELLED = st.sampled_from(["Owner", "owner", "OWNER", "Team", "team", "Name"])
TAGS = st.dictionaries(SPELLED, st.sampled_from(["", " ", "\x07", "ada", "bob", " eve\n"]))


@given(TAGS, st.permutations(["Owner", "owner", "OWNER", "Team", "team", "Name"]))
def test_the_order_in_which_aws_lists_tags_decides_nothing(tags: dict[str, str], order: list[str]) -> None:
    reordered = {key: tags[key] for key in order if key in tags}
    assert owner_of(tags, ACCOUNT, KEYS) == owner_of(reordered, ACCOUNT, KEYS)


@given(TAGS)
def test_the_closest_word_wins(tags: dict[str, str]) -> None:
    words = {key.casefold() for key, value in tags.items() if value.strip(" \x07\n")}
    found = owner_of(tags, ACCOUNT, KEYS)
    assert (found.by is OwnedBy.RESOURCE) == bool(words & {"owner", "team"})
    assert found == ACCOUNT or found.name in {one_line(value) for value in tags.values()}


@given(st.text())
def test_a_name_is_one_line_that_can_be_seen(text: str) -> None:
    name = one_line(text)
    assert name.isprintable()
    assert name == name.strip()
    assert len(name) <= LONGEST
    assert one_line(name) == name
