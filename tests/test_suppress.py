"""Suppressions: what a rule covers, until when, and that it never covers more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan.model import GLOBAL, Category, Finding, Severity, Target
from orgscan.suppress import EXPIRING_DAYS, KEY_DIGITS, Index, Suppression, Suppressions

BUCKET = "arn:aws:s3:::logs"
VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"
LAST = date(2026, 6, 30)
END = datetime(2026, 7, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FINDING = Finding(
    check="Config.1",
    severity=Severity.HIGH,
    category=Category.SECURITY,
    target=Target("111122223333", "eu-west-1"),
    resource=VOLUME,
    problems=("it is",),
    tags={"stage": "sandbox"},
)


def rule(expires: date = LAST, **named: Any) -> Suppression:
    return Suppression(reason="known", owner="team", expires=expires, **named)


def found(
    *,
    check: str = FINDING.check,
    account: str = "111122223333",
    region: str = "eu-west-1",
    resource: str = VOLUME,
) -> Finding:
    return replace(FINDING, check=check, target=Target(account, region), resource=resource)


@pytest.mark.parametrize(
    ("now", "holds"),
    [(END - SECOND, True), (END, False), (END + SECOND, False), (END - 100 * DAY, True)],
)
def test_a_rule_holds_until_the_end_of_its_last_day(now: datetime, holds: bool) -> None:  # noqa: FBT001
    ruled = rule(check=FINDING.check)
    assert ruled.holds(now) is holds
    assert ruled.expired(now) is not holds
    assert Suppressions([ruled], now).of(FINDING) == (ruled if holds else None)
    assert Suppressions([ruled], now).in_force(ruled.key) is holds


@pytest.mark.parametrize("hours", [-11, 0, 14])
def test_the_last_day_is_utcs_wherever_the_clock_hangs(hours: int) -> None:
    there = timezone(timedelta(hours=hours))
    assert rule(check="a").holds((END - SECOND).astimezone(there))
    assert not rule(check="a").holds(END.astimezone(there))


def test_a_rule_is_announced_in_its_last_days() -> None:
    first = END - (EXPIRING_DAYS + 1) * DAY
    assert not rule(check="a").expiring(first - SECOND)
    assert rule(check="a").expiring(first)
    assert rule(check="a").expiring(END - SECOND)
    assert not rule(check="a").expiring(END), "what has expired is no longer about to"
    assert rule(check="a").days(first) == EXPIRING_DAYS
    assert rule(check="a").days(END - SECOND) == 0


def test_what_has_expired_still_tells_what_it_covered() -> None:
    assert rule(date(2020, 1, 1), check=FINDING.check).covers(FINDING)


@pytest.mark.parametrize(
    ("named", "other"),
    [
        ({"check": "Config.1"}, {"check": "Config.10"}),
        ({"check": "Config.10"}, {"check": "Config.1"}),
        ({"check": "Config.1"}, {"check": "config.1"}),
        ({"account": "111122223333"}, {"account": "1111222233334"}),
        ({"region": "eu-west-1"}, {"region": "eu-west-10"}),
        ({"region": "eu-west-1"}, {"region": GLOBAL}),
        ({"region": "eu-west-*"}, {}),
        ({"resource": VOLUME}, {"resource": f"{VOLUME}0"}),
        ({"resource": VOLUME}, {"resource": f"{VOLUME}\n"}),
        ({"resource": "*"}, {}),
    ],
)
def test_a_name_never_means_another_one(named: dict[str, Any], other: dict[str, Any]) -> None:
    assert not rule(**named).covers(found(**other))
    assert Suppressions([rule(**named)], NOON).of(found(**other)) is None


@given(
    st.sampled_from(["check", "account", "region", "resource"]),
    st.text(min_size=1, max_size=6),
    st.text(max_size=6),
    st.sampled_from(["{0}", "{0}{1}", "{1}{0}", "{1}"]),
)
def test_an_exact_name_covers_itself_and_nothing_else(name: str, named: str, more: str, form: str) -> None:
    value = form.format(named, more)
    told: dict[str, Any] = {name: value}
    only: dict[str, Any] = {name: named}
    assert rule(**only).covers(found(**told)) is (value == named)
    assert (Suppressions([rule(**only)], NOON).of(found(**told)) is not None) is (value == named)


def test_all_that_a_rule_names_must_hold() -> None:
    named: dict[str, Any] = {
        "check": "Config.1",
        "account": "111122223333",
        "region": "eu-west-1",
        "resource": VOLUME,
        "tag": ("stage", "sandbox"),
    }
    assert rule(**named).covers(FINDING)
    others = {
        "check": "Config.2",
        "account": "999999999999",
        "region": GLOBAL,
        "resource": BUCKET,
        "tag": ("stage", "production"),
        "resource_glob": "arn:aws:s3:*",
    }
    for name, other in others.items():
        assert not rule(**{**named, name: other}).covers(FINDING), name


@pytest.mark.parametrize(
    ("glob", "arn", "covers"),
    [
        ("arn:aws:ec2:*:volume/*", VOLUME, True),
        ("*", VOLUME, True),
        ("arn:aws:ec2:*", VOLUME, True),
        ("*vol-1", VOLUME, True),
        ("*vol-?", VOLUME, True),
        ("*vol-??", VOLUME, False),
        ("*vol-", VOLUME, False),
        ("vol-1", VOLUME, False),
        ("*VOL-1", VOLUME, False),
        ("arn:aws:s3:::logs", BUCKET, True),
        ("arn:aws:s3:::log", BUCKET, False),
        ("arn:aws:s3:::log?", BUCKET, True),
        ("arn:aws:s3:::[kl]ogs", BUCKET, False),
        ("arn:aws:s3:::[!k]ogs", BUCKET, False),
        ("arn:aws:s3:::log[s", "arn:aws:s3:::log[s", True),
        ("arn:aws:s3:::[l]*", "arn:aws:s3:::[l]ogs", True),
        ("arn:aws:s3:::[]l", "arn:aws:s3:::[]l", True),
        ("arn:aws:s3:::l.gs", BUCKET, False),
        ("arn:aws:s3:::lo+gs", "arn:aws:s3:::loogs", False),
        ("arn:aws:s3:::logs|x", BUCKET, False),
        ("a\\*b", "a\\xb", True),
        ("a*b", "a\nb", True),
        ("a*b", "a:b\n", False),
    ],
)
def test_only_stars_and_question_marks_are_special(glob: str, arn: str, covers: bool) -> None:  # noqa: FBT001
    assert rule(resource_glob=glob).covers(found(resource=arn)) is covers


def _like(glob: str, text: str) -> bool:
    """The slow way."""
    if not glob:
        return not text
    if glob[0] == "*":
        return any(_like(glob[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and glob[0] in ("?", text[0]) and _like(glob[1:], text[1:])


@given(st.text("a*?[]!^\\-", min_size=1, max_size=6), st.text("a*?[]!^\\-", max_size=6))
def test_a_pattern_means_what_the_slow_way_says(glob: str, text: str) -> None:
    assert rule(resource_glob=glob).covers(found(resource=text)) is _like(glob, text)


def test_many_stars_are_not_slow() -> None:
    assert not rule(resource_glob="*a" * 30 + "b").covers(found(resource="a" * 2000))


@pytest.mark.parametrize(
    ("tags", "covers"),
    [
        ({"stage": "sandbox"}, True),
        ({"stage": "sandbox", "Stage": "production"}, True),
        (None, False),
        ({}, False),
        ({"Stage": "sandbox"}, False),
        ({"stage": "Sandbox"}, False),
        ({"stage": "sandbox "}, False),
        ({"stage": "sandboxes"}, False),
        ({"stage": ""}, False),
        ({"sandbox": "stage"}, False),
    ],
)
def test_a_tag_that_is_missing_unread_or_spelled_otherwise_never_suppresses(
    tags: dict[str, str] | None,
    covers: bool,  # noqa: FBT001
) -> None:
    assert rule(tag=("stage", "sandbox")).covers(replace(FINDING, tags=tags)) is covers


def test_a_tag_without_a_value_is_not_a_missing_tag() -> None:
    empty = rule(tag=("stage", ""))
    assert empty.covers(replace(FINDING, tags={"stage": ""}))
    assert not empty.covers(replace(FINDING, tags={}))


WORDS = st.sampled_from(["", "a", "b"])
NAMED = st.fixed_dictionaries(
    {
        "check": WORDS,
        "account": WORDS,
        "region": WORDS,
        "resource": WORDS,
        "resource_glob": st.sampled_from(["", "*", "?", "a*"]),
        "tag": st.sampled_from([None, ("k", "v"), ("k", "w")]),
        "expires": st.sampled_from([date(2026, 5, 31), date(2026, 6, 1)]),
    }
)
FOUND = st.builds(
    lambda check, account, region, resource, tags: replace(
        FINDING, check=check, target=Target(account, region), resource=resource, tags=tags
    ),
    *[WORDS] * 4,
    st.sampled_from([None, {}, {"k": "v"}, {"K": "v"}]),
)


@given(st.lists(NAMED, max_size=12), st.lists(FOUND, max_size=6))
def test_the_index_says_what_asking_every_rule_would(
    named: list[dict[str, Any]], findings: list[Finding]
) -> None:
    rules = [rule(**each) for each in named]
    suppressions, index = Suppressions(rules, NOON), Index(rules)
    for finding in findings:
        covering = [each for each in rules if each.covers(finding)]
        first = next((each for each in covering if each.holds(NOON)), None)
        assert suppressions.of(finding) is first
        told = list(index.covering(finding))
        assert [id(each) for each in told] == [id(each) for each in covering]
    for each in rules:
        same = any(other.key == each.key and other.holds(NOON) for other in rules)
        assert suppressions.in_force(each.key) is same


def test_the_first_of_several_is_named() -> None:
    rules = [rule(region="eu-west-1"), rule(check=FINDING.check), rule(resource=VOLUME)]
    assert Suppressions(rules, NOON).of(FINDING) is rules[0]
    assert Suppressions(rules[::-1], NOON).of(FINDING) is rules[2]
    assert Suppressions([], NOON).of(FINDING) is None
    assert not Suppressions([], NOON).in_force("")


def test_a_finding_is_compared_with_few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    compared = []
    covers = Suppression.covers

    def counting(self: Suppression, finding: Finding) -> bool:
        compared.append(self)
        return covers(self, finding)

    monkeypatch.setattr(Suppression, "covers", counting)
    numbers = range(1000)
    rules = [rule(check="Config.1", resource=f"{VOLUME}{number}") for number in numbers]
    rules += [rule(check=f"Config.{number}0", region="eu-west-1") for number in numbers]
    rules += [rule(check="Config.1", account=f"{number:012}") for number in numbers]
    assert Suppressions(rules, NOON).of(found(resource=f"{VOLUME}999")) is rules[999]
    assert len(compared) == 1


def test_prolonging_a_rule_keeps_its_key() -> None:
    before = rule(check="a", tag=("k", "v"))
    after = replace(before, expires=LAST + 90 * DAY, reason="still", owner="others")
    assert before.key == after.key
    assert len(before.key) == KEY_DIGITS
    assert int(before.key, 16) >= 0


def test_a_key_is_the_same_in_every_version() -> None:
    """The table keeps it."""
    assert rule(check="s3-bucket-versioning-disabled", tag=("stage", "sandbox")).key == "5893ee355f76"


def test_what_matches_otherwise_has_another_key() -> None:
    named: list[dict[str, Any]] = [
        {"check": "a"},
        {"check": "b"},
        {"account": "a"},
        {"region": "a"},
        {"resource": "a"},
        {"resource_glob": "a"},
        {"tag": ("a", "")},
        {"tag": ("", "a")},
        {"tag": ("a", "b")},
        {"check": "a", "region": "b"},
        {"check": "b", "region": "a"},
        {"check": "ab"},
    ]
    assert len({rule(**each).key for each in named}) == len(named)


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ({"check": "a-check"}, "a-check"),
        ({"account": "111122223333"}, "every check in 111122223333"),
        ({"region": GLOBAL}, "every check in global"),
        ({"tag": ("stage", "sandbox")}, "every check, tag stage=sandbox"),
        ({"resource_glob": "*:volume/*"}, "every check on *:volume/*"),
        (
            {
                "check": "a-check",
                "account": "111122223333",
                "region": "eu-west-1",
                "resource": BUCKET,
                "tag": ("stage", "sandbox"),
            },
            f"a-check on {BUCKET} in 111122223333 eu-west-1, tag stage=sandbox",
        ),
    ],
)
def test_a_rule_says_what_it_matches(named: dict[str, Any], line: str) -> None:
    assert rule(**named).what == line
