"""What a scan may say of a control: passed only where all was seen and nothing found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from local import show
from local.rehearsal import Scan
from orgscan import catalog, compliance
from orgscan.compliance import Assessment, Outcome, Verdict, details, frameworks, split, totals
from orgscan.model import GLOBAL, Blindness, Category, Severity, Standing, Target
from orgscan.receipt import Receipt, Unseen
from orgscan.settings import Route
from orgscan.summary import summarise
from tests.goldens import golden
from tests.invented import CATALOG, CHECKS, FRAMEWORKS
from tests.receipts import FINISHED, plan, receipt

IDS = tuple(check.id for check in CHECKS)
HERE = Target("1" * 12, "eu-west-1")
ONCE = Target("1" * 12, GLOBAL)
OTHER = Target("2" * 12, "eu-west-1")
LAMP, SWITCH, HOUSE, TAGS = "lamp-left-on", "switch-unnamed", "house-unlocked", "thing-untagged"
KIND = (Severity.HIGH, Category.SECURITY)
ACCEPTED = Verdict.ACCEPTED
FAILED, PASSED, NOT_JUDGED = Verdict.FAILED, Verdict.PASSED, Verdict.NOT_JUDGED


def left(
    target: Target, found: Mapping[str, tuple[int, int]] | None = None, unseen: Iterable[str] = ()
) -> Receipt:
    """Found: check -> open and suppressed findings."""
    found = found or {}
    blind = tuple(unseen)
    return receipt(
        target,
        planned=3,
        found=found,
        open={KIND: sum(opened for opened, _ in found.values())},
        suppressed={KIND: sum(accepted for _, accepted in found.values())},
        unseen=[Unseen(Blindness.DENIED, "no", blind)] if blind else (),
    )


def assessed(*receipts: Receipt, asked: Sequence[str] = IDS) -> dict[str, Outcome]:
    """By 'Moon 1.0 2'."""
    assessment = Assessment(asked, CATALOG, FRAMEWORKS)
    for each in receipts:
        assessment.add(each)
    return {
        f"{result.framework.name} {outcome.control.number}": outcome
        for result in assessment.results()
        for outcome in result.outcomes
    }


def verdicts(*receipts: Receipt, asked: Sequence[str] = IDS) -> dict[str, Verdict]:
    return {name: outcome.verdict for name, outcome in assessed(*receipts, asked=asked).items()}


def test_a_control_passes_where_all_was_seen_and_nothing_found() -> None:
    assert verdicts(left(HERE), left(ONCE)) == dict.fromkeys(
        ["Moon 1.0 1", "Moon 1.0 2", "Moon 1.0 10", "Stars A.1"], PASSED
    )


def test_one_finding_anywhere_fails_every_control_of_its_check() -> None:
    told = verdicts(left(HERE, {LAMP: (1, 0)}), left(ONCE), left(OTHER))
    assert told == {"Moon 1.0 1": FAILED, "Moon 1.0 2": FAILED, "Moon 1.0 10": PASSED, "Stars A.1": FAILED}


def test_one_gap_anywhere_and_a_control_is_not_judged() -> None:
    told = verdicts(left(HERE), left(ONCE), left(OTHER, unseen=[SWITCH]))
    assert (told["Moon 1.0 1"], told["Moon 1.0 2"]) == (PASSED, NOT_JUDGED)


def test_what_is_found_is_certain_whatever_else_was_not_seen() -> None:
    assert verdicts(left(HERE, {LAMP: (1, 0)}, [LAMP, SWITCH]))["Moon 1.0 2"] is FAILED


def test_what_is_accepted_does_not_pass_silently() -> None:
    assert verdicts(left(HERE, {LAMP: (0, 2)}))["Moon 1.0 1"] is ACCEPTED
    assert verdicts(left(HERE, {LAMP: (0, 2), SWITCH: (1, 0)}))["Moon 1.0 2"] is FAILED
    assert verdicts(left(HERE, {LAMP: (0, 2)}, [SWITCH]))["Moon 1.0 2"] is NOT_JUDGED


def test_a_check_that_was_not_asked_leaves_its_control_open() -> None:
    """Switched off, or left out of a narrowed scan."""
    outcome = assessed(left(HERE), left(ONCE), asked=[LAMP, HOUSE])["Moon 1.0 2"]
    assert (outcome.verdict, outcome.left_out) == (NOT_JUDGED, (SWITCH,))


def test_a_check_that_had_nowhere_to_ask_leaves_its_control_open() -> None:
    """A scan of regions alone says nothing of what an account has once, and the other way round."""
    assert verdicts(left(HERE))["Moon 1.0 10"] is NOT_JUDGED
    assert verdicts(left(ONCE))["Moon 1.0 1"] is NOT_JUDGED
    assert set(verdicts().values()) == {NOT_JUDGED}


def test_a_gap_of_a_check_that_is_not_due_there_costs_nothing() -> None:
    assert verdicts(left(HERE, unseen=[HOUSE]), left(ONCE))["Moon 1.0 10"] is PASSED


def test_findings_under_an_earlier_id_are_those_of_the_check() -> None:
    outcome = assessed(left(HERE, {"lamp-burns": (1, 0), LAMP: (2, 0)}))["Moon 1.0 1"]
    assert (outcome.verdict, outcome.tally.failed.findings, outcome.tally.failed.targets) == (FAILED, 3, 1)


def test_findings_where_nobody_looks_any_more_still_fail() -> None:
    gone = replace(OTHER, standing=Standing.OUT_OF_SCOPE)
    outcome = assessed(left(HERE), left(gone, {LAMP: (1, 0)}))["Moon 1.0 1"]
    assert (outcome.verdict, outcome.targets) == (FAILED, 1)
    assert verdicts(left(HERE), left(gone, unseen=[LAMP]))["Moon 1.0 1"] is PASSED


def test_a_receipt_that_does_not_say_whose_its_findings_are_lets_nothing_pass() -> None:
    """Receipts of earlier versions."""
    earlier = receipt(HERE, planned=3, open={KIND: 1})
    assert set(verdicts(earlier, left(ONCE)).values()) == {NOT_JUDGED}


def test_counts_say_where() -> None:
    second = replace(HERE, region="us-east-1")
    outcome = assessed(
        left(HERE, {LAMP: (3, 1), SWITCH: (1, 0)}),
        left(second, {LAMP: (1, 0)}, [SWITCH]),
        left(OTHER, {SWITCH: (0, 2)}, [LAMP, SWITCH]),
        left(replace(OTHER, region=GLOBAL)),
    )["Moon 1.0 2"]
    told = outcome.tally
    assert outcome.targets == 3
    assert (told.failed.accounts, told.failed.targets, told.failed.findings) == (1, 2, 5)
    assert (told.accepted.accounts, told.accepted.targets, told.accepted.findings) == (2, 2, 3)
    assert (told.unseen.accounts, told.unseen.targets) == (2, 2)


def test_what_is_manual_or_lacks_a_check_goes_as_far_as_automated() -> None:
    told = assessed(left(HERE), left(ONCE))
    assert {name: outcome.partial for name, outcome in told.items()} == {
        "Moon 1.0 1": False,
        "Moon 1.0 2": True,
        "Moon 1.0 10": True,
        "Stars A.1": True,
    }
    assert told["Moon 1.0 2"].missing == ("wire-<bare>",), "the others exist, one of them under another id"


TARGETS = [Target(account, region) for account in ("1" * 12, "2" * 12) for region in ("a", "b", GLOBAL)]
FOUND = st.dictionaries(st.sampled_from([*IDS, "lamp-burns", "gone"]), st.tuples(*[st.integers(0, 2)] * 2))


@st.composite
def scans(draw: st.DrawFn) -> list[Receipt]:
    made = []
    for target in draw(st.lists(st.sampled_from(TARGETS), unique=True)):
        standing = draw(st.sampled_from([Standing.DUE, Standing.DUE, Standing.DUE, *Standing]))
        due = {check.id for check in CATALOG.planned(once=target.once)}
        unseen = draw(st.sets(st.sampled_from(sorted(due))))
        known = left(replace(target, standing=standing), draw(FOUND), sorted(unseen))
        made.append(known if draw(st.integers(0, 9)) else replace(known, found={}))
    return sorted(made, key=lambda each: each.target)


@given(scans(), st.sets(st.sampled_from(IDS)))
def test_verdicts_are_those_of_a_plain_restatement(receipts: list[Receipt], asked: set[str]) -> None:
    told = assessed(*receipts, asked=sorted(asked))
    for name, outcome in told.items():
        ids = {check.id for check in CHECKS if name in check.maps}
        names = ids | ({"lamp-burns"} if LAMP in ids else set())
        opened = [
            (r.target, r.found[i][0]) for r in receipts for i in names & r.found.keys() if r.found[i][0]
        ]
        waived = [
            (r.target, r.found[i][1]) for r in receipts for i in names & r.found.keys() if r.found[i][1]
        ]
        lost = [r.target for r in receipts for i in sorted(ids) if not _seen(r, i, asked)]
        everywhere = all(any(_due(r, i, asked) for r in receipts) for i in ids)
        expected = (
            FAILED if opened else NOT_JUDGED if lost or not everywhere else ACCEPTED if waived else PASSED
        )
        assert outcome.verdict is expected
        tally = outcome.tally
        assert tally.failed.findings == sum(count for _, count in opened)
        assert tally.accepted.findings == sum(count for _, count in waived)
        for places, where in (
            (tally.failed, {target for target, _ in opened}),
            (tally.accepted, {target for target, _ in waived}),
            (tally.unseen, {*lost}),
        ):
            assert places.targets == len(where)
            assert places.accounts == len({target.account for target in where})
        assert outcome.targets == len({r.target for r in receipts for i in ids if _due(r, i, asked)})


def _due(left: Receipt, check: str, asked: set[str]) -> bool:
    """A global check in global targets, all others in regions."""
    standing = left.target.standing is Standing.DUE
    return standing and check in asked and left.target.once == (check == HOUSE)


def _seen(left: Receipt, check: str, asked: set[str]) -> bool:
    if sum(map(sum, left.found.values())) != sum(left.open.values()) + sum(left.suppressed.values()):
        return False
    return not (_due(left, check, asked) and any(check in each.checks for each in left.unseen))


def test_totals_and_details_say_the_same() -> None:
    assessment = Assessment(IDS, CATALOG, FRAMEWORKS)
    for each in (left(HERE, {LAMP: (1, 0)}), left(ONCE, {HOUSE: (0, 1)})):
        assessment.add(each)
    results = assessment.results()
    moon, stars = totals(results)
    assert moon == {
        "framework": "Moon 1.0",
        "controls": 5,
        "with_checks": 3,
        "passed": 0,
        "failed": 2,
        "accepted": 1,
        "not_judged": 0,
    }
    assert (stars["framework"], stars["failed"]) == ("Stars", 1)
    first, second = details(results)
    assert {name: first[name] for name in moon} == moon
    assert [each["verdict"] for each in first["list"]] == [
        "failed",
        "failed",
        "no-check",
        "no-check",
        "accepted",
    ]
    assert first["list"][0] == {
        "control": "1",
        "verdict": "failed",
        "as_far_as_automated": False,
        "checks": [LAMP],
        "left_out": [],
        "missing": [],
        "targets": 1,
        "failed": {"accounts": 1, "targets": 1, "findings": 1},
        "accepted": {"accounts": 0, "targets": 0, "findings": 0},
        "unseen": {"accounts": 0, "targets": 0},
    }
    assert first["list"][2] == {
        "control": "3",
        "verdict": "no-check",
        "reason": "nobody can see the <far> side",
    }
    assert second["list"][0]["as_far_as_automated"] is True


def test_the_summary_of_everything_has_it_and_that_of_a_route_has_not() -> None:
    ids = tuple(check.id for check in catalog.checks())
    made = plan(checks=ids)
    summary = summarise(made, [left(HERE), left(ONCE)], finished=FINISHED)
    assert {result.framework.name for result in summary.compliance} == {each.name for each in frameworks()}
    assert all(set(result.counts) == {PASSED} for result in summary.compliance)
    part = summarise(made, [left(HERE)], finished=FINISHED, route=Route(name="all"))
    assert part.compliance == ()


def test_all_controls_at_their_longest_stay_small() -> None:
    """The totals are part of an item of 400 KB; what is kept does not grow with accounts."""
    assessment = Assessment(IDS, CATALOG, FRAMEWORKS)
    for number in range(2000):
        assessment.add(left(Target(f"{number:012}", "eu-west-1"), {LAMP: (9, 9)}, [LAMP]))
    results = assessment.results()
    assert results[0].outcomes[0].tally.failed.accounts == 2000
    assert len(json.dumps(totals(results))) < 500
    assert len(json.dumps(details(results))) < 5_000


NUMBERS = {"CIS AWS 3.0": 62, "CIS AWS 5.0": 63, "CIS AWS 6.0": 63, "CIS AWS 7.0": 70, "FSBP": 369}
AUTOMATED = {"CIS AWS 3.0": 54, "CIS AWS 5.0": 35, "CIS AWS 6.0": 35, "CIS AWS 7.0": 0, "FSBP": 369}


def test_the_frameworks_are_whole() -> None:
    assert {each.name: len(each.controls) for each in frameworks()} == NUMBERS
    automated = {each.name: sum(bool(c.automated) for c in each.controls) for each in frameworks()}
    assert automated == AUTOMATED


@pytest.mark.parametrize("framework", frameworks(), ids=lambda each: each.name)
def test_controls_come_once_and_by_number(framework: compliance.Framework) -> None:
    numbers = [control.number for control in framework.controls]
    assert len(numbers) == len(set(numbers))
    if framework.name.startswith("CIS"):
        assert numbers == sorted(numbers, key=lambda number: [*map(int, number.split("."))])
    else:
        assert numbers.index("S3.9") < numbers.index("S3.10") < numbers.index("S3.24")


@pytest.mark.parametrize("check", catalog.checks(), ids=lambda check: check.id)
def test_every_map_leads_to_a_control(check: catalog.AnyCheck) -> None:
    known = {(each.name, control.number) for each in frameworks() for control in each.controls}
    assert {split(mapped) for mapped in check.maps} <= known


def test_a_map_to_an_unknown_control_does_not_stop_the_report() -> None:
    assessment = Assessment(IDS, CATALOG, [replace(FRAMEWORKS[0], controls=FRAMEWORKS[0].controls[:1])])
    assessment.add(left(HERE, {SWITCH: (1, 0)}))
    assert [each.verdict for result in assessment.results() for each in result.outcomes] == [PASSED]


def test_golden_block_of_make_scan() -> None:
    told: list[dict[str, Any]] = [
        {**row, **counts}
        for row, counts in zip(
            [
                {"framework": "CIS AWS 3.0", "controls": 62, "with_checks": 37},
                {"framework": "FSBP", "controls": 369, "with_checks": 120},
            ],
            [
                {"passed": 12, "failed": 9, "accepted": 1, "not_judged": 15},
                {"passed": 0, "failed": 20, "accepted": 0, "not_judged": 100},
            ],
            strict=True,
        )
    ]
    out = StringIO()
    scan = Scan("SUCCEEDED", "", "", "1", {"compliance": told}, (), ())
    show.compliance(Console(file=out, width=78, highlight=False), scan)
    golden("compliance.txt", out.getvalue())
