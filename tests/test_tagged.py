"""How many resources are tagged as they should be, from the judge to the summary."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan import items
from orgscan.catalog import Catalog
from orgscan.engine import look
from orgscan.model import Blindness, Gap, Taggable, TagRecord, Target
from orgscan.services.tags.checks import tag_required_key_missing, tag_value_not_allowed
from orgscan.tagged import OTHERS, OWNERS_TOLD, Share, Shares, owner, told
from tests.receipts import receipt
from tests.scans import NOW
from tests.test_engine import HERE, NOWHERE, sees

GOOD = {"Name": "a", "Environment": "prod", "Owner": "ann"}


def thing(number: int, tags: dict[str, str] | None, **more: bool) -> Taggable:
    return Taggable(arn=f"arn:{number}", tags=tags, **more)


def shares(*things: Taggable, records: Gap | None = None) -> dict[str, Share]:
    listing = sees(TagRecord, then=PermissionError() if records else None)
    catalog = Catalog((tag_required_key_missing, tag_value_not_allowed), (sees(Taggable, *things), listing))
    seen = look(HERE, lambda: NOWHERE, catalog, now=NOW)
    assert seen
    return dict(seen.coverage.tagged)


def test_a_resource_counts_once_whatever_is_wrong_with_it() -> None:
    assert shares(
        thing(1, GOOD),
        thing(2, {**GOOD, "Environment": "live", "Name": ""}),
        thing(3, {**GOOD, "Owner": "bob"}),
        thing(4, {}),
        thing(5, {"owner": " bob "}),
    ) == {"ann": Share(2, 1), "bob": Share(2, 1), "": Share(1, 0)}


def test_what_nobody_is_asked_to_tag_does_not_count() -> None:
    assert shares(thing(1, GOOD), thing(2, {}, tags_optional=True)) == {"ann": Share(1, 1)}


def test_what_was_never_tagged_counts_and_what_could_not_be_read_does_not() -> None:
    assert shares(thing(1, GOOD), thing(2, None)) == {"ann": Share(1, 1), "": Share(1, 0)}
    denied = Gap("tag-records", Blindness.DENIED, "tag:GetResources")
    assert shares(thing(1, GOOD), thing(2, None), records=denied) == {"ann": Share(1, 1)}


def test_a_receipt_has_room_for_some_owners_and_loses_no_resource() -> None:
    many = {f"o{number:03}": Share(number + 1, number) for number in range(OWNERS_TOLD + 3)}
    kept = told(many)
    assert len(kept) == OWNERS_TOLD + 1
    assert kept[OTHERS] == Share(1 + 2 + 3, 0 + 1 + 2)
    assert sum(kept.values(), Share()) == sum(many.values(), Share())
    assert told({"a": Share(1, 1)}) == {"a": Share(1, 1)}


@given(st.dictionaries(st.text(max_size=3), st.builds(Share, st.integers(1, 9), st.just(0)), max_size=120))
def test_whatever_the_owners_are_called_no_resource_is_lost(many: dict[str, Share]) -> None:
    assert sum(told(many).values(), Share()) == sum(many.values(), Share())


def test_a_receipt_survives_the_table() -> None:
    made = receipt(tagged={"": Share(3, 1), "ann=cmd|' /C calc'!A0": Share(2, 2)})
    assert items.to_receipt(items.from_receipt(made)) == made
    old = {name: value for name, value in items.from_receipt(made).items() if name != "tagged"}
    assert items.to_receipt(old) == replace(made, tagged={})


def test_a_summary_adds_up_targets_by_account_and_owner() -> None:
    summed = Shares()
    summed.add("111111111111", {"ann": Share(2, 1), "": Share(1, 0)})
    summed.add("222222222222", {"ann": Share(3, 3)})
    summed.add("111111111111", {"ann": Share(1, 1)})
    assert summed.totals() == {"judged": 7, "compliant": 5, "percent": 71.4}
    assert summed.details() == {
        "judged": 7,
        "compliant": 5,
        "percent": 71.4,
        "accounts": [
            {"account": "111111111111", "judged": 4, "compliant": 2, "percent": 50.0},
            {"account": "222222222222", "judged": 3, "compliant": 3, "percent": 100.0},
        ],
        "owners": [
            {"owner": "", "judged": 1, "compliant": 0, "percent": 0.0},
            {"owner": "ann", "judged": 6, "compliant": 5, "percent": 83.3},
        ],
    }


@pytest.mark.parametrize(
    ("share", "percent"), [(Share(), 100.0), (Share(3, 2), 66.6), (Share(2000, 1999), 99.9)]
)
def test_percent_is_rounded_down_so_that_100_means_all(share: Share, percent: float) -> None:
    assert share.percent == percent


@pytest.mark.parametrize(
    ("tags", "name"),
    [({}, ""), ({"OWNER": "x"}, "x"), ({"Owner": "  "}, ""), ({"CoOwner": "x", "owner": "y"}, "y")],
)
def test_an_owner_is_named_by_a_tag_in_any_case(tags: dict[str, str], name: str) -> None:
    assert owner(tags) == name


def test_checks_of_other_families_do_not_count() -> None:
    catalog = Catalog((), (sees(Taggable, thing(1, GOOD)),))
    seen = look(Target("1", "eu-west-1"), lambda: NOWHERE, catalog, now=NOW)
    assert seen
    assert not seen.coverage.tagged
