"""Which places a scan must go to, told from the organization, the configuration and the request."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from orgscan.model import GLOBAL
from tests.model.oracle import CHECKS, sides
from tests.model.world import ACCOUNTS, FAR, NEAR, Place, World


def planned(
    scanned: AbstractSet[Place], world: World, request: Mapping[str, Any]
) -> tuple[dict[Place, str], list[str], list[str]]:
    """Place -> standing; the accounts that are looked at; those that should be and are not active."""
    asked = asks(world, request)
    inside = {
        account: state
        for account, (_, state) in world.organization.accounts.items()
        if account not in world.scope.exclude_accounts and account in request.get("accounts", ACCOUNTS)
    }
    active = [account for account, state in inside.items() if state == "ACTIVE"]
    due = {
        Place(account, region): "due"
        for account in active
        for region in (NEAR, FAR, GLOBAL)
        if asked & sides(region) and region in request.get("regions", (NEAR, FAR, GLOBAL))
        if region == GLOBAL or _wanted(scanned, world, Place(account, region), request)
    }
    skipped = [f"{account} {state}" for account, state in inside.items() if state != "ACTIVE"]
    absent = {} if request.keys() & {"accounts", "regions"} else _absent(scanned, world, asked, due)
    return {**due, **absent}, active, skipped


def _wanted(scanned: AbstractSet[Place], world: World, place: Place, request: Mapping[str, Any]) -> bool:
    """Whether a region is scanned: it is on, or somebody named it."""
    patterns = world.scope.regions
    if place.region in (*patterns, *request.get("regions", ())):
        return True
    if "enabled" not in patterns:
        return False
    if place.account in world.locked:  # it does not say what is on
        return place.region == NEAR or place in scanned
    return place.region == NEAR or place.account not in world.near_only


def _absent(
    scanned: AbstractSet[Place], world: World, asked: frozenset[str], due: Mapping[Place, str]
) -> dict[Place, str]:
    everywhere = all(asked & sides(region) for region in (NEAR, GLOBAL))
    return {
        place: "left" if place.account not in world.organization.accounts else "out-of-scope"
        for place in scanned
        if place not in due and (everywhere or place.account not in world.organization.accounts)
    }


def asks(world: World, request: Mapping[str, Any]) -> frozenset[str]:
    """The checks that a request asks for."""
    return frozenset(
        check
        for check, (_, category, _) in CHECKS.items()
        if check not in world.off
        if check in request.get("checks", CHECKS) and category in request.get("categories", (category,))
    )
