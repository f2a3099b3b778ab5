"""The life cycle against an independent oracle: any history of scans, looked at one finding at a time."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from orgscan.coverage import Coverage, Look
from orgscan.reconcile import Record, Status, by_identity, reconcile
from tests.scans import HERE, NO, STARTED, finding

RESOURCES = ("a", "b", "c")
CHECKS = ("x", "y")


@dataclass(frozen=True)
class World:
    """One scan: what is true, and what of it was seen."""

    wrong: frozenset[tuple[str, str]]
    """(check, resource) that fail."""
    exist: frozenset[str]
    unread: frozenset[tuple[str, str]]
    partial: frozenset[str]
    """Checks whose listing broke off before the last resource."""
    scope: frozenset[str]


pairs = st.frozensets(st.tuples(st.sampled_from(CHECKS), st.sampled_from(RESOURCES)))
worlds = st.builds(
    World,
    wrong=pairs,
    exist=st.frozensets(st.sampled_from(RESOURCES)),
    unread=pairs,
    partial=st.frozensets(st.sampled_from(CHECKS)),
    scope=st.frozensets(st.sampled_from(CHECKS)),
)


def shown(world: World, check: str) -> frozenset[str]:
    existing = sorted(world.exist)
    return frozenset(existing[:-1] if check in world.partial else existing)


def look(world: World) -> Look:
    seen = {check: shown(world, check) for check in world.scope}
    unread = {
        check: frozenset(r for c, r in world.unread if c == check) & seen[check] for check in world.scope
    }
    judged = {(check, resource) for check in world.scope for resource in seen[check] - unread[check]}
    listed = world.scope - world.partial
    gaps = {check: NO for check in world.scope if unread[check] or check in world.partial}
    findings = tuple(finding(resource, check) for check, resource in sorted(judged & world.wrong))
    coverage = Coverage(
        target=HERE, planned=world.scope, gaps=gaps, seen=seen, unread=unread, listed=frozenset(listed)
    )
    return Look(findings, coverage)


def oracle(history: list[World], check: str, resource: str) -> Status | None:
    """What is known of one pair after those scans; told from the world, not from the code's coverage."""
    status: Status | None = None
    for world in history:
        if check not in world.scope:
            continue
        if resource in shown(world, check):
            if (check, resource) in world.unread:
                continue
            if (check, resource) in world.wrong:
                status = Status.OPEN
            elif status:
                status = Status.RESOLVED
        elif resource not in world.exist and check not in world.partial and status:
            status = Status.RESOLVED
    return status


@given(st.lists(worlds, max_size=8))
def test_any_history_of_scans_ends_as_the_oracle_says(history: list[World]) -> None:
    records: dict[tuple[str, str, str], Record] = {}
    for number, world in enumerate(history):
        before = dict(records)
        after = reconcile(before, look(world), scan=f"{number:03}", started=STARTED)
        records |= by_identity(after.writes)
        again = reconcile(records, look(world), scan=f"{number:03}", started=STARTED)
        assert again.writes == ()  # doing it twice is doing it once
        assert again.changed == after.changed
        assert set(after.open) == {r for r in records.values() if r.status is Status.OPEN}
        untouched = {key: record for key, record in records.items() if key[0] not in world.scope}
        assert untouched == {key: before[key] for key in untouched}  # nothing outside the scope changes
    for check in CHECKS:
        for resource in RESOURCES:
            record = records.get((check, resource, ""))
            assert (record.status if record else None) == oracle(history, check, resource)


@given(st.lists(worlds, min_size=1, max_size=4))
def test_a_resolved_finding_always_says_why(history: list[World]) -> None:
    records: dict[tuple[str, str, str], Record] = {}
    for number, world in enumerate(history):
        records |= by_identity(reconcile(records, look(world), scan=f"{number:03}", started=STARTED).writes)
    for record in records.values():
        assert (record.resolved_because is not None) == (record.status is Status.RESOLVED)
