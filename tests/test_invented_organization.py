"""The invented organization, as far as it can be told without planting it."""

import pytest

from local.organization import FEWEST, REGIONS, Organization


@pytest.mark.parametrize("size", [FEWEST, 12, 50])
def test_it_has_one_of_each_kind_at_any_size(size: int) -> None:
    organization = Organization(accounts=size)
    assert len({each.id for each in organization.accounts}) == size
    assert len({each.name for each in organization.accounts}) == size
    assert sum(each.suspended for each in organization.accounts) == 1
    assert len(organization.active) - len(organization.members) == 1
    assert set(organization.blind.values()) == {"denied", "denied-by-scp", "region-off"}
    assert len({each.ou.partition("/")[0] for each in organization.accounts}) > 3


def test_two_of_one_size_are_alike() -> None:
    assert Organization(accounts=20).accounts == Organization(accounts=20).accounts
    assert Organization(accounts=20).blind == Organization(accounts=20).blind


def test_every_account_is_planned_once_per_region_and_once_for_what_has_none() -> None:
    organization = Organization(accounts=12)
    assert len(organization.targets) == 11 * (len(REGIONS) + 1)


def test_an_account_that_cannot_be_entered_cannot_be_seen_anywhere() -> None:
    organization = Organization(accounts=12)
    (outside,) = set(organization.active) - set(organization.members)
    blind = {region for account, region in organization.blind if account == outside.id}
    assert blind == {"global", *REGIONS}


@pytest.mark.parametrize(("size", "regions"), [(FEWEST - 1, REGIONS), (12, ())])
def test_too_small_a_world_is_refused(size: int, regions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="an organization needs at least"):
        Organization(accounts=size, regions=regions)
