"""The life cycle against an independent oracle: any history of scans, looked at one finding at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from orgscan.coverage import Coverage, Look, Reach, Resolution
from orgscan.model import Category, Severity, Standing
from orgscan.reconcile import Change, Record, Status, Step, place, reconcile
from orgscan.suppress import Suppression, Suppressions
from tests.scans import HERE, NO, STARTED, blind, finding, saw

RESOURCES = ("a", "b", "c")
CHECKS = ("x", "y")
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
NONE = Suppressions((), NOW)
ACCEPTED = Suppression(check="x", resource="a", reason="r", owner="o", expires=date(2026, 1, 31))
RULES = Suppressions([ACCEPTED], NOW)


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
    accepted: bool
    """A suppression of x on a is in force."""


pairs = st.frozensets(st.tuples(st.sampled_from(CHECKS), st.sampled_from(RESOURCES)))
worlds = st.builds(
    World,
    wrong=pairs,
    exist=st.frozensets(st.sampled_from(RESOURCES)),
    unread=pairs,
    partial=st.frozensets(st.sampled_from(CHECKS)),
    scope=st.frozensets(st.sampled_from(CHECKS)),
    accepted=st.booleans(),
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


@dataclass
class Known:
    """What the oracle knows of one pair."""

    status: Status
    since: str = ""
    """When the first scan started that could not confirm it."""


def oracle(history: list[World], check: str, resource: str) -> Known | None:
    """What is known of one pair after those scans; told from the world, not from the code's coverage."""
    known: Known | None = None
    for number, world in enumerate(history):
        if check not in world.scope:
            continue
        accepted = world.accepted and (check, resource) == ("x", "a")
        here = Status.SUPPRESSED if accepted else Status.OPEN
        unread = resource in shown(world, check) and (check, resource) in world.unread
        if resource in shown(world, check) and not unread:
            if (check, resource) in world.wrong:
                known = Known(here)
            elif known:
                known = Known(Status.RESOLVED)
        elif not unread and resource not in world.exist and check not in world.partial:
            known = Known(Status.RESOLVED) if known else None
        elif known and known.status is not Status.RESOLVED:
            lapsed = known.status is Status.SUPPRESSED and not world.accepted
            known = Known(Status.OPEN if lapsed else known.status, known.since or started(number))
    return known


def started(number: int) -> str:
    return f"2026-01-{number + 1:02}T12:00:00+00:00"


def steps(records: Iterable[Record], world: World, number: int) -> list[Step]:
    rules = RULES if world.accepted else NONE
    scan = f"{number:03}"
    before = sorted(records, key=lambda record: place(record.finding))
    return list(reconcile(before, look(world), scan=scan, started=started(number), rules=rules))


@given(st.lists(worlds, max_size=8))
def test_any_history_of_scans_ends_as_the_oracle_says(history: list[World]) -> None:
    records: dict[str, Record] = {}
    for number, world in enumerate(history):
        before = dict(records)
        taken = steps(before.values(), world, number)
        records |= {place(step.after.finding): step.after for step in taken}
        again = steps(records.values(), world, number)
        assert [step for step in again if step.before != step.after] == []  # doing it twice is doing it once
        assert [step.after for step in again] == [step.after for step in taken]
        untouched = {
            key: record for key, record in records.items() if record.finding.check not in world.scope
        }
        assert untouched == {key: before[key] for key in untouched}  # nothing outside the scope changes
    for check in CHECKS:
        for resource in RESOURCES:
            record = records.get(place(finding(resource, check)))
            known = Known(record.status, record.unconfirmed_since) if record else None
            assert known == oracle(history, check, resource)


@given(st.lists(worlds, min_size=1, max_size=4))
def test_a_resolved_finding_always_says_why(history: list[World]) -> None:
    records: dict[str, Record] = {}
    for number, world in enumerate(history):
        records |= {place(step.after.finding): step.after for step in steps(records.values(), world, number)}
    for record in records.values():
        assert (record.resolved_because is not None) == (record.status is Status.RESOLVED)


NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), unique=True), st.lists(st.tuples(NAMES, NAMES, NAMES)))
def test_lives_are_paired_whatever_they_are_called(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    """Names may hold what separates them; they are merged in the byte order that the table has."""
    old = {place(each): each for each in (finding(r, c, key=k) for c, r, k in before)}
    new = {place(each): each for each in (finding(r, c, key=k) for c, r, k in after)}
    records = [Record(old[key], Status.OPEN, STARTED, "1", Change.NEW) for key in sorted(old, key=str.encode)]
    seen = saw(*new.values(), checks=("thing-wrong",))
    taken = list(reconcile(records, seen, scan="2", started=STARTED, rules=NONE))
    assert [place(step.after.finding) for step in taken] == sorted(old.keys() | new.keys(), key=str.encode)
    assert {place(step.after.finding) for step in taken if step.found} == set(new)


def test_a_name_that_is_too_long_for_a_key_is_still_one_of_its_own() -> None:
    long = [finding("arn:" + "ä" * 900 + end) for end in ("1", "2")]
    assert place(long[0]) != place(long[1])
    assert max(len(place(each).encode()) for each in long) <= 1000
    assert place(long[0]) == place(replace(long[0], problems=("other",)))


def record(status: Status = Status.OPEN, **different: object) -> Record:
    told = Record(finding("a", "x"), status, STARTED, "1", Change.NEW)
    return replace(told, **different)  # type: ignore[arg-type]


def one(old: Record | None, seen: Look, rules: Suppressions = NONE) -> Record:
    before = [old] if old else []
    (step,) = reconcile(before, seen, scan="2", started="2026-01-16T12:00:00+00:00", rules=rules)
    return step.after


def test_what_was_not_read_makes_nothing_worse_and_nothing_better() -> None:
    for severity in (Severity.CRITICAL, Severity.LOW):
        unsure = saw(finding("a", "x", severity=severity), unread=["a"], checks=("x",))
        assert one(record(), unsure) == record()
    sure = saw(finding("a", "x", severity=Severity.CRITICAL), checks=("x",))
    assert one(record(), sure).change is Change.WORSENED


def test_a_suppressed_finding_is_kept_and_silent() -> None:
    new = one(None, saw(finding("a", "x"), checks=("x",)), RULES)
    assert (new.status, new.change, new.suppressed_by) == (Status.SUPPRESSED, Change.SUPPRESSED, ACCEPTED.key)
    worse = one(new, saw(finding("a", "x", severity=Severity.CRITICAL), checks=("x",)), RULES)
    assert (worse.finding.severity, worse.change, worse.changed_in) == (
        Severity.CRITICAL,
        Change.SUPPRESSED,
        "2",
    )


def test_a_suppression_that_ended_hides_nothing_even_where_nobody_looked() -> None:
    hidden = record(Status.SUPPRESSED, suppressed_by=ACCEPTED.key)
    for seen in (saw(finding("a", "x"), checks=("x",)), blind("x")):
        assert (one(hidden, seen).status, one(hidden, seen).change) == (Status.OPEN, Change.REOPENED)
    assert one(hidden, blind("x"), RULES).status is Status.SUPPRESSED
    assert one(hidden, blind("y")) == hidden  # out of scope


def test_a_check_that_no_longer_exists_closes_what_it_found() -> None:
    everything = Reach(checks=frozenset({"y"}), known=frozenset({"y"}), retiring=frozenset(Category))
    seen = saw(checks=("y",), reach=everything)
    assert one(record(), seen).resolved_because is Resolution.CHECK_RETIRED
    for narrow in (
        replace(everything, retiring=frozenset()),
        replace(everything, retiring=frozenset({Category.COST})),
        replace(everything, known=frozenset({"x", "y"})),
    ):
        assert one(record(), saw(checks=("y",), reach=narrow)) == record()


def test_a_renamed_check_goes_on_where_it_was() -> None:
    everything = Reach(checks=frozenset({"z"}), known=frozenset({"z"}), retiring=frozenset(Category))
    seen = saw(finding("a", "z"), checks=("z",), reach=everything)
    renamed = {place(finding("a", "z")): record()}
    old, new = reconcile(
        [record()], seen, scan="2", started="2026-01-16T12:00:00+00:00", rules=NONE, renamed=renamed
    )
    assert new.after == record(finding=finding("a", "z"))
    assert (old.after.status, old.after.resolved_because) == (Status.RESOLVED, Resolution.CHECK_RETIRED)
    assert old.after.changed_in == "1"  # nobody hears of it


def test_a_renamed_check_that_cannot_look_yet_leaves_everything_as_it_was() -> None:
    everything = Reach(checks=frozenset({"z"}), known=frozenset({"z"}), retiring=frozenset(Category))
    unseen = replace(blind("z").coverage, reach=everything)
    renamed = {place(finding("a", "z")): record()}
    (step,) = reconcile(
        [record()],
        Look((), unseen),
        scan="2",
        started="2026-01-16T12:00:00+00:00",
        rules=NONE,
        renamed=renamed,
    )
    assert step.after == record(unconfirmed_since="2026-01-16T12:00:00+00:00")


def test_an_account_that_left_closes_what_is_in_scope() -> None:
    gone = replace(HERE, standing=Standing.LEFT)
    for reach, because in [
        (Reach(checks=frozenset({"x"})), Resolution.ACCOUNT_LEFT),
        (Reach(checks=frozenset({"y"})), None),
        (Reach(known=frozenset({"y"}), retiring=frozenset(Category)), Resolution.ACCOUNT_LEFT),
    ]:
        seen = Look((), Coverage(target=gone, planned=frozenset(), gaps={}, reach=reach))
        assert one(record(), seen).resolved_because is because
        assert one(record(), seen).unconfirmed_since == ""


def test_what_nobody_looks_at_any_more_stays_open_and_says_since_when() -> None:
    gone = replace(HERE, standing=Standing.OUT_OF_SCOPE)
    reach = Reach(checks=frozenset({"x"}), known=frozenset({"x"}), retiring=frozenset(Category))
    left = one(record(), Look((), Coverage(target=gone, planned=frozenset(), gaps={}, reach=reach)))
    assert (left.status, left.unconfirmed_since) == (Status.OPEN, "2026-01-16T12:00:00+00:00")
    assert left.changed_in == "1"
